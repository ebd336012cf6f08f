/* load.c — reads a connector file: its head, settings, base URLs and limits. */
#include "base/asset.h"
#include "base/json_schema.h"
#include "base/yaml.h"
#include "connector/load_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const kind_names[] = {"source",         "crm",        "marketing", "chat",    "warehouse",
                                         "language_model", "embeddings", "push",      "generic", NULL};
static const char *const class_names[] = {"ok", "empty", "throttled", "quota", "auth", "permanent", "transient", NULL};
static const char *const personal_names[] = {"none", "business_contact", "personal", NULL};
static const char *const reset_names[] = {"seconds", "epoch_s", "epoch_ms", "ms", "date", NULL};

const char *connector_kind_name(enum connector_kind kind) { return kind_names[kind]; }
const char *connector_class_name(enum connector_class class) { return class_names[class]; }
const char *connector_personal_name(enum connector_personal personal) { return personal_names[personal]; }

err load_fault(const struct loader *l, const struct json *at, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return fail(ERR_INPUT, "connector_form", "%s:%u:%u: %s", l->file, at ? at->line : 1, at ? at->column : 1, text);
}

err load_text(const struct loader *l, const struct json *object, const char *key, str *out) {
    const struct json *v = json_get(object, str_from(key));
    if (!v)
        return OK;
    if (v->type != JSON_STRING)
        return load_fault(l, v, "%s is a text", key);
    *out = v->string;
    return OK;
}

err load_integer(const struct loader *l, const struct json *object, const char *key, int64_t low, int64_t high,
                 int64_t *out) {
    const struct json *v = json_get(object, str_from(key));
    if (!v)
        return OK;
    if (v->type != JSON_INTEGER || v->integer < low || v->integer > high)
        return load_fault(l, v, "%s is a whole number from %lld to %lld", key, (long long)low, (long long)high);
    *out = v->integer;
    return OK;
}

err load_bool(const struct loader *l, const struct json *object, const char *key, bool *out) {
    const struct json *v = json_get(object, str_from(key));
    if (!v)
        return OK;
    if (v->type != JSON_BOOL)
        return load_fault(l, v, "%s is true or false", key);
    *out = v->boolean;
    return OK;
}

/* The places of a template are well formed and name settings that exist. */
static err check_template(const struct loader *l, const struct json *v) {
    str t = v->string;
    for (size_t i = 0; i < t.len; i++) {
        if (t.ptr[i] != '{' && t.ptr[i] != '}')
            continue;
        if (i + 1 < t.len && t.ptr[i + 1] == t.ptr[i]) {
            i++;
            continue;
        }
        ptrdiff_t close = str_find_byte(str_slice(t, i, t.len), '}');
        if (t.ptr[i] == '}' || close < 0)
            return load_fault(l, v, "a brace without its other half; write {{ or }} for a brace itself");
        str place = str_slice(t, i + 1, i + (size_t)close);
        if (str_ends(place, STR("?")))
            place.len--;
        ptrdiff_t bar = str_find_byte(place, '|');
        str filter = bar < 0 ? STR("word") : str_slice(place, (size_t)bar + 1, place.len);
        place = bar < 0 ? place : str_slice(place, 0, (size_t)bar);
        if (!str_equal(filter, STR("quote")) && !str_equal(filter, STR("word")) && !str_equal(filter, STR("phrase")))
            return load_fault(l, v, "there are the filters quote, word and phrase, not %.*s", STR_ARG(filter));
        bool known = str_starts(place, STR("input.")) || str_equal(place, STR("page.cursor")) ||
                     str_equal(place, STR("page.number")) || str_equal(place, STR("page.offset"));
        for (size_t s = 0; s < l->connector->n_setting && str_starts(place, STR("setting.")); s++)
            known = known || str_equal(str_slice(place, 8, place.len), l->connector->setting[s].name);
        if (!known)
            return load_fault(l, v, "{%.*s} is neither {input.NAME}, nor {setting.NAME} of this file, nor {page.…}",
                              STR_ARG(place));
        i += (size_t)close;
    }
    return OK;
}

static err template_of(const struct loader *l, const struct json *v, struct connector_template *out) {
    if (v->type == JSON_INTEGER || v->type == JSON_BOOL) {
        str text = v->type == JSON_BOOL ? (v->boolean ? STR("true") : STR("false"))
                                        : str_format(l->arena, "%lld", (long long)v->integer);
        *out = (struct connector_template){text, v->line, v->column};
        return OK;
    }
    if (v->type != JSON_STRING)
        return load_fault(l, v, "a text is expected here");
    TRY(check_template(l, v));
    *out = (struct connector_template){v->string, v->line, v->column};
    return OK;
}

err load_template(const struct loader *l, const struct json *object, const char *key, struct connector_template *out) {
    const struct json *v = json_get(object, str_from(key));
    return v ? template_of(l, v, out) : OK;
}

err load_program(const struct loader *l, const struct json *object, const char *key, const struct program **out) {
    const struct json *v = json_get(object, str_from(key));
    if (!v)
        return OK;
    str text = v->string;
    if (v->type != JSON_STRING) {
        /* A constant: as JSON it is a program too. */
        struct buf *b = buf_in(l->arena, PROGRAM_MAX_BYTE);
        json_write_canonical(b, v);
        TRY(buf_check(b));
        text = buf_str(b);
    }
    return program_parse(l->arena, l->group, text, l->file, v->line, v->column, out);
}

err load_choice(const struct loader *l, const struct json *object, const char *key, const char *const *names, int *out) {
    const struct json *v = json_get(object, str_from(key));
    if (!v)
        return OK;
    for (int i = 0; names[i] && v->type == JSON_STRING; i++)
        if (str_equal(v->string, str_from(names[i]))) {
            *out = i;
            return OK;
        }
    return load_fault(l, v, "%s is not one of those that there are", key);
}

err load_parameters(const struct loader *l, const struct json *object, const char *key,
                    const struct connector_parameter **out, size_t *n) {
    const struct json *v = json_get(object, str_from(key));
    if (!v)
        return OK;
    if (v->type != JSON_OBJECT || v->count > CONNECTOR_MAX_FIELD)
        return load_fault(l, v, "%s is a map of at most %d names", key, CONNECTOR_MAX_FIELD);
    struct connector_parameter *list = ARENA_ARRAY(l->arena, v->count, struct connector_parameter);
    for (uint32_t i = 0; i < v->count; i++) {
        list[i].name = v->members[i].key;
        TRY(template_of(l, &v->members[i].value, &list[i].value));
    }
    *out = list;
    *n = v->count;
    return OK;
}

/* ---- the head ---- */

static err load_settings(struct loader *l, const struct json *root) {
    const struct json *v = json_get(root, STR("settings"));
    if (!v)
        return OK;
    if (v->type != JSON_OBJECT || v->count > CONNECTOR_MAX_SETTING)
        return load_fault(l, v, "settings is a map of at most %d names", CONNECTOR_MAX_SETTING);
    struct connector_setting *list = ARENA_ARRAY(l->arena, v->count, struct connector_setting);
    for (uint32_t i = 0; i < v->count; i++) {
        const struct json *s = &v->members[i].value;
        list[i].name = v->members[i].key;
        TRY(load_text(l, s, "help", &list[i].help));
        TRY(load_bool(l, s, "secret", &list[i].secret));
        TRY(load_bool(l, s, "required", &list[i].required));
        TRY(load_text(l, s, "default", &list[i].fallback));
        if (list[i].secret && list[i].fallback.ptr)
            return load_fault(l, s, "a secret has no default: a file holds no secrets");
    }
    l->connector->setting = list;
    l->connector->n_setting = v->count;
    return OK;
}

static err load_bases(struct loader *l, const struct json *root) {
    const struct json *v = json_get(root, STR("base_url"));
    struct connector_base *list = ARENA_ARRAY(l->arena, v && v->type == JSON_OBJECT ? v->count : 1, struct connector_base);
    l->connector->base = list;
    l->connector->n_base = 1;
    list[0].name = STR("production");
    if (!v || v->type != JSON_OBJECT)
        return load_template(l, root, "base_url", &list[0].url);
    l->connector->n_base = v->count;
    for (uint32_t i = 0; i < v->count; i++) {
        list[i].name = v->members[i].key;
        TRY(template_of(l, &v->members[i].value, &list[i].url));
    }
    return v->count > 0 ? OK : load_fault(l, v, "base_url names at least one");
}

static err load_limits(struct loader *l, const struct json *root) {
    const struct json *v = json_get(root, STR("limits")), *rates = json_get(v, STR("rate")),
                      *headers = json_get(v, STR("headers"));
    struct connector *c = l->connector;
    int64_t concurrent = 0;
    TRY(load_integer(l, v, "concurrent", 1, 10000, &concurrent));
    c->concurrent = (size_t)concurrent;
    size_t n = rates && rates->type == JSON_ARRAY ? rates->count : 0;
    struct connector_rate *list = ARENA_ARRAY(l->arena, n, struct connector_rate);
    for (size_t i = 0; i < n; i++) {
        int64_t per_s = 1;
        list[i].requests = 1;
        TRY(load_integer(l, &rates->items[i], "requests", 1, 1000000000, &list[i].requests));
        TRY(load_integer(l, &rates->items[i], "per_s", 1, 31 * 86400, &per_s));
        list[i].per_ms = per_s * 1000;
    }
    c->rate = list;
    c->n_rate = n;
    int unit = RESET_SECONDS;
    c->rate_headers = (struct connector_rate_headers){.retry_after = STR("Retry-After")};
    TRY(load_text(l, headers, "limit", &c->rate_headers.limit));
    TRY(load_text(l, headers, "remaining", &c->rate_headers.remaining));
    TRY(load_text(l, headers, "reset", &c->rate_headers.reset));
    TRY(load_text(l, headers, "retry_after", &c->rate_headers.retry_after));
    TRY(load_choice(l, headers, "reset_unit", reset_names, &unit));
    c->rate_headers.reset_unit = (unsigned)unit;
    return OK;
}

static err check_form(struct arena *a, const struct json *root, const char *file) {
    const struct json *schema;
    struct json_problems problems;
    TRY(json_parse(a, asset_get(STR("schemas/connector.json")), NULL, &schema));
    err rc = json_schema_check(a, schema, root, &problems);
    if (rc != ERR_INPUT)
        return rc;
    return fail(ERR_INPUT, "connector_form", "%s:%u:%u: %.*s: %.*s", file, problems.items[0].line, problems.items[0].column,
                STR_ARG(problems.items[0].pointer), STR_ARG(problems.items[0].text));
}

static err load_head(struct loader *l, const struct json *root) {
    struct connector *c = l->connector;
    int kind = CONNECTOR_GENERIC, personal = PERSONAL_NONE;
    TRY(load_text(l, root, "name", &c->name));
    TRY(load_text(l, root, "title", &c->title));
    TRY(load_text(l, root, "documentation", &c->documentation));
    TRY(load_text(l, root, "terms", &c->terms));
    c->currency = STR("USD");
    TRY(load_text(l, root, "currency", &c->currency));
    TRY(load_choice(l, root, "kind", kind_names, &kind));
    TRY(load_choice(l, root, "personal_data", personal_names, &personal));
    c->kind = (enum connector_kind)kind;
    c->personal = (enum connector_personal)personal;
    for (size_t i = 0; i < c->name.len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_", c->name.ptr[i]))
            return load_fault(l, json_get(root, STR("name")), "a name has lower-case letters, digits and '_' only");
    return OK;
}

static err load_status(const struct loader *l, const struct json *rule, struct connector_rule *out) {
    const struct json *v = json_get(rule, STR("status"));
    if (!v)
        return OK;
    if (v->type == JSON_INTEGER && v->integer >= 100 && v->integer <= 599) {
        out->status_low = (int)v->integer;
        out->status_high = out->status_low;
        return OK;
    }
    if (v->type == JSON_STRING && v->string.len == 3 && str_ends(v->string, STR("xx")) && v->string.ptr[0] >= '1' &&
        v->string.ptr[0] <= '5') {
        out->status_low = (v->string.ptr[0] - '0') * 100;
        out->status_high = out->status_low + 99;
        return OK;
    }
    return load_fault(l, v, "status is a number like 429, or a text like \"4xx\"");
}

static err load_rule(const struct loader *l, const struct json *v, struct connector_rule *out) {
    int class = CONNECTOR_PERMANENT;
    int64_t retry_s = 0;
    const struct json *header = json_get(v, STR("header"));
    TRY(load_choice(l, v, "class", class_names, &class));
    out->class = (enum connector_class) class;
    TRY(load_status(l, v, out));
    if (header && header->type == JSON_OBJECT && header->count == 1) {
        out->header = header->members[0].key;
        TRY(load_text(l, header, out->header.ptr, &out->header_value));
    }
    TRY(load_text(l, v, "contains", &out->contains));
    TRY(load_program(l, v, "when", &out->when));
    TRY(load_program(l, v, "retry_after", &out->retry_after));
    TRY(load_integer(l, v, "retry_after_s", 1, 31 * 86400, &retry_s));
    out->retry_after_ms = retry_s * 1000;
    TRY(load_text(l, v, "reason", &out->reason));
    return load_program(l, v, "message", &out->message);
}

err load_rules(const struct loader *l, const struct json *list, const struct connector_rule **out, size_t *n) {
    if (!list)
        return OK;
    if (list->type != JSON_ARRAY || list->count > CONNECTOR_MAX_RULE)
        return load_fault(l, list, "classify is a list of at most %d rules", CONNECTOR_MAX_RULE);
    struct connector_rule *rule = ARENA_ARRAY(l->arena, list->count, struct connector_rule);
    for (uint32_t i = 0; i < list->count; i++)
        TRY(load_rule(l, &list->items[i], &rule[i]));
    *out = rule;
    *n = list->count;
    return OK;
}

err connector_parse(struct arena *a, str text, const char *file, const struct connector **out) {
    const struct json *root;
    const struct json_limits limits = {.max_byte = CONNECTOR_MAX_BYTE, .max_depth = 32, .max_value = 100000};
    err rc = yaml_parse(a, text, &limits, &root);
    if (rc != OK)
        return err_prefix(rc, "%s", file);
    TRY(check_form(a, root, file));
    struct loader l = {.arena = a, .file = str_cstr(a, str_from(file)), .group = program_group_new(a)};
    l.connector = ARENA_NEW(a, struct connector);
    l.connector->file = str_from(l.file);
    TRY(load_head(&l, root));
    TRY(load_settings(&l, root));
    TRY(load_bases(&l, root));
    TRY(load_limits(&l, root));
    TRY(load_auth(&l, root));
    TRY(load_webhook(&l, root));
    TRY(load_rules(&l, json_get(root, STR("classify")), &l.connector->rule, &l.connector->n_rule));
    TRY(load_operations(&l, root));
    *out = l.connector;
    return OK;
}
