/* sender.c — carries deliveries out: at least once, with a key that makes the second time nothing, and a generation that
 * makes an older one lose. */
#include "flow/engine_priv.h"
#include "flow/snapshot.h"

#include "base/crash_point.h"

enum { DELIVER_MOST = 256, BODY_MOST = 1 << 20 };

static err submit_delivery_claim(struct awaited *x) { return store_delivery_claim(x->deliveries.store, &x->deliveries); }

static void settle(struct exchanged *x, enum delivery_status status, int64_t run_ms, const struct exchange *got) {
    x->delivered.status = status;
    x->delivered.waited = got && got->verdict == EXCHANGE_WAIT;
    x->delivered.run_ms = run_ms;
    x->delivered.slug = got && *got->slug ? got->slug : NULL;
    x->delivered.reason = got && got->status > 0 && x->delivered.slug
                              ? str_format(x->arena, "the other side answered %d", got->status)
                              : (str){0};
    exchanged_commit(x);
}

/* It did not go well: what now? */
static void not_delivered(struct exchanged *x, const struct exchange *got) {
    struct engine *e = x->engine;
    struct retry_decision d = exchanged_decide(e, got, x->attempt);
    enum delivery_status status = got->verdict == EXCHANGE_UNKNOWN || x->unknown ? DELIVERY_UNKNOWN : DELIVERY_READY;
    settle(x, d.verdict == RETRY_DEAD ? DELIVERY_DEAD : status, e->c.clock.wall_ms() + d.delay_ms + 1, got);
}

struct handling {
    struct exchanged *x;
    const struct exchange *got;
};

static err delivered_guarded(void *ctx) {
    const struct handling *h = ctx;
    if (h->got->verdict == EXCHANGE_OK)
        settle(h->x, DELIVERY_DONE, 0, NULL);
    else if (h->got->verdict == EXCHANGE_SUPERSEDED)
        settle(h->x, DELIVERY_SUPERSEDED, 0, h->got);
    else if (h->got->verdict == EXCHANGE_EMPTY)
        not_delivered(h->x,
                      &(struct exchange){.verdict = EXCHANGE_REFUSED, .status = h->got->status, .slug = "target_refused"});
    else
        not_delivered(h->x, h->got);
    return OK;
}

static void delivered(void *ctx, const struct exchange *got) {
    struct exchanged *x = ctx;
    crash_point("delivery_sent");
    if (arena_run(x->arena, delivered_guarded, &(struct handling){x, got}) != OK)
        exchanged_commit(x);
}

static void post(struct exchanged *x, bool retry) {
    if (target_post(x->engine->callback, x->key, x->body, retry, delivered, x) != OK)
        delivered(x, &(struct exchange){.verdict = EXCHANGE_WAIT, .after_ms = 1000, .slug = "target_busy"});
}

/* An ambiguous delivery was asked after: it arrived, it did not and is sent, or nobody knows yet. */
static void looked_up(void *ctx, const struct exchange *got) {
    struct exchanged *x = ctx;
    if (got->verdict == EXCHANGE_EMPTY) {
        x->unknown = false;
        post(x, x->failed);
        return;
    }
    struct exchange seen = *got;
    if (got->verdict != EXCHANGE_OK && got->verdict != EXCHANGE_WAIT)
        seen.verdict = EXCHANGE_UNKNOWN;
    delivered(x, &seen);
}

struct preparing {
    struct exchanged *x;
    const struct due_delivery *due;
};

static err prepare(void *ctx) {
    const struct preparing *p = ctx;
    const struct due_delivery *due = p->due;
    struct exchanged *x = p->x;
    struct arena *a = x->arena;
    const struct callback c = {due->tenant, due->lead, due->target, due->gen, due->scored_ms, due->snapshot, due->pins};
    x->attempt = due->attempt;
    x->unknown = due->unknown;
    x->failed = due->failed;
    x->delivered = (struct delivery_done){.store = x->engine->c.store,
                                          .tenant = str_copy(a, due->tenant),
                                          .lead = str_copy(a, due->lead),
                                          .target = str_copy(a, due->target),
                                          .gen = due->gen,
                                          .fence = due->fence,
                                          .status = DELIVERY_DEAD};
    x->key = callback_key(a, &c);
    struct buf *body = buf_in(a, BODY_MOST);
    TRY(callback_write(a, &c, body));
    TRY(buf_check(body));
    x->body = buf_str(body);
    return OK;
}

/* Sends it, or gives it back. */
static void send_delivery(struct engine *e, const struct due_delivery *due, bool send) {
    struct exchanged *x = exchanged_new(e, false);
    if (!x)
        return; /* taken over when this process is gone */
    if (arena_run(x->arena, prepare, &(struct preparing){x, due}) != OK) {
        x->delivered.slug = err_slug(); /* its score cannot be read: a person must look */
        exchanged_commit(x);
        return;
    }
    if (!send) {
        delivered(x, &(struct exchange){.verdict = EXCHANGE_WAIT, .after_ms = 1, .slug = ""});
        return;
    }
    err rc = due->unknown ? target_status(e->callback, x->key, looked_up, x) : ERR_ABSENT;
    if (rc == ERR_LIMIT)
        looked_up(x, &(struct exchange){.verdict = EXCHANGE_WAIT, .after_ms = 1000, .slug = "target_busy"});
    else if (rc != OK) /* nobody can tell whether it arrived: its key makes the second time nothing */
        post(x, due->failed);
}

bool engine_deliver(struct engine *e) {
    size_t room = e->c.hold_deliveries ? 0 : target_room(e->callback);
    struct arena *arena = room > 0 ? arena_new((size_t)256 << 20) : NULL;
    if (!arena)
        return false;
    struct awaited x = {
        .deliveries = {.store = e->c.store, .most = room < DELIVER_MOST ? room : DELIVER_MOST, .arena = arena}};
    err rc = engine_await(&x, submit_delivery_claim);
    if (rc != OK)
        log_event(e->c.log, LOG_WARN, "delivery_claim_failed", LOG_FIELDS(log_text("slug", str_from(err_slug()))));
    else if (x.deliveries.n > 0)
        crash_point("deliveries_claimed");
    bool ours = rc == OK || engine_claimed_perhaps(&x);
    for (size_t i = 0; ours && i < x.deliveries.n; i++)
        send_delivery(e, &x.deliveries.delivery[i], rc == OK);
    bool more = rc == OK && x.deliveries.n == x.deliveries.most && target_room(e->callback) > 0;
    arena_free(arena);
    return more;
}
