/* naive_bayes.c — counting levels by outcome, choosing the smoothing, and the additive model they give.
 *
 * A term is what is counted together: an exclusive field, or one level of a multi-value field. Having none of a term's
 * levels is the baseline that the intercept contains; a coefficient is what a level adds to it. */
#include "ml/naive_bayes.h"

#include "ml/special.h"
#include "ml/stored.h"

#include <math.h>
#include <string.h>

enum { OWN_FOLDS = 5 };
static const uint32_t UNUSED = UINT32_MAX;
static const double LEAST_SMOOTHING = 1e-6;
static const double default_grid[] = {0.1, 0.3, 1, 3, 10, 30, 100};
enum { DEFAULT_GRID = sizeof default_grid / sizeof default_grid[0] };

struct model {
    struct linear linear;
    size_t k;         /* columns in use */
    uint32_t *column; /* k, ascending */
    double variance;  /* of the log-odds of a row that has no level at all */
    double *added;    /* linear.d: what having a level adds to it, negative when it is better known than the baseline */
    double smoothing;
};

/* Which columns are counted, and with which others. */
struct terms {
    size_t k, n_term;
    uint32_t *column;  /* k */
    uint32_t *term;    /* d: term of a column, UNUSED for none */
    uint32_t *level;   /* n_term: columns in it */
    uint32_t *seen_in; /* n_term: 1 + the row that last had a level of it */
};

/* Weighted counts of one fold by outcome. */
struct counts {
    double rows[2];
    double *has[2];  /* d: rows that have the level */
    double *some[2]; /* n_term: rows that have some level of the term */
};

/* ---- terms ---- */

static uint32_t field_of(const struct fit_opts *o, size_t c) { return o->field ? o->field[c] : (uint32_t)c; }

static bool counted(const struct fit_opts *o, size_t c) { return !o->use || (o->use[c] & COLUMN_COUNT); }

/* Marks the first column of every field of which a row has two levels. Columns of a field are adjacent. */
static void find_multi(const struct dataset *s, const struct fit_opts *o, unsigned char *multi) {
    for (size_t i = 0; i < s->n; i++) {
        struct row r = dataset_row(s, i);
        size_t before = SIZE_MAX;
        for (size_t j = 0; j < r.n; j++) {
            if (r.val[j] == 0 || !counted(o, r.col[j]))
                continue;
            if (before != SIZE_MAX && field_of(o, before) == field_of(o, r.col[j]))
                multi[before] = multi[r.col[j]] = 1;
            before = r.col[j];
        }
    }
}

static bool field_is_multi(const struct fit_opts *o, const unsigned char *multi, size_t d, size_t first) {
    bool any = false;
    for (size_t c = first; c < d && field_of(o, c) == field_of(o, first); c++)
        any |= multi[c] != 0;
    return any;
}

static struct terms find_terms(struct arena *a, const struct dataset *s, const struct fit_opts *o) {
    size_t d = s->d;
    struct terms t = {.column = ARENA_ARRAY(a, d, uint32_t),
                      .term = ARENA_ARRAY(a, d, uint32_t),
                      .level = ARENA_ARRAY(a, d, uint32_t),
                      .seen_in = ARENA_ARRAY(a, d, uint32_t)};
    unsigned char *multi = ARENA_ARRAY(a, d, unsigned char);
    find_multi(s, o, multi);
    bool open = false, several = false;
    for (size_t c = 0; c < d; c++) {
        if (c == 0 || field_of(o, c) != field_of(o, c - 1)) {
            open = false;
            several = field_is_multi(o, multi, d, c);
        }
        t.term[c] = UNUSED;
        if (!counted(o, c))
            continue;
        if (!open || several)
            t.n_term++;
        open = true;
        t.column[t.k++] = (uint32_t)c;
        t.term[c] = (uint32_t)t.n_term - 1;
        t.level[t.n_term - 1]++;
    }
    return t;
}

/* ---- counting ---- */

static struct counts counts_new(struct arena *a, size_t d, size_t n_term) {
    struct counts c = {0};
    for (int y = 0; y < 2; y++) {
        c.has[y] = ARENA_ARRAY(a, d, double);
        c.some[y] = ARENA_ARRAY(a, n_term, double);
    }
    return c;
}

static void count_row(struct counts *c, struct terms *t, struct row r, size_t i, int y, double w) {
    c->rows[y] += w;
    for (size_t j = 0; j < r.n; j++) {
        uint32_t term = t->term[r.col[j]];
        if (term == UNUSED || r.val[j] == 0)
            continue;
        c->has[y][r.col[j]] += w;
        if (t->seen_in[term] != (uint32_t)i + 1)
            c->some[y][term] += w;
        t->seen_in[term] = (uint32_t)i + 1;
    }
}

static void add_counts(struct counts *to, double k, const struct counts *from, size_t d, size_t n_term) {
    for (int y = 0; y < 2; y++) {
        to->rows[y] += k * from->rows[y];
        for (size_t c = 0; c < d; c++)
            to->has[y][c] += k * from->has[y][c];
        for (size_t t = 0; t < n_term; t++)
            to->some[y][t] += k * from->some[y][t];
    }
}

/* ---- estimates ---- */

/* log P(level | 1) / P(level | 0) and its variance, from the counts of a level; both 0 when nobody had it. */
struct ratio {
    double log, variance;
};

static struct ratio estimate(const struct counts *c, const double count[2], double smoothing, double levels) {
    struct ratio r = {0};
    if (!(count[0] + count[1] > 1e-9)) /* differences of weighted counts are not exactly 0 */
        return r;
    for (int y = 0; y < 2; y++) {
        double has = fmax(count[y], 0) + smoothing, all = c->rows[y] + smoothing * levels;
        r.log += (y ? 1 : -1) * log(has / all);
        r.variance += 1 / has - 1 / all;
    }
    return r;
}

/* Having none of the levels is one more where it happens. */
static double levels_of(const struct counts *c, const struct terms *t, size_t term) {
    double none = c->rows[0] + c->rows[1] - c->some[0][term] - c->some[1][term];
    return t->level[term] + (none > 1e-9 ? 1.0 : 0.0);
}

/* The additive model from counts: intercept and coefficients; variances too when `added` is not NULL. */
static double set_estimates(const struct counts *c, const struct terms *t, double smoothing, double *coefficient,
                            double *variance, double *added, struct ratio *none) {
    double intercept = log((c->rows[1] + smoothing) / (c->rows[0] + smoothing)), sum = 0;
    for (size_t k = 0; k < t->n_term; k++) {
        const double count[2] = {c->rows[0] - c->some[0][k], c->rows[1] - c->some[1][k]};
        bool silent = !(c->some[0][k] + c->some[1][k] > 1e-9); /* no row has any of its levels */
        none[k] = silent ? (struct ratio){0} : estimate(c, count, smoothing, levels_of(c, t, k));
        intercept += none[k].log;
        sum += none[k].variance;
    }
    for (size_t j = 0; j < t->k; j++) {
        uint32_t col = t->column[j], term = t->term[col];
        const double count[2] = {c->has[0][col], c->has[1][col]};
        struct ratio r = estimate(c, count, smoothing, levels_of(c, t, term));
        coefficient[col] = r.log - none[term].log + 0.0;
        if (added)
            added[col] = r.variance - none[term].variance + 0.0;
    }
    if (variance)
        *variance = sum + 1 / (c->rows[1] + smoothing) + 1 / (c->rows[0] + smoothing);
    return intercept;
}

static double logit_of(struct row r, double intercept, const double *coefficient) {
    for (size_t j = 0; j < r.n; j++)
        if (r.val[j] != 0)
            intercept += coefficient[r.col[j]];
    return intercept;
}

/* ---- choosing the smoothing ---- */

struct tuning {
    const struct dataset *s;
    const struct terms *t;
    const uint32_t *fold;
    uint32_t n_fold;
    const struct counts *part, *all;
    struct counts without; /* scratch */
    double *coefficient, *logit;
    struct ratio *none;
};

/* Held-out log-odds of all rows into w->logit; returns their log loss. */
static double cross_validate(struct tuning *w, double smoothing) {
    double loss = 0;
    for (uint32_t f = 0; f < w->n_fold; f++) {
        for (int y = 0; y < 2; y++) {
            w->without.rows[y] = 0;
            memset(w->without.has[y], 0, w->s->d * sizeof(double));
            memset(w->without.some[y], 0, w->t->n_term * sizeof(double));
        }
        add_counts(&w->without, 1, w->all, w->s->d, w->t->n_term);
        add_counts(&w->without, -1, &w->part[f], w->s->d, w->t->n_term);
        double intercept = set_estimates(&w->without, w->t, smoothing, w->coefficient, NULL, NULL, w->none);
        for (size_t i = 0; i < w->s->n; i++) {
            if (w->fold[i] != f)
                continue;
            double z = w->logit[i] = logit_of(dataset_row(w->s, i), intercept, w->coefficient);
            loss += dataset_weight(w->s, i) * (softplus(z) - w->s->y[i] * z);
        }
    }
    return loss;
}

static double choose_smoothing(struct arena *a, struct tuning *w, const struct fit_opts *o, double *out_of_fold) {
    const double *grid = o->penalty_grid && o->n_penalty > 0 ? o->penalty_grid : default_grid;
    size_t n = grid == default_grid ? (size_t)DEFAULT_GRID : o->n_penalty;
    double best = LEAST_SMOOTHING, least = INFINITY;
    w->without = counts_new(a, w->s->d, w->t->n_term);
    w->coefficient = ARENA_ARRAY(a, w->s->d, double);
    w->logit = ARENA_ARRAY(a, w->s->n, double);
    w->none = ARENA_ARRAY(a, w->t->n_term, struct ratio);
    for (size_t k = 0; k < n; k++) {
        double smoothing = fmax(grid[k], LEAST_SMOOTHING), loss = cross_validate(w, smoothing);
        if (!(loss < least))
            continue;
        least = loss;
        best = smoothing;
        if (out_of_fold)
            memcpy(out_of_fold, w->logit, w->s->n * sizeof *out_of_fold);
    }
    return best;
}

/* ---- the family ---- */

static err check_rows(const struct dataset *s, const struct terms *t) {
    double rows[2] = {0};
    for (size_t i = 0; i < s->n; i++)
        rows[s->y[i] > 0] += dataset_weight(s, i);
    if (!(rows[0] + rows[1] > 0))
        return fail(ERR_INPUT, "no_rows", "there are no rows to learn from");
    if (!(rows[0] > 0) || !(rows[1] > 0))
        return fail(ERR_INPUT, "one_class", "all %zu training rows have the same outcome; nothing can be learned from them",
                    s->n);
    if (t->k == 0)
        return fail(ERR_INPUT, "no_columns", "none of the %zu columns is meant for this family of models", s->d);
    return OK;
}

static struct model *model_new(struct arena *a, size_t d, const uint32_t *column, size_t k) {
    struct model *m = ARENA_NEW(a, struct model);
    *m = (struct model){.linear = linear_new(a, d),
                        .k = k,
                        .column = arena_copy(a, column, k * sizeof *column),
                        .added = ARENA_ARRAY(a, d, double)};
    return m;
}

/* Counts by fold in one pass; *all gets their sum. */
static struct counts *count_parts(struct arena *a, const struct dataset *s, struct terms *t, const uint32_t *fold,
                                  uint32_t n_fold, struct counts *all) {
    struct counts *part = ARENA_ARRAY(a, n_fold, struct counts);
    for (uint32_t f = 0; f < n_fold; f++)
        part[f] = counts_new(a, s->d, t->n_term);
    for (size_t i = 0; i < s->n; i++)
        count_row(&part[fold[i]], t, dataset_row(s, i), i, s->y[i] > 0, dataset_weight(s, i));
    *all = counts_new(a, s->d, t->n_term);
    for (uint32_t f = 0; f < n_fold; f++)
        add_counts(all, 1, &part[f], s->d, t->n_term);
    return part;
}

static err find_folds(struct arena *a, const struct dataset *s, const struct fit_opts *o, const uint32_t **fold,
                      uint32_t *n_fold) {
    *fold = o->fold;
    *n_fold = o->n_fold;
    if (!o->fold || o->n_fold < 2) {
        uint32_t *own = ARENA_ARRAY(a, s->n, uint32_t);
        dataset_fold(a, s, OWN_FOLDS, o->seed, NULL, own);
        *fold = own;
        *n_fold = OWN_FOLDS;
    }
    for (size_t i = 0; i < s->n; i++)
        if ((*fold)[i] >= *n_fold)
            return fail(ERR_INPUT, "fold_range", "row %zu is in fold %u of %u", i, (*fold)[i], *n_fold);
    return OK;
}

static err fit(struct arena *a, const struct dataset *s, const struct fit_opts *o, double *out_of_fold, struct model **out) {
    struct terms t = find_terms(a, s, o);
    TRY(check_rows(s, &t));
    struct model *m = model_new(a, s->d, t.column, t.k);
    struct arena_mark mark = arena_mark(a);
    struct tuning w = {.s = s, .t = &t};
    TRY(find_folds(a, s, o, &w.fold, &w.n_fold));
    struct counts all;
    w.part = count_parts(a, s, &t, w.fold, w.n_fold, &all);
    w.all = &all;
    m->smoothing = choose_smoothing(a, &w, o, out_of_fold);
    m->linear.intercept = set_estimates(&all, &t, m->smoothing, m->linear.coefficient, &m->variance, m->added, w.none);
    for (size_t j = 0; j < t.k; j++) {
        uint32_t c = t.column[j];
        m->linear.mean[c] = (all.has[0][c] + all.has[1][c]) / (all.rows[0] + all.rows[1]);
    }
    linear_complete(&m->linear);
    arena_rewind(a, mark);
    *out = m;
    return OK;
}

static void predict(const struct model *m, const struct row *rows, size_t n, double *logit) {
    for (size_t i = 0; i < n; i++)
        logit[i] = logit_of(rows[i], m->linear.intercept, m->linear.coefficient);
}

static double spread_of_row(const struct model *m, struct row x) {
    double variance = m->variance;
    for (size_t j = 0; j < x.n; j++)
        if (x.val[j] != 0)
            variance += m->added[x.col[j]];
    return sqrt(fmax(variance, 0));
}

static void spread(const struct model *m, const struct row *rows, size_t n, double *sd) {
    for (size_t i = 0; i < n; i++)
        sd[i] = spread_of_row(m, rows[i]);
}

static double explain(const struct model *m, const struct row *rows, size_t n, double scale, const struct column_terms *to,
                      struct arena *scratch, double *share) {
    return linear_explain(&m->linear, rows, n, true, scale, to, scratch, share);
}

static void save(const struct model *m, struct json_writer *w) {
    json_open_object(w);
    json_put_number(w, STR("smoothing"), m->smoothing);
    json_put_number(w, STR("intercept"), m->linear.intercept);
    json_put_number(w, STR("variance"), m->variance);
    stored_write_indices(w, STR("columns"), m->column, m->k);
    stored_write_picked(w, STR("coefficients"), m->linear.coefficient, m->column, m->k);
    stored_write_picked(w, STR("variances"), m->added, m->column, m->k);
    stored_write_picked(w, STR("means"), m->linear.mean, m->column, m->k);
    json_close_object(w);
}

static err load(struct arena *a, const struct json *v, size_t d, struct model **out) {
    uint32_t *column;
    size_t k;
    TRY(stored_read_indices(a, v, STR("columns"), d, &column, &k));
    struct model *m = model_new(a, d, column, k);
    TRY(stored_read_number(v, STR("smoothing"), &m->smoothing));
    TRY(stored_read_number(v, STR("intercept"), &m->linear.intercept));
    TRY(stored_read_number(v, STR("variance"), &m->variance));
    if (!(m->smoothing > 0) || !(m->variance > 0))
        return stored_bad("smoothing and variance must be positive");
    TRY(stored_read_picked(a, v, STR("coefficients"), column, k, m->linear.coefficient));
    TRY(stored_read_picked(a, v, STR("variances"), column, k, m->added));
    TRY(stored_read_picked(a, v, STR("means"), column, k, m->linear.mean));
    linear_complete(&m->linear);
    *out = m;
    return OK;
}

const struct linear *naive_bayes_linear(const struct model *m) { return &m->linear; }

double naive_bayes_smoothing(const struct model *m) { return m->smoothing; }

const struct model_family naive_bayes_family = {
    .name = "naive_bayes", .fit = fit, .predict = predict, .spread = spread, .explain = explain, .save = save, .load = load};
