/* gbdt.c — the family: tune, grow, bag; predict, explain, save and load. */
#include "ml/gbdt.h"

#include "ml/gbdt_bag.h"
#include "ml/gbdt_tune.h"
#include "ml/stored.h"
#include "ml/treeshap.h"

#include <math.h>

enum { FOLDS = 5, BAG = 10 };

struct model {
    struct trees *trees; /* part 0 the model, the others the bag */
    const struct treeshap *shap;
    struct gbdt_choice choice;
    double excess; /* squared error of the log-odds that the bag does not show */
};

/* ---- fitting ---- */

static err check_outcomes(const struct dataset *s) {
    bool seen[2] = {false, false};
    for (size_t i = 0; i < s->n; i++)
        if (dataset_weight(s, i) > 0)
            seen[s->y[i] > 0.5] = true;
    return seen[0] && seen[1] ? OK
                              : fail(ERR_INPUT, "one_class", "the outcomes of the %zu training rows are all alike", s->n);
}

static const uint32_t *folds_of(struct arena *a, const struct dataset *s, const struct fit_opts *o, uint32_t *n_fold) {
    *n_fold = o->fold ? o->n_fold : s->n < FOLDS ? (uint32_t)s->n : FOLDS;
    if (o->fold)
        return o->fold;
    uint32_t *fold = ARENA_ARRAY(a, s->n, uint32_t);
    dataset_fold(a, s, *n_fold, o->seed, NULL, fold);
    return fold;
}

static err gbdt_fit(struct arena *a, const struct dataset *s, const struct fit_opts *o, double *out_of_fold,
                    struct model **out) {
    TRY(check_outcomes(s));
    struct gbdt_columns columns = gbdt_columns_of(a, s->d, o->use);
    uint32_t n_fold;
    const uint32_t *fold = folds_of(a, s, o, &n_fold);
    struct model *m = ARENA_NEW(a, struct model);
    TRY(gbdt_tune(a, s, &columns, fold, n_fold, o->seed, o->threads, out_of_fold, &m->choice));
    TRY(gbdt_bag_grow(a, s, &columns, &m->choice, o->brief ? 0 : BAG, o->seed, o->threads, &m->trees));
    *out = m;
    if (o->brief)
        return OK;
    m->excess = gbdt_bag_excess(a, s, &m->choice, m->trees, o->seed);
    m->shap = treeshap_new(a, m->trees);
    return OK;
}

/* ---- using ---- */

static void gbdt_predict(const struct model *m, const struct row *rows, size_t n, double *logit) {
    trees_predict(m->trees, 0, 1, rows, n, logit);
}

static void gbdt_spread(const struct model *m, const struct row *rows, size_t n, double *sd) {
    gbdt_bag_spread(m->trees, m->excess, rows, n, sd);
}

static double gbdt_explain(const struct model *m, const struct row *rows, size_t n, double scale,
                           const struct column_terms *to, struct arena *scratch, double *share) {
    return treeshap_explain(m->shap, rows, n, scale, to, scratch, share);
}

/* ---- files ---- */

static void gbdt_save(const struct model *m, struct json_writer *w) {
    const struct gbdt_choice *c = &m->choice;
    json_open_object(w);
    json_put_integer(w, STR("rounds"), c->rounds);
    json_put_integer(w, STR("depth"), c->setting.depth);
    json_put_number(w, STR("rate"), c->setting.rate);
    json_put_number(w, STR("min_child_weight"), c->setting.min_child_weight);
    json_put_number(w, STR("column_share"), c->setting.column_share);
    json_put_number(w, STR("node_share"), c->setting.node_share);
    json_put_number(w, STR("row_share"), c->setting.row_share);
    json_put_number(w, STR("l2"), c->setting.l2);
    json_put_number(w, STR("log_loss"), c->log_loss);
    json_put_number(w, STR("base_loss"), c->base_loss);
    json_put_number(w, STR("excess"), m->excess);
    json_key(w, STR("trees"));
    trees_save(m->trees, w);
    json_close_object(w);
}

/* The settings are for people; numbers that are absent or odd are kept as they are and never used. */
static double number_or_zero(const struct json *v, str key) {
    const struct json *n = json_get(v, key);
    return json_is_number(n) ? json_number_of(n) : 0;
}

static unsigned count_or_zero(const struct json *v, str key) {
    double n = number_or_zero(v, key);
    return n >= 0 && n < 1e9 ? (unsigned)n : 0;
}

static err gbdt_load(struct arena *a, const struct json *v, size_t d, struct model **out) {
    struct trees *t;
    TRY(trees_load(a, json_get(v, STR("trees")), d, &t));
    if (t->n_part > GBDT_MAX_PART)
        return fail(ERR_CORRUPT, "trees_invalid", "the model has %zu members in its bag, more than %d", t->n_part,
                    GBDT_MAX_PART - 1);
    struct model *m = ARENA_NEW(a, struct model);
    TRY(stored_read_number(v, STR("excess"), &m->excess));
    if (m->excess < 0)
        return stored_bad("\"excess\" is a variance and negative");
    m->trees = t;
    m->shap = treeshap_new(a, t);
    m->choice = (struct gbdt_choice){.rounds = count_or_zero(v, STR("rounds")),
                                     .log_loss = number_or_zero(v, STR("log_loss")),
                                     .base_loss = number_or_zero(v, STR("base_loss"))};
    m->choice.setting = (struct gbdt_setting){.depth = count_or_zero(v, STR("depth")),
                                              .rate = number_or_zero(v, STR("rate")),
                                              .min_child_weight = number_or_zero(v, STR("min_child_weight")),
                                              .column_share = number_or_zero(v, STR("column_share")),
                                              .node_share = number_or_zero(v, STR("node_share")),
                                              .row_share = number_or_zero(v, STR("row_share")),
                                              .l2 = number_or_zero(v, STR("l2"))};
    *out = m;
    return OK;
}

const struct model_family gbdt_family = {
    .name = "gbdt",
    .fit = gbdt_fit,
    .predict = gbdt_predict,
    .spread = gbdt_spread,
    .explain = gbdt_explain,
    .save = gbdt_save,
    .load = gbdt_load,
};
