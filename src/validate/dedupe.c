/* dedupe.c — the resolver from options to result. */
#include "validate/dedupe_priv.h"

#include <math.h>

/* Fields whose values are sometimes in each other's place: given name and surname, and columns of one kind. */
static void find_twins(struct dedupe *d) {
    for (size_t f = 0; f < d->n_field; f++)
        for (size_t g = f + 1; g < d->n_field; g++) {
            struct field *x = &d->field[f], *y = &d->field[g];
            const bool names = (x->kind == DEDUPE_GIVEN_NAME && y->kind == DEDUPE_SURNAME) ||
                               (x->kind == DEDUPE_SURNAME && y->kind == DEDUPE_GIVEN_NAME);
            if (x->twin >= 0 || y->twin >= 0 || x->form == FORM_DATE || x->form == FORM_EMAIL ||
                !(names || x->kind == y->kind))
                continue;
            x->twin = (int)g;
            y->twin = (int)f;
            x->first_twin = true;
            y->dict = x->dict;
        }
}

err dedupe_new(struct arena *a, const struct dedupe_options *o, struct dedupe **out) {
    if (o->n_column == 0 || o->n_column > LINKAGE_FIELD_MAX)
        return fail(ERR_INPUT, "dedupe_columns", "there are %zu columns to compare; 1 to %d are possible", o->n_column,
                    LINKAGE_FIELD_MAX);
    const double threshold = o->threshold == 0 ? 0.5 : o->threshold;
    if (!(threshold > 0 && threshold < 1))
        return fail(ERR_INPUT, "dedupe_threshold", "a threshold of %g is not between 0 and 1", threshold);
    struct dedupe *d = ARENA_NEW(a, struct dedupe);
    d->arena = a;
    d->options = *o;
    d->floor = log(threshold / (1 - threshold));
    d->n_field = o->n_column;
    for (size_t f = 0; f < d->n_field; f++) {
        const enum dedupe_form form = dedupe_form_of(o->kind[f]);
        d->field[f] = (struct field){.kind = o->kind[f],
                                     .form = form,
                                     .exact = dedupe_exact_level(form),
                                     .dict = ARENA_NEW(a, struct dictionary),
                                     .twin = -1};
    }
    find_twins(d);
    *out = d;
    return OK;
}

err dedupe_run(struct dedupe *d, struct dedupe_result *out) {
    struct dedupe_result r = {.n_row = d->n_row, .n_file = {d->n_file[0], d->n_file[1]}, .model = &d->model};
    struct edge *edge = NULL;
    size_t n_edge = 0;
    if (d->n_row > 1 && (!d->file || (d->n_file[0] > 0 && d->n_file[1] > 0))) {
        TRY(dedupe_block(d));
        TRY(dedupe_learn(d));
        TRY(dedupe_score(d, &edge, &n_edge, &r.n_compared));
        r.n_pass = d->blocks.n_pass;
        r.window = d->blocks.window;
    }
    TRY(dedupe_cluster(d, edge, n_edge, &r));
    *out = r;
    return OK;
}
