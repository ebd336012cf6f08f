/* company.h — names of companies: their legal form, and one writing. */
#ifndef GALENA_VALIDATE_COMPANY_H
#define GALENA_VALIDATE_COMPANY_H

#include "validate/clean_value.h"

/* The legal forms of share/lists/legal-forms.tsv; read-only once loaded. */
struct legal_forms;
struct legal_forms *legal_forms_load(struct arena *a);

/* *v becomes the name in its usual writing, with its legal form in the form's normal spelling ("ACME WIDGETS G.M.B.H." is
 * "Acme Widgets GmbH") and without what is no name: a stock ticker in brackets ("(NASDAQ: ACME)"), "d/b/a" and what follows,
 * quotes around it. Capitals are changed only in names of more than one case-less word or more than four letters that were
 * all large or all small. *form: the legal form, empty when there is none. */
void company_clean(const struct legal_forms *l, struct arena *a, str original, struct clean_value *v, str *form);

/* The legal form at the end of a name (or in front, as "PT" and "ООО"), and the name without it in *base; false when it has
 * none, or would be nothing else. */
bool company_split(const struct legal_forms *l, str name, str *base, str *form);

/* True for texts that are a company rather than a person, by the words of common legal forms and of companies ("Group",
 * "Consulting", "Bank"). */
bool company_is_likely(str text);

#endif
