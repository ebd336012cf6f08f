/* ready.c — deficit round robin over tenants that have jobs. */
#include "flow/ready.h"

#include <pthread.h>
#include <stdlib.h>

enum { TABLE_SLOTS = 4096 };

struct fifo {
    struct job *first, **end;
};

struct tenant {
    struct tenant *next_slot;
    struct tenant *next_active, *previous_active; /* in the ring, while it has jobs */
    bool active;
    struct fifo fifo[RUN_PRIORITY_COUNT];
    size_t waiting, running;
    int64_t weight, deficit, max_running;
    size_t name_len;
    char name[];
};

struct ready {
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct ready_limits limits;
    struct tenant *slot[TABLE_SLOTS];
    struct tenant *turn; /* the ring of tenants with jobs; whose turn it is */
    struct fifo suspect;
    size_t n_suspect;
    size_t suspects_running;
    bool stop;
    size_t waiting, running, byte, reserved, reserved_byte;
    unsigned sleepers;
};

static void fifo_init(struct fifo *f) { *f = (struct fifo){NULL, &f->first}; }

static void fifo_put(struct fifo *f, struct job *job) {
    job->next = NULL;
    *f->end = job;
    f->end = &job->next;
}

static struct job *fifo_take(struct fifo *f) {
    struct job *job = f->first;
    if (!(f->first = job->next))
        f->end = &f->first;
    job->next = NULL;
    return job;
}

struct ready *ready_new(const struct ready_limits *limits) {
    struct ready *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->limits = *limits;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->some, NULL);
    fifo_init(&r->suspect);
    return r;
}

static void free_jobs(struct job *job) {
    while (job) {
        struct job *next = job->next;
        job_free(job);
        job = next;
    }
}

void ready_free(struct ready *r) {
    if (!r)
        return;
    free_jobs(ready_drain(r));
    for (size_t i = 0; i < TABLE_SLOTS; i++)
        while (r->slot[i]) {
            struct tenant *t = r->slot[i];
            r->slot[i] = t->next_slot;
            free(t);
        }
    pthread_cond_destroy(&r->some);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

/* ---- tenants ---- */

static struct tenant *tenant_of(struct ready *r, str name) {
    struct tenant **slot = &r->slot[str_hash(name) % TABLE_SLOTS];
    for (struct tenant *t = *slot; t; t = t->next_slot)
        if (str_equal((str){t->name, t->name_len}, name))
            return t;
    struct tenant *t = calloc(1, sizeof *t + name.len);
    if (!t)
        return NULL;
    t->name_len = name.len;
    if (name.len > 0)
        memcpy(t->name, name.ptr, name.len);
    t->weight = 1;
    for (int k = 0; k < RUN_PRIORITY_COUNT; k++)
        fifo_init(&t->fifo[k]);
    t->next_slot = *slot;
    return *slot = t;
}

static void join(struct ready *r, struct tenant *t) {
    if (t->active)
        return;
    t->active = true;
    t->deficit = 0;
    if (!r->turn) {
        r->turn = t->next_active = t->previous_active = t;
        return;
    }
    /* Behind all others: just before the one whose turn it is. */
    t->next_active = r->turn;
    t->previous_active = r->turn->previous_active;
    t->previous_active->next_active = t;
    r->turn->previous_active = t;
}

static void leave(struct ready *r, struct tenant *t) {
    t->active = false;
    if (t->next_active == t) {
        r->turn = NULL;
        return;
    }
    if (r->turn == t)
        r->turn = t->next_active;
    t->previous_active->next_active = t->next_active;
    t->next_active->previous_active = t->previous_active;
}

void ready_set_tenant(struct ready *r, str tenant, int64_t weight, int64_t max_running) {
    pthread_mutex_lock(&r->lock);
    struct tenant *t = tenant_of(r, tenant);
    if (t) {
        t->weight = weight > 0 ? weight : 1;
        t->max_running = max_running;
    }
    pthread_mutex_unlock(&r->lock);
}

/* ---- room ---- */

static bool fits(const struct ready *r, size_t n, size_t byte) {
    return r->waiting + r->running + r->reserved + n <= r->limits.max_job &&
           r->byte + r->reserved_byte + byte <= r->limits.max_byte;
}

bool ready_reserve(struct ready *r, size_t n, size_t byte) {
    pthread_mutex_lock(&r->lock);
    bool ok = !r->stop && fits(r, n, byte);
    if (ok) {
        r->reserved += n;
        r->reserved_byte += byte;
    }
    pthread_mutex_unlock(&r->lock);
    return ok;
}

void ready_release(struct ready *r, size_t n, size_t byte) {
    pthread_mutex_lock(&r->lock);
    r->reserved -= n;
    r->reserved_byte -= byte;
    pthread_mutex_unlock(&r->lock);
}

size_t ready_room(struct ready *r) {
    pthread_mutex_lock(&r->lock);
    size_t used = r->waiting + r->running + r->reserved;
    size_t room = r->stop || used >= r->limits.max_job || !fits(r, 1, 0) ? 0 : r->limits.max_job - used;
    pthread_mutex_unlock(&r->lock);
    return room;
}

/* ---- jobs ---- */

static void put_one(struct ready *r, struct job *job) {
    r->waiting++;
    r->byte += job->byte;
    struct tenant *t = job->suspect ? NULL : tenant_of(r, job->tenant);
    if (!t) { /* no memory for a new tenant counts as a suspicion: slow, but nothing is lost */
        job->suspect = true;
        r->n_suspect++;
        fifo_put(&r->suspect, job);
        return;
    }
    fifo_put(&t->fifo[job->priority], job);
    t->waiting++;
    join(r, t);
}

void ready_put(struct ready *r, struct job *first) {
    pthread_mutex_lock(&r->lock);
    while (first) {
        struct job *next = first->next;
        put_one(r, first);
        first = next;
    }
    if (r->sleepers > 0)
        pthread_cond_broadcast(&r->some);
    pthread_mutex_unlock(&r->lock);
}

/* The job of a tenant that is due first; classes are in order of due time in themselves. */
static struct job *take_due(struct tenant *t) {
    int best = -1;
    for (int k = 0; k < RUN_PRIORITY_COUNT; k++)
        if (t->fifo[k].first && (best < 0 || t->fifo[k].first->due < t->fifo[best].first->due))
            best = k;
    t->waiting--;
    t->running++;
    return fifo_take(&t->fifo[best]);
}

static bool may_run(const struct ready *r, const struct tenant *t) {
    size_t most = t->max_running > 0 ? (size_t)t->max_running : r->limits.max_running;
    return most == 0 || t->running < most;
}

/* Whose turn it is among the tenants that may run; NULL when there is none. */
static struct tenant *next_tenant(struct ready *r) {
    struct tenant *first = r->turn;
    for (struct tenant *t = first; t; t = r->turn) {
        if (may_run(r, t)) {
            if (t->deficit <= 0)
                t->deficit += t->weight;
            return t;
        }
        r->turn = t->next_active;
        if (r->turn == first)
            return NULL;
    }
    return NULL;
}

static struct job *take_one(struct ready *r) {
    struct tenant *t = next_tenant(r);
    if (!t)
        return NULL;
    struct job *job = take_due(t);
    if (t->waiting == 0)
        leave(r, t);
    else if (--t->deficit <= 0)
        r->turn = t->next_active;
    return job;
}

/* Suspects, or others. */
static struct job *take(struct ready *r, size_t most) {
    struct job *first = NULL, **end = &first;
    if (r->n_suspect > 0 && r->suspects_running == 0) {
        for (; r->n_suspect > 0 && r->suspects_running < most; r->n_suspect--) {
            *end = fifo_take(&r->suspect);
            end = &(*end)->next;
            r->suspects_running++;
        }
        r->waiting -= r->suspects_running;
        r->running += r->suspects_running;
        return first;
    }
    for (size_t n = 0; n < most; n++) {
        struct job *job = take_one(r);
        if (!job)
            break;
        r->waiting--;
        r->running++;
        *end = job;
        end = &job->next;
    }
    return first;
}

struct job *ready_take(struct ready *r, size_t most) {
    struct job *first = NULL;
    pthread_mutex_lock(&r->lock);
    while (!r->stop && !(first = take(r, most))) {
        r->sleepers++;
        pthread_cond_wait(&r->some, &r->lock);
        r->sleepers--;
    }
    pthread_mutex_unlock(&r->lock);
    return first;
}

void ready_done(struct ready *r, const struct job *job) {
    pthread_mutex_lock(&r->lock);
    r->running--;
    r->byte -= job->byte;
    bool wake = r->n_suspect > 0;
    if (job->suspect) {
        r->suspects_running--;
    } else {
        struct tenant *t = tenant_of(r, job->tenant);
        if (t && t->running > 0) {
            wake |= !may_run(r, t) && t->waiting > 0;
            t->running--;
        }
    }
    if (wake && r->sleepers > 0)
        pthread_cond_broadcast(&r->some);
    pthread_mutex_unlock(&r->lock);
}

void ready_stop(struct ready *r) {
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_cond_broadcast(&r->some);
    pthread_mutex_unlock(&r->lock);
}

static void append(struct fifo *to, struct fifo *from) {
    if (from->first) {
        *to->end = from->first;
        to->end = from->end;
    }
    fifo_init(from);
}

struct job *ready_drain(struct ready *r) {
    struct fifo all;
    fifo_init(&all);
    pthread_mutex_lock(&r->lock);
    append(&all, &r->suspect);
    while (r->turn) {
        struct tenant *t = r->turn;
        for (int k = 0; k < RUN_PRIORITY_COUNT; k++)
            append(&all, &t->fifo[k]);
        t->waiting = 0;
        leave(r, t);
    }
    for (const struct job *job = all.first; job; job = job->next)
        r->byte -= job->byte;
    r->waiting = r->n_suspect = 0;
    pthread_mutex_unlock(&r->lock);
    return all.first;
}

struct ready_view ready_look(struct ready *r) {
    pthread_mutex_lock(&r->lock);
    struct ready_view v = {.waiting = r->waiting, .running = r->running, .suspects = r->n_suspect + r->suspects_running};
    struct tenant *t = r->turn;
    do {
        for (int k = 0; t && k < RUN_PRIORITY_COUNT; k++) {
            const struct job *job = t->fifo[k].first;
            if (job && (v.oldest_due == 0 || job->due < v.oldest_due))
                v.oldest_due = job->due;
        }
        t = t ? t->next_active : NULL;
    } while (t && t != r->turn);
    pthread_mutex_unlock(&r->lock);
    return v;
}
