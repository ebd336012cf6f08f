/* pin_bind.c — a model and a profile tied to cells, and a lead's columns put into them. */
#include "flow/pin_priv.h"
#include "learn/predict.h"

/* Names of cells in the making. */
struct cells {
    struct model_pin *pin;
    str *name; /* of the cell, as the vectoriser is bound to it */
    size_t cap, wish_cap;
};

static void add_wish(struct cells *c, str name, uint16_t rank, bool exact) {
    struct model_pin *pin = c->pin;
    if (pin->n_wish == c->wish_cap)
        pin->wish = arena_grow(pin->arena, pin->wish, &c->wish_cap, pin->n_wish + 1, sizeof *pin->wish);
    pin->wish[pin->n_wish++] =
        (struct wish){.name = str_trim(name), .cell = (uint32_t)pin->n_cell, .rank = rank, .exact = exact};
}

/* ---- what is wanted ---- */

static void add_fields(struct cells *c, const struct schema *s) {
    for (size_t f = 0; f < s->n_field; f++) {
        if (!field_is_used(&s->field[f]))
            continue;
        add_wish(c, s->field[f].name, 0, true);
        c->pin->separator[c->pin->n_cell] = s->field[f].type == FIELD_MULTI ? s->field[f].separator : ';';
        c->name[c->pin->n_cell++] = s->field[f].name;
    }
}

/* A profile whose terms are each found in a cell of their own. */
struct terms {
    struct cells *c;
    const struct profile *p;
    struct profile_field *field;
    size_t n;
    const char *mark; /* in front of the cells' names: no column has it */
};

static void add_term(struct terms *t, str term, char separator) {
    struct cells *c = t->c;
    struct model_pin *pin = c->pin;
    for (size_t i = 0; i < t->n; i++)
        if (str_equal(t->field[i].term, term))
            return;
    const struct profile_field *f = NULL;
    for (size_t i = 0; i < t->p->n_field && !f; i++)
        if (str_equal(t->p->field[i].term, term))
            f = &t->p->field[i];
    for (size_t i = 0; f && i < f->n_column; i++)
        add_wish(c, f->column[i], (uint16_t)(2 * i), false);
    if (!f)
        add_wish(c, term, 0, false);
    pin->several[pin->n_cell] = true;
    pin->separator[pin->n_cell] = separator ? separator : ';';
    str *name = ARENA_NEW(pin->arena, str);
    *name = c->name[pin->n_cell++] = str_format(pin->arena, "%s%.*s", t->mark, STR_ARG(term));
    t->field[t->n++] = (struct profile_field){.term = term, .column = name, .n_column = 1};
}

static size_t count_terms(const struct profile *p) {
    size_t n = p ? p->n_criterion + 1 : 0;
    for (size_t r = 0; p && r < p->n_rule; r++)
        n += p->rule[r].n_when;
    return n;
}

/* Criteria that cut a cell into parts come first: the separator of a cell is theirs. */
static void add_profile(struct cells *c, const struct profile *p, const char *mark, struct profile **out) {
    struct arena *a = c->pin->arena;
    struct terms t = {.c = c, .p = p, .mark = mark, .field = ARENA_ARRAY(a, count_terms(p), struct profile_field)};
    for (size_t i = 0; i < p->n_criterion; i++)
        if (p->criterion[i].separator)
            add_term(&t, p->criterion[i].field, p->criterion[i].separator);
    for (size_t i = 0; i < p->n_criterion; i++)
        add_term(&t, p->criterion[i].field, 0);
    for (size_t r = 0; r < p->n_rule; r++)
        for (size_t i = 0; i < p->rule[r].n_when; i++)
            add_term(&t, p->rule[r].when[i].field, 0);
    if (p->as_of.len > 0)
        add_term(&t, p->as_of, 0);
    struct profile *copy = arena_copy(a, p, sizeof *p);
    copy->field = t.field;
    copy->n_field = t.n;
    *out = copy;
}

/* ---- finding a name ---- */

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c; }

static uint32_t hash_nocase(str s) {
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)lower(s.ptr[i])) * 16777619u;
    return h ^ h >> 15;
}

static struct wish_group *find_group(const struct model_pin *pin, str name, uint32_t hash) {
    size_t at = hash & (pin->n_group - 1);
    for (;; at = (at + 1) & (pin->n_group - 1)) {
        struct wish_group *g = &pin->group[at];
        if (g->from == g->to || (g->hash == hash && str_equal_nocase(pin->wish[g->from].name, name)))
            return g;
    }
}

/* Puts wishes for the same name together, in the order of cells. */
static void group_wishes(struct model_pin *pin) {
    struct wish *sorted = ARENA_ARRAY(pin->arena, pin->n_wish, struct wish);
    bool *taken = ARENA_ARRAY(pin->arena, pin->n_wish, bool);
    uint32_t n = 0;
    for (pin->n_group = 16; pin->n_group < 2 * pin->n_wish;)
        pin->n_group *= 2;
    pin->group = ARENA_ARRAY(pin->arena, pin->n_group, struct wish_group);
    const struct wish *all = pin->wish;
    pin->wish = sorted;
    for (size_t i = 0; i < pin->n_wish; i++) {
        if (taken[i])
            continue;
        struct wish_group *g = find_group(pin, all[i].name, hash_nocase(all[i].name));
        *g = (struct wish_group){.from = n, .hash = hash_nocase(all[i].name)};
        for (size_t k = i; k < pin->n_wish; k++)
            if (!taken[k] && str_equal_nocase(all[k].name, all[i].name)) {
                taken[k] = true;
                sorted[n++] = all[k];
            }
        g->to = n;
    }
}

err pin_bind(struct model_pin *pin) {
    const struct profile *inner = pin->bundle ? pin->bundle->profile : NULL;
    struct cells c = {.pin = pin, .cap = count_terms(inner) + count_terms(pin->profile)};
    c.cap += pin->bundle ? pin->bundle->schema->n_field : 0;
    c.name = ARENA_ARRAY(pin->arena, c.cap, str);
    pin->separator = ARENA_ARRAY(pin->arena, c.cap, char);
    pin->several = ARENA_ARRAY(pin->arena, c.cap, bool);
    struct bundle b = {0};
    struct profile *copy;
    if (pin->bundle) {
        b = *pin->bundle;
        add_fields(&c, b.schema);
    }
    if (inner) {
        add_profile(&c, inner, "\x01m ", &copy);
        b.profile = copy;
    }
    if (pin->profile) {
        add_profile(&c, pin->profile, "\x01p ", &copy);
        TRY(profile_bind(pin->arena, copy, c.name, pin->n_cell, &pin->binding));
    }
    if (pin->bundle)
        TRY(predict_bind(pin->arena, &b, b.path, c.name, pin->n_cell, &pin->vectoriser));
    group_wishes(pin);
    return OK;
}

/* ---- filling ---- */

/* A list's text with the separator that is read here. */
static str separate(struct arena *a, str cell, char separator) {
    char *to = arena_copy(a, cell.ptr, cell.len);
    for (size_t i = 0; i < cell.len; i++)
        if (to[i] == ';')
            to[i] = separator;
    return (str){to, cell.len};
}

static void grant(const struct model_pin *pin, const struct wish_group *g, const struct run *run, size_t column,
                  struct scratch *s) {
    const struct run_column *from = &run->column[column];
    for (uint32_t i = g->from; i < g->to; i++) {
        const struct wish *w = &pin->wish[i];
        bool exact = str_equal(w->name, from->name);
        uint16_t rank = (uint16_t)(w->rank + !exact);
        if ((w->exact && !exact) || rank >= s->rank[w->cell])
            continue;
        s->rank[w->cell] = rank;
        s->column[w->cell] = (uint16_t)column;
        s->cell[w->cell] = from->list && pin->separator[w->cell] != ';' && from->cell.len > 0
                               ? separate(run->arena, from->cell, pin->separator[w->cell])
                               : from->cell;
    }
}

size_t pin_fill(const struct model_pin *pin, const struct run *run, struct scratch *s) {
    size_t known = 0;
    memset(s->cell, 0, pin->n_cell * sizeof *s->cell);
    memset(s->column, 0xff, pin->n_cell * sizeof *s->column);
    memset(s->rank, 0xff, pin->n_cell * sizeof *s->rank);
    for (size_t i = 0; i < run->n_column; i++) {
        str name = str_trim(run->column[i].name);
        const struct wish_group *g = find_group(pin, name, hash_nocase(name));
        if (g->from < g->to)
            grant(pin, g, run, i, s);
    }
    for (size_t i = 0; i < pin->n_cell; i++)
        known += s->cell[i].len > 0;
    return known;
}
