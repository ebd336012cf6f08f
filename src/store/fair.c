/* fair.c — tenants in turn: who gets how much of a claim. */
#include "store/store_priv.h"

enum { FAIR_TENANTS = 256 }; /* looked at in one claim; the others have their turn in the next */

struct fair {
    struct arena *a;
    struct share *share;
    size_t n;
};

static err keep_tenant(void *ctx, struct db_row *row) {
    struct fair *f = ctx;
    str tenant = db_row_text(row, 0);
    for (size_t i = 0; i < f->n; i++)
        if (str_equal(f->share[i].tenant, tenant))
            return OK;
    if (f->n == FAIR_TENANTS)
        return OK;
    const int64_t weight = db_row_integer(row, 1), most = db_row_integer(row, 2), running = db_row_integer(row, 3);
    f->share[f->n++] = (struct share){.tenant = str_copy(f->a, tenant),
                                      .weight = weight > 0 ? weight : 1,
                                      .room = most == 0        ? INT64_MAX
                                              : most > running ? most - running
                                                               : 0};
    return OK;
}

static err ask_tenants(struct db *db, unsigned query, str behind, struct fair *f) {
    return db_query(db, query, DB_ROW(db_text(behind), db_integer(FAIR_TENANTS)), keep_tenant, f);
}

err store_fair_tenants(struct store *s, struct db *db, unsigned query, const char *cursor, struct arena *a,
                       struct share **out, size_t *n) {
    char from[TENANT_NAME_BYTE + 1];
    pthread_mutex_lock(&s->lock);
    memcpy(from, cursor, sizeof from);
    pthread_mutex_unlock(&s->lock);
    struct fair f = {.a = a, .share = ARENA_ARRAY(a, FAIR_TENANTS, struct share)};
    TRY(ask_tenants(db, query, str_from(from), &f));
    if (f.n < FAIR_TENANTS && from[0])
        TRY(ask_tenants(db, query, (str){"", 0}, &f));
    *out = f.share;
    *n = f.n;
    return OK;
}

/* One round: as much as its weight to each that may have more, in turn, while there is some left. */
static size_t deal(struct share *share, size_t n, size_t left) {
    size_t given = 0;
    for (size_t i = 0; i < n && given < left; i++) {
        int64_t more = share[i].room - (int64_t)share[i].quota;
        if (more > share[i].weight)
            more = share[i].weight;
        if (more > (int64_t)(left - given))
            more = (int64_t)(left - given);
        if (more > 0) {
            share[i].quota += (size_t)more;
            given += (size_t)more;
        }
    }
    return given;
}

size_t store_fair_divide(struct share *share, size_t n, size_t most) {
    /* Who got less than it might has no more. */
    for (size_t i = 0; i < n; i++) {
        share[i].room = share[i].got < share[i].quota ? 0 : share[i].room - (int64_t)share[i].got;
        share[i].quota = share[i].got = 0;
    }
    size_t given = 0, round;
    while (given < most && (round = deal(share, n, most - given)) > 0)
        given += round;
    return given;
}

void store_fair_remember(struct store *s, char *cursor, const struct share *share, size_t n) {
    const struct share *last = NULL;
    for (size_t i = 0; i < n; i++)
        if (share[i].quota > 0)
            last = &share[i];
    if (!last || last->tenant.len > TENANT_NAME_BYTE)
        return;
    pthread_mutex_lock(&s->lock);
    memcpy(cursor, last->tenant.ptr, last->tenant.len);
    cursor[last->tenant.len] = 0;
    pthread_mutex_unlock(&s->lock);
}
