/* gbdt_train.c — calls libxgboost and reads its trees. */
#include "ml/gbdt_train.h"

#include "ml/family.h"

#include <math.h>
#include <xgboost/c_api.h>

struct gbdt_matrix {
    DMatrixHandle handle;
    size_t n;
    const struct gbdt_columns *columns;
};

struct gbdt_booster {
    BoosterHandle handle;
    struct gbdt_matrix *train;
    unsigned rounds;
    float base; /* margin of no trees, as the library computes it */
};

/* The library's sentence is followed by a stack trace, which is cut off. */
static err check(int rc, const char *what) {
    if (rc == 0)
        return OK;
    const char *why = XGBGetLastError();
    return fail(ERR_REMOTE, "xgboost_failed", "libxgboost could not %s: %.*s", what, (int)strcspn(why, "\n"), why);
}

/* The library's verbosity belongs to the thread. */
static err silence(void) { return check(XGBSetGlobalConfig("{\"verbosity\": 0}"), "be configured"); }

struct gbdt_columns gbdt_columns_of(struct arena *a, size_t d, const unsigned char *use) {
    uint32_t *used = ARENA_ARRAY(a, d, uint32_t), *number = ARENA_ARRAY(a, d, uint32_t);
    size_t k = 0;
    for (size_t c = 0; c < d; c++) {
        bool mine = !use || (use[c] & COLUMN_TREE);
        number[c] = mine ? (uint32_t)k : UINT32_MAX;
        if (mine)
            used[k++] = (uint32_t)c;
    }
    return (struct gbdt_columns){.d = d, .k = k, .used = used, .number = number};
}

/* ---- matrices ---- */

static void free_matrix(void *m) { gbdt_matrix_free(m); }

void gbdt_matrix_free(struct gbdt_matrix *m) {
    if (m->handle)
        (void)XGDMatrixFree(m->handle);
    m->handle = NULL;
}

size_t gbdt_matrix_rows(const struct gbdt_matrix *m) { return m->n; }

/* What the library copies when it makes a matrix. */
struct csr {
    size_t *start, n;
    unsigned *col;
    float *val, *y, *weight;
};

static float as_float(double v) {
    const double largest = 3.4028234663852886e38;
    return (float)(v > largest ? largest : v < -largest ? -largest : v);
}

static void fill_row(const struct dataset *s, const struct gbdt_columns *c, size_t from, size_t to, struct csr *m) {
    struct row r = dataset_row(s, from);
    size_t at = m->start[to];
    for (size_t j = 0; j < r.n; j++) {
        uint32_t number = c->number[r.col[j]];
        if (number == UINT32_MAX)
            continue;
        m->col[at] = number;
        m->val[at++] = as_float(r.val[j]);
    }
    m->start[to + 1] = at;
}

static struct csr fill(struct arena *a, const struct dataset *s, const struct gbdt_columns *c, const uint32_t *rows,
                       size_t k, const double *weight) {
    size_t total = 0;
    for (size_t i = 0; i < k; i++)
        total += dataset_row(s, rows ? rows[i] : i).n;
    struct csr m = {.n = k,
                    .start = ARENA_ARRAY(a, k + 1, size_t),
                    .col = ARENA_ARRAY(a, total, unsigned),
                    .val = ARENA_ARRAY(a, total, float),
                    .y = ARENA_ARRAY(a, k, float),
                    .weight = ARENA_ARRAY(a, k, float)};
    for (size_t i = 0; i < k; i++) {
        size_t from = rows ? rows[i] : i;
        fill_row(s, c, from, i, &m);
        m.y[i] = as_float(s->y[from]);
        m.weight[i] = as_float(dataset_weight(s, from) * (weight ? weight[i] : 1.0));
    }
    return m;
}

err gbdt_matrix_new(struct arena *a, const struct dataset *s, const struct gbdt_columns *c, const uint32_t *rows, size_t k,
                    const double *weight, struct gbdt_matrix **out) {
    struct gbdt_matrix *m = ARENA_NEW(a, struct gbdt_matrix);
    m->n = rows ? k : s->n;
    m->columns = c;
    arena_defer(a, free_matrix, m);
    TRY(silence());
    struct arena_mark mark = arena_mark(a);
    struct csr v = fill(a, s, c, rows, m->n, weight);
    size_t n_value = v.start[m->n];
    TRY(check(XGDMatrixCreateFromCSREx(v.start, v.col, v.val, m->n + 1, n_value, c->k, &m->handle), "take the rows"));
    TRY(check(XGDMatrixSetFloatInfo(m->handle, "label", v.y, m->n), "take the outcomes"));
    if (s->weight || weight)
        TRY(check(XGDMatrixSetFloatInfo(m->handle, "weight", v.weight, m->n), "take the weights"));
    arena_rewind(a, mark);
    *out = m;
    return OK;
}

/* ---- boosters ---- */

static void free_booster(void *b) { gbdt_booster_free(b); }

void gbdt_booster_free(struct gbdt_booster *b) {
    if (b->handle)
        (void)XGBoosterFree(b->handle);
    b->handle = NULL;
}

static err set(struct gbdt_booster *b, const char *name, double value) {
    char text[40];
    snprintf(text, sizeof text, "%.9g", value);
    return check(XGBoosterSetParam(b->handle, name, text), "take a setting");
}

static err set_words(struct gbdt_booster *b) {
    static const char *const words[][2] = {{"objective", "binary:logistic"}, {"booster", "gbtree"},
                                           {"tree_method", "hist"},          {"nthread", "1"},
                                           {"seed_per_iteration", "1"},      {"disable_default_eval_metric", "1"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        TRY(check(XGBoosterSetParam(b->handle, words[i][0], words[i][1]), "take a setting"));
    return OK;
}

static err set_numbers(struct gbdt_booster *b, const struct gbdt_setting *s, uint64_t seed) {
    TRY(set(b, "max_depth", s->depth));
    TRY(set(b, "max_bin", s->max_bin));
    TRY(set(b, "min_child_weight", s->min_child_weight));
    TRY(set(b, "colsample_bytree", s->column_share));
    TRY(set(b, "colsample_bynode", s->node_share));
    TRY(set(b, "subsample", s->row_share));
    TRY(set(b, "lambda", s->l2));
    TRY(set(b, "eta", s->rate));
    char text[24];
    snprintf(text, sizeof text, "%u", (unsigned)((seed ^ (seed >> 32)) & 0x3fffffff));
    return check(XGBoosterSetParam(b->handle, "seed", text), "take a setting");
}

/* The library is told the base as a probability, in float, and turns it back. */
static err set_base(struct gbdt_booster *b, double base) {
    double kept = base > 13 ? 13 : base < -13 ? -13 : base;
    float p = (float)(1 / (1 + exp(-kept)));
    b->base = -logf(1.0f / p - 1.0f);
    return set(b, "base_score", (double)p);
}

err gbdt_booster_new(struct arena *a, struct gbdt_matrix *train, struct gbdt_matrix *watched, const struct gbdt_setting *s,
                     double base, uint64_t seed, struct gbdt_booster **out) {
    struct gbdt_booster *b = ARENA_NEW(a, struct gbdt_booster);
    b->train = train;
    arena_defer(a, free_booster, b);
    TRY(silence());
    DMatrixHandle known[2] = {train->handle, watched ? watched->handle : NULL};
    TRY(check(XGBoosterCreate(known, watched ? 2 : 1, &b->handle), "begin"));
    TRY(set_words(b));
    TRY(set_numbers(b, s, seed));
    TRY(set_base(b, base));
    *out = b;
    return OK;
}

err gbdt_booster_grow(struct gbdt_booster *b) {
    TRY(silence());
    TRY(check(XGBoosterUpdateOneIter(b->handle, (int)b->rounds, b->train->handle), "grow a tree"));
    b->rounds++;
    return OK;
}

unsigned gbdt_booster_rounds(const struct gbdt_booster *b) { return b->rounds; }

enum { PREDICT_MARGIN = 1, PREDICT_CONTRIBUTIONS = 4 };

static err predict(struct gbdt_booster *b, struct gbdt_matrix *m, int what, unsigned rounds, size_t width,
                   const float **out) {
    bst_ulong n = 0;
    TRY(check(XGBoosterPredict(b->handle, m->handle, what, rounds, 0, &n, out), "predict"));
    return n == m->n * width
               ? OK
               : fail(ERR_REMOTE, "xgboost_failed", "libxgboost predicted %zu values for %zu rows", (size_t)n, m->n);
}

err gbdt_booster_margin(struct gbdt_booster *b, struct gbdt_matrix *m, unsigned rounds, const float **margin) {
    /* The library takes 0 as all. */
    return predict(b, m, PREDICT_MARGIN, rounds >= b->rounds ? 0 : rounds, 1, margin);
}

err gbdt_booster_contributions(struct gbdt_booster *b, struct gbdt_matrix *m, const float **shares) {
    return predict(b, m, PREDICT_CONTRIBUTIONS, 0, m->columns->k + 1, shares);
}

double gbdt_booster_base(const struct gbdt_booster *b) { return (double)b->base; }

/* ---- the library's model as trees ---- */

/* One tree of the library's JSON: arrays by its own node numbers. */
struct foreign {
    uint32_t n;
    const struct json *left, *right, *column, *value, *missing_left, *cover;
};

static err strange(const char *what) {
    return fail(ERR_REMOTE, "xgboost_failed", "libxgboost's model is not understood: %s", what);
}

static err read_foreign(const struct json *tree, struct foreign *f) {
    *f = (struct foreign){.left = json_get(tree, STR("left_children")),
                          .right = json_get(tree, STR("right_children")),
                          .column = json_get(tree, STR("split_indices")),
                          .value = json_get(tree, STR("split_conditions")),
                          .missing_left = json_get(tree, STR("default_left")),
                          .cover = json_get(tree, STR("sum_hessian"))};
    const struct json *all[] = {f->left, f->right, f->column, f->value, f->missing_left, f->cover};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!all[i] || all[i]->type != JSON_ARRAY || all[i]->count == 0 || all[i]->count != f->left->count)
            return strange("a tree's arrays are absent or not equally long");
    f->n = f->left->count;
    return OK;
}

static double number_at(const struct json *array, uint32_t i) {
    const struct json *v = &array->items[i];
    return v->type == JSON_BOOL ? v->boolean : json_is_number(v) ? json_number_of(v) : -1;
}

/* Writes the tree breadth-first to `to` (room for f->n nodes); `queue` has as much room. Returns the number of nodes, or 0
 * when the tree is not one. */
static uint32_t renumber(const struct foreign *f, const struct gbdt_columns *c, bool covers, uint32_t *queue,
                         struct tree_node *to) {
    uint32_t n = 1;
    queue[0] = 0;
    for (uint32_t i = 0; i < n; i++) {
        double left = number_at(f->left, queue[i]), right = number_at(f->right, queue[i]),
               column = number_at(f->column, queue[i]);
        to[i] = (struct tree_node){.column = -1,
                                   .value = (float)number_at(f->value, queue[i]),
                                   .cover = covers ? (float)number_at(f->cover, queue[i]) : 0};
        if (left < 0)
            continue;
        if (!(left < f->n && right >= 0 && right < f->n && column >= 0 && column < (double)c->k) || n + 2 > f->n)
            return 0;
        to[i].column = (int32_t)c->used[(size_t)column];
        to[i].missing_left = number_at(f->missing_left, queue[i]) > 0;
        queue[n++] = (uint32_t)left;
        queue[n++] = (uint32_t)right;
    }
    return n;
}

struct growing {
    struct tree_node *node;
    size_t n_node, cap;
    uint32_t *root;
    size_t n_tree;
};

static err append_trees(struct arena *a, struct arena *scratch, const struct json *list, const struct gbdt_columns *c,
                        bool covers, size_t most, struct growing *g) {
    for (uint32_t k = 0; k < list->count; k++) {
        struct foreign f;
        TRY(read_foreign(&list->items[k], &f));
        if (g->n_tree == most)
            return strange("it has more trees than it was asked to grow");
        if (g->n_node + f.n > g->cap)
            g->node = arena_grow(a, g->node, &g->cap, g->n_node + f.n, sizeof *g->node);
        uint32_t n = renumber(&f, c, covers, ARENA_ARRAY(scratch, f.n, uint32_t), g->node + g->n_node);
        if (n == 0)
            return strange("a tree's children are not its own");
        g->n_node += n;
        g->root[++g->n_tree] = (uint32_t)g->n_node;
    }
    return OK;
}

/* The rounds [from, to) as the library's JSON, parsed. */
static err export_slice(struct arena *scratch, struct gbdt_booster *b, unsigned from, unsigned to,
                        const struct json **trees) {
    struct gbdt_booster *part = ARENA_NEW(scratch, struct gbdt_booster);
    arena_defer(scratch, free_booster, part);
    TRY(check(XGBoosterSlice(b->handle, (int)from, (int)to, 1, &part->handle), "hand out trees"));
    bst_ulong len = 0;
    const char *text = NULL;
    TRY(check(XGBoosterSaveModelToBuffer(part->handle, "{\"format\": \"json\"}", &len, &text), "write its model"));
    const struct json *v = NULL;
    TRY(json_parse(scratch, (str){text, len}, NULL, &v));
    *trees = json_pointer(v, STR("/learner/gradient_booster/model/trees"));
    return *trees && (*trees)->type == JSON_ARRAY ? OK : strange("there are no trees in it");
}

err gbdt_booster_trees(struct arena *a, struct arena *scratch, struct gbdt_booster *b, unsigned rounds, bool covers,
                       struct trees **out) {
    enum { SLICE = 64 }; /* rounds at a time, as the parsed text is large */
    size_t most = rounds < b->rounds ? rounds : b->rounds;
    struct growing g = {.root = ARENA_ARRAY(a, most + 1, uint32_t)};
    g.node = arena_grow(a, NULL, &g.cap, most, sizeof *g.node);
    for (unsigned from = 0; from < most; from += SLICE) {
        struct arena_mark mark = arena_mark(scratch);
        const struct json *list = NULL;
        TRY(export_slice(scratch, b, from, from + SLICE < most ? from + SLICE : (unsigned)most, &list));
        TRY(append_trees(a, scratch, list, b->train->columns, covers, most, &g));
        arena_rewind(scratch, mark);
    }
    struct trees *t = ARENA_NEW(a, struct trees);
    double *base = ARENA_ARRAY(a, 1, double);
    uint32_t *part = ARENA_ARRAY(a, 2, uint32_t);
    base[0] = (double)b->base;
    part[1] = (uint32_t)g.n_tree;
    *t = (struct trees){.d = b->train->columns->d,
                        .n_part = 1,
                        .n_tree = g.n_tree,
                        .n_node = g.n_node,
                        .base = base,
                        .part = part,
                        .root = g.root,
                        .node = g.node};
    *out = t;
    return OK;
}
