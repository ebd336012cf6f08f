/* encode_columns.c — the columns that a schema makes of its fields and interactions. */
#include "base/number.h"
#include "features/encode_priv.h"
#include "ml/family.h"

#include <math.h>

/* A category of more levels than RATE_LEVELS has a rate: fewer are better served by columns of their own. Of its levels, in
 * order of frequency, so many are columns for trees and for additive families. */
enum { RATE_LEVELS = 120, TREE_LEVELS = 120, LINEAR_LEVELS = 300 };
static void add_column(struct encoder *e, uint32_t field, enum feature_kind kind, unsigned use, size_t slot, str id,
                       str label) {
    e->feature[e->width++] = (struct feature){
        .id = id, .label = label, .field = field, .kind = kind, .use = (unsigned char)use, .slot = (uint32_t)slot};
}

static str title_of(const struct field *f) { return f->title.len > 0 ? f->title : f->name; }

str encode_number_text(struct arena *a, double v) {
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
        str low = b > 0 ? encode_number_text(a, f->edge[b - 1]) : STR(""),
            high = b < f->n_edge ? encode_number_text(a, f->edge[b]) : STR("");
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

double encode_rate_number(double rate) {
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
        b->rate_of[l] = encode_rate_number(f->level_rate[l]);
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

size_t encode_columns_most(const struct field *f) {
    size_t n = 3 + f->n_missing_own + f->n_level;
    return f->type == FIELD_NUMERIC || f->type == FIELD_DATE ? n + f->n_edge + 1 + N_MONTH + N_WEEKDAY : n;
}

void encode_columns_add(struct arena *a, struct encoder *e, uint32_t i) {
    const struct field *f = e->bind[i].f;
    if (f->type == FIELD_NUMERIC)
        add_number_columns(a, e, i);
    else if (f->type == FIELD_DATE)
        add_date_columns(a, e, i);
    else
        add_level_columns(a, e, i);
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

err encode_products_add(struct arena *a, struct encoder *e) {
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
