/* encode.c — the columns a schema makes, and rows filled into them. */
#include "features/encode.h"

#include "base/number.h"
#include "base/quantity.h"
#include "base/rng.h"
#include "base/time.h"
#include "features/fit_priv.h"
#include "features/lexicon.h"
#include "ml/family.h"

#include <math.h>

enum { N_MONTH = 12, N_WEEKDAY = 7, FOLD_BYTE = 256, MAX_WIDTH = 2000000 };

/* A category of more levels than RATE_LEVELS has a rate: fewer are better served by columns of their own. Of its levels, in
 * order of frequency, so many are columns for trees and for additive families. */
enum { RATE_LEVELS = 120, TREE_LEVELS = 120, LINEAR_LEVELS = 300 };

/* Rows of the base rate that a level's rate starts from: as in fit.c. */
static const double prior_rows = 10;

/* A spelling and the slot it stands for: a level, or n_level + 1 and on for what is missing. */
struct entry {
    uint64_t hash;
    str text;
    uint32_t slot; /* + 1; 0 when free */
};

struct binding {
    const struct field *f;
    int32_t column; /* of the file, or -1 */
    enum field_type type;
    uint32_t number, missing, bin, level, month; /* first column of each part */
    uint32_t rate;                               /* column of the rate */
    double *rate_of;                             /* field_slots(): log-odds; NULL: no such column */
    struct entry *table;
    size_t mask; /* table size - 1 */
};

struct encoder {
    const struct schema *schema;
    struct binding *bind; /* one a field */
    struct feature *feature;
    unsigned char *use;
    uint32_t *field_of, *absent;
    size_t width, cap, n_absent, n_used, max_nonzero;
    struct products products;
};

size_t encoder_width(const struct encoder *e) { return e->width; }
const struct feature *encoder_features(const struct encoder *e) { return e->feature; }
const unsigned char *encoder_use(const struct encoder *e) { return e->use; }
const uint32_t *encoder_field(const struct encoder *e) { return e->field_of; }
const struct schema *encoder_schema(const struct encoder *e) { return e->schema; }
size_t encoder_used(const struct encoder *e) { return e->n_used; }
const struct products *encoder_products(const struct encoder *e) { return &e->products; }
size_t encoder_max_nonzero(const struct encoder *e) { return e->max_nonzero; }

const uint32_t *encoder_absent(const struct encoder *e, size_t *n) {
    *n = e->n_absent;
    return e->absent;
}

/* ---- the columns ---- */

static void add_column(struct encoder *e, uint32_t field, enum feature_kind kind, unsigned use, size_t slot, str id,
                       str label) {
    e->feature[e->width++] = (struct feature){
        .id = id, .label = label, .field = field, .kind = kind, .use = (unsigned char)use, .slot = (uint32_t)slot};
}

static str title_of(const struct field *f) { return f->title.len > 0 ? f->title : f->name; }

static str number_text(struct arena *a, double v) {
    char text[NUMBER_TEXT_BYTE];
    return str_copy(a, (str){text, number_format(v, text)});
}

static void add_missing(struct arena *a, struct encoder *e, uint32_t i, unsigned use, unsigned own_use) {
    const struct field *f = e->bind[i].f;
    str title = title_of(f);
    e->bind[i].missing = (uint32_t)e->width;
    add_column(e, i, FEATURE_MISSING, use, 0, str_format(a, "%.*s=?", STR_ARG(f->name)),
               str_format(a, "%.*s is not known", STR_ARG(title)));
    for (size_t j = 0; j < f->n_missing_own; j++)
        add_column(e, i, FEATURE_MISSING, own_use, 1 + j,
                   str_format(a, "%.*s=?%.*s", STR_ARG(f->name), STR_ARG(f->missing[j])),
                   str_format(a, "%.*s is not known (%.*s)", STR_ARG(title), STR_ARG(f->missing[j])));
}

static void add_bins(struct arena *a, struct encoder *e, uint32_t i) {
    const struct field *f = e->bind[i].f;
    str title = title_of(f);
    e->bind[i].bin = (uint32_t)e->width;
    for (size_t b = 0; f->n_edge > 0 && b <= f->n_edge; b++) {
        str low = b > 0 ? number_text(a, f->edge[b - 1]) : STR(""),
            high = b < f->n_edge ? number_text(a, f->edge[b]) : STR("");
        str words = b == 0           ? str_format(a, "below %.*s", STR_ARG(high))
                    : b == f->n_edge ? str_format(a, "from %.*s on", STR_ARG(low))
                                     : str_format(a, "from %.*s to below %.*s", STR_ARG(low), STR_ARG(high));
        add_column(e, i, FEATURE_BIN, COLUMN_LINEAR | COLUMN_COUNT, b,
                   str_format(a, "%.*s[%.*s,%.*s)", STR_ARG(f->name), STR_ARG(low), STR_ARG(high)),
                   str_format(a, "%.*s %.*s", STR_ARG(title), STR_ARG(words)));
    }
}

static void add_number_columns(struct arena *a, struct encoder *e, uint32_t i) {
    const struct field *f = e->bind[i].f;
    e->bind[i].number = (uint32_t)e->width;
    add_column(e, i, FEATURE_NUMBER, COLUMN_LINEAR | COLUMN_TREE, 0, f->name, title_of(f));
    add_missing(a, e, i, COLUMN_LINEAR | COLUMN_COUNT, COLUMN_LINEAR | COLUMN_TREE | COLUMN_COUNT);
    add_bins(a, e, i);
    e->max_nonzero += 2;
}

static void add_date_columns(struct arena *a, struct encoder *e, uint32_t i) {
    static const char *const months[N_MONTH] = {"January", "February", "March",     "April",   "May",      "June",
                                                "July",    "August",   "September", "October", "November", "December"};
    static const char *const days[N_WEEKDAY] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                "Friday", "Saturday", "Sunday"};
    const struct field *f = e->bind[i].f;
    add_number_columns(a, e, i);
    e->bind[i].month = (uint32_t)e->width;
    for (size_t k = 0; k < N_MONTH + N_WEEKDAY; k++) {
        const char *name = k < N_MONTH ? months[k] : days[k - N_MONTH];
        add_column(e, i, FEATURE_LEVEL, COLUMN_LINEAR | COLUMN_TREE, k, str_format(a, "%.*s=%s", STR_ARG(f->name), name),
                   str_format(a, "%.*s %s %s", STR_ARG(title_of(f)), k < N_MONTH ? "in" : "on a", name));
    }
    e->max_nonzero += 2;
}

static double rate_number(double rate) {
    double p = rate > 1e-6 ? rate < 1 - 1e-6 ? rate : 1 - 1e-6 : 1e-6;
    return log(p / (1 - p));
}

static void add_rate(struct arena *a, struct encoder *e, uint32_t i) {
    struct binding *b = &e->bind[i];
    const struct field *f = b->f;
    if (f->type != FIELD_CATEGORY || f->n_level <= RATE_LEVELS || !f->level_rate)
        return;
    b->rate = (uint32_t)e->width;
    b->rate_of = ARENA_ARRAY(a, field_slots(f), double);
    for (size_t l = 0; l < field_slots(f); l++)
        b->rate_of[l] = rate_number(f->level_rate[l]);
    add_column(e, i, FEATURE_RATE, COLUMN_TREE | (f->n_level > LINEAR_LEVELS ? (unsigned)COLUMN_LINEAR : 0u), 0,
               str_format(a, "%.*s~", STR_ARG(f->name)),
               str_format(a, "the usual conversion of %.*s", STR_ARG(title_of(f))));
    e->max_nonzero++;
}

static unsigned level_use(unsigned use, size_t level) {
    if (level >= LINEAR_LEVELS)
        return use & ~(unsigned)(COLUMN_LINEAR | COLUMN_TREE);
    return level >= TREE_LEVELS ? use & ~(unsigned)COLUMN_TREE : use;
}

static void add_level_columns(struct arena *a, struct encoder *e, uint32_t i) {
    const struct field *f = e->bind[i].f;
    add_rate(a, e, i);
    bool several = f->type == FIELD_MULTI; /* not exclusive: no use for counting families */
    unsigned use = COLUMN_LINEAR | COLUMN_TREE | (several ? 0u : (unsigned)COLUMN_COUNT);
    const char *verb = several ? "has" : "is";
    e->bind[i].level = (uint32_t)e->width;
    for (size_t l = 0; l < f->n_level; l++)
        add_column(e, i, FEATURE_LEVEL, e->bind[i].rate_of ? level_use(use, l) : use, l,
                   str_format(a, "%.*s=%.*s", STR_ARG(f->name), STR_ARG(f->level[l].text)),
                   str_format(a, "%.*s %s %.*s", STR_ARG(title_of(f)), verb, STR_ARG(f->level[l].text)));
    add_column(e, i, FEATURE_OTHER, use, f->n_level, str_format(a, "%.*s=*", STR_ARG(f->name)),
               str_format(a, "%.*s %s another value", STR_ARG(title_of(f)), verb));
    add_missing(a, e, i, use, use);
    e->max_nonzero += several ? f->n_level + 1 : 1;
}

/* ---- interactions ---- */

static err find_column(const struct encoder *e, uint32_t field, str id, uint32_t *out) {
    for (size_t c = 0; c < e->width; c++)
        if (e->feature[c].field == field && (e->feature[c].use & COLUMN_LINEAR) && str_equal(e->feature[c].id, id)) {
            *out = (uint32_t)c;
            return OK;
        }
    return fail(ERR_INPUT, "schema_interaction",
                "an interaction of the schema multiplies \"%.*s\", which is no column of \"%.*s\"",
                STR_ARG(str_slice(id, 0, 80)), STR_ARG(str_slice(e->schema->field[field].name, 0, 80)));
}

static str product_text(struct arena *a, bool square, str first, str second) {
    return square ? str_format(a, "%.*s²", STR_ARG(first)) : str_format(a, "%.*s × %.*s", STR_ARG(first), STR_ARG(second));
}

/* Eq. 33, behind the columns that are multiplied. */
static err add_products(struct arena *a, struct encoder *e) {
    uint32_t one[SCHEMA_MAX_PRODUCT], other[SCHEMA_MAX_PRODUCT];
    const uint32_t first = (uint32_t)e->width;
    size_t n = 0;
    for (uint32_t i = 0; i < e->schema->n_interaction; i++) {
        const struct interaction *x = &e->schema->interaction[i];
        for (size_t k = 0; k < x->n_product && n < SCHEMA_MAX_PRODUCT; k++, n++) {
            TRY(find_column(e, x->first, x->product[k].first, &one[n]));
            TRY(find_column(e, x->second, x->product[k].second, &other[n]));
            const struct feature *f = &e->feature[one[n]], *g = &e->feature[other[n]];
            add_column(e, x->first, FEATURE_PRODUCT, COLUMN_LINEAR, i, product_text(a, f == g, f->id, g->id),
                       product_text(a, f == g, f->label, g->label));
        }
    }
    e->products = products_new(a, first, one, other, n);
    e->max_nonzero += n;
    return OK;
}

/* ---- spellings ---- */

static uint32_t find(const struct binding *b, str text) {
    uint64_t h = str_hash(text);
    for (size_t at = h & b->mask; b->table[at].slot; at = (at + 1) & b->mask)
        if (b->table[at].hash == h && str_equal(b->table[at].text, text))
            return b->table[at].slot;
    return 0;
}

/* As find, looking first where the last row's text was: neighbouring rows are often alike, and comparing is cheaper than
 * hashing. */
static inline uint32_t find_again(const struct binding *b, str text, uint32_t *last) {
    const struct entry *guess = &b->table[*last];
    if (str_equal(guess->text, text))
        return guess->slot;
    uint64_t h = str_hash(text);
    for (size_t at = h & b->mask; b->table[at].slot; at = (at + 1) & b->mask)
        if (b->table[at].hash == h && str_equal(b->table[at].text, text)) {
            *last = (uint32_t)at;
            return b->table[at].slot;
        }
    return 0;
}

/* The first meaning of a text stands. */
static void put(struct binding *b, str text, size_t slot) {
    if (find(b, text))
        return;
    uint64_t h = str_hash(text);
    size_t at = h & b->mask;
    while (b->table[at].slot)
        at = (at + 1) & b->mask;
    b->table[at] = (struct entry){h, text, (uint32_t)slot + 1};
}

/* A text and its folded form, so that a spelling never seen before is still recognised. */
static void put_both(struct arena *a, struct binding *b, str text, size_t slot) {
    put(b, text, slot);
    put(b, str_fold(text, arena_alloc(a, text.len + 1), text.len + 1), slot);
}

static void put_levels(struct arena *a, struct binding *b) {
    const struct field *f = b->f;
    for (size_t l = 0; l < f->n_level; l++)
        put(b, f->level[l].text, l);
    for (size_t l = 0; l < f->n_level; l++) {
        put_both(a, b, f->level[l].text, l);
        for (size_t v = 0; v < f->level[l].n_variant; v++)
            put_both(a, b, f->level[l].variant[v], l);
    }
}

static void make_table(struct arena *a, struct binding *b) {
    const struct field *f = b->f;
    size_t n = 2 * (f->n_missing + f->n_level) + 1, size = 8;
    for (size_t l = 0; l < f->n_level; l++)
        n += 2 * f->level[l].n_variant;
    while (size < 2 * n)
        size *= 2;
    b->table = ARENA_ARRAY(a, size, struct entry);
    b->mask = size - 1;
    for (size_t j = 0; j < f->n_missing; j++)
        put_both(a, b, f->missing[j], f->n_level + (j < f->n_missing_own ? 2 + j : 1));
    put_levels(a, b);
}

/* ---- binding ---- */

static size_t width_of(const struct field *f) {
    size_t n = 3 + f->n_missing_own + f->n_level;
    return f->type == FIELD_NUMERIC || f->type == FIELD_DATE ? n + f->n_edge + 1 + N_MONTH + N_WEEKDAY : n;
}

static void add_field_columns(struct arena *a, struct encoder *e, uint32_t i) {
    const struct field *f = e->bind[i].f;
    if (f->type == FIELD_NUMERIC)
        add_number_columns(a, e, i);
    else if (f->type == FIELD_DATE)
        add_date_columns(a, e, i);
    else
        add_level_columns(a, e, i);
    make_table(a, &e->bind[i]);
}

static int32_t column_of(const str *columns, size_t n, str name) {
    for (size_t c = 0; c < n; c++)
        if (str_equal(columns[c], name))
            return (int32_t)c;
    return -1;
}

static err bind_fields(struct encoder *e, const str *columns, size_t n_column) {
    size_t width = 0;
    for (uint32_t i = 0; i < e->schema->n_field; i++) {
        const struct field *f = &e->schema->field[i];
        e->bind[i] = (struct binding){.f = f, .column = -1, .type = f->type};
        if (!field_is_used(f))
            continue;
        if (!f->fitted)
            return fail(ERR_INPUT, "schema_unfitted",
                        "field \"%.*s\" of the schema has no fitted constants: train with it first",
                        STR_ARG(str_slice(f->name, 0, 80)));
        width += width_of(f);
        e->n_used++;
        e->bind[i].column = column_of(columns, n_column, f->name);
        if (e->bind[i].column < 0)
            e->absent[e->n_absent++] = i;
    }
    if (e->n_used > 0 && e->n_absent == e->n_used)
        return fail(ERR_INPUT, "encoder_no_column",
                    "the file has none of the %zu columns that the schema uses, such as \"%.*s\"", e->n_used,
                    STR_ARG(str_slice(e->schema->field[e->absent[0]].name, 0, 80)));
    if (width > MAX_WIDTH)
        return fail(ERR_LIMIT, "encoder_width", "the schema makes %zu columns; at most %d are possible", width, MAX_WIDTH);
    e->cap = width + SCHEMA_MAX_PRODUCT;
    return OK;
}

err encoder_new(struct arena *a, const struct schema *s, const str *columns, size_t n_column, struct encoder **out) {
    struct encoder *e = ARENA_NEW(a, struct encoder);
    *e = (struct encoder){
        .schema = s, .bind = ARENA_ARRAY(a, s->n_field, struct binding), .absent = ARENA_ARRAY(a, s->n_field, uint32_t)};
    TRY(bind_fields(e, columns, n_column));
    e->feature = ARENA_ARRAY(a, e->cap, struct feature);
    for (uint32_t i = 0; i < s->n_field; i++)
        if (field_is_used(&s->field[i]))
            add_field_columns(a, e, i);
    TRY(add_products(a, e));
    e->use = ARENA_ARRAY(a, e->width, unsigned char);
    e->field_of = ARENA_ARRAY(a, e->width, uint32_t);
    for (size_t c = 0; c < e->width; c++) {
        e->use[c] = e->feature[c].use;
        e->field_of[c] = e->feature[c].field;
    }
    *out = e;
    return OK;
}

struct encoded *encoded_new(struct arena *a, const struct encoder *e) {
    struct encoded *x = ARENA_NEW(a, struct encoded);
    *x = (struct encoded){.col = ARENA_ARRAY(a, e->max_nonzero, uint32_t),
                          .val = ARENA_ARRAY(a, e->max_nonzero, double),
                          .value = ARENA_ARRAY(a, e->schema->n_field, struct field_value),
                          .last = ARENA_ARRAY(a, e->schema->n_field, uint32_t)};
    x->row.col = x->col;
    x->row.val = x->val;
    return x;
}

/* ---- a row ---- */

static inline void list(struct encoded *out, uint32_t col, double val) {
    out->col[out->row.n] = col;
    out->val[out->row.n++] = val;
}

/* The slot of a text (+ 1), trying the folded form when the spelling is new; 0 when it has none. */
static uint32_t find_folded(const struct binding *b, str text) {
    char room[FOLD_BYTE];
    str folded = str_fold(text, room, sizeof room);
    return folded.ptr == text.ptr ? 0 : find(b, folded);
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
    uint32_t n_level = (uint32_t)f->n_level, slot = find_again(b, v->text, last);
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
    uint32_t n_level = (uint32_t)b->f->n_level, first = UINT32_MAX, whole = find(b, v->text);
    size_t from = out->row.n;
    str rest = v->text, part;
    if (whole > n_level + 1) {
        list_missing(b, whole - 1, out, v);
        return;
    }
    while (multi_next(&rest, b->f->separator, &part)) {
        if (part.len == 0)
            continue;
        uint32_t slot = find(b, part);
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
    uint32_t slot = find(b, v->text);
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
    uint32_t slot = f->n_missing > 0 ? find(b, v->text) : 0; /* a token may look like a number: -1 */
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
        str least = number_text(a, f->minimum);
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
        val[at] = rate_number((positive[slot] + prior_rows * base) / (n[slot] + prior_rows));
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
