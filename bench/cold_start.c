/* cold_start.c — how a profile and few outcomes combine: log loss against the number of outcomes.
 *
 *   cold_start TABLE.csv PROFILE.yaml TARGET POSITIVE EXCLUDED,COLUMNS [RESAMPLES] [develop] [wrong|rate]
 *
 * Outcomes are drawn from the training part of the fixed split hash:0.3 and losses measured on its test part;
 * with "develop" both come from the training part, so that methods may be chosen by it. "wrong" turns the profile's weights
 * round, "rate" moves its base rate to 0.02: what a bad profile costs. */
#include "base/file.h"
#include "base/number.h"
#include "base/rng.h"
#include "features/encode.h"
#include "features/infer.h"
#include "intake/table.h"
#include "ml/bayesian.h"
#include "ml/logistic.h"
#include "ml/naive_bayes.h"
#include "ml/special.h"
#include "profile/prior.h"

#include <math.h>

enum { FOLDS = 5, MAX_EXCLUDED = 64 };

enum method { PROFILE, BASE_RATE, LOGISTIC, NAIVE_BAYES, BAYES_ALONE, COMBINED, SECTIONS, LOGISTIC_PRIOR, METHOD_COUNT };

static const char *const method_names[METHOD_COUNT] = {
    "profile alone",        "base rate alone",  "data alone, logistic", "data alone, naive Bayes",
    "data alone, bayesian", "profile and data", "the same, 5 columns",  "logistic, profile as prior"};

struct bench {
    struct arena *a;
    const struct frame *f;
    const double *y;
    const struct profile *profile;
    const struct profile_binding *binding;
    const char *const *arg;
    const str *excluded;
    size_t n_excluded;
    uint32_t *pool, *test;
    size_t n_pool, n_test;
    bool wrong;
    struct fit_opts opts;
};

static double loss_of(const double *logit, const double *y, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += softplus(logit[i]) - y[i] * logit[i];
    return sum / (double)n;
}

static void cells_of(const struct frame *f, size_t row, str *cell) {
    for (size_t c = 0; c < f->n_col; c++)
        cell[c] = f->cell[c][row];
}

/* The section's sub-score less what an average lead has: the columns of Eq. 34. */
static size_t section_row(const struct subscores *s, uint32_t first, uint32_t *col, double *val) {
    size_t n = 0;
    for (uint32_t k = 0; k < SECTION_COUNT; k++) {
        if (!s->section[k].known)
            continue;
        col[n] = first + k;
        val[n++] = s->section[k].score - s->section[k].typical;
    }
    return n;
}

/* Encoded features, with the profile's columns behind them: one for each criterion, or one for each section. */
static const struct dataset *vectors(struct arena *a, const struct bench *b, const struct encoder *e, const uint32_t *rows,
                                     size_t n, bool sections) {
    size_t d = encoder_width(e), most = encoder_max_nonzero(e) + b->profile->n_criterion + SECTION_COUNT, at = 0;
    size_t *start = ARENA_ARRAY(a, n + 1, size_t);
    uint32_t *col = ARENA_ARRAY(a, n * most, uint32_t);
    double *val = ARENA_ARRAY(a, n * most, double), *y = ARENA_ARRAY(a, n, double);
    struct encoded *x = encoded_new(a, e);
    struct subscores *s = subscores_new(a, b->binding);
    str *cell = ARENA_ARRAY(a, b->f->n_col, str);
    for (size_t i = 0; i < n; i++) {
        cells_of(b->f, rows[i], cell);
        encode_row(e, cell, x);
        memcpy(col + at, x->row.col, x->row.n * sizeof *col);
        memcpy(val + at, x->row.val, x->row.n * sizeof *val);
        at += x->row.n;
        subscores_compute(b->binding, cell, 0, s);
        at += sections ? section_row(s, (uint32_t)d, col + at, val + at)
                       : profile_row(b->profile, s, (uint32_t)d, col + at, val + at);
        start[i + 1] = at;
        y[i] = b->y[rows[i]];
    }
    struct dataset *out = ARENA_NEW(a, struct dataset);
    *out = (struct dataset){.n = n,
                            .d = d + (sections ? SECTION_COUNT : b->profile->n_criterion),
                            .start = start,
                            .col = col,
                            .val = val,
                            .y = y};
    return out;
}

static err loss_of_model(struct arena *a, const struct model_family *family, const struct dataset *train,
                         const struct dataset *test, const struct fit_opts *o, double *loss) {
    struct model *m;
    err rc = family->fit(a, train, o, NULL, &m);
    if (rc != OK) {
        *loss = NAN;
        return rc == ERR_INPUT ? OK : rc;
    }
    struct row *rows = ARENA_ARRAY(a, test->n, struct row);
    double *z = ARENA_ARRAY(a, test->n, double);
    for (size_t i = 0; i < test->n; i++)
        rows[i] = dataset_row(test, i);
    family->predict(m, rows, test->n, z);
    *loss = loss_of(z, test->y, test->n);
    return OK;
}

static double profile_loss(struct arena *a, const struct bench *b, bool sections) {
    struct subscores *s = subscores_new(a, b->binding);
    str *cell = ARENA_ARRAY(a, b->f->n_col, str);
    double *z = ARENA_ARRAY(a, b->n_test, double), *y = ARENA_ARRAY(a, b->n_test, double);
    for (size_t i = 0; i < b->n_test; i++) {
        cells_of(b->f, b->test[i], cell);
        subscores_compute(b->binding, cell, 0, s);
        double base = log_odds(b->profile->base_rate), z_sections = 0;
        for (size_t k = 0; k < b->profile->n_criterion; k++) {
            const struct subscore *x = &s->section[b->profile->criterion[k].section];
            z_sections += fabs(profile_coefficient(b->profile, k)) * (x->score - x->typical);
        }
        z[i] = base + (b->wrong ? -1 : 1) * (sections ? z_sections : profile_fit(b->profile, s, 0.95).logit - base);
        y[i] = b->y[b->test[i]];
    }
    return loss_of(z, y, b->n_test);
}

static void set_prior(struct arena *a, const struct bench *b, const struct dataset *s, size_t first, bool sections,
                      struct fit_opts *o) {
    double *mean = ARENA_ARRAY(a, s->d + b->profile->n_criterion + 1, double),
           *weight = ARENA_ARRAY(a, s->d + b->profile->n_criterion + 1, double);
    if (sections) {
        for (size_t i = 0; i < b->profile->n_criterion; i++)
            mean[first + b->profile->criterion[i].section] += fabs(profile_coefficient(b->profile, i));
        mean[s->d] = log_odds(b->profile->base_rate);
        o->prior_weight = NULL;
    } else {
        profile_prior(b->profile, s->d, first, mean, weight);
        o->prior_weight = weight;
    }
    for (size_t j = 0; j < s->d && b->wrong; j++)
        mean[j] = -mean[j];
    o->prior_mean = mean;
    o->prior_strength = profile_trust(b->profile);
}

/* The masks of the data-alone methods leave the profile's columns out; those of the others take all linear ones. */
static unsigned char *masks(struct arena *a, const struct encoder *e, size_t d, unsigned char of_profile) {
    unsigned char *use = ARENA_ARRAY(a, d, unsigned char);
    memset(use, of_profile, d);
    memcpy(use, encoder_use(e), encoder_width(e));
    return use;
}

static err resample(struct arena *a, const struct bench *b, size_t n, uint64_t seed, double loss[METHOD_COUNT]) {
    struct rng start = rng_from_seed(seed), r = rng_fork(&start, n);
    uint32_t *rows = arena_copy(a, b->pool, b->n_pool * sizeof *rows);
    double positives = 0;
    while (positives == 0 || positives == (double)n) {
        rng_shuffle(&r, rows, b->n_pool);
        positives = 0;
        for (size_t i = 0; i < n; i++)
            positives += b->y[rows[i]];
    }
    for (size_t i = 1; i < n; i++)
        for (size_t j = i; j > 0 && rows[j] < rows[j - 1]; j--) {
            uint32_t t = rows[j];
            rows[j] = rows[j - 1];
            rows[j - 1] = t;
        }
    double *y = ARENA_ARRAY(a, n, double);
    for (size_t i = 0; i < n; i++)
        y[i] = b->y[rows[i]];
    struct infer_opts io = {.target = str_from(b->arg[3]), .exclude = b->excluded, .n_exclude = b->n_excluded};
    struct schema *schema;
    struct encoder *e;
    TRY(schema_infer(a, b->f, rows, n, y, &io, &schema));
    TRY(encoder_new(a, schema, b->f->name, b->f->n_col, &e));
    const struct dataset *train = vectors(a, b, e, rows, n, false), *test = vectors(a, b, e, b->test, b->n_test, false);
    struct fit_opts o = {.seed = 1, .threads = 1, .use = masks(a, e, train->d, 0), .n_fold = FOLDS};
    uint32_t *fold = ARENA_ARRAY(a, n, uint32_t), *field = ARENA_ARRAY(a, train->d, uint32_t);
    dataset_fold(a, train, FOLDS, 1, NULL, fold);
    for (size_t j = 0; j < train->d; j++)
        field[j] = (uint32_t)(j < encoder_width(e) ? encoder_field(e)[j] : schema->n_field + j);
    o.fold = fold;
    o.field = field;
    double *rate = ARENA_ARRAY(a, b->n_test, double);
    for (size_t i = 0; i < b->n_test; i++)
        rate[i] = log_odds((positives + 0.5) / ((double)n + 1));
    loss[BASE_RATE] = loss_of(rate, test->y, b->n_test);
    TRY(loss_of_model(a, &logistic_family, train, test, &o, &loss[LOGISTIC]));
    TRY(loss_of_model(a, &naive_bayes_family, train, test, &o, &loss[NAIVE_BAYES]));
    TRY(loss_of_model(a, &bayesian_family, train, test, &o, &loss[BAYES_ALONE]));
    o.use = masks(a, e, train->d, COLUMN_LINEAR);
    set_prior(a, b, train, encoder_width(e), false, &o);
    TRY(loss_of_model(a, &bayesian_family, train, test, &o, &loss[COMBINED]));
    TRY(loss_of_model(a, &logistic_family, train, test, &o, &loss[LOGISTIC_PRIOR]));
    train = vectors(a, b, e, rows, n, true);
    test = vectors(a, b, e, b->test, b->n_test, true);
    o.use = masks(a, e, train->d, COLUMN_LINEAR);
    o.field = NULL;
    set_prior(a, b, train, encoder_width(e), true, &o);
    return loss_of_model(a, &bayesian_family, train, test, &o, &loss[SECTIONS]);
}

static err curve(struct bench *b, size_t n, size_t repeats) {
    double sum[METHOD_COUNT] = {0}, gain = 0, gain_square = 0;
    for (size_t r = 0; r < repeats; r++) {
        struct arena_mark mark = arena_mark(b->a);
        double loss[METHOD_COUNT] = {0};
        loss[PROFILE] = profile_loss(b->a, b, false);
        if (n > 0)
            TRY(resample(b->a, b, n, r, loss));
        else
            loss[SECTIONS] = profile_loss(b->a, b, true);
        arena_rewind(b->a, mark);
        for (int m = 0; m < METHOD_COUNT; m++)
            sum[m] += loss[m];
        double worse = loss[COMBINED] - fmin(loss[PROFILE], loss[LOGISTIC]);
        gain += worse;
        gain_square += worse * worse;
    }
    printf("%5zu", n);
    for (int m = 0; m < METHOD_COUNT; m++)
        printf(" %9.4f", sum[m] / (double)repeats);
    double alone = fmin(fmin(sum[PROFILE], sum[LOGISTIC]), fmin(sum[NAIVE_BAYES], sum[BAYES_ALONE]));
    printf("   %+.4f%s\n", (sum[COMBINED] - alone) / (double)repeats, n > 0 && sum[COMBINED] > alone ? "  WORSE" : "");
    fflush(stdout);
    return OK;
}

static err read_profile(struct bench *b, const char *path) {
    str text;
    struct profile *p;
    TRY(file_read_all(b->a, path, 1 << 20, &text));
    TRY(profile_parse(b->a, text, path, &p));
    b->profile = p;
    return profile_bind(b->a, p, b->f->name, b->f->n_col, &b->binding);
}

static err load(struct bench *b, bool develop) {
    struct table *t;
    struct frame *f;
    TRY(table_open(b->a, &(struct table_options){.path = b->arg[1]}, &t));
    TRY(table_load(t, b->a, &f, NULL, NULL));
    b->f = f;
    ptrdiff_t target = frame_find(f, str_from(b->arg[3]));
    if (target < 0)
        return fail(ERR_INPUT, "target", "no column %s", b->arg[3]);
    double *y = ARENA_ARRAY(b->a, f->n_row, double);
    b->pool = ARENA_ARRAY(b->a, f->n_row, uint32_t);
    b->test = ARENA_ARRAY(b->a, f->n_row, uint32_t);
    for (size_t i = 0; i < f->n_row; i++) {
        y[i] = str_equal(f->cell[target][i], str_from(b->arg[4]));
        bool test = (uint32_t)(f->index[i] * 2654435761u) < 0.3 * 4294967296.0;
        if (develop && test)
            continue;
        if (develop ? i * 2654435761u % 7 < 3 : test)
            b->test[b->n_test++] = (uint32_t)i;
        else
            b->pool[b->n_pool++] = (uint32_t)i;
    }
    b->y = y;
    str rest = str_from(b->arg[5]), part, *excluded = ARENA_ARRAY(b->a, MAX_EXCLUDED, str);
    while (b->n_excluded < MAX_EXCLUDED && str_split(&rest, ',', &part))
        if (part.len > 0)
            excluded[b->n_excluded++] = part;
    b->excluded = excluded;
    return read_profile(b, b->arg[2]);
}

struct command {
    struct arena *a;
    int n;
    const char *const *arg;
};

static err run(void *ctx) {
    const struct command *c = ctx;
    static const size_t sizes[] = {0, 10, 20, 50, 100, 300, 1000};
    struct bench b = {.a = c->a, .arg = c->arg};
    bool develop = false, rate = false;
    for (int i = 7; i < c->n; i++) {
        develop = develop || strcmp(c->arg[i], "develop") == 0;
        b.wrong = b.wrong || strcmp(c->arg[i], "wrong") == 0;
        rate = rate || strcmp(c->arg[i], "rate") == 0;
    }
    double repeats = 50;
    if (c->n > 6 && !number_parse(str_from(c->arg[6]), &repeats))
        return fail(ERR_INPUT, "resamples", "%s is no number", c->arg[6]);
    TRY(load(&b, develop));
    struct profile moved = *b.profile;
    if (rate)
        moved.base_rate = 0.02;
    b.profile = &moved;
    printf("%s with %s: mean log loss of %g resamples\n    n", c->arg[1], c->arg[2], repeats);
    for (int m = 0; m < METHOD_COUNT; m++)
        printf(" %9.9s", method_names[m]);
    printf("   profile and data less the best alone\n");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        TRY(curve(&b, sizes[i], (size_t)repeats));
    return OK;
}

int main(int n, char **arg) {
    if (n < 6) {
        fprintf(stderr, "usage: cold_start TABLE PROFILE TARGET POSITIVE EXCLUDED [RESAMPLES] [develop] [wrong] [rate]\n");
        return 1;
    }
    struct arena *a = arena_new((size_t)4 << 30);
    struct command c = {a, n, (const char *const *)arg};
    err rc = arena_run(a, run, &c);
    if (rc != OK)
        fprintf(stderr, "cold_start: %s\n", err_text());
    arena_free(a);
    return err_exit_code(rc);
}
