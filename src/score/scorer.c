/* scorer.c — feature rows to probabilities with intervals, and to contributions. */
#include "score/scorer.h"

#include "ml/special.h"

#include <math.h>

void scorer_logits(const struct bundle *b, const struct row *rows, size_t n, struct arena *scratch, double *logit,
                   double *sd) {
    struct arena_mark mark = arena_mark(scratch);
    double *z = ARENA_ARRAY(scratch, n, double);
    for (size_t i = 0; i < n; i++) {
        logit[i] = b->intercept;
        if (sd)
            sd[i] = 0;
    }
    for (size_t m = 0; m < b->n_member; m++) {
        const struct bundle_member *member = &b->member[m];
        member->family->predict(member->model, rows, n, z);
        for (size_t i = 0; i < n; i++)
            logit[i] += member->weight * z[i];
        if (!sd)
            continue;
        const double scale = b->spread_scale * member->weight;
        member->family->spread(member->model, rows, n, z);
        for (size_t i = 0; i < n; i++)
            sd[i] += scale * z[i];
    }
    arena_rewind(scratch, mark);
}

static double missing_variance(const struct bundle *b, const unsigned char *missing) {
    double sum = 0;
    for (size_t t = 0; t < b->n_term; t++)
        if (missing[t])
            sum += b->imputation[t];
    return sum;
}

/* Standard deviations beyond this say nothing more; squares of them stay finite. */
static const double max_sd = 1e100;

void scorer_score(const struct bundle *b, const struct row *rows, size_t n, const unsigned char *missing, double level,
                  struct arena *scratch, struct score *out) {
    struct arena_mark mark = arena_mark(scratch);
    double *logit = ARENA_ARRAY(scratch, n, double), *sd = level > 0 ? ARENA_ARRAY(scratch, n, double) : NULL;
    scorer_logits(b, rows, n, scratch, logit, sd);
    const double z = level > 0 ? normal_quantile(0.5 + level / 2) : 0;
    for (size_t i = 0; i < n; i++) {
        struct score *s = &out[i];
        s->logit = logit[i];
        s->probability = calibration_apply(b->calibration, logit[i]);
        s->low = s->high = s->probability;
        s->spread = 0;
        if (sd) {
            double own = fmin(sd[i], max_sd),
                   variance = own * own + b->excess + (missing ? missing_variance(b, missing + i * b->n_term) : 0);
            s->spread = sqrt(variance);
            s->low = calibration_apply(b->calibration, logit[i] - z * s->spread);
            s->high = calibration_apply(b->calibration, logit[i] + z * s->spread);
        }
    }
    arena_rewind(scratch, mark);
}

double scorer_explain(const struct bundle *b, const struct row *rows, size_t n, struct arena *scratch, double *term_share) {
    const struct column_terms to = {.n = b->n_term, .of_column = b->term_of_column};
    double base = b->intercept;
    memset(term_share, 0, n * b->n_term * sizeof *term_share);
    for (size_t m = 0; m < b->n_member; m++)
        base += b->member[m].family->explain(b->member[m].model, rows, n, b->member[m].weight, &to, scratch, term_share);
    return base;
}
