/* train_data.c — from the rows of a file to training and test vectors: outcomes, split, schema, leaks, folds. */
#include "base/number.h"
#include "base/time.h"
#include "features/infer.h"
#include "features/leakage.h"
#include "learn/train_priv.h"

#include <math.h>

/* ---- rows ---- */

/* Leaves out the rows whose outcome is not known. */
static size_t keep_known(const double *y, const uint32_t *rows, size_t n, uint32_t *kept, double *y_kept) {
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(y[rows[i]]))
            continue;
        y_kept[k] = y[rows[i]];
        kept[k++] = rows[i];
    }
    return k;
}

static err divide_rows(struct train_work *w) {
    struct split_rows all;
    const int64_t *order = NULL;
    if (w->o->split.kind == SPLIT_TIME)
        TRY(split_order(w->a, w->f, w->o->time, &order));
    TRY(split_frame(w->a, w->o->split, w->f, order, w->o->seed, &all));
    uint32_t *train = ARENA_ARRAY(w->a, all.n_train, uint32_t), *test = ARENA_ARRAY(w->a, all.n_test, uint32_t);
    w->y_train = ARENA_ARRAY(w->a, all.n_train, double);
    w->y_test = ARENA_ARRAY(w->a, all.n_test, double);
    w->rows.train = train;
    w->rows.test = test;
    w->rows.n_train = keep_known(w->label.y, all.train, all.n_train, train, w->y_train);
    w->rows.n_test = keep_known(w->label.y, all.test, all.n_test, test, w->y_test);
    double positives = 0;
    for (size_t i = 0; i < w->rows.n_train; i++)
        positives += w->y_train[i];
    const bool one_class = positives == 0 || positives == (double)w->rows.n_train;
    if (one_class && !(w->o->profile && str_equal(w->o->family, STR("auto")) && w->rows.n_train < 200))
        return fail(ERR_INPUT, "target_one_class",
                    "%.*s: the %zu training rows all have the same outcome: a model needs both", STR_ARG(w->f->source),
                    w->rows.n_train);
    if (w->label.n_unknown > 0)
        train_warn(w, STR("outcome_unknown"), w->label.target,
                   str_format(w->a, "%zu rows without an outcome were left out", w->label.n_unknown));
    return OK;
}

/* ---- schema and leaks ---- */

/* The columns to leave out: those of the user, and the one that tells when a lead came, since every new lead comes later
 * than all that were learned from. */
static const str *list_excluded(struct train_work *w, size_t *n) {
    const struct train_options *o = w->o;
    str *list = ARENA_ARRAY(w->a, o->n_exclude + 1, str);
    for (*n = 0; *n < o->n_exclude; ++*n)
        list[*n] = o->exclude[*n];
    if (o->time.len > 0)
        list[(*n)++] = o->time;
    return list;
}

static err make_schema(struct train_work *w) {
    const struct train_options *o = w->o;
    size_t n_exclude;
    const str *exclude = list_excluded(w, &n_exclude);
    const struct infer_opts opts = {.target = w->label.target,
                                    .positive = w->label.positive,
                                    .id = o->id,
                                    .time = o->time,
                                    .exclude = exclude,
                                    .n_exclude = n_exclude};
    struct schema *s;
    if (o->schema)
        TRY(schema_complete(w->a, o->schema, w->f, w->rows.train, w->rows.n_train, w->y_train, &opts, &s));
    else
        TRY(schema_infer(w->a, w->f, w->rows.train, w->rows.n_train, w->y_train, &opts, &s));
    w->schema = s;
    for (size_t i = 0; i < s->n_warning; i++)
        train_warn(w, s->warning[i].code, s->warning[i].field, s->warning[i].message);
    return OK;
}

static err stop_on(struct train_work *w, const struct leak_report *r) {
    struct buf *list = buf_in(w->a, 1 << 16);
    const bool one = r->n_certain == 1;
    for (size_t i = 0; i < r->n; i++)
        if (r->finding[i].severity == LEAK_CERTAIN)
            buf_add_format(list, "%s\"%.*s\" (%.*s)", list->len > 0 ? "; " : "", STR_ARG(r->finding[i].field),
                           STR_ARG(r->finding[i].evidence));
    return fail(ERR_INPUT, "leak_certain",
                "%.*s: %zu finding%s the outcome is known to a field: %.*s. Leave %s out with --exclude, or train all the "
                "same with --allow-leaks",
                STR_ARG(w->f->source), r->n_certain, one ? " says that" : "s say that", STR_ARG(buf_str(list)),
                one ? "it" : "them");
}

static err look_for_leaks(struct train_work *w) {
    struct leak_report *r;
    const struct leak_opts opts = {.time = w->o->time, .now_ms = w->now_ms, .seed = w->o->seed};
    TRY(leak_find(w->a, w->f, w->schema, w->rows.train, w->rows.n_train, w->y_train, &opts, &r));
    for (size_t i = 0; i < r->n; i++)
        train_warn(
            w,
            str_format(w->a, "leak_%s_%s", leak_severity_name(r->finding[i].severity), leak_code_name(r->finding[i].code)),
            r->finding[i].field, r->finding[i].evidence);
    return r->n_certain > 0 && !w->o->allow_leaks ? stop_on(w, r) : OK;
}

/* ---- vectors and folds ---- */

static err make_vectors(struct train_work *w) {
    size_t used = 0;
    for (size_t i = 0; i < w->schema->n_field; i++)
        used += field_is_used(&w->schema->field[i]);
    if (used == 0)
        return fail(ERR_INPUT, "train_no_features", "%.*s: no column is left to learn from", STR_ARG(w->f->source));
    TRY(vectoriser_new(w->a, w->schema, w->o->profile, w->f->name, w->f->n_col, &w->vectoriser));
    vectorise_rows(w->a, w->vectoriser, w->f, w->rows.train, w->rows.n_train, w->y_train, w->now_ms, &w->train, &w->missing);
    vectorise_rows(w->a, w->vectoriser, w->f, w->rows.test, w->rows.n_test, w->y_test, w->now_ms, &w->test, NULL);
    return OK;
}

/* As many folds as the rarer outcome allows, TRAIN_FOLDS at most. */
static void make_folds(struct train_work *w) {
    size_t positives = 0;
    for (size_t i = 0; i < w->train->n; i++)
        positives += w->train->y[i] > 0;
    size_t rarer = positives < w->train->n - positives ? positives : w->train->n - positives;
    w->n_fold = rarer >= TRAIN_FOLDS ? TRAIN_FOLDS : rarer < 2 ? 2 : (uint32_t)rarer;
    w->fold = ARENA_ARRAY(w->a, w->train->n, uint32_t);
    dataset_fold(w->a, w->train, w->n_fold, w->o->seed, NULL, w->fold);
}

/* ---- order ---- */

/* The moments of a column in ms, unreadable ones at the place of the row before; false when a tenth or more are unreadable.
 */
static bool order_by_column(const struct train_work *w, str name, enum time_order date_order, double *order) {
    ptrdiff_t c = frame_find(w->f, name);
    size_t unread = 0;
    double last = 0;
    for (size_t i = 0; c >= 0 && i < w->rows.n_train; i++) {
        str cell = str_trim(w->f->cell[c][w->rows.train[i]]);
        struct moment m;
        if (time_read(cell, date_order, &m) == TIME_GOOD)
            last = (double)m.ms;
        else if (!number_parse(cell, &last))
            unread++;
        order[i] = last;
    }
    return c >= 0 && unread * 10 < w->rows.n_train;
}

/* Rows sorted by a field are in no order of time: equal cells follow each other three times as often as in mixed rows. */
static bool is_grouped_by(const struct train_work *w, const struct field *f) {
    ptrdiff_t c = frame_find(w->f, f->name);
    double together = 0, expected = 0;
    if (c < 0 || !field_has_levels(f) || f->n_level < 2 || w->rows.n_train < 2)
        return false;
    for (size_t i = 1; i < w->rows.n_train; i++)
        together += str_equal(w->f->cell[c][w->rows.train[i]], w->f->cell[c][w->rows.train[i - 1]]);
    for (size_t l = 0; l < field_slots(f); l++)
        expected += f->level_share[l] * f->level_share[l];
    double apart = 1 - together / (double)(w->rows.n_train - 1);
    return apart < (1 - expected) / 3;
}

/* The order of the training rows in time: the time column, else the first date, else the rows as they stand unless they are
 * sorted by a field. */
static void find_order(struct train_work *w) {
    double *order = ARENA_ARRAY(w->a, w->rows.n_train, double);
    w->order = order;
    if (w->o->time.len > 0 && order_by_column(w, w->o->time, TIME_ORDER_UNKNOWN, order))
        return;
    for (size_t i = 0; i < w->schema->n_field; i++)
        if (w->schema->field[i].type == FIELD_DATE &&
            order_by_column(w, w->schema->field[i].name, w->schema->field[i].date_order, order))
            return;
    for (size_t i = 0; i < w->rows.n_train; i++)
        order[i] = (double)i;
    for (size_t i = 0; i < w->schema->n_field; i++)
        if (is_grouped_by(w, &w->schema->field[i]))
            w->order = NULL;
}

err train_prepare(struct train_work *w) {
    /* With a profile, outcomes of one kind still say something. */
    const bool one_class = w->o->profile != NULL && str_equal(w->o->family, STR("auto"));
    TRY(label_read(w->a, w->f, w->o->target, w->o->positive, one_class, &w->label));
    TRY(divide_rows(w));
    train_note(w, "reading the fields");
    TRY(make_schema(w));
    train_note(w, "looking for leaks");
    TRY(look_for_leaks(w));
    TRY(make_vectors(w));
    make_folds(w);
    find_order(w);
    encoder_cross_fit(w->a, vectoriser_encoder(w->vectoriser), w->train, w->fold, w->n_fold);
    return OK;
}
