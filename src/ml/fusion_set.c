/* fusion_set.c — EM for lists: what sources leave out, what they add, and from whom they have it. */
#include "ml/fusion_set.h"

#include "ml/special.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { ROUND_MAX = 30, SHORT_LIST = 3 };

/* added: of what a source names, relative to what is true. */
static const double found_prior = 0.8, added_prior = 0.1, true_most = 0.5, collision_prior = 0.01, field_strength = 10;
static const double found_strength = 6, added_strength = 8;
static const double copy_items = 10, copy_least = 0.25;

struct sums {
    double *found, *could, *added, *wrong; /* of each source */
    double truth, members, moved;
};

static double clamp(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

static bool names(const struct fusion_set_data *d, size_t c, uint32_t member) {
    for (size_t n = d->name_start[c]; n < d->name_start[c + 1]; n++)
        if (d->named[n] == member)
            return true;
    return false;
}

static bool same_list(const struct fusion_set_data *d, size_t b, size_t c) {
    const size_t n = d->name_start[b + 1] - d->name_start[b];
    bool same = n == d->name_start[c + 1] - d->name_start[c];
    for (size_t k = d->name_start[b]; same && k < d->name_start[b + 1]; k++)
        same = names(d, c, d->named[k]);
    return same;
}

/* Of sources that repeat one another and have the same list, the better one is heard; the other only as far as chance may
 * have given it the same. */
static double weight_of(const struct fusion_set_model *m, const struct fusion_set_data *d, size_t i, size_t c) {
    const size_t from = d->start[i], n = d->start[i + 1] - from;
    const struct fusion_set_source *mine = &m->source[d->source[c]];
    double w = (double)d->share[c];
    for (size_t b = from; m->copy.n > 1 && b < from + n && b < from + FUSION_COPY_CLAIM; b++) {
        const double copied = b == c ? 0 : fusion_copy_share(&m->copy, d->source[b], d->source[c]);
        if (copied <= 0 || !same_list(d, b, c))
            continue;
        const double u = m->source[d->source[b]].found - m->source[d->source[b]].added, v = mine->found - mine->added;
        if (u > v || (u >= v && b < c))
            w *= 1 - copied / (copied + (1 - copied) * m->same_by_chance);
    }
    return w;
}

/* Log-odds of a member that nobody names. */
static double silent(const struct fusion_set_model *m, const struct fusion_set_data *d, size_t i, double *p) {
    double all = log_odds(m->prior);
    for (size_t c = d->start[i]; c < d->start[i + 1]; c++) {
        const struct fusion_set_source *s = &m->source[d->source[c]];
        const double w = (double)d->trust[c] * weight_of(m, d, i, c);
        const double absent = w * log((1 - s->found) / (1 - s->added));
        const double named = w * log(s->found / fmax(s->added, m->collision));
        all += absent;
        for (size_t n = d->name_start[c]; p && n < d->name_start[c + 1]; n++)
            p[d->named[n]] += named - absent;
    }
    return all;
}

void fusion_set_infer(const struct fusion_set_model *m, const struct fusion_set_data *d, size_t i, double *p) {
    const size_t from = d->first[i], k = d->first[i + 1] - from;
    for (size_t v = 0; v < k; v++)
        p[v] = 0;
    const double unnamed = silent(m, d, i, p);
    const double first = log(fmax(m->mean_added, m->collision) / m->mean_added); /* nobody could repeat the first */
    for (size_t v = 0; v < k; v++)
        p[v] = d->verified[from + v] >= 0 ? d->verified[from + v] : sigmoid(p[v] + first + unnamed);
}

double fusion_set_unnamed(const struct fusion_set_model *m, const struct fusion_set_data *d, size_t i) {
    const bool verified = d->first[i + 1] > d->first[i] && d->verified[d->first[i]] >= 0;
    return verified ? 0 : sigmoid(silent(m, d, i, NULL));
}

/* truth, others: how many of all members are true of the item, and how many are not. */
static void add_claim(const struct fusion_set_data *d, size_t c, const double *p, double truth, double others,
                      struct sums *t) {
    const uint32_t s = d->source[c];
    const double w = (double)d->share[c];
    double found = 0, added = 0;
    for (size_t n = d->name_start[c]; n < d->name_start[c + 1]; n++) {
        found += p[d->named[n]];
        added += 1 - p[d->named[n]];
    }
    t->found[s] += w * found;
    t->could[s] += w * truth;
    t->added[s] += w * added;
    t->wrong[s] += w * others;
}

/* ---- who repeats whom ---- */

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* How often pairs of sources have the same list is much alike when all look at the truth for themselves, however good they
 * are; pairs that have it far more often than half of the pairs repeat one another. Short lists are the same by chance. */
static void find_copies(struct arena *a, const struct fusion_set_data *d, struct fusion_set_model *m) {
    struct fusion_copy *copy = &m->copy;
    for (size_t i = 0; i < d->n_item; i++)
        for (size_t b = d->start[i]; b < d->start[i + 1] && b < d->start[i] + FUSION_COPY_CLAIM; b++)
            for (size_t c = d->start[i]; c < b; c++)
                if (d->name_start[b + 1] - d->name_start[b] >= SHORT_LIST &&
                    d->name_start[c + 1] - d->name_start[c] >= SHORT_LIST)
                    fusion_copy_add(copy, d->source[b], d->source[c], 1, same_list(d, b, c));
    double *same = ARENA_ARRAY(a, copy->n * copy->n, double);
    size_t n = 0;
    for (size_t k = 0; k < copy->n * copy->n; k++)
        if ((double)copy->wrong[k] >= copy_items)
            same[n++] = (double)copy->same[k] / (double)copy->wrong[k];
    if (n < 3)
        return;
    qsort(same, n, sizeof *same, by_size);
    m->same_by_chance = same[n / 2];
    fusion_copy_conclude(copy, same[n / 2], copy_items, copy_least);
}

static void update(struct fusion_set_model *m, const struct fusion_set_data *d, struct sums *t) {
    double found = field_strength * m->mean_found, could = field_strength, added = field_strength * m->mean_added,
           wrong = field_strength;
    for (size_t s = 0; s < d->n_source; s++) {
        found += t->found[s];
        could += t->could[s];
        added += t->added[s];
        wrong += t->wrong[s];
    }
    m->prior = fmin(t->truth / t->members, 0.95);
    m->mean_found = found / could;
    m->mean_added = added / wrong;
    const double least = 0.05 * m->mean_added;
    for (size_t s = 0; s < d->n_source; s++) {
        const double a = (t->found[s] + found_strength * m->mean_found) / (t->could[s] + found_strength);
        const double b = (t->added[s] + added_strength * m->mean_added) / (t->wrong[s] + added_strength);
        t->moved = fmax(t->moved, fmax(fabs(a - m->source[s].found), fabs(b - m->source[s].added)));
        m->source[s] = (struct fusion_set_source){clamp(a, 0.02, 0.98), clamp(b, least, 0.9), t->could[s] + t->wrong[s]};
    }
}

static void begin(struct arena *a, const struct fusion_set_data *d, struct fusion_set_model *out) {
    uint32_t *claims = ARENA_ARRAY(a, d->n_source, uint32_t);
    for (size_t c = 0; c < d->start[d->n_item]; c++)
        claims[d->source[c]]++;
    const double lists = fmax(1, (double)d->start[d->n_item]), named = (double)d->name_start[d->start[d->n_item]];
    const double share = fmin(true_most, fmax(named, 1) / lists / (double)d->n_member);
    *out = (struct fusion_set_model){.prior = share,
                                     .mean_found = found_prior,
                                     .collision = collision_prior,
                                     .mean_added = added_prior * share,
                                     .source = ARENA_ARRAY(a, d->n_source, struct fusion_set_source)};
    fusion_copy_init(a, claims, d->n_source, &out->copy);
    find_copies(a, d, out);
    for (size_t s = 0; s < d->n_source; s++)
        out->source[s] = (struct fusion_set_source){found_prior, out->mean_added, 0};
}

static void add_item(struct fusion_set_model *m, const struct fusion_set_data *d, size_t i, double *p, struct sums *t) {
    const size_t k = d->first[i + 1] - d->first[i];
    fusion_set_infer(m, d, i, p);
    double truth = (double)(d->n_member - k) * fusion_set_unnamed(m, d, i);
    for (size_t v = 0; v < k; v++)
        truth += p[v];
    for (size_t c = d->start[i]; c < d->start[i + 1]; c++)
        add_claim(d, c, p, truth, (double)d->n_member - truth, t);
    t->truth += truth;
    t->members += (double)d->n_member;
}

void fusion_set_fit(struct arena *a, const struct fusion_set_data *d, struct fusion_set_model *out) {
    size_t most = 1;
    for (size_t i = 0; i < d->n_item; i++)
        most = d->first[i + 1] - d->first[i] > most ? d->first[i + 1] - d->first[i] : most;
    double *p = ARENA_ARRAY(a, most, double), *room = ARENA_ARRAY(a, 4 * d->n_source, double);
    begin(a, d, out);
    for (; out->rounds < ROUND_MAX; out->rounds++) {
        struct sums t = {room, room + d->n_source, room + 2 * d->n_source, room + 3 * d->n_source, 0, 0, 0};
        memset(room, 0, 4 * d->n_source * sizeof *room);
        for (size_t i = 0; i < d->n_item; i++)
            add_item(out, d, i, p, &t);
        update(out, d, &t);
        if (out->rounds > 8 && t.moved < 1e-3)
            break;
    }
}
