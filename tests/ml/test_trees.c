/* test_trees.c — agreement with libxgboost and with plain descent, files, hostile files. */
#include "base/buf.h"
#include "ml/gbdt_train.h"
#include "tables.h"
#include "unit.h"

static const struct gbdt_setting plain = {.depth = 4,
                                          .max_bin = 64,
                                          .min_child_weight = 1,
                                          .column_share = 1,
                                          .node_share = 1,
                                          .row_share = 1,
                                          .l2 = 1,
                                          .rate = 0.1};

struct grown {
    struct dataset *s;
    struct row *rows;
    struct gbdt_columns columns;
    struct gbdt_matrix *matrix;
    struct gbdt_booster *booster;
    struct trees *trees;
};

static struct grown grow(struct arena *a, size_t n, size_t d, unsigned depth, unsigned rounds) {
    struct grown g = {.s = random_table(a, n, d, 7 + depth)};
    struct gbdt_setting s = plain;
    s.depth = depth;
    g.rows = table_rows(a, g.s);
    g.columns = gbdt_columns_of(a, d, NULL);
    struct arena *scratch = arena_new((size_t)1 << 28);
    assert_ok(gbdt_matrix_new(a, g.s, &g.columns, NULL, 0, NULL, &g.matrix));
    assert_ok(gbdt_booster_new(a, g.matrix, NULL, &s, -0.4, 1, &g.booster));
    for (unsigned r = 0; r < rounds; r++)
        assert_ok(gbdt_booster_grow(g.booster));
    assert_ok(gbdt_booster_trees(a, scratch, g.booster, rounds, true, &g.trees));
    assert_ok(trees_finish(a, g.trees));
    arena_free(scratch);
    return g;
}

/* As the library adds: in float, in the order of the trees, from the base. */
static float margin_in_float(const struct trees *t, struct row x) {
    float sum = (float)t->base[0];
    for (size_t k = 0; k < t->n_tree; k++) {
        const uint32_t part[] = {0, 1}, root[] = {t->root[k], t->root[k + 1]};
        const double none = 0;
        struct trees one = {.d = t->d,
                            .n_part = 1,
                            .n_tree = 1,
                            .base = &none,
                            .part = part,
                            .root = root,
                            .node = t->node,
                            .fast = t->fast};
        sum += (float)trees_margin(&one, 0, x);
    }
    return sum;
}

static double sigmoid(double z) { return 1 / (1 + exp(-z)); }

/* The library's own rounding is all that may differ. */
static void agrees_with_the_library(void **state) {
    static const struct {
        size_t n, d;
        unsigned depth, rounds;
    } cases[] = {{1000, 12, 1, 40}, {1000, 12, 3, 100}, {1500, 30, 4, 100},
                 {3000, 30, 6, 60}, {4000, 60, 8, 60},  {300, 3, 10, 30}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct grown g = grow(*state, cases[c].n, cases[c].d, cases[c].depth, cases[c].rounds);
        const float *margin;
        double *logit = ARENA_ARRAY(*state, g.s->n, double);
        assert_ok(gbdt_booster_margin(g.booster, g.matrix, 1000, &margin));
        trees_predict(g.trees, 0, 1, g.rows, g.s->n, logit);
        for (size_t i = 0; i < g.s->n; i++) {
            assert_true(margin_in_float(g.trees, g.rows[i]) == margin[i]);
            assert_close(sigmoid(logit[i]), sigmoid((double)margin[i]), 1e-6);
            assert_close(logit[i], (double)margin[i], 1e-6 * (1 + fabs(logit[i])));
            assert_close(logit[i], trees_margin(g.trees, 0, g.rows[i]), 1e-12);
        }
    }
}

/* A value a hair below a threshold in double may be the threshold in float: the library compares floats. */
static void compares_in_float(void **state) {
    const struct tree_node node[] = {{.column = 0, .value = 0.1f}, {.column = -1, .value = 1}, {.column = -1, .value = 2}};
    const uint32_t part[] = {0, 1}, root[] = {0, 3}, col[] = {0};
    const double base[] = {0.5};
    struct trees t = {.d = 1, .n_part = 1, .n_tree = 1, .n_node = 3, .base = base, .part = part, .root = root, .node = node};
    assert_ok(trees_finish(*state, &t));
    static const double value[] = {0.1, (double)0.1f - 1e-12, 0.0999, -1e300, 1e300};
    static const double expected[] = {2.5, 2.5, 1.5, 1.5, 2.5};
    for (size_t i = 0; i < 5; i++) {
        double out;
        struct row x = {1, col, &value[i]}, missing = {0};
        trees_predict(&t, 0, 1, &x, 1, &out);
        assert_close(out, expected[i], 0);
        trees_predict(&t, 0, 1, &missing, 1, &out);
        assert_close(out, 2.5, 0);
    }
}

/* Rows by the block and rows one at a time take different ways through the code. */
static void blocks_equal_single_rows(void **state) {
    struct grown g = grow(*state, 500, 20, 7, 20);
    double block[500], single;
    trees_predict(g.trees, 0, 1, g.rows, 37, block);
    for (size_t i = 0; i < 37; i++) {
        trees_predict(g.trees, 0, 1, g.rows + i, 1, &single);
        assert_close(single, block[i], 0);
    }
}

static void wide_models_work(void **state) {
    struct grown g = grow(*state, 3000, 1500, 2, 60);
    double *logit = ARENA_ARRAY(*state, g.s->n, double);
    trees_predict(g.trees, 0, 1, g.rows, g.s->n, logit);
    for (size_t i = 0; i < g.s->n; i += 17)
        assert_close(logit[i], trees_margin(g.trees, 0, g.rows[i]), 1e-12);
}

static str save(struct arena *a, const struct trees *t) {
    struct buf *b = buf_in(a, (size_t)1 << 26);
    struct json_writer w;
    json_write_begin(&w, b, 0);
    trees_save(t, &w);
    assert_ok(buf_check(b));
    return buf_str(b);
}

static err load(struct arena *a, str text, size_t d, struct trees **out) {
    const struct json *v;
    assert_ok(json_parse(a, text, NULL, &v));
    return trees_load(a, v, d, out);
}

static void reads_back_the_same(void **state) {
    struct grown g = grow(*state, 800, 20, 5, 30);
    str text = save(*state, g.trees);
    struct trees *again;
    assert_ok(load(*state, text, 20, &again));
    assert_true(str_equal(text, save(*state, again)));
    for (size_t i = 0; i < g.trees->n_node; i++) {
        assert_true(g.trees->node[i].value == again->node[i].value);
        assert_true(g.trees->node[i].cover == again->node[i].cover);
    }
    for (size_t i = 0; i < 800; i++)
        assert_close(trees_margin(again, 0, g.rows[i]), trees_margin(g.trees, 0, g.rows[i]), 0);
}

static void refuses_what_cannot_be_trees(void **state) {
    static const char *const bad[] = {
        "{}",
        "[]",
        "[{}]",
        "[1]",
        "[{\"base\":0,\"nodes\":[1],\"split\":[-1],\"value\":[]}]",
        "[{\"base\":0,\"nodes\":[1],\"split\":[-1],\"value\":[null]}]",
        "[{\"base\":0,\"nodes\":[1],\"split\":[-2],\"value\":[0]}]",
        "[{\"base\":0,\"nodes\":[1],\"split\":[-1],\"value\":[1e39]}]",
        "[{\"base\":0,\"nodes\":[1],\"split\":[0],\"value\":[1]}]",            /* no children */
        "[{\"base\":0,\"nodes\":[3],\"split\":[-1,-1,-1],\"value\":[1,1,1]}]", /* no parent */
        "[{\"base\":0,\"nodes\":[3],\"split\":[4,-1,-1],\"value\":[1,1,1]}]",  /* column 2 of 2 */
        "[{\"base\":0,\"nodes\":[2,1],\"split\":[0,-1,-1],\"value\":[1,1,1]}]",
        "[{\"base\":0,\"nodes\":[3,0],\"split\":[0,-1,-1],\"value\":[1,1,1]}]",
        "[{\"base\":0,\"nodes\":[4],\"split\":[0,-1,-1],\"value\":[1,1,1]}]",
        "[{\"base\":0,\"nodes\":[3],\"split\":[0,-1,-1],\"value\":[1,1,1],\"cover\":[1,-1,2]}]",
        "[{\"base\":\"0\",\"nodes\":[3],\"split\":[0,-1,-1],\"value\":[1,1,1]}]",
        "[{\"base\":0,\"nodes\":[3],\"split\":[0,-1,-1.5],\"value\":[1,1,1]}]",
        "[{\"base\":0,\"nodes\":[5],\"split\":[0,-1,-1,-1,0],\"value\":[1,1,1,1,1]}]",
    };
    struct trees *t;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(load(*state, str_from(bad[i]), 2, &t), ERR_CORRUPT, "trees_invalid");
    assert_ok(load(*state, STR("[{\"base\":0,\"nodes\":[3],\"split\":[3,-1,-1],\"value\":[1,1,1]}]"), 2, &t));
    assert_ok(load(*state, STR("[{\"base\":0,\"nodes\":[],\"split\":[],\"value\":[]}]"), 2, &t));
}

/* A chain deeper than the limit. */
static void refuses_deep_trees(void **state) {
    struct buf *b = buf_in(*state, 1 << 16);
    enum { DEEP = TREES_MAX_DEPTH + 1 };
    buf_add_format(b, "[{\"base\":0,\"nodes\":[%d],\"split\":[0", 2 * DEEP + 1);
    for (int i = 1; i < DEEP; i++)
        buf_add(b, STR(",0,-1"));
    buf_add(b, STR(",-1,-1],\"value\":[0"));
    for (int i = 0; i < 2 * DEEP; i++)
        buf_add(b, STR(",0"));
    buf_add(b, STR("]}]"));
    struct trees *t;
    assert_fails(load(*state, buf_str(b), 1, &t), ERR_CORRUPT, "trees_invalid");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(agrees_with_the_library), ARENA_TEST(compares_in_float),   ARENA_TEST(blocks_equal_single_rows),
        ARENA_TEST(wide_models_work),        ARENA_TEST(reads_back_the_same), ARENA_TEST(refuses_what_cannot_be_trees),
        ARENA_TEST(refuses_deep_trees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
