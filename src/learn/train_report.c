/* train_report.c — the evaluation of a freshly trained model. */
#include "learn/predict.h"
#include "learn/train_priv.h"

#include <sys/resource.h>

enum { SEGMENT_FIELDS = 4, SEGMENT_LEAST_ROWS = 30 };

/* The test rows are what the model is judged by and get the full number of resamples. The training rows are more, and their
 * figures are for comparison: they get as many as leave the intervals steady. */
enum { TRAIN_RESAMPLES = 40, TRAIN_FLOOR_DRAWS = 60 };

static const struct evaluation_part *evaluate_part(struct train_work *w, const double *p, const struct dataset *s) {
    struct evaluation_part *part = ARENA_NEW(w->a, struct evaluation_part);
    struct metrics_opts metrics = {.seed = w->o->seed};
    if (s == w->train)
        metrics = (struct metrics_opts){.seed = w->o->seed, .resamples = TRAIN_RESAMPLES, .floor_draws = TRAIN_FLOOR_DRAWS};
    const struct evaluation_opts opts = {
        .metrics = metrics, .costs = evaluation_default_costs, .hot = w->o->hot, .warm = w->o->warm};
    evaluation_compute(w->a, p, s->y, s->n, &opts, part);
    return part;
}

/* The level of a field in a row, by the level column that the row lists; n_level when it lists none. */
static uint32_t level_of_row(const struct train_work *w, struct row x, size_t field, size_t n_level) {
    const struct feature *feature = encoder_features(vectoriser_encoder(w->vectoriser));
    const size_t width = encoder_width(vectoriser_encoder(w->vectoriser));
    for (size_t i = 0; i < x.n && x.col[i] < width; i++)
        if (feature[x.col[i]].field == field && feature[x.col[i]].kind == FEATURE_LEVEL)
            return feature[x.col[i]].slot;
    return (uint32_t)n_level;
}

static struct segment_by segment_field(struct train_work *w, const struct dataset *s, size_t f) {
    const struct field *field = &w->schema->field[f];
    str *level = ARENA_ARRAY(w->a, field->n_level, str);
    uint32_t *level_of = ARENA_ARRAY(w->a, s->n, uint32_t);
    for (size_t l = 0; l < field->n_level; l++)
        level[l] = field->level[l].text;
    for (size_t i = 0; i < s->n; i++)
        level_of[i] = level_of_row(w, dataset_row(s, i), f, field->n_level);
    return (struct segment_by){
        .field = bundle_term_title(w->bundle, f), .level = level, .n_level = field->n_level, .level_of = level_of};
}

/* The most important fields with levels cut the test rows (or, without any, the training rows) into segments. */
static void evaluate_segments(struct train_work *w, const struct dataset *s, const double *p, struct evaluation *e) {
    struct segment_by by[SEGMENT_FIELDS];
    size_t n = 0, chosen[SEGMENT_FIELDS];
    for (; n < SEGMENT_FIELDS; n++) {
        ptrdiff_t best = -1;
        for (size_t f = 0; f < w->schema->n_field; f++) {
            bool taken = w->schema->field[f].type != FIELD_CATEGORY || w->bundle->importance[f] <= 0;
            for (size_t k = 0; k < n; k++)
                taken |= chosen[k] == f;
            if (!taken && (best < 0 || w->bundle->importance[f] > w->bundle->importance[best]))
                best = (ptrdiff_t)f;
        }
        if (best < 0)
            break;
        chosen[n] = (size_t)best;
        by[n] = segment_field(w, s, (size_t)best);
    }
    evaluation_segments(w->a, p, s->y, s->n, by, n, SEGMENT_LEAST_ROWS, &e->segment, &e->n_segment);
}

static void list_members(struct train_work *w, struct evaluation *e) {
    struct evaluation_member *member = ARENA_ARRAY(w->a, w->fitted.n_trial, struct evaluation_member);
    for (size_t i = 0; i < w->fitted.n_trial; i++)
        member[i] = (struct evaluation_member){.family = str_from(w->fitted.trial[i].family),
                                               .weight = w->fitted.trial[i].weight,
                                               .log_loss = w->fitted.trial[i].log_loss};
    e->member = member;
    e->n_member = w->fitted.n_trial;
}

static void describe(struct train_work *w, struct evaluation *e) {
    struct rusage usage;
    e->data_name = w->f->source;
    e->target = w->label.target;
    e->positive = w->label.positive;
    e->split = split_text(w->a, w->o->split);
    e->family = w->bundle->family;
    e->calibration = str_from(calibration_kind_name(w->bundle->calibration->kind));
    e->model_name = w->bundle->name;
    e->profile_name = w->o->profile ? w->o->profile->name : (str){0};
    e->program = STR("galena " GALENA_VERSION);
    e->seed = w->o->seed;
    e->rows = w->train->n + w->test->n;
    e->train_rows = w->train->n;
    e->test_rows = w->test->n;
    e->positives = w->label.n_positive;
    e->no_signal = w->fitted.no_signal;
    e->costs = evaluation_default_costs;
    e->costs_assumed = true;
    e->hot = w->o->hot;
    e->warm = w->o->warm;
    e->warning = w->warning;
    e->n_warning = w->n_warning;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        e->peak_rss_byte = (int64_t)usage.ru_maxrss * 1024;
}

struct evaluation *train_evaluate(struct train_work *w) {
    struct evaluation *e = ARENA_NEW(w->a, struct evaluation);
    double *p = ARENA_ARRAY(w->a, w->train->n, double), *held_out = ARENA_ARRAY(w->a, w->train->n, double);
    double *p_test = ARENA_ARRAY(w->a, w->test->n, double);
    predict_dataset(w->a, w->bundle, w->train, p);
    e->train = evaluate_part(w, p, w->train);
    for (size_t i = 0; i < w->train->n; i++)
        held_out[i] = w->fitted.no_signal ? p[i] : calibration_apply(&w->fitted.calibration, w->fitted.held_out[i]);
    e->out_of_fold = evaluate_part(w, held_out, w->train);
    if (w->test->n > 0) {
        predict_dataset(w->a, w->bundle, w->test, p_test);
        e->test = evaluate_part(w, p_test, w->test);
    }
    evaluate_segments(w, w->test->n > 0 ? w->test : w->train, w->test->n > 0 ? p_test : held_out, e);
    evaluation_list_features(w->a, w->bundle, e);
    list_members(w, e);
    describe(w, e);
    return e;
}
