/* classifier_train.c — vocabulary, penalty by cross-validation, weights by L-BFGS, and the map to probabilities. */
#include "text/classifier_priv.h"

#include "base/parallel.h"
#include "base/rng.h"
#include "ml/lbfgs.h"
#include "text/sentiment.h"

#include <math.h>

enum {
    FOLDS = 5,
    PENALTIES = 6,
    MIN_ROWS = 10,
    SEEN_MAX = 1 << 24,      /* distinct features looked at before the rarest are dropped */
    PARAMETER_MAX = 6 << 20, /* features times labels */
    MEMORY = 6,              /* pairs of L-BFGS */
};

/* One over the penalty times the rows: the scale on which text models agree. */
static const double strength[PENALTIES] = {0.5, 1.5, 4, 10, 25, 60};

struct training {
    struct arena *arena;
    const struct text_row *row; /* the rows that are learned from */
    size_t n, k;
    uint32_t *label, *fold;
    size_t *from; /* n + 1: where a row's numbers begin */
    uint32_t *index;
    float *value;
    float *z; /* out-of-fold logits: penalty, row, label */
    struct text_classifier *out;
};

/* ---- rows and labels ---- */

static int by_text(const void *a, const void *b) { return str_compare(*(const str *)a, *(const str *)b); }

static err find_labels(struct training *t) {
    str *all = ARENA_ARRAY(t->arena, t->n, str);
    size_t k = 0;
    for (size_t i = 0; i < t->n; i++)
        all[i] = str_trim(t->row[i].label);
    qsort(all, t->n, sizeof *all, by_text);
    for (size_t i = 0; i < t->n; i++)
        if (k == 0 || !str_equal(all[k - 1], all[i]))
            all[k++] = all[i];
    if (k < 2 || k > TEXT_LABEL_MAX)
        return fail(ERR_INPUT, "text_labels", "the label column holds %zu different labels; a model can have 2 to %d", k,
                    TEXT_LABEL_MAX);
    t->out->label = ARENA_ARRAY(t->arena, k, str);
    for (size_t i = 0; i < k; i++) {
        if (all[i].len > TEXT_LABEL_BYTE)
            return fail(ERR_INPUT, "text_labels", "a label is longer than %d bytes", TEXT_LABEL_BYTE);
        t->out->label[i] = str_copy(t->arena, all[i]);
    }
    t->out->n_label = t->k = k;
    for (size_t i = 0; i < t->n; i++) {
        const str label = str_trim(t->row[i].label);
        const str *found = bsearch(&label, all, k, sizeof *all, by_text);
        t->label[i] = (uint32_t)(found - all);
    }
    return OK;
}

static err choose_rows(struct training *t, const struct text_row *row, size_t n) {
    struct text_row *kept = ARENA_ARRAY(t->arena, n, struct text_row);
    if (n > TEXT_ROW_MAX)
        return fail(ERR_INPUT, "text_rows", "there are %zu rows; at most %d can be learned from", n, TEXT_ROW_MAX);
    for (size_t i = 0; i < n; i++)
        if (str_trim(row[i].text).len > 0 && str_trim(row[i].label).len > 0) {
            kept[t->n++] = row[i];
            t->out->entity |= row[i].entity.len > 0;
        }
    if (t->n < MIN_ROWS)
        return fail(ERR_INPUT, "text_rows", "%zu rows have a text and a label; at least %d are needed", t->n, MIN_ROWS);
    t->row = kept;
    t->label = ARENA_ARRAY(t->arena, t->n, uint32_t);
    t->fold = ARENA_ARRAY(t->arena, t->n, uint32_t);
    return OK;
}

static void choose_folds(struct training *t, uint64_t seed) {
    for (size_t i = 0; i < t->n; i++) {
        struct rng r = rng_from_seed(str_hash(t->row[i].text) ^ seed);
        t->fold[i] = (uint32_t)rng_below(&r, FOLDS);
    }
}

/* Labels that speak of good and bad news: then the lexicon has something to say. */
static bool speaks_of_sentiment(const struct text_classifier *c) {
    static const str names[] = {STR_INIT("negative"), STR_INIT("neutral"), STR_INIT("positive")};
    for (size_t i = 0; i < c->n_label; i++) {
        bool known = false;
        for (size_t k = 0; k < 3; k++)
            known |= str_equal_nocase(c->label[i], names[k]);
        if (!known)
            return false;
    }
    return true;
}

/* ---- vocabulary ---- */

struct seen {
    uint32_t hash, rows, last; /* last: row + 1 */
};

struct seen_table {
    struct seen *slot;
    size_t size, n;
};

static struct seen *seen_find(const struct seen_table *t, uint32_t hash) {
    size_t at = (hash * 2654435761u) & (t->size - 1);
    while (t->slot[at].last && t->slot[at].hash != hash)
        at = (at + 1) & (t->size - 1);
    return &t->slot[at];
}

static void seen_grow(struct arena *a, struct seen_table *t) {
    struct seen_table next = {ARENA_ARRAY(a, t->size * 2, struct seen), t->size * 2, t->n};
    for (size_t i = 0; i < t->size; i++)
        if (t->slot[i].last)
            *seen_find(&next, t->slot[i].hash) = t->slot[i];
    *t = next;
}

static void see(struct arena *a, struct seen_table *t, uint32_t hash, uint32_t row) {
    struct seen *s = seen_find(t, hash);
    if (!s->last) {
        if (t->n >= SEEN_MAX)
            return;
        *s = (struct seen){hash, 1, row + 1};
        if (++t->n * 2 > t->size)
            seen_grow(a, t);
    } else if (s->last != row + 1) {
        s->rows++;
        s->last = row + 1;
    }
}

/* The least number of rows a feature must be in so that no more than `most` are kept. */
static uint32_t least_rows(const struct seen_table *t, size_t most) {
    for (uint32_t least = 2;; least++) {
        size_t n = 0;
        for (size_t i = 0; i < t->size; i++)
            n += t->slot[i].rows >= least;
        if (n <= most)
            return least;
    }
}

static int by_hash(const void *a, const void *b) {
    const struct seen *x = a, *y = b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

static double short_number(double x) {
    const double y = round(x * 1e4) / 1e4;
    return y == 0 ? 0 : y; /* no negative zero, which JSON would keep apart */
}

static void build_vocabulary(struct training *t) {
    struct vocabulary *v = &t->out->vocabulary;
    size_t most = PARAMETER_MAX / t->k, n = 0;
    struct features *f = features_new(t->arena, t->out->lexicon);
    struct seen_table seen = {ARENA_ARRAY(t->arena, 1 << 16, struct seen), 1 << 16, 0};
    for (size_t i = 0; i < t->n; i++) {
        features_collect(f, t->row[i].text, t->row[i].entity);
        for (size_t j = 0; j < f->n; j++)
            see(t->arena, &seen, f->hash[j], (uint32_t)i);
    }
    const uint32_t least = least_rows(&seen, most < TEXT_FEATURE_MAX ? most : TEXT_FEATURE_MAX);
    for (size_t i = 0; i < seen.size; i++)
        if (seen.slot[i].rows >= least)
            seen.slot[n++] = seen.slot[i];
    qsort(seen.slot, n, sizeof *seen.slot, by_hash);
    v->n = n;
    v->hash = ARENA_ARRAY(t->arena, n, uint32_t);
    v->idf = ARENA_ARRAY(t->arena, n, double);
    for (size_t i = 0; i < n; i++) {
        v->hash[i] = seen.slot[i].hash;
        v->idf[i] = short_number(log((1 + (double)t->n) / (1 + (double)seen.slot[i].rows)) + 1);
    }
    vocabulary_index(t->arena, v);
}

static void make_rows(struct training *t) {
    size_t cap = 0, at = 0;
    struct vectors *x = vectors_new(t->arena, &t->out->vocabulary, t->out->lexicon);
    t->from = ARENA_ARRAY(t->arena, t->n + 1, size_t);
    for (size_t i = 0; i < t->n; i++) {
        const struct sparse *row = vectors_make(x, t->row[i].text, t->row[i].entity);
        if (at + row->n > cap) {
            size_t other = cap;
            t->index = arena_grow(t->arena, t->index, &other, at + row->n, sizeof *t->index);
            t->value = arena_grow(t->arena, t->value, &cap, at + row->n, sizeof *t->value);
        }
        memcpy(t->index + at, row->index, row->n * sizeof *row->index);
        memcpy(t->value + at, row->value, row->n * sizeof *row->value);
        at += row->n;
        t->from[i + 1] = at;
    }
}

/* ---- weights ---- */

struct fit {
    const struct training *t;
    uint32_t held; /* fold left out; FOLDS for none */
    size_t n;      /* rows fitted to */
    double penalty;
    double *curve; /* diagonal of the Hessian, about, without the penalty */
    double *z;
};

/* Mean loss and its gradient (Eq. 28-30); x: weights, then intercepts. */
static double fit_value(void *ctx, const double *x, double *g) {
    const struct fit *f = ctx;
    const struct training *t = f->t;
    const size_t k = t->k, n = t->out->vocabulary.n * k;
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        g[i] = f->penalty * x[i];
        loss += f->penalty * x[i] * x[i] / 2;
    }
    for (size_t c = 0; c < k; c++) { /* a hair of penalty: softmax leaves the sum of the intercepts open */
        g[n + c] = 1e-8 * x[n + c];
        loss += 1e-8 * x[n + c] * x[n + c] / 2;
    }
    for (size_t i = 0; i < t->n; i++) {
        if (t->fold[i] == f->held)
            continue;
        const size_t from = t->from[i];
        text_logits(x, x + n, k, t->index + from, t->value + from, t->from[i + 1] - from, f->z);
        text_softmax(f->z, k);
        loss -= log(fmax(f->z[t->label[i]], 1e-300)) / (double)f->n;
        f->z[t->label[i]] -= 1;
        for (size_t c = 0; c < k; c++)
            g[n + c] += f->z[c] /= (double)f->n;
        for (size_t j = from; j < t->from[i + 1]; j++) {
            double *to = g + (size_t)t->index[j] * k;
            for (size_t c = 0; c < k; c++)
                to[c] += (double)t->value[j] * f->z[c];
        }
    }
    return loss;
}

static void fit_precondition(void *ctx, double *v) {
    const struct fit *f = ctx;
    const size_t k = f->t->k, d = f->t->out->vocabulary.n;
    for (size_t i = 0; i <= d; i++)
        for (size_t c = 0; c < k; c++)
            v[i * k + c] /= f->curve[i] + f->penalty;
}

static struct fit fit_new(struct arena *a, const struct training *t, uint32_t held) {
    const size_t d = t->out->vocabulary.n;
    struct fit f = {.t = t, .held = held, .curve = ARENA_ARRAY(a, d + 1, double), .z = ARENA_ARRAY(a, t->k, double)};
    const double share = (1.0 - 1.0 / (double)t->k) / (double)t->k;
    for (size_t i = 0; i < t->n; i++) {
        if (t->fold[i] == held)
            continue;
        f.n++;
        for (size_t j = t->from[i]; j < t->from[i + 1]; j++)
            f.curve[t->index[j]] += (double)t->value[j] * (double)t->value[j];
    }
    for (size_t i = 0; i < d; i++)
        f.curve[i] *= share / (double)f.n;
    f.curve[d] = share;
    return f;
}

static void fit_run(struct arena *a, struct fit *f, double strong, double tolerance, double *x) {
    const struct lbfgs_problem p = {
        .n = (f->t->out->vocabulary.n + 1) * f->t->k, .ctx = f, .value = fit_value, .precondition = fit_precondition};
    f->penalty = 1 / (strong * (double)f->n);
    const struct lbfgs_opts o = {.max_iteration = 80, .memory = MEMORY, .tolerance = tolerance};
    lbfgs_minimise(a, &p, &o, x);
}

/* One fold: from the strongest penalty to the weakest, each from where the one before ended. */
static err run_fold(void *ctx, size_t fold, struct arena *scratch) {
    const struct training *t = ctx;
    const size_t k = t->k, d = t->out->vocabulary.n;
    double *x = ARENA_ARRAY(scratch, (d + 1) * k, double), *z = ARENA_ARRAY(scratch, k, double);
    struct fit f = fit_new(scratch, t, (uint32_t)fold);
    if (f.n == 0)
        return OK;
    for (size_t s = 0; s < PENALTIES; s++) {
        fit_run(scratch, &f, strength[s], 2e-5, x);
        for (size_t i = 0; i < t->n; i++) {
            if (t->fold[i] != fold)
                continue;
            const size_t from = t->from[i];
            text_logits(x, x + d * k, k, t->index + from, t->value + from, t->from[i + 1] - from, z);
            for (size_t c = 0; c < k; c++)
                t->z[(s * t->n + i) * k + c] = (float)z[c];
        }
    }
    return OK;
}

/* ---- calibration ---- */

struct mapping {
    const struct training *t;
    const float *z; /* row by label */
    double *p;
};

/* Mean loss of softmax(x[0] z + x[1..]) with a pull towards the map that changes nothing, worth two rows. */
static double map_value(void *ctx, const double *x, double *g) {
    const struct mapping *m = ctx;
    const size_t k = m->t->k, n = m->t->n;
    const double pull = 2 / (double)n;
    double loss = pull * (x[0] - 1) * (x[0] - 1) / 2;
    g[0] = pull * (x[0] - 1);
    for (size_t c = 0; c < k; c++) {
        loss += pull * x[c + 1] * x[c + 1] / 2;
        g[c + 1] = pull * x[c + 1];
    }
    for (size_t i = 0; i < n; i++) {
        const float *z = m->z + i * k;
        for (size_t c = 0; c < k; c++)
            m->p[c] = x[0] * (double)z[c] + x[c + 1];
        text_softmax(m->p, k);
        loss -= log(fmax(m->p[m->t->label[i]], 1e-300)) / (double)n;
        m->p[m->t->label[i]] -= 1;
        for (size_t c = 0; c < k; c++) {
            g[0] += m->p[c] * (double)z[c] / (double)n;
            g[c + 1] += m->p[c] / (double)n;
        }
    }
    return loss;
}

static void map_precondition(void *ctx, double *v) {
    const struct mapping *m = ctx;
    for (size_t c = 0; c <= m->t->k; c++)
        v[c] *= 4;
}

/* Fits the map for one penalty; returns its loss. */
static double fit_map(const struct training *t, const float *z, struct text_calibration *out) {
    double *x = ARENA_ARRAY(t->arena, t->k + 1, double);
    struct mapping m = {t, z, ARENA_ARRAY(t->arena, t->k, double)};
    const struct lbfgs_problem p = {.n = t->k + 1, .ctx = &m, .value = map_value, .precondition = map_precondition};
    const struct lbfgs_opts o = {.max_iteration = 60, .memory = MEMORY, .tolerance = 1e-9};
    x[0] = 1;
    const double loss = lbfgs_minimise(t->arena, &p, &o, x).value;
    out->scale = short_number(fmin(fmax(x[0], 0.01), 1e3));
    out->shift = x + 1;
    for (size_t c = 0; c < t->k; c++)
        out->shift[c] = short_number(x[c + 1]);
    return loss;
}

/* ---- all of it ---- */

static double macro_f1(const size_t *right, const size_t *said, const size_t *real, size_t k) {
    double sum = 0;
    for (size_t c = 0; c < k; c++)
        sum += said[c] + real[c] > 0 ? 2.0 * (double)right[c] / (double)(said[c] + real[c]) : 0;
    return sum / (double)k;
}

static void measure(const struct training *t, const float *z, struct text_train_report *r) {
    const size_t k = t->k;
    size_t *right = ARENA_ARRAY(t->arena, 3 * k, size_t), *said = right + k, *real = said + k, hits = 0, most = 0;
    double *at = ARENA_ARRAY(t->arena, 2 * k, double), *p = at + k, loss = 0;
    for (size_t i = 0; i < t->n; i++) {
        for (size_t c = 0; c < k; c++)
            at[c] = (double)z[i * k + c];
        const size_t best = text_calibrate(&t->out->calibration, at, k, p), label = t->label[i];
        loss -= log(fmax(p[label], 1e-15));
        said[best]++;
        real[label]++;
        right[label] += best == label;
        hits += best == label;
    }
    for (size_t c = 0; c < k; c++)
        most = real[c] > most ? real[c] : most;
    r->accuracy = (double)hits / (double)t->n;
    r->base_accuracy = (double)most / (double)t->n;
    r->log_loss = loss / (double)t->n;
    r->macro_f1 = macro_f1(right, said, real, k);
}

/* The penalty whose calibrated out-of-fold loss is least. */
static size_t choose_penalty(struct training *t) {
    size_t best = 0;
    double least = INFINITY;
    for (size_t s = 0; s < PENALTIES; s++) {
        struct text_calibration c;
        const double loss = fit_map(t, t->z + s * t->n * t->k, &c);
        if (loss < least) {
            least = loss;
            best = s;
            t->out->calibration = c;
        }
    }
    return best;
}

static double fit_all(struct training *t, size_t chosen) {
    const size_t k = t->k, d = t->out->vocabulary.n;
    double *x = ARENA_ARRAY(t->arena, (d + 1) * k, double);
    struct fit f = fit_new(t->arena, t, FOLDS);
    fit_run(t->arena, &f, strength[chosen], 1e-6, x);
    for (size_t i = 0; i < (d + 1) * k; i++)
        x[i] = short_number(x[i]);
    t->out->weight = x;
    t->out->intercept = x + d * k;
    return f.penalty;
}

err text_classifier_train(struct arena *a, const struct text_row *row, size_t n, const struct text_train_opts *o,
                          struct text_classifier **out, struct text_train_report *report) {
    struct training t = {.arena = a, .out = ARENA_NEW(a, struct text_classifier)};
    TRY(choose_rows(&t, row, n));
    TRY(find_labels(&t));
    t.out->senses = speaks_of_sentiment(t.out);
    if (t.out->senses)
        TRY(lexicon_load(a, &t.out->lexicon));
    choose_folds(&t, o->seed);
    build_vocabulary(&t);
    make_rows(&t);
    t.z = ARENA_ARRAY(a, PENALTIES * t.n * t.k, float);
    TRY(parallel_for(FOLDS, o->threads, (size_t)4 << 30, run_fold, &t));
    const size_t chosen = choose_penalty(&t);
    *report =
        (struct text_train_report){.n_row = t.n, .n_left_out = n - t.n, .n_label = t.k, .n_feature = t.out->vocabulary.n};
    report->penalty = fit_all(&t, chosen);
    measure(&t, t.z + chosen * t.n * t.k, report);
    *out = t.out;
    return OK;
}
