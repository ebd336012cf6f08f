/* pii.h — finds personal data in text, with spans and types, and masks it so that it can be put back.
 *
 * What has a form or a checksum is found by scanners written for it: payment cards (Luhn, ISO/IEC 7812), IBAN (mod 97, ISO
 * 13616), IP and mail addresses, URLs, telephone and social security numbers, dates. Names, places, organisations and
 * addresses are found by lists (share/lexicons) and by what stands around them. Time is linear in the length of the text. */
#ifndef GALENA_TEXT_PII_H
#define GALENA_TEXT_PII_H

#include "base/buf.h"

/* If you change this: type_name in pii.c. */
enum pii_type {
    PII_PERSON,
    PII_STREET_ADDRESS,
    PII_GPE, /* a country, city or region */
    PII_ORGANIZATION,
    PII_CREDIT_CARD,
    PII_PHONE_NUMBER,
    PII_DATE_TIME,
    PII_EMAIL_ADDRESS,
    PII_TITLE, /* "Mrs.", and an occupation somebody works as */
    PII_ZIP_CODE,
    PII_NRP, /* a nationality, religion or political group */
    PII_IBAN_CODE,
    PII_DOMAIN_NAME,
    PII_AGE,
    PII_IP_ADDRESS,
    PII_US_SSN,
    PII_US_DRIVER_LICENSE,
    PII_TYPES
};

/* "PERSON", "STREET_ADDRESS", ... */
const char *pii_type_name(enum pii_type type);

struct pii_span {
    enum pii_type type;
    size_t begin, end;           /* bytes, end exclusive */
    size_t begin_char, end_char; /* the same in code points */
    double confidence;           /* 0..1 */
};

/* The lists; const and shareable. */
struct pii_words;
err pii_words_load(struct arena *a, const struct pii_words **out) MUST_CHECK;

/* Memory to find with, for one thread at a time. */
struct pii_finder;
struct pii_finder *pii_finder_new(struct arena *a, const struct pii_words *words);

enum { PII_SPAN_MAX = 1 << 16 };

/* The spans of `text` in order, without overlap; they live in the finder until the next call. At most PII_SPAN_MAX; *more
 * tells whether there were more. Texts of any length: long ones are looked at in pieces that end at white space. */
size_t pii_find(struct pii_finder *f, str text, const struct pii_span **span, bool *more);

/* What a mask stands for. */
struct pii_secret {
    enum pii_type type;
    unsigned number; /* 1, 2, ... within the type */
    str text;
};

/* Text with every span replaced by "[TYPE_N]", equal texts of a type by the same mask, and what they stand for. A mask that
 * the text itself holds already is passed over in the numbering. Lives in the arena. */
struct pii_masked {
    str text;
    struct pii_secret *secret;
    size_t n;
};
struct pii_masked pii_mask(struct arena *a, str text, const struct pii_span *span, size_t n);

/* Puts the secrets back into a text that holds masks, as a language model's answer; unknown masks stay. */
str pii_unmask(struct arena *a, str text, const struct pii_secret *secret, size_t n);

#endif
