/* asker.c — sends the questions of parked runs, and journals the answers with their price as soon as they come. */
#include "flow/engine_priv.h"

#include "base/crash_point.h"

enum { ASK_MOST = 256, ANSWER_MAX_BYTE = 1 << 20 };

static err submit_ask_claim(struct awaited *x) { return store_ask_claim(x->asks.store, &x->asks); }

/* What an answer must be: a JSON object; its price is journalled with it. */
static err read_answer(struct exchanged *x, str body) {
    const struct json *v;
    const struct json_limits limits = {.max_byte = ANSWER_MAX_BYTE, .max_depth = 32, .max_value = 100000};
    err rc = json_parse(x->arena, body, &limits, &v);
    if (rc != OK || v->type != JSON_OBJECT)
        return fail(ERR_REMOTE, "answer_not_json", "the answer is not a JSON object");
    const struct json *price = json_get(v, STR("price_micro"));
    if (price && (price->type != JSON_INTEGER || price->integer < 0))
        return fail(ERR_REMOTE, "answer_price", "\"price_micro\" in the answer is not a whole number of at least 0");
    x->answer.answer = str_copy(x->arena, body);
    x->answer.price_micro = price ? price->integer : 0;
    return OK;
}

struct reading {
    struct exchanged *x;
    str body;
};

static err read_guarded(void *ctx) {
    struct reading *r = ctx;
    return read_answer(r->x, r->body);
}

/* No answer this time: again later, or never. */
static void no_answer(struct exchanged *x, const struct exchange *got, err rc, const char *slug) {
    struct engine *e = x->engine;
    struct retry_decision d = exchanged_decide(e, got, x->attempt);
    x->answer.slug = slug;
    x->answer.waited = d.verdict == RETRY_WAIT;
    if (d.verdict == RETRY_DEAD)
        x->answer.rc = rc;
    else
        x->answer.run_ms = e->c.clock.wall_ms() + d.delay_ms + 1;
}

static void answered(void *ctx, const struct exchange *got) {
    struct exchanged *x = ctx;
    struct exchange seen = *got;
    crash_point("answer_received");
    if (got->verdict == EXCHANGE_OK && arena_run(x->arena, read_guarded, &(struct reading){x, got->body}) != OK)
        seen = (struct exchange){.verdict = EXCHANGE_RETRY, .slug = err_slug()};
    if (seen.verdict == EXCHANGE_EMPTY)
        x->answer.answer = STR("{}");
    else if (seen.verdict != EXCHANGE_OK)
        no_answer(x, &seen, ERR_REMOTE, seen.slug);
    exchanged_commit(x);
}

struct preparing {
    struct exchanged *x;
    const struct open_ask *ask;
};

static err prepare(void *ctx) {
    const struct preparing *p = ctx;
    struct exchanged *x = p->x;
    struct arena *a = x->arena;
    x->attempt = p->ask->attempt;
    x->key = str_format(a, "%.*s:%.*s:%lld:%.*s", STR_ARG(p->ask->tenant), STR_ARG(p->ask->lead), (long long)p->ask->gen,
                        STR_ARG(p->ask->name));
    x->body = str_copy(a, p->ask->request);
    x->answer = (struct ask_answer){.store = x->engine->c.store,
                                    .tenant = str_copy(a, p->ask->tenant),
                                    .lead = str_copy(a, p->ask->lead),
                                    .name = str_copy(a, p->ask->name),
                                    .key = str_copy(a, p->ask->key),
                                    .gen = p->ask->gen,
                                    .arena = a};
    return OK;
}

/* Sends it, or gives it back: a question is never put twice because nobody knows who has it. */
static void send_ask(struct engine *e, const struct open_ask *ask, bool send) {
    struct exchanged *x = exchanged_new(e, true);
    if (!x)
        return; /* it stays with this process until its run stops waiting for it */
    if (arena_run(x->arena, prepare, &(struct preparing){x, ask}) != OK) {
        exchanged_free(x);
        return;
    }
    if (send && target_post(e->lookup, x->key, x->body, ask->failed, answered, x) == OK)
        return;
    const struct exchange refused = {.verdict = EXCHANGE_WAIT, .after_ms = send ? 1000 : 1};
    no_answer(x, &refused, ERR_AGAIN, NULL);
    exchanged_commit(x);
}

bool engine_ask(struct engine *e) {
    size_t room = target_room(e->lookup);
    struct arena *arena = room > 0 ? arena_new((size_t)256 << 20) : NULL;
    if (!arena)
        return false;
    struct awaited x = {.asks = {.store = e->c.store, .most = room < ASK_MOST ? room : ASK_MOST, .arena = arena}};
    err rc = engine_await(&x, submit_ask_claim);
    if (rc != OK)
        log_event(e->c.log, LOG_WARN, "ask_claim_failed", LOG_FIELDS(log_text("slug", str_from(err_slug()))));
    else if (x.asks.n > 0)
        crash_point("asks_claimed");
    bool ours = rc == OK || engine_claimed_perhaps(&x);
    for (size_t i = 0; ours && i < x.asks.n; i++)
        send_ask(e, &x.asks.ask[i], rc == OK);
    bool more = rc == OK && x.asks.n == x.asks.most && target_room(e->lookup) > 0;
    arena_free(arena);
    return more;
}
