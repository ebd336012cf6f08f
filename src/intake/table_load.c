/* table_load.c — a whole table into columns of text, each repeated text stored once. */
#include "intake/table_priv.h"

enum {
    INTERN_SLOT = 4096,
    INTERN_MOST = 2048,
    INTERN_BYTE = 128,
    INTERN_TRIAL = 8192,
    TEXT_STEP = 1 << 20,
    LOAD_ROW = 512,
    BATCH_LIMIT = 1 << 28
};

/* One column and the texts seen in it. A column whose texts hardly repeat stops looking. */
struct column {
    str *cell;
    str *seen; /* INTERN_SLOT slots; NULL once looking does not pay */
    size_t n_seen;
    uint32_t hits, misses;
};

struct loading {
    struct table *t;
    struct arena *a, *batch;
    struct column *column;
    uint64_t *index, *line;
    size_t n, cap;
    char *text;
    size_t text_left;
    table_reject_fn *reject;
    void *ctx;
    struct frame *out;
};

static str keep_text(struct loading *l, str s) {
    if (s.len > l->text_left) {
        l->text_left = s.len > TEXT_STEP / 4 ? s.len : TEXT_STEP;
        l->text = arena_alloc(l->a, l->text_left);
    }
    char *to = l->text;
    memcpy(to, s.ptr, s.len);
    l->text += s.len;
    l->text_left -= s.len;
    return (str){to, s.len};
}

/* The slot of an equal text, or the free one where it belongs. */
static str *find_slot(str *seen, str s) {
    size_t at = (size_t)str_hash(s) & (INTERN_SLOT - 1);
    while (seen[at].ptr && !str_equal(seen[at], s))
        at = (at + 1) & (INTERN_SLOT - 1);
    return &seen[at];
}

static str intern(struct loading *l, struct column *c, str s) {
    if (s.len == 0)
        return (str){0};
    if (!c->seen || s.len > INTERN_BYTE)
        return keep_text(l, s);
    str *slot = find_slot(c->seen, s);
    if (slot->ptr) {
        c->hits++;
        return *slot;
    }
    str kept = keep_text(l, s);
    if (c->n_seen < INTERN_MOST) {
        *slot = kept;
        c->n_seen++;
    }
    if (++c->misses + c->hits >= INTERN_TRIAL) {
        if (c->hits < c->misses)
            c->seen = NULL;
        c->hits = c->misses = 0;
    }
    return kept;
}

/* Rows to make room for: what the size of the file and the length of the rows so far promise, or twice as many. */
static size_t next_capacity(const struct loading *l, size_t need) {
    uint64_t total = table_bytes_total(l->t), read = table_bytes_read(l->t), consumed = l->t->consumed;
    if (consumed > read || source_is_packed(l->t->source))
        consumed = read;
    double promised = total > 0 && consumed > 0 ? (double)total / (double)consumed * (double)l->t->index * 1.02 + 1024 : 0;
    size_t most = need * 64; /* an unusual beginning must not claim everything */
    size_t cap = promised < (double)most ? (size_t)promised : most;
    return cap > need ? cap : need * 2;
}

static void make_room(struct loading *l, size_t more) {
    if (l->n + more <= l->cap)
        return;
    size_t cap = next_capacity(l, l->n + more);
    for (size_t c = 0; c < l->t->n_column; c++) {
        str *cell = ARENA_ARRAY(l->a, cap, str);
        if (l->n > 0)
            memcpy(cell, l->column[c].cell, l->n * sizeof *cell);
        l->column[c].cell = cell;
    }
    uint64_t *index = ARENA_ARRAY(l->a, cap, uint64_t), *line = ARENA_ARRAY(l->a, cap, uint64_t);
    if (l->n > 0) {
        memcpy(index, l->index, l->n * sizeof *index);
        memcpy(line, l->line, l->n * sizeof *line);
    }
    l->index = index;
    l->line = line;
    l->cap = cap;
}

/* Column by column, so that the texts seen in one stay in the cache. */
static err take_batch(struct loading *l, const struct table_row *row, size_t n) {
    make_room(l, n);
    size_t at = l->n;
    for (size_t i = 0; i < n; i++) {
        if (row[i].status == OK) {
            l->index[l->n] = row[i].index;
            l->line[l->n] = row[i].line;
            l->n++;
        } else if (l->reject) {
            TRY(l->reject(l->ctx, &row[i]));
        }
    }
    for (size_t c = 0; c < l->t->n_column; c++) {
        str *to = l->column[c].cell + at;
        for (size_t i = 0; i < n; i++)
            if (row[i].status == OK)
                *to++ = intern(l, &l->column[c], row[i].cell[c]);
    }
    return OK;
}

static err read_all(void *ctx) {
    struct loading *l = ctx;
    for (;;) {
        struct table_row *row = NULL;
        size_t n = 0;
        arena_reset(l->batch);
        TRY(table_read(l->t, l->batch, LOAD_ROW, &row, &n));
        if (n == 0)
            return OK;
        TRY(take_batch(l, row, n));
    }
}

static void free_batch(void *ctx) { arena_free(ctx); }

static void finish(struct loading *l) {
    const str **cell = ARENA_ARRAY(l->a, l->t->n_column, const str *);
    for (size_t c = 0; c < l->t->n_column; c++)
        cell[c] = l->column[c].cell;
    *l->out = (struct frame){.n_row = l->n,
                             .n_col = l->t->n_column,
                             .name = l->t->column,
                             .cell = cell,
                             .line = l->line,
                             .index = l->index,
                             .source = str_from(l->t->name)};
}

err table_load(struct table *t, struct arena *a, struct frame **out, table_reject_fn *reject, void *ctx) {
    struct arena *batch = arena_new(BATCH_LIMIT);
    if (!batch)
        return fail(ERR_LIMIT, "memory_limit", "no memory for reading %s", t->name);
    arena_defer(a, free_batch, batch);
    struct loading l = {.t = t, .a = a, .batch = batch, .reject = reject, .ctx = ctx};
    l.column = ARENA_ARRAY(a, t->n_column, struct column);
    for (size_t c = 0; c < t->n_column; c++)
        l.column[c].seen = ARENA_ARRAY(a, INTERN_SLOT, str);
    TRY(arena_run(batch, read_all, &l));
    if (t->index == 0)
        return fail(ERR_INPUT, "table_no_rows", "%s has a header but no rows", t->name);
    if (l.n == 0)
        return fail(ERR_INPUT, "table_no_good_rows", "%s: not one of %llu rows could be read", t->name,
                    (unsigned long long)t->index);
    l.out = ARENA_NEW(a, struct frame);
    finish(&l);
    *out = l.out;
    return OK;
}
