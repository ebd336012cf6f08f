/* run.c — names and classes of runs, and the questions of a stage. */
#include "lead/run.h"

static const char *const status_names[RUN_STATUS_COUNT] = {"ready", "leased", "waiting", "dead"};
static const char *const outcome_names[RUN_OUTCOME_COUNT] = {"open",         "scored", "insufficient_data",
                                                             "disqualified", "failed", "cancelled"};
static const char *const priority_names[RUN_PRIORITY_COUNT] = {"interactive", "normal", "bulk"};
static const int64_t priority_delay_ms[RUN_PRIORITY_COUNT] = {0, 60 * 1000, 10 * 60 * 1000};

const char *run_status_name(enum run_status status) { return status_names[status]; }
const char *run_outcome_name(enum run_outcome outcome) { return outcome_names[outcome]; }
const char *run_priority_name(enum run_priority priority) { return priority_names[priority]; }
int64_t run_priority_delay_ms(enum run_priority priority) { return priority_delay_ms[priority]; }

bool run_priority_parse(str name, enum run_priority *out) {
    for (int k = 0; k < RUN_PRIORITY_COUNT; k++)
        if (str_equal(name, str_from(priority_names[k]))) {
            *out = (enum run_priority)k;
            return true;
        }
    return false;
}

err run_ask(struct run *run, str name, str request, const struct run_ask **answer) {
    *answer = NULL;
    for (size_t i = 0; i < run->n_ask; i++)
        if (str_equal(run->ask[i].name, name)) {
            *answer = run->ask[i].answered ? &run->ask[i] : NULL;
            return OK;
        }
    if (run->n_ask == RUN_MAX_ASK)
        return fail(ERR_LIMIT, "run_asks_too_much", "a run may ask at most %d questions", RUN_MAX_ASK);
    run->ask[run->n_ask++] = (struct run_ask){.name = str_copy(run->arena, name), .request = str_copy(run->arena, request)};
    return OK;
}

bool run_waits(const struct run *run) {
    for (size_t i = 0; i < run->n_ask; i++)
        if (!run->ask[i].answered)
            return true;
    return false;
}

str run_cell(const struct run *run, str name) {
    for (size_t i = 0; i < run->n_column; i++)
        if (str_equal(run->column[i].name, name))
            return run->column[i].cell;
    return (str){0};
}
