/* clean_value.h — what a cleaned value is: the text, what was done to it, by which rules, and how sure that is. */
#ifndef GALENA_VALIDATE_CLEAN_VALUE_H
#define GALENA_VALIDATE_CLEAN_VALUE_H

#include "base/str.h"

#include <stdint.h>

enum clean_status { CLEAN_EMPTY, CLEAN_OK, CLEAN_CORRECTED, CLEAN_INVALID };

/* What can be done to a value, and why one is refused. docs/cleaning.md explains each.
 * If you change this: the table in clean_value.c and docs/cleaning.md. */
enum clean_rule {
    RULE_SPACE,
    RULE_CASE,
    RULE_SIGNS,
    RULE_WRAPPED,
    RULE_AT_WORD,
    RULE_DOTS,
    RULE_COMMA_DOT,
    RULE_IDN,
    RULE_PROVIDER_TYPO,
    RULE_SUFFIX_TYPO,
    RULE_SCHEME,
    RULE_PATH,
    RULE_SUBDOMAIN,
    RULE_FROM_EMAIL,
    RULE_E164,
    RULE_EXTENSION,
    RULE_INTERNATIONAL_ZEROS,
    RULE_REGION_COUNTRY,
    RULE_COUNTRY_CODE,
    RULE_COUNTRY_NAME,
    RULE_LANGUAGE_CODE,
    RULE_LANGUAGE_NAME,
    RULE_SURNAME_FIRST,
    RULE_HONORIFIC,
    RULE_SUFFIX,
    RULE_NICKNAME,
    RULE_INITIALS,
    RULE_LEGAL_FORM,
    RULE_STOCK_TICKER,
    RULE_TRADING_AS,
    RULE_ABBREVIATION,
    RULE_NUMBER,
    RULE_MULTIPLIER,
    RULE_CURRENCY,
    RULE_RANGE,
    RULE_ISO_DATE,
    RULE_INDUSTRY_CODE,
    RULE_INDUSTRY_TITLE,
    RULE_INDUSTRY_WORDS,
    RULE_PLACEHOLDER, /* from here on: why there is no value */
    RULE_TOO_LONG,
    RULE_NOT_UTF8,
    RULE_NO_AT,
    RULE_LOCAL_PART,
    RULE_NOT_A_DOMAIN,
    RULE_UNKNOWN_SUFFIX,
    RULE_PUBLIC_SUFFIX,
    RULE_NOT_A_PHONE,
    RULE_NOT_IN_REGION,
    RULE_NO_REGION,
    RULE_UNKNOWN,
    RULE_AMBIGUOUS,
    RULE_NO_LETTERS,
    RULE_IS_COMPANY,
    RULE_IS_EMAIL,
    RULE_IS_PHONE,
    CLEAN_RULE_COUNT
};

/* A cleaned value. `value` is empty when the status is CLEAN_EMPTY or CLEAN_INVALID: the original is the caller's and is
 * never changed. Status CLEAN_OK means that `value` is the original, byte for byte. `confidence`, 0..1, is how sure it is
 * that `value` is what was meant (of an invalid value: that it is invalid); the product over the rules, where a rule has no
 * estimate of its own. */
struct clean_value {
    str value;
    enum clean_status status;
    uint64_t rules; /* bit `enum clean_rule` */
    double confidence;
};

const char *clean_status_name(enum clean_status s); /* "empty", "ok", "corrected", "invalid" */
const char *clean_rule_name(enum clean_rule r);     /* "provider_typo" */
double clean_rule_confidence(enum clean_rule r);    /* the table's, 0..1 */

/* The rules of a value in the order of the enum, joined by "+"; lives in the arena. */
str clean_rule_text(struct arena *a, const struct clean_value *v);

static inline bool clean_has(const struct clean_value *v, enum clean_rule r) { return v->rules >> r & 1; }

/* Adds a rule; the confidence is multiplied by the table's the first time. */
void clean_apply(struct clean_value *v, enum clean_rule r);

/* Begins the cleaning of one text: *v is CLEAN_OK with the trimmed text. False when there is nothing to do: it is empty, a
 * word that stands for nothing ("n/a", "null", "-": empty too, by RULE_PLACEHOLDER), no UTF-8, or longer than max_byte; then
 * *v is finished. */
bool clean_begin(struct clean_value *v, str original, size_t max_byte);

/* Ends it: the status is CLEAN_CORRECTED when v->value is not the original. */
void clean_end(struct clean_value *v, str original);

/* Ends it with CLEAN_INVALID, for reason `r`. */
void clean_refuse(struct clean_value *v, enum clean_rule r);

/* A copy with each run of white space (no-break, thin and other Unicode spaces, tabs, line ends) as one blank and without
 * signs that have no width; notes RULE_SPACE or RULE_SIGNS when that changed anything. */
str clean_spaces(struct arena *a, struct clean_value *v, str s);

#endif
