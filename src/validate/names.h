/* names.h — countries and languages: from any of their names and codes to the ISO code. */
#ifndef GALENA_VALIDATE_NAMES_H
#define GALENA_VALIDATE_NAMES_H

#include "validate/clean_value.h"

/* A table of codes and their names. Read-only once loaded. */
struct names;

/* Countries by ISO 3166-1 (and AC, TA, XK), and languages by ISO 639-1 (and fil), with their names in some twenty languages;
 * from share/lists. */
struct names *names_countries(struct arena *a);
struct names *names_languages(struct arena *a);

/* The code for a code or a name in any spelling ("de", "DEU", "Deutschland", "germany"); empty when it is none. */
str names_code(const struct names *t, str text);

/* The English name of a code as names_code gives it; empty when there is none. */
str names_english(const struct names *t, str code);

/* *v becomes the code. Invalid (RULE_UNKNOWN) when the text is neither a code nor a name of the table. `language`: which
 * rules are noted. */
void names_clean(const struct names *t, struct arena *a, str original, bool language, struct clean_value *v);

#endif
