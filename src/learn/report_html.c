/* report_html.c — the evaluation as a page. */
#include "base/asset.h"
#include "learn/report_priv.h"
#include "learn/svg.h"

#include "base/number.h"

#include <math.h>
#include <stdlib.h>

/* Foreign text: escaped, and kept from turning the text around it. */
static void foreign(struct buf *out, str s) {
    buf_add(out, STR("<bdi>"));
    svg_escape(out, s);
    buf_add(out, STR("</bdi>"));
}

/* ---- cells ---- */

static void number_cell(struct arena *a, struct buf *out, double value) {
    str s = isfinite(value) ? number_for_people(a, value) : STR("\u2014");
    buf_add_format(out, "<td class=\"n\">%.*s</td>", STR_ARG(s));
}

static void share_cell(struct arena *a, struct buf *out, double share) {
    buf_add_format(out, "<td class=\"n\">%.*s</td>", STR_ARG(report_percent(a, share, 1)));
}

static void fixed_cell(struct buf *out, double value, int digits) {
    if (isfinite(value))
        buf_add_format(out, "<td class=\"n\">%.*f</td>", digits, value);
    else
        buf_add(out, STR("<td class=\"n\">\u2014</td>"));
}

static void text_cell(struct buf *out, str s) {
    buf_add(out, STR("<td>"));
    foreign(out, s);
    buf_add(out, STR("</td>"));
}

/* A heading cell that leads to the glossary; id NULL: none. */
static void heading(struct buf *out, const char *id, const char *name, bool number) {
    buf_add_format(out, "<th scope=\"col\"%s>", number ? " class=\"n\"" : "");
    if (id)
        buf_add_format(out, "<a href=\"#g-%s\">%s</a>", id, name);
    else
        buf_add(out, str_from(name));
    buf_add(out, STR("</th>"));
}

static void open_section(struct buf *out, const char *id, const char *title) {
    buf_add_format(out, "<section id=\"%s\"><h2>%s</h2>\n", id, title);
}

static void close_section(struct buf *out) { buf_add(out, STR("</section>\n")); }

/* ---- top of the page ---- */

static void add_head(const struct evaluation *e, struct buf *out) {
    buf_add(out, STR("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
                     "base-uri 'none'; form-action 'none'\"/>\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
                     "<meta name=\"referrer\" content=\"no-referrer\"/>\n<meta name=\"color-scheme\" content=\"light "
                     "dark\"/>\n<title>"));
    svg_escape(out, str_empty(e->model_name) ? STR("Model") : e->model_name);
    buf_add(out, STR(" \u00b7 evaluation</title>\n<style>\n"));
    buf_add(out, asset_get(STR("report/report.css")));
    buf_add(out, STR("</style>\n</head>\n<body>\n<main>\n"));
}

static void add_card(struct arena *a, struct buf *out, const struct metrics *m, enum metric which, const char *name,
                     bool percent, const char *note) {
    const struct estimate *v = &m->of[which];
    buf_add_format(out, "<li><a href=\"#g-%s\">%s</a><strong>", metric_name(which), name);
    if (!isfinite(v->value))
        buf_add(out, STR("\u2014"));
    else if (percent)
        buf_add(out, report_percent(a, v->value, 1));
    else
        buf_add_format(out, "%.3f", v->value);
    buf_add(out, STR("</strong><span>"));
    if (isfinite(v->low)) {
        if (percent)
            buf_add_format(out, "%.1f to %.1f&#160;%%", v->low * 100, v->high * 100);
        else
            buf_add_format(out, "%.3f to %.3f", v->low, v->high);
    }
    buf_add_format(out, "</span><span>%s</span></li>\n", note);
}

static void add_cards(struct arena *a, const struct metrics *m, struct buf *out) {
    struct buf *note = buf_in(a, 256);
    buf_add(out, STR("<ul class=\"cards\">\n"));
    add_card(a, out, m, METRIC_AUC, "AUC", false, "0.5 is chance, 1 is perfect");
    buf_add_format(note, "%.1f times the average of %.1f&#160;%%", m->of[METRIC_LIFT_AT_10].value, m->base_rate * 100);
    buf_add_byte(note, '\0');
    add_card(a, out, m, METRIC_PRECISION_AT_10, "Converted in the top tenth", true,
             isfinite(m->of[METRIC_LIFT_AT_10].value) ? note->ptr : "");
    buf_clear(note);
    buf_add_format(note, "by chance up to %.1f&#160;%%", m->of[METRIC_ECE_FLOOR_P95].value * 100);
    buf_add_byte(note, '\0');
    add_card(a, out, m, METRIC_ECE, "Calibration error (ECE)", true, note->ptr);
    buf_clear(note);
    buf_add_format(note, "%.3f when always saying the average", m->base_log_loss);
    buf_add_byte(note, '\0');
    add_card(a, out, m, METRIC_LOG_LOSS, "Log loss", false, note->ptr);
    buf_add(out, STR("</ul>\n"));
}

static void add_summary(struct arena *a, const struct evaluation *e, struct buf *out) {
    struct verdict v;
    report_judge(a, e, &v);
    buf_add(out, STR("<header><p class=\"kicker\">Galena \u00b7 evaluation of "));
    foreign(out, str_empty(e->model_name) ? STR("a model") : e->model_name);
    if (!str_empty(e->data_name)) {
        buf_add(out, STR(" on "));
        foreign(out, e->data_name);
    }
    buf_add(out, STR("</p>\n<h1>"));
    svg_escape(out, v.headline);
    buf_add(out, STR("</h1>\n</header>\n"));
    if (evaluation_judged(e))
        add_cards(a, &evaluation_judged(e)->metrics, out);
    buf_add(out, STR("<ul class=\"points\">\n"));
    for (size_t i = 0; i < v.n_point; i++) {
        buf_add_format(out, "<li><b>%s.</b> ", v.point[i].about);
        svg_escape(out, v.point[i].text);
        buf_add(out, STR("</li>\n"));
    }
    buf_add(out, STR("</ul>\n"));
}

/* ---- tables ---- */

static void add_warnings(const struct evaluation *e, struct buf *out) {
    if (e->n_warning == 0)
        return;
    open_section(out, "findings", "What was left out or looked odd");
    buf_add(out, STR("<table><thead><tr><th scope=\"col\">Field</th><th scope=\"col\">Finding</th></tr></thead><tbody>\n"));
    for (size_t i = 0; i < e->n_warning; i++) {
        const struct evaluation_warning *w = &e->warning[i];
        buf_add(out, STR("<tr>"));
        text_cell(out, str_empty(w->field) ? STR("\u2014") : w->field);
        buf_add(out, STR("<td>"));
        foreign(out, w->message);
        buf_add(out, STR(" <code>"));
        svg_escape(out, w->code);
        buf_add(out, STR("</code></td></tr>\n"));
    }
    buf_add(out, STR("</tbody></table>\n"));
    close_section(out);
}

static const char *threshold_note(const struct evaluation *e, double at) {
    if (fabs(at - curves_break_even(&e->costs)) < 1e-9)
        return "break-even";
    if (e->hot > 0 && fabs(at - e->hot) < 1e-9)
        return "hot from here";
    return e->warm > 0 && fabs(at - e->warm) < 1e-9 ? "warm from here" : "";
}

static void add_threshold_rows(struct arena *a, const struct evaluation *e, const struct evaluation_part *part,
                               struct buf *out) {
    for (size_t i = 0; i < part->n_threshold; i++) {
        const struct threshold_row *t = &part->threshold[i];
        const char *note = threshold_note(e, t->threshold);
        buf_add_format(out, "<tr%s><td class=\"n\">%.3g&#160;%%</td>", *note ? " class=\"chosen\"" : "", t->threshold * 100);
        number_cell(a, out, (double)t->flagged);
        number_cell(a, out, (double)t->tp);
        number_cell(a, out, (double)t->fp);
        number_cell(a, out, (double)t->fn);
        share_cell(a, out, t->precision);
        share_cell(a, out, t->recall);
        fixed_cell(out, t->f1, 3);
        number_cell(a, out, t->cost);
        number_cell(a, out, t->utility);
        buf_add_format(out, "<td>%s</td></tr>\n", note);
    }
}

static void explain_costs(struct arena *a, const struct evaluation *e, const struct evaluation_part *part, struct buf *out) {
    str revenue = number_for_people(a, e->costs.revenue), pursuit = number_for_people(a, e->costs.pursuit);
    double break_even = curves_break_even(&e->costs);
    buf_add_format(out, "<p>A lead that converts is worth <b>%.*s</b>, and pursuing one in vain costs <b>%.*s</b>%s",
                   STR_ARG(revenue), STR_ARG(pursuit),
                   e->costs_assumed ? " (a stand-in: nobody said what they are, and every cost below hangs on them)" : "");
    if (isfinite(break_even))
        buf_add_format(out, ": pursuing pays from a score of <b>%.3g&#160;%%</b> (<a href=\"#g-break_even\">break-even</a>)",
                       break_even * 100);
    buf_add_byte(out, '.');
    if (isfinite(break_even) && isfinite(part->cheapest.threshold))
        buf_add_format(out,
                       " On these very leads, %.3g&#160;%% would have been best; it is fitted to them, so do not copy it.",
                       part->cheapest.threshold * 100);
    buf_add(out, STR("</p>\n"));
}

static void add_thresholds(struct arena *a, const struct evaluation *e, const struct evaluation_part *part,
                           struct buf *out) {
    open_section(out, "thresholds", "Where to draw the line");
    explain_costs(a, e, part, out);
    buf_add(out, STR("<div class=\"scroll\"><table><thead><tr>"));
    heading(out, NULL, "Score from", true);
    heading(out, NULL, "Leads", true);
    heading(out, NULL, "Right (TP)", true);
    heading(out, NULL, "In vain (FP)", true);
    heading(out, NULL, "Missed (FN)", true);
    heading(out, "precision", "Precision", true);
    heading(out, "recall", "Recall", true);
    heading(out, "f1", "F1", true);
    heading(out, "cost", "Cost", true);
    heading(out, "utility", "Net value", true);
    buf_add(out, STR("<th></th></tr></thead><tbody>\n"));
    add_threshold_rows(a, e, part, out);
    buf_add(out, STR("</tbody></table></div>\n"));
    close_section(out);
}

static void add_segment_rows(struct arena *a, const struct evaluation *e, struct buf *out) {
    enum { SHOWN = 200 };
    for (size_t i = 0; i < e->n_segment && i < SHOWN; i++) {
        const struct evaluation_segment *s = &e->segment[i];
        bool over = s->mean_prediction > s->high, under = s->mean_prediction < s->low;
        bool same = i > 0 && str_equal(s->field, e->segment[i - 1].field);
        buf_add_format(out, "<tr%s>", same ? "" : " class=\"first\"");
        text_cell(out, same ? STR("") : s->field);
        text_cell(out, str_empty(s->level) ? STR("(empty)") : s->level);
        number_cell(a, out, (double)s->rows);
        share_cell(a, out, s->observed);
        buf_add_format(out, "<td class=\"n\">%.1f to %.1f</td>", s->low * 100, s->high * 100);
        share_cell(a, out, s->mean_prediction);
        buf_add_format(out, "<td>%s</td>", over ? "\u25b2 too high" : under ? "\u25bc too low" : "");
        fixed_cell(out, s->auc, 3);
        share_cell(a, out, s->ece);
        share_cell(a, out, s->ece_floor);
        buf_add(out, STR("</tr>\n"));
    }
    if (e->n_segment > SHOWN)
        buf_add_format(out, "<tr><td colspan=\"10\">and %zu more in the JSON report</td></tr>\n", e->n_segment - SHOWN);
}

static void add_segments(struct arena *a, const struct evaluation *e, struct buf *out) {
    if (e->n_segment == 0)
        return;
    open_section(out, "segments", "How it does for each kind of lead");
    buf_add(out, STR("<p>A mark shows where the average prediction lies outside the interval of what happened; about one in "
                     "twenty is "
                     "marked by chance alone.</p>\n<div class=\"scroll\"><table><thead><tr>"));
    heading(out, NULL, "Field", false);
    heading(out, NULL, "Value", false);
    heading(out, NULL, "Leads", true);
    heading(out, NULL, "Converted", true);
    heading(out, "interval", "95 % interval", true);
    heading(out, NULL, "Predicted", true);
    heading(out, NULL, "", false);
    heading(out, "auc", "AUC", true);
    heading(out, "ece", "ECE", true);
    heading(out, "ece_floor_p95", "by chance", true);
    buf_add(out, STR("</tr></thead><tbody>\n"));
    add_segment_rows(a, e, out);
    buf_add(out, STR("</tbody></table></div>\n"));
    close_section(out);
}

static int more_important_first(const void *x, const void *y) {
    const struct evaluation_feature *a = x, *b = y;
    return a->importance != b->importance ? (a->importance < b->importance) - (a->importance > b->importance)
                                          : str_compare(a->name, b->name);
}

static void add_features(struct arena *a, const struct evaluation *e, struct buf *out) {
    enum { SHOWN = 30 };
    if (e->n_feature == 0)
        return;
    struct evaluation_feature *sorted = arena_copy(a, e->feature, e->n_feature * sizeof *sorted);
    qsort(sorted, e->n_feature, sizeof *sorted, more_important_first);
    open_section(out, "features", "What the score is made of");
    buf_add(out, STR("<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Field</th><th scope=\"col\">Group</th>"));
    heading(out, "importance", "Importance", true);
    buf_add(out, STR("<th></th></tr></thead><tbody>\n"));
    for (size_t i = 0; i < e->n_feature && i < SHOWN; i++) {
        buf_add(out, STR("<tr>"));
        text_cell(out, sorted[i].name);
        text_cell(out, sorted[i].group);
        fixed_cell(out, sorted[i].importance, 3);
        double share = sorted[0].importance > 0 ? sorted[i].importance / sorted[0].importance : 0;
        buf_add_format(
            out,
            "<td class=\"meter\"><svg viewBox=\"0 0 200 10\" aria-hidden=\"true\"><rect class=\"bar s1\" width=\"%.1f\" "
            "height=\"10\" rx=\"2\"/></svg></td></tr>\n",
            200 * fmax(0, share));
    }
    if (e->n_feature > SHOWN)
        buf_add_format(out, "<tr><td colspan=\"4\">and %zu more in the JSON report</td></tr>\n", e->n_feature - SHOWN);
    buf_add(out, STR("</tbody></table></div>\n"));
    close_section(out);
}

static void add_estimate_cell(struct buf *out, const struct evaluation_part *part, enum metric m) {
    if (!part)
        return;
    const struct estimate *v = &part->metrics.of[m];
    if (!isfinite(v->value))
        buf_add(out, STR("<td class=\"n\">\u2014</td>"));
    else
        buf_add_format(out, "<td class=\"n\">%.4f <small>%.4f to %.4f</small></td>", v->value, v->low, v->high);
}

static const char *glossary_name(const char *id) {
    for (const struct glossary_entry *g = report_glossary; g->id; g++)
        if (str_equal(str_from(g->id), str_from(id)))
            return g->name;
    return id;
}

static void add_figures(const struct evaluation *e, struct buf *out) {
    if (!evaluation_judged(e))
        return;
    open_section(out, "figures", "Every figure");
    buf_add(out, STR("<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Figure</th>"));
    if (e->test)
        heading(out, NULL, "Test leads, never seen", true);
    if (e->out_of_fold)
        heading(out, "out_of_fold", "Training leads, out of fold", true);
    if (e->train)
        heading(out, NULL, "Training leads, as fitted", true);
    buf_add(out, STR("</tr></thead><tbody>\n"));
    for (int m = 0; m < METRIC_COUNT; m++) {
        const char *id = metric_name((enum metric)m);
        buf_add_format(out, "<tr><th scope=\"row\"><a href=\"#g-%s\">%s</a></th>", id, glossary_name(id));
        add_estimate_cell(out, e->test, (enum metric)m);
        add_estimate_cell(out, e->out_of_fold, (enum metric)m);
        add_estimate_cell(out, e->train, (enum metric)m);
        buf_add(out, STR("</tr>\n"));
    }
    buf_add_format(
        out,
        "</tbody></table></div>\n<p class=\"small\">Small: the <a href=\"#g-interval\">95&#160;%% interval</a>. Score "
        "entropy: <a href=\"#g-entropy\">%.2f nats</a>.</p>\n",
        evaluation_judged(e)->metrics.entropy);
    close_section(out);
}

/* ---- how it was made ---- */

static void fact(struct buf *out, const char *name, str value) {
    if (str_empty(value))
        return;
    buf_add_format(out, "<dt>%s</dt><dd>", name);
    foreign(out, value);
    buf_add(out, STR("</dd>\n"));
}

static void add_rows_fact(struct arena *a, const struct evaluation *e, struct buf *out) {
    str rows = number_for_people(a, (double)e->rows), positives = number_for_people(a, (double)e->positives);
    str train = number_for_people(a, (double)e->train_rows), test = number_for_people(a, (double)e->test_rows);
    buf_add_format(out, "<dt>Leads</dt><dd>%.*s, of which %.*s converted; %.*s to train, %.*s to test</dd>\n", STR_ARG(rows),
                   STR_ARG(positives), STR_ARG(train), STR_ARG(test));
}

static void add_members_fact(const struct evaluation *e, struct buf *out) {
    if (e->n_member == 0)
        return;
    buf_add(out, STR("<dt>Members</dt><dd>"));
    for (size_t i = 0; i < e->n_member; i++) {
        if (i > 0)
            buf_add(out, STR("; "));
        foreign(out, e->member[i].family);
        buf_add_format(out, " with weight %.3f (log loss %.4f alone)", e->member[i].weight, e->member[i].log_loss);
    }
    buf_add(out, STR("</dd>\n"));
}

static void add_making(struct arena *a, const struct evaluation *e, struct buf *out) {
    open_section(out, "making", "How it was made");
    buf_add(out, STR("<dl class=\"facts\">\n"));
    fact(out, "Data", e->data_name);
    add_rows_fact(a, e, out);
    fact(out, "Outcome", e->target);
    fact(out, "Counts as converted", e->positive);
    fact(out, "Split", e->split);
    fact(out, "Model", e->model_name);
    fact(out, "Model id", e->model_id);
    fact(out, "Profile", e->profile_name);
    fact(out, "Family", e->family);
    add_members_fact(e, out);
    fact(out, "Calibration", e->calibration);
    buf_add_format(out, "<dt>Seed</dt><dd>%llu</dd>\n", (unsigned long long)e->seed);
    if (e->seconds.total > 0)
        buf_add_format(out, "<dt>Time</dt><dd>%.2f s: %.2f to read, %.2f to fit, %.2f to evaluate</dd>\n", e->seconds.total,
                       e->seconds.read, e->seconds.fit, e->seconds.evaluate);
    if (e->peak_rss_byte > 0)
        buf_add_format(out, "<dt>Memory</dt><dd>%.0f MB at most</dd>\n", (double)e->peak_rss_byte / 1e6);
    fact(out, "Made", e->made_at);
    fact(out, "By", e->program);
    buf_add(out, STR("</dl>\n"));
    close_section(out);
}

static void add_glossary(struct buf *out) {
    open_section(out, "glossary", "What each figure means");
    buf_add(out, STR("<dl>\n"));
    for (const struct glossary_entry *g = report_glossary; g->id; g++)
        buf_add_format(out, "<dt id=\"g-%s\">%s</dt><dd>%s</dd>\n", g->id, g->name, g->meaning);
    buf_add(out, STR("</dl>\n"));
    close_section(out);
}

void report_write_html(struct arena *a, const struct evaluation *e, struct buf *out) {
    const struct evaluation_part *part = evaluation_judged(e);
    add_head(e, out);
    add_summary(a, e, out);
    add_warnings(e, out);
    if (part) {
        open_section(out, "plots", "The pictures");
        report_add_plots(a, part, out);
        close_section(out);
        add_thresholds(a, e, part, out);
    }
    add_segments(a, e, out);
    add_features(a, e, out);
    add_figures(e, out);
    add_making(a, e, out);
    add_glossary(out);
    buf_add(out, STR("</main>\n</body>\n</html>\n"));
}
