/* criterion_parse.c — criteria, events and technologies of a profile from their trees. */
#include "profile/criterion_priv.h"

#include <math.h>

enum { MAX_KEYS = 40, MAX_CODE_DIGITS = 6 };

/* ---- kinds of criteria ---- */

static void read_range(struct reader *r, const struct json *object, const struct json *v, const struct place *at,
                       struct profile_criterion *c) {
    struct place here = {at, STR("range"), 0};
    c->low = -INFINITY;
    c->high = INFINITY;
    str scale = reader_text(r, object, at, "scale");
    c->log_scale = str_equal(scale, STR("log"));
    if (scale.len > 0 && !c->log_scale && !str_equal(scale, STR("linear")))
        reader_bad(r, json_get(object, STR("scale")), at, "scale: log or linear");
    c->width = reader_number(r, object, at, "width", 1e-9, 1e300, 0);
    bool pair = v->type == JSON_ARRAY && v->count == 2;
    for (uint32_t i = 0; pair && i < 2; i++) {
        if (json_is_number(&v->items[i]))
            *(i == 0 ? &c->low : &c->high) = json_number_of(&v->items[i]);
        else
            pair = v->items[i].type == JSON_NULL;
    }
    if (!pair || c->low > c->high || (isinf(c->low) && isinf(c->high)) || (c->log_scale && c->low < 0 && !isinf(c->low)) ||
        (c->log_scale && c->high < 0))
        reader_bad(r, v, &here, "[least, most] in ascending order (one of them may be null; with scale: log none below 0)");
}

static void read_values(struct reader *r, const struct json *object, const struct json *v, const struct place *at,
                        struct profile_criterion *c) {
    struct profile_item *item = NULL;
    reader_items(r, v, &(struct place){at, STR("values"), 0}, 1, &item, &c->n_item);
    c->item = item;
    double square = 0;
    for (size_t i = 0; i < c->n_item; i++)
        square += item[i].worth * item[i].worth;
    c->norm = sqrt(square);
    str match = reader_text(r, object, at, "match");
    c->cosine = str_equal(match, STR("cosine"));
    if (match.len > 0 && !c->cosine && !str_equal(match, STR("any")))
        reader_bad(r, json_get(object, STR("match")), at, "match: any or cosine");
}

static void read_codes(struct reader *r, const struct json *object, const struct json *v, const struct place *at,
                       struct profile_criterion *c) {
    c->naics = json_get(object, STR("naics")) != NULL;
    struct place here = {at, c->naics ? STR("naics") : STR("sic"), 0};
    struct profile_item *item = NULL;
    reader_items(r, v, &here, 1, &item, &c->n_item);
    c->item = item;
    for (size_t i = 0; i < c->n_item; i++) {
        size_t most = c->naics ? MAX_CODE_DIGITS : 4;
        bool digits = item[i].text.len >= 2 && item[i].text.len <= most;
        for (size_t k = 0; digits && k < item[i].text.len; k++)
            digits = item[i].text.ptr[k] >= '0' && item[i].text.ptr[k] <= '9';
        if (!digits)
            reader_bad(r, v, &here, c->naics ? "codes of 2 to 6 digits" : "codes of 2 to 4 digits");
    }
}

static void read_keywords(struct reader *r, const struct json *object, const struct json *v, const struct place *at,
                          struct profile_criterion *c) {
    (void)object;
    struct place here = {at, STR("keywords"), 0};
    struct profile_item *item = NULL;
    reader_items(r, v, &here, 1, &item, &c->n_item);
    for (size_t i = 0; i < c->n_item; i++)
        if (item[i].words.len == 0)
            reader_bad(r, v, &here, "keywords made of letters or digits");
    c->item = item;
}

static void read_seniority(struct reader *r, const struct json *object, const struct json *v, const struct place *at,
                           struct profile_criterion *c) {
    (void)object;
    struct place here = {at, STR("seniority"), 0};
    struct profile_item *item = NULL;
    size_t n;
    const char *known[SENIORITY_COUNT];
    for (int k = 0; k < SENIORITY_COUNT; k++)
        known[k] = profile_seniority_name((enum seniority)k);
    reader_items(r, v, &here, 1, &item, &n);
    for (size_t i = 0; i < n; i++) {
        int k = 0;
        while (k < SENIORITY_COUNT && !str_equal(item[i].text, str_from(known[k])))
            k++;
        if (k < SENIORITY_COUNT)
            c->level[k] = item[i].worth;
        else
            reader_unknown_word(r, "profile_bad_value", v, &here, "the level", item[i].text, known, SENIORITY_COUNT);
    }
    c->item = item;
    c->n_item = n;
}

void criterion_read_comparand(struct reader *r, const struct json *v, const struct place *at, struct profile_condition *c) {
    if (c->op <= COMPARE_AT_MOST) {
        if (json_is_number(v))
            c->threshold = json_number_of(v);
        else
            reader_bad(r, v, at, "a number");
    } else if (c->op == COMPARE_KNOWN) {
        if (v->type == JSON_BOOL)
            c->threshold = v->boolean ? 1 : 0;
        else
            reader_bad(r, v, at, "true or false");
    } else {
        str *text = reader_texts(r, v, at, &c->n_text);
        for (size_t i = 0; c->op == COMPARE_CONTAINS && i < c->n_text; i++) {
            text[i] = reader_words(r, text[i]);
            if (text[i].len == 0)
                reader_bad(r, v, at, "texts made of letters or digits");
        }
        if (c->n_text == 0)
            reader_bad(r, v, at, "at least one text");
        c->text = text;
    }
}

enum compare_op criterion_find_comparison(const struct json *object) {
    for (int op = 0; op < COMPARE_COUNT; op++)
        if (json_get(object, str_from(profile_comparison_name((enum compare_op)op))))
            return (enum compare_op)op;
    return COMPARE_COUNT;
}

static void read_comparison(struct reader *r, const struct json *object, const struct json *v, const struct place *at,
                            struct profile_criterion *c) {
    c->when.field = c->field;
    c->when.op = criterion_find_comparison(object);
    criterion_read_comparand(r, v, &(struct place){at, str_from(profile_comparison_name(c->when.op)), 0}, &c->when);
}

/* The key that says what kind a criterion is, how it is read, and the keys that go with it. */
static const struct kind {
    const char *key;
    enum criterion_kind kind;
    void (*read)(struct reader *r, const struct json *object, const struct json *v, const struct place *at,
                 struct profile_criterion *c);
    const char *with[2];
} kinds[] = {
    {"range", CRITERION_RANGE, read_range, {"scale", "width"}},
    {"values", CRITERION_VALUES, read_values, {"match", "separator"}},
    {"naics", CRITERION_CODES, read_codes, {0}},
    {"sic", CRITERION_CODES, read_codes, {0}},
    {"keywords", CRITERION_KEYWORDS, read_keywords, {0}},
    {"seniority", CRITERION_SENIORITY, read_seniority, {0}},
    {"above", CRITERION_COMPARISON, read_comparison, {0}},
    {"at_least", CRITERION_COMPARISON, read_comparison, {0}},
    {"below", CRITERION_COMPARISON, read_comparison, {0}},
    {"at_most", CRITERION_COMPARISON, read_comparison, {0}},
    {"is", CRITERION_COMPARISON, read_comparison, {0}},
    {"is_not", CRITERION_COMPARISON, read_comparison, {0}},
    {"contains", CRITERION_COMPARISON, read_comparison, {0}},
    {"known", CRITERION_COMPARISON, read_comparison, {0}},
};

enum { N_KIND = sizeof kinds / sizeof *kinds };

/* ---- sections ---- */

static struct profile_criterion *add_criterion(struct reader *r, const struct json *v, enum profile_section section) {
    if (r->n_criterion == PROFILE_MAX_CRITERIA) {
        reader_note(r, "profile_bad_value", v, NULL, STR("a profile may have at most 512 criteria and technologies"));
        return NULL;
    }
    if (r->n_criterion == r->cap_criterion)
        r->criterion =
            arena_grow(r->a, r->criterion, &r->cap_criterion, r->n_criterion + 1, sizeof(struct profile_criterion));
    struct profile_criterion *c = &r->criterion[r->n_criterion];
    *c = (struct profile_criterion){.section = section, .weight = 1, .typical = 0.5, .low = -INFINITY, .high = INFINITY};
    return c;
}

str criterion_read_field(struct reader *r, const struct json *v, const struct place *at) {
    str field = reader_text(r, v, at, "field");
    if (field.len == 0)
        reader_note(r, "profile_bad_value", v, at, STR("\"field\" is needed: the field or column that is looked at"));
    return field;
}

static char read_separator(struct reader *r, const struct json *v, const struct place *at) {
    const struct json *separator = json_get(v, STR("separator"));
    if (!separator)
        return 0;
    if (separator->type == JSON_STRING && separator->string.len == 1 && separator->string.ptr[0] != 0)
        return separator->string.ptr[0];
    reader_bad(r, separator, &(struct place){at, STR("separator"), 0}, "one character");
    return 0;
}

static size_t check_kind_keys(struct reader *r, const struct json *v, const struct place *at, const struct kind *kind) {
    const char *known[MAX_KEYS] = {"name", "field", "weight", "typical"};
    size_t n = 4;
    for (size_t k = 0; k < N_KIND; k++)
        if (!kind || kind == &kinds[k])
            known[n++] = kinds[k].key;
    for (size_t k = 0; k < 2; k++)
        if (kind && kind->with[k])
            known[n++] = kind->with[k];
    return reader_check_keys(r, v, at, known, n);
}

static void read_criterion(struct reader *r, const struct json *v, const struct place *at, enum profile_section section) {
    if (v->type != JSON_OBJECT) {
        reader_bad(r, v, at, "a criterion (field, weight and what is looked for)");
        return;
    }
    struct profile_criterion *c = add_criterion(r, v, section);
    if (!c)
        return;
    c->field = criterion_read_field(r, v, at);
    c->name = reader_text(r, v, at, "name");
    if (c->name.len == 0)
        c->name = c->field;
    c->weight = reader_number(r, v, at, "weight", section == SECTION_BEHAVIOUR ? -1000 : 1e-6, 1000, 1);
    if (c->weight == 0)
        reader_bad(r, json_get(v, STR("weight")), at, "a weight other than 0");
    c->typical = reader_number(r, v, at, "typical", 0, 1, 0.5);
    c->separator = read_separator(r, v, at);
    const struct kind *kind = NULL;
    size_t found = 0;
    for (size_t k = 0; k < N_KIND; k++)
        if (json_get(v, str_from(kinds[k].key))) {
            kind = &kinds[k];
            found++;
        }
    size_t unknown = check_kind_keys(r, v, at, found == 1 ? kind : NULL);
    if (found == 1) {
        c->kind = kind->kind;
        kind->read(r, v, json_get(v, str_from(kind->key)), at, c);
    } else if (found > 1 || unknown == 0) {
        reader_note(r, "profile_bad_value", v, at,
                    STR("exactly one of range, values, naics, sic, keywords, seniority, above, at_least, below, at_most, "
                        "is, is_not, contains, known is needed to say what is looked for"));
    }
    r->n_criterion++;
}

static void read_event(struct reader *r, const struct json *v, const struct place *at, enum profile_section section) {
    static const char *const known[] = {"name",      "field",       "event",   "impact", "decay",
                                        "half_life", "same_within", "undated", "future", "typical"};
    struct profile_criterion *c = v->type == JSON_OBJECT ? add_criterion(r, v, section) : NULL;
    if (!c) {
        if (v->type != JSON_OBJECT)
            reader_bad(r, v, at, "an event (field, impact, half_life)");
        return;
    }
    reader_check_keys(r, v, at, known, sizeof known / sizeof *known);
    c->kind = CRITERION_EVENT;
    c->field = criterion_read_field(r, v, at);
    c->event = reader_text(r, v, at, "event");
    c->name = reader_text(r, v, at, "name");
    if (c->name.len == 0)
        c->name = c->event.len > 0 ? c->event : c->field;
    c->weight = reader_number(r, v, at, "impact", -1000, 1000, 1);
    if (c->weight == 0)
        reader_bad(r, json_get(v, STR("impact")), at, "an impact other than 0");
    double half_life = reader_number(r, v, at, "half_life", 1e-3, 1e6, 90);
    c->decay_per_day = reader_number(r, v, at, "decay", 0, 1000, log(2) / half_life);
    if (json_get(v, STR("decay")) && json_get(v, STR("half_life")))
        reader_note(r, "profile_bad_value", v, at, STR("either decay or half_life is needed, not both"));
    c->same_within_day = reader_number(r, v, at, "same_within", 0, 1e5, 14);
    c->undated = reader_number(r, v, at, "undated", 0, 1, 0.5);
    c->future = reader_number(r, v, at, "future", 0, 1, 0);
    c->typical = reader_number(r, v, at, "typical", 0, 1, 0);
    r->n_criterion++;
}

static void read_list(struct reader *r, const struct json *v, enum profile_section section,
                      void (*read)(struct reader *, const struct json *, const struct place *, enum profile_section)) {
    struct place here = {NULL, str_from(profile_section_name(section)), 0};
    if (v->type != JSON_ARRAY || v->count > PROFILE_MAX_CRITERIA) {
        reader_bad(r, v, &here, "a list of at most 512 criteria");
        return;
    }
    for (uint32_t i = 0; i < v->count; i++)
        read(r, &v->items[i], &(struct place){&here, {0}, i}, section);
}

static void read_technologies(struct reader *r, const struct json *v) {
    static const char *const known[] = {"field", "separator", "required", "desired", "negative"};
    struct place here = {NULL, STR("technographics"), 0};
    if (v->type != JSON_OBJECT) {
        reader_bad(r, v, &here, "an object with field, required, desired and negative");
        return;
    }
    reader_check_keys(r, v, &here, known, sizeof known / sizeof *known);
    str field = criterion_read_field(r, v, &here);
    char separator = read_separator(r, v, &here);
    for (int role = 0; role < 3; role++) {
        const struct json *list = json_get(v, str_from(known[2 + role]));
        if (!list || (list->type == JSON_ARRAY && list->count == 0))
            continue;
        struct profile_item *item = NULL;
        size_t n;
        reader_items(r, list, &(struct place){&here, str_from(known[2 + role]), 0}, 1000, &item, &n);
        for (size_t i = 0; i < n; i++) {
            struct profile_criterion *c = add_criterion(r, list, SECTION_TECHNOGRAPHICS);
            if (!c)
                return;
            c->kind = CRITERION_TECHNOLOGY;
            c->role = (enum technology_role)role;
            c->name = item[i].text;
            c->field = field;
            c->separator = separator;
            c->weight = role == TECHNOLOGY_NEGATIVE ? -item[i].worth : item[i].worth;
            c->typical = role == TECHNOLOGY_NEGATIVE ? 0 : 0.5;
            c->item = &item[i];
            c->n_item = 1;
            r->n_criterion++;
        }
    }
}

void criterion_read_section(struct reader *r, const struct json *v, enum profile_section section) {
    if (section == SECTION_TECHNOGRAPHICS)
        read_technologies(r, v);
    else
        read_list(r, v, section, section == SECTION_CHRONOGRAPHICS ? read_event : read_criterion);
}
