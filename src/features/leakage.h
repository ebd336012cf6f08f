/* leakage.h — the sentinel: columns that know the outcome because they were filled in, or changed, after it.
 *
 * A model trained on such a column looks excellent and is useless on new leads. The sentinel judges each field of the schema
 * by what the training rows show; names are hints that lower the evidence asked for, and never enough for `certain`.
 * Single-field AUCs are cross-fitted: the rate of a level or bin comes from rows other than the ones it is judged on.
 * "Near-deterministic" is a statement about confidence bounds (Wilson, 99 %), not about observed shares, so that small
 * levels do not alarm. */
#ifndef GALENA_FEATURES_LEAKAGE_H
#define GALENA_FEATURES_LEAKAGE_H

#include "lead/frame.h"
#include "lead/schema.h"

enum leak_severity {
    LEAK_NOTE,    /* worth knowing; nothing to do */
    LEAK_SUSPECT, /* look at it: an honest explanation is possible */
    LEAK_CERTAIN, /* no honest field looks like this: leave it out */
    LEAK_SEVERITY_COUNT
};

/* If you change this: leak_code_names in leakage.c and docs/leakage.md. */
enum leak_code {
    LEAK_IDENTIFIER,             /* names the row; not used as a feature */
    LEAK_CONSTANT,               /* one value; not used as a feature */
    LEAK_TARGET_COPY,            /* the outcome itself under other words */
    LEAK_FILLED_AFTER_OUTCOME,   /* whether it is filled at all tells the outcome */
    LEAK_NEAR_DETERMINISTIC,     /* levels that nearly always or nearly never convert */
    LEAK_AUC_SPIKE,              /* this field alone ranks the rows far better than any other */
    LEAK_DURATION_AFTER_CONTACT, /* length of a contact: known only after it */
    LEAK_STATUS_LIKE_NAME,       /* a status kept up to date after intake */
    LEAK_JUDGEMENT_LIKE_NAME,    /* a person's or product's judgement of the lead */
    LEAK_FUTURE_DATE,            /* dates after the row's own time, or after now */
    LEAK_CODE_COUNT
};

struct leak_finding {
    enum leak_code code;
    enum leak_severity severity;
    str field;    /* column */
    str level;    /* the most telling level, or "" */
    str evidence; /* a sentence with the numbers */
    double auc;   /* cross-fitted single-field AUC, at least about 0.5; NaN when not computed */
};

struct leak_opts {
    str time;       /* time column, "" when none: other dates are compared with it */
    int64_t now_ms; /* 0: not known */
    uint64_t seed;  /* of the cross-fitting folds */
};

struct leak_report {
    const struct leak_finding *finding; /* most severe first, then in field order; at most one a field and code */
    size_t n, n_certain, n_suspect;
};

const char *leak_code_name(enum leak_code code); /* "near_deterministic_level", ... */
const char *leak_severity_name(enum leak_severity severity);

/* Examines the fields of a fitted schema on the n training rows with outcomes y. Fields of type ignored are passed over.
 * When only one class is there, just identifiers and constants are reported. */
err leak_find(struct arena *a, const struct frame *f, const struct schema *s, const uint32_t *rows, size_t n,
              const double *y, const struct leak_opts *o, struct leak_report **out) MUST_CHECK;

#endif
