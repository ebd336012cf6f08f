/* bench_trees.c — CPU time of our tree evaluation and TreeSHAP beside libxgboost's, on one thread.
 *
 * Usage: bench_trees [TREES [ROWS]]. The table is made up: 3 numbers and 24 categories of 5 levels, one-hot, with
 * interactions. */
#include "base/rng.h"
#include "ml/gbdt_train.h"
#include "ml/treeshap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { NUMBERS = 3, CATEGORIES = 24, LEVELS = 5, COLUMNS = NUMBERS + CATEGORIES * LEVELS };

static double cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static struct dataset *make_table(struct arena *a, size_t n) {
    struct rng r = rng_from_seed(5);
    size_t *start = ARENA_ARRAY(a, n + 1, size_t), at = 0;
    uint32_t *col = ARENA_ARRAY(a, n * (NUMBERS + CATEGORIES), uint32_t);
    double *val = ARENA_ARRAY(a, n * (NUMBERS + CATEGORIES), double), *y = ARENA_ARRAY(a, n, double);
    for (size_t i = 0; i < n; i++) {
        double z = -0.5, x[NUMBERS];
        uint64_t level[CATEGORIES];
        for (uint32_t c = 0; c < NUMBERS; c++) {
            x[c] = rng_normal(&r);
            col[at] = c, val[at++] = x[c];
        }
        for (uint32_t c = 0; c < CATEGORIES; c++) {
            double u = rng_uniform(&r);
            level[c] = (uint64_t)(u * u * LEVELS);
            col[at] = NUMBERS + c * LEVELS + (uint32_t)level[c], val[at++] = 1;
            z += 0.25 * sin((double)(c * 7 + level[c] * 3));
        }
        z += x[0] + (x[1] > 0 ? 1.2 * sin((double)level[0]) : 0) + (level[1] == 0 ? x[2] : 0);
        y[i] = rng_uniform(&r) < 1 / (1 + exp(-z));
        start[i + 1] = at;
    }
    struct dataset *s = ARENA_NEW(a, struct dataset);
    *s = (struct dataset){.n = n, .d = COLUMNS, .start = start, .col = col, .val = val, .y = y};
    return s;
}

struct bench {
    const struct dataset *s;
    struct row *rows;
    struct gbdt_columns columns;
    struct gbdt_booster *booster;
    struct trees *trees;
};

static err train(struct arena *a, struct bench *b, unsigned depth, unsigned rounds) {
    struct gbdt_setting s = {.depth = depth,
                             .max_bin = 64,
                             .min_child_weight = 5,
                             .column_share = 0.4,
                             .node_share = 1,
                             .row_share = 0.8,
                             .l2 = 5,
                             .rate = 0.05};
    struct gbdt_matrix *m;
    TRY(gbdt_matrix_new(a, b->s, &b->columns, NULL, 0, NULL, &m));
    TRY(gbdt_booster_new(a, m, NULL, &s, 0, 1, &b->booster));
    for (unsigned r = 0; r < rounds; r++)
        TRY(gbdt_booster_grow(b->booster));
    struct arena *scratch = arena_new((size_t)1 << 30);
    err rc = gbdt_booster_trees(a, scratch, b->booster, rounds, true, &b->trees);
    arena_free(scratch);
    return rc == OK ? trees_finish(a, b->trees) : rc;
}

static err time_predict(struct arena *a, const struct bench *b) {
    size_t n = b->s->n;
    double *logit = ARENA_ARRAY(a, n, double), best = 1e9;
    for (int i = 0; i < 5; i++) {
        double t = cpu_s();
        trees_predict(b->trees, 0, 1, b->rows, n, logit);
        best = fmin(best, cpu_s() - t);
    }
    double t = cpu_s(), single;
    for (size_t i = 0; i < n; i++)
        trees_predict(b->trees, 0, 1, b->rows + i, 1, &single);
    double each = cpu_s() - t;
    struct gbdt_matrix *m;
    const float *margin;
    t = cpu_s();
    TRY(gbdt_matrix_new(a, b->s, &b->columns, NULL, 0, NULL, &m));
    TRY(gbdt_booster_margin(b->booster, m, 100000, &margin));
    double theirs = cpu_s() - t;
    printf("  predict  %7.0f ns a row in blocks, %7.0f alone, library %7.0f\n", best / (double)n * 1e9,
           each / (double)n * 1e9, theirs / (double)n * 1e9);
    return OK;
}

static err time_explain(struct arena *a, const struct bench *b) {
    enum { THEIRS = 500 };
    double *share = ARENA_ARRAY(a, b->s->n * COLUMNS, double);
    uint32_t *term = ARENA_ARRAY(a, COLUMNS, uint32_t);
    for (uint32_t c = 0; c < COLUMNS; c++)
        term[c] = c;
    double t = cpu_s();
    const struct treeshap *shap = treeshap_new(a, b->trees);
    double build = cpu_s() - t, base = 0;
    t = cpu_s();
    base += treeshap_explain(shap, b->rows, b->s->n, 1, &(struct column_terms){COLUMNS, term}, a, share);
    double ours = (cpu_s() - t) / (double)b->s->n;
    uint32_t pick[THEIRS];
    for (uint32_t i = 0; i < THEIRS; i++)
        pick[i] = i;
    struct gbdt_matrix *m;
    const float *shares;
    TRY(gbdt_matrix_new(a, b->s, &b->columns, pick, THEIRS, NULL, &m));
    t = cpu_s();
    TRY(gbdt_booster_contributions(b->booster, m, &shares));
    double theirs = (cpu_s() - t) / THEIRS;
    printf("  explain  %7.1f us a row, library %7.1f, ratio %.1f; prepared in %.1f ms, %.1f MB\n", ours * 1e6, theirs * 1e6,
           theirs / ours, build * 1e3, (double)treeshap_byte(shap) / 1e6);
    return base < 1e300 ? OK : fail(ERR_CORRUPT, "bench", "no number");
}

static err run(struct arena *a, unsigned rounds, size_t n) {
    static const unsigned depths[] = {2, 3, 4, 5, 6, 8};
    struct bench b = {.s = make_table(a, n), .columns = gbdt_columns_of(a, COLUMNS, NULL)};
    b.rows = ARENA_ARRAY(a, n, struct row);
    for (size_t i = 0; i < n; i++)
        b.rows[i] = dataset_row(b.s, i);
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        TRY(train(a, &b, depths[i], rounds));
        printf("depth %u, %zu trees, %.1f leaves a tree\n", depths[i], b.trees->n_tree,
               (double)(b.trees->n_node + b.trees->n_tree) / 2 / (double)b.trees->n_tree);
        TRY(time_predict(a, &b));
        TRY(time_explain(a, &b));
    }
    return OK;
}

int main(int argc, char **argv) {
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 300;
    size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 6000;
    struct arena *a = arena_new((size_t)4 << 30);
    err rc = run(a, rounds, n);
    if (rc != OK)
        fprintf(stderr, "bench_trees: %s\n", err_text());
    arena_free(a);
    return err_exit_code(rc);
}
