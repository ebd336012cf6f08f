/* industry.h — what people write for an industry, as a code of the North American classification (NAICS 2017). */
#ifndef GALENA_VALIDATE_INDUSTRY_H
#define GALENA_VALIDATE_INDUSTRY_H

#include "validate/clean_value.h"

/* The codes of share/lists/naics.tsv with their titles, and everyday names; read-only once loaded. */
struct industries;
struct industries *industries_load(struct arena *a);

/* *v becomes a code of two to six digits ("541511"; sectors that span codes as "31-33"), and *title its English title. From
 * a code as it stands; from a title, as it is or in the words of share/lists/industries.tsv ("SaaS"); else from the title
 * whose words the text shares most, counted by how rare they are: then the confidence is that share, and a share below 0.5
 * is invalid (RULE_UNKNOWN). */
void industry_clean(const struct industries *l, struct arena *a, str original, struct clean_value *v, str *title);

#endif
