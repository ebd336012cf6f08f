/* lead_get.c — GET /v1/leads/{id}: everything that is known of one lead. */
#include "api/api_priv.h"
#include "base/hash.h"
#include "flow/snapshot.h"

enum { TAG_DIGITS = 32 };

/* Our own text, which may be damaged: then null. */
static void put_json(struct call *c, struct json_writer *w, str key, str text) {
    const struct json *v;
    json_key(w, key);
    if (text.len > 0 && json_parse(c->arena, text, NULL, &v) == OK)
        json_value(w, v);
    else
        json_null(w);
}

/* ---- scores ---- */

static void put_member(struct json_writer *w, str key, const struct json *v) {
    json_key(w, key);
    if (v)
        json_value(w, v);
    else
        json_null(w);
}

/* What the pins name: the SHA-256 of model and profile. */
static void put_pins(struct call *c, struct json_writer *w, str text) {
    struct pin_terms t = {0};
    err rc = text.len > 0 ? pin_read(c->arena, text, &t) : ERR_ABSENT;
    api_put_text(w, STR("model"), rc == OK ? t.model : (str){0});
    api_put_text(w, STR("profile"), rc == OK ? t.profile : (str){0});
}

static void put_interval(struct json_writer *w, const struct score_view *v) {
    static const char *const key[] = {"score", "low", "high"};
    const double value[] = {v->probability, v->low, v->high};
    for (size_t i = 0; i < 3; i++) {
        json_key(w, str_from(key[i]));
        if (v->outcome == RUN_SCORED)
            json_number(w, value[i]);
        else
            json_null(w);
    }
}

static void put_score(struct call *c, struct json_writer *w, const struct score_view *v) {
    const struct json *snapshot = NULL;
    if (v->snapshot.len > 0 && snapshot_read(c->arena, v->snapshot, &snapshot) != OK)
        snapshot = NULL;
    json_open_object(w);
    json_put_integer(w, STR("generation"), v->gen);
    api_put_time(w, STR("scored_at"), v->scored_ms);
    json_put_string(w, STR("outcome"), str_from(run_outcome_name(v->outcome)));
    api_put_text(w, STR("tier"), v->outcome == RUN_SCORED ? str_from(tier_name(v->tier)) : (str){0});
    put_interval(w, v);
    put_member(w, STR("note"), json_get(snapshot, STR("note")));
    json_put_string(w, STR("cause"), v->cause);
    put_pins(c, w, v->pins);
    put_member(w, STR("reasons"), json_get(snapshot, STR("reasons")));
    put_json(c, w, STR("timing"), v->timing);
    json_close_object(w);
}

static err put_scores(struct call *c, struct json_writer *w) {
    struct score_view *v;
    size_t n;
    TRY(store_scores(c->reader, c->arena, c->tenant, c->id, &v, &n));
    json_key(w, STR("scores"));
    json_open_array(w);
    for (size_t i = 0; i < n; i++)
        put_score(c, w, &v[i]);
    json_close_array(w);
    return OK;
}

/* ---- what happened ---- */

static err put_history(struct call *c, struct json_writer *w) {
    struct history_view *v;
    size_t n;
    TRY(store_history(c->reader, c->arena, c->tenant, c->id, &v, &n));
    json_key(w, STR("history"));
    json_open_array(w);
    for (size_t i = 0; i < n; i++) {
        json_open_object(w);
        api_put_time(w, STR("at"), v[i].at_ms);
        json_put_integer(w, STR("generation"), v[i].gen);
        json_put_string(w, STR("path"), v[i].path);
        json_put_string(w, STR("cause"), v[i].cause);
        json_put_string(w, STR("actor"), v[i].actor);
        json_close_object(w);
    }
    json_close_array(w);
    return OK;
}

static str name_in(const char *const *name, size_t n, int64_t i) {
    return i >= 0 && (size_t)i < n ? str_from(name[i]) : STR("unknown");
}

static str delivery_status(int64_t status) {
    static const char *const name[] = {"ready", "sent", "unknown", "done", "dead", "superseded"};
    return name_in(name, sizeof name / sizeof *name, status);
}

static str ask_status(int64_t status) {
    static const char *const name[] = {"open", "sent", "answered", "failed"};
    return name_in(name, sizeof name / sizeof *name, status);
}

static err put_deliveries(struct call *c, struct json_writer *w) {
    struct delivery_view *v;
    size_t n;
    TRY(store_deliveries(c->reader, c->arena, c->tenant, c->id, &v, &n));
    json_key(w, STR("deliveries"));
    json_open_array(w);
    for (size_t i = 0; i < n; i++) {
        json_open_object(w);
        json_put_string(w, STR("target"), v[i].target);
        json_put_integer(w, STR("generation"), v[i].gen);
        json_put_string(w, STR("status"), delivery_status(v[i].status));
        json_put_integer(w, STR("attempt"), v[i].attempt);
        api_put_time(w, STR("created_at"), v[i].created_ms);
        api_put_time(w, STR("run_at"), v[i].run_ms);
        api_put_time(w, STR("done_at"), v[i].done_ms);
        api_put_text(w, STR("code"), v[i].slug);
        api_put_text(w, STR("reason"), v[i].reason);
        json_close_object(w);
    }
    json_close_array(w);
    return OK;
}

static err put_asks(struct call *c, struct json_writer *w) {
    struct ask_view *v;
    size_t n;
    TRY(store_asks(c->reader, c->arena, c->tenant, c->id, &v, &n));
    json_key(w, STR("asks"));
    json_open_array(w);
    for (size_t i = 0; i < n; i++) {
        json_open_object(w);
        json_put_string(w, STR("name"), v[i].name);
        json_put_integer(w, STR("generation"), v[i].gen);
        json_put_string(w, STR("status"), ask_status(v[i].status));
        json_put_integer(w, STR("attempt"), v[i].attempt);
        api_put_time(w, STR("asked_at"), v[i].asked_ms);
        api_put_time(w, STR("answered_at"), v[i].answered_ms);
        json_put_integer(w, STR("price_micro"), v[i].price_micro);
        api_put_text(w, STR("code"), v[i].slug);
        json_close_object(w);
    }
    json_close_array(w);
    return OK;
}

/* ---- the answer ---- */

/* A name for these bytes: a strong validator (RFC 9110 8.8.3). */
static str tag_of(struct call *c, str body) {
    return str_format(c->arena, "\"%.*s\"", (int)TAG_DIGITS, hash_hex(c->arena, body).ptr);
}

/* If-None-Match compares weakly (RFC 9110 13.1.2). */
static bool is_known(struct call *c, str tag) {
    str rest = http_request_header(c->r, STR("If-None-Match")), item;
    while (str_split(&rest, ',', &item)) {
        item = str_trim(item);
        if (str_starts(item, STR("W/")))
            item = str_slice(item, 2, item.len);
        if (str_equal(item, STR("*")) || str_equal(item, tag))
            return true;
    }
    return false;
}

err lead_get(struct call *c) {
    struct document *d = document_new(c);
    struct lead_view v;
    TRY(api_check_query(c, NULL, 0));
    TRY(api_check_lead_id(c));
    TRY(store_lead(c->reader, c->arena, c->tenant, c->id, &v));
    json_open_object(&d->w);
    api_put_lead(&d->w, &v, true);
    put_json(c, &d->w, STR("fields"), v.body);
    TRY(put_scores(c, &d->w));
    TRY(put_history(c, &d->w));
    TRY(put_deliveries(c, &d->w));
    TRY(put_asks(c, &d->w));
    json_close_object(&d->w);
    TRY(buf_check(d->text));
    str tag = tag_of(c, buf_str(d->text));
    bool known = is_known(c, tag);
    api_answer(c, known ? 304 : 200, known ? (str){0} : buf_str(d->text));
    api_answer_field(c, STR("ETag"), tag);
    api_answer_field(c, STR("Cache-Control"), STR("private, no-cache"));
    return OK;
}
