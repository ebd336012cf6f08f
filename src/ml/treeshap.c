/* treeshap.c — prepares TreeSHAP: cuts trees into groups and tables their shares. */
#include "ml/treeshap_priv.h"
#include "ml/trees_priv.h"

#include <assert.h>
#include <math.h>

/* Least cover ratio: keeps every factor above zero. Base and shares stay consistent, as both use the ratio kept. */
static const double LEAST_RATIO = 1e-9;
enum { MAX_UPPER = (BATCH_STATES - 1) / 2, NO_TABLE = -1, TABLED_TREE_BYTE = 64 * 1024 };

void shap_quadrature(unsigned n, double *point, double *weight) {
    for (unsigned i = 0; i < n; i++) { /* Newton's method on the Legendre polynomial from Chebyshev's points */
        double x = cos(3.14159265358979323846 * (i + 0.75) / (n + 0.5)), slope = 1;
        for (int step = 0; step < 20; step++) {
            double p0 = 1, p1 = x;
            for (unsigned k = 2; k <= n; k++) {
                double p2 = ((2 * k - 1) * x * p1 - (k - 1) * p0) / k;
                p0 = p1;
                p1 = p2;
            }
            slope = n * (x * p1 - p0) / (x * x - 1);
            x -= p1 / slope;
        }
        point[i] = (1 - x) / 2;
        weight[i] = 1 / ((1 - x * x) * slope * slope);
    }
}

/* Distinct columns of a path with the products of their cover ratios. `care` and `want` say for which bits of a group's
 * index the row meets the column's conditions: (index ^ want) & care is 0. */
struct path {
    unsigned n;
    uint32_t column[TREES_MAX_DEPTH];
    double ratio[TREES_MAX_DEPTH];
    uint32_t care[TREES_MAX_DEPTH], want[TREES_MAX_DEPTH];
};

/* Adds a test and returns the number of its column on the path. */
static unsigned extend(struct path *p, uint32_t column, double ratio) {
    unsigned i = 0;
    while (i < p->n && p->column[i] != column)
        i++;
    if (i == p->n) {
        p->column[p->n] = column;
        p->ratio[p->n] = 1;
        p->care[p->n] = p->want[p->n] = 0;
        p->n++;
    }
    p->ratio[i] *= ratio;
    return i;
}

/* The tree being prepared. */
struct cutting {
    struct arena *a;
    struct treeshap *s;
    const struct tree_node *node; /* the tree's nodes */
    const struct fast_node *fast; /* the same; left is absolute */
    uint32_t root;
    uint32_t *inner;  /* inner nodes in the subtree of each node */
    uint32_t *number; /* d: place in treeshap.column, + 1; 0 for none yet */
    uint32_t *column;
    unsigned max_bit, n_upper;
    size_t byte;
    /* growing, over all trees */
    struct shap_upper *upper;
    struct shap_group *group;
    size_t n_all_upper, cap_upper, n_all_group, cap_group;
    size_t batch_upper; /* uppers of the batch before this tree */
};

static uint32_t left_of(const struct cutting *c, uint32_t i) { return c->fast[i].left - c->root; }

/* The share of a node's cover that went to its left child. */
static double left_ratio(const struct cutting *c, uint32_t i) {
    double l = (double)c->node[left_of(c, i)].cover, r = (double)c->node[left_of(c, i) + 1].cover;
    double ratio = l + r > 0 ? l / (l + r) : 0.5;
    return fmin(fmax(ratio, LEAST_RATIO), 1 - LEAST_RATIO);
}

/* The column's place among those that trees test. */
static uint32_t number_of(struct cutting *c, uint32_t column) {
    if (c->number[column] == 0) {
        c->column[c->s->n_column++] = column;
        c->number[column] = (uint32_t)c->s->n_column;
    }
    return c->number[column] - 1;
}

static void count_inner(struct cutting *c, uint32_t n) {
    for (uint32_t i = n; i-- > 0;)
        c->inner[i] = c->node[i].column < 0 ? 0 : 1 + c->inner[left_of(c, i)] + c->inner[left_of(c, i) + 1];
}

/* Sum over the leaves below i of value times the chance to get there. */
static double mean_below(const struct cutting *c, uint32_t i) {
    if (c->node[i].column < 0)
        return (double)c->node[i].value;
    double left = left_ratio(c, i);
    return left * mean_below(c, left_of(c, i)) + (1 - left) * mean_below(c, left_of(c, i) + 1);
}

static void collect_columns(const struct cutting *c, uint32_t i, struct path *all) {
    if (c->node[i].column < 0)
        return;
    (void)extend(all, (uint32_t)c->node[i].column, 1);
    collect_columns(c, left_of(c, i), all);
    collect_columns(c, left_of(c, i) + 1, all);
}

/* Whether the subtree of i can be tabled with c->max_bit bits; adds up the tables' bytes and the tests above them. */
static bool plan(struct cutting *c, uint32_t i, const struct path *above) {
    unsigned bits = above->n + c->inner[i];
    if (bits <= c->max_bit) {
        struct path all = *above;
        collect_columns(c, i, &all);
        c->byte += ((size_t)1 << bits) * all.n * sizeof(double);
        return true;
    }
    if (c->node[i].column < 0 || ++c->n_upper > MAX_UPPER)
        return false;
    struct path next = *above;
    (void)extend(&next, (uint32_t)c->node[i].column, 1);
    return plan(c, left_of(c, i), &next) && plan(c, left_of(c, i) + 1, &next);
}

/* ---- tables ---- */

struct table {
    double *share; /* 2^bits rows of n_column */
    unsigned bits;
    const struct path *columns; /* the group's */
};

/* Shares of the leaf's columns for each set of columns whose conditions are met: out[set * p->n + i]. */
static void tabulate_leaf(const struct treeshap *s, const struct path *p, double value, double *out) {
    enum { SETS = 1 << GROUP_BITS, POINTS = QUAD };
    static_assert(GROUP_BITS <= 2 * POINTS, "the quadrature is exact for two columns a point");
    const struct shap_points *at = &s->points[1];
    double product[SETS][POINTS], gain[GROUP_BITS][2][POINTS];
    for (unsigned q = 0; q < POINTS; q++)
        product[0][q] = value * at->weight[0].v[q];
    for (unsigned i = 0; i < p->n; i++)
        for (unsigned q = 0; q < POINTS; q++) {
            double unmet = p->ratio[i] * at->unmet[0].v[q], met = unmet + at->t_if[1][0].v[q];
            for (unsigned set = 0; set < 1u << i; set++) {
                product[set | 1u << i][q] = product[set][q] * met;
                product[set][q] *= unmet;
            }
            gain[i][0][q] = -p->ratio[i] / unmet;
            gain[i][1][q] = (1 - p->ratio[i]) / met;
        }
    for (unsigned set = 0; set < 1u << p->n; set++)
        for (unsigned i = 0; i < p->n; i++) {
            double sum = 0;
            for (unsigned q = 0; q < POINTS; q++)
                sum += product[set][q] * gain[i][set >> i & 1][q];
            out[set * p->n + i] = sum;
        }
}

static void add_leaf(const struct treeshap *s, const struct table *t, const struct path *p, double value) {
    double of_set[(1 << GROUP_BITS) * GROUP_BITS];
    unsigned to[GROUP_BITS];
    tabulate_leaf(s, p, value, of_set);
    for (unsigned i = 0; i < p->n; i++)
        for (to[i] = 0; t->columns->column[to[i]] != p->column[i];)
            to[i]++;
    for (uint32_t index = 0; index < 1u << t->bits; index++) {
        unsigned set = 0;
        for (unsigned i = 0; i < p->n; i++)
            set |= (unsigned)(((index ^ p->want[i]) & p->care[i]) == 0) << i;
        for (unsigned i = 0; i < p->n; i++)
            t->share[index * t->columns->n + to[i]] += of_set[set * p->n + i];
    }
}

/* Adds the leaves below i; the tests below are numbered from `bit` in preorder. */
static void fill_table(const struct cutting *c, const struct table *t, uint32_t i, const struct path *p, unsigned bit) {
    if (c->node[i].column < 0) {
        add_leaf(c->s, t, p, (double)c->node[i].value);
        return;
    }
    uint32_t left = left_of(c, i);
    double ratio = left_ratio(c, i);
    struct path next = *p;
    unsigned at = extend(&next, (uint32_t)c->node[i].column, ratio);
    next.care[at] |= 1u << bit;
    next.want[at] |= 1u << bit;
    fill_table(c, t, left, &next, bit + 1);
    next = *p;
    at = extend(&next, (uint32_t)c->node[i].column, 1 - ratio);
    next.care[at] |= 1u << bit;
    fill_table(c, t, left + 1, &next, bit + 1 + c->inner[left]);
}

static unsigned list_tests(const struct cutting *c, uint32_t i, struct shap_test *to) {
    if (c->node[i].column < 0)
        return 0;
    to[0] = (struct shap_test){.threshold = c->fast[i].threshold, .slot = c->fast[i].slot};
    unsigned n = 1 + list_tests(c, left_of(c, i), to + 1);
    return n + list_tests(c, left_of(c, i) + 1, to + n);
}

static void add_group(struct cutting *c, uint32_t i, const struct path *above, uint32_t state) {
    struct path all = *above;
    collect_columns(c, i, &all);
    if (all.n == 0)
        return; /* a tree of one leaf: all base */
    struct shap_test *test = ARENA_ARRAY(c->a, c->inner[i], struct shap_test);
    struct table t = {.bits = above->n + c->inner[i], .columns = &all};
    t.share = ARENA_ARRAY(c->a, ((size_t)1 << t.bits) * all.n, double);
    fill_table(c, &t, i, above, above->n);
    uint32_t *column = ARENA_ARRAY(c->a, all.n, uint32_t);
    for (unsigned k = 0; k < all.n; k++)
        column[k] = number_of(c, all.column[k]);
    if (c->n_all_group == c->cap_group)
        c->group = arena_grow(c->a, c->group, &c->cap_group, c->n_all_group + 1, sizeof *c->group);
    c->group[c->n_all_group++] = (struct shap_group){.test = test,
                                                     .column = column,
                                                     .table = t.share,
                                                     .state = (uint16_t)state,
                                                     .n_path = (uint8_t)above->n,
                                                     .n_test = (uint8_t)list_tests(c, i, test),
                                                     .n_column = (uint8_t)all.n};
}

/* Follows the plan: tests above become upper tests, subtrees that fit become groups. `state` is that of node i. */
static void cut(struct cutting *c, uint32_t i, const struct path *above, uint32_t state) {
    if (above->n + c->inner[i] <= c->max_bit) {
        add_group(c, i, above, state);
        return;
    }
    double ratio = left_ratio(c, i);
    struct path next = *above;
    unsigned bit = extend(&next, (uint32_t)c->node[i].column, ratio);
    next.care[bit] = next.want[bit] = 1u << bit;
    if (c->n_all_upper == c->cap_upper)
        c->upper = arena_grow(c->a, c->upper, &c->cap_upper, c->n_all_upper + 1, sizeof *c->upper);
    uint32_t number = (uint32_t)(c->n_all_upper - c->batch_upper);
    c->upper[c->n_all_upper++] =
        (struct shap_upper){.threshold = c->fast[i].threshold, .slot = c->fast[i].slot, .from = state, .bit = 1u << bit};
    cut(c, left_of(c, i), &next, 2 * number + 1);
    next = *above;
    bit = extend(&next, (uint32_t)c->node[i].column, 1 - ratio);
    next.care[bit] = next.want[bit] = 1u << bit;
    cut(c, left_of(c, i) + 1, &next, 2 * number + 2);
}

/* ---- trees without tables ---- */

/* The edges of a path, from the leaf up. */
struct above {
    const struct above *up;
    uint32_t column, node;
    double ratio;
};

static void mark_edges(const struct cutting *c, uint32_t i, const struct above *path, struct shap_edge *to) {
    if (c->node[i].column < 0)
        return;
    const struct above *earlier = path;
    while (earlier && earlier->column != (uint32_t)c->node[i].column)
        earlier = earlier->up;
    double before = earlier ? earlier->ratio : 1, left = left_ratio(c, i);
    for (unsigned right = 0; right < 2; right++) {
        uint32_t child = left_of(c, i) + right;
        struct above here = {
            .up = path, .column = (uint32_t)c->node[i].column, .node = child, .ratio = before * (right ? 1 - left : left)};
        to[child] = (struct shap_edge){.ratio = here.ratio,
                                       .value = c->node[child].column < 0 ? (double)c->node[child].value : 1,
                                       .earlier = earlier ? earlier->node : 0};
        mark_edges(c, child, &here, to);
    }
}

static void add_walk(struct cutting *c, size_t tree, uint32_t n_node, struct shap_walk *to) {
    uint32_t depth = c->s->t->fast->tree[tree].depth, n_quad = (depth + 2 * QUAD - 1) / (2 * QUAD), k = 0;
    struct shap_split *split = ARENA_ARRAY(c->a, c->inner[0], struct shap_split);
    struct shap_edge *edge = ARENA_ARRAY(c->a, n_node, struct shap_edge);
    struct quad *gain = shap_alloc(c->a, (size_t)n_node * n_quad * sizeof *gain);
    const struct shap_points *at = &c->s->points[n_quad];
    mark_edges(c, 0, NULL, edge);
    for (uint32_t i = 0; i < n_node; i++) {
        for (uint32_t q = 0; q < n_quad && i > 0; q++)
            gain[i * n_quad + q].v =
                at->weight[q].v * (1 - edge[i].ratio) / (edge[i].ratio * at->unmet[q].v + at->t_if[1][q].v);
        if (c->node[i].column >= 0)
            split[k++] = (struct shap_split){.threshold = c->fast[i].threshold,
                                             .slot = c->fast[i].slot,
                                             .column = number_of(c, (uint32_t)c->node[i].column),
                                             .node = (uint16_t)i};
    }
    *to = (struct shap_walk){.n_split = k, .n_quad = n_quad, .split = split, .edge = edge, .gain_met = gain};
}

/* ---- the whole ---- */

/* Fewest bits first that the tree can be cut with and whose tables are small: past that the walk is faster than the tables'
 * way to the processor. NO_TABLE when there are none. */
static int choose_bits(struct cutting *c, size_t max_byte) {
    static const int tried[] = {7, 6, 8};
    for (size_t b = 0; b < sizeof tried / sizeof *tried; b++) {
        struct path none = {0};
        c->max_bit = (unsigned)tried[b];
        c->byte = c->n_upper = 0;
        if (plan(c, 0, &none) && c->byte <= max_byte && c->byte <= TABLED_TREE_BYTE)
            return tried[b];
    }
    return NO_TABLE;
}

static int by_shape(const void *x, const void *y) {
    const struct shap_group *a = x, *b = y;
    if (a->n_test != b->n_test)
        return a->n_test < b->n_test ? -1 : 1;
    if (a->n_column != b->n_column)
        return a->n_column < b->n_column ? -1 : 1;
    return (a->table > b->table) - (a->table < b->table);
}

static void end_batch(struct cutting *c, struct shap_batch *b) {
    b->n_upper = (uint32_t)c->n_all_upper - b->first_upper;
    b->n_group = (uint32_t)c->n_all_group - b->first_group;
    if (b->n_group > 0)
        qsort(c->group + b->first_group, b->n_group, sizeof *c->group, by_shape);
}

static void prepare_trees(struct cutting *c, size_t max_byte, struct shap_batch *batch, struct shap_walk *walk) {
    struct treeshap *s = c->s;
    const struct trees *t = s->t;
    size_t n = t->part[1] - t->part[0], left_byte = max_byte;
    for (size_t k = t->part[0]; k < t->part[1]; k++) {
        c->root = t->root[k];
        c->node = t->node + c->root;
        c->fast = t->fast->node + c->root;
        count_inner(c, t->root[k + 1] - c->root);
        s->base += mean_below(c, 0);
        int bits = choose_bits(c, left_byte / (n - k));
        if (bits == NO_TABLE) {
            add_walk(c, k, t->root[k + 1] - c->root, &walk[s->n_walk++]);
            continue;
        }
        if (2 * (c->n_all_upper - c->batch_upper + c->n_upper) + 1 > BATCH_STATES) {
            end_batch(c, &batch[s->n_batch - 1]);
            c->batch_upper = c->n_all_upper;
            batch[s->n_batch++] =
                (struct shap_batch){.first_upper = (uint32_t)c->n_all_upper, .first_group = (uint32_t)c->n_all_group};
        }
        struct path none = {0};
        cut(c, 0, &none, 0);
        s->table_byte += c->byte;
        left_byte -= c->byte;
    }
    end_batch(c, &batch[s->n_batch - 1]);
}

static void set_points(unsigned n_quad, struct shap_points *to) {
    double point[MAX_QUADS * QUAD], weight[MAX_QUADS * QUAD];
    shap_quadrature(n_quad * QUAD, point, weight);
    for (unsigned i = 0; i < n_quad * QUAD; i++) {
        unsigned q = i / QUAD, l = i % QUAD;
        to->t_if[1][q].v[l] = point[i];
        to->unmet[q].v[l] = 1 - point[i];
        to->weight[q].v[l] = weight[i];
        to->gain_unmet[q].v[l] = -weight[i] / (1 - point[i]);
    }
}

struct treeshap *treeshap_new_within(struct arena *a, const struct trees *t, size_t max_byte) {
    struct treeshap *s = shap_alloc(a, sizeof *s);
    s->t = t;
    s->base = t->base[0];
    for (unsigned n = 1; n <= MAX_QUADS; n++)
        set_points(n, &s->points[n]);
    uint32_t most = 1;
    for (size_t k = t->part[0]; k < t->part[1]; k++)
        if (t->root[k + 1] - t->root[k] > most)
            most = t->root[k + 1] - t->root[k];
    struct cutting c = {.a = a,
                        .s = s,
                        .inner = ARENA_ARRAY(a, most, uint32_t),
                        .number = ARENA_ARRAY(a, t->d, uint32_t),
                        .column = ARENA_ARRAY(a, t->d, uint32_t)};
    c.group = arena_grow(a, NULL, &c.cap_group, 1, sizeof *c.group);
    struct shap_batch *batch = ARENA_ARRAY(a, t->part[1] - t->part[0] + 1, struct shap_batch);
    struct shap_walk *walk = ARENA_ARRAY(a, t->part[1] - t->part[0], struct shap_walk);
    s->n_batch = 1;
    prepare_trees(&c, max_byte, batch, walk);
    s->batch = batch;
    s->walk = walk;
    s->column = c.column;
    s->upper = c.upper;
    s->group = c.group;
    return s;
}

struct treeshap *treeshap_new(struct arena *a, const struct trees *t) {
    return treeshap_new_within(a, t, TREESHAP_MAX_BYTE);
}

double treeshap_base(const struct treeshap *s) { return s->base; }

size_t treeshap_byte(const struct treeshap *s) { return s->table_byte; }
