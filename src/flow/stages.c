/* stages.c — the way of a lead, in order. */
#include "flow/stages.h"

#include "enrich/enrich.h"
#include "flow/pin_priv.h"
#include "validate/validate.h"

/* A lead that nobody can be found by, and of whom nothing is said that the model looks at, is no lead. */
static err check_not_empty(struct run *run) {
    static const str names[] = {STR_INIT("person.email"), STR_INIT("email"),  STR_INIT("company.name"),
                                STR_INIT("company"),      STR_INIT("domain"), STR_INIT("company.domain")};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (run_cell(run, names[i]).len > 0)
            return OK;
    TRY(scratch_ready(run));
    if (pin_fill(run->pin, run, run->scratch) > 0)
        return OK;
    return fail(
        ERR_INPUT, "lead_empty",
        "the lead has no e-mail address, no company name, no domain, and no field that the model or profile looks at");
}

static err stage_validate(struct run *run) {
    TRY(validate_lead(run));
    return check_not_empty(run);
}

static err stage_enrich(struct run *run) {
    struct identity who;
    if (run->pin->terms.enrich.len == 0)
        return OK;
    TRY(validate_identity(run->arena, run->neutral, &who));
    return enrich_lead(run, &(struct enrich_subject){.email = who.email, .domain = who.domain, .company = who.company});
}

static err stage_route(struct run *run) { return route_lead(run, &run->pin->route); }

/* If you change this: enum fields of stage_timing's text, docs/lifecycle.md, the stage numbers of parked runs. */
const struct stage stages[] = {
    {"validate", stage_validate}, {"enrich", stage_enrich},   {"vectorise", stage_vectorise},
    {"score", stage_score},       {"explain", stage_explain}, {"route", stage_route},
};
const size_t n_stages = sizeof stages / sizeof *stages;
_Static_assert(sizeof stages / sizeof *stages <= STAGE_MAX, "stage_timing has room for all stages");

static bool is_late(const struct run *run) { return run->deadline_ms > 0 && run->now_ms >= run->deadline_ms; }

err stages_step(struct run *run, size_t *stage, struct stage_timing *timing) {
    const struct clock *clock = timing ? timing->clock : NULL;
    int64_t then = clock ? clock->steady_ns() : 0;
    for (*stage = run->neutral ? *stage : 0; *stage < n_stages; ++*stage) {
        err rc = stages[*stage].step(run);
        if (clock) {
            int64_t now = clock->steady_ns();
            timing->ns[*stage] += now - then;
            then = now;
        }
        TRY(rc);
        if (run_waits(run) && !is_late(run))
            return OK;
    }
    return OK;
}

void stages_fail(struct run *run, str reason) {
    run->outcome = RUN_FAILED;
    run->note = reason;
    run->path = (struct lifecycle_path){.state = {run->state}, .n = 1};
    run->n_delivery = 0;
    run->rescore_ms = 0;
}

str stages_timing_text(struct arena *a, const struct stage_timing *timing) {
    struct buf *out = buf_in(a, 1 << 10);
    struct json_writer w;
    json_write_begin(&w, out, 0);
    json_open_object(&w);
    for (size_t i = 0; i < n_stages; i++)
        json_put_integer(&w, str_from(stages[i].name), (timing->ns[i] + 500) / 1000);
    json_close_object(&w);
    return buf_str(out);
}
