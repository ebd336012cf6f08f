/* clean.h — values of a lead cleaned and brought into one form, each with the rules that did it and how sure they are.
 *
 * Nothing is guessed silently: a changed value names its rules, a value that cannot be used names the reason, and the
 * original stays with the caller. docs/cleaning.md says what is changed when. */
#ifndef GALENA_VALIDATE_CLEAN_H
#define GALENA_VALIDATE_CLEAN_H

#include "text/classifier.h"
#include "validate/clean_value.h"
#include "validate/mail_clean.h"
#include "validate/title.h"

/* What a column holds. If you change this: the table in clean.c. */
enum clean_kind {
    CLEAN_EMAIL,
    CLEAN_PHONE,
    CLEAN_REGION, /* a country by code or name, for phones in national form */
    CLEAN_COUNTRY,
    CLEAN_TITLE,
    CLEAN_COMPANY,
    CLEAN_NAME, /* of a person */
    CLEAN_DOMAIN,
    CLEAN_INDUSTRY,
    CLEAN_MONEY,
    CLEAN_HEADCOUNT,
    CLEAN_DATE,
    CLEAN_LANGUAGE,
    CLEAN_KIND_COUNT
};

const char *clean_kind_name(enum clean_kind kind); /* "email" */
bool clean_kind_of(str name, enum clean_kind *out);

/* Zero members mean: email_sure 0.5; no models; dates like 03/04/2026 are ambiguous. */
struct cleaner_options {
    double email_sure;                   /* least confidence at which a slip in an e-mail's domain is corrected, 0..1 */
    const struct text_classifier *area;  /* titles to "Business", "Technical", "Sales-Marketing", "Other" */
    const struct text_classifier *group; /* titles to any labels: the group that is handed out */
    bool day_first, month_first;         /* how 03/04/2026 is to be read */
};

/* The loaded lists, the models and the room to work with them: for one thread at a time. */
struct cleaner;

/* A cleaner in the arena. ERR_INPUT "clean_area_labels" when the area model knows another label. */
err cleaner_new(struct arena *a, const struct cleaner_options *o, struct cleaner **out) MUST_CHECK;

/* The texts of one lead; ptr NULL where the lead has no such column. */
struct clean_input {
    str cell[CLEAN_KIND_COUNT];
};

struct clean_output {
    struct clean_value value[CLEAN_KIND_COUNT];
    struct mail_cleaned mail; /* with an e-mail column */
    str phone_type;           /* phone.h */
    str name_given, name_family;
    str company_form;   /* the legal form, in its normal spelling */
    str industry_title; /* of the code, in English */
    enum title_level title_level;
    enum title_area title_area;
    double title_area_confidence;
    str title_group; /* empty without a group model */
    double title_group_confidence;
};

/* Cleans what there is. One value helps another: the region of a phone is the region's column, else the country's; an
 * e-mail's domain is not taken for a slip when it is the company's own. Texts of the output live in the arena, in the input
 * or in the cleaner. */
void clean_lead(const struct cleaner *c, struct arena *a, const struct clean_input *in, struct clean_output *out);

#endif
