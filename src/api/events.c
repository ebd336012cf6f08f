/* events.c — GET /v1/events: a live stream of what was scored, as server-sent events.
 *
 * One thread looks at the store once a second, and only while somebody listens. Each listener has a place in the order of
 * (time, lead), which is also the identifier of the events: with Last-Event-ID it goes on where it was. Scores younger than
 * SETTLE_MS are left for the next look, because commits do not come in the order of their times. A listener that does not
 * read is dropped. */
#include "api/api_priv.h"
#include "base/number.h"

#include <stdlib.h>
#include <time.h>

enum {
    MOST_LISTENERS = 256,
    MOST_OF_TENANT = 32,
    QUEUE_BYTE = 1 << 20,
    PAGE = 500,
    LOOK_MS = 1000,
    SETTLE_MS = 1000,
    HEARTBEAT_MS = 15000,
    LOOK_BYTE = 64 << 20,
    EVENT_BYTE = 1024
};

struct listener {
    struct http_stream *stream; /* NULL until it is open; under the lock until it is set */
    atomic_int refs;            /* ours and the server's */
    atomic_bool gone;
    struct event_id at;
    int64_t beat_ms; /* when it got something last */
    char tenant[API_NAME_BYTE + 1];
};

struct api_events {
    struct api *api;
    struct store_reader *reader;
    struct arena *arena; /* of one look */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop, started;
    pthread_t thread;
    struct listener *listener[MOST_LISTENERS];
    size_t n;
};

/* ---- identifiers ---- */

bool event_id_parse(str text, struct event_id *out) {
    ptrdiff_t dash = str_find_byte(text, '-');
    if (dash <= 0 || dash > 15)
        return false;
    str lead = str_slice(text, (size_t)dash + 1, text.len);
    if (!number_parse_integer(str_slice(text, 0, (size_t)dash), &out->ms) || out->ms < 0 || !api_is_id(lead))
        return false;
    memcpy(out->lead, lead.ptr, RUN_ID_BYTE);
    out->lead[RUN_ID_BYTE] = '\0';
    return true;
}

/* ---- listeners ---- */

static void release(struct listener *l) {
    if (atomic_fetch_sub(&l->refs, 1) == 1)
        free(l);
}

/* The server will not use the listener again. */
static void stream_closed(void *ctx) {
    struct listener *l = ctx;
    atomic_store(&l->gone, true);
    release(l);
}

static void drop(struct listener *l) {
    http_stream_close(l->stream);
    release(l);
}

/* Takes a place in the list; the stream comes later. */
static err enter(struct api_events *e, struct listener *l) {
    size_t same = 0;
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < e->n; i++)
        same += strcmp(e->listener[i]->tenant, l->tenant) == 0;
    bool room = !e->stop && e->n < MOST_LISTENERS && same < MOST_OF_TENANT;
    if (room)
        e->listener[e->n++] = l;
    pthread_mutex_unlock(&e->lock);
    return room ? OK : fail(ERR_LIMIT, "events_full", "too many listen already");
}

/* The stream is there, or could not be had (NULL). */
static void publish(struct api_events *e, struct listener *l, struct http_stream *stream) {
    pthread_mutex_lock(&e->lock);
    bool stop = e->stop;
    for (size_t i = 0; i < e->n && (stop || !stream); i++)
        if (e->listener[i] == l)
            e->listener[i--] = e->listener[--e->n];
    l->stream = stream;
    pthread_cond_signal(&e->wake);
    pthread_mutex_unlock(&e->lock);
    if (!stream)
        free(l);
    else if (stop)
        drop(l);
}

static void push_event(struct listener *l, const struct lead_view *v, struct buf *text) {
    struct json_writer w;
    buf_clear(text);
    buf_add_format(text, "id: %lld-%.*s\nevent: scored\ndata: ", (long long)v->scored_ms, STR_ARG(v->lead));
    json_write_begin(&w, text, 0);
    json_open_object(&w);
    json_put_string(&w, STR("id"), v->lead);
    json_put_integer(&w, STR("generation"), v->gen);
    json_put_string(&w, STR("outcome"), str_from(run_outcome_name(v->outcome)));
    json_put_string(&w, STR("state"), str_from(lead_state_name(v->state)));
    api_put_text(&w, STR("tier"), v->scored ? str_from(tier_name(v->tier)) : (str){0});
    json_key(&w, STR("score"));
    if (v->scored)
        json_number(&w, v->probability);
    else
        json_null(&w);
    api_put_time(&w, STR("scored_at"), v->scored_ms);
    json_close_object(&w);
    buf_add(text, STR("\n\n"));
    if (!text->over)
        http_stream_push(l->stream, buf_str(text));
}

/* ---- a look ---- */

struct look {
    struct api_events *events;
    struct listener **listener; /* those of one tenant at one place */
    size_t n;
    bool more;
};

static err look_for(void *ctx) {
    struct look *k = ctx;
    struct api_events *e = k->events;
    struct listener *first = k->listener[0];
    const int64_t now_ms = e->api->c.clock.wall_ms();
    struct lead_view *v;
    size_t n;
    TRY(store_scored_since(e->reader, e->arena, str_from(first->tenant), first->at.ms, str_from(first->at.lead), PAGE, &v,
                           &n));
    struct buf text = {.ptr = arena_alloc(e->arena, EVENT_BYTE), .cap = EVENT_BYTE, .max = EVENT_BYTE};
    size_t settled = 0;
    while (settled < n && v[settled].scored_ms <= now_ms - SETTLE_MS)
        settled++;
    for (size_t i = 0; i < settled; i++)
        for (size_t j = 0; j < k->n; j++)
            push_event(k->listener[j], &v[i], &text);
    k->more = settled == PAGE;
    if (settled == 0)
        return OK;
    for (size_t j = 0; j < k->n; j++) {
        k->listener[j]->at.ms = v[settled - 1].scored_ms;
        snprintf(k->listener[j]->at.lead, sizeof k->listener[j]->at.lead, "%.*s", STR_ARG(v[settled - 1].lead));
        k->listener[j]->beat_ms = now_ms;
    }
    return OK;
}

static bool same_place(const struct listener *a, const struct listener *b) {
    return a->at.ms == b->at.ms && strcmp(a->at.lead, b->at.lead) == 0 && strcmp(a->tenant, b->tenant) == 0;
}

/* Moves those that are at the place of the first to the front; how many. */
static size_t gather(struct listener **l, size_t n) {
    size_t same = 1;
    for (size_t i = 1; i < n; i++)
        if (same_place(l[0], l[i])) {
            struct listener *other = l[same];
            l[same++] = l[i];
            l[i] = other;
        }
    return same;
}

static void beat(struct api_events *e, struct listener *l) {
    const int64_t now_ms = e->api->c.clock.wall_ms();
    if (now_ms >= l->beat_ms && now_ms - l->beat_ms < HEARTBEAT_MS)
        return;
    http_stream_push(l->stream, STR(": still here\n\n"));
    l->beat_ms = now_ms;
}

/* True when there is more to read at once. */
static bool look(struct api_events *e, struct listener **l, size_t n) {
    bool more = false;
    for (size_t from = 0, same; from < n; from += same) {
        same = gather(l + from, n - from);
        struct look k = {.events = e, .listener = l + from, .n = same};
        err rc = arena_run(e->arena, look_for, &k); /* a look that fails is made again */
        more = more || (rc == OK && k.more);
        arena_reset(e->arena);
    }
    for (size_t i = 0; i < n; i++)
        beat(e, l[i]);
    return more;
}

/* ---- the thread ---- */

/* Under lock: a copy of those that have a stream; those that have gone leave the list and go behind, n_gone of them. */
static void copy_list(struct api_events *e, struct listener **l, size_t *n, struct listener **gone, size_t *n_gone) {
    *n = *n_gone = 0;
    for (size_t i = 0; i < e->n;) {
        struct listener *x = e->listener[i];
        if (x->stream && atomic_load(&x->gone)) {
            gone[(*n_gone)++] = x;
            e->listener[i] = e->listener[--e->n];
            continue;
        }
        if (x->stream)
            l[(*n)++] = x;
        i++;
    }
}

/* Until it is time for the next look; false when all is over. */
static bool wait_for_work(struct api_events *e, bool at_once, struct listener **l, size_t *n) {
    struct listener *gone[MOST_LISTENERS];
    size_t n_gone;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LOOK_MS / 1000;
    pthread_mutex_lock(&e->lock);
    while (!e->stop && e->n == 0)
        pthread_cond_wait(&e->wake, &e->lock);
    for (int rc = 0; !e->stop && !at_once && rc == 0;)
        rc = pthread_cond_timedwait(&e->wake, &e->lock, &until);
    copy_list(e, l, n, gone, &n_gone);
    bool go_on = !e->stop;
    pthread_mutex_unlock(&e->lock);
    for (size_t i = 0; i < n_gone; i++)
        drop(gone[i]);
    return go_on;
}

static void *work(void *ctx) {
    struct api_events *e = ctx;
    struct listener *l[MOST_LISTENERS];
    size_t n;
    for (bool more = false; wait_for_work(e, more, l, &n);)
        more = look(e, l, n);
    return NULL;
}

static void destroy(void *ctx) {
    struct api_events *e = ctx;
    arena_free(e->arena);
    pthread_cond_destroy(&e->wake);
    pthread_mutex_destroy(&e->lock);
}

err events_new(struct api *api, struct api_events **out) {
    struct api_events *e = ARENA_NEW(api->arena, struct api_events);
    pthread_condattr_t monotonic;
    e->api = api;
    e->arena = arena_new(LOOK_BYTE);
    if (!e->arena)
        return fail(ERR_LIMIT, "memory_limit", "the system has no memory for live streams");
    pthread_mutex_init(&e->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&e->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    arena_defer(api->arena, destroy, e);
    TRY(store_reader_open(api->c.store, api->arena, &e->reader));
    *out = e;
    e->started = pthread_create(&e->thread, NULL, work, e) == 0;
    return e->started ? OK : fail(ERR_AGAIN, "api_thread", "the system gives no more threads");
}

void events_stop(struct api_events *e) {
    pthread_mutex_lock(&e->lock);
    e->stop = true;
    pthread_cond_signal(&e->wake);
    pthread_mutex_unlock(&e->lock);
    if (e->started)
        pthread_join(e->thread, NULL);
    e->started = false;
    pthread_mutex_lock(&e->lock);
    struct listener *l[MOST_LISTENERS];
    size_t n = 0;
    for (size_t i = 0; i < e->n; i++)
        if (e->listener[i]->stream) /* the others see that it is over when theirs is open */
            l[n++] = e->listener[i];
    e->n = 0;
    pthread_mutex_unlock(&e->lock);
    for (size_t i = 0; i < n; i++)
        drop(l[i]);
    store_reader_close(e->reader);
}

/* ---- the request ---- */

static struct listener *listener_new(struct call *c, const struct event_id *at) {
    struct listener *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    atomic_init(&l->refs, 2);
    l->at = *at;
    l->beat_ms = c->api->c.clock.wall_ms();
    snprintf(l->tenant, sizeof l->tenant, "%.*s", STR_ARG(c->tenant));
    return l;
}

static err read_place(struct call *c, struct event_id *at) {
    str given = http_request_header(c->r, STR("Last-Event-ID"));
    *at = (struct event_id){.ms = c->api->c.clock.wall_ms()};
    if (given.len > 0 && !event_id_parse(given, at))
        return fail(ERR_INPUT, "event_id", "the Last-Event-ID is none of ours");
    return OK;
}

err events_get(struct call *c) {
    struct api_events *e = c->api->events;
    struct event_id at;
    TRY(api_check_query(c, NULL, 0));
    TRY(read_place(c, &at));
    struct listener *l = listener_new(c, &at);
    if (!l)
        return fail(ERR_LIMIT, "events_full", "there is no memory for another listener");
    err rc = enter(e, l);
    if (rc != OK) {
        free(l);
        return rc;
    }
    api_answer(c, 200, (str){0});
    api_answer_field(c, STR("Content-Type"), STR("text/event-stream"));
    const struct http_stream_settings settings = {.max_queue_byte = QUEUE_BYTE, .closed = stream_closed, .ctx = l};
    metric_add(c->api->requests[2], 1);
    *c->later = true;
    struct http_stream *stream = http_stream_open(c->r, 200, c->answer.field, c->answer.n_field, &settings);
    if (stream)
        http_stream_push(stream, STR("retry: 2000\n\n"));
    publish(e, l, stream);
    return OK;
}
