/* egress.c — the door's thread: calls that come in, answers that arrive, times that are over. */
#include "egress/egress_priv.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    DEFAULT_CALLS = 16384,
    DEFAULT_IN_FLIGHT = 4096,
    DEFAULT_LOG = 256,
    DEFAULT_LIMIT_MS = 60000,
    MAX_LIMIT_MS = 86400000,
    FLIGHT_BUCKETS = 4096,
    SEND_ARENA_BYTE = 32 << 20,
    CACHE_ARENA_BYTE = 2 * CACHE_VALUE_BYTE + (1 << 20),
    MAX_WAIT_MS = 60000,
    MAX_URL_BYTE = 16384,
    MAX_BODY_BYTE = 16 << 20,
    MAX_NAME_BYTE = 1024
};

const char *egress_class_name(enum egress_class class) {
    static const char *const name[] = {"ok",        "empty",     "throttled", "quota",  "auth",
                                       "permanent", "transient", "unknown",   "refused"};
    return name[class];
}

/* ---- calls: made by who submits, freed by the thread ---- */

static str put_text(char **at, str text) {
    char *start = *at;
    if (text.len > 0)
        memcpy(start, text.ptr, text.len);
    start[text.len] = '\0';
    *at += text.len + 1;
    return (str){start, text.len};
}

static bool fits(str s, size_t most) { return s.len <= most; }

static err check_call(const struct egress_call *c) {
    bool named = c->source.len > 0 && c->source.len <= NAME_BYTE && c->method.len > 0 && c->url.len > 0 && c->done;
    bool bounded = c->n_field <= EGRESS_MAX_FIELD && fits(c->credential, NAME_BYTE) && fits(c->url, MAX_URL_BYTE) &&
                   fits(c->body, MAX_BODY_BYTE) && fits(c->cache_key, MAX_URL_BYTE) && fits(c->tenant, MAX_NAME_BYTE) &&
                   fits(c->lead, MAX_NAME_BYTE) && fits(c->operation, MAX_NAME_BYTE) && fits(c->region, MAX_NAME_BYTE) &&
                   c->limit_ms >= 0 && c->limit_ms <= MAX_LIMIT_MS;
    bool priced = c->call_micro >= 0 && c->hit_micro >= 0 && c->max_token >= 0 && c->cache_ms >= 0 && c->empty_cache_ms >= 0;
    if (named && bounded && priced)
        return OK;
    return fail(ERR_INPUT, "egress_call", "the call cannot be made: %s",
                !named     ? "it lacks a source, a method, a URL or a function for its answer"
                : !bounded ? "a part of it is too long"
                           : "a price or a time is below zero");
}

static size_t texts_byte(const struct egress_call *c) {
    size_t n = c->source.len + c->operation.len + c->credential.len + 2 * (c->tenant.len + c->lead.len) + c->method.len +
               c->url.len + c->body.len + c->cache_key.len + c->region.len + 16;
    for (size_t i = 0; i < c->n_field; i++)
        n += c->field[i].name.len + c->field[i].value.len + 2;
    return n;
}

static struct call *call_new(struct egress *e, const struct egress_call *from) {
    size_t size = sizeof(struct call) + from->n_field * sizeof *from->field + texts_byte(from);
    struct call *c = malloc(size);
    if (!c)
        return NULL;
    memset(c, 0, sizeof *c);
    c->egress = e;
    c->size = size;
    c->c = *from;
    c->field = (struct egress_field *)(c + 1);
    char *at = (char *)(c->field + from->n_field);
    str *const texts[] = {&c->c.source, &c->c.operation, &c->c.credential, &c->c.tenant,    &c->c.lead,
                          &c->c.method, &c->c.url,       &c->c.body,       &c->c.cache_key, &c->c.region};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = put_text(&at, *texts[i]);
    for (size_t i = 0; i < from->n_field; i++) {
        c->field[i].name = put_text(&at, from->field[i].name);
        c->field[i].value = put_text(&at, from->field[i].value);
        c->field[i].secret = from->field[i].secret;
    }
    c->c.field = c->field;
    if (!str_empty(from->lead)) { /* tenant, NUL, lead */
        const char *start = at;
        put_text(&at, from->tenant);
        put_text(&at, from->lead);
        c->lead_account = (str){start, from->tenant.len + 1 + from->lead.len};
    }
    c->submitted_ns = e->clock.steady_ns();
    c->deadline_ns = c->submitted_ns + (from->limit_ms ? from->limit_ms : DEFAULT_LIMIT_MS) * 1000000;
    return c;
}

void call_free(struct call *c) {
    c->egress->alive--;
    free(c->arrival.block);
    explicit_bzero(c, c->size);
    free(c);
}

static void append(struct call **first, struct call **last, struct call *c) {
    c->next = NULL;
    if (*last)
        (*last)->next = c;
    else
        *first = c;
    *last = c;
}

err egress_submit(struct egress *e, const struct egress_call *call, uint64_t *id) {
    TRY(check_call(call));
    struct call *c = call_new(e, call);
    if (!c)
        return fail(ERR_LIMIT, "memory_limit", "no memory for a call");
    pthread_mutex_lock(&e->lock);
    bool stopping = e->stopping, full = e->n_free == 0;
    if (!stopping && !full) {
        uint32_t slot = e->free_slot[--e->n_free];
        e->slot[slot] = c;
        c->id = (uint64_t)++e->generation[slot] << 32 | slot;
        if (id)
            *id = c->id;
        append(&e->inbox, &e->inbox_last, c);
        bump(&e->submitted);
        pthread_cond_signal(&e->changed);
    }
    pthread_mutex_unlock(&e->lock);
    if (!stopping && !full)
        return OK;
    free(c);
    return stopping ? fail(ERR_CONFLICT, "egress_stopping", "no more calls are made: the program ends")
                    : fail(ERR_LIMIT, "egress_full", "%u calls are under way already", e->s.max_calls);
}

err egress_post(struct egress *e, void (*fn)(void *ctx), void *ctx) {
    struct task *t = malloc(sizeof *t);
    if (!t)
        return fail(ERR_LIMIT, "memory_limit", "no memory for a task");
    *t = (struct task){.fn = fn, .ctx = ctx};
    pthread_mutex_lock(&e->lock);
    bool stopping = e->stopping;
    if (!stopping) {
        *(e->task_last ? &e->task_last->next : &e->task) = t;
        e->task_last = t;
        pthread_cond_signal(&e->changed);
    }
    pthread_mutex_unlock(&e->lock);
    if (!stopping)
        return OK;
    free(t);
    return fail(ERR_CONFLICT, "egress_stopping", "no more calls are made: the program ends");
}

void egress_cancel(struct egress *e, uint64_t id) {
    uint32_t slot = (uint32_t)id;
    pthread_mutex_lock(&e->lock);
    if (slot < e->s.max_calls && e->slot[slot] && e->slot[slot]->id == id) {
        e->slot[slot]->cancelled = e->any_cancel = true;
        pthread_cond_signal(&e->changed);
    }
    pthread_mutex_unlock(&e->lock);
}

void ready_add(struct egress *e, struct call *c) { append(&e->ready, &e->ready_last, c); }

/* ---- times: a heap by timer_ns ---- */

static void place(struct egress *e, struct call *c, size_t at) {
    e->heap[at] = c;
    c->heap_at = at;
}

static void sift(struct egress *e, struct call *c, size_t at) {
    for (; at > 1 && e->heap[at / 2]->timer_ns > c->timer_ns; at /= 2)
        place(e, e->heap[at / 2], at);
    for (;;) {
        size_t child = 2 * at;
        if (child > e->n_heap)
            break;
        if (child < e->n_heap && e->heap[child + 1]->timer_ns < e->heap[child]->timer_ns)
            child++;
        if (e->heap[child]->timer_ns >= c->timer_ns)
            break;
        place(e, e->heap[child], at);
        at = child;
    }
    place(e, c, at);
}

void timer_set(struct call *c, int64_t at_ns) {
    struct egress *e = c->egress;
    c->timer_ns = at_ns < c->deadline_ns ? at_ns : c->deadline_ns;
    sift(e, c, c->heap_at ? c->heap_at : ++e->n_heap);
}

void timer_clear(struct call *c) {
    struct egress *e = c->egress;
    size_t at = c->heap_at;
    if (at == 0)
        return;
    c->heap_at = 0;
    struct call *last = e->heap[e->n_heap--];
    if (last != c)
        sift(e, last, at);
}

static void time_is_over(struct call *c) {
    c->late = c->in_http;
    if (c->stage == STAGE_WAITING)
        call_end(c, EGRESS_REFUSED, ERR_LIMIT, "egress_rate", "the rate limit did not let the call out before its deadline",
                 true);
    else if (c->in_http)
        call_end(c, EGRESS_UNKNOWN, ERR_AGAIN, "egress_unknown", "time was over before an answer came", true);
    else
        call_end(c, EGRESS_REFUSED, ERR_AGAIN, "egress_deadline", "time was over before the call went out", true);
}

static void serve_times(struct egress *e) {
    int64_t now = e->clock.steady_ns();
    while (e->n_heap > 0 && e->heap[1]->timer_ns <= now) {
        struct call *c = e->heap[1];
        if (c->deadline_ns <= now) {
            time_is_over(c);
            continue;
        }
        timer_set(c, INT64_MAX);
        if (c->stage == STAGE_CLAIMING)
            rules_claim(c);
        else if (c->stage == STAGE_PAUSING)
            rules_proceed(c);
    }
}

/* ---- the thread ---- */

struct batch {
    struct call *inbox, *arrivals;
    struct task *task;
    bool cancels, stopping;
};

static int64_t next_ns(struct egress *e) {
    int64_t next = e->n_heap > 0 ? e->heap[1]->timer_ns : INT64_MAX;
    for (struct source *s = e->source; s; s = s->next)
        for (struct lane *l = s->lane; l; l = l->next)
            if (l->wake_ms < INT64_MAX / 1000000 && l->wake_ms * 1000000 < next)
                next = l->wake_ms * 1000000;
    return next;
}

/* Waits until something comes or a time is over, and takes what came. */
static struct batch wait_batch(struct egress *e) {
    int64_t left = next_ns(e), now = e->clock.steady_ns();
    left = left == INT64_MAX || left - now > MAX_WAIT_MS * 1000000ll ? MAX_WAIT_MS * 1000000ll : left - now;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + (left > 0 ? left : 0);
    until.tv_sec += ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&e->lock);
    while (left > 0 && !e->inbox && !e->arrivals && !e->task && !e->any_cancel && (!e->stopping || e->ending))
        if (pthread_cond_timedwait(&e->changed, &e->lock, &until) != 0)
            break;
    struct batch b = {e->inbox, e->arrivals, e->task, e->any_cancel, e->stopping};
    e->task = e->task_last = NULL;
    e->inbox = e->inbox_last = e->arrivals = e->arrivals_last = NULL;
    e->any_cancel = false;
    pthread_mutex_unlock(&e->lock);
    return b;
}

/* A call that was cancelled and has not ended; or with `all`, any that has not ended. NULL when there is none. */
static struct call *next_cancelled(struct egress *e, size_t *from, bool all) {
    struct call *c = NULL;
    pthread_mutex_lock(&e->lock);
    for (; *from < e->s.max_calls && !c; ++*from)
        if (e->slot[*from] && (all || e->slot[*from]->cancelled))
            c = e->slot[*from];
    pthread_mutex_unlock(&e->lock);
    return c;
}

static void serve_cancels(struct egress *e, bool all) {
    struct call *c;
    size_t from = 0;
    while ((c = next_cancelled(e, &from, all))) {
        enum egress_class class = c->in_http ? EGRESS_UNKNOWN : EGRESS_REFUSED;
        if (all)
            call_end(c, class, ERR_AGAIN, "egress_stopped", "the program ended before the call did", false);
        else
            call_end(c, class, ERR_AGAIN, "egress_cancelled", "the call was cancelled", true);
    }
}

static void serve_ready(struct egress *e) {
    struct call *c;
    while ((c = e->ready)) {
        e->ready = c->next;
        if (!e->ready)
            e->ready_last = NULL;
        if (c->stage == STAGE_ENDED)
            call_free(c);
        else
            rules_proceed(c);
    }
}

static void serve_lanes(struct egress *e) {
    int64_t now = steady_ms(e);
    for (struct source *s = e->source; s; s = s->next)
        for (struct lane *l = s->lane; l; l = l->next)
            if (l->wake_ms <= now)
                lane_pump(l);
}

static void serve(struct egress *e, struct batch *b) {
    for (struct task *t = b->task, *next; t; t = next) {
        next = t->next;
        t->fn(t->ctx);
        free(t);
    }
    for (struct call *c = b->arrivals, *next; c; c = next) {
        next = c->arrived;
        attempt_arrived(c);
    }
    for (struct call *c = b->inbox, *next; c; c = next) {
        next = c->next;
        c->next = NULL;
        e->alive++;
        timer_set(c, INT64_MAX);
        rules_begin(c);
    }
    if (b->cancels || b->stopping)
        serve_cancels(e, b->stopping);
    serve_times(e);
    do {
        serve_ready(e);
        serve_lanes(e);
    } while (e->ready);
}

static void *run(void *ctx) {
    struct egress *e = ctx;
    struct batch b;
    do {
        b = wait_batch(e);
        serve(e, &b);
        e->ending = b.stopping;
    } while (!b.stopping || e->alive > 0);
    return NULL;
}

/* ---- start and stop ---- */

static void free_egress(struct egress *e) {
    http_client_stop(e->http);
    cache_close(e->own_cache);
    budget_free(e->own_budget);
    sources_free(e);
    arena_free(e->cache_arena);
    arena_free(e->send_arena);
    log_free(e->log);
    free(e->slot);
    free(e->generation);
    free(e->free_slot);
    free(e->heap);
    free(e->flight);
    pthread_cond_destroy(&e->changed);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

static bool fill(struct egress *e, const struct egress_settings *settings) {
    e->s = *settings;
    e->s.max_calls = settings->max_calls ? settings->max_calls : DEFAULT_CALLS;
    e->s.max_in_flight = settings->max_in_flight ? settings->max_in_flight : DEFAULT_IN_FLIGHT;
    e->clock = settings->clock.steady_ns ? settings->clock : clock_system();
    e->rng = rng_from_seed(settings->seed ? settings->seed : (uint64_t)e->clock.steady_ns());
    e->n_flight_bucket = FLIGHT_BUCKETS;
    e->slot = calloc(e->s.max_calls, sizeof(struct call *));
    e->generation = calloc(e->s.max_calls, sizeof *e->generation);
    e->free_slot = calloc(e->s.max_calls, sizeof *e->free_slot);
    e->heap = calloc(e->s.max_calls + e->s.max_in_flight + 2, sizeof(struct call *));
    e->flight = calloc(FLIGHT_BUCKETS, sizeof(struct flight *));
    e->cache_arena = arena_new(CACHE_ARENA_BYTE);
    e->send_arena = arena_new(SEND_ARENA_BYTE);
    e->log = log_new(settings->log_call ? settings->log_call : DEFAULT_LOG);
    if (!e->slot || !e->generation || !e->free_slot || !e->heap || !e->flight || !e->cache_arena || !e->send_arena ||
        !e->log)
        return false;
    e->n_free = e->s.max_calls;
    for (uint32_t i = 0; i < e->s.max_calls; i++)
        e->free_slot[i] = e->s.max_calls - 1 - i;
    return true;
}

static err open_helpers(struct egress *e) {
    struct http_client_settings h = http_client_defaults();
    h.max_in_flight = e->s.max_in_flight;
    h.max_queue = e->s.max_calls;
    h.max_connections_per_host = e->s.max_connections_per_host;
    h.allow = e->s.allow;
    h.n_allow = e->s.n_allow;
    h.ca_file = e->s.ca_file;
    h.resolve = e->s.resolve;
    h.resolve_ctx = e->s.resolve_ctx;
    if (!e->s.cache) {
        TRY(cache_open(&(struct cache_options){.clock = e->s.clock}, &e->own_cache));
        e->s.cache = e->own_cache;
    }
    if (!e->s.budget) {
        TRY(budget_new(&(struct budget_settings){0}, &e->own_budget));
        e->s.budget = e->own_budget;
    }
    return http_client_start(&h, &e->http);
}

err egress_start(const struct egress_settings *settings, struct egress **out) {
    struct egress *e = calloc(1, sizeof *e);
    if (!e)
        return fail(ERR_LIMIT, "memory_limit", "no memory for outgoing calls");
    pthread_condattr_t how;
    pthread_condattr_init(&how);
    pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
    pthread_cond_init(&e->changed, &how);
    pthread_condattr_destroy(&how);
    pthread_mutex_init(&e->lock, NULL);
    err rc = fill(e, settings) ? open_helpers(e) : fail(ERR_LIMIT, "memory_limit", "no memory for outgoing calls");
    if (rc == OK && pthread_create(&e->thread, NULL, run, e) != 0)
        rc = fail(ERR_AGAIN, "egress_start", "no thread for outgoing calls");
    if (rc == OK)
        *out = e;
    else
        free_egress(e);
    return rc;
}

void egress_stop(struct egress *e) {
    if (!e)
        return;
    pthread_mutex_lock(&e->lock);
    e->stopping = true;
    pthread_cond_signal(&e->changed);
    pthread_mutex_unlock(&e->lock);
    pthread_join(e->thread, NULL);
    free_egress(e);
}
