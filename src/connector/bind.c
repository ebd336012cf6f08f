/* bind.c — a connector with one user's settings. */
#include "connector/template_priv.h"

static err unknown_setting(const struct connector *c, str name) {
    return fail(ERR_INPUT, "connector_setting", "%.*s has no setting \"%.*s\"", STR_ARG(c->name), STR_ARG(name));
}

static err text_of(struct arena *a, const struct json_member *m, str *out) {
    const struct json *v = &m->value;
    if (v->type == JSON_STRING)
        *out = v->string;
    else if (v->type == JSON_INTEGER)
        *out = str_format(a, "%lld", (long long)v->integer);
    else if (v->type == JSON_BOOL)
        *out = v->boolean ? STR("true") : STR("false");
    else
        return fail(ERR_INPUT, "connector_setting", "the setting \"%.*s\" is text, a whole number, true or false",
                    STR_ARG(m->key));
    return OK;
}

static err choose(const struct connector *c, struct connector_binding *b, str environment, str way) {
    b->base = environment.ptr ? NULL : &c->base[0];
    for (size_t i = 0; i < c->n_base && environment.ptr; i++)
        if (str_equal(c->base[i].name, environment))
            b->base = &c->base[i];
    b->auth = way.ptr ? NULL : &c->auth[0];
    for (size_t i = 0; i < c->n_auth && way.ptr; i++)
        if (str_equal(c->auth[i].name, way))
            b->auth = &c->auth[i];
    if (!b->base)
        return fail(ERR_INPUT, "connector_setting", "%.*s has no environment \"%.*s\"", STR_ARG(c->name),
                    STR_ARG(environment));
    if (!b->auth)
        return fail(ERR_INPUT, "connector_setting", "%.*s has no authentication \"%.*s\"", STR_ARG(c->name), STR_ARG(way));
    return OK;
}

static err read_member(struct arena *a, const struct connector *c, const struct json_member *m, str *value, str *environment,
                       str *way, str *base_url) {
    str text;
    TRY(text_of(a, m, &text));
    for (size_t i = 0; i < c->n_setting; i++)
        if (str_equal(c->setting[i].name, m->key)) {
            value[i] = text;
            return OK;
        }
    if (str_equal(m->key, STR("environment")))
        *environment = text;
    else if (str_equal(m->key, STR("authentication")))
        *way = text;
    else if (str_equal(m->key, STR("base_url")))
        *base_url = text;
    else
        return unknown_setting(c, m->key);
    return OK;
}

static const struct json *visible(struct arena *a, const struct connector *c, const str *value) {
    struct json *v = ARENA_NEW(a, struct json);
    struct json_member *m = ARENA_ARRAY(a, c->n_setting, struct json_member);
    uint32_t n = 0;
    for (size_t i = 0; i < c->n_setting; i++)
        if (!c->setting[i].secret && value[i].ptr)
            m[n++] = (struct json_member){.key = c->setting[i].name, .value = {.type = JSON_STRING, .string = value[i]}};
    *v = (struct json){.type = JSON_OBJECT, .count = n, .members = m};
    return v;
}

err connector_bind(struct arena *a, const struct connector *c, const struct json *settings,
                   const struct connector_binding **out) {
    struct connector_binding *b = ARENA_NEW(a, struct connector_binding);
    str *value = ARENA_ARRAY(a, c->n_setting, str), environment = {0}, way = {0};
    *b = (struct connector_binding){.connector = c, .value = value};
    for (size_t i = 0; i < c->n_setting; i++)
        value[i] = c->setting[i].fallback;
    for (uint32_t i = 0; settings && settings->type == JSON_OBJECT && i < settings->count; i++)
        TRY(read_member(a, c, &settings->members[i], value, &environment, &way, &b->base_url));
    for (size_t i = 0; i < c->n_setting; i++)
        if (c->setting[i].required && value[i].len == 0)
            return fail(ERR_INPUT, "connector_setting", "%.*s needs the setting \"%.*s\": %.*s", STR_ARG(c->name),
                        STR_ARG(c->setting[i].name), STR_ARG(c->setting[i].help));
    if (b->base_url.ptr && !template_is_origin(b->base_url))
        return fail(ERR_INPUT, "connector_setting", "the base URL of %.*s is not http(s)://host[:port][/path]",
                    STR_ARG(c->name));
    TRY(choose(c, b, environment, way));
    b->setting = visible(a, c, value);
    *out = b;
    return OK;
}
