/* fusion_category.c — EM over sources' accuracies, mistakes that collide, the age of claims and copying. */
#include "ml/fusion_category.h"

#include <math.h>

enum { ROUND_MAX = 24, COPY_EVERY = 4, AGE_BIN = 24 };

static const double prior_mean = 0.75, field_strength = 8, source_strength = 6;
static const double accuracy_least = 0.02, accuracy_most = 0.985;
static const double collision_mean = 0.1, collision_strength = 4;
static const double class_strength = 4; /* pseudo-observations of each class */
static const double near_share = 0.3;   /* how often the truth is put another way */
static const double copy_strength = 4, copy_least = 0.15;

/* What one round adds up. */
struct sums {
    double *right, *heard;   /* of each source */
    double *seen, *mistaken; /* of each class */
    double *ahead, *known;   /* of each family */
    double pairs, collisions, moved;
    double right_of_age[AGE_BIN], heard_of_age[AGE_BIN];
    double all_right, all_heard;
};

static double clamp(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

/* ---- one item ---- */

static double chance_right(const struct fusion_category_model *m, const struct fusion_category_data *d, size_t c) {
    const double a = m->accuracy[d->source[c]], guess = 1 / (m->n_false + 1);
    const double f = (double)d->trust[c] * exp(-m->loss_per_year * (double)d->age_year[c]);
    return a <= guess ? a : guess + (a - guess) * f;
}

/* A claim that repeats others counts for what it may say by itself. */
static void weigh_claims(const struct fusion_category_model *m, const struct fusion_category_data *d, size_t i,
                         float *weight) {
    const size_t from = d->start[i], n = d->start[i + 1] - from;
    for (size_t j = 0; j < n; j++) {
        const size_t c = from + j;
        double w = (double)d->share[c];
        for (size_t k = 0; k < n && k < FUSION_COPY_CLAIM; k++) {
            const size_t b = from + k;
            if (k == j || d->value[b] != d->value[c])
                continue;
            const double u = m->accuracy[d->source[b]], v = m->accuracy[d->source[c]];
            if (u > v || (u >= v && k < j))
                w *= 1 - fusion_copy_share(&m->copy, d->source[b], d->source[c]);
        }
        weight[j] = (float)w;
    }
}

static double prior_of(const struct fusion_category_model *m, const struct fusion_category_data *d, size_t candidate) {
    return d->n_class > 0 ? m->class_share[d->class_of[candidate]] : 1 / (m->n_false + 1);
}

static void normalise(double *p, size_t n) {
    double top = p[0], sum = 0;
    for (size_t v = 1; v < n; v++)
        top = p[v] > top ? p[v] : top;
    for (size_t v = 0; v < n; v++)
        sum += p[v] = exp(p[v] - top);
    for (size_t v = 0; v < n; v++)
        p[v] /= sum;
}

/* What a claim says for the candidates that it nearly is: its source may have put the truth another way. */
static void add_near(const struct fusion_category_data *d, size_t candidate, double w, double odds, double *p) {
    for (size_t k = d->near_start[candidate]; k < d->near_start[candidate + 1]; k++)
        p[d->near[k]] += w * log1p(near_share * odds);
}

void fusion_category_infer(const struct fusion_category_model *m, const struct fusion_category_data *d, size_t i,
                           float *weight, double *p) {
    const size_t k = d->first[i + 1] - d->first[i];
    if (d->verified[i] != FUSION_NONE) {
        for (size_t v = 0; v <= k; v++)
            p[v] = v == d->verified[i] ? 1 : 0;
        return;
    }
    double left = 1;
    for (size_t v = 0; v < k; v++) {
        const double prior = prior_of(m, d, d->first[i] + v);
        p[v] = log(prior);
        left -= prior;
    }
    p[k] = log(left > 1e-9 ? left : 1e-9);
    weigh_claims(m, d, i, weight);
    for (size_t c = d->start[i]; c < d->start[i + 1]; c++) {
        const double r = chance_right(m, d, c);
        const double q = d->n_class > 0 ? m->mistake_share[d->class_of[d->first[i] + d->value[c]]] : 1 / m->n_false;
        const double w = (double)weight[c - d->start[i]];
        p[d->value[c]] += w * log(r / ((1 - r) * q));
        if (d->near_start)
            add_near(d, d->first[i] + d->value[c], w, r / ((1 - r) * q), p);
    }
    normalise(p, k + 1);
}

/* ---- a round ---- */

static size_t age_bin(double year) { return (size_t)clamp(4 * log2(1 + 4 * year), 0, AGE_BIN - 1); }

static double right_or_near(const struct fusion_category_data *d, size_t i, size_t c, const double *p) {
    double right = p[d->value[c]];
    const size_t k = d->first[i] + d->value[c];
    for (size_t n = d->near_start ? d->near_start[k] : 0; d->near_start && n < d->near_start[k + 1]; n++)
        right += p[d->near[n]];
    return fmin(1, right);
}

static void add_claim(const struct fusion_category_model *m, const struct fusion_category_data *d, size_t i, size_t c,
                      const double *p, struct sums *t) {
    const uint32_t s = d->source[c];
    const double share = (double)d->share[c], right = share * right_or_near(d, i, c, p);
    const double f = share * (double)d->trust[c] * exp(-m->loss_per_year * (double)d->age_year[c]);
    const size_t b = age_bin((double)d->age_year[c]);
    t->right[s] += right;
    t->heard[s] += f > right ? f : right;
    t->all_right += right;
    t->all_heard += f > right ? f : right;
    t->right_of_age[b] += right;
    t->heard_of_age[b] += share * m->accuracy[s];
    if (d->n_class > 0)
        t->mistaken[d->class_of[d->first[i] + d->value[c]]] += share - right;
}

/* How often two mistakes on one item are the same: expected over what is true. */
static void add_collisions(const struct fusion_category_data *d, size_t i, const float *weight, const double *p,
                           double *by_value, struct sums *t) {
    const size_t k = d->first[i + 1] - d->first[i], n = d->start[i + 1] - d->start[i];
    double total = 0, squares = 0, same = 0;
    for (size_t v = 0; v <= k; v++)
        by_value[v] = 0;
    for (size_t j = 0; j < n; j++) {
        const double w = (double)weight[j];
        by_value[d->value[d->start[i] + j]] += w;
        total += w;
        squares += w * w;
    }
    if (n < 2)
        return;
    for (size_t v = 0; v < k; v++)
        same += by_value[v] * by_value[v];
    for (size_t v = 0; v <= k; v++) {
        const double wrong = total - by_value[v];
        const double own = squares * (total > 0 ? wrong / total : 0);
        t->pairs += p[v] * fmax(0, wrong * wrong - own) / 2;
        t->collisions += p[v] * fmax(0, same - by_value[v] * by_value[v] - own) / 2;
    }
}

static void add_copies(struct fusion_category_model *m, const struct fusion_category_data *d, size_t i, const double *p) {
    const size_t from = d->start[i], n = d->start[i + 1] - from;
    for (size_t j = 0; j < n && j < FUSION_COPY_CLAIM; j++)
        for (size_t k = 0; k < j; k++) {
            const uint32_t v = d->value[from + j], w = d->value[from + k];
            const double wrong = fmax(0, v == w ? 1 - p[v] : 1 - p[v] - p[w]);
            const double share = (double)d->share[from + j] * (double)d->share[from + k];
            fusion_copy_add(&m->copy, d->source[from + j], d->source[from + k], share * wrong, v == w ? share * wrong : 0);
        }
}

static double base_accuracy(const struct fusion_category_model *m, const struct fusion_category_data *d, size_t s) {
    return d->prior_accuracy ? d->prior_accuracy[s] : m->mean_accuracy;
}

static void update_sources(struct fusion_category_model *m, const struct fusion_category_data *d, struct sums *t) {
    m->mean_accuracy = (t->all_right + field_strength * prior_mean) / (t->all_heard + field_strength);
    for (size_t f = 0; f < d->n_family; f++)
        t->ahead[f] = t->known[f] = 0;
    for (size_t s = 0; s < d->n_source && d->family; s++) {
        t->ahead[d->family[s]] += t->right[s] - t->heard[s] * base_accuracy(m, d, s);
        t->known[d->family[s]] += t->heard[s];
    }
    for (size_t s = 0; s < d->n_source; s++) {
        double prior = base_accuracy(m, d, s);
        if (d->family && t->known[d->family[s]] > t->heard[s])
            prior = clamp(prior + t->ahead[d->family[s]] / (t->known[d->family[s]] + field_strength), 0.03, 0.98);
        const double a = (t->right[s] + source_strength * prior) / (t->heard[s] + source_strength);
        t->moved = fmax(t->moved, fabs(a - m->accuracy[s]));
        m->accuracy[s] = clamp(a, accuracy_least, accuracy_most);
        m->evidence[s] = t->heard[s];
    }
}

/* Least squares of -log(share right / accuracy) on age through the origin. */
static void update_age(struct fusion_category_model *m, const struct sums *t) {
    double up = 0, down = 2;
    for (size_t b = 1; b < AGE_BIN; b++) {
        if (t->heard_of_age[b] < 1)
            continue;
        const double year = (exp2(((double)b + 0.5) / 4) - 1) / 4;
        const double kept = clamp(t->right_of_age[b] / t->heard_of_age[b], 0.05, 1.5);
        up -= t->heard_of_age[b] * year * log(kept);
        down += t->heard_of_age[b] * year * year;
    }
    m->loss_per_year = clamp(m->loss_per_year + 0.5 * (up / down - m->loss_per_year), 0, 2);
}

static void update_classes(struct fusion_category_model *m, const struct fusion_category_data *d, const struct sums *t) {
    double seen = 0, mistaken = 0;
    for (size_t k = 0; k < d->n_class; k++) {
        seen += t->seen[k];
        mistaken += t->mistaken[k];
    }
    const double n = (double)d->n_class;
    for (size_t k = 0; k < d->n_class; k++) {
        m->class_share[k] = (t->seen[k] + class_strength) / (seen + class_strength * n);
        m->mistake_share[k] = (t->mistaken[k] + class_strength) / (mistaken + class_strength * n);
    }
}

static void clear(struct sums *t, const struct fusion_category_data *d) {
    struct sums empty = {.right = t->right,
                         .heard = t->heard,
                         .seen = t->seen,
                         .mistaken = t->mistaken,
                         .ahead = t->ahead,
                         .known = t->known};
    memset(t->right, 0, d->n_source * sizeof *t->right);
    memset(t->heard, 0, d->n_source * sizeof *t->heard);
    if (d->n_class > 0) {
        memset(t->seen, 0, d->n_class * sizeof *t->seen);
        memset(t->mistaken, 0, d->n_class * sizeof *t->mistaken);
    }
    *t = empty;
}

/* Room for one item. */
struct room {
    float *weight;
    double *p, *by_value;
};

static void run_round(struct fusion_category_model *m, const struct fusion_category_data *d, const struct room *room,
                      bool copies, size_t step, struct sums *t) {
    clear(t, d);
    if (copies)
        fusion_copy_clear(&m->copy);
    for (size_t i = 0; i < d->n_item; i += step) {
        fusion_category_infer(m, d, i, room->weight, room->p);
        if (d->verified[i] != FUSION_NONE)
            weigh_claims(m, d, i, room->weight);
        /* A claim that stands alone says nothing of its source. */
        const bool compared = d->start[i + 1] - d->start[i] > 1 || d->verified[i] != FUSION_NONE;
        for (size_t c = d->start[i]; compared && c < d->start[i + 1]; c++)
            add_claim(m, d, i, c, room->p, t);
        add_collisions(d, i, room->weight, room->p, room->by_value, t);
        if (d->n_class > 0)
            for (size_t v = d->first[i]; v < d->first[i + 1]; v++)
                t->seen[d->class_of[v]] += room->p[v - d->first[i]];
        if (copies)
            add_copies(m, d, i, room->p);
    }
    update_sources(m, d, t);
    update_age(m, t);
    update_classes(m, d, t);
    const double rate = (t->collisions + collision_strength * collision_mean) / (t->pairs + collision_strength);
    m->n_false = clamp(1 / rate, 1.5, 1000);
    if (copies)
        fusion_copy_conclude(&m->copy, fmin(rate, 0.25), copy_strength, copy_least);
}

static void begin(struct arena *a, const struct fusion_category_data *d, struct fusion_category_model *m) {
    uint32_t *claims = ARENA_ARRAY(a, d->n_source, uint32_t);
    for (size_t c = 0; c < d->start[d->n_item]; c++)
        claims[d->source[c]]++;
    *m = (struct fusion_category_model){.mean_accuracy = prior_mean,
                                        .n_false = d->n_class > 1 ? (double)d->n_class - 1 : 1 / collision_mean,
                                        .accuracy = ARENA_ARRAY(a, d->n_source, double),
                                        .evidence = ARENA_ARRAY(a, d->n_source, double)};
    fusion_copy_init(a, claims, d->n_source, &m->copy);
    for (size_t s = 0; s < d->n_source; s++)
        m->accuracy[s] = d->prior_accuracy ? clamp(d->prior_accuracy[s], accuracy_least, accuracy_most) : prior_mean;
    if (d->n_class == 0)
        return;
    m->class_share = ARENA_ARRAY(a, d->n_class, double);
    m->mistake_share = ARENA_ARRAY(a, d->n_class, double);
    for (size_t k = 0; k < d->n_class; k++)
        m->class_share[k] = m->mistake_share[k] = 1 / (double)d->n_class;
}

static struct room room_new(struct arena *a, const struct fusion_category_data *d) {
    size_t claims = 1, values = 1;
    for (size_t i = 0; i < d->n_item; i++) {
        const size_t n = d->start[i + 1] - d->start[i], k = d->first[i + 1] - d->first[i];
        claims = n > claims ? n : claims;
        values = k > values ? k : values;
    }
    return (struct room){ARENA_ARRAY(a, claims, float), ARENA_ARRAY(a, values + 1, double),
                         ARENA_ARRAY(a, values + 1, double)};
}

void fusion_category_fit(struct arena *a, const struct fusion_category_data *d, struct fusion_category_model *out) {
    begin(a, d, out);
    struct sums t = {.right = ARENA_ARRAY(a, d->n_source, double),
                     .heard = ARENA_ARRAY(a, d->n_source, double),
                     .seen = ARENA_ARRAY(a, d->n_class, double),
                     .mistaken = ARENA_ARRAY(a, d->n_class, double),
                     .ahead = ARENA_ARRAY(a, d->n_family, double),
                     .known = ARENA_ARRAY(a, d->n_family, double)};
    const struct room room = room_new(a, d);
    const size_t step = d->start[d->n_item] / FUSION_SAMPLE + 1;
    while (out->rounds < ROUND_MAX) {
        const bool copies = out->rounds < 12 && out->rounds % COPY_EVERY == 0;
        run_round(out, d, &room, copies, step, &t);
        out->rounds++;
        if (out->rounds > 10 && !copies && t.moved < 1e-3)
            break;
    }
    if (step > 1) {
        run_round(out, d, &room, false, 1, &t);
        out->rounds++;
    }
}
