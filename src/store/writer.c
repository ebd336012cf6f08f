/* writer.c — the queue of commands and the threads that make transactions of them. */
#include "store/writer.h"

#include "base/crash_point.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    KIND_MAX = 64,
    TEXT_BYTE = 768,
    RATE_COMMITS = 20,                /* the rate is taken over so many commits … */
    RATE_NS = 100 * 1000 * 1000,      /* … and high when they took less than this: 200 a second */
    CONFLICT_ATTEMPTS = 5,            /* of one command that meets deadlocks */
    TRUNCATE_BYTE = 32 * 1024 * 1024, /* a longer log is given back when idle */
    LANES = 1024,
    TURN_BYTE = 32 * 1024, /* what a lane may have more each time its turn comes */
    CROWD_PART = 8         /* a transaction for several lanes is so much shorter */
};

/* What waits of a tenant. */
struct lane {
    struct write *first, **last;
    size_t credit_byte;
    uint64_t served, over; /* the last transaction that took from it; in which its turn ended */
    struct lane *next;     /* among those with something */
};

struct writer_thread {
    struct writer *writer;
    struct db *db;
    pthread_t id;
    bool started;
    struct write **taken, **sorted; /* max_batch each */
    const struct write_kind *kind[KIND_MAX];
    size_t n_kind;
    bool began;             /* the last attempt had a connection */
    uint64_t checkpoint_at; /* no attempt before the log is that long */
    uint64_t quiet_byte;    /* the log's length since … */
    int64_t quiet_ns;
};

struct writer {
    struct writer_config config;
    struct clock clock;
    pthread_mutex_t lock;
    pthread_cond_t work, full;             /* first command for a sleeper; a whole batch for who lingers */
    struct lane *lane, *turn, **last_turn; /* LANES; those with something, in the order of their turns */
    size_t waiting, waiting_byte, sleepers;
    uint64_t taking; /* number of the transaction that takes, or took last */
    bool stopping, stopped;
    int64_t commit_ns[RATE_COMMITS];
    size_t n_commit;
    struct writer_stats stats;
    struct writer_thread *thread;
};

static void lock(struct writer *w) { pthread_mutex_lock(&w->lock); }
static void unlock(struct writer *w) { pthread_mutex_unlock(&w->lock); }

/* Waits on `c` for at most `ms`; false when the time is over. */
static bool wait_ms(struct writer *w, pthread_cond_t *c, int ms) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    return pthread_cond_timedwait(c, &w->lock, &t) != ETIMEDOUT;
}

static size_t bucket(uint64_t v) {
    size_t i = 0;
    while (i + 1 < WRITER_BUCKET_COUNT && v > (uint64_t)1 << i)
        i++;
    return i;
}

/* No transaction takes more than what waits. */
static bool is_full(const struct writer *w) {
    return w->waiting >= w->config.max_batch || w->waiting_byte >= w->config.max_batch_byte;
}

static void queue_lane(struct writer *w, struct lane *lane) {
    lane->next = NULL;
    *w->last_turn = lane;
    w->last_turn = &lane->next;
}

static void unqueue_first(struct writer *w) {
    w->turn = w->turn->next;
    if (!w->turn)
        w->last_turn = &w->turn;
}

static void put(struct writer *w, struct write *write) {
    struct lane *lane = &w->lane[write->tenant.len > 0 ? str_hash(write->tenant) % LANES : 0];
    if (!lane->first) {
        lane->last = &lane->first;
        lane->credit_byte = TURN_BYTE;
        queue_lane(w, lane);
    }
    *lane->last = write;
    lane->last = &write->next;
    w->waiting++;
    w->waiting_byte += write->byte;
}

/* What a transaction has taken so far. */
struct taken {
    size_t n, byte, lanes;
};

/* The lane whose turn it is. Who has had his turn in this transaction has more in the next, when others are in it too. */
static struct lane *next_lane(struct writer *w, const struct taken *x) {
    while (w->turn && w->turn->first->byte > w->turn->credit_byte) {
        struct lane *lane = w->turn;
        lane->credit_byte += TURN_BYTE;
        if (lane->served == w->taking)
            lane->over = w->taking;
        unqueue_first(w);
        queue_lane(w, lane);
    }
    return w->turn && w->turn->over == w->taking && x->lanes > 1 ? NULL : w->turn;
}

/* The next command for a transaction; NULL when there is none, or it has no room. */
static struct write *take_one(struct writer *w, struct taken *x) {
    struct lane *lane = x->n < w->config.max_batch ? next_lane(w, x) : NULL;
    if (!lane)
        return NULL;
    struct write *write = lane->first;
    const bool crowd = x->lanes > 1 || (x->lanes == 1 && lane->served != w->taking);
    if (x->n > 0 && x->byte + write->byte > w->config.max_batch_byte / (crowd ? CROWD_PART : 1))
        return NULL;
    x->lanes += lane->served != w->taking;
    lane->served = w->taking;
    x->n++;
    x->byte += write->byte;
    lane->credit_byte -= write->byte;
    lane->first = write->next;
    if (!lane->first)
        unqueue_first(w);
    w->waiting--;
    w->waiting_byte -= write->byte;
    return write;
}

err writer_submit(struct writer *w, struct write *write) {
    write->next = NULL;
    write->changed = NULL;
    lock(w);
    bool stopping = w->stopping;
    bool full = w->stats.queue >= w->config.max_queue || w->stats.queue_byte + write->byte > w->config.max_queue_byte;
    if (stopping || full) {
        w->stats.refused += full && !stopping;
        unlock(w);
        return stopping ? fail(ERR_AGAIN, "store_stopping", "the store is being closed")
                        : fail(ERR_LIMIT, "store_full", "more work waits for the store than it takes; try again later");
    }
    const bool was_full = is_full(w);
    put(w, write);
    w->stats.queue++;
    w->stats.queue_byte += write->byte;
    if (w->sleepers > 0)
        pthread_cond_signal(&w->work);
    else if (!was_full && is_full(w))
        pthread_cond_signal(&w->full);
    unlock(w);
    return OK;
}

static bool commits_are_frequent(const struct writer *w) {
    if (w->config.linger_ms < 0 || w->n_commit < RATE_COMMITS)
        return false;
    return w->clock.steady_ns() - w->commit_ns[w->n_commit % RATE_COMMITS] < RATE_NS;
}

/* The log is moved only after the last command for a while; true when that time has come. */
static bool sleep_for_work(struct writer *w, bool to_move) {
    w->sleepers++;
    bool woken = true;
    if (to_move)
        woken = wait_ms(w, &w->work, w->config.idle_checkpoint_ms);
    else
        pthread_cond_wait(&w->work, &w->lock);
    w->sleepers--;
    return !woken;
}

static void checkpoint(struct writer_thread *t, enum db_checkpoint how) {
    struct writer *w = t->writer;
    int64_t begin = w->clock.steady_ns();
    crash_point("checkpoint");
    err rc = db_checkpoint(t->db, how); /* what could not be moved now is moved next time */
    crash_point("after_checkpoint");
    (void)rc;
    uint64_t took = (uint64_t)(w->clock.steady_ns() - begin);
    lock(w);
    w->stats.checkpoints++;
    w->stats.checkpoint_ns += took;
    if (took > w->stats.checkpoint_max_ns)
        w->stats.checkpoint_max_ns = took;
    w->stats.wal_byte = db_wal(t->db).byte;
    unlock(w);
}

/* Called with the lock, returns with it. */
static void checkpoint_idle(struct writer *w, struct writer_thread *t) {
    unlock(w);
    checkpoint(t, db_wal(t->db).byte > TRUNCATE_BYTE ? DB_CHECKPOINT_TRUNCATE : DB_CHECKPOINT_PASSIVE);
    lock(w);
}

/* The log has grown: moves it, at most once for each quarter of the limit when a reader holds it back. */
static void checkpoint_large(struct writer_thread *t) {
    uint64_t limit = t->writer->config.checkpoint_byte;
    struct db_wal wal = db_wal(t->db);
    if (wal.unmoved_byte < limit || wal.byte < t->checkpoint_at)
        return;
    checkpoint(t, wal.byte >= 2 * limit ? DB_CHECKPOINT_RESTART : DB_CHECKPOINT_PASSIVE);
    wal = db_wal(t->db);
    t->checkpoint_at = wal.unmoved_byte >= limit / 2 ? wal.byte + limit / 4 : 0;
}

/* Commands come, but for a while none has changed anything: as good a time as when none come. */
static void checkpoint_quiet(struct writer_thread *t) {
    struct writer *w = t->writer;
    struct db_wal wal = db_wal(t->db);
    int64_t now = w->clock.steady_ns();
    if (wal.byte != t->quiet_byte || wal.unmoved_byte == 0) {
        t->quiet_byte = wal.byte;
        t->quiet_ns = now;
    } else if (now - t->quiet_ns >= w->config.idle_checkpoint_ms * 1000000ll) {
        checkpoint(t, wal.byte > TRUNCATE_BYTE ? DB_CHECKPOINT_TRUNCATE : DB_CHECKPOINT_PASSIVE);
        t->quiet_ns = w->clock.steady_ns();
    }
}

/* Takes what waits, at most a batch, into t->taken; 0 when the writer stops and nothing waits. */
static size_t take(struct writer_thread *t) {
    struct writer *w = t->writer;
    lock(w);
    while (!w->turn && !w->stopping)
        if (sleep_for_work(w, db_wal(t->db).unmoved_byte > 0) && !w->turn && !w->stopping)
            checkpoint_idle(w, t);
    if (!is_full(w) && !w->stopping && commits_are_frequent(w))
        wait_ms(w, &w->full, w->config.linger_ms);
    struct taken x = {0};
    w->taking++;
    for (struct write *one; (one = take_one(w, &x));)
        t->taken[x.n - 1] = one;
    /* Others may have slept through a signal that was meant for what is left. */
    if (w->turn && w->sleepers > 0)
        pthread_cond_signal(&w->work);
    unlock(w);
    return x.n;
}

static size_t kind_index(struct writer_thread *t, const struct write_kind *kind) {
    size_t i = 0;
    while (i < t->n_kind && t->kind[i] != kind)
        i++;
    if (i == t->n_kind) {
        assert(t->n_kind < KIND_MAX);
        t->kind[t->n_kind++] = kind;
    }
    return i;
}

/* t->taken into t->sorted by kind; commands of a kind keep their order. */
static void sort(struct writer_thread *t, size_t n) {
    size_t from[KIND_MAX + 1] = {0};
    for (size_t i = 0; i < n; i++)
        from[kind_index(t, t->taken[i]->kind) + 1]++;
    for (size_t k = 1; k <= KIND_MAX; k++)
        from[k] += from[k - 1];
    for (size_t i = 0; i < n; i++)
        t->sorted[from[kind_index(t, t->taken[i]->kind)]++] = t->taken[i];
}

struct attempt {
    struct writer_thread *t;
    struct write **batch;
    size_t n;
};

static err apply(void *ctx) {
    struct attempt *a = ctx;
    struct db *db = a->t->db;
    TRY(db_begin(db));
    a->t->began = true;
    for (size_t from = 0, to = 0; from < a->n; from = to) {
        const struct write_kind *kind = a->batch[from]->kind;
        while (to < a->n && a->batch[to]->kind == kind)
            to++;
        TRY(kind->apply(db, a->batch + from, to - from, kind->ctx));
    }
    crash_point("writer_before_commit");
    TRY(db_commit(db));
    crash_point("writer_after_commit");
    return OK;
}

/* One transaction for the batch. */
static err attempt(struct writer_thread *t, struct write **batch, size_t n) {
    struct writer *w = t->writer;
    int64_t begin = w->clock.steady_ns();
    struct attempt a = {t, batch, n};
    t->began = false;
    err rc = arena_run(db_scratch(t->db), apply, &a);
    if (rc != OK)
        db_rollback(t->db);
    int64_t end = w->clock.steady_ns();
    lock(w);
    if (rc == OK) {
        w->stats.commits++;
        w->stats.commands += n;
        w->stats.commit_ns += (uint64_t)(end - begin);
        w->stats.commit_bucket[bucket((uint64_t)(end - begin) / 1000)]++;
        w->stats.batch_bucket[bucket(n)]++;
        w->commit_ns[w->n_commit++ % RATE_COMMITS] = end;
    } else {
        w->stats.rollbacks++;
    }
    w->stats.wal_byte = db_wal(t->db).byte;
    unlock(w);
    return rc;
}

/* Gives every command its result. Their memory is no longer ours when done returns. */
static void finish(struct writer *w, struct write **batch, size_t n, err rc) {
    char text[TEXT_BYTE];
    const char *slug = err_slug();
    snprintf(text, sizeof text, "%s", err_text());
    size_t byte = 0;
    for (size_t i = 0; i < n; i++)
        byte += batch[i]->byte;
    lock(w);
    w->stats.queue -= n;
    w->stats.queue_byte -= byte;
    if (rc != OK)
        w->stats.failed += n;
    unlock(w);
    for (size_t i = 0; i < n; i++) {
        if (rc != OK)
            (void)!(fail)(rc, slug, "%s", text);
        batch[i]->done(batch[i], rc);
    }
}

static bool is(err rc, err code, const char *slug) { return rc == code && strcmp(err_slug(), slug) == 0; }

/* One transaction; if it fails because of a command, two, and so on until those at fault stand alone. */
static void settle(struct writer_thread *t, struct write **batch, size_t n) {
    err rc = attempt(t, batch, n);
    if (t->began && is(rc, ERR_AGAIN, "db_lost")) /* nothing was committed, and the server may be back already */
        rc = attempt(t, batch, n);
    for (int i = 1; n == 1 && i < CONFLICT_ATTEMPTS && is(rc, ERR_CONFLICT, "db_serialization"); i++)
        rc = attempt(t, batch, n);
    if (rc == OK || rc == ERR_AGAIN || n == 1) {
        finish(t->writer, batch, n, rc);
        return;
    }
    settle(t, batch, n / 2);
    settle(t, batch + n / 2, n - n / 2);
}

static void *run(void *ctx) {
    struct writer_thread *t = ctx;
    size_t n = 0;
    while ((n = take(t)) > 0) {
        sort(t, n);
        settle(t, t->sorted, n);
        checkpoint_large(t);
        checkpoint_quiet(t);
    }
    if (db_wal(t->db).byte > 0)
        checkpoint(t, DB_CHECKPOINT_TRUNCATE);
    return NULL;
}

void writer_stop(struct writer *w) {
    lock(w);
    w->stopping = true;
    pthread_cond_broadcast(&w->work);
    pthread_cond_broadcast(&w->full);
    unlock(w);
    for (unsigned i = 0; i < w->config.threads; i++) {
        if (w->thread[i].started)
            pthread_join(w->thread[i].id, NULL);
        w->thread[i].started = false;
    }
}

static void stop_deferred(void *ctx) {
    struct writer *w = ctx;
    writer_stop(w);
    pthread_cond_destroy(&w->work);
    pthread_cond_destroy(&w->full);
    pthread_mutex_destroy(&w->lock);
}

void writer_stats(struct writer *w, struct writer_stats *out) {
    lock(w);
    *out = w->stats;
    unlock(w);
}

static struct writer_config with_defaults(struct arena *a, const struct writer_config *c) {
    struct writer_config full = *c;
    full.db.role = DB_WRITER;
    full.kind = arena_copy(a, c->kind, c->n_kind * sizeof *c->kind);
    if (full.threads == 0)
        full.threads = 1;
    if (full.max_batch == 0)
        full.max_batch = 1000;
    if (full.max_batch_byte == 0)
        full.max_batch_byte = (size_t)2 << 20;
    if (full.max_queue == 0)
        full.max_queue = 20000;
    if (full.max_queue_byte == 0)
        full.max_queue_byte = (size_t)256 << 20;
    if (full.linger_ms == 0)
        full.linger_ms = 2;
    if (full.checkpoint_byte == 0)
        full.checkpoint_byte = (uint64_t)24 << 20;
    if (full.idle_checkpoint_ms == 0)
        full.idle_checkpoint_ms = 1000;
    return full;
}

static void set_up_lock(struct writer *w) {
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->work, &steady);
    pthread_cond_init(&w->full, &steady);
    pthread_condattr_destroy(&steady);
}

static err start(struct writer *w) {
    for (unsigned i = 0; i < w->config.threads; i++) {
        if (pthread_create(&w->thread[i].id, NULL, run, &w->thread[i]) != 0)
            return fail(ERR_AGAIN, "thread_create", "no thread for the store");
        w->thread[i].started = true;
    }
    return OK;
}

static err open_threads(struct arena *a, struct writer *w) {
    for (unsigned i = 0; i < w->config.threads; i++) {
        struct writer_thread *t = &w->thread[i];
        t->writer = w;
        t->taken = ARENA_ARRAY(a, w->config.max_batch, struct write *);
        t->sorted = ARENA_ARRAY(a, w->config.max_batch, struct write *);
        for (size_t k = 0; k < w->config.n_kind; k++)
            (void)kind_index(t, w->config.kind[k]);
        TRY(db_open(a, &w->config.db, &t->db));
    }
    return OK;
}

err writer_new(struct arena *a, const struct writer_config *c, struct writer **out) {
    enum db_kind kind = DB_SQLITE;
    TRY(db_url_kind(str_from(c->db.url), &kind));
    struct writer *w = ARENA_NEW(a, struct writer);
    w->config = with_defaults(a, c);
    if (kind == DB_SQLITE)
        w->config.threads = 1;
    w->clock = clock_system();
    w->lane = ARENA_ARRAY(a, LANES, struct lane);
    w->last_turn = &w->turn;
    w->thread = ARENA_ARRAY(a, w->config.threads, struct writer_thread);
    TRY(open_threads(a, w));
    set_up_lock(w);
    arena_defer(a, stop_deferred, w);
    err rc = start(w);
    if (rc != OK)
        return rc;
    *out = w;
    return OK;
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool done;
    err rc;
    const char *slug;
    char text[TEXT_BYTE];
};

static void wake(struct write *write, err rc) {
    struct waiter *me = write->waiter;
    pthread_mutex_lock(&me->lock);
    me->done = true;
    me->rc = rc;
    me->slug = err_slug();
    snprintf(me->text, sizeof me->text, "%s", err_text());
    pthread_cond_signal(&me->over);
    pthread_mutex_unlock(&me->lock);
}

err writer_run(struct writer *w, struct write *write) {
    struct waiter me = {.lock = PTHREAD_MUTEX_INITIALIZER, .over = PTHREAD_COND_INITIALIZER};
    write->waiter = &me;
    write->done = wake;
    TRY(writer_submit(w, write));
    pthread_mutex_lock(&me.lock);
    while (!me.done)
        pthread_cond_wait(&me.over, &me.lock);
    pthread_mutex_unlock(&me.lock);
    pthread_cond_destroy(&me.over);
    pthread_mutex_destroy(&me.lock);
    return me.rc == OK ? OK : (fail)(me.rc, me.slug, "%s", me.text);
}
