/* backlog.c — how many live runs each tenant has, about: loaded from the store now and then, kept up by deltas between. What
 * was admitted and is not durable yet is counted apart, so that loading does not lose it. */
#include "flow/engine_priv.h"

#include <stdlib.h>

enum { SLOTS = 1024, MOST_TENANTS = 100000 };

struct entry {
    struct entry *next;
    int64_t n, admitted, most;
    size_t len;
    char name[];
};

struct backlog {
    pthread_mutex_t lock;
    struct entry *slot[SLOTS];
    size_t n_entry;
    int64_t total, admitted;
    bool changed; /* since it was loaded */
};

static void free_all(void *ctx) {
    struct backlog *b = ctx;
    for (size_t i = 0; i < SLOTS; i++)
        while (b->slot[i]) {
            struct entry *e = b->slot[i];
            b->slot[i] = e->next;
            free(e);
        }
    pthread_mutex_destroy(&b->lock);
}

struct backlog *backlog_new(struct arena *a) {
    struct backlog *b = ARENA_NEW(a, struct backlog);
    b->changed = true;
    pthread_mutex_init(&b->lock, NULL);
    arena_defer(a, free_all, b);
    return b;
}

/* The entry of a tenant, made when there is room for one; else NULL: then there is no bound for it. */
static struct entry *entry_of(struct backlog *b, str tenant) {
    struct entry **slot = &b->slot[str_hash(tenant) % SLOTS];
    for (struct entry *e = *slot; e; e = e->next)
        if (str_equal((str){e->name, e->len}, tenant))
            return e;
    struct entry *e = b->n_entry < MOST_TENANTS ? malloc(sizeof *e + tenant.len) : NULL;
    if (!e)
        return NULL;
    *e = (struct entry){.next = *slot, .len = tenant.len};
    if (tenant.len > 0)
        memcpy(e->name, tenant.ptr, tenant.len);
    b->n_entry++;
    return *slot = e;
}

void backlog_load(struct backlog *b, const struct backlog_view *view, size_t n) {
    pthread_mutex_lock(&b->lock);
    for (size_t i = 0; i < SLOTS; i++)
        for (struct entry *e = b->slot[i]; e; e = e->next)
            e->n = 0;
    b->total = 0;
    b->changed = false;
    for (size_t i = 0; i < n; i++) {
        struct entry *e = entry_of(b, view[i].tenant);
        b->total += view[i].n;
        if (e) {
            e->n = view[i].n;
            e->most = view[i].max_backlog;
        }
    }
    pthread_mutex_unlock(&b->lock);
}

bool backlog_admit(struct backlog *b, str tenant, size_t n, int64_t most) {
    pthread_mutex_lock(&b->lock);
    struct entry *e = entry_of(b, tenant);
    int64_t limit = e && e->most > 0 ? e->most : most;
    bool ok = !e || limit == 0 || e->n + e->admitted + (int64_t)n <= limit;
    b->changed = true;
    if (ok) {
        b->admitted += (int64_t)n;
        if (e)
            e->admitted += (int64_t)n;
    }
    pthread_mutex_unlock(&b->lock);
    return ok;
}

static int64_t at_least_0(int64_t n) { return n > 0 ? n : 0; }

void backlog_settle(struct backlog *b, str tenant, size_t admitted, int64_t more) {
    pthread_mutex_lock(&b->lock);
    struct entry *e = entry_of(b, tenant);
    b->admitted = at_least_0(b->admitted - (int64_t)admitted);
    b->total = at_least_0(b->total + more);
    b->changed = true;
    if (e) {
        e->admitted = at_least_0(e->admitted - (int64_t)admitted);
        e->n = at_least_0(e->n + more);
    }
    pthread_mutex_unlock(&b->lock);
}

int64_t backlog_total(struct backlog *b) {
    pthread_mutex_lock(&b->lock);
    int64_t total = b->total + b->admitted;
    pthread_mutex_unlock(&b->lock);
    return total;
}

bool backlog_is_old(struct backlog *b) {
    pthread_mutex_lock(&b->lock);
    bool old = b->changed || b->total > 0;
    pthread_mutex_unlock(&b->lock);
    return old;
}
