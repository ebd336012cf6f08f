/* profile_parse.c — a tree to a profile. */
#include "base/yaml.h"
#include "profile/reader_priv.h"

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

static void read_condition_value(struct reader *r, const struct json *v, const struct place *at,
                                 struct profile_condition *c) {
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

/* The comparison named by a key of `object`; COMPARE_COUNT when there is none. */
static enum compare_op find_comparison(const struct json *object) {
    for (int op = 0; op < COMPARE_COUNT; op++)
        if (json_get(object, str_from(profile_comparison_name((enum compare_op)op))))
            return (enum compare_op)op;
    return COMPARE_COUNT;
}

static void read_comparison(struct reader *r, const struct json *object, const struct json *v, const struct place *at,
                            struct profile_criterion *c) {
    c->when.field = c->field;
    c->when.op = find_comparison(object);
    read_condition_value(r, v, &(struct place){at, str_from(profile_comparison_name(c->when.op)), 0}, &c->when);
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

static str read_field(struct reader *r, const struct json *v, const struct place *at) {
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
    c->field = read_field(r, v, at);
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
        reader_note(
            r, "profile_bad_value", v, at,
            STR("exactly one of range, values, naics, sic, keywords, seniority, above, at_least, below, at_most, is, "
                "is_not, "
                "contains, known is needed to say what is looked for"));
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
    c->field = read_field(r, v, at);
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
    str field = read_field(r, v, &here);
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

/* ---- the rest of the document ---- */

static void read_rule_conditions(struct reader *r, const struct json *v, const struct place *at, struct profile_rule *rule) {
    uint32_t n = !v ? 0 : v->type == JSON_ARRAY ? v->count : v->type == JSON_OBJECT ? 1 : 0;
    struct profile_condition *when = ARENA_ARRAY(r->a, n, struct profile_condition);
    if (n == 0)
        reader_bad(r, v, at, "\"when\" with at least one condition");
    for (uint32_t i = 0; i < n && r->n_problem < PROFILE_MAX_PROBLEMS; i++) {
        const struct json *one = v->type == JSON_ARRAY ? &v->items[i] : v;
        struct place here = {at, STR("when"), 0}, item = {&here, {0}, i};
        if (one->type != JSON_OBJECT) {
            reader_bad(r, one, &item, "a condition (field and a comparison)");
            continue;
        }
        const char *known[COMPARE_COUNT + 1] = {"field"};
        for (int op = 0; op < COMPARE_COUNT; op++)
            known[op + 1] = profile_comparison_name((enum compare_op)op);
        reader_check_keys(r, one, &item, known, COMPARE_COUNT + 1);
        when[i].field = read_field(r, one, &item);
        when[i].op = find_comparison(one);
        if (when[i].op == COMPARE_COUNT || one->count > 2)
            reader_bad(r, one, &item, "exactly one of above, at_least, below, at_most, is, is_not, contains, known");
        else
            read_condition_value(r, json_get(one, str_from(profile_comparison_name(when[i].op))), &item, &when[i]);
    }
    rule->when = when;
    rule->n_when = n;
}

static void read_rules(struct reader *r, const struct json *v) {
    static const char *const known[] = {"name", "when"};
    struct place here = {NULL, STR("negative_personas"), 0};
    if (v->type != JSON_ARRAY || v->count > PROFILE_MAX_CRITERIA) {
        reader_bad(r, v, &here, "a list of rules (name and when)");
        return;
    }
    struct profile_rule *rule = ARENA_ARRAY(r->a, v->count, struct profile_rule);
    for (uint32_t i = 0; i < v->count; i++) {
        struct place item = {&here, {0}, i};
        const struct json *one = &v->items[i];
        if (one->type != JSON_OBJECT) {
            reader_bad(r, one, &item, "a rule (name and when)");
            continue;
        }
        reader_check_keys(r, one, &item, known, 2);
        rule[i].name = reader_text(r, one, &item, "name");
        if (rule[i].name.len == 0)
            reader_bad(r, one, &item, "the \"name\" of the rule");
        read_rule_conditions(r, json_get(one, STR("when")), &item, &rule[i]);
    }
    r->p->rule = rule;
    r->p->n_rule = v->count;
}

static void read_fields(struct reader *r, const struct json *v) {
    struct place here = {NULL, STR("fields"), 0};
    if (v->type != JSON_OBJECT || v->count > PROFILE_MAX_ITEMS) {
        reader_bad(r, v, &here, "an object of term: column");
        return;
    }
    struct profile_field *field = ARENA_ARRAY(r->a, v->count, struct profile_field);
    for (uint32_t i = 0; i < v->count; i++) {
        field[i].term = v->members[i].key;
        field[i].column =
            reader_texts(r, &v->members[i].value, &(struct place){&here, field[i].term, 0}, &field[i].n_column);
    }
    r->p->field = field;
    r->p->n_field = v->count;
}

static void read_weights(struct reader *r, const struct json *v) {
    struct place here = {NULL, STR("weights"), 0};
    const char *known[SECTION_COUNT];
    for (int s = 0; s < SECTION_COUNT; s++)
        known[s] = profile_section_name((enum profile_section)s);
    if (v && v->type != JSON_OBJECT) {
        reader_bad(r, v, &here, "an object of section: weight");
        v = NULL;
    }
    if (v)
        reader_check_keys(r, v, &here, known, SECTION_COUNT);
    for (int s = 0; s < SECTION_COUNT; s++)
        r->p->section[s].weight = reader_number(r, v, &here, known[s], 0, 1000, 1);
}

static void read_head(struct reader *r, const struct json *v) {
    struct profile *p = r->p;
    if (!json_get(v, STR("format")))
        reader_note(r, "profile_bad_value", v, NULL,
                    STR("\"format: 1\" is needed: it says which rules the document follows"));
    reader_number(r, v, NULL, "format", PROFILE_FORMAT, PROFILE_FORMAT, PROFILE_FORMAT);
    p->name = reader_text(r, v, NULL, "name");
    p->version = reader_text(r, v, NULL, "version");
    p->description = reader_text(r, v, NULL, "description");
    p->as_of = reader_text(r, v, NULL, "as_of");
    p->base_rate = reader_number(r, v, NULL, "base_rate", 1e-6, 1 - 1e-6, 0.1);
    p->strength = reader_number(r, v, NULL, "strength", 1, 1e6, 40);
    p->effect = reader_number(r, v, NULL, "effect", 0, 20, 4);
    if (p->name.len == 0)
        reader_note(r, "profile_bad_value", v, NULL, STR("the \"name\" of the profile is needed"));
    const struct json *missing = json_get(v, STR("missing"));
    if (missing)
        p->missing = reader_texts(r, missing, &(struct place){NULL, STR("missing"), 0}, &p->n_missing);
    const struct json *fields = json_get(v, STR("fields"));
    if (fields)
        read_fields(r, fields);
    read_weights(r, json_get(v, STR("weights")));
}

static void read_sections(struct reader *r, const struct json *v) {
    double weight = 0;
    for (int s = 0; s < SECTION_COUNT; s++) {
        struct profile_section_weight *section = &r->p->section[s];
        const struct json *body = json_get(v, str_from(profile_section_name((enum profile_section)s)));
        section->from = r->n_criterion;
        if (body && s == SECTION_TECHNOGRAPHICS)
            read_technologies(r, body);
        else if (body)
            read_list(r, body, (enum profile_section)s, s == SECTION_CHRONOGRAPHICS ? read_event : read_criterion);
        section->to = r->n_criterion;
        section->present = section->to > section->from;
        weight += section->present ? section->weight : 0;
    }
    const struct json *rules = json_get(v, STR("negative_personas"));
    if (rules)
        read_rules(r, rules);
    if (r->n_criterion == 0 && r->n_problem == 0)
        reader_note(r, "profile_empty", v, NULL, STR("the profile has no criteria: nothing could be scored with it"));
    else if (!(weight > 0) && r->n_problem == 0)
        reader_note(r, "profile_empty", v, NULL, STR("the weights of all sections are 0: nothing could be scored with it"));
    r->p->criterion = r->criterion;
    r->p->n_criterion = r->n_criterion;
}

static void read_document(struct reader *r, struct arena *a, const struct json *v) {
    static const char *const known[] = {
        "format",         "name",         "version",        "description", "base_rate",        "strength",
        "effect",         "as_of",        "missing",        "fields",      "weights",          "firmographics",
        "technographics", "demographics", "chronographics", "behaviour",   "negative_personas"};
    *r = (struct reader){.a = a, .p = ARENA_NEW(a, struct profile)};
    r->problem = ARENA_ARRAY(a, PROFILE_MAX_PROBLEMS, struct profile_problem);
    r->p->document = v;
    if (v->type != JSON_OBJECT) {
        reader_bad(r, v, NULL, "a profile: an object with name, base_rate and sections");
        return;
    }
    reader_check_keys(r, v, NULL, known, sizeof known / sizeof *known);
    read_head(r, v);
    read_sections(r, v);
}

/* ---- entry points ---- */

static err read_tree(struct arena *a, str text, const char *file_name, const struct json **out) {
    static const struct json_limits limits = {.max_byte = PROFILE_MAX_BYTE, .max_depth = 16, .max_value = 100000};
    str start = str_trim(str_starts(text, STR("\xef\xbb\xbf")) ? str_slice(text, 3, text.len) : text);
    err rc = str_starts(start, STR("{")) ? json_parse(a, text, &limits, out) : yaml_parse(a, text, &limits, out);
    return rc == OK ? OK : err_prefix(rc, "%s", file_name);
}

static err first_problem(const struct reader *r, const char *file_name) {
    const struct profile_problem *p = &r->problem[0];
    char more[64] = "";
    if (r->n_problem > 1)
        snprintf(more, sizeof more, " (and %zu more problem%s)", r->n_problem - 1, r->n_problem > 2 ? "s" : "");
    const char *colon = p->path.len > 0 ? ": " : "";
    if (p->line == 0)
        return fail(ERR_INPUT, p->slug, "%s: %.*s%s%.*s%s", file_name, STR_ARG(p->path), colon, STR_ARG(p->message), more);
    return fail(ERR_INPUT, p->slug, "%s, line %u, column %u: %.*s%s%.*s%s", file_name, p->line, p->column, STR_ARG(p->path),
                colon, STR_ARG(p->message), more);
}

err profile_parse(struct arena *a, str text, const char *file_name, struct profile **out) {
    const struct json *v;
    struct reader r;
    TRY(read_tree(a, text, file_name, &v));
    read_document(&r, a, v);
    if (r.n_problem > 0)
        return first_problem(&r, file_name);
    *out = r.p;
    return OK;
}

err profile_check(struct arena *a, str text, const char *file_name, const struct profile_problem **out, size_t *n) {
    const struct json *v;
    struct reader r;
    TRY(read_tree(a, text, file_name, &v));
    read_document(&r, a, v);
    *out = r.problem;
    *n = r.n_problem < PROFILE_MAX_PROBLEMS ? r.n_problem : PROFILE_MAX_PROBLEMS;
    return OK;
}

err profile_from_json(struct arena *a, const struct json *v, struct profile **out) {
    struct reader r;
    read_document(&r, a, v);
    if (r.n_problem > 0)
        return first_problem(&r, "profile");
    *out = r.p;
    return OK;
}
