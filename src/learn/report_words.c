/* report_words.c — what the figures mean, in plain words. */
#include "base/number.h"
#include "learn/report_priv.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

static str text(struct arena *a, const char *format, ...) PRINTF_LIKE(2, 3);

static str text(struct arena *a, const char *format, ...) {
    char line[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
    return str_copy(a, (str){line, len});
}

str report_percent(struct arena *a, double share, int digits) {
    return isfinite(share) ? text(a, "%.*f\u00a0%%", digits, share * 100) : STR("\u2014");
}

/* A count with thousands separated. */
static str count(struct arena *a, size_t n) { return number_for_people(a, (double)n); }

static void add(struct verdict *v, const char *about, str point) {
    if (v->n_point == VERDICT_MAX_POINT)
        return;
    v->point[v->n_point].about = about;
    v->point[v->n_point++].text = point;
}

/* ---- the headline ---- */

static bool ranks_nothing(const struct metrics *m) { return !(m->of[METRIC_AUC].low > 0.5); }

static const char *how_well(double auc) {
    static const struct {
        double below;
        const char *words;
    } grades[] = {{0.6, "only a little better than chance"}, {0.7, "moderately well"}, {0.8, "fairly well"}, {0.9, "well"}};
    for (size_t i = 0; i < sizeof grades / sizeof *grades; i++)
        if (auc < grades[i].below)
            return grades[i].words;
    return "very well";
}

/* How far probabilities are off: within chance, a little, or much; by the figures that are shown, in tenths of a percentage
 * point. */
enum honesty { HONEST, NEARLY, OFF };

static enum honesty honesty_of(const struct metrics *m) {
    double over = (round(m->of[METRIC_ECE].value * 1000) - round(m->of[METRIC_ECE_FLOOR_P95].value * 1000)) / 1000;
    if (m->of[METRIC_LOG_LOSS].value >= m->base_log_loss)
        return OFF; /* few but grave errors need not show in the average */
    return over <= 0 ? HONEST : over <= 0.02 ? NEARLY : OFF;
}

static str headline(struct arena *a, const struct evaluation *e, const struct metrics *m) {
    static const char *const honesty[] = {
        [HONEST] = "its probabilities can be taken at their word",
        [NEARLY] = "its probabilities are slightly off",
        [OFF] = "its probabilities should not be taken at their word",
    };
    if (!isfinite(m->of[METRIC_AUC].value))
        return STR("These rows cannot show how well the model ranks: all of them have the same outcome.");
    if (e->no_signal || ranks_nothing(m))
        return STR("There is not enough signal in this data: the model does not rank leads better than chance.");
    if (m->of[METRIC_AUC].value >= 0.975)
        return STR("This model ranks leads almost perfectly, which is rarely true: look for fields that know the outcome.");
    return text(a, "This model ranks leads %s, and %s.", how_well(m->of[METRIC_AUC].value), honesty[honesty_of(m)]);
}

/* ---- the points ---- */

static void say_ranking(struct arena *a, const struct metrics *m, struct verdict *v) {
    const struct estimate *auc = &m->of[METRIC_AUC];
    if (isfinite(auc->value))
        add(v, "Ranking",
            text(a,
                 "Of two leads, one that converts and one that does not, it puts the right one first %.0f times in 100 "
                 "(between %.0f and %.0f with 95\u00a0%% confidence); a coin would do it 50 times.",
                 auc->value * 100, auc->low * 100, auc->high * 100));
}

static void say_top(struct arena *a, const struct evaluation_part *part, struct verdict *v) {
    const struct metrics *m = &part->metrics;
    double precision = m->of[METRIC_PRECISION_AT_10].value, lift = m->of[METRIC_LIFT_AT_10].value;
    if (!isfinite(lift))
        return;
    size_t n_top = m->n < 10 ? 1 : m->n / 10;
    str top = count(a, n_top);
    add(v, "Top of the list",
        text(a,
             "Of the best-scored tenth (%.*s lead%s), %.0f\u00a0%% converted, against %.0f\u00a0%% of all leads: %.1f "
             "times as many. "
             "That tenth holds %.0f\u00a0%% of all conversions.",
             STR_ARG(top), n_top == 1 ? "" : "s", precision * 100, m->base_rate * 100, lift,
             part->curves.gain.point[10].recall * 100));
}

static void say_calibration(struct arena *a, const struct metrics *m, struct verdict *v) {
    double ece = m->of[METRIC_ECE].value * 100, floor = m->of[METRIC_ECE_FLOOR_P95].value * 100;
    double bias = (m->mean_prediction - m->base_rate) * 100;
    if (honesty_of(m) == HONEST) {
        add(v, "Probabilities",
            text(a,
                 "When it says 30\u00a0%%, about 30 in 100 convert: probabilities are off by %.1f percentage points on "
                 "average, and on so "
                 "many leads chance alone can show up to %.1f.",
                 ece, floor));
        return;
    }
    const char *direction = bias > 1    ? " On the whole it promises too much"
                            : bias < -1 ? " On the whole it promises too little"
                                        : "";
    str balance = *direction ? text(a, "%s: %.0f\u00a0%% on average, and %.0f\u00a0%% converted.", direction,
                                    m->mean_prediction * 100, m->base_rate * 100)
                             : (str){0};
    add(v, "Probabilities",
        text(a, "Its probabilities are off by %.1f percentage points on average, where chance alone shows at most %.1f.%.*s",
             ece, floor, STR_ARG(balance)));
}

static void say_uncertainty(struct arena *a, const struct metrics *m, struct verdict *v) {
    double loss = m->of[METRIC_LOG_LOSS].value, removed = (1 - loss / m->base_log_loss) * 100;
    if (!(m->base_log_loss > 0))
        return;
    if (removed > 0)
        add(v, "Use of a score",
            text(a,
                 "Knowing its score removes %.0f\u00a0%% of the uncertainty about a lead (log loss %.3f, against %.3f of "
                 "always saying "
                 "the average).",
                 removed, loss, m->base_log_loss));
    else
        add(v, "Use of a score",
            text(a, "Always saying the average rate would predict better (log loss %.3f, against %.3f of the model).",
                 m->base_log_loss, loss));
}

static void say_basis(struct arena *a, const struct evaluation *e, const struct metrics *m, struct verdict *v) {
    size_t few = m->n_positive < m->n - m->n_positive ? m->n_positive : m->n - m->n_positive;
    str rows = count(a, m->n), positives = count(a, m->n_positive);
    const char *kind = e->test ? "leads that the model never saw"
                       : e->out_of_fold
                           ? "training leads, each predicted by a model that did not see it"
                           : "leads, the very ones it was fitted to, which flatters it: keep some back to know more";
    const char *caution = few < 30    ? " That is very little: take every figure as a hint."
                          : few < 100 ? " That is little: the intervals beside the figures are wide, and they are meant."
                                      : "";
    add(v, "Measured on", text(a, "%.*s %s. Of them, %.*s converted.%s", STR_ARG(rows), kind, STR_ARG(positives), caution));
}

static void say_against(struct arena *a, const struct evaluation *e, struct verdict *v) {
    if (!e->against)
        return;
    const struct difference *d = &e->against->auc;
    const char *judgement = !(d->low > 0 || d->high < 0) ? "The difference may be chance."
                            : d->value > 0               ? "This model is better."
                                                         : "The other model is better.";
    add(v, "Comparison",
        text(a, "Against %.*s on the same rows: AUC %+.4f (95\u00a0%% interval %+.4f to %+.4f). %s",
             (int)(e->against_name.len < 200 ? e->against_name.len : 200), e->against_name.ptr ? e->against_name.ptr : "",
             d->value, d->low, d->high, judgement));
}

static void say_warnings(struct arena *a, const struct evaluation *e, struct verdict *v) {
    if (e->n_warning > 0)
        add(v, "Findings",
            text(a, "%zu %s below: what was left out or looked odd, and why.", e->n_warning,
                 e->n_warning == 1 ? "finding is listed" : "findings are listed"));
}

void report_judge(struct arena *a, const struct evaluation *e, struct verdict *out) {
    *out = (struct verdict){.headline = STR("Nothing was measured: no rows with a known outcome were kept for it.")};
    const struct evaluation_part *part = evaluation_judged(e);
    if (part) {
        const struct metrics *m = &part->metrics;
        out->headline = headline(a, e, m);
        say_ranking(a, m, out);
        say_top(a, part, out);
        say_calibration(a, m, out);
        say_uncertainty(a, m, out);
        say_basis(a, e, m, out);
        say_against(a, e, out);
    }
    say_warnings(a, e, out);
}

str report_summary(struct arena *a, const struct evaluation *e) {
    struct verdict v;
    report_judge(a, e, &v);
    str lines[VERDICT_MAX_POINT + 1] = {v.headline};
    for (size_t i = 0; i < v.n_point; i++)
        lines[i + 1] = str_join(a, (const str[]){str_from(v.point[i].about), v.point[i].text}, 2, STR(": "));
    return str_join(a, lines, v.n_point + 1, STR("\n"));
}

const struct glossary_entry report_glossary[] = {
    {"auc", "AUC",
     "The chance that a lead that converts has a higher score than one that does not; 0.5 is a coin, 1 is perfect; tied "
     "scores count "
     "half (Eq. 80)."},
    {"log_loss", "Log loss",
     "The average surprise at what happened, in nats: minus the logarithm of the probability given to it; smaller is "
     "better, and the "
     "figure to beat is that of always saying the average rate."},
    {"brier", "Brier score",
     "The average squared difference between the probability and what happened (0 or 1); smaller is better."},
    {"ece", "ECE",
     "Expected calibration error: leads are cut by score into 15 bins of equal size, and the gap between the average "
     "probability and "
     "the rate that happened is averaged over them; smaller is better."},
    {"ece_floor_p95", "ECE by chance",
     "What a perfectly calibrated model would show on this many leads in 95 of 100 samples; an ECE below it is no sign of "
     "error."},
    {"pr_auc", "PR-AUC",
     "Average precision: precision averaged over all thresholds, each weighted by the conversions it adds; compare it with "
     "the "
     "average rate."},
    {"precision_at_10", "Precision at 10 %", "The share that converted among the tenth of leads with the highest scores."},
    {"lift_at_10", "Lift at 10 %",
     "That share divided by the average rate: how many times better than calling at random (Eq. 75)."},
    {"interval", "95 % interval",
     "Where the figure would lie in 95 of 100 samples of leads like these, by resampling the rows; it does not cover a "
     "change of the "
     "market."},
    {"precision", "Precision", "Of the leads at or above a threshold, the share that converted (Eq. 77)."},
    {"recall", "Recall", "Of the leads that converted, the share at or above the threshold (Eq. 78)."},
    {"f1", "F1", "The harmonic mean of precision and recall (Eq. 79)."},
    {"cost", "Cost",
     "What mistakes at a threshold cost: pursuit in vain for each false positive, and lost revenue for each false negative "
     "(Eq. 76)."},
    {"utility", "Net value", "Revenue of the conversions pursued less pursuit in vain (Eq. 81-82)."},
    {"break_even", "Break-even",
     "The probability from which pursuing a lead pays on average: cost of pursuit divided by revenue plus cost of pursuit "
     "(Eq. 83)."},
    {"gain", "Gain", "The share of all conversions found by working the best-scored leads up to some share of the list."},
    {"importance", "Importance",
     "How much a feature moves the model's log-odds on average; a large one is what the model uses, not proof of a cause."},
    {"out_of_fold", "Out of fold", "Predictions for training leads, each by a model that was fitted without them."},
    {"entropy", "Score entropy",
     "How spread the scores are, in nats over 20 bins: 0 when all are alike, 3.0 when they spread evenly (Eq. 95)."},
    {NULL, NULL, NULL},
};
