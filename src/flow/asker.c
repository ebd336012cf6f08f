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
    struct retry_decision d = exchanged_decide(x->engine, got, x->attempt);
    x->answer.slug = slug;
    x->answer.uncounted = d.verdict == RETRY_WAIT;
    if (d.verdict == RETRY_DEAD)
        x->answer.rc = rc;
    else
        x->answer.delay_ms = d.delay_ms + 1;
}

static void answered(void *ctx, const struct exchange *got) {
    struct exchanged *x = ctx;
    struct exchange seen = *got;
    crash_point("answer_received");
    if (got->verdict == EXCHANGE_OK && arena_run(x->arena, read_guarded, &(struct reading){x, got->body}) != OK)
        seen = (struct exchange){.verdict = EXCHANGE_RETRY, .slug = err_slug()};
    if (seen.verdict == EXCHANGE_EMPTY)
        x->answer.answer = STR("{\"fields\":{}}");
    else if (seen.verdict != EXCHANGE_OK)
        no_answer(x, &seen, ERR_REMOTE, seen.slug);
    exchanged_commit(x);
}

struct preparing {
    const struct open_ask *ask;
};

static err prepare(struct exchanged *x, const void *ctx) {
    const struct preparing *p = ctx;
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

/* Ends a question that is not worth asking. */
static void drop_ask(struct exchanged *x, const char *slug) {
    x->answer.rc = ERR_ABSENT;
    x->answer.slug = slug;
    exchanged_commit(x);
}

static void send_ask(struct engine *e, const struct open_ask *ask, bool taken) {
    struct exchanged *x = engine_exchange(e, true, prepare, &(struct preparing){.ask = ask});
    if (!x)
        return; /* the engine stops: the store gives it back */
    if (ask->gone || ask->request.len == 0) {
        drop_ask(x, ask->gone ? "ask_late" : "ask_unreadable");
        return;
    }
    err rc = taken ? target_post(e->lookup, x->key, x->body, ask->failed, answered, x)
                   : fail(ERR_AGAIN, "commit_unknown", "the question may be another process's");
    if (rc == OK)
        return;
    const struct exchange unsent = exchanged_unsent(e, rc);
    no_answer(x, &unsent, rc, unsent.slug);
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
    if (rc == OK && x.asks.n > 0)
        crash_point("asks_claimed");
    bool taken = rc == OK || strcmp(err_slug(), "commit_unknown") == 0;
    bool more = rc == OK && x.asks.n == x.asks.most;
    atomic_store(&e->more_asks, more);
    for (size_t i = 0; taken && i < x.asks.n; i++)
        send_ask(e, &x.asks.ask[i], rc == OK);
    arena_free(arena);
    return more && target_room(e->lookup) > 0;
}
