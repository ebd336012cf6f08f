/* vectorise.c — encoded fields and sub-scores in one vector. */
#include "features/vectorise.h"

#include "ml/family.h"

#include <math.h>

struct vectoriser {
    const struct encoder *encoder;
    const struct profile *profile;
    const struct profile_binding *binding;
    size_t n_column, n_field, n_term;
    unsigned char *use;
    uint32_t *term;
    unsigned char *counts; /* n_field: whether the field makes features, and so can be missing */
    double typical[SECTION_COUNT];
};

/* What subscore.h computes, with the typical credit in place of each criterion's. */
double vectorise_typical(const struct profile *p, enum profile_section section) {
    const struct profile_section_weight *s = &p->section[section];
    double sum = 0, weight = 0;
    for (size_t i = s->from; i < s->to; i++) {
        sum += p->criterion[i].weight * p->criterion[i].typical;
        weight += fabs(p->criterion[i].weight);
    }
    return s->present && weight > 0 ? sum / weight : 0;
}

/* A section that the profile does not have gets a column too, used by nobody, so that sections have fixed places. */
static void describe_profile(struct vectoriser *v, size_t first) {
    const struct profile *p = v->profile;
    for (size_t i = 0; i < p->n_criterion; i++) {
        v->use[first + i] = COLUMN_LINEAR | COLUMN_TREE;
        v->term[first + i] = (uint32_t)(v->n_field + p->criterion[i].section);
    }
    for (size_t k = 0; k < SECTION_COUNT; k++) {
        v->use[first + p->n_criterion + k] = p->section[k].present ? COLUMN_SUBSCORE : 0;
        v->term[first + p->n_criterion + k] = (uint32_t)(v->n_field + k);
        v->typical[k] = vectorise_typical(p, (enum profile_section)k);
    }
}

/* A product belongs to the term of its interaction, a square to its field. */
static void describe_products(struct vectoriser *v, size_t first_term) {
    const struct products *p = encoder_products(v->encoder);
    const struct schema *s = encoder_schema(v->encoder);
    for (size_t i = 0; i < p->n; i++) {
        const uint32_t k = encoder_features(v->encoder)[p->first + i].slot;
        const struct interaction *x = &s->interaction[k];
        v->term[p->first + i] = x->first == x->second ? x->first : (uint32_t)first_term + k;
    }
}

static void describe_columns(struct arena *a, struct vectoriser *v) {
    const size_t width = encoder_width(v->encoder);
    v->n_field = encoder_schema(v->encoder)->n_field;
    v->n_column = width + (v->profile ? v->profile->n_criterion + SECTION_COUNT : 0);
    const size_t before = v->n_field + (v->profile ? SECTION_COUNT : 0);
    v->n_term = before + encoder_schema(v->encoder)->n_interaction;
    v->use = ARENA_ARRAY(a, v->n_column, unsigned char);
    v->term = ARENA_ARRAY(a, v->n_column, uint32_t);
    v->counts = ARENA_ARRAY(a, v->n_field, unsigned char);
    for (size_t f = 0; f < v->n_field; f++)
        v->counts[f] = field_is_used(&encoder_schema(v->encoder)->field[f]);
    memcpy(v->use, encoder_use(v->encoder), width);
    memcpy(v->term, encoder_field(v->encoder), width * sizeof *v->term);
    describe_products(v, before);
    if (v->profile)
        describe_profile(v, width);
}

err vectoriser_new(struct arena *a, const struct schema *s, const struct profile *p, const str *columns, size_t n_column,
                   struct vectoriser **out) {
    struct vectoriser *v = ARENA_NEW(a, struct vectoriser);
    struct encoder *encoder;
    TRY(encoder_new(a, s, columns, n_column, &encoder));
    v->encoder = encoder;
    v->profile = p;
    if (p && profile_bind(a, p, columns, n_column, &v->binding) != OK)
        v->binding = NULL;
    describe_columns(a, v);
    *out = v;
    return OK;
}

size_t vectoriser_width(const struct vectoriser *v) { return v->n_column; }
size_t vectoriser_first_criterion(const struct vectoriser *v) { return encoder_width(v->encoder); }
size_t vectoriser_terms(const struct vectoriser *v) { return v->n_term; }
const unsigned char *vectoriser_use(const struct vectoriser *v) { return v->use; }
const uint32_t *vectoriser_term(const struct vectoriser *v) { return v->term; }
const struct encoder *vectoriser_encoder(const struct vectoriser *v) { return v->encoder; }
const struct profile_binding *vectoriser_binding(const struct vectoriser *v) { return v->binding; }

/* The encoded row has room for its own entries only: the vector's room is wider by the sections. */
struct room {
    struct vector vector;
    struct encoded *encoded;
    struct subscores *subscores;
    uint32_t *col;
    double *val;
};

struct vector *vector_new(struct arena *a, const struct vectoriser *v) {
    struct room *r = ARENA_NEW(a, struct room);
    size_t most = encoder_max_nonzero(v->encoder) + (v->profile ? v->profile->n_criterion + SECTION_COUNT : 0);
    r->encoded = encoded_new(a, v->encoder);
    r->subscores = v->binding ? subscores_new(a, v->binding) : NULL;
    r->col = ARENA_ARRAY(a, most, uint32_t);
    r->val = ARENA_ARRAY(a, most, double);
    r->vector.encoded = r->encoded;
    r->vector.subscores = r->subscores;
    r->vector.missing = ARENA_ARRAY(a, v->n_term, unsigned char);
    return &r->vector;
}

/* Copies the encoded entries and appends the known criteria and sections. */
static void append_profile(const struct vectoriser *v, struct room *r) {
    const struct row *x = &r->encoded->row;
    const size_t first = vectoriser_first_criterion(v);
    memcpy(r->col, x->col, x->n * sizeof *r->col);
    memcpy(r->val, x->val, x->n * sizeof *r->val);
    size_t n = x->n + profile_row(v->profile, r->subscores, (uint32_t)first, r->col + x->n, r->val + x->n);
    for (size_t k = 0; k < SECTION_COUNT; k++) {
        const struct subscore *s = &r->subscores->section[k];
        if (!s->present || !s->known)
            continue;
        r->col[n] = (uint32_t)(first + v->profile->n_criterion + k);
        r->val[n++] = s->score - v->typical[k];
    }
    r->vector.row = (struct row){n, r->col, r->val};
}

void vectorise_row(const struct vectoriser *v, const str *cell, int64_t now_ms, struct vector *out) {
    struct room *r = (struct room *)out;
    encode_row(v->encoder, cell, r->encoded);
    for (size_t f = 0; f < v->n_field; f++) {
        enum value_state state = r->encoded->value[f].state;
        out->missing[f] = v->counts[f] & (state == VALUE_MISSING || state == VALUE_INVALID);
    }
    if (!r->subscores) {
        out->row = r->encoded->row;
        return;
    }
    subscores_compute(v->binding, cell, now_ms, r->subscores);
    append_profile(v, r);
}

/* A dataset that grows row by row. */
struct growing {
    uint32_t *col;
    double *val;
    size_t n, cap;
};

static void append_row(struct arena *a, struct growing *g, struct row x) {
    if (g->n + x.n > g->cap) {
        size_t cap = g->cap;
        g->col = arena_grow(a, g->col, &cap, g->n + x.n, sizeof *g->col);
        g->val = arena_grow(a, g->val, &g->cap, g->n + x.n, sizeof *g->val);
    }
    if (x.n == 0)
        return;
    memcpy(g->col + g->n, x.col, x.n * sizeof *g->col);
    memcpy(g->val + g->n, x.val, x.n * sizeof *g->val);
    g->n += x.n;
}

void vectorise_rows(struct arena *a, const struct vectoriser *v, const struct frame *f, const uint32_t *rows, size_t n,
                    const double *y, int64_t now_ms, struct dataset **out, const unsigned char **missing) {
    struct vector *x = vector_new(a, v);
    str *cell = ARENA_ARRAY(a, f->n_col, str);
    struct growing g = {.cap = 0};
    size_t *start = ARENA_ARRAY(a, n + 1, size_t);
    double *outcome = ARENA_ARRAY(a, n, double);
    unsigned char *marks = missing ? ARENA_ARRAY(a, n * v->n_term, unsigned char) : NULL;
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < f->n_col; c++)
            cell[c] = f->cell[c][rows[i]];
        vectorise_row(v, cell, now_ms, x);
        append_row(a, &g, x->row);
        start[i + 1] = g.n;
        outcome[i] = y ? y[i] : 0;
        if (marks)
            memcpy(marks + i * v->n_term, x->missing, v->n_term);
    }
    struct dataset *s = ARENA_NEW(a, struct dataset);
    *s = (struct dataset){.n = n, .d = v->n_column, .start = start, .col = g.col, .val = g.val, .y = outcome};
    *out = s;
    if (missing)
        *missing = marks;
}

void vectorise_widen(struct arena *a, const struct vectoriser *v, struct dataset **s, const unsigned char **missing) {
    const size_t n_term = v->n_term - encoder_schema(v->encoder)->n_interaction;
    if (missing && *missing) {
        unsigned char *marks = ARENA_ARRAY(a, (*s)->n * v->n_term, unsigned char);
        for (size_t i = 0; i < (*s)->n; i++)
            memcpy(marks + i * v->n_term, *missing + i * n_term, n_term);
        *missing = marks;
    }
    *s = products_widen_all(a, encoder_products(v->encoder), *s);
}
