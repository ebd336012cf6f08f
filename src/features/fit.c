/* fit.c — levels, bin edges, scales and rates of a field. */
#include "features/fit_priv.h"

#include "base/time.h"
#include "features/lexicon.h"

#include <math.h>
#include <stdlib.h>

/* Rates are shrunk as if so many average rows had been seen before. */
static const double prior_rows = 10;

/* Share of the rows clipped at each end. */
static const double winsor = 0.001;

double fit_shrunk_rate(double positive, double n, double base) { return (positive + prior_rows * base) / (n + prior_rows); }

static bool same_spelling(str x, str y) {
    char room_x[256], room_y[256];
    return str_equal(str_fold(x, room_x, sizeof room_x), str_fold(y, room_y, sizeof room_y));
}

/* Index of the missing token a text is, or -1. */
static ptrdiff_t token_of(const struct field *f, str text) {
    for (size_t i = 0; i < f->n_missing; i++)
        if (same_spelling(text, f->missing[i]))
            return (ptrdiff_t)i;
    return -1;
}

void fit_mark_missing(const struct column *c, const struct field *f, unsigned char *missing) {
    for (size_t v = 0; v < c->n_value; v++)
        missing[v] = c->value[v].text.len == 0 || token_of(f, c->value[v].text) >= 0;
}

/* ---- missing tokens ---- */

/* Gives tokens frequent enough their own column, when there is another frequent way to be missing: they come first. */
static void order_tokens(struct arena *a, const struct column *c, const struct fit_opts_field *o, struct field *f) {
    size_t n = f->n_missing;
    double *rows = ARENA_ARRAY(a, n, double), all = 0;
    str *ordered = ARENA_ARRAY(a, n, str);
    for (size_t v = 0; v < c->n_value; v++) {
        ptrdiff_t t = token_of(f, c->value[v].text);
        if (t >= 0)
            rows[t] += c->value[v].n;
        all += t >= 0 || c->value[v].text.len == 0 ? c->value[v].n : 0;
    }
    size_t own = 0, k;
    for (size_t i = 0; i < n; i++)
        if (rows[i] >= o->rare && all - rows[i] >= o->rare)
            ordered[own++] = f->missing[i];
    k = own;
    for (size_t i = 0; i < n; i++)
        if (!(rows[i] >= o->rare && all - rows[i] >= o->rare))
            ordered[k++] = f->missing[i];
    f->missing = ordered;
    f->n_missing_own = own;
    f->missing_seen = all > 0;
}

/* The slot of level_rate a missing cell counts in. */
static size_t missing_slot(const struct field *f, str text) {
    ptrdiff_t t = token_of(f, text);
    return f->n_level + (t >= 0 && (size_t)t < f->n_missing_own ? 2 + (size_t)t : 1);
}

/* ---- levels ---- */

struct candidate {
    str text;
    uint32_t group;
    uint32_t n;
    int truth; /* flag: 0 no, 1 yes */
};

static int by_count(const void *x, const void *y) {
    const struct candidate *a = x, *b = y;
    if (a->truth != b->truth)
        return a->truth - b->truth;
    if (a->n != b->n)
        return a->n < b->n ? 1 : -1;
    return str_compare(a->text, b->text);
}

/* The other spellings of group g, in byte order. */
static void collect_variants(struct arena *a, const struct column *c, const struct spellings *s, uint32_t g,
                             struct level *l) {
    size_t n = 0;
    for (size_t v = 0; v < c->n_value; v++)
        n += s->group_of[v] == g && v != s->best[g];
    str *variants = ARENA_ARRAY(a, n, str);
    n = 0;
    for (size_t v = 0; v < c->n_value; v++)
        if (s->group_of[v] == g && v != s->best[g])
            variants[n++] = c->value[v].text;
    l->variant = variants;
    l->n_variant = n;
}

static void fit_levels(struct arena *a, const struct column *c, const struct fit_opts_field *o, const unsigned char *missing,
                       struct field *f) {
    struct spellings s;
    column_fold(a, c, &s);
    struct candidate *found = ARENA_ARRAY(a, s.n_group, struct candidate);
    size_t n = 0, kept = 0;
    for (size_t g = 0; g < s.n_group; g++) {
        bool truth = false;
        if (missing[s.best[g]])
            continue;
        if (f->type == FIELD_FLAG && !text_means_flag(c->value[s.best[g]].text, &truth))
            continue;
        found[n++] = (struct candidate){c->value[s.best[g]].text, (uint32_t)g, s.n[g], truth};
    }
    qsort(found, n, sizeof *found, by_count);
    struct level *levels = ARENA_ARRAY(a, n, struct level);
    for (size_t i = 0; i < n; i++) {
        if (found[i].n < o->rare || kept >= o->max_level)
            continue;
        levels[kept].text = found[i].text;
        collect_variants(a, c, &s, found[i].group, &levels[kept++]);
    }
    f->level = levels;
    f->n_level = kept;
}

/* A table from folded spelling to level, for the levels of f, kept sorted. */
struct spelling {
    str folded;
    size_t level;
};

static int by_folded(const void *x, const void *y) {
    const struct spelling *a = x, *b = y;
    int order = str_compare(a->folded, b->folded);
    return order != 0 ? order : (a->level > b->level) - (a->level < b->level);
}

static str fold_into(struct arena *a, str text) { return str_fold(text, arena_alloc(a, text.len + 1), text.len + 1); }

static size_t spelling_table(struct arena *a, const struct field *f, struct spelling **out) {
    size_t n = f->n_level, k = 0;
    for (size_t i = 0; i < f->n_level; i++)
        n += f->level[i].n_variant;
    struct spelling *t = ARENA_ARRAY(a, n, struct spelling);
    for (size_t i = 0; i < f->n_level; i++) {
        t[k++] = (struct spelling){fold_into(a, f->level[i].text), i};
        for (size_t j = 0; j < f->level[i].n_variant; j++)
            t[k++] = (struct spelling){fold_into(a, f->level[i].variant[j]), i};
    }
    qsort(t, k, sizeof *t, by_folded);
    *out = t;
    return k;
}

static size_t level_of(const struct field *f, const struct spelling *t, size_t n, str text) {
    char room[1024];
    str folded = str_fold(text, room, sizeof room);
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (str_compare(t[mid].folded, folded) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (low < n && str_equal(t[low].folded, folded))
        return t[low].level;
    bool truth, other;
    if (f->type == FIELD_FLAG && text_means_flag(text, &truth))
        for (size_t i = 0; i < f->n_level; i++)
            if (text_means_flag(f->level[i].text, &other) && other == truth)
                return i;
    return f->n_level;
}

/* ---- multi-value ---- */

bool multi_next(str *rest, char separator, str *part) {
    if (!str_split(rest, separator, part))
        return false;
    *part = str_trim(*part);
    return true;
}

/* The parts of all cells as a column of their own: one row for each part of each distinct cell. */
static void split_column(struct arena *a, const struct column *c, const struct field *f, const unsigned char *missing,
                         struct column *out) {
    size_t n = 0, k = 0;
    for (size_t v = 0; v < c->n_value; v++) {
        str rest = c->value[v].text, part;
        while (!missing[v] && multi_next(&rest, f->separator, &part))
            n++;
    }
    str *parts = ARENA_ARRAY(a, n, str);
    uint32_t *rows = ARENA_ARRAY(a, n, uint32_t), *owner = ARENA_ARRAY(a, n, uint32_t);
    for (size_t v = 0; v < c->n_value; v++) {
        str rest = c->value[v].text, part;
        while (!missing[v] && multi_next(&rest, f->separator, &part))
            if (part.len > 0) {
                rows[k] = (uint32_t)k;
                owner[k] = (uint32_t)v;
                parts[k++] = part;
            }
    }
    column_count(a, parts, rows, k, NULL, out);
    for (size_t i = 0; i < out->n_value; i++)
        out->value[i] = (struct distinct){.text = out->value[i].text};
    for (size_t i = 0; i < k; i++) { /* weigh each part by the rows of its cell */
        out->value[out->value_of[i]].n += c->value[owner[i]].n;
        out->value[out->value_of[i]].positive += c->value[owner[i]].positive;
    }
}

size_t multi_vocabulary(struct arena *a, const struct column *c, const struct field *f, const unsigned char *missing) {
    struct column parts;
    split_column(a, c, f, missing, &parts);
    return parts.n_value;
}

/* ---- rates ---- */

static void set_rates(struct arena *a, const struct fit_opts_field *o, struct field *f, const double *n,
                      const double *positive, double total) {
    size_t k = field_slots(f);
    double *rate = ARENA_ARRAY(a, k, double), *share = ARENA_ARRAY(a, k, double);
    for (size_t i = 0; i < k; i++) {
        rate[i] = fit_shrunk_rate(positive[i], n[i], o->base_rate);
        share[i] = total > 0 ? n[i] / total : 0;
    }
    f->level_share = share;
    f->level_rate = o->has_y ? rate : NULL;
}

static void count_levels(struct arena *a, const struct column *c, const struct fit_opts_field *o,
                         const unsigned char *missing, struct field *f) {
    double *n = ARENA_ARRAY(a, field_slots(f), double), *positive = ARENA_ARRAY(a, field_slots(f), double), total = 0;
    struct spelling *table;
    size_t n_spelling = spelling_table(a, f, &table);
    struct column parts;
    const struct column *counted = c;
    unsigned char *skip = NULL;
    if (f->type == FIELD_MULTI) {
        split_column(a, c, f, missing, &parts);
        counted = &parts;
        skip = ARENA_ARRAY(a, parts.n_value, unsigned char);
    }
    f->has_other = false;
    for (size_t v = 0; v < c->n_value; v++) {
        total += c->value[v].n;
        if (missing[v]) {
            n[missing_slot(f, c->value[v].text)] += c->value[v].n;
            positive[missing_slot(f, c->value[v].text)] += c->value[v].positive;
        }
    }
    for (size_t v = 0; v < counted->n_value; v++) {
        const struct distinct *d = &counted->value[v];
        if (skip ? skip[v] : missing[v])
            continue;
        size_t l = level_of(f, table, n_spelling, d->text);
        n[l] += d->n;
        positive[l] += d->positive;
        f->has_other |= l == f->n_level;
    }
    set_rates(a, o, f, n, positive, total);
}

static void fit_multi_levels(struct arena *a, const struct column *c, const struct fit_opts_field *o,
                             const unsigned char *missing, struct field *f) {
    struct column parts;
    split_column(a, c, f, missing, &parts);
    unsigned char *none = ARENA_ARRAY(a, parts.n_value, unsigned char);
    fit_levels(a, &parts, o, none, f);
}

/* ---- numbers ---- */

struct moments {
    double n, mean, sd, skew, min, max;
};

static struct moments moments_of(const struct tally *t, size_t n) {
    struct moments m = {.min = n > 0 ? t[0].value : 0, .max = n > 0 ? t[n - 1].value : 0};
    double second = 0, third = 0;
    for (size_t i = 0; i < n; i++) {
        m.n += t[i].n;
        m.mean += t[i].n * (t[i].value - m.min);
    }
    m.mean = m.min + (m.n > 0 ? m.mean / m.n : 0);
    for (size_t i = 0; i < n; i++) {
        double d = t[i].value - m.mean;
        second += t[i].n * d * d;
        third += t[i].n * d * d * d;
    }
    m.sd = m.n > 1 ? sqrt(second / (m.n - 1)) : 0;
    m.skew = second > 0 ? third / m.n / pow(second / m.n, 1.5) : 0;
    return m;
}

static double transformed(const struct field *f, double v) { return f->transform == TRANSFORM_LOG1P ? log1p(v) : v; }

static void fit_scale(struct arena *a, const struct tally *t, size_t n, struct field *f) {
    if (n == 0) {
        f->low = f->high = f->center = 0;
        f->scale = 1;
        return;
    }
    f->low = transformed(f, tally_quantile(t, n, winsor));
    f->high = transformed(f, tally_quantile(t, n, 1 - winsor));
    struct tally *z = ARENA_ARRAY(a, n, struct tally);
    for (size_t i = 0; i < n; i++)
        z[i] = (struct tally){fmin(fmax(transformed(f, t[i].value), f->low), f->high), t[i].n, 0};
    struct moments m = moments_of(z, n);
    f->center = m.mean;
    f->scale = m.sd > 0 && isfinite(m.sd) && isfinite((f->high - f->low) / m.sd) ? m.sd : 1;
}

static void fit_bins(struct arena *a, const struct tally *t, size_t n, const struct fit_opts_field *o, struct field *f) {
    if (!(f->given & GIVEN_EDGES)) {
        double *edges = ARENA_ARRAY(a, o->n_bin, double);
        f->n_edge = tally_edges(t, n, o->n_bin, o->rare, edges);
        f->edge = edges;
    }
    f->bin_rate = f->bin_share = NULL;
    if (f->n_edge == 0)
        return;
    double *count = ARENA_ARRAY(a, f->n_edge + 1, double), *rate = ARENA_ARRAY(a, f->n_edge + 1, double), total = 0;
    size_t b = 0;
    for (size_t i = 0; i < n; i++) {
        while (b < f->n_edge && t[i].value >= f->edge[b])
            b++;
        count[b] += t[i].n;
        rate[b] += t[i].positive;
        total += t[i].n;
    }
    for (b = 0; b <= f->n_edge; b++) {
        rate[b] = fit_shrunk_rate(rate[b], count[b], o->base_rate);
        count[b] = total > 0 ? count[b] / total : 0;
    }
    f->bin_share = count;
    f->bin_rate = o->has_y ? rate : NULL;
}

static void fit_typical(struct arena *a, const struct tally *t, size_t n, const struct fit_opts_field *o, struct field *f) {
    f->typical_converted = f->typical_other = (double)NAN;
    f->quantile = NULL;
    if (n == 0)
        return;
    double *q = ARENA_ARRAY(a, SCHEMA_N_QUANTILE, double);
    for (size_t i = 0; i < SCHEMA_N_QUANTILE; i++)
        q[i] = tally_quantile(t, n, (double)i / (SCHEMA_N_QUANTILE - 1));
    f->quantile = q;
    if (o->has_y) {
        f->typical_converted = tally_quantile_of(t, n, 0.5, true);
        f->typical_other = tally_quantile_of(t, n, 0.5, false);
    }
}

/* Day 0 is the earliest day, so that the numbers are small. */
static int64_t earliest_day(const struct column *c, const struct field *f, const unsigned char *missing) {
    int64_t least = INT64_MAX;
    struct moment m;
    for (size_t v = 0; v < c->n_value; v++)
        if (!missing[v] && time_read(c->value[v].text, f->date_order, &m) == TIME_GOOD && m.ms < least)
            least = m.ms;
    if (least == INT64_MAX)
        return 0;
    int64_t day = least / TIME_DAY_MS - (least % TIME_DAY_MS < 0);
    return day * TIME_DAY_MS;
}

static void fit_number(struct arena *a, const struct column *c, const struct fit_opts_field *o, const unsigned char *missing,
                       struct field *f) {
    size_t n, invalid;
    str example;
    if (f->type == FIELD_DATE)
        f->reference_ms = earliest_day(c, f, missing);
    struct tally *t = column_tally(a, c, f, missing, &n, &invalid, &example);
    if (f->type == FIELD_NUMERIC && !(f->given & GIVEN_TRANSFORM)) {
        struct moments m = moments_of(t, n);
        f->transform = m.min >= 0 && m.skew > 1 ? TRANSFORM_LOG1P : TRANSFORM_NONE; /* Eq. 4 */
    }
    if (f->transform == TRANSFORM_LOG1P && f->minimum < 0)
        f->minimum = 0;
    f->missing_seen |= invalid > 0;
    fit_scale(a, t, n, f);
    fit_bins(a, t, n, o, f);
    fit_typical(a, t, n, o, f);
    double slots[2 + SCHEMA_MAX_MISSING] = {0}, positives[2 + SCHEMA_MAX_MISSING] = {0}, total = 0;
    for (size_t v = 0; v < c->n_value; v++) {
        total += c->value[v].n;
        if (missing[v]) {
            slots[missing_slot(f, c->value[v].text)] += c->value[v].n;
            positives[missing_slot(f, c->value[v].text)] += c->value[v].positive;
        }
    }
    slots[0] = total;
    for (size_t i = 1; i < field_slots(f); i++)
        slots[0] -= slots[i];
    for (size_t v = 0; v < c->n_value; v++)
        positives[0] += missing[v] ? 0 : c->value[v].positive;
    set_rates(a, o, f, slots, positives, total);
}

void fit_field(struct arena *a, const struct column *c, const struct fit_opts_field *o, struct field *f) {
    unsigned char *missing = ARENA_ARRAY(a, c->n_value, unsigned char);
    order_tokens(a, c, o, f);
    fit_mark_missing(c, f, missing);
    if (field_has_levels(f)) {
        if (!(f->given & GIVEN_LEVELS)) {
            if (f->type == FIELD_MULTI)
                fit_multi_levels(a, c, o, missing, f);
            else
                fit_levels(a, c, o, missing, f);
        }
        count_levels(a, c, o, missing, f);
    } else {
        f->level = NULL;
        f->n_level = 0;
        fit_number(a, c, o, missing, f);
    }
    f->fitted = true;
}
