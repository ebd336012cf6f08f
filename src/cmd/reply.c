/* reply.c — answers of the service as people read them. */
#include "cmd/reply.h"

#include "base/time.h"
#include "cmd/present.h"

enum { TIME_SHOWN_BYTE = 19 }; /* to the second */

err reply_print(struct session *s, const struct json *v) {
    struct session_document *d = session_document_new(s);
    json_value(&d->w, v);
    return session_document_print(s, d);
}

str reply_text(const struct json *object, const char *key) {
    const struct json *v = json_get(object, str_from(key));
    return v && v->type == JSON_STRING ? v->string : STR("");
}

int64_t reply_integer(const struct json *object, const char *key) {
    int64_t n;
    return object && json_get_integer(object, str_from(key), &n) == OK ? n : 0;
}

str reply_number(struct arena *a, const struct json *object, const char *key, int digits) {
    const struct json *v = json_get(object, str_from(key));
    return json_is_number(v) ? str_format(a, "%.*f", digits, json_number_of(v)) : STR("");
}

const struct json *reply_list(const struct json *object, const char *key) {
    const struct json *v = json_get(object, str_from(key));
    return v && v->type == JSON_ARRAY ? v : NULL;
}

str reply_time(struct arena *a, const struct json *object, const char *key) {
    str text = reply_text(object, key);
    if (text.len < TIME_SHOWN_BYTE)
        return text;
    char *shown = str_cstr(a, str_slice(text, 0, TIME_SHOWN_BYTE));
    shown[10] = ' ';
    return (str){shown, TIME_SHOWN_BYTE};
}

str reply_age(struct session *s, const struct json *object, const char *key) {
    int64_t ms;
    str text = reply_text(object, key);
    if (text.len == 0 || time_parse(text, TIME_ORDER_UNKNOWN, &ms) != OK)
        return STR("");
    int64_t age_ms = s->clock.wall_ms() - ms;
    return age_ms < 1000 ? STR("0 s") : present_second(s->arena, (double)age_ms / 1000);
}

static double share_of(const struct json *object, const char *key) {
    const struct json *v = json_get(object, str_from(key));
    return json_is_number(v) ? json_number_of(v) : -1;
}

str reply_score(struct arena *a, const struct json *object) {
    double p = share_of(object, "score");
    return p < 0 ? STR("") : str_format(a, "%.1f %%", 100 * p);
}

str reply_interval(struct arena *a, const struct json *object) {
    double low = share_of(object, "low"), high = share_of(object, "high");
    return low < 0 || high <= low ? STR("") : str_format(a, "%.1f to %.1f %%", 100 * low, 100 * high);
}

enum style reply_tier_style(str tier) {
    if (str_equal(tier, STR("hot")))
        return STYLE_BAD;
    return str_equal(tier, STR("warm")) ? STYLE_WARN : STYLE_DIM;
}

str reply_count(struct arena *a, int64_t n, const char *one, const char *many) {
    return str_format(a, "%lld %s", (long long)n, n == 1 ? one : many);
}

str reply_run(struct arena *a, const struct json *lead) {
    const struct json *run = json_get(lead, STR("run"));
    str status = reply_text(run, "status"), code = reply_text(run, "code"), stage = reply_text(run, "stage");
    if (code.len > 0)
        return str_format(a, "%.*s: %.*s", STR_ARG(status), STR_ARG(code));
    if (str_equal(status, STR("waiting")) && stage.len > 0)
        return str_format(a, "waiting at %.*s", STR_ARG(stage));
    return status;
}
