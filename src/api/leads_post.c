/* leads_post.c — POST /v1/leads: one lead or many, answered when they are durable.
 *
 * The answer is written by the writer's call-back, on the writer's thread, into bytes that were set aside before: the arena
 * belongs to the thread that read the request. */
#include "api/api_priv.h"
#include "base/crash_point.h"
#include "validate/validate.h"

#include <assert.h>

enum {
    ACCEPTED_BYTE = 128, /* {"id":"...","verdict":"duplicate","generation":...}, */
    ANSWER_BYTE = 2048,  /* what is around them, or a problem document */
    COUNTED_BYTE = 512,  /* beside the body, against the engine's memory */
    MOST_TRIES = 5
};

struct refusal {
    const char *slug; /* NULL: not refused */
    str detail, pointer;
};

/* Leads on their way into the store, with what the answer needs. */
struct posting {
    struct accept accept; /* first: the writer's call-back gets it back */
    struct call *call;
    bool many, leased;
    struct new_lead *lead; /* the good ones */
    size_t n, n_all, byte;
    struct refusal *refused; /* n_all */
    struct document answer;
    int tries;
};

/* ---- reading ---- */

/* Has a lead of many at most the values and levels that one alone may have? */
static bool within(const struct json *v, int levels, size_t *values) {
    if (++*values > LEAD_MAX_VALUE)
        return false;
    if (v->type != JSON_OBJECT && v->type != JSON_ARRAY)
        return true;
    bool good = levels > 0;
    for (uint32_t i = 0; good && i < v->count; i++)
        good = within(v->type == JSON_ARRAY ? &v->items[i] : &v->members[i].value, levels - 1, values);
    return good;
}

static err read_one(struct call *c, const struct json *v, str body, struct new_lead *out) {
    struct identity id;
    if (v->type != JSON_OBJECT)
        return fail(ERR_INPUT, "lead_form", "a lead is a JSON object");
    size_t values = 0;
    if (body.len > LEAD_MAX_BYTE || !within(v, LEAD_MAX_DEPTH, &values))
        return fail(ERR_LIMIT, "lead_too_large", "a lead may have %d bytes, %d values and %d levels", (int)LEAD_MAX_BYTE,
                    (int)LEAD_MAX_VALUE, (int)LEAD_MAX_DEPTH);
    TRY(validate_check(c->arena, v));
    TRY(validate_identity(c->arena, v, &id));
    out->body = body;
    out->external = id.external;
    out->email = id.email;
    out->domain = id.domain;
    if (id.source.len > 0)
        out->source = id.source;
    return OK;
}

/* The text of one lead of many goes to the end of `texts`, which may move: until all are there, body.ptr is not set. */
static void add(struct posting *p, uint32_t i, const struct json *v, const struct new_lead *like, struct buf *texts) {
    struct call *c = p->call;
    struct new_lead *lead = &p->lead[p->n];
    struct json_writer w;
    const size_t from = texts->len;
    *lead = *like;
    json_write_begin(&w, texts, 0);
    json_value(&w, v);
    if (read_one(c, v, (str){NULL, texts->over ? LEAD_MAX_BYTE + 1 : texts->len - from}, lead) == OK) {
        p->byte += lead->body.len + COUNTED_BYTE;
        p->n++;
        return;
    }
    texts->len = from;
    p->refused[i] =
        (struct refusal){err_slug(), str_copy(c->arena, str_from(err_text())), str_format(c->arena, "/leads/%u", i)};
}

static err read_many(struct posting *p, const struct json *v, const struct new_lead *like) {
    const struct json *leads = json_get(v, STR("leads"));
    struct arena *a = p->call->arena;
    const size_t size = p->call->r->body.len;
    if (leads->type != JSON_ARRAY || v->count != 1)
        return fail(ERR_INPUT, "leads_form", "a batch is {\"leads\": [lead, ...]} and nothing else");
    if (leads->count == 0 || leads->count > API_BATCH_LEADS)
        return fail(ERR_LIMIT, "leads_count", "one request may have 1 to %d leads, this one has %u", (int)API_BATCH_LEADS,
                    leads->count);
    p->n_all = leads->count;
    p->lead = ARENA_ARRAY(a, p->n_all, struct new_lead);
    p->refused = ARENA_ARRAY(a, p->n_all, struct refusal);
    struct buf *texts = buf_in(a, 8 * size + LEAD_MAX_BYTE);
    buf_reserve(texts, size);
    for (uint32_t i = 0; i < leads->count; i++)
        add(p, i, &leads->items[i], like, texts);
    for (size_t i = 0, at = 0; i < p->n; at += p->lead[i++].body.len)
        p->lead[i].body.ptr = texts->ptr + at;
    return OK;
}

/* No value takes less than two bytes, with the comma behind it. */
static size_t most_values(size_t body_byte) {
    const size_t most = (size_t)API_BATCH_LEADS * 2048, need = body_byte / 2 + 2;
    return need < most ? need : most;
}

static err read_leads(struct posting *p, const struct new_lead *like) {
    struct call *c = p->call;
    const struct json *v;
    const struct json_limits limits = {.max_byte = c->r->body.len + 1, /* the server has its own limit on them */
                                       .max_depth = LEAD_MAX_DEPTH + 2,
                                       .max_value = most_values(c->r->body.len)};
    TRY(api_read_body(c, &limits, &v));
    p->many = json_get(v, STR("leads")) != NULL;
    if (p->many)
        return read_many(p, v, like);
    p->n_all = 1;
    p->lead = ARENA_NEW(c->arena, struct new_lead);
    *p->lead = *like;
    TRY(read_one(c, v, c->r->body, p->lead));
    p->byte = p->lead->body.len + COUNTED_BYTE;
    p->n = 1;
    return OK;
}

/* ---- answering ---- */

static str verdict_name(enum accept_verdict v) {
    return v == ACCEPT_NEW ? STR("new") : v == ACCEPT_UPDATED ? STR("updated") : STR("duplicate");
}

/* The generation of then is not known when a request is answered again. */
static void put_accepted(struct json_writer *w, const struct accepted *x, bool replayed) {
    json_put_string(w, STR("id"), (str){x->id, RUN_ID_BYTE});
    json_put_string(w, STR("verdict"), verdict_name(x->verdict));
    json_key(w, STR("generation"));
    if (replayed || x->gen <= 0)
        json_null(w);
    else
        json_integer(w, x->gen);
}

static void put_refused(struct json_writer *w, uint32_t i, const struct refusal *x) {
    json_put_integer(w, STR("index"), i);
    json_put_string(w, STR("code"), str_from(x->slug));
    json_put_string(w, STR("detail"), x->detail);
    json_put_string(w, STR("pointer"), x->pointer);
}

static void put_many(const struct posting *p, struct json_writer *w) {
    const struct accept *x = &p->accept;
    int64_t duplicates = 0;
    for (size_t i = 0; i < p->n; i++)
        duplicates += x->lead[i].verdict == ACCEPT_DUPLICATE;
    json_put_integer(w, STR("accepted"), (int64_t)p->n - duplicates);
    json_put_integer(w, STR("duplicates"), duplicates);
    json_put_integer(w, STR("rejected"), (int64_t)(p->n_all - p->n));
    json_key(w, STR("leads"));
    json_open_array(w);
    for (uint32_t i = 0, good = 0; i < p->n_all; i++) {
        json_open_object(w);
        if (p->refused[i].slug)
            put_refused(w, i, &p->refused[i]);
        else
            put_accepted(w, &x->lead[good++], x->replayed);
        json_close_object(w);
    }
    json_close_array(w);
}

/* Room for whatever the answer will be. */
static void set_aside(struct posting *p) {
    struct call *c = p->call;
    size_t cap = ANSWER_BYTE + p->n * ACCEPTED_BYTE;
    for (size_t i = 0; p->refused && i < p->n_all; i++) /* escaped, a byte may become six */
        cap += p->refused[i].slug ? ACCEPTED_BYTE + 6 * p->refused[i].detail.len : 0;
    struct buf *b = ARENA_NEW(c->arena, struct buf);
    *b = (struct buf){.ptr = arena_alloc(c->arena, cap), .cap = cap, .max = cap};
    p->answer.text = b;
    json_write_begin(&p->answer.w, b, 0);
    api_prepare(c);
}

static void write_answer(struct posting *p) {
    struct document *d = &p->answer;
    json_open_object(&d->w);
    if (p->many)
        put_many(p, &d->w);
    else
        put_accepted(&d->w, &p->accept.lead[0], p->accept.replayed);
    json_close_object(&d->w);
    assert(!d->text->over);
    if (p->accept.replayed)
        api_answer_field(p->call, STR("Idempotent-Replayed"), STR("true"));
    api_answer(p->call, 202, buf_str(d->text));
}

/* ---- the commit ---- */

static err submit(struct posting *p, struct arena *a) {
    struct api *api = p->call->api;
    struct sealer *sealer;
    p->accept.arena = a;
    TRY(api_sealer_take(api, &sealer));
    err rc = store_accept(api->c.store, sealer, &p->accept);
    api_sealer_give(api, sealer);
    return rc;
}

static void give_up(struct posting *p, err rc) {
    engine_rejected(p->call->api->c.engine, p->call->tenant, p->n, p->leased, p->byte);
    api_problem_in(p->call, p->answer.text, rc);
}

/* Whether it was committed is not known: the same command is submitted once more, which does no harm. */
static err submit_again(struct call *c) {
    struct posting *p = c->user;
    *c->later = true;
    err rc = submit(p, c->arena);
    if (rc == OK)
        return OK;
    *c->later = false;
    give_up(p, rc);
    return OK;
}

/* On the writer's thread: the leads are durable, or they are not. */
static void accepted(struct write *w, err rc) {
    struct posting *p = (struct posting *)w;
    struct call *c = p->call;
    crash_point("accept_durable");
    const bool unknown = rc == ERR_AGAIN && strcmp(err_slug(), "commit_unknown") == 0;
    if (unknown && ++p->tries < MOST_TRIES && pool_run(c->api->pool, c, submit_again) == OK)
        return;
    if (unknown && p->leased)
        engine_doubt(c->api->c.engine);
    if (rc == OK && p->accept.key_conflict)
        rc = fail(ERR_CONFLICT, "idempotency_conflict", "this Idempotency-Key was used before with another request");
    if (rc != OK) {
        give_up(p, rc);
    } else {
        if (p->accept.replayed)
            engine_rejected(c->api->c.engine, c->tenant, p->n, p->leased, p->byte);
        else
            engine_accepted(c->api->c.engine, &p->accept, p->leased, p->byte);
        crash_point("accept_queued");
        write_answer(p);
    }
    api_send(c);
}

static void fill_accept(struct posting *p, str idempotency_key) {
    struct call *c = p->call;
    p->accept = (struct accept){.write = {.done = accepted},
                                .store = c->api->c.store,
                                .tenant = c->tenant,
                                .cause = STR("accepted"),
                                .actor = c->actor,
                                .pins = engine_pins(c->api->c.engine),
                                .lead = ARENA_ARRAY(c->arena, p->n, struct accepted),
                                .n = p->n,
                                .idempotency_key = idempotency_key};
    for (size_t i = 0; i < p->n; i++) {
        p->lead[i].lease = p->leased;
        p->accept.lead[i].in = &p->lead[i];
    }
}

err leads_take(struct call *c, str source, str idempotency_key, enum run_priority priority) {
    struct posting *p = ARENA_NEW(c->arena, struct posting);
    const struct new_lead like = {.source = source, .priority = priority};
    p->call = c;
    c->user = p;
    TRY(read_leads(p, &like));
    set_aside(p);
    if (p->n == 0) {
        write_answer(p);
        return OK;
    }
    TRY(engine_admit(c->api->c.engine, c->tenant, p->n, p->byte, &p->leased, &c->after_ms));
    fill_accept(p, idempotency_key);
    *c->later = true;
    err rc = submit(p, c->arena);
    if (rc == OK)
        return OK;
    *c->later = false;
    engine_rejected(c->api->c.engine, c->tenant, p->n, p->leased, p->byte);
    return rc;
}

/* ---- the request ---- */

err leads_post(struct call *c) {
    static const char *const parameter[] = {"priority"};
    str priority = STR("normal"), key = http_request_header(c->r, STR("Idempotency-Key"));
    enum run_priority p;
    TRY(api_check_query(c, parameter, 1));
    TRY(api_query_text(c, "priority", 16, &priority));
    if (!run_priority_parse(priority, &p))
        return fail(ERR_INPUT, "query_value", "\"priority\" must be interactive, normal or bulk");
    if (key.ptr && (key.len == 0 || key.len > 255))
        return fail(ERR_INPUT, "idempotency_key", "an Idempotency-Key has 1 to 255 characters");
    return leads_take(c, STR("api"), key, p);
}
