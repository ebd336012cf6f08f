/* fusion_set.c — EM for lists: what sources leave out and what they add. */
#include "ml/fusion_set.h"

#include "ml/special.h"

#include <math.h>

enum { ROUND_MAX = 30 };

static const double found_prior = 0.8, added_prior = 0.08, true_prior = 0.5, field_strength = 10;
static const double found_strength = 6, added_strength = 8;

struct sums {
    double *found, *could, *added, *wrong; /* of each source */
    double truth, members, moved;
};

static double clamp(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

void fusion_set_infer(const struct fusion_set_model *m, const struct fusion_set_data *d, size_t i, double *p) {
    const size_t from = d->first[i], k = d->first[i + 1] - from;
    double silent = log_odds(m->prior);
    for (size_t v = 0; v < k; v++)
        p[v] = 0;
    for (size_t c = d->start[i]; c < d->start[i + 1]; c++) {
        const struct fusion_set_source *s = &m->source[d->source[c]];
        const double w = (double)d->trust[c] * (double)d->share[c];
        const double absent = w * log((1 - s->found) / (1 - s->added)), named = w * log(s->found / s->added);
        silent += absent;
        for (size_t n = d->name_start[c]; n < d->name_start[c + 1]; n++)
            p[d->named[n]] += named - absent;
    }
    for (size_t v = 0; v < k; v++)
        p[v] = d->verified[from + v] >= 0 ? d->verified[from + v] : sigmoid(p[v] + silent);
}

static void add_claim(const struct fusion_set_data *d, size_t c, const double *p, double truth, size_t k, struct sums *t) {
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
    t->wrong[s] += w * ((double)k - truth);
}

static void update(struct fusion_set_model *m, const struct fusion_set_data *d, struct sums *t) {
    double found = field_strength * found_prior, could = field_strength, added = field_strength * added_prior,
           wrong = field_strength;
    for (size_t s = 0; s < d->n_source; s++) {
        found += t->found[s];
        could += t->could[s];
        added += t->added[s];
        wrong += t->wrong[s];
    }
    m->prior = clamp((t->truth + field_strength * true_prior) / (t->members + field_strength), 0.05, 0.95);
    m->mean_found = found / could;
    m->mean_added = added / wrong;
    for (size_t s = 0; s < d->n_source; s++) {
        const double a = (t->found[s] + found_strength * m->mean_found) / (t->could[s] + found_strength);
        const double b = (t->added[s] + added_strength * m->mean_added) / (t->wrong[s] + added_strength);
        t->moved = fmax(t->moved, fmax(fabs(a - m->source[s].found), fabs(b - m->source[s].added)));
        m->source[s] = (struct fusion_set_source){clamp(a, 0.02, 0.98), clamp(b, 0.005, 0.9), t->could[s] + t->wrong[s]};
    }
}

void fusion_set_fit(struct arena *a, const struct fusion_set_data *d, struct fusion_set_model *out) {
    size_t most = 1;
    for (size_t i = 0; i < d->n_item; i++)
        most = d->first[i + 1] - d->first[i] > most ? d->first[i + 1] - d->first[i] : most;
    double *p = ARENA_ARRAY(a, most, double), *room = ARENA_ARRAY(a, 4 * d->n_source, double);
    *out = (struct fusion_set_model){.prior = true_prior,
                                     .mean_found = found_prior,
                                     .mean_added = added_prior,
                                     .source = ARENA_ARRAY(a, d->n_source, struct fusion_set_source)};
    for (size_t s = 0; s < d->n_source; s++)
        out->source[s] = (struct fusion_set_source){found_prior, added_prior, 0};
    for (; out->rounds < ROUND_MAX; out->rounds++) {
        struct sums t = {room, room + d->n_source, room + 2 * d->n_source, room + 3 * d->n_source, 0, 0, 0};
        memset(room, 0, 4 * d->n_source * sizeof *room);
        for (size_t i = 0; i < d->n_item; i++) {
            const size_t k = d->first[i + 1] - d->first[i];
            double truth = 0;
            fusion_set_infer(out, d, i, p);
            for (size_t v = 0; v < k; v++)
                truth += p[v];
            for (size_t c = d->start[i]; c < d->start[i + 1]; c++)
                add_claim(d, c, p, truth, k, &t);
            t.truth += truth;
            t.members += (double)k;
        }
        update(out, d, &t);
        if (out->rounds > 8 && t.moved < 1e-3)
            break;
    }
}
