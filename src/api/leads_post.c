/* leads_post.c — POST /v1/leads: one lead or many, answered when they are durable. */
#include "api/api_priv.h"
#include "base/crash_point.h"
#include "validate/validate.h"

/* Leads on their way into the store, with what the answer needs. In the request's arena. */
struct posting {
    struct accept accept; /* first: the writer's call-back gets it back */
    struct call *call;
    bool many;
    struct new_lead *lead; /* the good ones */
    uint32_t *place;       /* where each good one stood in the request */
    size_t n, n_all;
    struct refusal *refused; /* n_all; slug NULL: not refused */
    bool leased;
    size_t byte;
    bool unknown; /* whether they are durable: to be submitted until that is known */
    struct later later;
};

struct refusal {
    const char *slug;
    str detail;
};

/* ---- reading ---- */

static str text_of(struct call *c, const struct json *v) {
    struct buf *b = buf_in(c->r->arena, LEAD_MAX_BYTE);
    struct json_writer w;
    json_write_begin(&w, b, 0);
    json_value(&w, v);
    return buf_check(b) == OK ? buf_str(b) : (str){0};
}

static err read_one(struct call *c, const struct json *v, str body, enum run_priority priority, struct new_lead *out) {
    struct identity id;
    if (v->type != JSON_OBJECT)
        return fail(ERR_INPUT, "lead_form", "a lead is a JSON object");
    if (body.len == 0 || body.len > LEAD_MAX_BYTE)
        return fail(ERR_LIMIT, "lead_too_large", "a lead may have %d bytes", (int)LEAD_MAX_BYTE);
    TRY(validate_identity(c->r->arena, v, &id));
    *out = (struct new_lead){.source = id.source.len > 0 ? id.source : STR("api"),
                             .external = id.external,
                             .body = body,
                             .email = id.email,
                             .domain = id.domain,
                             .priority = priority};
    return OK;
}

static void add(struct posting *p, uint32_t i, const struct json *v, str body, enum run_priority priority) {
    struct call *c = p->call;
    if (read_one(c, v, body, priority, &p->lead[p->n]) != OK) {
        p->refused[i] = (struct refusal){err_slug(), str_copy(c->r->arena, str_from(err_text()))};
        return;
    }
    p->byte += p->lead[p->n].body.len + 512;
    p->place[p->n++] = i;
}

static err read_leads(struct posting *p, enum run_priority priority) {
    struct call *c = p->call;
    struct arena *a = c->r->arena;
    const struct json *v, *leads;
    TRY(api_read_body(c, &v));
    leads = json_get(v, STR("leads"));
    p->many = leads != NULL;
    if (p->many && leads->type != JSON_ARRAY)
        return fail(ERR_INPUT, "leads_form", "\"leads\" is not a list");
    p->n_all = p->many ? leads->count : 1;
    if (p->n_all == 0 || p->n_all > API_BATCH_LEADS)
        return fail(ERR_INPUT, "leads_count", "one request may have 1 to %d leads, this one has %zu", API_BATCH_LEADS,
                    p->n_all);
    p->lead = ARENA_ARRAY(a, p->n_all, struct new_lead);
    p->place = ARENA_ARRAY(a, p->n_all, uint32_t);
    p->refused = ARENA_ARRAY(a, p->n_all, struct refusal);
    if (!p->many) {
        TRY(read_one(c, v, c->r->body, priority, &p->lead[0]));
        p->byte = p->lead[0].body.len + 512;
        p->n = 1;
        return OK;
    }
    for (uint32_t i = 0; i < leads->count; i++)
        add(p, i, &leads->items[i], text_of(c, &leads->items[i]), priority);
    return OK;
}

static err read_priority(struct call *c, enum run_priority *out) {
    str text;
    *out = RUN_NORMAL;
    if (http_request_query(c->r, STR("priority"), &text) && !run_priority_parse(text, out))
        return fail(ERR_INPUT, "priority_unknown", "priority is interactive, normal or bulk");
    return OK;
}

/* ---- answering ---- */

static str verdict_name(enum accept_verdict v) {
    return v == ACCEPT_NEW ? STR("new") : v == ACCEPT_UPDATED ? STR("updated") : STR("duplicate");
}

static void put_accepted(struct json_writer *w, const struct accepted *x) {
    json_put_string(w, STR("id"), (str){x->id, RUN_ID_BYTE});
    json_put_string(w, STR("verdict"), verdict_name(x->verdict));
    json_put_integer(w, STR("generation"), x->gen);
}

static void put_refused(struct json_writer *w, struct arena *a, uint32_t i, const struct refusal *x) {
    json_put_integer(w, STR("index"), i);
    json_put_string(w, STR("code"), str_from(x->slug));
    json_put_string(w, STR("detail"), x->detail);
    json_put_string(w, STR("pointer"), str_format(a, "/leads/%u", i));
}

static void put_many(struct posting *p, struct document *d) {
    const struct accept *x = &p->accept;
    int64_t duplicates = 0;
    for (size_t i = 0; i < x->n; i++)
        duplicates += x->lead[i].verdict == ACCEPT_DUPLICATE;
    json_put_integer(&d->w, STR("accepted"), (int64_t)x->n - duplicates);
    json_put_integer(&d->w, STR("duplicates"), duplicates);
    json_put_integer(&d->w, STR("rejected"), (int64_t)(p->n_all - p->n));
    json_key(&d->w, STR("leads"));
    json_open_array(&d->w);
    for (uint32_t i = 0, good = 0; i < p->n_all; i++) {
        json_open_object(&d->w);
        if (p->refused[i].slug)
            put_refused(&d->w, p->call->r->arena, i, &p->refused[i]);
        else
            put_accepted(&d->w, &x->lead[good++]);
        json_close_object(&d->w);
    }
    json_close_array(&d->w);
}

static err answer(void *ctx) {
    struct posting *p = ctx;
    struct document *d = document_new(p->call);
    json_open_object(&d->w);
    if (p->many)
        put_many(p, d);
    else
        put_accepted(&d->w, &p->accept.lead[0]);
    json_close_object(&d->w);
    document_send(p->call, 202, d);
    return OK;
}

static err refuse(void *ctx) {
    struct posting *p = ctx;
    api_send_problem(p->call, 0, p->accept.key_conflict ? ERR_CONFLICT : ERR_AGAIN);
    return OK;
}

static struct posting *posting_of(struct later *l) {
    return (struct posting *)((char *)l - offsetof(struct posting, later));
}

static err submit_guarded(void *ctx) {
    struct posting *p = ctx;
    struct api *api = p->call->api;
    struct sealer *sealer;
    TRY(api_sealer_take(api, &sealer));
    err rc = store_accept(api->c.store, sealer, &p->accept);
    api_sealer_give(api, sealer);
    return rc;
}

static void accepted(struct write *w, err rc);

/* The store knows them again by their identifiers. */
static void submit_again(struct later *l) {
    struct posting *p = posting_of(l);
    err rc = arena_run(p->call->r->arena, submit_guarded, p);
    if (rc != OK)
        accepted(&p->accept.write, rc);
}

/* They may be durable, and then leased to this process, which must learn of it. */
static bool is_unknown(struct posting *p, err rc) {
    if (rc == ERR_AGAIN && str_equal(str_from(err_slug()), STR("commit_unknown")))
        p->unknown = true;
    return p->unknown && (rc == ERR_AGAIN || rc == ERR_LIMIT);
}

/* On the writer's thread: the leads are durable, or they are not. The answer itself is short. */
static void accepted(struct write *w, err rc) {
    struct posting *p = (struct posting *)w;
    struct call *c = p->call;
    struct engine *engine = c->api->c.engine;
    struct arena *a = c->r->arena;
    crash_point("accept_durable");
    if (is_unknown(p, rc)) {
        p->later.fn = submit_again;
        engine_later(engine, &p->later);
        return;
    }
    if (rc != OK || p->accept.key_conflict || p->accept.replayed)
        engine_rejected(engine, c->tenant, p->n, p->leased, p->byte);
    else
        engine_accepted(engine, &p->accept, p->leased, p->byte);
    crash_point("accept_queued");
    if (rc == OK && p->accept.key_conflict)
        rc = fail(ERR_CONFLICT, "idempotency_conflict", "this Idempotency-Key was used before with another request");
    if (arena_run(a, rc == OK ? answer : refuse, p) != OK)
        http_respond(c->r, 503, NULL, 0, (str){0});
}

/* ---- the request ---- */

static err submit(struct posting *p) {
    struct call *c = p->call;
    struct api *api = c->api;
    struct accept *x = &p->accept;
    *x = (struct accept){.write = {.done = accepted},
                         .store = api->c.store,
                         .tenant = c->tenant,
                         .cause = STR("accepted"),
                         .actor = c->actor,
                         .pins = engine_pins(api->c.engine),
                         .lead = ARENA_ARRAY(c->r->arena, p->n, struct accepted),
                         .n = p->n,
                         .idempotency_key = http_request_header(c->r, STR("Idempotency-Key")),
                         .arena = c->r->arena};
    for (size_t i = 0; i < p->n; i++) {
        p->lead[i].lease = p->leased;
        x->lead[i].in = &p->lead[i];
    }
    return submit_guarded(p);
}

static err nothing_good(struct posting *p) {
    struct document *d = document_new(p->call);
    json_open_object(&d->w);
    put_many(p, d);
    json_close_object(&d->w);
    document_send(p->call, 202, d);
    return OK;
}

err leads_post(struct call *c) {
    struct posting *p = ARENA_NEW(c->r->arena, struct posting);
    enum run_priority priority;
    int64_t after_ms = 0;
    p->call = c;
    TRY(read_priority(c, &priority));
    TRY(read_leads(p, priority));
    if (p->n == 0)
        return nothing_good(p);
    err rc = engine_admit(c->api->c.engine, c->tenant, p->n, p->byte, &p->leased, &after_ms);
    if (rc != OK) {
        api_send_problem_at(c, 0, rc, after_ms, NULL);
        return OK;
    }
    rc = submit(p);
    if (rc != OK)
        engine_rejected(c->api->c.engine, c->tenant, p->n, p->leased, p->byte);
    return rc;
}
