/* sender.c — carries deliveries out: at least once, with a key that makes the second time nothing, and a generation that
 * makes an older one lose. */
#include "flow/engine_priv.h"
#include "base/crash_point.h"
#include "flow/snapshot.h"

enum { DELIVER_MOST = 256, BODY_MOST = 1 << 20 };

static err submit_delivery_claim(struct awaited *x) { return store_delivery_claim(x->deliveries.store, &x->deliveries); }

static void settle(struct exchanged *x, enum delivery_status status, const struct exchange *got) {
    x->delivered.status = status;
    x->delivered.slug = got && got->slug && *got->slug ? got->slug : NULL;
    if (got && got->status > 0 && x->delivered.slug) {
        snprintf(x->reason, sizeof x->reason, "the other side answered %d", got->status);
        x->delivered.reason = str_from(x->reason);
    }
    exchanged_commit(x);
}

/* It did not go well: what now? What may have arrived stays unknown until somebody says that it did not. */
static void not_delivered(struct exchanged *x, const struct exchange *got) {
    struct retry_decision d = exchanged_decide(x->engine, got, x->attempt);
    bool unknown = x->unknown || got->verdict == EXCHANGE_UNKNOWN;
    x->delivered.delay_ms = d.delay_ms + 1;
    x->delivered.uncounted = d.verdict == RETRY_WAIT;
    x->delivered.unknown = unknown;
    settle(x, d.verdict == RETRY_DEAD ? DELIVERY_DEAD : unknown ? DELIVERY_UNKNOWN : DELIVERY_READY, got);
}

static void delivered(void *ctx, const struct exchange *got) {
    struct exchanged *x = ctx;
    crash_point("delivery_sent");
    struct exchange seen = *got;
    if (got->verdict == EXCHANGE_EMPTY) { /* a target that is not there */
        seen.verdict = EXCHANGE_REFUSED;
        seen.slug = "target_refused";
    }
    if (got->verdict == EXCHANGE_OK)
        settle(x, DELIVERY_DONE, NULL);
    else if (got->verdict == EXCHANGE_SUPERSEDED)
        settle(x, DELIVERY_SUPERSEDED, got);
    else
        not_delivered(x, &seen);
}

static void post(struct exchanged *x, bool retry) {
    err rc = target_post(x->engine->callback, x->key, x->body, retry, delivered, x);
    if (rc == OK)
        return;
    const struct exchange unsent = exchanged_unsent(x->engine, rc);
    not_delivered(x, &unsent);
}

/* An ambiguous delivery was asked after: it arrived, it did not and is sent, or nobody knows yet. */
static void looked_up(void *ctx, const struct exchange *got) {
    struct exchanged *x = ctx;
    if (got->verdict == EXCHANGE_EMPTY) {
        x->unknown = false;
        post(x, x->failed);
    } else if (got->verdict == EXCHANGE_OK) {
        settle(x, DELIVERY_DONE, NULL);
    } else {
        not_delivered(x, got);
    }
}

static err prepare(struct exchanged *x, const void *ctx) {
    const struct due_delivery *due = ctx;
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
                                          .unknown = due->unknown};
    x->key = callback_key(a, &c);
    return OK;
}

struct writing {
    struct exchanged *x;
    const struct due_delivery *due;
};

static err write_body(void *ctx) {
    const struct writing *w = ctx;
    const struct due_delivery *due = w->due;
    const struct callback c = {due->tenant, due->lead, due->target, due->gen, due->scored_ms, due->snapshot, due->pins};
    struct buf *body = buf_in(w->x->arena, BODY_MOST);
    if (!str_equal(due->target, STR(ENGINE_CALLBACK)))
        return fail(ERR_INPUT, "target_unknown", "this program knows no target of that name");
    TRY(callback_write(w->x->arena, &c, body));
    TRY(buf_check(body));
    w->x->body = buf_str(body);
    return OK;
}

/* Asks first what became of one that may have arrived; without an address for that it is sent again under its key. */
static void send(struct exchanged *x, const struct due_delivery *due) {
    err rc = due->unknown ? target_status(x->engine->callback, x->key, looked_up, x) : ERR_ABSENT;
    if (rc == OK)
        return;
    if (rc == ERR_ABSENT) {
        post(x, due->failed);
        return;
    }
    const struct exchange unsent = exchanged_unsent(x->engine, rc);
    not_delivered(x, &unsent);
}

static void send_delivery(struct engine *e, const struct due_delivery *due, bool taken) {
    struct exchanged *x = engine_exchange(e, false, prepare, due);
    if (!x)
        return;   /* the engine stops: the store gives it back */
    if (!taken) { /* it may be another process's */
        not_delivered(x, &(struct exchange){.verdict = EXCHANGE_WAIT, .after_ms = 1, .slug = "commit_unknown"});
        return;
    }
    err rc = arena_run(x->arena, write_body, &(struct writing){x, due});
    if (rc == ERR_LIMIT) {
        not_delivered(x, &(struct exchange){.verdict = EXCHANGE_RETRY, .slug = err_slug()});
    } else if (rc != OK) { /* its score cannot be read, or nobody knows the target: a person must look */
        not_delivered(x, &(struct exchange){.verdict = EXCHANGE_REFUSED, .slug = err_slug()});
    } else {
        send(x, due);
    }
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
    if (rc == OK && x.deliveries.n > 0)
        crash_point("deliveries_claimed");
    bool taken = rc == OK || strcmp(err_slug(), "commit_unknown") == 0;
    bool more = rc == OK && x.deliveries.n > 0; /* those that were superseded are not among the n */
    atomic_store(&e->more_deliveries, more);
    for (size_t i = 0; taken && i < x.deliveries.n; i++)
        send_delivery(e, &x.deliveries.delivery[i], rc == OK);
    arena_free(arena);
    return more && target_room(e->callback) > 0;
}
