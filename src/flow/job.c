/* job.c — jobs and the memory behind them. */
#include "flow/job.h"

#include <stdatomic.h>
#include <stdlib.h>

struct hold {
    struct arena *arena;
    atomic_size_t jobs;
};

static str put(char **at, str s) {
    str copy = {*at, s.len};
    if (s.len > 0)
        memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return copy;
}

struct job *job_from_accepted(const struct accept *c, const struct accepted *lead, int64_t now_ms) {
    const struct new_lead *in = lead->in;
    size_t text = c->tenant.len + RUN_ID_BYTE + c->cause.len + c->pins.len + in->body.len + lead->key.len;
    struct job *job = malloc(sizeof *job + text);
    if (!job)
        return NULL;
    char *at = (char *)(job + 1);
    int64_t run_ms = in->run_ms > now_ms ? in->run_ms : now_ms;
    *job = (struct job){
        .tenant = put(&at, c->tenant),
        .lead = put(&at, (str){lead->id, RUN_ID_BYTE}),
        .cause = put(&at, c->cause),
        .pins = put(&at, c->pins),
        .body = put(&at, in->body),
        .key = put(&at, lead->key),
        .gen = lead->gen,
        .accepted_ms = now_ms,
        .deadline_ms = in->deadline_ms,
        .attempt = 1,
        .fence = 1,
        .due = run_ms + run_priority_delay_ms(in->priority),
        .priority = in->priority,
        .state = LEAD_INGESTED,
        .byte = sizeof *job + text,
    };
    return job;
}

static struct job *job_of(const struct claimed *r, struct hold *hold, size_t byte) {
    struct job *job = malloc(sizeof *job);
    if (job)
        *job = (struct job){
            .tenant = r->tenant,
            .lead = r->lead,
            .cause = r->cause,
            .pins = r->pins,
            .body = r->body,
            .key = r->key,
            .fault = r->fault,
            .gen = r->gen,
            .accepted_ms = r->accepted_ms,
            .deadline_ms = r->deadline_ms,
            .attempt = r->attempt,
            .fence = r->fence,
            .due = r->due,
            .priority = r->priority,
            .state = r->state,
            .suspect = r->suspect,
            .ask = r->ask,
            .n_ask = r->n_ask,
            .byte = byte,
            .hold = hold,
        };
    return job;
}

static void free_all(struct job *first) {
    while (first) {
        struct job *next = first->next;
        free(first);
        first = next;
    }
}

struct job *job_from_claim(const struct claim *c) {
    struct hold *hold = malloc(sizeof *hold);
    struct job *first = NULL, **end = &first;
    for (size_t i = 0; hold && i < c->n; i++) {
        struct job *job = job_of(&c->run[i], hold, sizeof *job + arena_used(c->arena) / c->n);
        if (!job)
            break;
        *end = job;
        end = &job->next;
        if (i + 1 == c->n) {
            hold->arena = c->arena;
            atomic_init(&hold->jobs, c->n);
            return first;
        }
    }
    free_all(first);
    free(hold);
    return NULL;
}

void job_free(struct job *job) {
    struct hold *hold = job->hold;
    free(job);
    if (!hold || atomic_fetch_sub(&hold->jobs, 1) > 1)
        return;
    arena_free(hold->arena);
    free(hold);
}
