/* target.c — calls to one outside party and what their answers mean. */
#include "flow/target.h"

#include "egress/retry.h"
#include "net/signature.h"

#include <pthread.h>
#include <stdlib.h>

enum { BUDGET_WINDOW_MS = 60000, BUDGET_LEAST = 600, CALL_BYTE = 64 * 1024, URL_BYTE = 4096 };

struct target {
    struct http_client *http;
    struct clock clock;
    pthread_mutex_t lock; /* guards what follows */
    struct target_settings s;
    struct breaker breaker;
    struct rng rng;
    int64_t window_ms;
    size_t calls, retries; /* in the budget's window */
    size_t in_flight;
    struct metric *verdict[EXCHANGE_REFUSED + 1];
    struct histogram *latency;
    struct metric *open;
};

struct call {
    struct target *target;
    void (*done)(void *ctx, const struct exchange *x);
    void *ctx;
};

static int64_t now_ms(const struct target *t) { return t->clock.steady_ns() / 1000000; }

static void register_metrics(struct target *t, struct arena *a, const char *name, struct metrics *m) {
    static const char *const verdict[] = {"ok", "empty", "superseded", "wait", "retry", "unknown", "refused"};
    for (size_t k = 0; k < sizeof verdict / sizeof *verdict; k++)
        t->verdict[k] = metrics_counter(m, "galena_target_calls_total", "Calls to outside parties by result",
                                        str_format(a, "target=\"%s\",result=\"%s\"", name, verdict[k]).ptr);
    const char *label = str_format(a, "target=\"%s\"", name).ptr;
    t->latency = metrics_histogram(m, "galena_target_seconds", "Time of calls to outside parties", label);
    t->open = metrics_gauge(m, "galena_breaker_state", "Circuit breakers: 0 closed, 1 open, 2 half open", label);
}

static void destroy_lock(void *lock) { pthread_mutex_destroy(lock); }

struct target *target_new(struct arena *a, const char *name, const struct target_settings *s, struct http_client *http,
                          struct clock clock, uint64_t seed, struct metrics *metrics) {
    struct target *t = ARENA_NEW(a, struct target);
    *t = (struct target){.s = *s, .http = http, .clock = clock, .rng = rng_from_seed(seed)};
    pthread_mutex_init(&t->lock, NULL);
    arena_defer(a, destroy_lock, &t->lock);
    register_metrics(t, a, name, metrics);
    return t;
}

void target_change(struct target *t, const struct target_settings *s) {
    pthread_mutex_lock(&t->lock);
    bool other = !t->s.url || !s->url || strcmp(t->s.url, s->url) != 0;
    t->s = *s;
    if (other)
        t->breaker = (struct breaker){0};
    pthread_mutex_unlock(&t->lock);
}

static struct target_settings settings_of(struct target *t) {
    pthread_mutex_lock(&t->lock);
    struct target_settings s = t->s;
    pthread_mutex_unlock(&t->lock);
    return s;
}

bool target_is_set(struct target *t) { return settings_of(t).url != NULL; }

bool target_has_ample_room(struct target *t) {
    pthread_mutex_lock(&t->lock);
    bool ample = t->in_flight <= t->s.max_in_flight / 2;
    pthread_mutex_unlock(&t->lock);
    return ample;
}

size_t target_room(struct target *t) {
    pthread_mutex_lock(&t->lock);
    size_t room = t->s.url && t->in_flight < t->s.max_in_flight ? t->s.max_in_flight - t->in_flight : 0;
    if (t->breaker.state == BREAKER_OPEN && now_ms(t) < t->breaker.until_ms)
        room = 0;
    else if (t->breaker.state != BREAKER_CLOSED)
        room = room < 1 ? room : 1;
    pthread_mutex_unlock(&t->lock);
    return room;
}

enum breaker_state target_state(struct target *t) {
    pthread_mutex_lock(&t->lock);
    enum breaker_state state = t->breaker.state;
    pthread_mutex_unlock(&t->lock);
    return state;
}

/* ---- before ---- */

static bool within_budget(struct target *t, bool retry) {
    if (now_ms(t) - t->window_ms >= BUDGET_WINDOW_MS) {
        t->window_ms = now_ms(t);
        t->calls = t->retries = 0;
    }
    if (retry && t->retries >= BUDGET_LEAST + t->calls / 10)
        return false;
    t->calls++;
    t->retries += retry;
    return true;
}

static bool take_slot(struct target *t, bool retry) {
    pthread_mutex_lock(&t->lock);
    bool ok = t->in_flight < t->s.max_in_flight && within_budget(t, retry) && breaker_allows(&t->breaker, now_ms(t));
    t->in_flight += ok;
    pthread_mutex_unlock(&t->lock);
    return ok;
}

static void give_slot(struct target *t, bool failed) {
    pthread_mutex_lock(&t->lock);
    t->in_flight--;
    breaker_ended(&t->breaker, failed, now_ms(t), &t->rng);
    metric_set(t->open, t->breaker.state);
    pthread_mutex_unlock(&t->lock);
}

static void withdraw_slot(struct target *t) {
    pthread_mutex_lock(&t->lock);
    t->in_flight--;
    breaker_withdrawn(&t->breaker);
    pthread_mutex_unlock(&t->lock);
}

/* ---- after ---- */

static enum exchange_verdict verdict_of_status(int status, bool says_when) {
    if (status >= 200 && status < 300)
        return EXCHANGE_OK;
    if (status == 429 || (status == 503 && says_when))
        return EXCHANGE_WAIT;
    if (status == 408 || status == 425 || status >= 500)
        return EXCHANGE_RETRY;
    if (status == 404 || status == 410)
        return EXCHANGE_EMPTY;
    return status == 409 ? EXCHANGE_SUPERSEDED : EXCHANGE_REFUSED;
}

static enum exchange_verdict verdict_of(const struct http_result *r, bool says_when) {
    if (r->rc == OK)
        return verdict_of_status(r->status, says_when);
    if (r->ambiguous)
        return EXCHANGE_UNKNOWN;
    return r->rc == ERR_AGAIN || r->rc == ERR_REMOTE ? EXCHANGE_RETRY : EXCHANGE_REFUSED;
}

static const char *slug_of(const struct http_result *r, enum exchange_verdict verdict) {
    static const char *const slug[] = {
        "", "target_empty", "target_superseded", "target_throttled", "target_fault", "target_unknown", "target_refused"};
    return r->rc == OK ? slug[verdict] : r->slug;
}

static void finished(void *ctx, const struct http_result *r) {
    struct call *c = ctx;
    struct target *t = c->target;
    str after = http_field_value(r->header, r->n_header, STR("Retry-After"));
    char text[64] = "";
    if (after.len < sizeof text && after.len > 0)
        memcpy(text, after.ptr, after.len);
    struct exchange x = {.status = r->status, .body = r->body, .after_ms = retry_after_ms(text, t->clock.wall_ms())};
    x.verdict = verdict_of(r, x.after_ms > 0);
    x.slug = slug_of(r, x.verdict);
    x.text = r->rc == OK ? "" : r->text;
    metric_add(t->verdict[x.verdict], 1);
    histogram_add_us(t->latency, r->elapsed_us);
    give_slot(t, x.verdict == EXCHANGE_RETRY || x.verdict == EXCHANGE_UNKNOWN);
    c->done(c->ctx, &x);
    free(c);
}

/* ---- calls ---- */

struct sending {
    struct target *target;
    struct target_settings s;
    struct arena *arena;
    str method, url, key, body;
    struct call *call;
};

static err send_guarded(void *ctx) {
    struct sending *s = ctx;
    const struct target *t = s->target;
    str secret[2] = {s->s.secret, s->s.old_secret};
    size_t n_secret = str_empty(secret[0]) ? 0 : str_empty(secret[1]) ? 1 : 2;
    struct http_field field[4] = {{STR("Content-Type"), STR("application/json")}, {STR("Idempotency-Key"), s->key}};
    size_t n = 2;
    if (n_secret > 0)
        field[n++] = (struct http_field){STR(SIGNATURE_FIELD),
                                         signature_make(s->arena, secret, n_secret, t->clock.wall_ms() / 1000, s->body)};
    const struct http_call call = {.method = s->method,
                                   .url = s->url,
                                   .header = field,
                                   .n_header = n,
                                   .body = s->body,
                                   .total_ms = s->s.timeout_ms,
                                   .done = finished,
                                   .ctx = s->call};
    return http_client_send(t->http, &call, NULL);
}

static err submit(struct target *t, str method, str url, str key, str body, bool retry,
                  void (*done)(void *ctx, const struct exchange *x), void *ctx) {
    if (!take_slot(t, retry))
        return fail(ERR_LIMIT, "target_busy", "the other side may not be called now");
    struct call *call = malloc(sizeof *call);
    struct arena *arena = call ? arena_new(CALL_BYTE) : NULL;
    err rc = ERR_LIMIT;
    if (arena) {
        *call = (struct call){t, done, ctx};
        struct sending s = {t, settings_of(t), arena, method, url, key, body, call};
        rc = arena_run(arena, send_guarded, &s);
    } else {
        rc = fail(ERR_LIMIT, "memory_limit", "no memory for a call");
    }
    arena_free(arena);
    if (rc != OK) {
        free(call);
        withdraw_slot(t);
    }
    return rc;
}

err target_post(struct target *t, str key, str body, bool retry, void (*done)(void *ctx, const struct exchange *x),
                void *ctx) {
    const char *url = settings_of(t).url;
    if (!url)
        return fail(ERR_LIMIT, "target_busy", "the other side has no address now");
    return submit(t, STR("POST"), str_from(url), key, body, retry, done, ctx);
}

/* Our keys are made of letters, digits, '_', '-' and ':', which a query may hold as they are. */
err target_status(struct target *t, str key, void (*done)(void *ctx, const struct exchange *x), void *ctx) {
    const char *status_url = settings_of(t).status_url;
    if (!status_url)
        return fail(ERR_ABSENT, "target_no_status", "the other side has no address that tells what arrived");
    char url[URL_BYTE];
    const char *mark = strchr(status_url, '?') ? "&" : "?";
    int n = snprintf(url, sizeof url, "%s%skey=%.*s", status_url, mark, STR_ARG(key));
    if (n < 0 || (size_t)n >= sizeof url)
        return fail(ERR_INPUT, "http_bad_url", "the status address is too long");
    return submit(t, STR("GET"), (str){url, (size_t)n}, key, (str){0}, false, done, ctx);
}
