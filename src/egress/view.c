/* view.c — what can be seen of the door: figures of sources and credentials, from any thread. */
#include "egress/egress_priv.h"

#include "base/time.h"

#include <stdlib.h>

enum { IDLE_MS = 300000, DEGRADED_PPM = 100000 };

const char *egress_health_name(enum egress_health health) {
    static const char *const name[] = {"idle", "healthy", "degraded", "down"};
    return name[health];
}

static void read_stats(const struct stats *s, struct egress_view *v) {
    v->calls = s->calls;
    for (size_t i = 0; i < EGRESS_CLASS_COUNT; i++)
        v->by_class[i] = s->class[i];
    v->attempts = s->attempts;
    v->retries = s->retries;
    v->cached = s->cached;
    v->shared = s->shared;
    v->waiting = s->waiting;
    v->in_flight = s->in_flight;
    v->spent = (struct budget_amount){s->micro, s->token};
    v->uncertain = (struct budget_amount){s->uncertain_micro, s->uncertain_token};
    v->p50_us = histogram_quantile_us(&s->latency, 0.5);
    v->p95_us = histogram_quantile_us(&s->latency, 0.95);
    v->p99_us = histogram_quantile_us(&s->latency, 0.99);
    double answered = (double)(v->by_class[EGRESS_OK] + v->by_class[EGRESS_EMPTY]);
    v->hit_rate = answered > 0 ? (double)v->by_class[EGRESS_OK] / answered : -1;
    v->cache_rate = v->calls > 0 ? (double)(v->cached + v->shared) / (double)v->calls : -1;
}

static int64_t later(int64_t a, int64_t b) { return a > b ? a : b; }

static enum egress_health health_of(const struct stats *s, const struct egress_view *v, int64_t now_ms, bool resting) {
    if (v->breaker == BREAKER_OPEN || resting)
        return EGRESS_DOWN;
    if (s->last_ms == 0 || now_ms - s->last_ms > IDLE_MS)
        return EGRESS_IDLE;
    return v->breaker == BREAKER_HALF_OPEN || s->failing_ppm > DEGRADED_PPM ? EGRESS_DEGRADED : EGRESS_HEALTHY;
}

static void read_lane(const struct lane *l, int64_t now_ms, struct egress_view *v) {
    bool resting = l->rest_until_ms > now_ms;
    int64_t until = later(l->rest_until_ms, l->hold_ms);
    v->breaker = (enum breaker_state)l->breaker_state;
    if (v->breaker == BREAKER_OPEN)
        until = later(until, l->breaker_until_ms);
    v->rest_ms = later(until - now_ms, 0);
    v->learned_left = l->left;
    read_stats(&l->stats, v);
    v->health = health_of(&l->stats, v, now_ms, resting);
}

static int severity(enum breaker_state s) { return s == BREAKER_OPEN ? 2 : s == BREAKER_HALF_OPEN ? 1 : 0; }

/* A source is as ill as its worst credential. */
static void join(struct egress_view *whole, const struct egress_view *part) {
    if (severity(part->breaker) > severity(whole->breaker))
        whole->breaker = part->breaker;
    if (part->health > whole->health)
        whole->health = part->health;
    whole->rest_ms = later(whole->rest_ms, part->rest_ms);
    if (part->learned_left >= 0 && (whole->learned_left < 0 || part->learned_left < whole->learned_left))
        whole->learned_left = part->learned_left;
}

static size_t count_views(struct egress *e) {
    size_t n = 0;
    for (struct source *s = atomic_load_explicit(&e->source, memory_order_acquire); s; s = s->next) {
        n++;
        for (struct lane *l = atomic_load_explicit(&s->lane, memory_order_acquire); l; l = l->next)
            n++;
    }
    return n;
}

static int by_name(const void *a, const void *b) {
    const struct egress_view *x = a, *y = b;
    int order = strcmp(x->source, y->source);
    return order ? order : strcmp(x->credential, y->credential);
}

void egress_views(struct egress *e, struct arena *a, struct egress_view **views, size_t *n) {
    size_t room = count_views(e), at = 0;
    struct egress_view *v = ARENA_ARRAY(a, room, struct egress_view);
    int64_t now = steady_ms(e), day = e->clock.wall_ms() / TIME_DAY_MS;
    for (struct source *s = atomic_load_explicit(&e->source, memory_order_acquire); s && at < room; s = s->next) {
        struct egress_view *whole = &v[at++];
        *whole = (struct egress_view){.source = str_cstr(a, str_from(s->name)), .credential = "", .learned_left = -1};
        read_stats(&s->stats, whole);
        whole->spent_day = budget_look(e->s.budget, BUDGET_SOURCE, str_from(s->name), day).spent;
        whole->health = health_of(&s->stats, whole, now, false);
        for (struct lane *l = atomic_load_explicit(&s->lane, memory_order_acquire); l && at < room; l = l->next) {
            v[at] = (struct egress_view){.source = whole->source, .credential = str_cstr(a, str_from(l->credential))};
            read_lane(l, now, &v[at]);
            join(whole, &v[at++]);
        }
    }
    qsort(v, at, sizeof *v, by_name);
    *views = v;
    *n = at;
}

struct egress_counters egress_counters(struct egress *e) {
    struct http_client_counters h = http_client_counters(e->http);
    uint64_t done = e->done, submitted = e->submitted;
    return (struct egress_counters){.submitted = submitted,
                                    .done = done,
                                    .open = submitted - done,
                                    .in_flight = h.in_flight,
                                    .body_in_byte = h.body_in_byte,
                                    .body_out_byte = h.body_out_byte,
                                    .connections = h.connections};
}
