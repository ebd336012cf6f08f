/* source.c — sources and their lanes: entered from any thread, added to lists that only grow. */
#include "egress/egress_priv.h"

#include <stdlib.h>

enum { RETRY_WINDOW_MS = 60000, RETRY_LEAST = 10, MAX_MS = 86400000 };

static err bad(const char *why) { return fail(ERR_INPUT, "egress_source", "the source cannot be entered: %s", why); }

static err check(const struct egress_source *s) {
    size_t n = s->name ? strlen(s->name) : 0;
    if (n == 0 || n > NAME_BYTE)
        return bad("it needs a name of at most 128 bytes");
    if (s->n_rate > EGRESS_MAX_RATE)
        return bad("it has more than four rates");
    for (size_t i = 0; i < s->n_rate; i++)
        if (!(s->rate[i].requests >= 1 && s->rate[i].requests <= 1e9) || s->rate[i].per_ms < 1 ||
            s->rate[i].per_ms > 32ll * MAX_MS)
            return bad("a rate is out of range");
    if (s->timeout_ms < 0 || s->timeout_ms > MAX_MS || s->connect_ms < 0 || s->connect_ms > MAX_MS || s->base_ms < 0 ||
        s->base_ms > MAX_MS || s->cap_ms < 0 || s->cap_ms > MAX_MS || s->quota_ms < 0 || s->auth_ms < 0)
        return bad("a time is out of range");
    if (s->day.micro < 0 || s->day.token < 0)
        return bad("a budget is below zero");
    return OK;
}

static int64_t or_ms(int64_t ms, int64_t fallback) { return ms ? ms : fallback; }

static struct source_config *config_new(const struct egress_source *s) {
    struct source_config *c = calloc(1, sizeof *c);
    char *regions = c ? strdup(s->regions ? s->regions : "") : NULL;
    if (!regions) {
        free(c);
        return NULL;
    }
    *c = (struct source_config){.s = *s, .regions = regions};
    c->s.name = NULL; /* the source has it */
    c->s.regions = regions;
    c->s.max_in_flight = s->max_in_flight ? s->max_in_flight : 64;
    c->s.max_attempt = s->max_attempt ? s->max_attempt : 3;
    c->s.timeout_ms = or_ms(s->timeout_ms, 30000);
    c->s.connect_ms = or_ms(s->connect_ms, 5000);
    c->s.max_body_byte = s->max_body_byte ? s->max_body_byte : 4 << 20;
    c->s.base_ms = or_ms(s->base_ms, 250);
    c->s.cap_ms = or_ms(s->cap_ms, 10000);
    c->s.quota_ms = or_ms(s->quota_ms, 900000);
    c->s.auth_ms = or_ms(s->auth_ms, 60000);
    return c;
}

struct source *source_find(struct egress *e, str name) {
    struct source *s = atomic_load_explicit(&e->source, memory_order_acquire);
    while (s && !str_equal(str_from(s->name), name))
        s = s->next;
    return s;
}

err egress_source_set(struct egress *e, const struct egress_source *source) {
    TRY(check(source));
    struct source_config *config = config_new(source);
    struct source *fresh = config ? calloc(1, sizeof *fresh) : NULL;
    if (!fresh) {
        if (config)
            free(config->regions);
        free(config);
        return fail(ERR_LIMIT, "memory_limit", "no memory for a source");
    }
    memcpy(fresh->name, source->name, strlen(source->name));
    pthread_mutex_lock(&e->lock);
    struct source *s = source_find(e, str_from(source->name));
    if (!s) {
        s = fresh;
        s->next = atomic_load(&e->source);
        fresh = NULL;
    }
    config->next = atomic_load(&s->config);
    atomic_store_explicit(&s->config, config, memory_order_release);
    if (!fresh)
        atomic_store_explicit(&e->source, s, memory_order_release);
    pthread_mutex_unlock(&e->lock);
    free(fresh);
    return OK;
}

struct lane *lane_find(struct source *s, str credential) {
    struct lane *l = atomic_load_explicit(&s->lane, memory_order_acquire);
    while (l && !str_equal(str_from(l->credential), credential))
        l = l->next;
    if (l)
        return l;
    l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    memcpy(l->credential, credential.ptr ? credential.ptr : "", credential.len);
    l->source = s;
    l->wake_ms = INT64_MAX;
    l->left = -1;
    l->next = atomic_load(&s->lane);
    atomic_store_explicit(&s->lane, l, memory_order_release);
    return l;
}

void sources_free(struct egress *e) {
    for (struct source *s = e->source, *next; s; s = next) {
        next = s->next;
        for (struct source_config *c = s->config, *older; c; c = older) {
            older = c->next;
            free(c->regions);
            free(c);
        }
        for (struct lane *l = s->lane, *other; l; l = other) {
            other = l->next;
            free(l);
        }
        free(s);
    }
}

/* At most a tenth of the calls of a minute are retries (and ten), so that a fault is not made worse by those who suffer from
 * it. */
bool source_may_retry(struct source *s, int64_t now_ms, bool retry) {
    if (now_ms - s->window_ms >= RETRY_WINDOW_MS || s->window_ms == 0) {
        s->window_ms = now_ms;
        s->calls = s->retries = 0;
    }
    if (retry && s->retries >= RETRY_LEAST + s->calls / 10)
        return false;
    s->calls += !retry;
    s->retries += retry;
    return true;
}
