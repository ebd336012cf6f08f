/* test_treeshap.c — Shapley values by definition, agreement with libxgboost, sums, both ways of computing. */
#include "ml/gbdt_train.h"
#include "ml/treeshap.h"
#include "tables.h"
#include "unit.h"

/* Expected value of a tree when only the columns in `known` are known, by covers otherwise. */
static double expected(const struct tree_node *node, uint32_t i, const uint32_t *left, struct row x, uint32_t known) {
    const struct tree_node *n = node + i;
    if (n->column < 0)
        return (double)n->value;
    const struct tree_node *l = node + left[i], *r = l + 1;
    if (!(known >> n->column & 1)) {
        double share = (double)l->cover / ((double)l->cover + (double)r->cover);
        return share * expected(node, left[i], left, x, known) + (1 - share) * expected(node, left[i] + 1, left, x, known);
    }
    bool goes_left = n->missing_left;
    for (size_t j = 0; j < x.n; j++)
        if (x.col[j] == (uint32_t)n->column)
            goes_left = (float)x.val[j] < n->value;
    return expected(node, left[i] + !goes_left, left, x, known);
}

/* Shapley value of column c of d by its definition (sum over all subsets). */
static double shapley(const struct tree_node *node, const uint32_t *left, struct row x, unsigned c, unsigned d) {
    double sum = 0;
    for (uint32_t set = 0; set < 1u << d; set++) {
        if (set >> c & 1)
            continue;
        double size = __builtin_popcount(set);
        double weight = tgamma(size + 1) * tgamma(d - size) / tgamma(d + 1.0);
        sum += weight * (expected(node, 0, left, x, set | 1u << c) - expected(node, 0, left, x, set));
    }
    return sum;
}

/* A random tree with repeated columns; returns the number of nodes. Covers of children add up. */
static uint32_t random_tree(struct rng *r, unsigned d, unsigned inner, struct tree_node *node, uint32_t *left) {
    uint32_t n = 1, done = 0;
    node[0].cover = 100;
    for (uint32_t i = 0; i < n; i++) {
        float cover = node[i].cover;
        bool last = i + 1 == n;
        node[i] = (struct tree_node){.column = -1, .value = (float)rng_normal(r), .cover = cover};
        if (done >= inner || (!last && rng_uniform(r) < 0.25))
            continue;
        node[i].column = (int32_t)rng_below(r, d);
        node[i].missing_left = rng_uniform(r) < 0.5;
        left[i] = tree_left(done++);
        node[n].cover = cover * (float)(0.05 + 0.9 * rng_uniform(r));
        node[n + 1].cover = cover - node[n].cover;
        n += 2;
    }
    return n;
}

static struct row random_row(struct rng *r, unsigned d, uint32_t *col, double *val) {
    size_t n = 0;
    for (uint32_t c = 0; c < d; c++)
        if (rng_uniform(r) < 0.7) {
            col[n] = c;
            val[n++] = rng_normal(r);
        }
    return (struct row){n, col, val};
}

static void check_tree(struct arena *a, struct rng *r, unsigned d, unsigned inner, size_t max_byte) {
    struct tree_node node[64];
    uint32_t left[64] = {0}, part[] = {0, 1}, root[] = {0, 0}, col[8];
    double base = 0.25, val[8];
    root[1] = random_tree(r, d, inner, node, left);
    struct trees t = {
        .d = d, .n_part = 1, .n_tree = 1, .n_node = root[1], .base = &base, .part = part, .root = root, .node = node};
    assert_ok(trees_finish(a, &t));
    const struct treeshap *s = treeshap_new_within(a, &t, max_byte);
    const struct column_terms own = own_terms(a, d);
    for (int i = 0; i < 5; i++) {
        struct row x = random_row(r, d, col, val);
        double share[8] = {0}, sum = treeshap_explain(s, &x, 1, 1, &own, a, share);
        assert_close(sum, 0.25 + expected(node, 0, left, x, 0), 1e-12);
        for (unsigned c = 0; c < d; c++) {
            assert_close(share[c], shapley(node, left, x, c, d), 1e-12);
            sum += share[c];
        }
        assert_close(sum, trees_margin(&t, 0, x), 1e-12);
    }
}

static void follows_the_definition(void **state) {
    struct rng r = rng_from_seed(11);
    for (unsigned i = 0; i < 300; i++) {
        struct arena *a = arena_new((size_t)1 << 26);
        check_tree(a, &r, 1 + i % 6, i % 20, i % 2 ? TREESHAP_MAX_BYTE : 0);
        arena_free(a);
    }
    (void)state;
}

/* Rows together, in numbers that fill blocks, do not fill them and need none: as each alone, to the last bit. */
static void check_blocks(struct arena *a, const struct treeshap *shap, const struct dataset *s) {
    static const size_t together[] = {2, 5, 31, 32, 33, 97};
    const struct row *rows = table_rows(a, s);
    const struct column_terms own = own_terms(a, s->d);
    for (size_t k = 0, first = 0; k < sizeof together / sizeof *together; first += together[k++]) {
        double *many = ARENA_ARRAY(a, together[k] * s->d, double);
        double base = treeshap_explain(shap, rows + first, together[k], 0.3, &own, a, many);
        for (size_t i = 0; i < together[k]; i++) {
            double *one = ARENA_ARRAY(a, s->d, double);
            assert_close(treeshap_explain(shap, rows + first + i, 1, 0.3, &own, a, one), base, 0);
            for (size_t c = 0; c < s->d; c++)
                assert_close(many[i * s->d + c], one[c], 0);
        }
    }
}

static void agrees_with_the_library(void **state) {
    static const struct {
        unsigned d, depth, rounds;
    } cases[] = {{12, 2, 50}, {12, 4, 50}, {40, 6, 40}, {40, 8, 30}, {60, 11, 20}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct arena *a = *state, *scratch = arena_new((size_t)1 << 28);
        struct gbdt_setting set = {.depth = cases[k].depth,
                                   .max_bin = 64,
                                   .min_child_weight = 1,
                                   .column_share = 1,
                                   .node_share = 1,
                                   .row_share = 1,
                                   .l2 = 1,
                                   .rate = 0.1};
        const struct dataset *s = random_table(a, 1500, cases[k].d, k);
        struct gbdt_columns columns = gbdt_columns_of(a, s->d, NULL);
        struct gbdt_matrix *m;
        struct gbdt_booster *b;
        struct trees *t;
        const float *theirs;
        assert_ok(gbdt_matrix_new(a, s, &columns, NULL, 0, NULL, &m));
        assert_ok(gbdt_booster_new(a, m, NULL, &set, 0.3, 1, &b));
        for (unsigned r = 0; r < cases[k].rounds; r++)
            assert_ok(gbdt_booster_grow(b));
        assert_ok(gbdt_booster_trees(a, scratch, b, 1000, true, &t));
        assert_ok(trees_finish(a, t));
        assert_ok(gbdt_booster_contributions(b, m, &theirs));
        const struct treeshap *tabled = treeshap_new(a, t), *walked = treeshap_new_within(a, t, 0);
        const struct column_terms own = own_terms(a, s->d);
        assert_int_equal(treeshap_byte(walked), 0);
        for (size_t i = 0; i < 200; i++) {
            struct row row = dataset_row(s, i);
            double x[60] = {0}, y[60] = {0}, sum = treeshap_explain(tabled, &row, 1, 1, &own, a, x);
            assert_close(treeshap_explain(walked, &row, 1, 1, &own, a, y), sum, 0);
            assert_close(sum, (double)theirs[i * (s->d + 1) + s->d], 2e-6);
            for (size_t c = 0; c < s->d; c++) {
                assert_close(x[c], (double)theirs[i * (s->d + 1) + c], 1e-6);
                assert_close(x[c], y[c], 1e-12);
                sum += x[c];
            }
            assert_close(sum, trees_margin(t, 0, dataset_row(s, i)), 1e-9);
        }
        check_blocks(a, tabled, s);
        check_blocks(a, walked, s);
        arena_free(scratch);
    }
}

static void scales_and_adds(void **state) {
    struct rng r = rng_from_seed(4);
    struct tree_node node[64];
    uint32_t left[64] = {0}, part[] = {0, 1}, root[] = {0, 0}, col[8];
    double base = 1, val[8];
    root[1] = random_tree(&r, 5, 12, node, left);
    struct trees t = {
        .d = 5, .n_part = 1, .n_tree = 1, .n_node = root[1], .base = &base, .part = part, .root = root, .node = node};
    assert_ok(trees_finish(*state, &t));
    const struct treeshap *s = treeshap_new(*state, &t);
    const struct column_terms own = own_terms(*state, 5);
    struct row x = random_row(&r, 5, col, val);
    double one[5] = {0}, three[5] = {1, 1, 1, 1, 1};
    assert_close(3 * treeshap_explain(s, &x, 1, 1, &own, *state, one), treeshap_explain(s, &x, 1, 3, &own, *state, three),
                 1e-12);
    for (int c = 0; c < 5; c++)
        assert_close(three[c], 1 + 3 * one[c], 1e-12);
}

int main(void) {
    const struct CMUnitTest tests[] = {ARENA_TEST(follows_the_definition), ARENA_TEST(agrees_with_the_library),
                                       ARENA_TEST(scales_and_adds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
