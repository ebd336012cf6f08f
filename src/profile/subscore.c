/* subscore.c — columns bound to criteria, credits summed to sub-scores, and rules that disqualify. */
#include "profile/subscore.h"

#include "base/time.h"
#include "profile/profile_priv.h"

#include <math.h>

enum { UNBOUND = -1 };

/* A column that some criterion or rule reads; read once a row. */
struct slot {
    str term;
    ptrdiff_t column; /* of the file, or UNBOUND */
    bool splits;      /* some criterion needs its parts */
};

struct profile_binding {
    const struct profile *profile;
    struct slot *slot;
    size_t n_slot;
    const uint32_t *slot_of_criterion;
    const uint32_t *const *slot_of_condition; /* [rule][condition] */
    ptrdiff_t as_of;                          /* column, or UNBOUND */
    const struct profile_absent *absent;
    size_t n_absent;
};

/* One thread's room: the results first, so that the public pointer is this one. */
struct room {
    struct subscores out;
    struct cell cell[];
};

/* ---- binding ---- */

static ptrdiff_t find_column(const str *columns, size_t n, str name) {
    for (size_t i = 0; i < n; i++)
        if (str_equal(columns[i], name))
            return (ptrdiff_t)i;
    for (size_t i = 0; i < n; i++)
        if (str_equal_nocase(str_trim(columns[i]), name))
            return (ptrdiff_t)i;
    return UNBOUND;
}

static const struct profile_field *find_field(const struct profile *p, str term) {
    for (size_t i = 0; i < p->n_field; i++)
        if (str_equal(p->field[i].term, term))
            return &p->field[i];
    return NULL;
}

static ptrdiff_t column_of(const struct profile *p, str term, const str *columns, size_t n) {
    const struct profile_field *f = find_field(p, term);
    if (!f)
        return find_column(columns, n, term);
    for (size_t i = 0; i < f->n_column; i++) {
        ptrdiff_t at = find_column(columns, n, f->column[i]);
        if (at != UNBOUND)
            return at;
    }
    return UNBOUND;
}

struct binder {
    struct arena *a;
    struct profile_binding *b;
    struct profile_absent *absent;
    const str *columns;
    size_t n, n_bound;
};

static void note_absent(struct binder *k, str term) {
    const struct profile_field *f = find_field(k->b->profile, term);
    k->absent[k->b->n_absent++] =
        (struct profile_absent){term, f ? str_join(k->a, f->column, f->n_column, STR(" or ")) : term};
}

/* The slot of a term, made when it is new. */
static uint32_t slot_of(struct binder *k, str term, bool splits) {
    struct profile_binding *b = k->b;
    uint32_t s = 0;
    while (s < b->n_slot && !str_equal(b->slot[s].term, term))
        s++;
    if (s == b->n_slot) {
        b->slot[b->n_slot++] = (struct slot){term, column_of(b->profile, term, k->columns, k->n), false};
        if (b->slot[s].column == UNBOUND)
            note_absent(k, term);
        else
            k->n_bound++;
    }
    b->slot[s].splits = b->slot[s].splits || splits;
    return s;
}

static void bind_criteria(struct binder *k) {
    const struct profile *p = k->b->profile;
    uint32_t *of = ARENA_ARRAY(k->a, p->n_criterion, uint32_t);
    for (size_t i = 0; i < p->n_criterion; i++) {
        const struct profile_criterion *c = &p->criterion[i];
        of[i] = slot_of(k, c->field, c->kind == CRITERION_TECHNOLOGY || c->separator != 0);
    }
    k->b->slot_of_criterion = of;
}

static void bind_rules(struct binder *k) {
    const struct profile *p = k->b->profile;
    const uint32_t **of = ARENA_ARRAY(k->a, p->n_rule, const uint32_t *);
    for (size_t r = 0; r < p->n_rule; r++) {
        uint32_t *slots = ARENA_ARRAY(k->a, p->rule[r].n_when, uint32_t);
        for (size_t i = 0; i < p->rule[r].n_when; i++)
            slots[i] = slot_of(k, p->rule[r].when[i].field, false);
        of[r] = slots;
    }
    k->b->slot_of_condition = of;
}

err profile_bind(struct arena *a, const struct profile *p, const str *columns, size_t n,
                 const struct profile_binding **out) {
    size_t most = p->n_criterion + 1;
    for (size_t r = 0; r < p->n_rule; r++)
        most += p->rule[r].n_when;
    struct profile_binding *b = ARENA_NEW(a, struct profile_binding);
    b->profile = p;
    b->slot = ARENA_ARRAY(a, most, struct slot);
    struct binder k = {a, b, ARENA_ARRAY(a, most, struct profile_absent), columns, n, 0};
    bind_criteria(&k);
    bind_rules(&k);
    b->as_of = p->as_of.len > 0 ? column_of(p, p->as_of, columns, n) : UNBOUND;
    if (p->as_of.len > 0 && b->as_of == UNBOUND)
        note_absent(&k, p->as_of);
    b->absent = k.absent;
    if (k.n_bound == 0)
        return fail(
            ERR_INPUT, "profile_no_columns",
            "the file has none of the columns that the profile \"%.*s\" looks at (\"%.*s\" is the first): map its terms "
            "to columns under \"fields\"",
            STR_ARG(p->name), STR_ARG(b->absent[0].columns));
    *out = b;
    return OK;
}

const struct profile *profile_binding_profile(const struct profile_binding *b) { return b->profile; }

const struct profile_absent *profile_binding_absent(const struct profile_binding *b, size_t *n) {
    *n = b->n_absent;
    return b->absent;
}

ptrdiff_t profile_binding_column(const struct profile_binding *b, size_t criterion) {
    return b->slot[b->slot_of_criterion[criterion]].column;
}

/* ---- one row ---- */

struct subscores *subscores_new(struct arena *a, const struct profile_binding *b) {
    struct room *room = arena_alloc(a, sizeof(struct room) + b->n_slot * sizeof(struct cell));
    room->out.credit = ARENA_ARRAY(a, b->profile->n_criterion, double);
    room->out.value = ARENA_ARRAY(a, b->profile->n_criterion, str);
    for (size_t s = 0; s < b->n_slot; s++) {
        room->cell[s].words = arena_alloc(a, CELL_WORDS_BYTE);
        room->cell[s].part = b->slot[s].splits ? ARENA_ARRAY(a, CELL_MAX_PARTS, str) : NULL;
    }
    return &room->out;
}

static bool is_missing(const struct profile *p, str text) {
    for (size_t i = 0; i < p->n_missing; i++)
        if (str_equal_nocase(p->missing[i], text))
            return true;
    return text.len == 0;
}

static void load_cells(const struct profile_binding *b, const str *cells, struct room *room) {
    for (size_t s = 0; s < b->n_slot; s++) {
        struct cell *cell = &room->cell[s];
        cell->text = b->slot[s].column == UNBOUND ? (str){0} : str_trim(cells[b->slot[s].column]);
        cell->known = !is_missing(b->profile, cell->text);
        cell->number = CELL_UNREAD;
        cell->has_words = cell->has_parts = false;
    }
}

static void disqualify(const struct profile_binding *b, struct room *room) {
    const struct profile *p = b->profile;
    room->out.disqualified = NULL;
    for (size_t r = 0; r < p->n_rule && !room->out.disqualified; r++) {
        size_t i = 0;
        while (i < p->rule[r].n_when && condition_holds(&p->rule[r].when[i], &room->cell[b->slot_of_condition[r][i]]) == 1)
            i++;
        if (i == p->rule[r].n_when) {
            room->out.disqualified = &p->rule[r];
            room->out.disqualified_value = room->cell[b->slot_of_condition[r][0]].text;
        }
    }
}

/* What the weighted credits of a section are divided by when `known` of the |weight| is known. */
static double section_divisor(const struct profile *p, enum profile_section s, double known) {
    if (s != SECTION_TECHNOGRAPHICS)
        return known;
    double wanted = 0, unwanted = 0;
    for (size_t i = p->section[s].from; i < p->section[s].to; i++)
        *(p->criterion[i].weight > 0 ? &wanted : &unwanted) += fabs(p->criterion[i].weight);
    return wanted > 0 ? wanted : unwanted;
}

static void sum_section(const struct profile *p, enum profile_section s, const double *credit, struct subscore *out) {
    double total = 0, known = 0, sum = 0, typical = 0;
    for (size_t i = p->section[s].from; i < p->section[s].to; i++) {
        double weight = p->criterion[i].weight;
        total += fabs(weight);
        if (!isnan(credit[i])) {
            known += fabs(weight);
            sum += weight * credit[i];
            typical += weight * p->criterion[i].typical;
        }
    }
    out->present = true;
    out->known = known > 0;
    double divisor = known > 0 ? section_divisor(p, s, known) : 1;
    out->score = sum / divisor;
    out->typical = typical / divisor;
    out->unknown = known < total ? 1 - known / total : 0;
}

/* Eq. 9. */
static double plain_overlap(const struct profile *p, const double *credit) {
    size_t n[2] = {0}, has[2] = {0};
    const struct profile_section_weight *s = &p->section[SECTION_TECHNOGRAPHICS];
    for (size_t i = s->from; i < s->to; i++) {
        if (p->criterion[i].role == TECHNOLOGY_NEGATIVE)
            continue;
        if (isnan(credit[i]))
            return NAN;
        n[p->criterion[i].role]++;
        has[p->criterion[i].role] += credit[i] > 0;
    }
    int role = n[TECHNOLOGY_REQUIRED] > 0 ? TECHNOLOGY_REQUIRED : TECHNOLOGY_DESIRED;
    return n[role] > 0 ? (double)has[role] / (double)n[role] : NAN;
}

void subscores_compute(const struct profile_binding *b, const str *cells, int64_t now_ms, struct subscores *out) {
    struct room *room = (struct room *)out;
    const struct profile *p = b->profile;
    load_cells(b, cells, room);
    disqualify(b, room);
    struct moment as_of;
    if (b->as_of != UNBOUND && time_read(cells[b->as_of], TIME_ORDER_UNKNOWN, &as_of) == TIME_GOOD)
        now_ms = as_of.ms;
    out->event_sum = 0;
    for (size_t i = 0; i < p->n_criterion; i++) {
        struct cell *cell = &room->cell[b->slot_of_criterion[i]];
        const struct profile_criterion *c = &p->criterion[i];
        bool about_known = c->kind == CRITERION_COMPARISON && c->when.op == COMPARE_KNOWN;
        bool bound = b->slot[b->slot_of_criterion[i]].column != UNBOUND;
        double sum = 0;
        out->credit[i] = cell->known || (about_known && bound) ? criterion_credit(c, cell, now_ms, &sum) : NAN;
        out->value[i] = isnan(out->credit[i]) ? (str){0} : cell->text;
        out->event_sum += c->weight * sum;
    }
    double weight = 0, known = 0;
    for (int s = 0; s < SECTION_COUNT; s++) {
        out->section[s] = (struct subscore){0};
        if (!p->section[s].present)
            continue;
        sum_section(p, (enum profile_section)s, out->credit, &out->section[s]);
        weight += p->section[s].weight;
        known += p->section[s].weight * (1 - out->section[s].unknown);
    }
    out->overlap = plain_overlap(p, out->credit);
    out->known_share = known / weight;
    out->insufficient = !(known > 0);
}

/* ---- what is missing ---- */

str subscores_missing(struct arena *a, const struct profile_binding *b, const struct subscores *s) {
    const struct profile *p = b->profile;
    enum { SHOWN = 3 };
    str name[SHOWN];
    double weight[SHOWN];
    size_t n = 0, total = 0;
    for (size_t i = 0; i < b->n_slot; i++) {
        double w = 0;
        for (size_t c = 0; c < p->n_criterion; c++)
            if (b->slot_of_criterion[c] == i && isnan(s->credit[c]))
                w += p->section[p->criterion[c].section].weight * fabs(p->criterion[c].weight);
        if (w <= 0)
            continue;
        total++;
        size_t at = n < SHOWN ? n++ : SHOWN;
        for (; at > 0 && weight[at - 1] < w; at--)
            if (at < SHOWN) {
                weight[at] = weight[at - 1];
                name[at] = name[at - 1];
            }
        if (at < SHOWN) {
            weight[at] = w;
            name[at] = b->slot[i].term;
        }
    }
    if (total > SHOWN)
        return str_format(a, "%.*s and %zu more", STR_ARG(str_join(a, name, n, STR(", "))), total - n);
    if (n < 2)
        return n == 0 ? STR("") : name[0];
    str front = str_join(a, name, n - 1, STR(", "));
    return str_format(a, "%.*s and %.*s", STR_ARG(front), STR_ARG(name[n - 1]));
}
