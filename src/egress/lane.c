/* lane.c — who waits for a credential, and when the next one may go out: rests, rate limits, what was learned, breaker. */
#include "egress/egress_priv.h"

#include "base/number.h"

enum {
    SEEN_MS = 200,       /* how often others' hold is looked up */
    AUTH_LEAST = 3,      /* refusals in a row before the credential rests: a token may be renewed first */
    HOLD_FIRST_MS = 250, /* after a throttled answer that does not say when */
    HOLD_MOST_MS = 30000,
    KEY_BYTE = 2 * NAME_BYTE + 32,
    PART_OF_BURST = 10
};

static const int64_t BLIND_MS = 1000; /* nothing left, and not said for how long */

/* ---- the queue ---- */

void lane_enter(struct call *c, bool front) {
    struct lane *l = c->lane;
    c->stage = STAGE_WAITING;
    c->taken = 0;
    c->prev = front ? NULL : l->last;
    c->next = front ? l->first : NULL;
    *(c->prev ? &c->prev->next : &l->first) = c;
    *(c->next ? &c->next->prev : &l->last) = c;
    bump(&l->stats.waiting);
    bump(&l->source->stats.waiting);
    l->wake_ms = 0; /* the thread looks at it in this round */
}

void lane_leave(struct call *c) {
    struct lane *l = c->lane;
    if (c->stage != STAGE_WAITING)
        return;
    *(c->prev ? &c->prev->next : &l->first) = c->next;
    *(c->next ? &c->next->prev : &l->last) = c->prev;
    c->next = c->prev = NULL;
    c->stage = STAGE_NEW;
    atomic_fetch_sub(&l->stats.waiting, 1);
    atomic_fetch_sub(&l->source->stats.waiting, 1);
}

/* ---- rate limits ---- */

static str key_of(const struct lane *l, const char *what, size_t k, char key[KEY_BYTE]) {
    int n = snprintf(key, KEY_BYTE, "egress-%s-%zu:%s:%s", what, k, l->source->name, l->credential);
    return (str){key, n < 0 ? 0 : n < KEY_BYTE ? (size_t)n : KEY_BYTE - 1};
}

/* A bucket of b tokens, filled with (N - b + 1) in a period T, lets at most N out in any period: b at once and then
 * ceil(N - b + 1) - 1 more. */
static bool take_token(struct egress *e, const struct lane *l, size_t k, struct egress_rate rate, int64_t *wait_ms) {
    char key[KEY_BYTE];
    double burst = rate.requests / PART_OF_BURST;
    burst = burst < 1 ? 1 : __builtin_floor(burst);
    double per_s = (rate.requests - burst + 1) * 1000 / (double)rate.per_ms;
    return cache_take(e->s.cache, key_of(l, "rate", k, key), per_s, burst, 1, wait_ms);
}

/* A call keeps the tokens that it got while it waits for others. */
static bool take_tokens(struct call *c, int64_t *wait_ms) {
    const struct egress_source *s = &c->config->s;
    for (size_t k = 0; k < s->n_rate; k++) {
        if (c->taken & (1u << k))
            continue;
        if (!take_token(c->egress, c->lane, k, s->rate[k], wait_ms))
            return false;
        c->taken |= 1u << k;
    }
    return true;
}

/* ---- holds: what the other side says ---- */

static void hold(struct egress *e, struct lane *l, int64_t until_ms, bool tell) {
    int64_t now = steady_ms(e);
    if (until_ms <= l->hold_ms || until_ms <= now)
        return;
    l->hold_ms = until_ms;
    if (!tell)
        return;
    char key[KEY_BYTE], text[NUMBER_TEXT_BYTE];
    size_t n = number_format_integer(e->clock.wall_ms() + until_ms - now, text);
    cache_put(e->s.cache, key_of(l, "hold", 0, key), (str){text, n}, until_ms - now);
}

struct looking {
    struct egress *e;
    str key, value;
    bool found;
};

static err look(void *ctx) {
    struct looking *w = ctx;
    w->found = cache_get(w->e->s.cache, w->key, w->e->send_arena, &w->value);
    return OK;
}

/* What other workers were told holds for us too. */
static void see_hold(struct egress *e, struct lane *l) {
    int64_t now = steady_ms(e), until;
    if (now < l->seen_ms)
        return;
    l->seen_ms = now + SEEN_MS;
    char key[KEY_BYTE];
    struct looking w = {.e = e, .key = key_of(l, "hold", 0, key)};
    arena_reset(e->send_arena);
    if (arena_run(e->send_arena, look, &w) == OK && w.found && number_parse_integer(w.value, &until))
        hold(e, l, now + (until - e->clock.wall_ms()), false);
}

/* What is on its way may not have been counted by who answered. */
static void learn(struct lane *l, const struct egress_verdict *v, int64_t now_ms) {
    int64_t left = v->left - l->in_flight;
    atomic_store(&l->left, left > 0 ? left : 0);
    l->left_until_ms = now_ms + (v->reset_ms >= 0 ? v->reset_ms : BLIND_MS);
}

/* ---- after an attempt ---- */

static void rest(struct lane *l, enum rest kind, int64_t until_ms) {
    l->rest = kind;
    atomic_store(&l->rest_until_ms, until_ms);
}

void lane_show(struct lane *l) {
    atomic_store_explicit(&l->breaker_state, (int)l->breaker.state, memory_order_relaxed);
    atomic_store_explicit(&l->breaker_until_ms, l->breaker.until_ms, memory_order_relaxed);
}

static int64_t hold_ms(const struct lane *l, struct egress *e) {
    int64_t most = HOLD_FIRST_MS;
    for (unsigned k = 1; k < l->throttled && most < HOLD_MOST_MS; k++)
        most *= 2;
    most = most < HOLD_MOST_MS ? most : HOLD_MOST_MS;
    return most / 2 + (int64_t)(rng_uniform(&e->rng) * (double)(most / 2));
}

void lane_judge(struct lane *l, const struct call *c, enum egress_class class, const struct egress_verdict *v) {
    struct egress *e = c->egress;
    const struct egress_source *s = &c->config->s;
    int64_t now = steady_ms(e);
    if (v->left >= 0)
        learn(l, v, now);
    l->throttled = class == EGRESS_THROTTLED ? l->throttled + 1 : 0;
    if (class == EGRESS_THROTTLED)
        hold(e, l, now + (v->after_ms > 0 ? v->after_ms : hold_ms(l, e)), true);
    else if (class == EGRESS_QUOTA)
        rest(l, REST_QUOTA, now + (v->after_ms > 0 ? v->after_ms : s->quota_ms));
    if (class == EGRESS_AUTH && ++l->refused_auth >= AUTH_LEAST)
        rest(l, REST_AUTH, now + s->auth_ms);
    else if (class == EGRESS_OK || class == EGRESS_EMPTY)
        l->refused_auth = 0;
    lane_show(l);
}

/* ---- who may go ---- */

enum gate { GATE_OPEN, GATE_LATER, GATE_ENDED };

static err resting(const struct lane *l) {
    if (l->rest == REST_AUTH)
        return fail(ERR_DENIED, "egress_resting_auth", "the credential was refused several times and rests");
    return fail(ERR_LIMIT, "egress_resting_quota", "the quota is used up and the credential rests");
}

/* It waits until `until_ms`, or ends when that is after its deadline. */
static enum gate wait_until(struct call *c, int64_t until_ms) {
    if (until_ms * 1000000 < c->deadline_ns) {
        c->lane->wake_ms = until_ms;
        return GATE_LATER;
    }
    call_refuse(c, fail(ERR_LIMIT, "egress_rate", "the rate limit does not let the call out before its deadline"), true);
    return GATE_ENDED;
}

static enum gate pass(struct call *c) {
    struct egress *e = c->egress;
    struct lane *l = c->lane;
    int64_t now = steady_ms(e), wait_ms = 0;
    if (l->rest != REST_NONE && now < l->rest_until_ms) {
        call_refuse(c, resting(l), false);
        return GATE_ENDED;
    }
    l->rest = REST_NONE;
    if (l->breaker.state == BREAKER_OPEN && now < l->breaker.until_ms) {
        call_refuse(c, fail(ERR_LIMIT, "egress_breaker", "the source failed too often and is not called for a while"),
                    false);
        return GATE_ENDED;
    }
    see_hold(e, l);
    if (now < l->hold_ms)
        return wait_until(c, l->hold_ms);
    if (l->in_flight >= c->config->s.max_in_flight)
        return GATE_LATER;
    if (l->left == 0 && now < l->left_until_ms) /* answers on their way may say more */
        return l->in_flight > 0 ? GATE_LATER : wait_until(c, l->left_until_ms);
    if (!take_tokens(c, &wait_ms))
        return wait_until(c, now + wait_ms);
    if (!breaker_allows(&l->breaker, now)) {
        lane_show(l);
        call_refuse(c, fail(ERR_LIMIT, "egress_breaker", "the source is on trial, and another call tries it"), false);
        return GATE_ENDED;
    }
    c->allowed = true;
    lane_show(l);
    return GATE_OPEN;
}

void lane_pump(struct lane *l) {
    struct call *c;
    l->wake_ms = INT64_MAX;
    while ((c = l->first)) {
        enum gate gate = pass(c);
        if (gate == GATE_LATER)
            return;
        if (gate == GATE_ENDED)
            continue;
        lane_leave(c);
        if (attempt_send(c) && l->left > 0)
            atomic_fetch_sub(&l->left, 1);
    }
}
