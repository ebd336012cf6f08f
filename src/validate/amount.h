/* amount.h — money, headcounts and dates in one writing each. */
#ifndef GALENA_VALIDATE_AMOUNT_H
#define GALENA_VALIDATE_AMOUNT_H

#include "base/time.h"
#include "validate/clean_value.h"

/* *v becomes plain digits with a point for decimals, a range as "low-high", an open end as "low+" or "0-high": what
 * base/quantity.h reads. Money keeps its currency behind it in ISO 4217 ("3500000 EUR") when the text names one. A headcount
 * is whole and not negative, and "employees" and the like go; invalid is more than 20 million people. */
void amount_clean_money(struct arena *a, str original, struct clean_value *v);
void amount_clean_headcount(struct arena *a, str original, struct clean_value *v);

/* *v becomes the day in ISO 8601 ("2026-03-01"), with a time of day in UTC when the text had one. Invalid (RULE_AMBIGUOUS)
 * is a day that `order` does not settle. */
void amount_clean_date(struct arena *a, str original, enum time_order order, struct clean_value *v);

#endif
