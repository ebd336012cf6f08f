/* answer.c — the end of a call: told to who asked, to those who follow, to the cache and to the journal. */
#include "egress/egress_priv.h"

#include <assert.h>

/* ---- journal ---- */

void record_attempt(struct call *c, enum egress_class class, const char *slug, struct budget_amount cost, bool uncertain,
                    bool last, bool cached) {
    struct egress *e = c->egress;
    if (c->attempt > 0 && !cached && c->source)
        log_attempt(c, class, slug, cost);
    if (!e->s.journal)
        return;
    const struct egress_record r = {.source = c->c.source,
                                    .operation = c->c.operation,
                                    .credential = c->c.credential,
                                    .tenant = c->c.tenant,
                                    .lead = c->c.lead,
                                    .class = class,
                                    .slug = slug,
                                    .status = c->arrival.status,
                                    .attempt = c->attempt,
                                    .cached = cached,
                                    .last = last,
                                    .cost = cost,
                                    .uncertain = uncertain,
                                    .begun_ms = c->attempt > 0 ? c->begun_wall_ms : e->clock.wall_ms(),
                                    .elapsed_us = c->arrival.elapsed_us,
                                    .out_byte = c->attempt > 0 ? c->out_byte : 0,
                                    .in_byte = c->arrival.body.len};
    e->s.journal(e->s.journal_ctx, &r);
}

/* ---- cache ---- */

struct looking {
    struct call *call;
    str bytes;
    struct kept_answer kept;
    bool found;
};

static err look(void *ctx) {
    struct looking *l = ctx;
    struct egress *e = l->call->egress;
    l->found = cache_get(e->s.cache, str_from(l->call->flight->name), e->cache_arena, &l->bytes);
    return OK;
}

bool answer_cached(struct call *c, struct egress_answer *out) {
    struct egress *e = c->egress;
    struct looking l = {.call = c};
    arena_reset(e->cache_arena);
    if (arena_run(e->cache_arena, look, &l) != OK || !l.found || !answer_read(l.bytes, &l.kept))
        return false;
    struct http_field *header;
    int64_t age = e->clock.wall_ms() - l.kept.stored_ms;
    /* The value fitted into less than half of the arena, so this does. */
    header = arena_copy(e->cache_arena, l.kept.header, sizeof l.kept.header);
    bool empty = l.kept.class == EGRESS_EMPTY;
    *out = (struct egress_answer){.class = l.kept.class,
                                  .rc = empty ? ERR_ABSENT : OK,
                                  .slug = empty ? "egress_empty" : "",
                                  .text = empty ? "the other side knows nothing about it" : "",
                                  .status = l.kept.status,
                                  .header = header,
                                  .n_header = l.kept.n_header,
                                  .body = l.kept.body,
                                  .cached = true,
                                  .age_ms = age > 0 ? age : 0};
    return true;
}

void answer_keep(struct call *c, const struct egress_answer *a) {
    int64_t ttl = a->class == EGRESS_OK ? c->c.cache_ms : a->class == EGRESS_EMPTY ? c->c.empty_cache_ms : 0;
    if (ttl <= 0 || a->cached || a->shared || !c->flight)
        return;
    struct buf bytes;
    buf_init(&bytes, CACHE_VALUE_BYTE);
    answer_write(&bytes, a, c->egress->clock.wall_ms());
    if (!bytes.over)
        cache_put(c->egress->s.cache, str_from(c->flight->name), buf_str(&bytes), ttl);
    buf_done(&bytes);
}

/* ---- the end ---- */

static void give_slot(struct call *c) {
    struct egress *e = c->egress;
    uint32_t slot = (uint32_t)c->id;
    pthread_mutex_lock(&e->lock);
    e->slot[slot] = NULL;
    e->free_slot[e->n_free++] = slot;
    pthread_mutex_unlock(&e->lock);
}

static void count_end(struct call *c, const struct egress_answer *a) {
    struct stats *const both[] = {c->lane ? &c->lane->stats : NULL, c->source ? &c->source->stats : NULL};
    for (size_t i = 0; i < 2; i++) {
        if (!both[i])
            continue;
        bump(&both[i]->class[a->class]);
        if (a->cached)
            bump(&both[i]->cached);
        if (a->shared)
            bump(&both[i]->shared);
    }
    bump(&c->egress->done);
}

/* It ends while its attempt is under way: the money counts as spent. */
static void leave_attempt(struct call *c, enum egress_class class, const char *slug) {
    struct budget_amount cost = c->reserved ? c->most : (struct budget_amount){0, 0};
    bool uncertain = cost.micro > 0 || cost.token > 0;
    struct stats *const both[] = {&c->lane->stats, &c->source->stats};
    for (size_t i = 0; i < 2; i++) {
        atomic_fetch_add(&both[i]->micro, cost.micro);
        atomic_fetch_add(&both[i]->token, cost.token);
        atomic_fetch_add(&both[i]->uncertain_micro, cost.micro);
        atomic_fetch_add(&both[i]->uncertain_token, cost.token);
    }
    budget_release(c, cost);
    c->cost.micro += cost.micro;
    c->cost.token += cost.token;
    record_attempt(c, class, slug, cost, uncertain, true, false);
    http_client_cancel(c->egress->http, c->http_id);
}

void call_answer(struct call *c, struct egress_answer *a, bool own) {
    struct egress *e = c->egress;
    const struct budget_amount none = {0, 0};
    assert(c->stage != STAGE_ENDED);
    bool queued = c->stage == STAGE_PAUSING || c->stage == STAGE_NEW; /* it may stand in the ready list */
    if (c->lane)
        lane_leave(c);
    if (c->in_http)
        leave_attempt(c, a->class, a->slug);
    budget_release(c, none);
    if (c->allowed && !c->in_http) {
        breaker_withdrawn(&c->lane->breaker);
        c->allowed = false;
    }
    if (c->attempt == 0)
        record_attempt(c, a->class, a->cached || a->shared ? "cached" : a->slug, none, false, true, a->cached || a->shared);
    timer_clear(c);
    flight_leave(c);
    answer_keep(c, a);
    c->stage = STAGE_ENDED;
    flight_end(c, a, own);
    give_slot(c);
    count_end(c, a);
    a->cost = c->cost;
    a->attempt = c->attempt;
    a->elapsed_us = (e->clock.steady_ns() - c->submitted_ns) / 1000;
    c->c.done(c->c.ctx, a);
    if (c->in_http)
        return; /* freed when its arrival came */
    for (const struct call *r = e->ready; queued && r; r = r->next)
        if (r == c)
            return; /* freed when its turn comes */
    call_free(c);
}

void call_end(struct call *c, enum egress_class class, err rc, const char *slug, const char *text, bool own) {
    struct egress_answer a = {.class = class, .rc = rc, .slug = slug, .text = text, .status = c->arrival.status};
    call_answer(c, &a, own);
}

void call_refuse(struct call *c, err rc, bool own) {
    char text[1024];
    snprintf(text, sizeof text, "%s", err_text());
    call_end(c, EGRESS_REFUSED, rc, err_slug(), text, own);
}
