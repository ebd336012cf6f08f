/* profile_parse.c — a tree to a profile. */
#include "base/yaml.h"
#include "profile/criterion_priv.h"

/* ---- the document ---- */

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
        when[i].field = criterion_read_field(r, one, &item);
        when[i].op = criterion_find_comparison(one);
        if (when[i].op == COMPARE_COUNT || one->count > 2)
            reader_bad(r, one, &item, "exactly one of above, at_least, below, at_most, is, is_not, contains, known");
        else
            criterion_read_comparand(r, json_get(one, str_from(profile_comparison_name(when[i].op))), &item, &when[i]);
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
        if (body)
            criterion_read_section(r, body, (enum profile_section)s);
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
