/* budget.c — accounts in a table behind one lock, and reservations that hold in all of their accounts or in none. */
#include "egress/budget.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

enum { BUCKET_FIRST = 256, DEFAULT_ACCOUNTS = 1000000, MAX_LINE = 4, RECLAIM_TRIES = 64, SHARE_OF_LIMIT = 16 };

struct account {
    struct account *next;          /* in its bucket */
    struct account *newer, *older; /* by when it was made or last reclaimed in vain */
    uint64_t hash;
    enum budget_kind kind;
    int64_t day;
    struct budget_amount spent, reserved, granted;
    size_t len;
    char name[];
};

struct budget {
    struct budget_settings s;
    pthread_mutex_t lock; /* guards what follows */
    struct account **bucket;
    size_t n_bucket, n;
    struct account *newest, *oldest;
    int64_t today;
};

const char *budget_kind_name(enum budget_kind kind) {
    static const char *const name[] = {"lead", "tenant", "source"};
    return name[kind];
}

err budget_new(const struct budget_settings *settings, struct budget **out) {
    struct budget *b = calloc(1, sizeof *b);
    if (b)
        b->bucket = calloc(BUCKET_FIRST, sizeof(struct account *));
    if (!b || !b->bucket) {
        free(b);
        return fail(ERR_LIMIT, "memory_limit", "no memory for budgets");
    }
    b->s = *settings;
    if (b->s.max_account == 0)
        b->s.max_account = DEFAULT_ACCOUNTS;
    b->n_bucket = BUCKET_FIRST;
    b->today = INT64_MIN;
    pthread_mutex_init(&b->lock, NULL);
    *out = b;
    return OK;
}

void budget_free(struct budget *b) {
    if (!b)
        return;
    for (struct account *a = b->newest, *older; a; a = older) {
        older = a->older;
        free(a);
    }
    pthread_mutex_destroy(&b->lock);
    free(b->bucket);
    free(b);
}

/* ---- amounts ---- */

static int64_t add(int64_t a, int64_t b) {
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static struct budget_amount plus(struct budget_amount a, struct budget_amount b) {
    return (struct budget_amount){add(a.micro, b.micro), add(a.token, b.token)};
}

static struct budget_amount minus(struct budget_amount a, struct budget_amount b) {
    return (struct budget_amount){a.micro - b.micro, a.token - b.token};
}

static bool part_within(int64_t used, int64_t more, int64_t limit) {
    return more == 0 || limit == BUDGET_NO_LIMIT || add(used, more) <= limit;
}

static bool within(struct budget_amount used, struct budget_amount more, struct budget_amount limit) {
    return part_within(used.micro, more.micro, limit.micro) && part_within(used.token, more.token, limit.token);
}

/* ---- the table; the caller holds the lock ---- */

static uint64_t hash_of(enum budget_kind kind, str name, int64_t day) {
    return (str_hash(name) ^ (uint64_t)day * UINT64_C(0x9e3779b97f4a7c15)) * (2 * (uint64_t)kind + 1);
}

static void unlist(struct budget *b, struct account *a) {
    *(a->newer ? &a->newer->older : &b->newest) = a->older;
    *(a->older ? &a->older->newer : &b->oldest) = a->newer;
}

static void list_first(struct budget *b, struct account *a) {
    a->newer = NULL;
    a->older = b->newest;
    *(b->newest ? &b->newest->newer : &b->oldest) = a;
    b->newest = a;
}

static struct account **place_of(const struct budget *b, uint64_t hash, enum budget_kind kind, str name, int64_t day) {
    struct account **at = &b->bucket[hash & (b->n_bucket - 1)];
    while (*at && ((*at)->hash != hash || (*at)->kind != kind || (*at)->day != day ||
                   !str_equal((str){(*at)->name, (*at)->len}, name)))
        at = &(*at)->next;
    return at;
}

static void drop(struct budget *b, struct account *a) {
    *place_of(b, a->hash, a->kind, (str){a->name, a->len}, a->day) = a->next;
    unlist(b, a);
    b->n--;
    free(a);
}

/* A tenant's or source's account of today is the only record of what was spent: it stays. */
static bool may_go(const struct budget *b, const struct account *a) {
    return a->reserved.micro == 0 && a->reserved.token == 0 && (a->kind == BUDGET_LEAD || a->day < b->today);
}

static bool reclaim(struct budget *b) {
    for (int i = 0; i < RECLAIM_TRIES && b->oldest; i++) {
        struct account *a = b->oldest;
        if (may_go(b, a)) {
            drop(b, a);
            return true;
        }
        unlist(b, a);
        list_first(b, a);
    }
    return false;
}

static void grow(struct budget *b) {
    size_t n = b->n_bucket * 2;
    struct account **bucket = calloc(n, sizeof *bucket);
    if (!bucket)
        return; /* longer chains, no harm */
    for (struct account *a = b->newest; a; a = a->older) {
        a->next = bucket[a->hash & (n - 1)];
        bucket[a->hash & (n - 1)] = a;
    }
    free(b->bucket);
    b->bucket = bucket;
    b->n_bucket = n;
}

static int64_t day_of(const struct budget_line *line, int64_t day) { return line->kind == BUDGET_LEAD ? 0 : day; }

/* Made when it is not there; NULL when there is no memory. */
static struct account *account_of(struct budget *b, const struct budget_line *line, int64_t day) {
    int64_t on = day_of(line, day);
    uint64_t hash = hash_of(line->kind, line->account, on);
    struct account *a = *place_of(b, hash, line->kind, line->account, on);
    if (a)
        return a;
    if (b->n >= b->s.max_account && !reclaim(b))
        return NULL;
    if (b->n >= b->n_bucket)
        grow(b);
    a = malloc(sizeof *a + line->account.len);
    if (!a)
        return NULL;
    *a = (struct account){.hash = hash, .kind = line->kind, .day = on, .len = line->account.len, .spent = line->before};
    memcpy(a->name, line->account.ptr, line->account.len);
    a->next = b->bucket[hash & (b->n_bucket - 1)];
    b->bucket[hash & (b->n_bucket - 1)] = a;
    list_first(b, a);
    b->n++;
    return a;
}

/* ---- reservations ---- */

static int64_t wish_of(int64_t need, int64_t limit) {
    int64_t share = limit / SHARE_OF_LIMIT;
    return need > share ? need : share;
}

/* What this process may use of a limit that it shares. */
static bool granted(struct budget *b, struct account *a, const struct budget_line *line, struct budget_amount most) {
    if (!b->s.draw || a->kind == BUDGET_LEAD)
        return true;
    struct budget_amount want = minus(plus(plus(a->spent, a->reserved), most), a->granted), got = {0, 0};
    want.micro = line->limit.micro == BUDGET_NO_LIMIT || most.micro == 0 || want.micro < 0 ? 0 : want.micro;
    want.token = line->limit.token == BUDGET_NO_LIMIT || most.token == 0 || want.token < 0 ? 0 : want.token;
    if (want.micro == 0 && want.token == 0)
        return true;
    struct budget_amount wish = {want.micro ? wish_of(want.micro, line->limit.micro) : 0,
                                 want.token ? wish_of(want.token, line->limit.token) : 0};
    b->s.draw(b->s.draw_ctx, a->kind, (str){a->name, a->len}, a->day, line->limit, want, wish, &got);
    a->granted = plus(a->granted, got);
    return got.micro >= want.micro && got.token >= want.token;
}

static err used_up(enum budget_kind kind) {
    switch (kind) {
    case BUDGET_LEAD:
        return fail(ERR_LIMIT, "egress_budget_lead", "what may be spent on this lead is spent");
    case BUDGET_TENANT:
        return fail(ERR_LIMIT, "egress_budget_tenant", "what the tenant may spend today is spent");
    default:
        return fail(ERR_LIMIT, "egress_budget_source", "what may be spent on this source today is spent");
    }
}

static err reserve_line(struct budget *b, const struct budget_line *line, int64_t day, struct budget_amount most) {
    struct account *a = account_of(b, line, day);
    if (!a)
        return fail(ERR_LIMIT, "memory_limit", "no memory for a budget's account");
    if (!within(plus(a->spent, a->reserved), most, line->limit) || !granted(b, a, line, most))
        return used_up(line->kind);
    a->reserved = plus(a->reserved, most);
    return OK;
}

static void settle_line(struct budget *b, const struct budget_line *line, int64_t day, struct budget_amount most,
                        struct budget_amount spent) {
    struct account *a = account_of(b, line, day);
    if (!a)
        return; /* cannot be: what has a reservation stays */
    a->reserved = minus(a->reserved, most);
    a->spent = plus(a->spent, spent);
}

static bool counts(const struct budget_line *line) { return !str_empty(line->account); }

err budget_reserve(struct budget *b, const struct budget_line *line, size_t n, int64_t day, struct budget_amount most) {
    assert(most.micro >= 0 && most.token >= 0 && n <= MAX_LINE);
    const struct budget_amount nothing = {0, 0};
    err rc = OK;
    pthread_mutex_lock(&b->lock);
    b->today = day > b->today ? day : b->today;
    size_t i = 0;
    for (; i < n && rc == OK; i++)
        if (counts(&line[i]))
            rc = reserve_line(b, &line[i], day, most);
    if (rc != OK)
        for (size_t k = 0; k + 1 < i; k++)
            if (counts(&line[k]))
                settle_line(b, &line[k], day, most, nothing);
    pthread_mutex_unlock(&b->lock);
    return rc;
}

void budget_settle(struct budget *b, const struct budget_line *line, size_t n, int64_t day, struct budget_amount most,
                   struct budget_amount spent) {
    pthread_mutex_lock(&b->lock);
    for (size_t i = 0; i < n; i++)
        if (counts(&line[i]))
            settle_line(b, &line[i], day, most, spent);
    pthread_mutex_unlock(&b->lock);
}

struct budget_state budget_look(struct budget *b, enum budget_kind kind, str account, int64_t day) {
    struct budget_line line = {.kind = kind, .account = account};
    int64_t on = day_of(&line, day);
    pthread_mutex_lock(&b->lock);
    const struct account *a = *place_of(b, hash_of(kind, account, on), kind, account, on);
    struct budget_state state = a ? (struct budget_state){a->spent, a->reserved} : (struct budget_state){{0, 0}, {0, 0}};
    pthread_mutex_unlock(&b->lock);
    return state;
}
