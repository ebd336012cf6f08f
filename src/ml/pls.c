/* pls.c — the counts of the comparator, and scoring from them. */
#include "ml/pls.h"

#include <math.h>

static const double FIRST_COUNT = 0.1;
enum { LEAST_TAG = 50 };

struct count {
    double won, lost;
    bool exists;
};

/* One table a team, then one for leads without a team, then their sum. A table has the values of every field and then the
 * stages. */
struct pls {
    struct pls_shape shape;
    size_t *at;   /* n_field + 1: where a field's values start; the last: where the stages start */
    size_t width; /* entries of a table */
    struct count *count;
    struct count *total; /* (n_team + 2) × n_field */
    bool *team_known;    /* n_team */
};

static struct count *table_of(const struct pls *p, size_t table) { return p->count + table * p->width; }

static size_t no_team(const struct pls *p) { return p->shape.n_team; }

static size_t everyone(const struct pls *p) { return p->shape.n_team + 1u; }

static err check_lead(const struct pls *p, const struct pls_lead *l) {
    if (l->stage >= p->shape.n_stage || (l->team >= p->shape.n_team && l->team != PLS_NO_TEAM))
        return fail(ERR_INPUT, "pls_code", "no such stage (%u) or team (%u)", l->stage, l->team);
    for (size_t i = 0; i < l->n_value; i++)
        if (l->value[i].field >= p->shape.n_field || l->value[i].value >= p->shape.n_value[l->value[i].field])
            return fail(ERR_INPUT, "pls_code", "field %u has no value %u", l->value[i].field, l->value[i].value);
    return OK;
}

static void add(struct count *c, bool won) {
    if (!c->exists)
        *c = (struct count){FIRST_COUNT, FIRST_COUNT, true};
    c->won += won;
    c->lost += !won;
}

/* A won lead passed every stage; a lost one those up to its last. */
static void count_lead(struct pls *p, const struct pls_lead *l) {
    bool won = l->outcome == PLS_WON;
    struct count *table = table_of(p, l->team == PLS_NO_TEAM ? no_team(p) : l->team);
    for (size_t i = 0; i < l->n_value; i++)
        add(&table[p->at[l->value[i].field] + l->value[i].value], won);
    for (size_t s = 0; s < p->shape.n_stage && (won || s <= l->stage); s++)
        add(&table[p->at[p->shape.n_field] + s], won);
    if (l->team != PLS_NO_TEAM)
        p->team_known[l->team] = true;
}

static void merge(struct count *to, const struct count *from) {
    to->won += from->won;
    to->lost += from->lost;
    to->exists |= from->exists;
}

/* The table of all teams is their sum, each team's 0.1 included; then the totals of every field. */
static void sum_tables(struct pls *p) {
    for (size_t t = 0; t < everyone(p); t++)
        for (size_t i = 0; i < p->width; i++)
            merge(table_of(p, everyone(p)) + i, table_of(p, t) + i);
    for (size_t t = 0; t <= everyone(p); t++)
        for (size_t f = 0; f < p->shape.n_field; f++)
            for (size_t i = p->at[f]; i < p->at[f + 1]; i++)
                merge(&p->total[t * p->shape.n_field + f], table_of(p, t) + i);
}

err pls_new(struct arena *a, const struct pls_shape *shape, const struct pls_lead *leads, size_t n, struct pls **out) {
    struct pls *p = ARENA_NEW(a, struct pls);
    size_t tables = shape->n_team + (size_t)2;
    p->shape = *shape;
    p->shape.n_value = arena_copy(a, shape->n_value, shape->n_field * sizeof *shape->n_value);
    if (shape->is_tag)
        p->shape.is_tag = arena_copy(a, shape->is_tag, shape->n_field * sizeof *shape->is_tag);
    if (shape->first_stage >= shape->n_stage)
        return fail(ERR_INPUT, "pls_code", "there is no stage %u", shape->first_stage);
    p->at = ARENA_ARRAY(a, shape->n_field + (size_t)1, size_t);
    for (size_t f = 0; f < shape->n_field; f++)
        p->at[f + 1] = p->at[f] + shape->n_value[f];
    p->width = p->at[shape->n_field] + shape->n_stage;
    p->count = ARENA_ARRAY(a, tables * p->width, struct count);
    p->total = ARENA_ARRAY(a, tables * shape->n_field, struct count);
    p->team_known = ARENA_ARRAY(a, shape->n_team, bool);
    for (size_t i = 0; i < n; i++) {
        TRY(check_lead(p, &leads[i]));
        if (leads[i].outcome != PLS_OPEN)
            count_lead(p, &leads[i]);
    }
    sum_tables(p);
    *out = p;
    return OK;
}

/* Multiplies the two products by a value's share of the won and of the lost. */
static void multiply(const struct count *c, double won, double lost, double product[2]) {
    if (!c->exists || won == 0 || lost == 0)
        return;
    product[0] *= c->won / won;
    product[1] *= c->lost / lost;
}

err pls_score(const struct pls *p, const struct pls_lead *l, double *per_cent) {
    TRY(check_lead(p, l));
    if (l->stage == p->shape.won_stage) {
        *per_cent = 100;
        return OK;
    }
    size_t scope = l->team != PLS_NO_TEAM && p->team_known[l->team] ? l->team : everyone(p);
    const struct count *table = table_of(p, scope), *stages = table + p->at[p->shape.n_field];
    double won = stages[p->shape.first_stage].won, lost = stages[p->shape.first_stage].lost;
    if (won == 0 || lost == 0)
        return fail(ERR_ABSENT, "pls_no_counts", "no closed leads to score from");
    double product[2] = {won / (won + lost), lost / (won + lost)};
    multiply(&stages[l->stage], won, lost, product);
    for (size_t i = 0; i < l->n_value; i++) {
        uint32_t f = l->value[i].field;
        const struct count *c = &table[p->at[f] + l->value[i].value], *total = &p->total[scope * p->shape.n_field + f];
        if (p->shape.is_tag && p->shape.is_tag[f] && c->won + c->lost < LEAST_TAG)
            continue;
        multiply(c, total->won, total->lost, product);
    }
    double rounded = nearbyint(1e4 * product[0] / (product[0] + product[1])) / 100;
    *per_cent = fmin(fmax(rounded, 0.01), 99.99);
    return OK;
}
