/* bench_load.c — the leads of a measurement, and sending them at a rate. */
#include "base/rng.h"
#include "base/time.h"
#include "cmd/bench_priv.h"
#include "sandbox/sample.h"

#include <stdlib.h>
#include <time.h>

enum { LEAD_BYTE = 2048, HEAD_BYTE = 80 };

/* ---- leads ---- */

/* Words in random order: a sentence that repeats would be compressed to nothing. */
static void add_notes(struct buf *out, struct rng *r, size_t n) {
    static const char *const words[] = {
        "asked", "about",  "prices", "for",   "twelve", "seats",   "next",  "quarter", "pilot",    "with",   "the",
        "team",  "in",     "Leeds",  "wants", "demo",   "migrate", "from",  "legacy",  "system",   "budget", "approved",
        "needs", "export", "audit",  "trail", "single", "sign-on", "board", "meeting", "contract", "ends",   "June"};
    size_t end = out->len + n;
    while (out->len < end) {
        str word = str_from(words[rng_below(r, sizeof words / sizeof *words)]);
        buf_add(out, str_slice(word, 0, end - out->len));
        if (out->len < end)
            buf_add_byte(out, ' ');
    }
}

static str lead_text(struct arena *a, uint64_t i) {
    const struct sample_world world = {.seed = 7, .first_ms = 1704067200000, .last_ms = 1735689600000};
    struct rng r = rng_from_seed(i);
    struct sample_lead lead;
    struct buf *out = buf_in(a, 1 << 16);
    struct json_writer w;
    sample_draw(a, &world, i, &lead);
    json_write_begin(&w, out, 0);
    json_open_object(&w);
    json_put_string(&w, STR("source"), STR("bench"));
    json_key(&w, STR("custom"));
    json_open_object(&w);
    for (int c = 1; c < SAMPLE_COLUMN_COUNT; c++)
        if (lead.cell[c].len > 0)
            json_put_string(&w, str_from(sample_names[c]), lead.cell[c]);
    json_close_object(&w);
    struct buf *notes = buf_in(a, 1 << 16);
    if (out->len + HEAD_BYTE < LEAD_BYTE)
        add_notes(notes, &r, LEAD_BYTE - HEAD_BYTE - out->len);
    json_put_string(&w, STR("notes"), buf_str(notes));
    json_close_object(&w);
    str text = buf_str(out);
    return str_slice(text, 1, text.len); /* without its brace: identifier and address come before */
}

void bench_make_leads(struct bench *b) {
    b->body = ARENA_ARRAY(b->s->arena, DISTINCT_LEADS, str);
    for (uint64_t i = 0; i < DISTINCT_LEADS; i++)
        b->body[i] = lead_text(b->s->arena, i);
}

/* ---- sending ---- */

struct sending {
    struct bench *b;
    int64_t due_ns;
    uint64_t n;
};

static void sent(void *ctx, const struct http_result *r) {
    struct sending *x = ctx;
    struct bench *b = x->b;
    int64_t now_ns = b->s->clock.steady_ns();
    pthread_mutex_lock(&b->lock);
    if (r->rc == OK && r->status == 202) {
        b->accepted += x->n;
        b->accept_ms[b->n_accept++] = (double)(now_ns - x->due_ns) / 1e6;
    } else if (r->rc == OK && (r->status == 429 || r->status == 503)) {
        b->refused += x->n;
    } else {
        b->failed += x->n;
    }
    b->in_flight--;
    pthread_cond_signal(&b->room);
    pthread_mutex_unlock(&b->lock);
    free(x);
}

static void write_request(struct bench *b, struct buf *out, uint64_t first, uint64_t n) {
    buf_clear(out);
    if (n > 1)
        buf_add(out, STR("{\"leads\":["));
    for (uint64_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_byte(out, ',');
        unsigned long long id = first + i;
        buf_add_format(out, "{\"crm_id\":\"b%llu\",\"email\":\"u%llu@example%llu.test\",", id, id, id % 997);
        buf_add(out, b->body[(first + i) % DISTINCT_LEADS]);
    }
    if (n > 1)
        buf_add(out, STR("]}"));
}

/* Waits until there may be another request, and, at a fixed rate, until it is due. */
static int64_t wait_for_turn(struct bench *b, int64_t begin_ns, uint64_t first) {
    pthread_mutex_lock(&b->lock);
    size_t most = b->o->rate > 0 ? MOST_IN_FLIGHT : (size_t)b->o->parallel;
    while (b->in_flight >= most)
        pthread_cond_wait(&b->room, &b->lock);
    b->in_flight++;
    pthread_mutex_unlock(&b->lock);
    int64_t due = b->o->rate > 0 ? begin_ns + (int64_t)((double)first / b->o->rate * 1e9) : b->s->clock.steady_ns();
    int64_t wait = due - b->s->clock.steady_ns();
    if (wait > 0)
        nanosleep(&(struct timespec){.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000}, NULL);
    return due;
}

err bench_send_leads(struct bench *b, int64_t begin_ns) {
    struct buf *out = buf_in(b->s->arena, (size_t)16 << 20);
    const struct http_field field[] = {{STR("Authorization"), str_format(b->s->arena, "Bearer %.*s", STR_ARG(b->token))},
                                       {STR("Content-Type"), STR("application/json")}};
    str url = str_format(b->s->arena, "%.*s/v1/leads", STR_ARG(b->address));
    for (uint64_t first = 0; first < (uint64_t)b->o->leads;) {
        uint64_t left = (uint64_t)b->o->leads - first, n = left < (uint64_t)b->o->batch ? left : (uint64_t)b->o->batch;
        struct sending *x = malloc(sizeof *x);
        if (!x)
            return fail(ERR_LIMIT, "memory_limit", "no memory for a request");
        *x = (struct sending){b, wait_for_turn(b, begin_ns, first), n};
        write_request(b, out, first, n);
        const struct http_call call = {
            .method = STR("POST"), .url = url, .header = field, .n_header = 2, .body = buf_str(out), .done = sent, .ctx = x};
        TRY(http_client_send(b->client, &call, NULL));
        first += n;
    }
    pthread_mutex_lock(&b->lock);
    while (b->in_flight > 0)
        pthread_cond_wait(&b->room, &b->lock);
    pthread_mutex_unlock(&b->lock);
    return OK;
}
