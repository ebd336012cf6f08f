/* ready.h — the jobs of this process that wait for a worker: in turn between tenants, by due time within one.
 *
 * Tenants take turns in proportion to their weights (deficit round robin; each job costs one), and none has more than its
 * share running. Within a tenant the job that is due first comes first; since a class is due later than the one above it by
 * a fixed time, every class ages. Suspects, whose worker died, come by themselves, and more only when those have
 * ended: when one of them kills the worker again, few are left that it can be. Bounded by jobs and by bytes. Safe from any
 * thread. */
#ifndef GALENA_FLOW_READY_H
#define GALENA_FLOW_READY_H

#include "flow/job.h"

struct ready;

struct ready_limits {
    size_t max_job, max_byte;
    size_t max_running; /* of one tenant, when its own limit is 0; 0: no limit */
};

/* NULL when there is no memory. */
struct ready *ready_new(const struct ready_limits *limits);

/* Frees what waits in it. Nobody may wait in ready_take. */
void ready_free(struct ready *r);

/* A tenant's weight (>= 1) and its limit of running jobs (0: the default). */
void ready_set_tenant(struct ready *r, str tenant, int64_t weight, int64_t max_running);

/* Room for n jobs of about `byte` bytes in all, kept until ready_put or ready_release. */
bool ready_reserve(struct ready *r, size_t n, size_t byte);
void ready_release(struct ready *r, size_t n, size_t byte);

/* How many more jobs would fit. */
size_t ready_room(struct ready *r);

/* Adds a list of jobs and takes it over, with or without a reservation. Jobs that would pass the bounds are taken all the
 * same: they are leased already, and the bounds are kept by those who lease. */
void ready_put(struct ready *r, struct job *first);

/* Takes up to `most` jobs, all or none of them suspects, as a list; waits for some. NULL when ready_stop was called. */
struct job *ready_take(struct ready *r, size_t most);

/* A job that was taken has ended: its tenant has one less running, and other suspects may come. */
void ready_done(struct ready *r, const struct job *job);

/* From now on ready_take returns NULL at once. */
void ready_stop(struct ready *r);

/* All that waits, as a list; the caller's. */
struct job *ready_drain(struct ready *r);

struct ready_view {
    size_t waiting, running, suspects; /* suspects: of both */
    int64_t oldest_due;                /* 0 when nothing waits */
};
struct ready_view ready_look(struct ready *r);

#endif
