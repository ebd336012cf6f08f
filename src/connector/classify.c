/* classify.c — what an answer means: the file's rules first, then what HTTP says. */
#include "base/time.h"
#include "connector/exchange.h"

#include <math.h>

enum { REASON_BYTE = 300, MAX_RETRY_S = 31 * 86400 };

struct classing {
    struct program_host *host;
    struct arena *arena;
    const struct connector_binding *binding;
    const struct connector_operation *op;
    const struct connector_answer *answer;
    const struct json *body;
    struct program_context context;
    bool has_context;
    int64_t now_ms;
};

static const struct json *headers_value(struct arena *a, const struct connector_answer *answer) {
    struct json *v = ARENA_NEW(a, struct json);
    struct json_member *m = ARENA_ARRAY(a, answer->n_header, struct json_member);
    uint32_t n = 0;
    for (size_t i = 0; i < answer->n_header && i < 200; i++) {
        str name = str_lower(a, answer->header[i].name);
        bool seen = false;
        for (uint32_t k = 0; k < n; k++)
            seen = seen || str_equal(m[k].key, name);
        if (!seen)
            m[n++] = (struct json_member){.key = name, .value = {.type = JSON_STRING, .string = answer->header[i].value}};
    }
    *v = (struct json){.type = JSON_OBJECT, .count = n, .members = m};
    return v;
}

static const struct program_context *context_of(struct classing *c) {
    if (!c->has_context) {
        c->context.status = c->answer->status;
        c->context.setting = c->binding->setting;
        c->context.headers = headers_value(c->arena, c->answer);
        c->has_context = true;
    }
    return &c->context;
}

/* A program that fails says nothing here: the answer may be of any form. */
static const struct json *ask(struct classing *c, const struct program *p) {
    const struct json *out;
    if (!p)
        return NULL;
    return program_first(c->host, c->arena, p, c->body, context_of(c), &out) == OK ? out : NULL;
}

static bool matches(struct classing *c, const struct connector_rule *r) {
    const struct connector_answer *answer = c->answer;
    if (r->status_low > 0 && (answer->status < r->status_low || answer->status > r->status_high))
        return false;
    if (r->header.len > 0) {
        str value = http_field_value(answer->header, answer->n_header, r->header);
        if (!value.ptr || (r->header_value.len > 0 && str_find_nocase(value, r->header_value) < 0))
            return false;
    }
    if (r->contains.len > 0 && str_find_nocase(str_slice(answer->body, 0, 65536), r->contains) < 0)
        return false;
    if (!r->when)
        return true;
    const struct json *said = ask(c, r->when);
    return said && !(said->type == JSON_BOOL && !said->boolean);
}

static bool read_number(str s, double *out) {
    char text[40];
    char *end;
    s = str_trim(s);
    if (s.len == 0 || s.len >= sizeof text)
        return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = 0;
    *out = strtod(text, &end);
    return *end == 0 && isfinite(*out);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7) or ISO 8601. */
static bool read_date(str s, int64_t *ms) {
    struct moment m;
    char text[64];
    s = str_trim(s);
    ptrdiff_t comma = str_find_byte(s, ',');
    if (comma == 3)
        s = str_trim(str_slice(s, 4, s.len));
    if (str_ends(s, STR(" GMT")) && s.len < sizeof text) {
        memcpy(text, s.ptr, s.len - 4);
        text[s.len - 4] = 'Z';
        s = (str){text, s.len - 3};
    }
    if (time_read(s, TIME_ORDER_UNKNOWN, &m) != TIME_GOOD)
        return false;
    *ms = m.ms;
    return true;
}

static int64_t clip_ms(double ms) { return ms <= 0 ? 0 : ms > MAX_RETRY_S * 1000.0 ? MAX_RETRY_S * 1000ll : (int64_t)ms; }

static int64_t retry_of_header(const struct classing *c, str name) {
    double s;
    int64_t at;
    str value = name.len > 0 ? http_field_value(c->answer->header, c->answer->n_header, name) : (str){0};
    if (read_number(value, &s))
        return clip_ms(s * 1000);
    return value.ptr && read_date(value, &at) ? clip_ms((double)(at - c->now_ms)) : 0;
}

static int64_t retry_of_rule(struct classing *c, const struct connector_rule *r) {
    const struct json *said = ask(c, r->retry_after);
    if (json_is_number(said))
        return clip_ms(json_number_of(said) * 1000);
    return 0;
}

static int64_t header_number(const struct classing *c, str name) {
    double x;
    str value = name.len > 0 ? http_field_value(c->answer->header, c->answer->n_header, name) : (str){0};
    return read_number(value, &x) && x >= 0 && x < 1e15 ? (int64_t)x : -1;
}

/* From now on, in ms; "6m0s" as some write it; -1 unknown. */
static int64_t reset_of(const struct classing *c) {
    const struct connector_rate_headers *h = &c->binding->connector->rate_headers;
    int64_t at, n = header_number(c, h->reset);
    str value = h->reset.len > 0 ? http_field_value(c->answer->header, c->answer->n_header, h->reset) : (str){0};
    switch (h->reset_unit) {
    case RESET_EPOCH_S:
        return n < 0 ? -1 : clip_ms((double)n * 1000 - (double)c->now_ms);
    case RESET_EPOCH_MS:
        return n < 0 ? -1 : clip_ms((double)(n - c->now_ms));
    case RESET_MS:
        return n < 0 ? -1 : clip_ms((double)n);
    case RESET_DATE:
        return value.ptr && read_date(value, &at) ? clip_ms((double)(at - c->now_ms)) : -1;
    case RESET_SECONDS:
    default:
        return n < 0 ? -1 : clip_ms((double)n * 1000);
    }
}

static enum connector_class class_of_status(const struct classing *c, bool json_due) {
    int s = c->answer->status;
    if (s == 204 || s == 404)
        return CONNECTOR_EMPTY;
    if (s >= 200 && s <= 299)
        return json_due && !c->body ? CONNECTOR_TRANSIENT : CONNECTOR_OK;
    if (s == 401 || s == 403)
        return CONNECTOR_AUTH;
    if (s == 402)
        return CONNECTOR_QUOTA;
    if (s == 429)
        return CONNECTOR_THROTTLED;
    if (s == 408 || s == 423 || s == 425 || s >= 500)
        return CONNECTOR_TRANSIENT;
    return CONNECTOR_PERMANENT;
}

/* Control characters become blanks: it is another's text that people will see. */
static str clean(struct arena *a, str s) {
    s = str_trim(str_slice(s, 0, REASON_BYTE));
    while (s.len == REASON_BYTE && s.len > 0 && ((unsigned char)s.ptr[s.len - 1] & 0xC0) == 0x80)
        s.len--;
    char *text = str_cstr(a, s);
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 127)
            text[i] = ' ';
    return (str){text, s.len};
}

/* Where services usually put their sentence. */
static str message_of(struct classing *c) {
    static const char *const places[] = {
        "/error/message", "/message", "/error_description", "/errors/0/message", "/0/message", "/errors/0/detail",
        "/error",         "/title"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const struct json *v = json_pointer(c->body, str_from(places[i]));
        if (v && v->type == JSON_STRING && v->string.len > 0)
            return clean(c->arena, v->string);
    }
    return (str){0};
}

static str reason_of(struct classing *c, const struct connector_rule *r) {
    const struct json *said = r ? ask(c, r->message) : NULL;
    if (said && said->type == JSON_STRING && said->string.len > 0)
        return clean(c->arena, said->string);
    if (r && r->reason.len > 0)
        return r->reason;
    str message = message_of(c);
    if (message.len > 0)
        return message;
    if (c->answer->status >= 200 && c->answer->status <= 299)
        return STR("the answer is not the JSON that was due: cut off, or something else");
    return str_format(c->arena, "HTTP status %d %s", c->answer->status, http_status_text(c->answer->status));
}

static const struct connector_rule *find_rule(struct classing *c) {
    for (size_t i = 0; i < c->op->n_rule; i++)
        if (matches(c, &c->op->rule[i]))
            return &c->op->rule[i];
    const struct connector *x = c->binding->connector;
    for (size_t i = 0; i < x->n_rule; i++)
        if (matches(c, &x->rule[i]))
            return &x->rule[i];
    return NULL;
}

static err read_body(struct classing *c) {
    static const struct json_limits limits = {.max_byte = CONNECTOR_MAX_ANSWER_BYTE, .max_depth = 100, .max_value = 500000};
    str body = str_trim(c->answer->body);
    if (c->answer->body.len > CONNECTOR_MAX_ANSWER_BYTE)
        return fail(ERR_LIMIT, "connector_answer_size", "an answer of %.*s has more than %d bytes",
                    STR_ARG(c->binding->connector->name), CONNECTOR_MAX_ANSWER_BYTE);
    if (body.len == 0 || c->op->answer == ANSWER_NOTHING)
        return OK;
    if (str_starts(body, STR("\xef\xbb\xbf")))
        body = str_slice(body, 3, body.len);
    err rc = json_parse(c->arena, body, &limits, &c->body);
    if (rc == ERR_LIMIT)
        return rc;
    if (rc != OK)
        c->body = NULL;
    return OK;
}

err connector_classify(struct program_host *h, struct arena *a, const struct connector_binding *b,
                       const struct connector_operation *op, const struct connector_answer *answer, int64_t now_ms,
                       struct connector_verdict *out) {
    struct classing c = {.host = h, .arena = a, .binding = b, .op = op, .answer = answer, .now_ms = now_ms};
    TRY(read_body(&c));
    program_hold(h, c.body);
    const struct connector_rule *rule = find_rule(&c);
    struct connector_verdict v = {.body = c.body, .limit = header_number(&c, b->connector->rate_headers.limit)};
    v.class = rule ? rule->class : class_of_status(&c, op->answer == ANSWER_JSON);
    /* A rule that says ok speaks of the status; what is cut off is still cut off. */
    if (v.class == CONNECTOR_OK && op->answer == ANSWER_JSON && !c.body)
        v.class = answer->status == 204                 ? CONNECTOR_EMPTY
                  : answer->body.len == 0 && op->writes ? CONNECTOR_OK
                                                        : CONNECTOR_TRANSIENT;
    v.remaining = header_number(&c, b->connector->rate_headers.remaining);
    v.reset_ms = reset_of(&c);
    if (v.class == CONNECTOR_THROTTLED || v.class == CONNECTOR_TRANSIENT || v.class == CONNECTOR_QUOTA) {
        v.retry_after_ms = rule ? retry_of_rule(&c, rule) : 0;
        if (v.retry_after_ms == 0)
            v.retry_after_ms = retry_of_header(&c, b->connector->rate_headers.retry_after);
        if (v.retry_after_ms == 0 && rule)
            v.retry_after_ms = rule->retry_after_ms;
        if (v.retry_after_ms == 0 && v.class == CONNECTOR_THROTTLED && v.reset_ms > 0)
            v.retry_after_ms = v.reset_ms;
    }
    if (v.class != CONNECTOR_OK)
        v.reason = reason_of(&c, rule);
    program_release(h);
    *out = v;
    return OK;
}
