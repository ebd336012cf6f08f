/* fuse.c — gathers claims, orders them so that their order does not matter, and fuses field after field. */
#include "enrich/fuse_priv.h"

#include <math.h>
#include <stdlib.h>

struct fuse {
    struct arena *arena;
    struct fuse_options options;
    struct names objects, attributes, sources, values;
    struct observation *o;
    size_t n, cap, worth_cap;
    uint64_t given, empty;
};

static const uint64_t claim_limit = 50000000;

/* ---- names ---- */

void names_init(struct names *t, struct arena *a) { *t = (struct names){.slots = 64, .slot = ARENA_ARRAY(a, 64, uint32_t)}; }

static void place(struct names *t, uint32_t k) {
    size_t at = str_hash(t->text[k]) & (t->slots - 1);
    while (t->slot[at] != 0)
        at = (at + 1) & (t->slots - 1);
    t->slot[at] = k + 1;
}

uint32_t names_add(struct names *t, struct arena *a, str text) {
    size_t at = str_hash(text) & (t->slots - 1);
    for (; t->slot[at] != 0; at = (at + 1) & (t->slots - 1))
        if (str_equal(t->text[t->slot[at] - 1], text))
            return t->slot[at] - 1;
    if (t->n == t->cap)
        t->text = arena_grow(a, t->text, &t->cap, t->n + 1, sizeof *t->text);
    t->text[t->n] = str_copy(a, text);
    t->slot[at] = (uint32_t)++t->n;
    if (t->n * 2 > t->slots) {
        t->slots *= 2;
        t->slot = ARENA_ARRAY(a, t->slots, uint32_t);
        for (uint32_t k = 0; k < t->n; k++)
            place(t, k);
    }
    return (uint32_t)t->n - 1;
}

struct ranked {
    str text;
    uint32_t from;
};

static int by_text(const void *a, const void *b) {
    return str_compare(((const struct ranked *)a)->text, ((const struct ranked *)b)->text);
}

uint32_t *names_rank(struct names *t, struct arena *a) {
    struct ranked *order = ARENA_ARRAY(a, t->n, struct ranked);
    uint32_t *rank = ARENA_ARRAY(a, t->n, uint32_t);
    for (uint32_t k = 0; k < t->n; k++)
        order[k] = (struct ranked){t->text[k], k};
    qsort(order, t->n, sizeof *order, by_text);
    for (uint32_t k = 0; k < t->n; k++) {
        rank[order[k].from] = k;
        t->text[k] = order[k].text;
    }
    return rank;
}

/* ---- gathering ---- */

struct fuse *fuse_new(struct arena *a, const struct fuse_options *o) {
    struct fuse *f = ARENA_NEW(a, struct fuse);
    f->arena = a;
    f->options = *o;
    names_init(&f->objects, a);
    names_init(&f->attributes, a);
    names_init(&f->sources, a);
    names_init(&f->values, a);
    return f;
}

err fuse_add(struct fuse *f, const struct fuse_claim *c) {
    const uint64_t most = f->options.max_claim > 0 ? f->options.max_claim : claim_limit;
    if (str_trim(c->object).len == 0)
        return fail(ERR_INPUT, "fuse_no_object", "the claim names no object");
    if (str_trim(c->attribute).len == 0)
        return fail(ERR_INPUT, "fuse_no_attribute", "the claim names no attribute");
    if (str_trim(c->source).len == 0)
        return fail(ERR_INPUT, "fuse_no_source", "the claim names no source");
    if (f->given >= most)
        return fail(ERR_LIMIT, "fuse_claims", "there are more than %llu claims", (unsigned long long)most);
    f->given++;
    if (fuse_value_is_empty(c->value)) {
        f->empty++;
        return OK;
    }
    if (f->n == f->cap)
        f->o = arena_grow(f->arena, f->o, &f->cap, f->n + 1, sizeof *f->o);
    const bool stated = c->confidence > 0 && c->confidence <= 1;
    f->o[f->n] = (struct observation){.object = names_add(&f->objects, f->arena, c->object),
                                      .attribute = names_add(&f->attributes, f->arena, str_trim(c->attribute)),
                                      .source = names_add(&f->sources, f->arena, str_trim(c->source)),
                                      .value = names_add(&f->values, f->arena, str_trim(c->value)),
                                      .at_ms = c->observed_ms,
                                      .confidence = stated ? (float)c->confidence : NAN,
                                      .order = f->n};
    f->n++;
    return OK;
}

str fuse_source(const struct fuse *f, uint32_t number) { return f->sources.text[number]; }

/* ---- ordering ---- */

static int compare_u32(uint32_t a, uint32_t b) { return a < b ? -1 : a > b; }

static int by_place(const void *a, const void *b) {
    const struct observation *x = a, *y = b;
    int c = compare_u32(x->attribute, y->attribute);
    c = c ? c : compare_u32(x->object, y->object);
    c = c ? c : compare_u32(x->source, y->source);
    c = c ? c : compare_u32(x->value, y->value);
    if (c)
        return c;
    if (x->at_ms != y->at_ms)
        return x->at_ms > y->at_ms ? -1 : 1;
    const double u = isnan(x->confidence) ? 0 : (double)x->confidence, v = isnan(y->confidence) ? 0 : (double)y->confidence;
    return u > v ? -1 : u < v;
}

/* Numbers follow the byte order of the texts, so that no sum depends on the order of the input. */
static void sort_observations(struct fuse *f) {
    struct names *const table[] = {&f->objects, &f->attributes, &f->sources, &f->values};
    const uint32_t *rank[4];
    for (size_t k = 0; k < 4; k++)
        rank[k] = names_rank(table[k], f->arena);
    for (size_t k = 0; k < f->n; k++) {
        struct observation *o = &f->o[k];
        o->object = rank[0][o->object];
        o->attribute = rank[1][o->attribute];
        o->source = rank[2][o->source];
        o->value = rank[3][o->value];
    }
    if (f->n > 0)
        qsort(f->o, f->n, sizeof *f->o, by_place);
    for (size_t k = 0; k < f->n; k++)
        for (size_t j = 0; j < f->options.n_anchor && !f->o[k].anchor; j++)
            f->o[k].anchor = str_equal(f->options.anchor[j], f->sources.text[f->o[k].source]);
}

/* Of one source on one item: the same text twice is one claim, and a dated claim replaces its older ones. */
static void drop_repeated(struct fuse *f, struct fuse_result *r) {
    for (size_t from = 0, to; from < f->n; from = to) {
        const struct observation *o = &f->o[from];
        int64_t newest = FUSE_UNKNOWN_TIME;
        for (to = from;
             to < f->n && f->o[to].attribute == o->attribute && f->o[to].object == o->object && f->o[to].source == o->source;
             to++)
            newest = f->o[to].at_ms > newest ? f->o[to].at_ms : newest;
        for (size_t k = from; k < to; k++) {
            const bool again = k > from && f->o[k].value == f->o[k - 1].value, old = f->o[k].at_ms < newest;
            if (again && f->o[k - 1].order < f->o[k].order)
                f->o[k].order = f->o[k - 1].order;
            f->o[k].dropped = again || old;
            r->repeated += again;
            r->superseded += old && !again;
        }
    }
}

/* ---- fields ---- */

/* Of pairs of claims of one item by different sources, the share with the same text; 1 when there are too few to tell: to
 * choose among what is claimed is safe. */
static double share_repeats(const struct field_view *v) {
    enum { FEW = 20 };
    double pairs = 0, same = 0;
    size_t compared = 0;
    for (size_t i = 0; i < v->n_item; i++) {
        compared += v->o[v->start[i]].source != v->o[v->start[i + 1] - 1].source;
        for (size_t k = v->start[i]; k < v->start[i + 1] && k < v->start[i] + 32; k++)
            for (size_t j = v->start[i]; j < k; j++) {
                if (v->o[j].source == v->o[k].source)
                    continue;
                pairs++;
                same += v->o[j].value == v->o[k].value;
            }
    }
    return compared < FEW ? 1 : same / pairs;
}

static enum fuse_type type_of(const struct field_view *v) {
    for (size_t k = 0; k < v->options->n_override; k++)
        if (str_equal(v->options->override[k].attribute, v->attribute) && v->options->override[k].type != FUSE_AUTO)
            return v->options->override[k].type;
    enum { LOOKED_AT = 4000 };
    struct fuse_look look = {0};
    const size_t step = v->n / LOOKED_AT + 1;
    for (size_t k = 0; k < v->n; k += step)
        fuse_look_add(&look, v->values->text[v->o[k].value]);
    return fuse_look_type(&look, share_repeats(v));
}

static void count_items(struct field_view *v, struct arena *a) {
    uint32_t *start = ARENA_ARRAY(a, v->n + 1, uint32_t);
    for (size_t k = 0; k < v->n; k++)
        if (k == 0 || v->o[k].object != v->o[k - 1].object)
            start[v->n_item++] = (uint32_t)k;
    start[v->n_item] = (uint32_t)v->n;
    v->start = start;
}

void field_list_sources(const struct field_view *v, size_t i, struct fuse_fact *fact) {
    const size_t from = v->start[i], to = v->start[i + 1];
    uint32_t *list = ARENA_ARRAY(v->arena, to - from, uint32_t);
    size_t n = 0;
    for (int side = 1; side >= 0; side--) {
        const size_t begin = n;
        for (size_t k = from; k < to; k++)
            if (!v->o[k].dropped && v->o[k].supports == (side == 1) && (n == begin || list[n - 1] != v->o[k].source))
                list[n++] = v->o[k].source;
        *(side == 1 ? &fact->n_for : &fact->n_against) = (uint32_t)(n - begin);
    }
    fact->sources = list;
}

static const double ms_of_year = 365.25 * 86400000;

void field_claims_new(const struct field_view *v, struct arena *a, struct field_claims *out) {
    *out = (struct field_claims){ARENA_ARRAY(a, v->n_item + 1, uint32_t),
                                 ARENA_ARRAY(a, v->n, uint32_t),
                                 ARENA_ARRAY(a, v->n, uint32_t),
                                 ARENA_ARRAY(a, v->n, float),
                                 ARENA_ARRAY(a, v->n, float),
                                 ARENA_ARRAY(a, v->n, float),
                                 0};
    for (size_t i = 0; i < v->n_item; i++) {
        out->start[i] = (uint32_t)out->n;
        for (size_t k = v->start[i]; k < v->start[i + 1]; k++) {
            const struct observation *o = &v->o[k];
            if (o->dropped || o->anchor)
                continue;
            const size_t c = out->n++;
            const double usual = v->usual[o->source];
            out->source[c] = o->source;
            out->at[c] = (uint32_t)k;
            out->age_year[c] = o->at_ms == FUSE_UNKNOWN_TIME ? 0 : (float)((double)(v->newest_ms - o->at_ms) / ms_of_year);
            out->trust[c] = isnan(o->confidence) || !(usual > 0) ? 1 : (float)fmin(1, (double)o->confidence / usual);
        }
        for (size_t c = out->start[i]; c < out->n;) {
            size_t to = c;
            while (to < out->n && out->source[to] == out->source[c])
                to++;
            for (size_t k = c; k < to; k++)
                out->share[k] = 1 / (float)(to - c);
            c = to;
        }
    }
    out->start[v->n_item] = (uint32_t)out->n;
}

/* ---- all fields ---- */

static double *usual_confidence(const struct fuse *f) {
    double *sum = ARENA_ARRAY(f->arena, f->sources.n, double), *n = ARENA_ARRAY(f->arena, f->sources.n, double);
    for (size_t k = 0; k < f->n; k++)
        if (!isnan(f->o[k].confidence)) {
            sum[f->o[k].source] += (double)f->o[k].confidence;
            n[f->o[k].source]++;
        }
    for (size_t s = 0; s < f->sources.n; s++)
        sum[s] = n[s] > 0 ? sum[s] / n[s] : NAN;
    return sum;
}

/* Sources whose names begin alike, up to the first colon, slash, bracket or blank. */
static uint32_t *families(const struct fuse *f, size_t *n) {
    uint32_t *family = ARENA_ARRAY(f->arena, f->sources.n, uint32_t);
    struct names known;
    names_init(&known, f->arena);
    for (size_t s = 0; s < f->sources.n; s++) {
        const str name = f->sources.text[s];
        size_t k = 0;
        while (k < name.len && !memchr(":/( ", name.ptr[k], 4))
            k++;
        family[s] = names_add(&known, f->arena, str_slice(name, 0, k));
    }
    *n = known.n;
    return family;
}

static struct field_view *divide(struct fuse *f, size_t *n) {
    struct field_view *view = ARENA_ARRAY(f->arena, f->attributes.n, struct field_view);
    const double *usual = usual_confidence(f);
    size_t n_family;
    const uint32_t *family = families(f, &n_family);
    *n = 0;
    for (size_t from = 0, to; from < f->n; from = to) {
        struct field_view *v = &view[(*n)++];
        *v = (struct field_view){.arena = f->arena,
                                 .options = &f->options,
                                 .objects = &f->objects,
                                 .sources = &f->sources,
                                 .values = &f->values,
                                 .attribute = f->attributes.text[f->o[from].attribute],
                                 .o = f->o + from,
                                 .newest_ms = FUSE_UNKNOWN_TIME,
                                 .usual = usual,
                                 .family = family,
                                 .n_family = n_family};
        for (to = from; to < f->n && f->o[to].attribute == f->o[from].attribute; to++)
            v->newest_ms = f->o[to].at_ms > v->newest_ms ? f->o[to].at_ms : v->newest_ms;
        v->n = to - from;
        count_items(v, f->arena);
        v->type = type_of(v);
    }
    return view;
}

static bool one_value(enum fuse_type type) {
    return type == FUSE_TEXT || type == FUSE_CLOCK || type == FUSE_DATE || type == FUSE_NUMBER;
}

/* How much better or worse than others a source is in all fields but one. */
static double *expected(const struct fuse *f, const struct field_accuracy *all, size_t n, size_t but) {
    double *out = ARENA_ARRAY(f->arena, f->sources.n, double);
    for (size_t s = 0; s < f->sources.n; s++) {
        double ahead = 0, evidence = 8;
        for (size_t k = 0; k < n; k++)
            if (k != but && all[k].known) {
                ahead += all[k].evidence[s] * (all[k].accuracy[s] - all[k].mean);
                evidence += all[k].evidence[s];
            }
        out[s] = fmin(0.98, fmax(0.05, all[but].mean + ahead / evidence));
    }
    return out;
}

struct first_seen {
    uint64_t order;
    size_t fact;
};

static int by_first(const void *a, const void *b) {
    const struct first_seen *x = a, *y = b;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void order_facts(struct fuse *f, const struct field_view *view, size_t n, struct fuse_result *r) {
    struct first_seen *first = ARENA_ARRAY(f->arena, r->n_fact, struct first_seen);
    struct fuse_fact *sorted = ARENA_ARRAY(f->arena, r->n_fact, struct fuse_fact);
    size_t at = 0;
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < view[k].n_item; i++, at++) {
            first[at] = (struct first_seen){UINT64_MAX, at};
            for (size_t c = view[k].start[i]; c < view[k].start[i + 1]; c++)
                if (view[k].o[c].order < first[at].order)
                    first[at].order = view[k].o[c].order;
        }
    qsort(first, r->n_fact, sizeof *first, by_first);
    for (size_t k = 0; k < r->n_fact; k++)
        sorted[k] = r->fact[first[k].fact];
    r->fact = sorted;
}

static void keep_worth(struct fuse *f, const struct fuse_source_worth *worth, struct fuse_result *r) {
    for (size_t s = 0; s < f->sources.n; s++) {
        if (!(worth[s].evidence > 0))
            continue;
        if (r->n_worth == f->worth_cap)
            r->worth = arena_grow(f->arena, r->worth, &f->worth_cap, r->n_worth + 1, sizeof *r->worth);
        r->worth[r->n_worth++] = worth[s];
    }
}

static void fuse_fields(struct fuse *f, const struct field_view *view, size_t n, struct fuse_result *r) {
    struct field_accuracy *accuracy = ARENA_ARRAY(f->arena, n, struct field_accuracy);
    size_t single = 0, at = 0;
    for (size_t k = 0; k < n; k++)
        if (one_value(view[k].type)) {
            field_fuse_category(&view[k], NULL, NULL, &r->field[k], &accuracy[k]);
            single++;
        }
    for (size_t k = 0; k < n; k++) {
        const struct field_view *v = &view[k];
        struct fuse_source_worth *worth = ARENA_ARRAY(f->arena, f->sources.n, struct fuse_source_worth);
        r->field[k] = (struct fuse_field){.attribute = v->attribute, .type = v->type, .claims = v->n, .items = v->n_item};
        for (size_t s = 0; s < f->sources.n; s++)
            worth[s] = (struct fuse_source_worth){f->sources.text[s], v->attribute, 0, NAN, NAN, NAN, NAN, NAN, false};
        if (one_value(v->type)) {
            struct field_accuracy again = {0};
            field_fuse_category(v, single > 1 ? expected(f, accuracy, n, k) : NULL, r->fact + at, &r->field[k], &again);
            for (size_t s = 0; s < f->sources.n; s++) {
                worth[s].accuracy = again.accuracy[s];
                worth[s].evidence = again.evidence[s];
            }
        } else if (v->type == FUSE_AMOUNT)
            field_fuse_amount(v, r->fact + at, &r->field[k], worth);
        else
            field_fuse_list(v, r->fact + at, &r->field[k], worth);
        at += v->n_item;
        keep_worth(f, worth, r);
    }
}

void fuse_run(struct fuse *f, struct fuse_result *out) {
    size_t n;
    *out = (struct fuse_result){.claims = f->given, .empty = f->empty};
    sort_observations(f);
    drop_repeated(f, out);
    const struct field_view *view = divide(f, &n);
    for (size_t k = 0; k < n; k++)
        out->n_fact += view[k].n_item;
    out->fact = ARENA_ARRAY(f->arena, out->n_fact, struct fuse_fact);
    out->field = ARENA_ARRAY(f->arena, n, struct fuse_field);
    out->n_field = n;
    out->n_source = f->sources.n;
    out->n_object = f->objects.n;
    fuse_fields(f, view, n, out);
    order_facts(f, view, n, out);
}
