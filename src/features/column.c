/* column.c — counting distinct cells, spellings and numbers of a column. */
#include "features/column_priv.h"

#include "base/quantity.h"
#include "base/time.h"

#include <math.h>
#include <stdlib.h>

struct counter {
    struct arena *a;
    struct distinct *value;
    size_t n, cap;
    uint32_t *slot; /* index + 1, 0 when free */
    uint64_t *hash; /* of value */
    size_t n_slot, hash_cap;
};

static struct counter counter_new(struct arena *a) {
    enum { START = 256 };
    struct counter c = {.a = a, .n_slot = START, .slot = ARENA_ARRAY(a, START, uint32_t)};
    c.value = arena_grow(a, NULL, &c.cap, START / 2, sizeof *c.value);
    c.hash = arena_grow(a, NULL, &c.hash_cap, START / 2, sizeof *c.hash);
    return c;
}

static void rehash(struct counter *c) {
    c->n_slot *= 4;
    c->slot = ARENA_ARRAY(c->a, c->n_slot, uint32_t);
    for (size_t i = 0; i < c->n; i++) {
        size_t at = c->hash[i] & (c->n_slot - 1);
        while (c->slot[at])
            at = (at + 1) & (c->n_slot - 1);
        c->slot[at] = (uint32_t)i + 1;
    }
}

static uint32_t count_one(struct counter *c, str text) {
    if (c->n * 2 >= c->n_slot)
        rehash(c);
    uint64_t h = str_hash(text);
    size_t at = h & (c->n_slot - 1);
    for (; c->slot[at]; at = (at + 1) & (c->n_slot - 1)) {
        uint32_t i = c->slot[at] - 1;
        if (c->hash[i] == h && str_equal(c->value[i].text, text))
            return i;
    }
    if (c->n == c->cap) {
        c->value = arena_grow(c->a, c->value, &c->cap, c->n + 1, sizeof *c->value);
        c->hash = arena_grow(c->a, c->hash, &c->hash_cap, c->n + 1, sizeof *c->hash);
    }
    c->value[c->n] = (struct distinct){.text = text};
    c->hash[c->n] = h;
    c->slot[at] = (uint32_t)c->n + 1;
    return (uint32_t)c->n++;
}

struct ranked {
    str text;
    uint32_t old;
};

static int by_text(const void *x, const void *y) {
    const struct ranked *a = x, *b = y;
    return str_compare(a->text, b->text);
}

void column_count(struct arena *a, const str *cell, const uint32_t *rows, size_t n, const double *y, struct column *out) {
    struct counter c = counter_new(a);
    uint32_t *value_of = ARENA_ARRAY(a, n, uint32_t);
    for (size_t i = 0; i < n; i++) {
        uint32_t v = count_one(&c, str_trim(cell[rows[i]]));
        value_of[i] = v;
        c.value[v].n++;
        c.value[v].positive += y ? y[i] : 0;
    }
    struct ranked *order = ARENA_ARRAY(a, c.n, struct ranked);
    for (size_t i = 0; i < c.n; i++)
        order[i] = (struct ranked){c.value[i].text, (uint32_t)i};
    qsort(order, c.n, sizeof *order, by_text);
    struct distinct *sorted = ARENA_ARRAY(a, c.n, struct distinct);
    uint32_t *new_of = ARENA_ARRAY(a, c.n, uint32_t);
    for (size_t i = 0; i < c.n; i++) {
        sorted[i] = c.value[order[i].old];
        new_of[order[i].old] = (uint32_t)i;
    }
    for (size_t i = 0; i < n; i++)
        value_of[i] = new_of[value_of[i]];
    *out = (struct column){.n_row = n, .value = sorted, .n_value = c.n, .value_of = value_of};
}

void column_fold(struct arena *a, const struct column *c, struct spellings *out) {
    struct ranked *order = ARENA_ARRAY(a, c->n_value, struct ranked);
    for (size_t i = 0; i < c->n_value; i++) {
        str text = c->value[i].text;
        char *room = arena_alloc(a, text.len + 1);
        order[i] = (struct ranked){str_fold(text, room, text.len + 1), (uint32_t)i};
    }
    qsort(order, c->n_value, sizeof *order, by_text);
    *out = (struct spellings){.group_of = ARENA_ARRAY(a, c->n_value, uint32_t),
                              .best = ARENA_ARRAY(a, c->n_value, uint32_t),
                              .n = ARENA_ARRAY(a, c->n_value, uint32_t)};
    for (size_t i = 0; i < c->n_value; i++) {
        uint32_t v = order[i].old;
        if (i == 0 || !str_equal(order[i].text, order[i - 1].text))
            out->best[out->n_group++] = v;
        size_t g = out->n_group - 1;
        const struct distinct *now = &c->value[v], *best = &c->value[out->best[g]];
        if (now->n > best->n || (now->n == best->n && str_compare(now->text, best->text) < 0))
            out->best[g] = v;
        out->group_of[v] = (uint32_t)g;
        out->n[g] += now->n;
    }
}

static double weight_of(const struct tally *t, int which) {
    return which == 0 ? t->n : which > 0 ? t->positive : t->n - t->positive;
}

/* which: 0 every row, 1 the positive ones, -1 the rest */
static double quantile_of(const struct tally *t, size_t n, double p, int which) {
    double total = 0, before = 0;
    for (size_t i = 0; i < n; i++)
        total += weight_of(&t[i], which);
    if (total <= 0)
        return (double)NAN;
    double at = p * (total - 1), below = floor(at), part = at - below;
    for (size_t i = 0; i < n; i++) {
        double w = weight_of(&t[i], which);
        if (w <= 0 || before + w <= below) {
            before += w;
            continue;
        }
        if (part <= 0 || before + w > below + 1)
            return t[i].value;
        for (size_t j = i + 1; j < n; j++)
            if (weight_of(&t[j], which) > 0)
                return t[i].value + part * (t[j].value - t[i].value);
        return t[i].value;
    }
    return t[n - 1].value;
}

double tally_quantile(const struct tally *t, size_t n, double p) { return quantile_of(t, n, p, 0); }

double tally_quantile_of(const struct tally *t, size_t n, double p, bool positive) {
    return quantile_of(t, n, p, positive ? 1 : -1);
}

static int by_value(const void *x, const void *y) {
    const struct tally *a = x, *b = y;
    return (a->value > b->value) - (a->value < b->value);
}

bool column_read(str text, const struct field *f, double *out) {
    if (f->type == FIELD_DATE) {
        struct moment m;
        if (time_read(text, f->date_order, &m) != TIME_GOOD)
            return false;
        *out = (double)(m.ms - f->reference_ms) / (double)TIME_DAY_MS;
        return true;
    }
    double x;
    if (!quantity_read_number(text, f->decimal, &x) || x < f->minimum)
        return false;
    *out = x;
    return true;
}

struct tally *column_tally(struct arena *a, const struct column *c, const struct field *f, const unsigned char *skip,
                           size_t *n, size_t *invalid, str *example) {
    struct tally *t = ARENA_ARRAY(a, c->n_value, struct tally);
    size_t k = 0, m = 0;
    *invalid = 0;
    for (size_t v = 0; v < c->n_value; v++) {
        const struct distinct *d = &c->value[v];
        double value;
        if (skip[v])
            continue;
        if (column_read(d->text, f, &value)) {
            t[k++] = (struct tally){value, d->n, d->positive};
        } else {
            if (*invalid == 0)
                *example = d->text;
            *invalid += d->n;
        }
    }
    qsort(t, k, sizeof *t, by_value);
    for (size_t i = 0; i < k; i++) {
        if (m > 0 && t[m - 1].value >= t[i].value) {
            t[m - 1].n += t[i].n;
            t[m - 1].positive += t[i].positive;
        } else {
            t[m++] = t[i];
        }
    }
    *n = m;
    return t;
}

/* The mass of a bin when the numbers that are bins by themselves (such as a spike at 0) are set aside. */
static double bin_mass(const struct tally *t, size_t n, size_t n_bin, double least) {
    double total = 0;
    for (size_t i = 0; i < n; i++)
        total += t[i].n;
    double target = fmax(total / (double)n_bin, least);
    for (int pass = 0; pass < 4; pass++) {
        double rest = 0;
        size_t heavy = 0;
        for (size_t i = 0; i < n; i++) {
            heavy += t[i].n >= target;
            rest += t[i].n >= target ? 0 : t[i].n;
        }
        if (heavy >= n_bin)
            break;
        target = fmin(target, fmax(fmax(rest / (double)(n_bin - heavy), least), total / (4 * (double)n_bin)));
    }
    return target;
}

size_t tally_edges(const struct tally *t, size_t n, size_t n_bin, double least, double *edges) {
    double target = bin_mass(t, n, n_bin, least), mass = 0;
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        bool heavy = t[i].n >= target, full = mass >= target * 0.999 || mass + t[i].n / 2 > target;
        if (i > 0 && mass >= least && (full || heavy) && k + 1 < n_bin) {
            edges[k++] = t[i].value;
            mass = 0;
        }
        mass += t[i].n;
    }
    if (k > 0 && mass < fmax(least, target / 3)) /* too little is left for a last bin */
        k--;
    return k;
}
