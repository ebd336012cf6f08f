/* report_plot.c — the plots of the report. */
#include "learn/report_priv.h"
#include "learn/svg.h"

#include <math.h>
#include <stdio.h>

static const double wide = 460, tall = 340;

/* Heading and caption are our own text. */
static void open_figure(struct buf *out, const char *heading) { buf_add_format(out, "<figure><h3>%s</h3>\n", heading); }

static void close_figure(struct buf *out, const char *caption) {
    buf_add_format(out, "<figcaption>%s</figcaption></figure>\n", caption);
}

static struct svg_plot share_plot(struct buf *out, const char *x, const char *y) {
    return (struct svg_plot){
        .out = out, .width = wide, .height = tall, .x = {0, 1, SVG_PERCENT, x, false}, .y = {0, 1, SVG_PERCENT, y, false}};
}

static void straight(struct svg_plot *p, double x0, double y0, double x1, double y1, enum svg_look look) {
    svg_line(p, (const struct svg_point[]){{x0, y0}, {x1, y1}}, 2, look);
}

enum curve_axes { ROC_AXES, PR_AXES, GAIN_AXES };

static void trace(struct arena *a, struct svg_plot *p, const struct curve *c, enum curve_axes axes, enum svg_look look) {
    struct svg_point *points = ARENA_ARRAY(a, c->n, struct svg_point);
    for (size_t i = 0; i < c->n; i++) {
        const struct curve_point *at = &c->point[i];
        points[i] = axes == ROC_AXES  ? (struct svg_point){at->false_positive_rate, at->recall}
                    : axes == PR_AXES ? (struct svg_point){at->recall, at->precision}
                                      : (struct svg_point){at->flagged_share, at->recall};
    }
    svg_line(p, points, c->n, look);
}

static void plot_gain(struct arena *a, const struct evaluation_part *part, struct buf *out) {
    double base = part->metrics.base_rate;
    open_figure(out, "How many conversions the top of the list holds");
    struct svg_plot p = share_plot(out, "Share of leads worked, best scores first", "Share of all conversions found");
    p.legend_right = true;
    svg_begin(&p, "Cumulative gain");
    const struct svg_point best[] = {{0, 0}, {base, 1}, {1, 1}};
    svg_line(&p, best, 3, SVG_THIRD);
    straight(&p, 0, 0, 1, 1, SVG_REFERENCE);
    trace(a, &p, &part->curves.gain, GAIN_AXES, SVG_FIRST);
    svg_legend(&p, SVG_REFERENCE, SVG_SAMPLE_LINE, "in no order");
    svg_legend(&p, SVG_THIRD, SVG_SAMPLE_LINE, "the best possible order");
    svg_legend(&p, SVG_FIRST, SVG_SAMPLE_LINE, "by this model");
    svg_end(&p);
    close_figure(out, "Read upwards from the share of leads your team can work. <a href=\"#g-gain\">Gain</a>");
}

static void plot_lift(const struct evaluation_part *part, struct buf *out) {
    double highest = fmax(0.04, part->metrics.base_rate);
    for (size_t i = 0; i < CURVE_DECILE; i++)
        if (part->curves.decile[i].rows > 0)
            highest = fmax(highest, fmax(part->curves.decile[i].rate, part->curves.decile[i].mean_prediction));
    open_figure(out, "How often each tenth of the list converts");
    struct svg_plot p = share_plot(out, "Tenth of the leads, best scores first", "Converted");
    p.x = (struct svg_axis){0.5, CURVE_DECILE + 0.5, SVG_NUMBER, p.x.label, false};
    p.y.high = fmin(1, highest * 1.15);
    p.legend_right = p.legend_top = true;
    svg_begin(&p, "Conversion rate by decile of score");
    for (size_t i = 0; i < CURVE_DECILE; i++) {
        const struct decile *d = &part->curves.decile[i];
        if (d->rows == 0)
            continue;
        char hover[160], label[32];
        double at = (double)i + 1;
        snprintf(hover, sizeof hover, "Tenth %zu: %zu leads, %.0f converted, predicted %.1f %%", i + 1, d->rows,
                 d->positives, d->mean_prediction * 100);
        snprintf(label, sizeof label, "%.0f %%", d->rate * 100);
        svg_bar(&p, at - 0.38, at + 0.38, 0, d->rate, SVG_FIRST, hover);
        svg_mark(&p, (struct svg_point){at, d->mean_prediction}, SVG_SECOND, "predicted");
        svg_label(&p, (struct svg_point){at, fmax(d->rate, d->mean_prediction + 0.012 * p.y.high)}, label);
    }
    straight(&p, p.x.low, part->metrics.base_rate, p.x.high, part->metrics.base_rate, SVG_REFERENCE);
    svg_legend(&p, SVG_FIRST, SVG_SAMPLE_AREA, "converted");
    svg_legend(&p, SVG_SECOND, SVG_SAMPLE_MARK, "predicted");
    svg_legend(&p, SVG_REFERENCE, SVG_SAMPLE_LINE, "all leads");
    svg_end(&p);
    close_figure(out, "Bars should fall from left to right, with the predicted rate at their tops.");
}

static void plot_reliability(const struct evaluation_part *part, struct buf *out) {
    double x[METRICS_BIN], low[METRICS_BIN], high[METRICS_BIN], highest = 0.05;
    size_t n = 0;
    for (size_t b = 0; b < METRICS_BIN; b++) {
        const struct reliability_bin *r = &part->curves.reliability[b];
        if (r->rows == 0)
            continue;
        highest = fmax(highest, fmax(r->high, fmax(r->band_high, r->mean_prediction)));
        if (n > 0 && r->mean_prediction <= x[n - 1])
            continue;
        x[n] = r->mean_prediction;
        low[n] = r->band_low;
        high[n++] = r->band_high;
    }
    open_figure(out, "Whether probabilities come true");
    struct svg_plot p = share_plot(out, "Predicted", "Converted");
    p.x.high = p.y.high = fmin(1, ceil(highest * 20) / 20); /* where events are rare, all would crowd in the corner */
    p.legend_right = true;
    svg_begin(&p, "Reliability diagram");
    if (n >= 2)
        svg_band(&p, x, low, high, n, SVG_THIRD);
    straight(&p, 0, 0, 1, 1, SVG_REFERENCE);
    for (size_t b = 0; b < METRICS_BIN; b++) {
        const struct reliability_bin *r = &part->curves.reliability[b];
        char hover[160];
        if (r->rows == 0)
            continue;
        snprintf(hover, sizeof hover, "%zu leads: predicted %.1f %%, converted %.1f %% (95 %% interval %.1f to %.1f)",
                 r->rows, r->mean_prediction * 100, r->observed * 100, r->low * 100, r->high * 100);
        svg_whisker(&p, r->mean_prediction, r->low, r->high, SVG_FIRST);
        svg_mark(&p, (struct svg_point){r->mean_prediction, r->observed}, SVG_FIRST, hover);
    }
    svg_legend(&p, SVG_FIRST, SVG_SAMPLE_MARK, "leads in 15 bins, with 95 % interval");
    svg_legend(&p, SVG_THIRD, SVG_SAMPLE_AREA, "where chance alone puts a perfect model");
    svg_legend(&p, SVG_REFERENCE, SVG_SAMPLE_LINE, "perfect");
    svg_end(&p);
    close_figure(out, "Points in the band are as right as they can be shown to be. <a href=\"#g-ece\">ECE</a>");
}

static void plot_scores(const struct evaluation_part *part, struct buf *out) {
    size_t most = 1;
    const struct score_bin *score = part->curves.score;
    for (int b = 0; b < METRICS_SCORE_BIN; b++)
        most = score[b].rows > most ? score[b].rows : most;
    open_figure(out, "How scores are spread");
    struct svg_plot p = share_plot(out, "Predicted", "Leads");
    p.y = (struct svg_axis){0, (double)most * 1.05, SVG_NUMBER, "Leads", false};
    p.legend_right = p.legend_top = true;
    svg_begin(&p, "Distribution of scores");
    for (int b = 0; b < METRICS_SCORE_BIN; b++) {
        double from = (double)b / METRICS_SCORE_BIN + 0.004, to = (double)(b + 1) / METRICS_SCORE_BIN - 0.004;
        char hover[128];
        snprintf(hover, sizeof hover, "%d to %d %%: %zu leads, %zu converted", b * 5, b * 5 + 5, score[b].rows,
                 score[b].positives);
        svg_bar(&p, from, to, 0, (double)score[b].positives, SVG_SECOND, hover);
        svg_bar(&p, from, to, (double)score[b].positives, (double)score[b].rows, SVG_FIRST, hover);
    }
    svg_legend(&p, SVG_FIRST, SVG_SAMPLE_AREA, "did not convert");
    svg_legend(&p, SVG_SECOND, SVG_SAMPLE_AREA, "converted");
    svg_end(&p);
    close_figure(
        out, "The more leads stand near 0 and 100 %, the more the scores decide. <a href=\"#g-entropy\">Score entropy</a>");
}

static void plot_roc(struct arena *a, const struct evaluation_part *part, struct buf *out) {
    open_figure(out, "ROC");
    struct svg_plot p = share_plot(out, "False positive rate", "Recall (true positive rate)");
    p.legend_right = true;
    svg_begin(&p, "Receiver operating characteristic");
    straight(&p, 0, 0, 1, 1, SVG_REFERENCE);
    trace(a, &p, &part->curves.roc, ROC_AXES, SVG_FIRST);
    svg_legend(&p, SVG_REFERENCE, SVG_SAMPLE_LINE, "chance");
    svg_legend(&p, SVG_FIRST, SVG_SAMPLE_LINE, "this model");
    svg_end(&p);
    close_figure(out, "The area under the line is the <a href=\"#g-auc\">AUC</a>.");
}

static void plot_pr(struct arena *a, const struct evaluation_part *part, struct buf *out) {
    double base = part->metrics.base_rate;
    open_figure(out, "Precision and recall");
    struct svg_plot p = share_plot(out, "Recall", "Precision");
    svg_begin(&p, "Precision and recall");
    straight(&p, 0, base, 1, base, SVG_REFERENCE);
    trace(a, &p, &part->curves.pr, PR_AXES, SVG_FIRST);
    svg_legend(&p, SVG_REFERENCE, SVG_SAMPLE_LINE, "average rate");
    svg_legend(&p, SVG_FIRST, SVG_SAMPLE_LINE, "this model");
    svg_end(&p);
    close_figure(out,
                 "What share of flagged leads converts, as more conversions are found. <a href=\"#g-pr_auc\">PR-AUC</a>");
}

void report_add_plots(struct arena *a, const struct evaluation_part *part, struct buf *out) {
    buf_add(out, STR("<div class=\"plots\">\n"));
    plot_gain(a, part, out);
    plot_lift(part, out);
    plot_reliability(part, out);
    plot_scores(part, out);
    plot_roc(a, part, out);
    plot_pr(a, part, out);
    buf_add(out, STR("</div>\n"));
}
