/* terms.c — importance and imputation variance of terms. */
#include "learn/terms.h"

#include "base/rng.h"
#include "score/scorer.h"

#include <math.h>

enum { IMPORTANCE_ROWS = 2000, DOUBT_ROWS = 500, IMPUTATION_ROWS = 150, DRAWS = 8, LEAST_LACKING = 20 };

/* What a logistic model does not know, of variance V, shrinks its coefficients by 1 / sqrt(1 + 0.346 V); 0.346 = 1 / 1.7^2.
 */
static const double logistic_normal = 0.346, MOST_UNDONE = 2;

/* Up to `most` rows of s in a random order. */
static uint32_t *sample_rows(struct arena *a, size_t n, size_t most, struct rng *r, size_t *k) {
    uint32_t *rows = ARENA_ARRAY(a, n, uint32_t);
    for (size_t i = 0; i < n; i++)
        rows[i] = (uint32_t)i;
    rng_shuffle(r, rows, n);
    *k = n < most ? n : most;
    return rows;
}

void terms_importance(struct arena *a, const struct bundle *b, const struct dataset *s, uint64_t seed, double *importance) {
    struct arena_mark mark = arena_mark(a);
    struct rng r = rng_from_seed(seed);
    size_t k;
    const uint32_t *rows = sample_rows(a, s->n, IMPORTANCE_ROWS, &r, &k);
    struct row *x = ARENA_ARRAY(a, k, struct row);
    double *share = ARENA_ARRAY(a, k * b->n_term, double);
    for (size_t i = 0; i < k; i++)
        x[i] = dataset_row(s, rows[i]);
    scorer_explain(b, x, k, a, share);
    for (size_t t = 0; t < b->n_term; t++)
        importance[t] = 0;
    for (size_t i = 0; i < k; i++)
        for (size_t t = 0; t < b->n_term; t++)
            importance[t] += fabs(share[i * b->n_term + t]) / (double)k;
    arena_rewind(a, mark);
}

double terms_doubt(struct arena *a, const struct bundle *b, const struct dataset *s, uint64_t seed) {
    struct arena_mark mark = arena_mark(a);
    struct rng r = rng_from_seed(seed);
    size_t n;
    const uint32_t *rows = sample_rows(a, s->n, DOUBT_ROWS, &r, &n);
    struct row *x = ARENA_ARRAY(a, n, struct row);
    double *logit = ARENA_ARRAY(a, n, double), *sd = ARENA_ARRAY(a, n, double), mean = 0, square = 0, own = b->excess;
    for (size_t i = 0; i < n; i++)
        x[i] = dataset_row(s, rows[i]);
    scorer_logits(b, x, n, a, logit, sd);
    for (size_t i = 0; i < n; i++) {
        mean += logit[i] / (double)n;
        own += sd[i] * sd[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++)
        square += (logit[i] - mean) * (logit[i] - mean) / (double)n;
    arena_rewind(a, mark);
    return square > own ? own / square : square > 0 ? 1 : 0;
}

double terms_known(const unsigned char *missing, size_t n, size_t n_term, size_t n_field) {
    double lacking = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t t = 0; t < n_field; t++)
            lacking += missing[i * n_term + t];
    return n * n_field > 0 ? 1 - lacking / ((double)n * (double)n_field) : 1;
}

/* Columns of one term lie together, but for products: [from, to). */
struct span {
    uint32_t from, to;
};

static struct span span_of_field(const struct bundle *b, const struct products *products, size_t term) {
    struct span s = {0, 0};
    for (uint32_t c = 0; c < products->first; c++)
        if (b->term_of_column[c] == term) {
            if (s.to == 0)
                s.from = c;
            s.to = c + 1;
        }
    return s;
}

/* x with the entries inside the span taken from donor. col and val have room for both rows. */
static struct row with_donor(struct row x, struct row donor, struct span s, uint32_t *col, double *val) {
    size_t n = 0, i = 0;
    for (; i < x.n && x.col[i] < s.from; i++, n++) {
        col[n] = x.col[i];
        val[n] = x.val[i];
    }
    for (size_t j = 0; j < donor.n; j++)
        if (donor.col[j] >= s.from && donor.col[j] < s.to) {
            col[n] = donor.col[j];
            val[n++] = donor.val[j];
        }
    for (; i < x.n; i++)
        if (x.col[i] >= s.to) {
            col[n] = x.col[i];
            val[n++] = x.val[i];
        }
    return (struct row){n, col, val};
}

struct imputing {
    struct arena *a;
    const struct bundle *b;
    const struct products *products;
    const struct dataset *s;
    const unsigned char *missing;
    const uint32_t *rows;      /* all rows in random order */
    uint32_t *known, *lacking; /* room for those that know the term, and those that do not */
};

/* x with the term's columns taken from a donor; NULL: without them. */
static struct row changed(struct imputing *w, struct row x, const struct row *donor, struct span span) {
    const struct row nothing = {0};
    const size_t most = x.n + (donor ? donor->n : 0), n = w->products->n;
    struct row y =
        with_donor(x, donor ? *donor : nothing, span, ARENA_ARRAY(w->a, most, uint32_t), ARENA_ARRAY(w->a, most, double));
    return n == 0 ? y
                  : products_renew(w->products, y, ARENA_ARRAY(w->a, y.n + n, uint32_t), ARENA_ARRAY(w->a, y.n + n, double));
}

/* Mean square of n draws around a centre, the draws' own mean when the centre is NULL. */
static double scatter(const double *draw, const double *centre) {
    double mean = 0, square = 0;
    for (size_t k = 0; k < DRAWS; k++)
        mean += draw[k] / DRAWS;
    const double at = centre ? *centre : mean;
    for (size_t k = 0; k < DRAWS; k++)
        square += (draw[k] - at) * (draw[k] - at);
    return centre ? square / DRAWS : (1 + 1.0 / DRAWS) * square / (DRAWS - 1);
}

static double variance_of_term(struct imputing *w, size_t term, struct rng *r) {
    const struct bundle *b = w->b;
    const struct span span = span_of_field(b, w->products, term);
    size_t n_known = 0, n_lacking = 0;
    for (size_t i = 0; i < w->s->n; i++)
        if (w->missing[(size_t)w->rows[i] * b->n_term + term])
            w->lacking[n_lacking++] = w->rows[i];
        else
            w->known[n_known++] = w->rows[i];
    if (span.to == 0 || n_known < 2)
        return 0;
    const bool taught = n_lacking >= LEAST_LACKING;
    size_t n = n_known < IMPUTATION_ROWS ? n_known : IMPUTATION_ROWS;
    struct arena_mark mark = arena_mark(w->a);
    struct row *drawn = ARENA_ARRAY(w->a, n * (DRAWS + 1), struct row);
    double *logit = ARENA_ARRAY(w->a, n * (DRAWS + 1), double), sum = 0;
    for (size_t i = 0; i < n; i++) {
        struct row x = dataset_row(w->s, w->known[i]);
        for (size_t k = 0; k < DRAWS; k++) {
            struct row donor = dataset_row(w->s, w->known[rng_below(r, n_known)]);
            drawn[i * DRAWS + k] = changed(w, x, &donor, span);
        }
        drawn[n * DRAWS + i] = changed(w, x, NULL, span);
    }
    scorer_logits(b, drawn, n * (DRAWS + 1), w->a, logit, NULL);
    for (size_t i = 0; i < n; i++)
        sum += scatter(logit + i * DRAWS, taught ? NULL : &logit[n * DRAWS + i]);
    arena_rewind(w->a, mark);
    return sum / (double)n;
}

/* Mean over the rows of the variance of what they do not know. */
static double mean_hidden(const struct bundle *b, const struct dataset *s, const unsigned char *missing,
                          const double *variance) {
    double hidden = 0;
    for (size_t i = 0; i < s->n; i++)
        for (size_t t = 0; t < b->n_term; t++)
            hidden += missing[i * b->n_term + t] ? variance[t] : 0;
    return hidden / (double)s->n;
}

void terms_imputation(struct arena *a, const struct bundle *b, const struct products *products, const struct dataset *s,
                      const unsigned char *missing, uint64_t seed, double *variance) {
    struct arena_mark mark = arena_mark(a);
    struct rng r = rng_from_seed(seed);
    size_t k;
    struct imputing w = {.a = a, .b = b, .products = products, .s = s, .missing = missing};
    w.rows = sample_rows(a, s->n, s->n, &r, &k);
    w.known = ARENA_ARRAY(a, s->n, uint32_t);
    w.lacking = ARENA_ARRAY(a, s->n, uint32_t);
    const size_t n_field = b->schema->n_field; /* sub-scores and interactions are never drawn: their fields are */
    for (size_t t = 0; t < b->n_term; t++)
        variance[t] = t < n_field && b->importance[t] > 0 ? variance_of_term(&w, t, &r) : 0;
    const double known = 1 - logistic_normal * mean_hidden(b, s, missing, variance),
                 undone = 1 / fmax(known, 1 / MOST_UNDONE);
    for (size_t t = 0; t < b->n_term; t++)
        variance[t] *= undone;
    arena_rewind(a, mark);
}

double terms_attenuation(const struct bundle *b, const struct dataset *s, const unsigned char *missing,
                         const double *logit) {
    double mean = 0, square = 0;
    for (size_t i = 0; i < s->n; i++)
        mean += logit[i] / (double)s->n;
    for (size_t i = 0; i < s->n; i++)
        square += (logit[i] - mean) * (logit[i] - mean) / (double)s->n;
    const double off = sqrt(1 + logistic_normal * mean_hidden(b, s, missing, b->imputation)) - 1;
    return off * off * square;
}
