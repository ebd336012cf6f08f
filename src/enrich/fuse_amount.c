/* fuse_amount.c — fields of quantities: on the logarithmic scale where the values are positive and spread over sizes. */
#include "enrich/fuse_priv.h"

#include "base/number.h"
#include "base/quantity.h"
#include "ml/fusion_number.h"

#include <math.h>
#include <stdlib.h>

static const double near_share = 0.1; /* within 10 % counts as the same amount */

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static bool read_amount(const struct field_view *v, const struct observation *o, double *out) {
    return quantity_read_number(v->values->text[o->value], 0, out) && isfinite(*out);
}

/* Quantities and, of the positive ones, whether they differ by factors: the upper tenth is over twice the lower. */
static bool is_log(double *y, size_t n) {
    if (n == 0)
        return false;
    qsort(y, n, sizeof *y, ascending);
    return y[0] > 0 && y[n - 1 - n / 10] > 2 * y[n / 10];
}

static str amount_text(struct arena *a, double x, bool whole) {
    char room[NUMBER_TEXT_BYTE];
    if (whole)
        x = rint(x);
    else if (x != 0) {
        const double unit = pow(10, floor(log10(fabs(x))) - 5);
        x = rint(x / unit) * unit;
        return str_format(a, "%.6g", x);
    }
    return str_copy(a, (str){room, number_format(x, room)});
}

struct amounts {
    struct field_claims c;
    double *y, *verified, *of; /* of: of each observation, as read; NaN when it is none */
    bool log, whole;
};

/* Drops what is no quantity. */
static void read_amounts(const struct field_view *v, struct amounts *q) {
    struct arena *a = v->arena;
    double *all = ARENA_ARRAY(a, v->n, double);
    size_t n = 0;
    q->of = ARENA_ARRAY(a, v->n, double);
    q->whole = true;
    for (size_t k = 0; k < v->n; k++) {
        q->of[k] = NAN;
        if (v->o[k].dropped || !read_amount(v, &v->o[k], &q->of[k])) {
            v->o[k].dropped = true;
            continue;
        }
        all[n++] = q->of[k];
        q->whole &= q->of[k] == rint(q->of[k]);
    }
    q->log = is_log(all, n);
    field_claims_new(v, a, &q->c);
    q->y = ARENA_ARRAY(a, q->c.n, double);
    for (size_t k = 0; k < q->c.n; k++)
        q->y[k] = q->log ? log(q->of[q->c.at[k]]) : q->of[q->c.at[k]];
    q->verified = ARENA_ARRAY(a, v->n_item, double);
    for (size_t i = 0; i < v->n_item; i++) {
        q->verified[i] = NAN;
        for (size_t k = v->start[i]; k < v->start[i + 1]; k++)
            if (v->o[k].anchor && !v->o[k].dropped)
                q->verified[i] = q->log ? log(q->of[k]) : q->of[k];
    }
}

/* How exact a source can be at most: rounding leaves no less. */
static double least_spread(const struct amounts *q, struct arena *a) {
    if (q->log)
        return 0.003;
    double *size = ARENA_ARRAY(a, q->c.n, double);
    for (size_t k = 0; k < q->c.n; k++)
        size[k] = fabs(q->y[k]);
    qsort(size, q->c.n, sizeof *size, ascending);
    const double typical = q->c.n > 0 ? size[q->c.n / 2] : 1;
    return typical > 0 ? 1e-3 * typical : 1e-6;
}

static void write_fact(const struct field_view *v, const struct amounts *q, size_t i, const struct fusion_number_fact *f,
                       struct fuse_fact *fact) {
    const double x = q->log ? exp(f->median) : f->median;
    *fact = (struct fuse_fact){.object = v->objects->text[v->o[v->start[i]].object],
                               .attribute = v->attribute,
                               .value = amount_text(v->arena, x, q->whole),
                               .type = v->type,
                               .confidence = f->near,
                               .low = q->log ? exp(f->low) : f->low,
                               .high = q->log ? exp(f->high) : f->high,
                               .verified = isfinite(q->verified[i])};
    for (size_t k = v->start[i]; k < v->start[i + 1]; k++) {
        const double y = q->of[k];
        v->o[k].supports = !v->o[k].dropped && ((y >= fact->low && y <= fact->high) || fabs(y - x) <= near_share * fabs(x));
    }
    field_list_sources(v, i, fact);
    fact->contested = fact->n_against > 0 && (fact->n_against >= fact->n_for || fact->confidence < 0.5);
}

static void nothing_read(const struct field_view *v, size_t i, struct fuse_fact *fact) {
    *fact = (struct fuse_fact){.object = v->objects->text[v->o[v->start[i]].object],
                               .attribute = v->attribute,
                               .type = v->type,
                               .low = NAN,
                               .high = NAN};
    field_list_sources(v, i, fact);
}

void field_fuse_amount(const struct field_view *v, struct fuse_fact *fact, struct fuse_field *field,
                       struct fuse_source_worth *worth) {
    struct amounts q;
    struct fusion_number_model m;
    read_amounts(v, &q);
    const struct fusion_number_data d = {.n_item = v->n_item,
                                         .n_source = v->sources->n,
                                         .start = q.c.start,
                                         .source = q.c.source,
                                         .y = q.y,
                                         .age_year = q.c.age_year,
                                         .trust = q.c.trust,
                                         .share = q.c.share,
                                         .verified = q.verified,
                                         .spread_least = least_spread(&q, v->arena)};
    fusion_number_fit(v->arena, &d, &m);
    field->rounds = m.rounds;
    field->log = q.log;
    for (size_t s = 0; s < v->sources->n; s++)
        worth[s] = (struct fuse_source_worth){worth[s].source,  worth[s].attribute,         m.source[s].evidence, NAN,  NAN,
                                              m.source[s].bias, sqrt(m.source[s].variance), m.source[s].gross,    q.log};
    for (size_t i = 0; i < v->n_item; i++) {
        struct fusion_number_fact f;
        if (q.c.start[i] == q.c.start[i + 1] && !isfinite(q.verified[i])) {
            nothing_read(v, i, &fact[i]);
            continue;
        }
        const double middle = q.log ? 0 : fabs(q.y[q.c.start[i] < q.c.n ? q.c.start[i] : 0]);
        fusion_number_infer(&m, &d, i, q.log ? log1p(near_share) : near_share * middle, &f);
        write_fact(v, &q, i, &f, &fact[i]);
    }
}
