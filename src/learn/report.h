/* report.h — an evaluation as one page for people and one object for programs. */
#ifndef GALENA_LEARN_REPORT_H
#define GALENA_LEARN_REPORT_H

#include "base/json.h"
#include "learn/evaluation.h"

/* Writes the object of `--json` (see docs/formats/evaluation.md): rows, train_rows, test_rows, positives, family,
 * metrics.test, metrics.train, metrics.out_of_fold (null where there are no such rows; every figure with its "_ci" pair),
 * warnings, features, calibration.method, seconds, peak_rss_bytes. With `full`, curves, thresholds, segments and members as
 * well. */
void report_write_json(const struct evaluation *e, bool full, struct json_writer *w);

/* A self-contained HTML page: no scripts, nothing loaded, plots as inline SVG, for screens light and dark and for paper.
 * Every text of the evaluation is escaped. */
void report_write_html(struct arena *a, const struct evaluation *e, struct buf *out);

/* The page's first sentences as plain text, each on its own line, for a terminal: how good, how far to trust. */
str report_summary(struct arena *a, const struct evaluation *e);

#endif
