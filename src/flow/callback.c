/* callback.c — the body of a signed call-back. */
#include "flow/snapshot.h"

#include "base/time.h"

str callback_key(struct arena *a, const struct callback *c) {
    return str_format(a, "%.*s:%.*s:%lld:%.*s", STR_ARG(c->tenant), STR_ARG(c->lead), (long long)c->gen, STR_ARG(c->target));
}

/* Copies a member when it is there. */
static void put_member(struct json_writer *w, const struct json *from, str key, str as) {
    const struct json *v = json_get(from, key);
    if (!v)
        return;
    json_key(w, as);
    json_value(w, v);
}

static void write_reasons(struct json_writer *w, const struct json *v) {
    const struct json *reasons = json_get(v, STR("reasons"));
    json_key(w, STR("reasons"));
    json_open_array(w);
    for (uint32_t k = 0; reasons && reasons->type == JSON_ARRAY && k < reasons->count; k++) {
        const struct json *text = json_get(&reasons->items[k], STR("text"));
        if (text && text->type == JSON_STRING)
            json_string(w, text->string);
    }
    json_close_array(w);
}

static void write_made_by(struct json_writer *w, const struct pin_terms *t) {
    json_key(w, STR("made_by"));
    json_open_object(w);
    if (t->model.len > 0)
        json_put_string(w, STR("model"), t->model);
    if (t->profile.len > 0)
        json_put_string(w, STR("profile"), t->profile);
    json_put_string(w, STR("program"), t->program);
    json_close_object(w);
}

err callback_write(struct arena *a, const struct callback *c, struct buf *out) {
    const struct json *v;
    struct pin_terms t;
    struct json_writer w;
    char at[TIME_TEXT_BYTE];
    TRY(snapshot_read(a, c->snapshot, &v));
    TRY(pin_read(a, c->pins, &t));
    json_write_begin(&w, out, 0);
    json_open_object(&w);
    put_member(&w, v, STR("external"), STR("external_id"));
    json_put_integer(&w, STR("generation"), c->gen);
    json_put_string(&w, STR("idempotency_key"), callback_key(a, c));
    put_member(&w, v, STR("high"), STR("interval_high"));
    put_member(&w, v, STR("low"), STR("interval_low"));
    json_put_string(&w, STR("lead"), c->lead);
    write_made_by(&w, &t);
    put_member(&w, v, STR("note"), STR("note"));
    put_member(&w, v, STR("outcome"), STR("outcome"));
    write_reasons(&w, v);
    put_member(&w, v, STR("probability"), STR("score"));
    json_put_string(&w, STR("scored_at"), (str){at, time_format(c->scored_ms, at)});
    json_put_string(&w, STR("tenant"), c->tenant);
    put_member(&w, v, STR("tier"), STR("tier"));
    json_put_integer(&w, STR("v"), SNAPSHOT_VERSION);
    json_close_object(&w);
    return buf_check(out);
}
