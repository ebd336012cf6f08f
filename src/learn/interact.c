/* interact.c — interactions of fields (Eq. 33): selected on the training rows, put into schema and vectors. */
#include "learn/train_priv.h"
#include "ml/logistic.h"
#include "ml/product_select.h"

/* Fewer rows, or fewer of the rarer outcome, do not tell an interaction from chance. */
enum { LEAST_ROWS = 300, LEAST_OUTCOME = 50, SURE_ROWS = 5000 };

static bool is_wanted(const struct train_work *w, const struct fit_request *request) {
    double positives = 0;
    const double n = (double)w->train->n;
    for (size_t i = 0; i < w->train->n; i++)
        positives += w->train->y[i];
    return w->o->n_interaction > 0 && w->schema->n_interaction == 0 && !w->schema->interaction_given &&
           fit_has_logistic(request, w->train->n) && n >= LEAST_ROWS && positives >= LEAST_OUTCOME &&
           n - positives >= LEAST_OUTCOME;
}

/* Numbers, levels and what is not known may be multiplied: bins, rates and rare levels would make terms nobody can read. */
static const unsigned char *kinds_of(const struct train_work *w) {
    const struct encoder *e = vectoriser_encoder(w->vectoriser);
    unsigned char *kind = ARENA_ARRAY(w->a, vectoriser_width(w->vectoriser), unsigned char);
    for (size_t c = 0; c < encoder_width(e); c++) {
        const struct feature *f = &encoder_features(e)[c];
        if (f->use & COLUMN_LINEAR)
            kind[c] = f->kind == FEATURE_NUMBER                                ? PRODUCT_NUMBER
                      : f->kind == FEATURE_LEVEL || f->kind == FEATURE_MISSING ? PRODUCT_INDICATOR
                                                                               : PRODUCT_NONE;
    }
    return kind;
}

/* The schema with the chosen products, those of one pair of fields together. */
static struct schema *with_interactions(struct train_work *w, const struct product_selection *chosen) {
    const struct feature *feature = encoder_features(vectoriser_encoder(w->vectoriser));
    struct schema *s = arena_copy(w->a, w->schema, sizeof *s);
    struct interaction *list = ARENA_ARRAY(w->a, chosen->n, struct interaction);
    for (size_t i = 0; i < chosen->n; i++) {
        const uint32_t first = feature[chosen->chosen[i].a].field, second = feature[chosen->chosen[i].b].field;
        struct product *product = ARENA_ARRAY(w->a, chosen->n, struct product);
        size_t n = 0;
        bool listed = false;
        for (size_t k = 0; k < s->n_interaction; k++)
            listed |= list[k].first == first && list[k].second == second;
        for (size_t k = i; k < chosen->n && !listed; k++) {
            const struct feature *x = &feature[chosen->chosen[k].a], *y = &feature[chosen->chosen[k].b];
            if (x->field == first && y->field == second)
                product[n++] = (struct product){x->id, y->id};
        }
        if (!listed)
            list[s->n_interaction++] = schema_interaction(w->a, s, first, second, product, n);
    }
    s->interaction = list;
    return s;
}

static err widen(struct train_work *w) {
    TRY(vectoriser_new(w->a, w->schema, w->o->profile, w->f->name, w->f->n_col, &w->vectoriser));
    vectorise_widen(w->a, w->vectoriser, &w->train, &w->missing);
    vectorise_widen(w->a, w->vectoriser, &w->test, NULL);
    return OK;
}

static err fit_logistic(struct train_work *w, const struct fit_request *request, double *held_out) {
    struct model *model;
    TRY(logistic_family.fit(w->a, w->train, &request->opts, held_out, &model));
    w->logistic = model;
    w->logistic_held_out = held_out;
    return OK;
}

err train_interact(struct train_work *w) {
    struct fit_request request;
    struct product_selection chosen;
    train_request(w, &request);
    if (!is_wanted(w, &request))
        return OK;
    double *held_out = ARENA_ARRAY(w->a, w->train->n, double);
    train_note(w, "logistic");
    TRY(fit_logistic(w, &request, held_out));
    train_note(w, "looking for interactions");
    const struct product_opts opts = {.kind = kinds_of(w),
                                      .field = request.opts.field,
                                      .fold = w->fold,
                                      .n_fold = w->n_fold,
                                      .most = w->o->n_interaction,
                                      .seed = w->o->seed};
    product_select(w->a, w->train, w->logistic, held_out, &opts, &chosen);
    if (chosen.n == 0)
        return OK;
    w->schema = with_interactions(w, &chosen);
    TRY(widen(w));
    const double penalty = logistic_facts(w->logistic).penalty;
    train_request(w, &request);
    if (w->train->n >= SURE_ROWS) { /* a few columns more do not change what is best */
        request.opts.penalty_grid = &penalty;
        request.opts.n_penalty = 1;
    }
    return fit_logistic(w, &request, held_out);
}
