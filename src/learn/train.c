/* train.c — the steps of training, in order. */
#include "learn/train.h"

#include "learn/terms.h"
#include "learn/train_priv.h"

#include <math.h>

enum { LINEAGE_MAX_BYTE = 1 << 20 };

static const double LEAST_KNOWN = 0.5;

void train_note(const struct train_work *w, const char *what) {
    if (w->o->note)
        w->o->note(w->o->note_ctx, what);
}

void train_warn(struct train_work *w, str code, str field, str message) {
    if (w->n_warning == w->cap_warning)
        w->warning = arena_grow(w->a, w->warning, &w->cap_warning, w->n_warning + 1, sizeof *w->warning);
    w->warning[w->n_warning++] = (struct evaluation_warning){.code = code, .field = field, .message = message};
}

/* Eq. 24: with a profile the coefficients start from it. */
static void set_prior(struct train_work *w, struct fit_opts *o) {
    if (!w->o->profile)
        return;
    const size_t d = vectoriser_width(w->vectoriser);
    double *mean = ARENA_ARRAY(w->a, d + 1, double), *weight = ARENA_ARRAY(w->a, d + 1, double);
    profile_prior(w->o->profile, d, vectoriser_first_criterion(w->vectoriser), mean, weight);
    o->prior_mean = mean;
    o->prior_weight = weight;
    o->prior_strength = profile_trust(w->o->profile);
}

void train_request(struct train_work *w, struct fit_request *out) {
    *out = (struct fit_request){
        .family = w->o->family,
        .has_profile = w->o->profile != NULL,
        .opts = {.seed = w->o->seed,
                 .threads = w->o->threads,
                 .use = vectoriser_use(w->vectoriser),
                 .field = vectoriser_term(w->vectoriser),
                 .fold = w->fold,
                 .n_fold = w->n_fold},
        .logistic = w->logistic,
        .logistic_held_out = w->logistic_held_out,
        .order = w->order,
        .note = w->o->note,
        .note_ctx = w->o->note_ctx,
    };
    set_prior(w, &out->opts);
}

static err fit(struct train_work *w) {
    struct fit_request request;
    train_request(w, &request);
    TRY(fit_model(w->a, w->train, &request, &w->fitted));
    if (w->fitted.no_signal)
        train_warn(
            w, STR("not_enough_signal"), (str){0},
            str_format(w->a,
                       "not enough signal: cross-validated log loss %.4f against %.4f of the base rate alone; every lead is "
                       "given the base rate",
                       w->fitted.log_loss, w->fitted.base_log_loss));
    return OK;
}

static double base_rate(const struct dataset *s) {
    double positives = 0;
    for (size_t i = 0; i < s->n; i++)
        positives += s->y[i];
    return positives / (double)s->n;
}

/* What the model was made from, for whoever looks at it later. Figures are added once they are known. */
static err write_lineage(struct train_work *w, const struct evaluation *e) {
    struct buf *text = buf_in(w->a, LINEAGE_MAX_BYTE);
    struct json_writer out;
    json_write_begin(&out, text, 0);
    json_open_object(&out);
    json_put_string(&out, STR("data"), w->f->source);
    json_put_string(&out, STR("fingerprint"), str_format(w->a, "%016llx", (unsigned long long)frame_fingerprint(w->f)));
    json_put_string(&out, STR("split"), split_text(w->a, w->o->split));
    json_put_string(&out, STR("time"), w->o->time);
    json_put_integer(&out, STR("train_rows"), (int64_t)w->train->n);
    json_put_integer(&out, STR("test_rows"), (int64_t)w->test->n);
    json_put_integer(&out, STR("positives"), (int64_t)w->label.n_positive);
    json_key(&out, STR("excluded"));
    json_open_array(&out);
    for (size_t i = 0; i < w->o->n_exclude; i++)
        json_string(&out, w->o->exclude[i]);
    json_close_array(&out);
    json_key(&out, STR("metrics"));
    json_open_object(&out);
    if (e->test) {
        json_key(&out, STR("test"));
        json_open_object(&out);
        for (enum metric m = 0; m < METRIC_COUNT; m++)
            json_put_number(&out, str_from(metric_name(m)), e->test->metrics.of[m].value);
        json_close_object(&out);
    }
    json_close_object(&out);
    json_close_object(&out);
    TRY(buf_check(text));
    return json_parse(w->a, buf_str(text), NULL, &w->bundle->lineage);
}

static void assemble(struct train_work *w) {
    struct bundle *b = w->bundle = ARENA_NEW(w->a, struct bundle);
    *b = (struct bundle){
        .name = w->o->name,
        .family = w->o->family,
        .program = STR(GALENA_VERSION),
        .created_ms = w->now_ms,
        .seed = w->o->seed,
        .no_signal = w->fitted.no_signal,
        .schema = w->schema,
        .profile = w->o->profile,
        .intercept = w->fitted.intercept,
        .n_member = w->fitted.n_member,
        .calibration = &w->fitted.calibration,
        .spread_scale = w->fitted.spread_scale,
        .excess = w->fitted.excess,
        .base_rate = base_rate(w->train),
        .n_column = vectoriser_width(w->vectoriser),
        .n_term = vectoriser_terms(w->vectoriser),
        .term_of_column = vectoriser_term(w->vectoriser),
        .hot = w->o->hot,
        .warm = w->o->warm,
    };
    memcpy(b->member, w->fitted.member, sizeof b->member);
    double *importance = ARENA_ARRAY(w->a, b->n_term, double), *imputation = ARENA_ARRAY(w->a, b->n_term, double);
    terms_importance(w->a, b, w->train, w->o->seed, importance);
    b->importance = importance;
    terms_imputation(w->a, b, encoder_products(vectoriser_encoder(w->vectoriser)), w->train, w->missing, w->o->seed,
                     imputation);
    const double flat = fmax(w->fitted.slope * w->fitted.slope, 1), doubt = terms_doubt(w->a, b, w->train, w->o->seed);
    for (size_t t = 0; t < b->n_term; t++) /* what estimates that are too flat or uncertain understate */
        imputation[t] *= flat * (1 + doubt);
    b->imputation = imputation;
    if (b->no_signal) /* seen through gaps, it may be larger than was noticed */
        b->excess /= fmax(terms_known(w->missing, w->train->n, b->n_term, b->schema->n_field), LEAST_KNOWN);
    else
        b->excess += terms_attenuation(b, w->train, w->missing, w->fitted.held_out);
}

err train_model(struct arena *a, const struct frame *f, const struct train_options *o, struct training *out) {
    struct train_work *w = ARENA_NEW(a, struct train_work); /* the bundle points into it */
    *w = (struct train_work){.a = a, .f = f, .o = o, .now_ms = o->clock.wall_ms()};
    int64_t began = o->clock.steady_ns();
    TRY(train_prepare(w));
    TRY(train_interact(w));
    TRY(fit(w));
    assemble(w);
    double fit_s = clock_second_since(&o->clock, began);
    train_note(w, "evaluating");
    began = o->clock.steady_ns();
    struct evaluation *e = train_evaluate(w);
    e->seconds.fit = fit_s;
    e->seconds.evaluate = clock_second_since(&o->clock, began);
    TRY(write_lineage(w, e));
    *out = (struct training){.bundle = w->bundle, .evaluation = e};
    return OK;
}
