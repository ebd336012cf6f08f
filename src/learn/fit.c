/* fit.c — families fitted, stacked and calibrated on out-of-fold predictions. */
#include "learn/fit.h"

#include "base/rng.h"
#include "ml/bayesian.h"
#include "ml/logistic.h"
#include "ml/special.h"
#include "ml/stack.h"

#include <math.h>
#include <stdlib.h>

enum { TREES_LEAST_ROWS = 200, TREES_LEAST_CLASS = 20, ORDER_LEAST_ROWS = 500, FEW_ROWS = 200, BLOCKS = 5 };

/* Weights below this change no probability that anybody would notice; dropping them saves the member's whole cost. */
static const double least_weight = 0.01;

/* Gains below this share of the base log loss (an AUC of about 0.62) must survive the order of the rows. */
static const double small_gain = 0.06;

static const double MOST_SLOPE = 4;

struct candidate {
    const struct model_family *family;
    const struct model *model;
    double *held_out;
};

struct work {
    struct arena *a;
    const struct dataset *s;
    const struct fit_request *request;
    struct candidate candidate[BUNDLE_MAX_MEMBER];
    size_t n;
};

static void note(const struct work *w, const char *what) {
    if (w->request->note)
        w->request->note(w->request->note_ctx, what);
}

static err fit_candidate(struct work *w, const char *name) {
    struct candidate *c = &w->candidate[w->n];
    c->family = family_find(str_from(name));
    if (!c->family)
        return fail(ERR_INPUT, "family_unknown",
                    "there is no model family \"%s\": use auto, logistic, subscore, naive_bayes, gbdt or bayesian", name);
    w->n++;
    if (c->family == &logistic_family && w->request->logistic) {
        c->model = w->request->logistic;
        c->held_out = w->request->logistic_held_out;
        return OK;
    }
    struct model *model;
    c->held_out = ARENA_ARRAY(w->a, w->s->n, double);
    note(w, name);
    TRY(c->family->fit(w->a, w->s, &w->request->opts, c->held_out, &model));
    c->model = model;
    return OK;
}

static bool enough_for_trees(const struct dataset *s) {
    double positives = 0;
    for (size_t i = 0; i < s->n; i++)
        positives += s->y[i];
    return s->n >= TREES_LEAST_ROWS && positives >= TREES_LEAST_CLASS && (double)s->n - positives >= TREES_LEAST_CLASS;
}

/* Too few rows for stacking weights or a calibration to be learned: the average by evidence is all there is. With a profile
 * it stays ahead of the stack for longer. */
static bool few_rows(const struct fit_request *request, size_t n) {
    return n < FEW_ROWS || (request->has_profile && n <= BAYESIAN_ROWS);
}

bool fit_has_logistic(const struct fit_request *request, size_t n) {
    return str_equal(request->family, STR("logistic")) || (str_equal(request->family, STR("auto")) && !few_rows(request, n));
}

static size_t linear_columns(const struct work *w) {
    size_t linear = 0;
    for (size_t c = 0; c < w->s->d; c++)
        linear += !w->request->opts.use || (w->request->opts.use[c] & COLUMN_LINEAR);
    return linear;
}

/* The average by evidence needs a covariance of all columns. */
static bool too_wide(const struct work *w) { return linear_columns(w) > LOGISTIC_DENSE; }

static err fit_candidates(struct work *w) {
    const str family = w->request->family;
    if (str_equal(family, STR("subscore")) && !w->request->has_profile)
        return fail(ERR_INPUT, "family_needs_profile", "the family subscore needs a profile: give one with --profile FILE");
    if (!str_equal(family, STR("auto")))
        return fit_candidate(w, str_cstr(w->a, family));
    if (few_rows(w->request, w->s->n))
        return fit_candidate(w, too_wide(w) ? "logistic" : "bayesian");
    TRY(fit_candidate(w, "logistic"));
    TRY(fit_candidate(w, "naive_bayes"));
    if (w->s->n <= BAYESIAN_ROWS && !too_wide(w))
        TRY(fit_candidate(w, "bayesian"));
    if (w->request->has_profile)
        TRY(fit_candidate(w, "subscore"));
    return enough_for_trees(w->s) ? fit_candidate(w, "gbdt") : OK;
}

/* Mean p (1 - p) of out-of-fold log-odds: a squared error e of the log-odds costs about e / 2 times this in log loss. */
static double mean_curvature(const double *logit, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double p = sigmoid(logit[i]);
        sum += p * (1 - p);
    }
    return sum / (double)n;
}

/* Mean square of a weighted sum of the members' spreads over some training rows. */
static double mean_variance(struct work *w, const struct bundle_member *member, size_t n_member) {
    enum { LOOKED_AT = 1000 };
    struct arena_mark mark = arena_mark(w->a);
    const size_t n = w->s->n < LOOKED_AT ? w->s->n : LOOKED_AT;
    struct rng r = rng_from_seed(w->request->opts.seed);
    struct row *rows = ARENA_ARRAY(w->a, n, struct row);
    double *sum = ARENA_ARRAY(w->a, n, double), *sd = ARENA_ARRAY(w->a, n, double), mean = 0;
    for (size_t i = 0; i < n; i++)
        rows[i] = dataset_row(w->s, n == w->s->n ? i : rng_below(&r, w->s->n));
    for (size_t m = 0; m < n_member; m++) {
        member[m].family->spread(member[m].model, rows, n, sd);
        for (size_t i = 0; i < n; i++)
            sum[i] += member[m].weight * sd[i];
    }
    for (size_t i = 0; i < n; i++)
        mean += sum[i] * sum[i] / (double)n;
    arena_rewind(w->a, mark);
    return mean;
}

static const struct candidate *candidate_of(const struct work *w, str family) {
    for (size_t m = 0; m < w->n; m++)
        if (str_equal(str_from(w->candidate[m].family->name), family))
            return &w->candidate[m];
    return NULL;
}

static double own_variance(struct work *w, const struct candidate *c) {
    const struct bundle_member alone = {.family = c->family, .model = c->model, .weight = 1};
    return mean_variance(w, &alone, 1);
}

static double mean_square_difference(const double *x, const double *y, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - y[i]) * (x[i] - y[i]);
    return sum / (double)n;
}

/* Share of a family in the weights. */
static double share_of(const struct fitted *f, const struct model_family *family) {
    double sum = 0, its = 0;
    for (size_t m = 0; m < f->n_member; m++) {
        sum += f->member[m].weight;
        its += f->member[m].family == family ? f->member[m].weight : 0;
    }
    return sum > 0 ? its / sum : 0;
}

/* See fit.h: the expected squared error of the whole, and what it makes of the members' spreads. */
static void measure_excess(struct work *w, const struct stack *stack, bool alone, struct fitted *out) {
    enum { NO_NARROWER = 4 }; /* than half as wide */
    const struct candidate *trees = candidate_of(w, STR("gbdt")), *logistic = candidate_of(w, STR("logistic"));
    out->spread_scale = 1;
    if (!trees || !logistic)
        return;
    const double apart = mean_square_difference(trees->held_out, logistic->held_out, w->s->n) + own_variance(w, logistic);
    const double loss = alone ? stack->member_log_loss[stack->best] : stack->log_loss;
    const double behind = stack->member_log_loss[trees - w->candidate] - loss;
    const double own = own_variance(w, trees), believed = 1 - share_of(out, trees->family);
    const double error = own + believed * fmin(apart - own, 0) - 2 * behind / mean_curvature(out->held_out, w->s->n);
    const double shown = mean_variance(w, out->member, out->n_member);
    if (error > shown)
        out->excess = error - shown;
    else if (shown > 0 && !(alone && stack->best == (size_t)(logistic - w->candidate)))
        out->spread_scale = sqrt(fmax(error / shown, 1.0 / NO_NARROWER));
}

static double row_loss(double logit, double y) { return y > 0 ? softplus(-logit) : softplus(logit); }

static double mean_loss(const struct dataset *s, const double *z) {
    double sum = 0, total = 0;
    for (size_t i = 0; i < s->n; i++) {
        sum += dataset_weight(s, i) * row_loss(z[i], s->y[i]);
        total += dataset_weight(s, i);
    }
    return sum / total;
}

/* One candidate stays as it is; several are stacked, unless the best alone is better by more than a standard error: among
 * few rows the choice of one is as much by chance as the weights are, and costs more. */
static void weigh(struct work *w, struct fitted *out) {
    struct stack stack = {.weight = {1}};
    const double *held_out[BUNDLE_MAX_MEMBER];
    for (size_t m = 0; m < w->n; m++)
        held_out[m] = w->candidate[m].held_out;
    if (w->n > 1) {
        note(w, "stacking");
        stack_fit(w->a, held_out, w->n, w->s->y, w->s->weight, w->s->n, w->request->opts.fold, w->request->opts.n_fold,
                  &stack);
    } else
        stack.member_log_loss[0] = mean_loss(w->s, held_out[0]);
    const bool alone = w->n == 1 || stack.gain <= -stack.gain_error;
    for (size_t m = 0; m < w->n; m++) {
        double weight = alone ? (double)(m == stack.best) : stack.weight[m] >= least_weight ? stack.weight[m] : 0;
        out->trial[out->n_trial++] = (struct fit_trial){
            .family = w->candidate[m].family->name, .weight = weight, .log_loss = stack.member_log_loss[m]};
        if (weight > 0)
            out->member[out->n_member++] =
                (struct bundle_member){.family = w->candidate[m].family, .model = w->candidate[m].model, .weight = weight};
    }
    out->intercept = alone ? 0 : stack.intercept;
    double *z = ARENA_ARRAY(w->a, w->s->n, double);
    for (size_t i = 0; i < w->s->n; i++) {
        z[i] = out->intercept;
        for (size_t m = 0; m < w->n; m++)
            z[i] += out->trial[m].weight * held_out[m][i];
    }
    out->held_out = z;
    measure_excess(w, &stack, alone, out);
}

/* The log-odds of each fold's complement: what "always the base rate" would have said. */
static double *base_logits(struct work *w, const struct fit_opts *o) {
    double *base = ARENA_ARRAY(w->a, o->n_fold, double);
    for (uint32_t f = 0; f < o->n_fold; f++) {
        double positives = 0.5, rows = 1;
        for (size_t i = 0; i < w->s->n; i++)
            if (o->fold[i] != f) {
                positives += w->s->y[i] * dataset_weight(w->s, i);
                rows += dataset_weight(w->s, i);
            }
        base[f] = log_odds(positives / rows);
    }
    return base;
}

/* Paired gain of log-odds over the base rate of the other folds. */
struct gain {
    double mean, error; /* standard error as of independent rows */
    double log_loss, base_log_loss;
};

static struct gain gain_over_base(struct work *w, const struct fit_opts *o, const double *z) {
    const double *base = base_logits(w, o);
    const double n = (double)w->s->n;
    double square = 0;
    struct gain g = {0};
    for (size_t i = 0; i < w->s->n; i++) {
        double mine = row_loss(z[i], w->s->y[i]), theirs = row_loss(base[o->fold[i]], w->s->y[i]);
        g.log_loss += mine / n;
        g.base_log_loss += theirs / n;
        square += (theirs - mine) * (theirs - mine);
    }
    g.mean = g.base_log_loss - g.log_loss;
    g.error = sqrt(fmax(square / n - g.mean * g.mean, 0) / n);
    return g;
}

/* Slope of a logistic regression of the outcomes on log-odds, by Newton's method. */
static double slope_of(const struct dataset *s, const double *z) {
    enum { MOST_STEP = 25 };
    double a = 0, b = 1;
    for (int i = 0; i < MOST_STEP; i++) {
        double g[2] = {0}, h[3] = {1e-9, 0, 1e-9};
        for (size_t k = 0; k < s->n; k++) {
            const double p = sigmoid(a + b * z[k]), w = dataset_weight(s, k), c = w * p * (1 - p), r = w * (s->y[k] - p);
            g[0] += r;
            g[1] += r * z[k];
            h[0] += c;
            h[1] += c * z[k];
            h[2] += c * z[k] * z[k];
        }
        const double det = h[0] * h[2] - h[1] * h[1], step = det > 0 ? (h[0] * g[1] - h[1] * g[0]) / det : 0;
        a += det > 0 ? (h[2] * g[0] - h[1] * g[1]) / det : 0;
        b += step;
        if (!(fabs(step) > 1e-6))
            break;
    }
    return isfinite(b) ? fmin(fmax(b, 0), MOST_SLOPE) : 1;
}

/* A penalty that is too strong or too weak for this truth makes all log-odds too small or too large by a factor. Out of fold
 * it shows as the slope of the outcomes on the log-odds; where that is not worth a calibration, it is an error all the same:
 * the mean square of what it would move. */
static double slope_variance(struct work *w, struct fitted *out) {
    const double n = (double)w->s->n;
    double *z = ARENA_ARRAY(w->a, w->s->n, double), mean = 0, square = 0;
    for (size_t i = 0; i < w->s->n; i++) {
        z[i] = calibration_apply_logit(&out->calibration, out->held_out[i]);
        mean += out->held_out[i] / n;
    }
    for (size_t i = 0; i < w->s->n; i++)
        square += (out->held_out[i] - mean) * (out->held_out[i] - mean) / n;
    out->slope = slope_of(w->s, z);
    return (out->slope - 1) * (out->slope - 1) * square;
}

/* Of the calibrated out-of-fold predictions. */
static void measure_gain(struct work *w, struct fitted *out) {
    double *z = ARENA_ARRAY(w->a, w->s->n, double);
    for (size_t i = 0; i < w->s->n; i++)
        z[i] = calibration_apply_logit(&out->calibration, out->held_out[i]);
    struct gain g = gain_over_base(w, &w->request->opts, z);
    out->log_loss = g.log_loss;
    out->base_log_loss = g.base_log_loss;
    out->gain = g.mean;
    out->gain_error = g.error;
}

struct place {
    double order;
    uint32_t row;
};

static int by_order(const void *x, const void *y) {
    const struct place *a = x, *b = y;
    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

/* Folds of rows that follow each other; false when some fold has hardly a row of an outcome, as in a sorted file. */
static bool fold_in_blocks(struct work *w, uint32_t n_fold, uint32_t *fold) {
    const size_t n = w->s->n;
    struct place *p = ARENA_ARRAY(w->a, n, struct place);
    double *positive = ARENA_ARRAY(w->a, n_fold, double), *rows = ARENA_ARRAY(w->a, n_fold, double), all = 0;
    for (size_t i = 0; i < n; i++)
        p[i] = (struct place){w->request->order[i], (uint32_t)i};
    qsort(p, n, sizeof *p, by_order);
    for (size_t i = 0; i < n; i++) {
        const uint32_t f = (uint32_t)(i * n_fold / n);
        fold[p[i].row] = f;
        rows[f]++;
        positive[f] += w->s->y[p[i].row];
        all += w->s->y[p[i].row];
    }
    for (uint32_t f = 0; f < n_fold; f++)
        if (positive[f] * n_fold < 0.2 * all || (rows[f] - positive[f]) * n_fold < 0.2 * ((double)n - all))
            return false;
    return true;
}

/* Gain over the base rate when no model has seen the neighbours of the rows it is judged on. */
static err gain_in_blocks(struct work *w, const struct model_family *family, const uint32_t *part, struct gain *out) {
    struct fit_opts o = w->request->opts;
    double *z = ARENA_ARRAY(w->a, w->s->n, double);
    struct model *model;
    o.n_fold = BLOCKS;
    o.fold = part;
    o.brief = true;
    TRY(family->fit(w->a, w->s, &o, z, &model));
    *out = gain_over_base(w, &o, z);
    return OK;
}

/* Gain over the base rate of the past, of models that have seen three and four blocks, on the block that comes next. */
static err gain_ahead(struct work *w, const struct model_family *family, const uint32_t *part, struct gain *out) {
    const size_t n = w->s->n;
    uint32_t *rows = ARENA_ARRAY(w->a, n, uint32_t);
    double sum = 0, square = 0, seen = 0;
    for (uint32_t next = BLOCKS - 2; next < BLOCKS; next++) {
        size_t past = 0;
        double positives = 0.5;
        for (size_t i = 0; i < n; i++)
            if (part[i] < next) {
                positives += w->s->y[i];
                rows[past++] = (uint32_t)i;
            }
        struct fit_opts o = w->request->opts;
        uint32_t *fold = ARENA_ARRAY(w->a, past, uint32_t);
        for (size_t i = 0; i < past; i++)
            fold[i] = o.fold[rows[i]];
        o.fold = fold;
        o.brief = true;
        struct model *model;
        TRY(family->fit(w->a, dataset_pick(w->a, w->s, rows, past), &o, NULL, &model));
        const double base = log_odds(positives / ((double)past + 1));
        for (size_t i = 0; i < n; i++) {
            struct row x = dataset_row(w->s, i);
            double z;
            if (part[i] != next)
                continue;
            family->predict(model, &x, 1, &z);
            double d = row_loss(base, w->s->y[i]) - row_loss(z, w->s->y[i]);
            sum += d;
            square += d * d;
            seen++;
        }
    }
    *out = (struct gain){.mean = sum / seen, .error = sqrt(square) / seen};
    return OK;
}

static const struct model_family *heaviest(const struct fitted *f) {
    size_t best = 0;
    for (size_t m = 1; m < f->n_member; m++)
        if (f->member[m].weight > f->member[best].weight)
            best = m;
    return f->member[best].family;
}

/* Whether a small gain is none once rows are judged in order. In blocks, memory of neighbours is gone, and what is left of
 * honest signal is most of it; ahead, a drift that only random folds could bridge costs more than the fields give. */
static err judge_order(struct work *w, const struct fitted *out, bool *gone) {
    struct arena_mark mark = arena_mark(w->a);
    uint32_t *part = ARENA_ARRAY(w->a, w->s->n, uint32_t);
    *gone = false;
    if (fold_in_blocks(w, BLOCKS, part)) {
        const struct model_family *family = heaviest(out);
        struct gain blocks, ahead;
        TRY(gain_in_blocks(w, family, part, &blocks));
        *gone = blocks.mean <= fmax(blocks.error, out->gain / 3);
        if (!*gone) {
            TRY(gain_ahead(w, family, part, &ahead));
            *gone = ahead.mean <= -ahead.error || (ahead.mean <= 0 && blocks.mean <= out->gain / 2);
        }
    }
    arena_rewind(w->a, mark);
    return OK;
}

/* No signal: the gain is within two standard errors of zero (one and a half among few rows, where the average by evidence
 * keeps near the base rate by itself), or it is small and does not survive the order of the rows. A profile is knowledge of
 * its own, so that a model with one is never thrown away. */
static err judge_signal(struct work *w, struct fitted *out) {
    if (w->request->has_profile)
        return OK;
    out->no_signal = out->gain <= (w->s->n < FEW_ROWS ? 1.5 : 2) * out->gain_error;
    const bool small = w->s->n >= ORDER_LEAST_ROWS && out->gain < small_gain * out->base_log_loss;
    if (!out->no_signal && small && w->request->order && out->n_member > 0)
        TRY(judge_order(w, out, &out->no_signal));
    return OK;
}

/* The variance of log-odds that could have gone unnoticed. A signal of variance V, spread over d columns, of which n rows
 * tell each with error variance 1 / (n c), c = p (1 - p), gains at best c / 2 V^2 / (V + d / (n c)): the rest is lost to
 * learning. V is what would have gained two standard errors more than was seen. */
static double unnoticed_variance(const struct work *w, const struct fitted *f, double rows, double c) {
    const double gain = fmax(f->gain, 0) + 2 * f->gain_error, half = gain / c;
    const double lost = (double)linear_columns(w) / (rows * c);
    return half + sqrt(half * half + 2 * half * lost);
}

/* The base rate, and an interval of its own error and of what could have gone unnoticed. */
static void keep_base_rate(struct work *w, struct fitted *out) {
    double positives = 0, rows = 0;
    for (size_t i = 0; i < w->s->n; i++) {
        positives += w->s->y[i] * dataset_weight(w->s, i);
        rows += dataset_weight(w->s, i);
    }
    out->n_member = 0;
    const double p = positives / rows, c = p * (1 - p);
    out->excess = 1 / (rows * c) + unnoticed_variance(w, out, rows, c);
    out->spread_scale = 1;
    out->intercept = log_odds(p);
    out->calibration = (struct calibration){.kind = CALIBRATION_NONE};
    for (size_t m = 0; m < out->n_trial; m++)
        out->trial[m].weight = 0;
}

err fit_model(struct arena *a, const struct dataset *s, const struct fit_request *request, struct fitted *out) {
    struct work w = {.a = a, .s = s, .request = request};
    *out = (struct fitted){.slope = 1};
    TRY(fit_candidates(&w));
    weigh(&w, out);
    note(&w, "calibrating");
    if (w.candidate[0].family != &bayesian_family) /* which is as calibrated as few rows allow */
        calibration_choose(a, out->held_out, s->y, s->weight, s->n, request->opts.fold, request->opts.n_fold,
                           &out->calibration);
    if (w.n == 1 && w.candidate[0].family == &logistic_family)
        out->excess += slope_variance(&w, out);
    measure_gain(&w, out);
    TRY(judge_signal(&w, out));
    if (out->no_signal)
        keep_base_rate(&w, out);
    return OK;
}
