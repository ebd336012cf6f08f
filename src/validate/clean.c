/* clean.c — the values of one lead, cleaned in the order in which one helps the next. */
#include "validate/clean.h"

#include "validate/amount.h"
#include "validate/company.h"
#include "validate/host.h"
#include "validate/industry.h"
#include "validate/names.h"
#include "validate/person.h"
#include "validate/phone.h"

#include <math.h>

struct cleaner {
    struct cleaner_options o;
    const struct mail_lists *mail;
    const struct names *countries, *languages;
    const struct legal_forms *forms;
    const struct industries *industries;
    struct text_reader *area, *group;
    enum title_area area_of[TITLE_AREA_COUNT]; /* which area each label of the model is */
    double *p;
};

static const char *const kinds[CLEAN_KIND_COUNT] = {"email",  "phone",    "region", "country",   "title", "company", "name",
                                                    "domain", "industry", "money",  "headcount", "date",  "language"};

const char *clean_kind_name(enum clean_kind kind) { return kinds[kind]; }

bool clean_kind_of(str name, enum clean_kind *out) {
    for (unsigned k = 0; k < CLEAN_KIND_COUNT; k++)
        if (str_equal(name, str_from(kinds[k]))) {
            *out = (enum clean_kind)k;
            return true;
        }
    return false;
}

/* How much a model's log-odds count beside those of the words: it has seen few titles and both see the same words. */
static const double MODEL_WEIGHT = 0.35;

static err read_area_labels(struct cleaner *c) {
    size_t n;
    const str *label = text_classifier_labels(c->o.area, &n);
    for (size_t i = 0; i < n; i++) {
        unsigned area = 0;
        while (area < TITLE_AREA_COUNT && !str_equal(label[i], str_from(title_area_name((enum title_area)area))))
            area++;
        if (area == TITLE_AREA_COUNT || n > TITLE_AREA_COUNT)
            return fail(ERR_INPUT, "clean_area_labels",
                        "the model's label \"%.*s\" is none of Business, Technical, Sales-Marketing, Other",
                        STR_ARG(label[i]));
        c->area_of[i] = (enum title_area)area;
    }
    return OK;
}

err cleaner_new(struct arena *a, const struct cleaner_options *o, struct cleaner **out) {
    struct cleaner *c = ARENA_NEW(a, struct cleaner);
    size_t n = TITLE_AREA_COUNT, n_group = 0;
    c->o = *o;
    c->o.email_sure = o->email_sure > 0 ? o->email_sure : 0.5;
    if (o->area) {
        TRY(read_area_labels(c));
        c->area = text_reader_new(a, o->area);
    }
    if (o->group) {
        c->group = text_reader_new(a, o->group);
        text_classifier_labels(o->group, &n_group);
    }
    c->p = ARENA_ARRAY(a, n > n_group ? n : n_group, double);
    c->mail = mail_lists_load(a);
    c->countries = names_countries(a);
    c->languages = names_languages(a);
    c->forms = legal_forms_load(a);
    c->industries = industries_load(a);
    *out = c;
    return OK;
}

/* The region of a phone, and where it comes from. */
static str region_for_phone(const struct cleaner *c, const struct clean_input *in, bool *from_country) {
    const str region = in->cell[CLEAN_REGION].ptr ? names_code(c->countries, in->cell[CLEAN_REGION]) : (str){0};
    if (region.len > 0 || !in->cell[CLEAN_COUNTRY].ptr)
        return region;
    const str country = names_code(c->countries, in->cell[CLEAN_COUNTRY]);
    *from_country = country.len > 0;
    return country;
}

static void clean_phone_of(const struct cleaner *c, struct arena *a, const struct clean_input *in,
                           struct clean_output *out) {
    bool from_country = false;
    const str region = region_for_phone(c, in, &from_country);
    struct clean_value *v = &out->value[CLEAN_PHONE];
    phone_clean(a, in->cell[CLEAN_PHONE], region, v, &out->phone_type);
    const str s = str_trim(in->cell[CLEAN_PHONE]);
    if (from_country && v->status == CLEAN_CORRECTED && str_find_byte(s, '+') < 0 && !str_starts(s, STR("00")))
        clean_apply(v, RULE_REGION_COUNTRY);
}

/* The model's probabilities and the words' own, multiplied as independent evidence. */
static void choose_area(const struct cleaner *c, str title, struct clean_output *out) {
    double own[TITLE_AREA_COUNT], log_p[TITLE_AREA_COUNT] = {0}, sum = 0;
    out->title_area = title_area_of(title, out->title_level, own);
    if (c->area) {
        size_t n;
        text_classifier_labels(c->o.area, &n);
        text_classifier_predict(c->area, title, (str){0}, c->p);
        for (size_t i = 0; i < TITLE_AREA_COUNT; i++)
            log_p[i] = 1e-4;
        for (size_t i = 0; i < n; i++)
            log_p[c->area_of[i]] = c->p[i] > 1e-4 ? c->p[i] : 1e-4;
        for (size_t i = 0; i < TITLE_AREA_COUNT; i++)
            own[i] = pow(own[i], 1 - MODEL_WEIGHT) * pow(log_p[i], MODEL_WEIGHT);
    }
    for (unsigned i = 0; i < TITLE_AREA_COUNT; i++) {
        sum += own[i];
        if (own[i] > own[out->title_area])
            out->title_area = (enum title_area)i;
    }
    out->title_area_confidence = own[out->title_area] / sum;
}

static void clean_title_of(const struct cleaner *c, struct arena *a, str title, struct clean_output *out) {
    out->title_level = TITLE_OTHER;
    out->title_area = TITLE_NO_AREA;
    title_clean(a, title, &out->value[CLEAN_TITLE]);
    if (out->value[CLEAN_TITLE].status == CLEAN_EMPTY || out->value[CLEAN_TITLE].status == CLEAN_INVALID)
        return;
    out->title_level = title_level_of(title);
    choose_area(c, title, out);
    if (c->group) {
        size_t n;
        const str *label = text_classifier_labels(c->o.group, &n);
        const size_t best = text_classifier_predict(c->group, title, (str){0}, c->p);
        out->title_group = label[best];
        out->title_group_confidence = c->p[best];
    }
}

static void clean_who(const struct cleaner *c, struct arena *a, const struct clean_input *in, struct clean_output *out) {
    struct person_name name = {0};
    if (in->cell[CLEAN_NAME].ptr)
        person_clean(a, in->cell[CLEAN_NAME], &out->value[CLEAN_NAME], &name);
    out->name_given = name.given;
    out->name_family = name.family;
    if (in->cell[CLEAN_COMPANY].ptr)
        company_clean(c->forms, a, in->cell[CLEAN_COMPANY], &out->value[CLEAN_COMPANY], &out->company_form);
    if (in->cell[CLEAN_DOMAIN].ptr)
        host_clean(a, in->cell[CLEAN_DOMAIN], &out->value[CLEAN_DOMAIN]);
    if (in->cell[CLEAN_EMAIL].ptr) {
        const str domain = out->value[CLEAN_DOMAIN].value;
        const str company = domain.len > 0 ? domain : in->cell[CLEAN_COMPANY];
        mail_clean(c->mail, a, in->cell[CLEAN_EMAIL], company, c->o.email_sure, &out->value[CLEAN_EMAIL], &out->mail);
    }
}

void clean_lead(const struct cleaner *c, struct arena *a, const struct clean_input *in, struct clean_output *out) {
    const str *cell = in->cell;
    struct clean_value *v = out->value;
    *out = (struct clean_output){.title_level = TITLE_OTHER, .title_area = TITLE_NO_AREA};
    clean_who(c, a, in, out);
    if (cell[CLEAN_PHONE].ptr)
        clean_phone_of(c, a, in, out);
    if (cell[CLEAN_TITLE].ptr)
        clean_title_of(c, a, cell[CLEAN_TITLE], out);
    if (cell[CLEAN_REGION].ptr)
        names_clean(c->countries, a, cell[CLEAN_REGION], false, &v[CLEAN_REGION]);
    if (cell[CLEAN_COUNTRY].ptr)
        names_clean(c->countries, a, cell[CLEAN_COUNTRY], false, &v[CLEAN_COUNTRY]);
    if (cell[CLEAN_LANGUAGE].ptr)
        names_clean(c->languages, a, cell[CLEAN_LANGUAGE], true, &v[CLEAN_LANGUAGE]);
    if (cell[CLEAN_INDUSTRY].ptr)
        industry_clean(c->industries, a, cell[CLEAN_INDUSTRY], &v[CLEAN_INDUSTRY], &out->industry_title);
    if (cell[CLEAN_MONEY].ptr)
        amount_clean_money(a, cell[CLEAN_MONEY], &v[CLEAN_MONEY]);
    if (cell[CLEAN_HEADCOUNT].ptr)
        amount_clean_headcount(a, cell[CLEAN_HEADCOUNT], &v[CLEAN_HEADCOUNT]);
    if (cell[CLEAN_DATE].ptr)
        amount_clean_date(a, cell[CLEAN_DATE],
                          c->o.day_first     ? TIME_DAY_FIRST
                          : c->o.month_first ? TIME_MONTH_FIRST
                                             : TIME_ORDER_UNKNOWN,
                          &v[CLEAN_DATE]);
}
