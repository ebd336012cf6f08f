/* rules.c — the rules before a call waits for its turn: where it may go, what may leave, what is known already, what may be
 * spent. */
#include "egress/egress_priv.h"

#include "base/time.h"

#include <sodium.h>
#include <stdlib.h>

enum { CLAIM_FIRST_MS = 5, CLAIM_MOST_MS = 100 };

/* ---- consent and region ---- */

static bool has_word(const char *words, str word) {
    str rest = str_from(words), part;
    while (str_split(&rest, ' ', &part))
        if (!str_empty(part) && str_equal_nocase(part, word))
            return true;
    return false;
}

static err check_leave(const struct call *c) {
    if (c->c.personal & ~c->c.consent)
        return fail(ERR_DENIED, "egress_consent", "nobody has agreed that this kind of personal data leaves");
    if (!str_empty(c->c.region) && !has_word(c->config->regions, c->c.region))
        return fail(ERR_DENIED, "egress_region",
                    "the data must stay in its region, and the source is not known to be there");
    return OK;
}

/* ---- flights: one call for all who ask for the same ---- */

static struct flight **flight_place(struct egress *e, const char *name) {
    struct flight **at = &e->flight[str_hash(str_from(name)) & (e->n_flight_bucket - 1)];
    while (*at && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

/* Keys may hold personal data, and caches are shared: only a hash goes there. */
static void flight_name(const struct call *c, char name[FLIGHT_NAME_BYTE]) {
    unsigned char hash[32];
    crypto_generichash_state h;
    const str parts[] = {c->c.source, c->c.operation, c->c.cache_key};
    crypto_generichash_init(&h, NULL, 0, sizeof hash);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        uint64_t len = parts[i].len;
        crypto_generichash_update(&h, (const unsigned char *)&len, sizeof len);
        crypto_generichash_update(&h, (const unsigned char *)parts[i].ptr, parts[i].len);
    }
    crypto_generichash_final(&h, hash, sizeof hash);
    memcpy(name, "e:", 2);
    sodium_bin2hex(name + 2, FLIGHT_NAME_BYTE - 2, hash, sizeof hash);
}

static void follow(struct flight *f, struct call *c) {
    c->flight = f;
    c->stage = STAGE_FOLLOWING;
    c->next = NULL;
    c->prev = f->last;
    *(f->last ? &f->last->next : &f->first) = c;
    f->last = c;
}

static void unfollow(struct flight *f, struct call *c) {
    *(c->prev ? &c->prev->next : &f->first) = c->next;
    *(c->next ? &c->next->prev : &f->last) = c->prev;
    c->next = c->prev = NULL;
    c->flight = NULL;
}

static void flight_close(struct egress *e, struct flight *f) {
    struct flight **at = flight_place(e, f->name);
    *at = f->next;
    if (f->claimed)
        cache_release(e->s.cache, str_from(f->name), f->token);
    free(f);
}

void flight_leave(struct call *c) {
    if (c->flight && c->flight->leader != c)
        unfollow(c->flight, c);
}

void flight_end(struct call *c, const struct egress_answer *answer, bool own) {
    struct flight *f = c->flight;
    struct egress *e = c->egress;
    if (!f || f->leader != c)
        return;
    c->flight = NULL;
    if (own && f->first) { /* the next one leads */
        struct call *heir = f->first;
        unfollow(f, heir);
        f->leader = heir;
        heir->flight = f;
        heir->stage = STAGE_NEW;
        ready_add(e, heir);
        return;
    }
    struct egress_answer theirs = *answer;
    theirs.shared = true;
    theirs.cost = (struct budget_amount){0, 0};
    theirs.attempt = 0;
    struct call *follower;
    while ((follower = f->first)) {
        unfollow(f, follower);
        call_answer(follower, &theirs, false);
    }
    flight_close(e, f);
}

/* ---- cache ---- */

static bool answered_from_cache(struct call *c) {
    struct egress_answer a = {0};
    if ((c->c.cache_ms == 0 && c->c.empty_cache_ms == 0) || !answer_cached(c, &a))
        return false;
    call_answer(c, &a, false);
    return true;
}

void rules_claim(struct call *c) {
    struct egress *e = c->egress;
    if (answered_from_cache(c))
        return;
    c->flight->claimed = cache_claim(e->s.cache, str_from(c->flight->name), CACHE_LOCK_MS, &c->flight->token);
    if (c->flight->claimed) {
        /* Between the look and the claim another may have finished. */
        if (!answered_from_cache(c))
            rules_proceed(c);
        return;
    }
    c->stage = STAGE_CLAIMING;
    c->poll_ms = c->poll_ms == 0 ? CLAIM_FIRST_MS : c->poll_ms * 2 < CLAIM_MOST_MS ? c->poll_ms * 2 : CLAIM_MOST_MS;
    timer_set(c, e->clock.steady_ns() + c->poll_ms * 1000000);
}

static void share(struct call *c) {
    struct egress *e = c->egress;
    char name[FLIGHT_NAME_BYTE];
    flight_name(c, name);
    struct flight **at = flight_place(e, name), *f = *at;
    if (f) {
        follow(f, c);
        return;
    }
    f = calloc(1, sizeof *f);
    if (!f) { /* alone, then */
        rules_proceed(c);
        return;
    }
    memcpy(f->name, name, sizeof name);
    f->leader = c;
    c->flight = f;
    *at = f;
    if (c->c.cache_ms > 0 || c->c.empty_cache_ms > 0)
        rules_claim(c);
    else
        rules_proceed(c);
}

/* ---- budget ---- */

static size_t budget_lines(const struct call *c, struct budget_line line[MAX_LINE]) {
    line[0] = (struct budget_line){BUDGET_LEAD, c->lead_account, c->c.lead_most, c->c.lead_spent};
    line[1] = (struct budget_line){BUDGET_TENANT, c->c.tenant, c->c.tenant_day, {0, 0}};
    line[2] = (struct budget_line){BUDGET_SOURCE, str_from(c->source->name), c->config->s.day, {0, 0}};
    return MAX_LINE;
}

static err reserve(struct call *c) {
    struct budget_line line[MAX_LINE];
    int64_t micro;
    if (__builtin_add_overflow(c->c.call_micro, c->c.hit_micro, &micro))
        micro = INT64_MAX / 2;
    c->most = (struct budget_amount){micro, c->c.max_token};
    if (c->reserved || (c->most.micro == 0 && c->most.token == 0))
        return OK;
    c->day = c->egress->clock.wall_ms() / TIME_DAY_MS;
    TRY(budget_reserve(c->egress->s.budget, line, budget_lines(c, line), c->day, c->most));
    c->reserved = true;
    return OK;
}

void budget_release(struct call *c, struct budget_amount spent) {
    struct budget_line line[MAX_LINE];
    if (!c->reserved)
        return;
    c->reserved = false;
    budget_settle(c->egress->s.budget, line, budget_lines(c, line), c->day, c->most, spent);
}

/* ---- in order ---- */

void rules_proceed(struct call *c) {
    timer_set(c, INT64_MAX);
    err rc = reserve(c);
    if (rc != OK)
        call_refuse(c, rc, strcmp(err_slug(), "egress_budget_source") != 0);
    else
        lane_enter(c, false);
}

void rules_begin(struct call *c) {
    struct egress *e = c->egress;
    c->source = source_find(e, c->c.source);
    if (!c->source) {
        call_refuse(c, fail(ERR_INPUT, "egress_no_source", "there is no source of that name"), true);
        return;
    }
    c->config = atomic_load_explicit(&c->source->config, memory_order_acquire);
    c->lane = lane_find(c->source, c->c.credential);
    bump(&c->source->stats.calls);
    if (!c->lane) {
        call_refuse(c, fail(ERR_LIMIT, "memory_limit", "no memory for a credential"), true);
        return;
    }
    bump(&c->lane->stats.calls);
    err rc = http_client_check_url(e->http, c->c.url);
    if (rc == OK)
        rc = check_leave(c);
    if (rc != OK)
        call_refuse(c, rc, true);
    else if (str_empty(c->c.cache_key))
        rules_proceed(c);
    else
        share(c);
}
