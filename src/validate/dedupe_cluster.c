/* dedupe_cluster.c — candidates scored, and rows joined where what speaks for it outweighs what speaks against it.
 *
 * Rows that are linked through others form a component; within it, the two parts with the greatest mean log-odds between
 * their rows are joined as long as that mean is above the threshold's. The mean is over all pairs, also those that no pass
 * proposed, so that a chain of near misses, whose ends are plainly different, stays apart. */
#include "base/buf.h"
#include "base/parallel.h"
#include "validate/dedupe_priv.h"

#include <math.h>
#include <stdlib.h>

/* Components of more rows are joined edge by edge, each time by the mean over a few rows of both sides. */
enum { EXACT_ROW = 48, PROBE_ROW = 8 };

/* One pair cannot speak louder than this for or against the rest of its cluster. */
static const double loudest_for = 10, loudest_against = -7;

/* ---- scoring ---- */

struct batch {
    const struct dedupe *d;
    struct buf edges;
    uint64_t n;
};

struct scoring {
    const struct dedupe *d;
    struct batch *batch;
};

static void score(void *ctx, uint32_t a, uint32_t b) {
    struct batch *s = ctx;
    const double log_odds = dedupe_log_odds(s->d, a, b, s->d->floor);
    s->n++;
    if (log_odds >= s->d->floor)
        buf_add(&s->edges, (str){(const char *)&(struct edge){a, b, (float)log_odds}, sizeof(struct edge)});
}

static err score_part(void *ctx, size_t part, struct arena *scratch) {
    struct scoring *s = ctx;
    (void)scratch;
    s->batch[part].d = s->d;
    dedupe_visit(s->d, part, score, &s->batch[part]);
    return buf_check(&s->batch[part].edges);
}

struct batches {
    struct batch *batch;
    size_t n;
};

static void free_batches(void *ctx) {
    struct batches *b = ctx;
    for (size_t i = 0; i < b->n; i++)
        buf_done(&b->batch[i].edges);
}

err dedupe_score(struct dedupe *d, struct edge **edge, size_t *n_edge, uint64_t *n_compared) {
    struct batches *all = ARENA_NEW(d->arena, struct batches);
    all->n = dedupe_part_count(d);
    all->batch = ARENA_ARRAY(d->arena, all->n, struct batch);
    for (size_t i = 0; i < all->n; i++)
        buf_init(&all->batch[i].edges, (size_t)1 << 31);
    arena_defer(d->arena, free_batches, all);
    struct scoring s = {d, all->batch};
    TRY(parallel_for(all->n, d->options.threads, 1 << 16, score_part, &s));
    size_t n = 0;
    *n_compared = 0;
    for (size_t i = 0; i < all->n; i++) {
        n += all->batch[i].edges.len / sizeof(struct edge);
        *n_compared += all->batch[i].n;
    }
    *edge = ARENA_ARRAY(d->arena, n, struct edge);
    *n_edge = 0;
    for (size_t i = 0; i < all->n; i++) {
        const size_t k = all->batch[i].edges.len / sizeof(struct edge);
        if (k > 0)
            memcpy(*edge + *n_edge, all->batch[i].edges.ptr, k * sizeof(struct edge));
        *n_edge += k;
        buf_done(&all->batch[i].edges);
    }
    return OK;
}

/* ---- clusters ---- */

/* Everything that joining needs; `root` is union–find over rows. */
struct joining {
    struct dedupe *d;
    uint32_t *root, *next, *last, *size; /* the rows of a cluster as a list that starts at its root; next: row + 1, 0 ends */
    struct dedupe_pair *pair;
    size_t n_pair, cap;
    uint64_t n_implied;
};

static uint32_t root_of(uint32_t *root, uint32_t x) {
    while (root[x] != x) {
        root[x] = root[root[x]];
        x = root[x];
    }
    return x;
}

static int by_rows(const void *x, const void *y) {
    const struct dedupe_pair *a = x, *b = y;
    return a->a != b->a ? (a->a < b->a ? -1 : 1) : (a->b > b->b) - (a->b < b->b);
}

static int by_odds(const void *x, const void *y) {
    const struct edge *a = x, *b = y;
    if (a->log_odds < b->log_odds || a->log_odds > b->log_odds)
        return a->log_odds > b->log_odds ? -1 : 1;
    return a->a != b->a ? (a->a < b->a ? -1 : 1) : (a->b > b->b) - (a->b < b->b);
}

static double heard(double log_odds) { return fmax(loudest_against, fmin(loudest_for, log_odds)); }

static void add_pair(struct joining *j, uint32_t a, uint32_t b, double log_odds) {
    if (!can_pair(j->d, a, b))
        return;
    if (j->n_pair == j->cap)
        j->pair = arena_grow(j->d->arena, j->pair, &j->cap, j->n_pair + 1, sizeof *j->pair);
    j->pair[j->n_pair++] = (struct dedupe_pair){a < b ? a : b, a < b ? b : a, linkage_probability(log_odds)};
}

static void join(struct joining *j, uint32_t a, uint32_t b) {
    if (b < a) {
        const uint32_t other = a;
        a = b;
        b = other;
    }
    j->root[b] = a;
    j->next[j->last[a]] = b + 1;
    j->last[a] = j->last[b];
    j->size[a] += j->size[b];
}

/* A component small enough for all its pairs. */
struct block {
    uint32_t row[EXACT_ROW];
    size_t n;
    double odds[EXACT_ROW][EXACT_ROW]; /* of two rows */
    double sum[EXACT_ROW][EXACT_ROW];  /* heard between two parts, which are named by their first row */
    size_t part[EXACT_ROW], size[EXACT_ROW];
};

static void compare_block(const struct dedupe *d, struct block *k) {
    for (size_t i = 0; i < k->n; i++) {
        k->part[i] = i;
        k->size[i] = 1;
        for (size_t j = i + 1; j < k->n; j++) {
            k->odds[i][j] = k->odds[j][i] = dedupe_log_odds(d, k->row[i], k->row[j], -INFINITY);
            k->sum[i][j] = k->sum[j][i] = heard(k->odds[i][j]);
        }
    }
}

/* The two parts that are nearest, and the mean log-odds between them. */
static double nearest(const struct block *k, size_t *x, size_t *y) {
    double best = -INFINITY;
    for (size_t i = 0; i < k->n; i++)
        for (size_t j = i + 1; j < k->n && k->part[i] == i; j++) {
            if (k->part[j] != j)
                continue;
            const double mean = k->sum[i][j] / (double)(k->size[i] * k->size[j]);
            if (mean > best) {
                best = mean;
                *x = i;
                *y = j;
            }
        }
    return best;
}

static void list_joined(struct joining *j, const struct block *k, size_t x, size_t y, double mean) {
    for (size_t p = 0; p < k->n; p++)
        for (size_t q = 0; q < k->n; q++)
            if (k->part[p] == x && k->part[q] == y) {
                j->n_implied += k->odds[p][q] < j->d->floor && can_pair(j->d, k->row[p], k->row[q]);
                add_pair(j, k->row[p], k->row[q], fmax(k->odds[p][q], mean));
            }
}

static void join_block(struct joining *j, struct block *k) {
    compare_block(j->d, k);
    size_t x = 0, y = 0;
    for (double mean; (mean = nearest(k, &x, &y)) >= j->d->floor;) {
        list_joined(j, k, x, y, mean);
        for (size_t i = 0; i < k->n; i++) {
            if (k->part[i] == y)
                k->part[i] = x;
            k->sum[x][i] += k->sum[y][i];
            k->sum[i][x] = k->sum[x][i];
        }
        k->size[x] += k->size[y];
        join(j, k->row[x], k->row[y]);
    }
}

/* The mean between a few rows of two clusters. */
static double probe(const struct joining *j, uint32_t a, uint32_t b) {
    double sum = 0, n = 0;
    uint32_t x = a + 1;
    for (int i = 0; i < PROBE_ROW && x; i++, x = j->next[x - 1]) {
        uint32_t y = b + 1;
        for (int k = 0; k < PROBE_ROW && y; k++, y = j->next[y - 1]) {
            sum += heard(dedupe_log_odds(j->d, x - 1, y - 1, -INFINITY));
            n++;
        }
    }
    return sum / n;
}

/* A large component: the surest edges first. Only pairs that were compared are listed, since all would be too many. */
static void join_edges(struct joining *j, struct edge *edge, size_t n) {
    qsort(edge, n, sizeof *edge, by_odds);
    for (size_t i = 0; i < n; i++) {
        const uint32_t a = root_of(j->root, edge[i].a), b = root_of(j->root, edge[i].b);
        if (a != b && probe(j, a, b) >= j->d->floor)
            join(j, a, b);
    }
    for (size_t i = 0; i < n; i++)
        if (root_of(j->root, edge[i].a) == root_of(j->root, edge[i].b))
            add_pair(j, edge[i].a, edge[i].b, (double)edge[i].log_odds);
}

static int by_component(const void *x, const void *y, void *ctx) {
    const uint32_t *component = ctx;
    const struct edge *a = x, *b = y;
    const uint32_t p = component[a->a], q = component[b->a];
    if (p != q)
        return p < q ? -1 : 1;
    return a->a != b->a ? (a->a < b->a ? -1 : 1) : (a->b > b->b) - (a->b < b->b);
}

/* The rows of some edges of one component, each once; more than EXACT_ROW: as many and one. */
static void rows_of(const struct edge *edge, size_t n, struct block *k) {
    k->n = 0;
    for (size_t i = 0; i < 2 * n && k->n <= EXACT_ROW; i++) {
        const uint32_t row = i % 2 ? edge[i / 2].b : edge[i / 2].a;
        size_t at = 0;
        while (at < k->n && k->row[at] < row)
            at++;
        if (at < k->n && k->row[at] == row)
            continue;
        if (k->n == EXACT_ROW) {
            k->n++;
            return;
        }
        memmove(&k->row[at + 1], &k->row[at], (k->n - at) * sizeof *k->row);
        k->row[at] = row;
        k->n++;
    }
}

static void components(struct dedupe *d, const struct edge *edge, size_t n, uint32_t *component) {
    for (size_t i = 0; i < d->n_row; i++)
        component[i] = (uint32_t)i;
    for (size_t i = 0; i < n; i++) {
        const uint32_t a = root_of(component, edge[i].a), b = root_of(component, edge[i].b);
        component[a > b ? a : b] = a < b ? a : b;
    }
    for (size_t i = 0; i < d->n_row; i++)
        component[i] = root_of(component, (uint32_t)i);
}

err dedupe_cluster(struct dedupe *d, const struct edge *edges, size_t n_edge, struct dedupe_result *out) {
    struct joining j = {.d = d};
    struct edge *edge = arena_copy(d->arena, edges, n_edge * sizeof *edge);
    uint32_t *component = ARENA_ARRAY(d->arena, d->n_row, uint32_t);
    struct block *k = ARENA_NEW(d->arena, struct block);
    j.root = ARENA_ARRAY(d->arena, d->n_row, uint32_t);
    j.next = ARENA_ARRAY(d->arena, d->n_row, uint32_t);
    j.last = ARENA_ARRAY(d->arena, d->n_row, uint32_t);
    j.size = ARENA_ARRAY(d->arena, d->n_row, uint32_t);
    for (size_t i = 0; i < d->n_row; i++) {
        j.root[i] = j.last[i] = (uint32_t)i;
        j.size[i] = 1;
    }
    components(d, edge, n_edge, component);
    qsort_r(edge, n_edge, sizeof *edge, by_component, component);
    for (size_t from = 0, to; from < n_edge; from = to) {
        for (to = from + 1; to < n_edge && component[edge[to].a] == component[edge[from].a];)
            to++;
        rows_of(edge + from, to - from, k);
        if (k->n <= EXACT_ROW)
            join_block(&j, k);
        else
            join_edges(&j, edge + from, to - from);
    }
    if (j.n_pair > 0)
        qsort(j.pair, j.n_pair, sizeof *j.pair, by_rows);
    uint64_t kept = 0;
    for (size_t i = 0; i < n_edge; i++)
        kept += root_of(j.root, edge[i].a) == root_of(j.root, edge[i].b);
    for (size_t i = 0; i < d->n_row; i++) {
        j.root[i] = root_of(j.root, (uint32_t)i);
        out->n_cluster += j.root[i] == i;
    }
    out->pair = j.pair;
    out->n_pair = j.n_pair;
    out->cluster = j.root;
    out->n_refused = n_edge - kept;
    out->n_implied = j.n_implied;
    return OK;
}
