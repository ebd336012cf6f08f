/* report_json.c — an evaluation as one JSON object. */
#include "learn/report.h"

#include <math.h>
#include <stdio.h>

static void put_pair(struct json_writer *w, const char *name, const struct estimate *e) {
    char key[64];
    json_put_number(w, str_from(name), e->value);
    snprintf(key, sizeof key, "%s_ci", name);
    json_put_numbers(w, str_from(key), (const double[]){e->low, e->high}, 2);
}

static void put_metrics(struct json_writer *w, const char *key, const struct evaluation_part *part) {
    json_key(w, str_from(key));
    if (!part) {
        json_null(w);
        return;
    }
    const struct metrics *m = &part->metrics;
    json_open_object(w);
    json_put_integer(w, STR("rows"), (int64_t)m->n);
    json_put_integer(w, STR("positives"), (int64_t)m->n_positive);
    for (int k = 0; k < METRIC_COUNT; k++)
        put_pair(w, metric_name((enum metric)k), &m->of[k]);
    json_put_number(w, STR("ece_floor_mean"), m->floor.mean);
    json_put_number(w, STR("base_rate"), m->base_rate);
    json_put_number(w, STR("base_log_loss"), m->base_log_loss);
    json_put_number(w, STR("mean_prediction"), m->mean_prediction);
    json_put_number(w, STR("score_entropy"), m->entropy);
    json_put_integer(w, STR("resamples"), m->resamples);
    json_close_object(w);
}

static void put_difference(struct json_writer *w, const char *name, const struct difference *d) {
    json_key(w, str_from(name));
    json_open_object(w);
    json_put_number(w, STR("difference"), d->value);
    json_put_numbers(w, STR("ci"), (const double[]){d->low, d->high}, 2);
    json_put_number(w, STR("p_value"), d->p_value);
    json_close_object(w);
}

static void put_against(struct json_writer *w, const struct evaluation *e) {
    json_key(w, STR("against"));
    json_open_object(w);
    json_put_string(w, STR("model"), e->against_name);
    put_difference(w, "auc", &e->against->auc);
    put_difference(w, "log_loss", &e->against->log_loss);
    put_difference(w, "brier", &e->against->brier);
    json_put_integer(w, STR("resamples"), e->against->resamples);
    json_close_object(w);
}

static void put_warnings(struct json_writer *w, const struct evaluation *e) {
    json_key(w, STR("warnings"));
    json_open_array(w);
    for (size_t i = 0; i < e->n_warning; i++) {
        json_open_object(w);
        json_put_string(w, STR("code"), e->warning[i].code);
        json_put_string(w, STR("field"), e->warning[i].field);
        json_put_string(w, STR("message"), e->warning[i].message);
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_features(struct json_writer *w, const struct evaluation *e) {
    json_key(w, STR("features"));
    json_open_array(w);
    for (size_t i = 0; i < e->n_feature; i++) {
        json_open_object(w);
        json_put_string(w, STR("name"), e->feature[i].name);
        json_put_string(w, STR("group"), e->feature[i].group);
        json_put_number(w, STR("importance"), e->feature[i].importance);
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_members(struct json_writer *w, const struct evaluation *e) {
    json_key(w, STR("members"));
    json_open_array(w);
    for (size_t i = 0; i < e->n_member; i++) {
        json_open_object(w);
        json_put_string(w, STR("family"), e->member[i].family);
        json_put_number(w, STR("weight"), e->member[i].weight);
        json_put_number(w, STR("log_loss"), e->member[i].log_loss);
        json_close_object(w);
    }
    json_close_array(w);
}

/* ---- the long form ---- */

static void put_curve(struct json_writer *w, const char *key, const struct curve *c) {
    json_key(w, str_from(key));
    json_open_array(w);
    for (size_t i = 0; i < c->n; i++) {
        const struct curve_point *p = &c->point[i];
        json_open_object(w);
        json_put_number(w, STR("threshold"), p->threshold);
        json_put_number(w, STR("share"), p->flagged_share);
        json_put_number(w, STR("recall"), p->recall);
        json_put_number(w, STR("precision"), p->precision);
        json_put_number(w, STR("false_positive_rate"), p->false_positive_rate);
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_deciles(struct json_writer *w, const struct curves *c) {
    json_key(w, STR("deciles"));
    json_open_array(w);
    for (size_t i = 0; i < CURVE_DECILE; i++) {
        const struct decile *d = &c->decile[i];
        json_open_object(w);
        json_put_integer(w, STR("rows"), (int64_t)d->rows);
        json_put_number(w, STR("positives"), d->positives);
        json_put_number(w, STR("rate"), d->rate);
        json_put_number(w, STR("lift"), d->lift);
        json_put_number(w, STR("gain"), d->gain);
        json_put_number(w, STR("mean_prediction"), d->mean_prediction);
        json_put_number(w, STR("lowest"), d->rows ? d->lowest : NAN);
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_reliability(struct json_writer *w, const struct curves *c) {
    json_key(w, STR("reliability"));
    json_open_array(w);
    for (size_t b = 0; b < METRICS_BIN; b++) {
        const struct reliability_bin *r = &c->reliability[b];
        if (r->rows == 0)
            continue;
        json_open_object(w);
        json_put_integer(w, STR("rows"), (int64_t)r->rows);
        json_put_number(w, STR("mean_prediction"), r->mean_prediction);
        json_put_number(w, STR("observed"), r->observed);
        json_put_numbers(w, STR("observed_ci"), (const double[]){r->low, r->high}, 2);
        json_put_numbers(w, STR("band"), (const double[]){r->band_low, r->band_high}, 2);
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_scores(struct json_writer *w, const struct curves *c) {
    json_key(w, STR("scores"));
    json_open_array(w);
    for (int b = 0; b < METRICS_SCORE_BIN; b++) {
        json_open_object(w);
        json_put_number(w, STR("from"), (double)b / METRICS_SCORE_BIN);
        json_put_integer(w, STR("rows"), (int64_t)c->score[b].rows);
        json_put_integer(w, STR("positives"), (int64_t)c->score[b].positives);
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_curves(struct json_writer *w, const struct evaluation_part *part) {
    json_key(w, STR("curves"));
    json_open_object(w);
    put_curve(w, "roc", &part->curves.roc);
    put_curve(w, "precision_recall", &part->curves.pr);
    put_curve(w, "gain", &part->curves.gain);
    put_deciles(w, &part->curves);
    put_reliability(w, &part->curves);
    put_scores(w, &part->curves);
    json_close_object(w);
}

static void put_threshold(struct json_writer *w, const struct threshold_row *t) {
    json_open_object(w);
    json_put_number(w, STR("threshold"), t->threshold);
    json_put_integer(w, STR("flagged"), (int64_t)t->flagged);
    json_put_integer(w, STR("tp"), (int64_t)t->tp);
    json_put_integer(w, STR("fp"), (int64_t)t->fp);
    json_put_integer(w, STR("fn"), (int64_t)t->fn);
    json_put_number(w, STR("precision"), t->precision);
    json_put_number(w, STR("recall"), t->recall);
    json_put_number(w, STR("f1"), t->f1);
    json_put_number(w, STR("cost"), t->cost);
    json_put_number(w, STR("utility"), t->utility);
    json_close_object(w);
}

static void put_thresholds(struct json_writer *w, const struct evaluation *e, const struct evaluation_part *part) {
    json_key(w, STR("thresholds"));
    json_open_object(w);
    json_put_number(w, STR("revenue"), e->costs.revenue);
    json_put_number(w, STR("pursuit"), e->costs.pursuit);
    json_put_bool(w, STR("assumed"), e->costs_assumed);
    json_put_number(w, STR("break_even"), curves_break_even(&e->costs));
    json_key(w, STR("cheapest"));
    put_threshold(w, &part->cheapest);
    json_key(w, STR("rows"));
    json_open_array(w);
    for (size_t i = 0; i < part->n_threshold; i++)
        put_threshold(w, &part->threshold[i]);
    json_close_array(w);
    json_close_object(w);
}

static void put_segments(struct json_writer *w, const struct evaluation *e) {
    json_key(w, STR("segments"));
    json_open_array(w);
    for (size_t i = 0; i < e->n_segment; i++) {
        const struct evaluation_segment *s = &e->segment[i];
        json_open_object(w);
        json_put_string(w, STR("field"), s->field);
        json_put_string(w, STR("level"), s->level);
        json_put_integer(w, STR("rows"), (int64_t)s->rows);
        json_put_integer(w, STR("positives"), (int64_t)s->positives);
        json_put_number(w, STR("observed"), s->observed);
        json_put_numbers(w, STR("observed_ci"), (const double[]){s->low, s->high}, 2);
        json_put_number(w, STR("mean_prediction"), s->mean_prediction);
        json_put_number(w, STR("auc"), s->auc);
        json_put_number(w, STR("ece"), s->ece);
        json_put_number(w, STR("ece_floor_p95"), s->ece_floor);
        json_close_object(w);
    }
    json_close_array(w);
}

/* ---- the object ---- */

static void put_text(struct json_writer *w, const char *key, str value) {
    if (!str_empty(value))
        json_put_string(w, str_from(key), value);
}

static void put_origin(struct json_writer *w, const struct evaluation *e) {
    put_text(w, "data", e->data_name);
    put_text(w, "target", e->target);
    put_text(w, "positive", e->positive);
    put_text(w, "split", e->split);
    put_text(w, "model", e->model_name);
    put_text(w, "model_id", e->model_id);
    put_text(w, "profile", e->profile_name);
    put_text(w, "made_at", e->made_at);
    put_text(w, "program", e->program);
    json_put_bool(w, STR("no_signal"), e->no_signal);
}

static void put_seconds(struct json_writer *w, const struct evaluation_seconds *s) {
    json_key(w, STR("seconds"));
    json_open_object(w);
    json_put_number(w, STR("read"), s->read);
    json_put_number(w, STR("fit"), s->fit);
    json_put_number(w, STR("evaluate"), s->evaluate);
    json_put_number(w, STR("total"), s->total);
    json_close_object(w);
}

void report_write_json(const struct evaluation *e, bool full, struct json_writer *w) {
    json_open_object(w);
    json_put_integer(w, STR("rows"), (int64_t)e->rows);
    json_put_integer(w, STR("train_rows"), (int64_t)e->train_rows);
    json_put_integer(w, STR("test_rows"), (int64_t)e->test_rows);
    json_put_integer(w, STR("positives"), (int64_t)e->positives);
    json_put_string(w, STR("family"), e->family);
    put_origin(w, e);
    json_key(w, STR("metrics"));
    json_open_object(w);
    put_metrics(w, "test", e->test);
    put_metrics(w, "train", e->train);
    put_metrics(w, "out_of_fold", e->out_of_fold);
    json_close_object(w);
    if (e->against)
        put_against(w, e);
    put_warnings(w, e);
    put_features(w, e);
    json_key(w, STR("calibration"));
    json_open_object(w);
    json_put_string(w, STR("method"), e->calibration);
    json_close_object(w);
    put_members(w, e);
    put_seconds(w, &e->seconds);
    json_put_integer(w, STR("peak_rss_bytes"), e->peak_rss_byte);
    const struct evaluation_part *part = evaluation_judged(e);
    if (full && part) {
        put_curves(w, part);
        put_thresholds(w, e, part);
        put_segments(w, e);
    }
    json_close_object(w);
}
