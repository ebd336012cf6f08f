/* validate.c — is the body a lead, and what are its columns. */
#include "validate/validate.h"

#include "lead/column.h"
#include "validate/mail.h"

enum { TEXT_BYTE = 32 << 10, PATH_BYTE = 160 };

/* Types that a member may have. */
enum { TEXT = 1, NUMBER = 2, BOOL = 4, OBJECT = 8, LIST = 16 };

enum form { FORM_ANY, FORM_MAIL, FORM_DOMAIN };

/* A member that is known. If you change this: docs/formats/lead.md. */
struct known {
    str name;
    unsigned types;
    uint32_t max_byte; /* of a text */
    enum form form;
    const struct known *inside;
    size_t n_inside;
};

#define INSIDE(table) .inside = (table), .n_inside = sizeof(table) / sizeof *(table)

static const struct known person_members[] = {
    {.name = STR_INIT("first"), .types = TEXT, .max_byte = 256},
    {.name = STR_INIT("last"), .types = TEXT, .max_byte = 256},
    {.name = STR_INIT("email"), .types = TEXT, .max_byte = MAIL_BYTE, .form = FORM_MAIL},
    {.name = STR_INIT("phone"), .types = TEXT | NUMBER, .max_byte = 64},
    {.name = STR_INIT("title"), .types = TEXT, .max_byte = 512},
    {.name = STR_INIT("seniority"), .types = TEXT, .max_byte = 128},
    {.name = STR_INIT("function"), .types = TEXT | LIST, .max_byte = 256},
    {.name = STR_INIT("linkedin_url"), .types = TEXT, .max_byte = 2048},
};

static const struct known company_members[] = {
    {.name = STR_INIT("name"), .types = TEXT, .max_byte = 512},
    {.name = STR_INIT("domain"), .types = TEXT, .max_byte = 1024, .form = FORM_DOMAIN},
    {.name = STR_INIT("industry"), .types = TEXT | NUMBER | OBJECT | LIST, .max_byte = 512},
    {.name = STR_INIT("employees"), .types = TEXT | NUMBER | OBJECT, .max_byte = 64},
    {.name = STR_INIT("revenue"), .types = TEXT | NUMBER | OBJECT, .max_byte = 64},
    {.name = STR_INIT("country"), .types = TEXT, .max_byte = 128},
    {.name = STR_INIT("region"), .types = TEXT, .max_byte = 128},
    {.name = STR_INIT("founded"), .types = TEXT | NUMBER, .max_byte = 64},
    {.name = STR_INIT("public"), .types = BOOL | TEXT, .max_byte = 16},
};

static const struct known consent_members[] = {
    {.name = STR_INIT("email_opt_out"), .types = BOOL},
    {.name = STR_INIT("do_not_call"), .types = BOOL},
    {.name = STR_INIT("legal_basis"), .types = TEXT, .max_byte = 128},
    {.name = STR_INIT("enrichment_opt_out"), .types = BOOL},
};

static const struct known members[] = {
    {.name = STR_INIT("lead_id"), .types = TEXT | NUMBER, .max_byte = 256},
    {.name = STR_INIT("external_id"), .types = TEXT | NUMBER, .max_byte = 256},
    {.name = STR_INIT("crm"), .types = TEXT, .max_byte = 64},
    {.name = STR_INIT("crm_object"), .types = TEXT, .max_byte = 64},
    {.name = STR_INIT("crm_id"), .types = TEXT | NUMBER, .max_byte = 256},
    {.name = STR_INIT("created_at"), .types = TEXT | NUMBER, .max_byte = 64},
    {.name = STR_INIT("source"), .types = TEXT | NUMBER, .max_byte = 256},
    {.name = STR_INIT("person"), .types = OBJECT, INSIDE(person_members)},
    {.name = STR_INIT("company"), .types = OBJECT | TEXT, .max_byte = 512, INSIDE(company_members)},
    {.name = STR_INIT("consent"), .types = OBJECT, INSIDE(consent_members)},
    {.name = STR_INIT("custom"), .types = OBJECT},
    {.name = STR_INIT("email"), .types = TEXT, .max_byte = MAIL_BYTE, .form = FORM_MAIL},
    {.name = STR_INIT("domain"), .types = TEXT, .max_byte = 1024, .form = FORM_DOMAIN},
};

/* Where a value stands. */
struct place {
    const struct place *in; /* NULL: the lead */
    str key;                /* of a member; empty: an item of a list */
};

/* ---- messages ---- */

static void add_path(struct arena *a, const struct place *p, struct buf *out) {
    if (!p->in) {
        buf_add(out, STR("the lead"));
        return;
    }
    if (p->in->in) {
        add_path(a, p->in, out);
        buf_add_byte(out, '.');
    }
    buf_add(out, p->key.len > 0 ? column_name_shown(a, p->key) : STR("(item)"));
}

static str path_of(struct arena *a, const struct place *p) {
    struct buf *out = buf_in(a, (size_t)1 << 14);
    add_path(a, p, out);
    return str_slice(buf_str(out), 0, PATH_BYTE);
}

static const char *types_text(unsigned types) {
    return types & OBJECT && types & TEXT ? "text or an object"
           : types & OBJECT               ? "an object"
           : types & NUMBER               ? "text or a number"
           : types & BOOL && types & TEXT ? "true, false or text"
           : types & BOOL                 ? "true or false"
                                          : "text";
}

static unsigned type_bit(enum json_type type) {
    static const unsigned bits[] = {[JSON_NULL] = ~0u,    [JSON_BOOL] = BOOL,  [JSON_INTEGER] = NUMBER, [JSON_REAL] = NUMBER,
                                    [JSON_STRING] = TEXT, [JSON_ARRAY] = LIST, [JSON_OBJECT] = OBJECT};
    return bits[type];
}

/* ---- checking ---- */

static err check_text(struct arena *a, const struct place *at, str s, size_t max_byte) {
    if (s.len > max_byte)
        return fail(ERR_INPUT, "lead_text_long", "%.*s has %zu bytes; at most %zu are taken", STR_ARG(path_of(a, at)), s.len,
                    max_byte);
    if (str_find_byte(s, '\0') >= 0)
        return fail(ERR_INPUT, "lead_text_nul", "%.*s holds a NUL character", STR_ARG(path_of(a, at)));
    return OK;
}

static err check_form(struct arena *a, const struct place *at, const struct known *k, str s) {
    str ignored;
    if (str_trim(s).len == 0 || k->form == FORM_ANY)
        return OK;
    if (k->form == FORM_MAIL && !mail_address(a, s, &ignored))
        return fail(ERR_INPUT, "lead_email", "%.*s is not an e-mail address of the form name@example.com",
                    STR_ARG(path_of(a, at)));
    if (k->form == FORM_DOMAIN && !mail_domain(a, s, &ignored))
        return fail(ERR_INPUT, "lead_domain", "%.*s is not a domain of the form example.com", STR_ARG(path_of(a, at)));
    return OK;
}

static err check_known(struct arena *a, const struct place *at, const struct known *k, const struct json *v) {
    if (!(type_bit(v->type) & k->types))
        return fail(ERR_INPUT, "lead_type", "%.*s must be %s, not %s", STR_ARG(path_of(a, at)), types_text(k->types),
                    json_type_name(v->type));
    if (v->type != JSON_STRING)
        return OK;
    TRY(check_text(a, at, v->string, k->max_byte));
    return check_form(a, at, k, v->string);
}

static const struct known *find_known(const struct known *table, size_t n, str name) {
    for (size_t i = 0; i < n; i++)
        if (str_equal(table[i].name, name))
            return &table[i];
    return NULL;
}

static err check_members(struct arena *a, const struct place *at, const struct known *k, const struct json *object);

static err check_value(struct arena *a, const struct place *at, const struct known *k, const struct json *v) {
    if (k)
        TRY(check_known(a, at, k, v));
    if (v->type == JSON_STRING)
        return check_text(a, at, v->string, TEXT_BYTE);
    if (v->type == JSON_OBJECT)
        return check_members(a, at, k, v);
    if (v->type == JSON_ARRAY)
        for (uint32_t i = 0; i < v->count; i++)
            TRY(check_value(a, &(struct place){at, {0}}, NULL, &v->items[i]));
    return OK;
}

static err check_members(struct arena *a, const struct place *at, const struct known *k, const struct json *object) {
    for (uint32_t i = 0; i < object->count; i++) {
        const struct json_member *m = &object->members[i];
        const struct place inner = {at, m->key};
        if (m->key.len == 0)
            return fail(ERR_INPUT, "lead_column_name", "%.*s has a member with an empty name", STR_ARG(path_of(a, at)));
        TRY(check_text(a, at, m->key, COLUMN_NAME_BYTE));
        TRY(check_value(a, &inner, k ? find_known(k->inside, k->n_inside, m->key) : NULL, &m->value));
    }
    return OK;
}

err validate_check(struct arena *a, const struct json *lead) {
    static const struct known root = {INSIDE(members)};
    const struct place at = {0};
    if (lead->type != JSON_OBJECT)
        return fail(ERR_INPUT, "lead_not_object", "a lead must be an object, not %s", json_type_name(lead->type));
    return check_members(a, &at, &root, lead);
}

/* ---- identity ---- */

static const struct json *text_at(const struct json *object, str key) {
    const struct json *v = json_get(object, key);
    return v && v->type == JSON_STRING && str_trim(v->string).len > 0 ? v : NULL;
}

/* The first of two members that holds text, checked as the tables say. */
static err identity_text(struct arena *a, const struct json *lead, str outer, str key, str *out) {
    const struct known *k = find_known(members, sizeof members / sizeof *members, outer);
    const struct json *inner = text_at(json_get(lead, outer), key), *flat = text_at(lead, key);
    const struct place top = {0}, object = {&top, outer}, place = {inner ? &object : &top, key};
    const struct json *v = inner ? inner : flat;
    if (!v || !k)
        return OK;
    k = inner ? find_known(k->inside, k->n_inside, key) : find_known(members, sizeof members / sizeof *members, key);
    if (k)
        TRY(check_known(a, &place, k, v));
    *out = str_trim(v->string);
    return OK;
}

static str identity_of(struct arena *a, const struct json *lead) {
    static const str keys[] = {STR_INIT("lead_id"), STR_INIT("crm_id"), STR_INIT("external_id")};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct json *v = json_get(lead, keys[i]);
        if (v && v->type == JSON_INTEGER)
            return str_format(a, "%lld", (long long)v->integer);
        if (v && v->type == JSON_STRING && str_trim(v->string).len > 0)
            return str_trim(v->string);
    }
    return (str){0};
}

static err check_short(struct arena *a, str key, const struct json *v) {
    const struct place top = {0}, at = {&top, key};
    const struct known *k = find_known(members, sizeof members / sizeof *members, key);
    return v && k ? check_known(a, &at, k, v) : OK;
}

err validate_identity(struct arena *a, const struct json *lead, struct identity *out) {
    static const str plain[] = {STR_INIT("lead_id"), STR_INIT("crm_id"), STR_INIT("external_id"), STR_INIT("source")};
    struct identity who = {0};
    if (lead->type != JSON_OBJECT)
        return fail(ERR_INPUT, "lead_not_object", "a lead must be an object, not %s", json_type_name(lead->type));
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        TRY(check_short(a, plain[i], json_get(lead, plain[i])));
    TRY(identity_text(a, lead, STR("person"), STR("email"), &who.email));
    TRY(identity_text(a, lead, STR("company"), STR("domain"), &who.domain));
    const struct json *company = json_get(lead, STR("company")), *name = text_at(company, STR("name")),
                      *source = text_at(lead, STR("source"));
    if (who.email.len > 0)
        (void)mail_address(a, who.email, &who.email);
    if (who.domain.len > 0)
        (void)mail_domain(a, who.domain, &who.domain);
    else if (!mail_is_private(mail_domain_of(who.email)))
        who.domain = mail_domain_of(who.email);
    who.company = name                                      ? str_trim(name->string)
                  : company && company->type == JSON_STRING ? str_trim(company->string)
                                                            : (str){0};
    who.source = source ? str_trim(source->string) : (str){0};
    who.external = identity_of(a, lead);
    *out = who;
    return OK;
}

/* ---- columns ---- */

static struct run_column *find_column(const struct columns *c, str name) {
    for (size_t i = 0; i < c->n; i++)
        if (str_equal(c->column[i].name, name))
            return &c->column[i];
    return NULL;
}

/* A plain member and one of "custom" may have the same name ("source" above all): the model's column is the custom one. */
static err add_columns(struct columns *c, const struct json *lead) {
    const struct json *custom = json_get(lead, STR("custom"));
    for (uint32_t i = 0; i < lead->count; i++) {
        const struct json_member *m = &lead->members[i];
        if (m->value.type == JSON_OBJECT) {
            TRY(columns_add(c, str_equal(m->key, STR("custom")) ? (str){0} : m->key, &m->value, 0));
            continue;
        }
        if (json_get(custom, m->key))
            continue;
        const struct json one = {.type = JSON_OBJECT, .count = 1, .members = m};
        TRY(columns_add(c, (str){0}, &one, 0));
    }
    return OK;
}

static void respell(const struct columns *c, str name, str cell) {
    struct run_column *column = cell.len > 0 ? find_column(c, name) : NULL;
    if (column && column->cell.len > 0)
        column->cell = cell;
}

/* Gives e-mail and domain their one spelling where they stand, and the company the domain that its address names. */
static err put_identity(struct columns *c, const struct identity *who) {
    bool nested = find_column(c, STR("person.email")) != NULL;
    respell(c, nested ? STR("person.email") : STR("email"), who->email);
    struct run_column *domain = find_column(c, STR("company.domain"));
    if (!domain && !find_column(c, STR("domain")) && who->domain.len > 0)
        return columns_put(c, (struct run_column){.name = STR("company.domain"), .cell = who->domain});
    if (domain)
        domain->cell = who->domain;
    else
        respell(c, STR("domain"), who->domain);
    return OK;
}

struct json_limits validate_limits(void) {
    return (struct json_limits){.max_byte = LEAD_MAX_BYTE, .max_depth = LEAD_MAX_DEPTH, .max_value = LEAD_MAX_VALUE};
}

/* A limit that a body breaks is the body's fault, and a key that comes twice may be anything. */
static err parse(struct arena *a, str body, const struct json **out) {
    const struct json_limits limits = validate_limits();
    err rc = json_parse(a, body, &limits, out);
    if (rc == OK)
        return OK;
    const char *slug = err_slug();
    str text = str_copy(a, str_from(err_text()));
    ptrdiff_t key = str_find(text, STR("the key `"));
    if (strcmp(slug, "memory_limit") == 0)
        return rc;
    if (strcmp(slug, "json_duplicate_key") == 0 && key >= 0)
        return fail(ERR_INPUT, "json_duplicate_key", "%.*sa key appears twice in this object", (int)key, text.ptr);
    return fail(ERR_INPUT, slug, "%.*s", STR_ARG(text));
}

err validate_lead(struct run *run) {
    const struct json *lead;
    struct identity who;
    TRY(parse(run->arena, run->body, &lead));
    TRY(validate_check(run->arena, lead));
    TRY(validate_identity(run->arena, lead, &who));
    struct columns c = {.arena = run->arena, .cap = 64, .column = ARENA_ARRAY(run->arena, 64, struct run_column)};
    TRY(add_columns(&c, lead));
    TRY(put_identity(&c, &who));
    const struct run_column *twice = columns_find_twice(&c);
    if (twice)
        return fail(ERR_INPUT, "lead_field_twice", "the field %.*s is given twice: once by a dotted or a custom name",
                    STR_ARG(column_name_shown(run->arena, twice->name)));
    run->neutral = lead;
    run->column = c.column;
    run->n_column = c.n;
    return OK;
}
