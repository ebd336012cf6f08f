/* encode.c — rows of text to numbers, in the columns of an encoder. */
#include "base/quantity.h"
#include "base/rng.h"
#include "base/time.h"
#include "features/encode_priv.h"
#include "features/fit_priv.h"
#include "features/lexicon.h"

#include <math.h>

enum { FOLD_BYTE = 256 };

/* ---- a row ---- */

static inline void list(struct encoded *out, uint32_t col, double val) {
    out->col[out->row.n] = col;
    out->val[out->row.n++] = val;
}

/* The slot of a text (+ 1), trying the folded form when the spelling is new; 0 when it has none. */
static uint32_t find_folded(const struct binding *b, str text) {
    char room[FOLD_BYTE];
    str folded = str_fold(text, room, sizeof room);
    return folded.ptr == text.ptr ? 0 : encode_find(b, folded);
}

static void list_missing(const struct binding *b, uint32_t slot, struct encoded *out, struct field_value *v) {
    v->state = VALUE_MISSING;
    v->slot = slot;
    out->n_missing++;
    if (b->rate_of)
        list(out, b->rate, b->rate_of[slot]);
    list(out, b->missing + slot - (uint32_t)b->f->n_level - 1, 1);
}

static void list_invalid(const struct binding *b, struct encoded *out, struct field_value *v) {
    v->state = VALUE_INVALID;
    v->slot = (uint32_t)b->f->n_level + 1;
    out->n_invalid++;
    list(out, b->missing, 1);
}

/* The level of a flag that is spelled in another way than in training. */
static uint32_t find_flag(const struct field *f, str text) {
    bool truth, other;
    if (f->type == FIELD_FLAG && text_means_flag(text, &truth))
        for (size_t l = 0; l < f->n_level; l++)
            if (text_means_flag(f->level[l].text, &other) && other == truth)
                return (uint32_t)l + 1;
    return 0;
}

static void encode_category(const struct binding *b, struct encoded *out, struct field_value *v, uint32_t *last) {
    const struct field *f = b->f;
    uint32_t n_level = (uint32_t)f->n_level, slot = encode_find_again(b, v->text, last);
    if (slot == 0 && (slot = find_folded(b, v->text)) == 0 && (slot = find_flag(f, v->text)) == 0)
        slot = text_means_missing(v->text) ? n_level + 2 : n_level + 1;
    slot--;
    if (slot > n_level) {
        list_missing(b, slot, out, v);
        return;
    }
    v->slot = slot;
    v->state = slot < n_level ? VALUE_KNOWN : VALUE_UNSEEN;
    out->n_known += slot < n_level;
    out->n_unseen += slot == n_level;
    if (b->rate_of)
        list(out, b->rate, b->rate_of[slot]);
    list(out, b->level + slot, 1);
}

/* Columns ascend in a row and each is listed once, whatever the order and repeats in the cell. */
static void insert_level(struct encoded *out, size_t from, uint32_t col) {
    size_t at = out->row.n;
    while (at > from && out->col[at - 1] > col)
        at--;
    if (at > from && out->col[at - 1] == col)
        return;
    memmove(out->col + at + 1, out->col + at, (out->row.n - at) * sizeof *out->col);
    out->col[at] = col;
    out->val[out->row.n++] = 1;
}

static void encode_multi(const struct binding *b, struct encoded *out, struct field_value *v) {
    uint32_t n_level = (uint32_t)b->f->n_level, first = UINT32_MAX, whole = encode_find(b, v->text);
    size_t from = out->row.n;
    str rest = v->text, part;
    if (whole > n_level + 1) {
        list_missing(b, whole - 1, out, v);
        return;
    }
    while (multi_next(&rest, b->f->separator, &part)) {
        if (part.len == 0)
            continue;
        uint32_t slot = encode_find(b, part);
        if (slot == 0)
            slot = find_folded(b, part);
        slot = slot == 0 || slot > n_level ? n_level : slot - 1;
        if (first > n_level || (first == n_level && slot < n_level))
            first = slot;
        insert_level(out, from, b->level + slot);
    }
    if (first > n_level) {
        list_missing(b, n_level + 1, out, v);
        return;
    }
    v->slot = first;
    v->state = first < n_level ? VALUE_KNOWN : VALUE_UNSEEN;
    out->n_known += first < n_level;
    out->n_unseen += first == n_level;
}

static inline uint32_t bin_of(const struct field *f, double v) {
    uint32_t b = 0;
    while (b < f->n_edge && v >= f->edge[b])
        b++;
    return b;
}

static void list_number(const struct binding *b, struct encoded *out, struct field_value *v, double number) {
    const struct field *f = b->f;
    double t = f->transform == TRANSFORM_LOG1P ? log1p(number) : number; /* Eq. 4 */
    t = t < f->low ? f->low : t > f->high ? f->high : t;
    v->state = VALUE_KNOWN;
    v->number = number;
    out->n_known++;
    list(out, b->number, (t - f->center) / f->scale);
    if (f->n_edge > 0)
        list(out, b->bin + bin_of(f, number), 1);
}

/* What a cell that is no number is: a token that means missing, or invalid. True when it has been dealt with. */
static bool encode_no_number(const struct binding *b, struct encoded *out, struct field_value *v) {
    uint32_t slot = encode_find(b, v->text);
    if (slot == 0)
        slot = find_folded(b, v->text);
    if (slot == 0 && (text_means_missing(v->text) || text_means_missing_number(v->text)))
        slot = 2;
    if (slot == 0)
        return false;
    list_missing(b, slot - 1, out, v);
    return true;
}

static void encode_number(const struct binding *b, struct encoded *out, struct field_value *v) {
    const struct field *f = b->f;
    double x;
    uint32_t slot = f->n_missing > 0 ? encode_find(b, v->text) : 0; /* a token may look like a number: -1 */
    if (slot > 0) {
        list_missing(b, slot - 1, out, v);
        return;
    }
    if (!quantity_read_number(v->text, f->decimal, &x)) {
        if (!encode_no_number(b, out, v))
            list_invalid(b, out, v);
    } else if (x < f->minimum) {
        list_invalid(b, out, v);
    } else {
        list_number(b, out, v, x);
    }
}

static void encode_date(const struct binding *b, struct encoded *out, struct field_value *v) {
    const struct field *f = b->f;
    struct moment m;
    if (time_read(v->text, f->date_order, &m) != TIME_GOOD) {
        if (!encode_no_number(b, out, v))
            list_invalid(b, out, v);
        return;
    }
    int64_t day = m.ms / TIME_DAY_MS - (m.ms % TIME_DAY_MS < 0);
    list_number(b, out, v, (double)(m.ms - f->reference_ms) / (double)TIME_DAY_MS);
    uint32_t month = (uint32_t)time_civil_from_days(day).month - 1;
    uint32_t weekday = (uint32_t)(((day + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
    list(out, b->month + month, 1);
    list(out, b->month + N_MONTH + weekday, 1);
}

static inline str trimmed(str s) {
    bool clean = s.len == 0 || (s.ptr[0] > ' ' && s.ptr[s.len - 1] > ' ');
    return clean ? s : str_trim(s);
}

void encode_row(const struct encoder *e, const str *cell, struct encoded *out) {
    out->row.n = 0;
    out->n_known = out->n_missing = out->n_unseen = out->n_invalid = 0;
    for (size_t i = 0; i < e->schema->n_field; i++) {
        const struct binding *b = &e->bind[i];
        struct field_value *v = &out->value[i];
        *v = (struct field_value){.state = VALUE_MISSING, .number = (double)NAN};
        if (!b->table)
            continue;
        v->text = b->column >= 0 ? trimmed(cell[b->column]) : (str){0};
        if (v->text.len == 0)
            list_missing(b, (uint32_t)b->f->n_level + 1, out, v);
        else if (b->type == FIELD_NUMERIC)
            encode_number(b, out, v);
        else if (b->type == FIELD_DATE)
            encode_date(b, out, v);
        else if (b->type == FIELD_MULTI)
            encode_multi(b, out, v);
        else
            encode_category(b, out, v, &out->last[i]);
    }
    if (e->products.n > 0)
        out->row.n += products_list(&e->products, out->row, out->col + out->row.n, out->val + out->row.n);
}

str encode_explain(struct arena *a, const struct encoder *e, uint32_t field, const struct field_value *v) {
    const struct field *f = &e->schema->field[field];
    str name = str_slice(f->name, 0, 80), text = str_slice(v->text, 0, 80);
    struct moment m;
    double x;
    if (f->type == FIELD_DATE)
        return str_format(a, "column %.*s (date): \"%.*s\" %s", STR_ARG(name), STR_ARG(text),
                          time_fault_text(time_read(v->text, f->date_order, &m)));
    if (quantity_read_number(v->text, f->decimal, &x) && x < f->minimum) {
        str least = encode_number_text(a, f->minimum);
        return str_format(a, "column %.*s (numeric): %.*s is below the smallest possible value, %.*s", STR_ARG(name),
                          STR_ARG(text), STR_ARG(least));
    }
    return str_format(a, "column %.*s (%s): \"%.*s\" is not a number", STR_ARG(name), field_type_name(f->type),
                      STR_ARG(text));
}

/* ---- rates of the rows before ---- */

/* The slot of a row's level, from the column listed after the rate. */
static size_t slot_of(const struct encoder *e, const struct field *f, uint32_t column) {
    const struct feature *x = &e->feature[column];
    return x->kind == FEATURE_MISSING ? f->n_level + 1 + x->slot : x->slot;
}

static void order_column(struct arena *a, const struct encoder *e, const struct binding *b, const struct dataset *s,
                         const uint32_t *order, double base, double *val) {
    struct arena_mark mark = arena_mark(a);
    double *n = ARENA_ARRAY(a, field_slots(b->f), double), *positive = ARENA_ARRAY(a, field_slots(b->f), double);
    for (size_t k = 0; k < s->n; k++) {
        const size_t i = order[k];
        size_t at = s->start[i];
        while (s->col[at] != b->rate)
            at++;
        const size_t slot = slot_of(e, b->f, s->col[at + 1]);
        val[at] = encode_rate_number(fit_shrunk_rate(positive[slot], n[slot], base));
        n[slot]++;
        positive[slot] += s->y[i];
    }
    arena_rewind(a, mark);
}

void encoder_order_rates(struct arena *a, const struct encoder *e, struct dataset *s, uint64_t seed) {
    uint32_t *order = NULL;
    double *val = NULL, positives = 0;
    struct rng r = rng_from_seed(seed);
    for (size_t i = 0; i < e->schema->n_field; i++) {
        if (!e->bind[i].rate_of || s->n == 0)
            continue;
        if (!val) {
            val = arena_copy(a, s->val, s->start[s->n] * sizeof *val);
            order = ARENA_ARRAY(a, s->n, uint32_t);
            for (size_t k = 0; k < s->n; k++) {
                size_t j = rng_below(&r, k + 1);
                order[k] = order[j];
                order[j] = (uint32_t)k;
                positives += s->y[k];
            }
        }
        order_column(a, e, &e->bind[i], s, order, positives / (double)s->n, val);
    }
    if (val)
        s->val = val;
}
