/* call_log.c — the log on request: one line an attempt, without secrets and without what could name a person. */
#include "egress/egress_priv.h"

#include "base/time.h"

#include <stdlib.h>

enum { LINE_BYTE = 1024 };

struct log_ring {
    atomic_bool on;
    pthread_mutex_t lock; /* guards what follows */
    char source[NAME_BYTE + 1];
    char *line; /* n × LINE_BYTE */
    size_t n, next, filled;
};

struct log_ring *log_new(size_t n) {
    struct log_ring *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    pthread_mutex_init(&l->lock, NULL);
    l->n = n;
    return l;
}

void log_free(struct log_ring *l) {
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l->line);
    free(l);
}

void egress_log_start(struct egress *e, str source) {
    struct log_ring *l = e->log;
    source = str_slice(source, 0, NAME_BYTE);
    pthread_mutex_lock(&l->lock);
    if (!l->line)
        l->line = calloc(l->n, LINE_BYTE);
    memcpy(l->source, source.ptr ? source.ptr : "", source.len);
    l->source[source.len] = '\0';
    atomic_store(&l->on, l->line != NULL);
    pthread_mutex_unlock(&l->lock);
}

void egress_log_stop(struct egress *e) { atomic_store(&e->log->on, false); }

void egress_log_read(struct egress *e, struct arena *a, str **lines, size_t *n) {
    struct log_ring *l = e->log;
    /* Allocated before the lock is taken. */
    char *copy = ARENA_ARRAY(a, l->n * LINE_BYTE, char);
    str *out = ARENA_ARRAY(a, l->n, str);
    pthread_mutex_lock(&l->lock);
    size_t filled = l->filled, first = (l->next + l->n - filled) % l->n;
    for (size_t i = 0; i < filled; i++)
        memcpy(copy + i * LINE_BYTE, l->line + (first + i) % l->n * LINE_BYTE, LINE_BYTE);
    pthread_mutex_unlock(&l->lock);
    for (size_t i = 0; i < filled; i++)
        out[i] = str_from(copy + i * LINE_BYTE);
    *lines = out;
    *n = filled;
}

bool log_wants(struct log_ring *l, str source) {
    if (!atomic_load_explicit(&l->on, memory_order_relaxed))
        return false;
    pthread_mutex_lock(&l->lock);
    bool wants = l->source[0] == '\0' || str_equal(str_from(l->source), source);
    pthread_mutex_unlock(&l->lock);
    return wants;
}

/* ---- masks ---- */

static void add_plain(struct buf *to, str s) {
    for (size_t i = 0; i < s.len; i++)
        buf_add_byte(to, s.ptr[i] > ' ' && s.ptr[i] < 0x7f ? s.ptr[i] : '?');
}

static void mask_query(struct buf *to, str query) {
    str part;
    bool first = true;
    buf_add_byte(to, '?');
    while (str_split(&query, '&', &part)) {
        ptrdiff_t equals = str_find_byte(part, '=');
        if (!first)
            buf_add_byte(to, '&');
        first = false;
        if (equals < 0) { /* a bare value */
            buf_add(to, STR("***"));
            continue;
        }
        add_plain(to, str_slice(part, 0, (size_t)equals));
        buf_add(to, STR("=***"));
    }
}

static bool may_name(str segment) {
    return str_find_byte(segment, '@') >= 0 || str_find_byte(segment, '%') >= 0 || segment.len > 64;
}

void log_mask_url(struct buf *to, str url, bool personal) {
    ptrdiff_t scheme = str_find(url, STR("://"));
    size_t begin = scheme < 0 ? 0 : (size_t)scheme + 3, end = begin, stop;
    ptrdiff_t fragment = str_find_byte(url, '#'), query;
    url = fragment < 0 ? url : str_slice(url, 0, (size_t)fragment);
    query = str_find_byte(url, '?');
    stop = query < 0 ? url.len : (size_t)query;
    while (end < stop && url.ptr[end] != '/')
        end++;
    str host = str_slice(url, begin, end), path = str_slice(url, end, stop), segment;
    ptrdiff_t at = str_find_byte(host, '@');
    add_plain(to, str_slice(url, 0, begin));
    add_plain(to, at < 0 ? host : str_slice(host, (size_t)at + 1, host.len));
    bool first = true;
    while (path.len > 0 && str_split(&path, '/', &segment)) {
        if (!first)
            buf_add_byte(to, '/');
        if (!str_empty(segment) && (personal || may_name(segment)))
            buf_add(to, STR("***"));
        else
            add_plain(to, segment);
        first = false;
    }
    if (query >= 0)
        mask_query(to, str_slice(url, (size_t)query + 1, url.len));
}

static bool may_show(const struct egress_field *f) {
    static const str shown[] = {STR_INIT("Accept"), STR_INIT("Content-Type"), STR_INIT("Accept-Language")};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (!f->secret && str_equal_nocase(f->name, shown[i]))
            return true;
    return false;
}

static void add_fields(struct buf *to, const struct call *c) {
    for (size_t i = 0; i < c->c.n_field; i++) {
        buf_add_byte(to, i == 0 ? ' ' : ',');
        add_plain(to, c->field[i].name);
        buf_add_byte(to, ':');
        if (may_show(&c->field[i]))
            add_plain(to, c->field[i].value);
        else
            buf_add(to, STR("***"));
    }
}

void log_attempt(struct call *c, enum egress_class class, const char *slug, struct budget_amount cost) {
    struct egress *e = c->egress;
    struct log_ring *l = e->log;
    if (!log_wants(l, c->c.source))
        return;
    char when[TIME_TEXT_BYTE];
    struct buf b;
    buf_init(&b, 8 * LINE_BYTE);
    size_t n = time_format(c->begun_wall_ms, when);
    buf_add_format(&b, "%.*s %s/%.*s %.*s #%u %.*s ", (int)n, when, c->source->name, STR_ARG(c->c.operation),
                   STR_ARG(c->c.credential), c->attempt, STR_ARG(c->c.method));
    log_mask_url(&b, c->c.url, c->c.personal != 0);
    buf_add_format(&b, " %s %s status=%d ms=%lld cost=%lld in=%zu", egress_class_name(class), slug, c->arrival.status,
                   (long long)(c->arrival.elapsed_us / 1000), (long long)cost.micro, c->arrival.body.len);
    add_fields(&b, c);
    size_t len = b.len < LINE_BYTE - 1 ? b.len : LINE_BYTE - 1;
    pthread_mutex_lock(&l->lock);
    char *to = l->line + l->next * LINE_BYTE;
    memcpy(to, b.ptr, len);
    to[len] = '\0';
    l->next = (l->next + 1) % l->n;
    l->filled += l->filled < l->n;
    pthread_mutex_unlock(&l->lock);
    buf_done(&b);
}
