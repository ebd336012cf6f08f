/* report_priv.h — the parts of the report's page. */
#ifndef GALENA_LEARN_REPORT_PRIV_H
#define GALENA_LEARN_REPORT_PRIV_H

#include "learn/report.h"

enum { VERDICT_MAX_POINT = 8 };

/* What a person who does not know the figures should know. Plain text, not yet escaped. */
struct verdict {
    str headline;
    struct {
        const char *about; /* two or three words */
        str text;
    } point[VERDICT_MAX_POINT];
    size_t n_point;
};

void report_judge(struct arena *a, const struct evaluation *e, struct verdict *out);

/* One figure explained: anchor, name, sentence. The list ends with an id of NULL. */
struct glossary_entry {
    const char *id, *name, *meaning;
};
extern const struct glossary_entry report_glossary[];

/* The plots of a part, each a <figure>. */
void report_add_plots(struct arena *a, const struct evaluation_part *part, struct buf *out);

/* "38.5 %" and the like; "—" for NaN. */
str report_percent(struct arena *a, double share, int digits);

#endif
