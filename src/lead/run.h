/* run.h — one passage of one lead through the stages, and what a stage is.
 *
 * Stages share data through the run and never each other's functions. A stage is a function of what the run holds: when it
 * needs the world it asks (run_ask), returns OK, and is called again, from the beginning, once every answer is there. The
 * same run with the same answers gives the same result, on any later day. */
#ifndef GALENA_LEAD_RUN_H
#define GALENA_LEAD_RUN_H

#include "base/json.h"
#include "lead/lifecycle.h"
#include "lead/record.h"

enum { RUN_ID_BYTE = 26, RUN_MAX_ASK = 32, RUN_MAX_DELIVERY = 8, RUN_MAX_COLUMN = 4096 };

/* Stored as these numbers. If you change one of them: the queries in sql/query. */
enum run_status { RUN_READY, RUN_LEASED, RUN_WAITING, RUN_DEAD, RUN_STATUS_COUNT };
enum run_outcome { RUN_OPEN, RUN_SCORED, RUN_INSUFFICIENT, RUN_DISQUALIFIED, RUN_FAILED, RUN_CANCELLED, RUN_OUTCOME_COUNT };
enum run_priority { RUN_INTERACTIVE, RUN_NORMAL, RUN_BULK, RUN_PRIORITY_COUNT };

const char *run_status_name(enum run_status status);       /* "ready", "leased", "waiting", "dead" */
const char *run_outcome_name(enum run_outcome outcome);    /* "open", "scored", "insufficient_data", ... */
const char *run_priority_name(enum run_priority priority); /* "interactive", "normal", "bulk" */
bool run_priority_parse(str name, enum run_priority *out);

/* How much later than it might a run of this class is due: what makes classes, and what makes all of them age. */
int64_t run_priority_delay_ms(enum run_priority priority);

/* Something a run wants to know from outside. `name` is unique in the run and stable: it is the key under which the answer
 * is journalled. */
struct run_ask {
    str name;
    str request;                /* JSON, for whoever answers */
    bool answered;              /* the rest is set when true */
    err rc;                     /* OK; or why there is no answer, and none will come */
    const struct json *answer;  /* what was said */
    int64_t price_micro, at_ms; /* what it cost and when it came */
};

/* One promised outside effect. Its idempotency key is tenant:lead:gen:target. */
struct run_delivery {
    str target;
};

/* A field of the lead as the model sees it. */
struct run_column {
    str name, cell;
};

/* What a model family and its profile made of the lead. */
struct run_reason {
    str text;
    double share; /* of the log-odds */
};

struct run {
    struct arena *arena; /* of this passage; all below lives in it */
    str tenant, lead;    /* lead: RUN_ID_BYTE characters */
    int64_t gen, accepted_ms, now_ms, deadline_ms;
    str cause;
    str body;                    /* JSON text, as accepted */
    const struct model_pin *pin; /* the versions this run is pinned to; belongs to flow */

    /* asks, in the order in which they were made */
    struct run_ask ask[RUN_MAX_ASK];
    size_t n_ask;

    /* validate, enrich */
    const struct json *neutral; /* the body, parsed */
    struct run_column *column;
    size_t n_column;

    /* vectorise: belongs to features */
    const struct vector *vector;

    /* score, explain */
    enum run_outcome outcome;
    str note; /* why it was not scored */
    struct score score;
    enum tier tier;
    struct run_reason *reason;
    size_t n_reason;

    /* route */
    struct lifecycle_path path;
    struct run_delivery delivery[RUN_MAX_DELIVERY];
    size_t n_delivery;
};

/* If you change this: the array in flow/stages.c. */
struct stage {
    const char *name;
    /* Called until it asks nothing new. Failures: ERR_AGAIN and ERR_REMOTE are tried again with back-off, ERR_CONFLICT at
     * once, ERR_LIMIT after a while and not counted; all others end the run as failed, with the sentence. */
    err (*step)(struct run *run);
};

/* The answer to `name`, or NULL while there is none: then the question is put, and the stage should ask whatever else it
 * needs and return OK. ERR_LIMIT when it asks too much. */
err run_ask(struct run *run, str name, str request, const struct run_ask **answer) MUST_CHECK;

/* True when the run asked something that is not answered. */
bool run_waits(const struct run *run);

/* The cell of a column, or an empty str. */
str run_cell(const struct run *run, str name);

#endif
