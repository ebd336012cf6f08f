/* fit.c — families fitted, stacked and calibrated on out-of-fold predictions. */
#include "learn/fit.h"

#include "base/rng.h"
#include "ml/bayesian.h"
#include "ml/special.h"
#include "ml/stack.h"

#include <math.h>

enum { TREES_LEAST_ROWS = 200, TREES_LEAST_CLASS = 20, ORDER_LEAST_ROWS = 500, FEW_ROWS = 200 };

/* Weights below this change no probability that anybody would notice; dropping them saves the member's whole cost. */
static const double least_weight = 0.01;

struct candidate {
    const struct model_family *family;
    struct model *model;
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
    c->held_out = ARENA_ARRAY(w->a, w->s->n, double);
    note(w, name);
    TRY(c->family->fit(w->a, w->s, &w->request->opts, c->held_out, &c->model));
    w->n++;
    return OK;
}

static bool enough_for_trees(const struct dataset *s) {
    double positives = 0;
    for (size_t i = 0; i < s->n; i++)
        positives += s->y[i];
    return s->n >= TREES_LEAST_ROWS && positives >= TREES_LEAST_CLASS && (double)s->n - positives >= TREES_LEAST_CLASS;
}

static err fit_candidates(struct work *w) {
    const str family = w->request->family;
    if (str_equal(family, STR("subscore")) && !w->request->has_profile)
        return fail(ERR_INPUT, "family_needs_profile", "the family subscore needs a profile: give one with --profile FILE");
    if (!str_equal(family, STR("auto")))
        return fit_candidate(w, str_cstr(w->a, family));
    if (w->s->n < FEW_ROWS) /* too few for weights to be learned: the average by evidence is all there is */
        return fit_candidate(w, "bayesian");
    TRY(fit_candidate(w, "logistic"));
    TRY(fit_candidate(w, "naive_bayes"));
    if (w->s->n <= BAYESIAN_ROWS)
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

/* One candidate stays as it is; several are stacked, unless the best alone is as good. */
static void weigh(struct work *w, struct fitted *out) {
    struct stack stack = {.weight = {1}};
    const double *held_out[BUNDLE_MAX_MEMBER];
    for (size_t m = 0; m < w->n; m++)
        held_out[m] = w->candidate[m].held_out;
    note(w, "stacking");
    stack_fit(w->a, held_out, w->n, w->s->y, w->s->weight, w->s->n, w->request->opts.fold, w->request->opts.n_fold, &stack);
    bool alone = w->n == 1 || stack.gain <= 0;
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

static double row_loss(double logit, double y) { return y > 0 ? softplus(-logit) : softplus(logit); }

/* The log-odds of each fold's complement: what "always the base rate" would have said. */
static double *base_logits(struct work *w) {
    const struct fit_opts *o = &w->request->opts;
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

/* Mean paired gain of the calibrated out-of-fold predictions over the base rate. */
static void measure_gain(struct work *w, struct fitted *out) {
    const struct fit_opts *o = &w->request->opts;
    const double *base = base_logits(w);
    const double n = (double)w->s->n;
    double sum = 0, square = 0, loss = 0, base_loss = 0;
    for (size_t i = 0; i < w->s->n; i++) {
        double mine = row_loss(calibration_apply_logit(&out->calibration, out->held_out[i]), w->s->y[i]);
        double theirs = row_loss(base[o->fold[i]], w->s->y[i]);
        loss += mine;
        base_loss += theirs;
        sum += theirs - mine;
        square += (theirs - mine) * (theirs - mine);
    }
    out->log_loss = loss / n;
    out->base_log_loss = base_loss / n;
    out->gain = sum / n;
    out->gain_error = sqrt(fmax(square / n - out->gain * out->gain, 0) / n);
}

/* Gain over the base rate of a logistic model on the last 30 % of the rows when it has seen the first 70 % only. Signal that
 * random folds show and order does not is memory of neighbours or drift, not signal. */
static err gain_in_order(struct work *w, double *gain) {
    struct arena_mark mark = arena_mark(w->a);
    const size_t n = w->s->n, cut = n * 7 / 10;
    uint32_t *rows = ARENA_ARRAY(w->a, cut, uint32_t);
    double positives = 0.5;
    for (size_t i = 0; i < cut; i++) {
        rows[i] = (uint32_t)i;
        positives += w->s->y[i];
    }
    struct fit_opts o = w->request->opts; /* its folds are those of the same rows */
    const struct dataset *past = dataset_pick(w->a, w->s, rows, cut);
    const struct model_family *family = family_find(STR("logistic"));
    struct model *model;
    TRY(family->fit(w->a, past, &o, NULL, &model));
    const double base = log_odds(positives / ((double)cut + 1));
    double sum = 0;
    for (size_t i = cut; i < n; i++) {
        struct row x = dataset_row(w->s, i);
        double z;
        family->predict(model, &x, 1, &z);
        sum += row_loss(base, w->s->y[i]) - row_loss(z, w->s->y[i]);
    }
    *gain = sum / (double)(n - cut);
    arena_rewind(w->a, mark);
    return OK;
}

/* No signal: the gain is within two standard errors of zero, or it is small and gone when past rows predict later ones. A
 * profile is knowledge of its own, so that a model with one is never thrown away. */
static err judge_signal(struct work *w, struct fitted *out) {
    if (w->request->has_profile)
        return OK;
    out->no_signal = out->gain <= 2 * out->gain_error;
    if (!out->no_signal && w->s->n >= ORDER_LEAST_ROWS && out->gain < 0.03 * out->base_log_loss) {
        double gain;
        TRY(gain_in_order(w, &gain));
        out->no_signal = gain <= 0;
    }
    return OK;
}

static void keep_base_rate(struct work *w, struct fitted *out) {
    double positives = 0, rows = 0;
    for (size_t i = 0; i < w->s->n; i++) {
        positives += w->s->y[i] * dataset_weight(w->s, i);
        rows += dataset_weight(w->s, i);
    }
    out->n_member = 0;
    out->excess = 0;
    out->spread_scale = 1;
    out->intercept = log_odds(positives / rows);
    out->calibration = (struct calibration){.kind = CALIBRATION_NONE};
    for (size_t m = 0; m < out->n_trial; m++)
        out->trial[m].weight = 0;
}

err fit_model(struct arena *a, const struct dataset *s, const struct fit_request *request, struct fitted *out) {
    struct work w = {.a = a, .s = s, .request = request};
    *out = (struct fitted){0};
    TRY(fit_candidates(&w));
    weigh(&w, out);
    note(&w, "calibrating");
    calibration_choose(a, out->held_out, s->y, s->weight, s->n, request->opts.fold, request->opts.n_fold, &out->calibration,
                       NULL);
    measure_gain(&w, out);
    TRY(judge_signal(&w, out));
    if (out->no_signal)
        keep_base_rate(&w, out);
    return OK;
}
