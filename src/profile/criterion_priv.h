/* criterion_priv.h — reading the criteria of a section, and what rules share with them. */
#ifndef GALENA_PROFILE_CRITERION_PRIV_H
#define GALENA_PROFILE_CRITERION_PRIV_H

#include "profile/reader_priv.h"

/* Reads the criteria of a section, of the form that the section has, behind r->criterion. */
void criterion_read_section(struct reader *r, const struct json *v, enum profile_section section);

/* The field or column that an object looks at; noted when there is none. */
str criterion_read_field(struct reader *r, const struct json *v, const struct place *at);

/* The comparison named by a key of an object; COMPARE_COUNT when there is none. */
enum compare_op criterion_find_comparison(const struct json *object);

/* What the field is compared with: c->op is set. */
void criterion_read_comparand(struct reader *r, const struct json *v, const struct place *at, struct profile_condition *c);

#endif
