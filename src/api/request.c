/* request.c — what handlers read of a request: bodies, parameters, names. Nothing that is not asked for is let pass. */
#include "api/api_priv.h"
#include "base/number.h"
#include "base/time.h"

enum { SMALL_BODY_BYTE = 4 << 20 };

/* ---- bodies ---- */

err api_read_body(struct call *c, const struct json_limits *limits, const struct json **out) {
    if (c->r->body.len == 0)
        return fail(ERR_INPUT, "body_absent", "the request has no body");
    return json_parse(c->arena, c->r->body, limits, out);
}

static bool is_listed(str name, const char *const *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (str_equal(name, str_from(list[i])))
            return true;
    return false;
}

err api_read_object(struct call *c, const char *const *member, size_t n, const struct json **out) {
    static const struct json nothing = {.type = JSON_OBJECT};
    const struct json_limits limits = {.max_byte = SMALL_BODY_BYTE, .max_depth = 8, .max_value = 100000};
    *out = &nothing;
    if (c->r->body.len == 0)
        return OK;
    TRY(api_read_body(c, &limits, out));
    if ((*out)->type != JSON_OBJECT)
        return fail(ERR_INPUT, "body_form", "the body must be a JSON object");
    for (uint32_t i = 0; i < (*out)->count; i++)
        if (!is_listed((*out)->members[i].key, member, n))
            return fail(ERR_INPUT, "body_member", "member %u of the body is none that is known here", i + 1);
    return OK;
}

static err wrong(const char *key, const char *what) {
    return fail(ERR_INPUT, "body_member", "\"%s\" must be %s", key, what);
}

/* The member, or NULL when it is absent or null. */
static const struct json *member_of(const struct json *object, const char *key) {
    const struct json *v = json_get(object, str_from(key));
    return v && v->type != JSON_NULL ? v : NULL;
}

err api_member_text(const struct json *object, const char *key, size_t most, str *out) {
    const struct json *v = member_of(object, key);
    if (!v)
        return OK;
    if (v->type != JSON_STRING || v->string.len > most)
        return fail(ERR_INPUT, "body_member", "\"%s\" must be text of at most %zu bytes", key, most);
    *out = v->string;
    return OK;
}

err api_member_integer(const struct json *object, const char *key, int64_t least, int64_t most, int64_t *out) {
    const struct json *v = member_of(object, key);
    if (!v)
        return OK;
    if (v->type != JSON_INTEGER || v->integer < least || v->integer > most)
        return fail(ERR_INPUT, "body_member", "\"%s\" must be a whole number from %lld to %lld", key, (long long)least,
                    (long long)most);
    *out = v->integer;
    return OK;
}

err api_member_number(const struct json *object, const char *key, double most, double *out) {
    const struct json *v = member_of(object, key);
    if (!v)
        return OK;
    if (!json_is_number(v) || !(json_number_of(v) >= 0) || json_number_of(v) > most)
        return fail(ERR_INPUT, "body_member", "\"%s\" must be a number from 0 to %g", key, most);
    *out = json_number_of(v);
    return OK;
}

err api_member_bool(const struct json *object, const char *key, bool *out) {
    const struct json *v = member_of(object, key);
    if (!v)
        return OK;
    if (v->type != JSON_BOOL)
        return wrong(key, "true or false");
    *out = v->boolean;
    return OK;
}

err api_member_time(const struct json *object, const char *key, int64_t *ms) {
    const struct json *v = member_of(object, key);
    if (!v)
        return OK;
    if (v->type != JSON_STRING || time_parse(v->string, TIME_ORDER_UNKNOWN, ms) != OK)
        return wrong(key, "a time such as 2026-06-30T12:00:00Z");
    return OK;
}

/* ---- parameters ---- */

err api_check_query(struct call *c, const char *const *name, size_t n) {
    const struct http_request *r = c->r;
    for (size_t i = 0; i < r->n_query; i++) {
        if (!is_listed(r->query[i].name, name, n))
            return fail(ERR_INPUT, "query_unknown", "parameter %zu of the query is none that is known here", i + 1);
        for (size_t k = 0; k < i; k++)
            if (str_equal(r->query[k].name, r->query[i].name))
                return fail(ERR_INPUT, "query_twice", "parameter %zu of the query was there before", i + 1);
    }
    return OK;
}

err api_query_text(struct call *c, const char *name, size_t most, str *out) {
    str value;
    if (!http_request_query(c->r, str_from(name), &value))
        return OK;
    if (value.len == 0 || value.len > most)
        return fail(ERR_INPUT, "query_value", "\"%s\" must have 1 to %zu bytes", name, most);
    *out = value;
    return OK;
}

err api_query_integer(struct call *c, const char *name, int64_t least, int64_t most, int64_t *out) {
    str value;
    int64_t number;
    if (!http_request_query(c->r, str_from(name), &value))
        return OK;
    if (!number_parse_integer(value, &number) || number < least || number > most)
        return fail(ERR_INPUT, "query_value", "\"%s\" must be a whole number from %lld to %lld", name, (long long)least,
                    (long long)most);
    *out = number;
    return OK;
}

err api_query_time(struct call *c, const char *name, int64_t *ms) {
    str value;
    if (!http_request_query(c->r, str_from(name), &value))
        return OK;
    if (time_parse(value, TIME_ORDER_UNKNOWN, ms) != OK)
        return fail(ERR_INPUT, "query_value", "\"%s\" must be a time such as 2026-06-30T12:00:00Z", name);
    return OK;
}

err api_query_name(struct call *c, const char *name, const char *(*name_of)(int i), int count, int *out) {
    str value;
    if (!http_request_query(c->r, str_from(name), &value))
        return OK;
    for (int i = 0; i < count; i++)
        if (str_equal(value, str_from(name_of(i)))) {
            *out = i;
            return OK;
        }
    return fail(ERR_INPUT, "query_value", "\"%s\" is none of the words it may be", name);
}

/* ---- names ---- */

bool api_is_id(str text) {
    if (text.len != RUN_ID_BYTE)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!((text.ptr[i] >= '0' && text.ptr[i] <= '9') || (text.ptr[i] >= 'A' && text.ptr[i] <= 'Z')))
            return false;
    return true;
}

err api_check_lead_id(struct call *c) {
    return api_is_id(c->id) ? OK : fail(ERR_ABSENT, "lead_unknown", "there is no lead of that name");
}

err api_check_tenant(str name) {
    bool good = name.len > 0 && name.len <= API_TENANT_BYTE;
    for (size_t i = 0; good && i < name.len; i++) {
        char x = name.ptr[i];
        good =
            (x >= '0' && x <= '9') || (x >= 'A' && x <= 'Z') || (x >= 'a' && x <= 'z') || x == '-' || x == '_' || x == '.';
    }
    if (good)
        return OK;
    return fail(ERR_INPUT, "tenant_name", "a tenant's name has 1 to %d letters, digits and \"-_.\"", (int)API_TENANT_BYTE);
}
