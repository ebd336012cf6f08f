/* store.h — what Galena keeps, in the words of a lead: accept, claim, park, answer, finish, deliver.
 *
 * Every change is a command that a writer applies together with others in one transaction (writer.h): a command is durable
 * when its `done` is called with OK, and did nothing when it is called with anything else, except for the slug
 * "commit_unknown", after which it must be repeated (all commands may be). Every command that belongs to a run carries the
 * fence under which the run was claimed; when somebody else has claimed it since, the command is `stale`: nothing was
 * written, and the work is to be thrown away. What is personal is sealed on the thread that submits, before the writer sees
 * it. Nothing above this room knows which database it is.
 *
 * Reading goes through a struct store_reader, one for each thread. */
#ifndef GALENA_STORE_STORE_H
#define GALENA_STORE_STORE_H

#include "base/hash.h"
#include "lead/run.h"
#include "store/seal.h"
#include "store/writer.h"

struct store;

struct store_config {
    str url; /* "sqlite:PATH", "postgresql://..." */
    struct clock clock;
    struct vault *vault;
    unsigned writers;      /* PostgreSQL: writing connections, 0: 1; SQLite has one */
    int64_t lease_ms;      /* how long a process may be silent before its runs go to others; 0: 30,000 */
    size_t max_queue_byte; /* commands waiting for the writer: beyond it the store is full; 0: 256 MiB */
    int linger_ms;         /* as in writer.h */
};

/* Opens, after store_migrate has been run. The store registers this process as a worker under a new identifier; what earlier
 * owners of a SQLite file left leased becomes ready and suspect. Errors of db_open and store_migrate_check. */
err store_open(struct arena *a, const struct store_config *c, struct store **out) MUST_CHECK;

/* Commits what waits, gives this process's leases back, closes. Readers are closed before it. */
void store_close(struct store *s);

str store_worker_id(const struct store *s);

/* A new lead identifier: 26 characters, in order of time (ULID: 48 bits of milliseconds, 80 random bits). */
void store_new_id(struct store *s, char id[RUN_ID_BYTE + 1]);

/* ---- accept ---- */

/* One lead as it comes in. */
struct new_lead {
    str source;        /* "api", a connector's name */
    str external;      /* its id at the source; may be empty */
    str body;          /* JSON text */
    str email, domain; /* normalised; may be empty */
    enum run_priority priority;
    int64_t run_ms, deadline_ms; /* 0: now, none */
    bool lease;                  /* born leased: this process has room to work on it at once */
};

/* Two leads are the same when they are of one tenant and source and have the same `external`, or, when that is empty, the
 * same body. The same lead with a body that it had before is a duplicate: nothing is written. With a new body it is updated:
 * the body is replaced and a new generation begins. A run that is alive then begins anew as that generation (what works on
 * it becomes stale); none begins when the lifecycle forbids it (a lead that is assigned, converted, disqualified). */
enum accept_verdict { ACCEPT_NEW, ACCEPT_DUPLICATE, ACCEPT_UPDATED };

/* A lead on its way into the store, with what became of it. */
struct accepted {
    char id[RUN_ID_BYTE + 1]; /* ours, or of the same lead when it came before */
    enum accept_verdict verdict;
    int64_t gen; /* of the lead's newest passage */
    bool leased; /* this process holds the run: generation 1, fence 1, attempt 1 */
    str key;     /* the lead's data key, wrapped, for struct lease; lives in the command's arena */
    const struct new_lead *in;
    struct accept_row *row; /* sealed; belongs to the store */
};

/* A command: all of its leads and the idempotency key, or none. Embedded in what the caller needs when it is done. Zeroed
 * before it is filled and submitted for the first time; the same struct is submitted again after "commit_unknown". */
struct accept {
    struct write write; /* write.done is the caller's to set */
    struct store *store;
    str tenant, cause, actor, pins;
    struct accepted *lead; /* n */
    size_t n;
    str idempotency_key; /* may be empty */
    bool replayed;     /* the key was used before with the same request: lead[].id are those of then; nothing was written */
    bool key_conflict; /* the key was used before with another request */
    struct arena *arena;    /* of the command: alive until done */
    struct accept_key *key; /* belongs to the store */
};

/* Seals the leads of `c`, gives them identifiers, and submits. ERR_LIMIT "store_full"; ERR_ABSENT "tenant_unknown"; errors
 * of vault.h for keys. An idempotency key is kept for a day. */
err store_accept(struct store *s, struct sealer *sealer, struct accept *c) MUST_CHECK;

/* ---- work ---- */

/* A run that this process has leased. */
struct claimed {
    str tenant, lead, cause, pins;
    str key; /* the lead's data key, wrapped, for struct lease */
    int64_t gen, accepted_ms, deadline_ms, attempt, fence, crash, stage;
    int64_t due; /* the order of claims: when it was to begin plus what its class waits longer */
    enum run_priority priority;
    enum lead_state state; /* of the lead */
    bool suspect;
    str body;            /* unsealed JSON; NULL when it cannot be read: then `fault` says why, and the run should be given
                            back as dead */
    const char *fault;   /* slug, or NULL */
    struct run_ask *ask; /* with their answers */
    size_t n_ask;
};

/* Claims up to `most` ready runs for this process: those due first within a tenant, tenants in turn by weight and at most
 * `tenant_most` of one. Before that, in the same transaction, runs of workers that fell silent become ready and suspect, and
 * waiting runs whose time has come become ready. Suspects come only when `suspects`, in groups: 64 that were never
 * held by a worker that died since, then 8 by 8, and alone before their last try; their crash count rises with the claim,
 * and at `max_crash` they are dead. After "commit_unknown" `run` holds what was claimed perhaps: give each one back. */
struct claim {
    struct write write;
    struct store *store;
    size_t most, tenant_most;
    bool suspects;
    int64_t max_crash;
    struct arena *arena; /* results live here; the caller's */
    struct claimed *run;
    size_t n;
    size_t n_recovered, n_buried; /* leases taken over from silent workers; suspects that are dead now */
};
err store_claim(struct store *s, struct claim *c) MUST_CHECK;

/* Gives back every run that this process has leased, in memory or not: for when it does not know what it holds. What works
 * on them is stale. */
err store_release(struct store *s) MUST_CHECK;

/* What names a leased run in a command. */
struct lease {
    str tenant, lead;
    int64_t gen, fence;
    str key; /* of struct accepted or claimed; empty: it is looked up, which takes longer */
};

/* The end of a passage: score, history, deliveries and the lead's new state in one transaction. path.state[0] must be the
 * lead's state, else done gets ERR_CONFLICT "lifecycle_refused" and nothing is written. */
struct finish {
    struct write write;
    struct store *store;
    struct lease lease;
    const struct run *run;                    /* outcome, score, tier, path, deliveries */
    int64_t attempt, scored_ms, rescore_ms;   /* rescore_ms 0: no timer */
    str pins, cause, actor, timing, snapshot; /* snapshot: JSON, sealed here; empty: none */
    bool stale;
    struct finish_row *row;
    struct arena *arena;
};
err store_finish(struct store *s, struct sealer *sealer, struct finish *c) MUST_CHECK;

/* The run waits for its open asks, at most until wait_ms, which becomes its deadline; stage is where it goes on. It is no
 * longer leased. */
struct park {
    struct write write;
    struct store *store;
    struct lease lease;
    int64_t stage;
    int64_t wait_ms;           /* at most, from the commit on, by the store's clock … */
    int64_t until_ms;          /* … and at most until then; 0: no such time */
    const struct run_ask *ask; /* those not yet in the store */
    size_t n_ask;
    bool stale;
    struct park_row *row; /* belongs to the store, n_ask */
    struct arena *arena;
};
err store_park(struct store *s, struct sealer *sealer, struct park *c) MUST_CHECK;

/* The run is given back: to be tried again delay_ms after the commit (`counted`: it was an attempt), or dead: then the
 * lead's outcome is failed until the run is woken. The counts of attempts begin anew when a run is parked. A run that is
 * given back or parked is no suspect any more. */
struct giveback {
    struct write write;
    struct store *store;
    struct lease lease;
    int64_t stage, delay_ms;
    bool counted, dead;
    const char *slug;
    str reason;
    bool stale;
};
err store_giveback(struct store *s, struct giveback *c) MUST_CHECK;

/* ---- asks ---- */

enum ask_status { ASK_OPEN, ASK_SENT, ASK_ANSWERED, ASK_FAILED };

struct open_ask {
    str tenant, lead, name, request, key;
    int64_t gen, attempt, deadline_ms;
    bool failed; /* an earlier try, not only its worker */
    bool gone;   /* its run has ended: nobody waits for the answer */
};

/* Takes up to `most` open asks (and those sent by silent workers) to be sent by this process. */
struct ask_claim {
    struct write write;
    struct store *store;
    size_t most;
    struct arena *arena;
    struct open_ask *ask;
    size_t n;
};
err store_ask_claim(struct store *s, struct ask_claim *c) MUST_CHECK;

/* Journals an answer with its price; a failure that will not mend (rc); or gives the ask back to be sent again
 * delay_ms after the commit, by the store's clock.
 * The run becomes ready when it waits for nothing more. An answer that is there already stays: `stale`. */
struct ask_answer {
    struct write write;
    struct store *store;
    str tenant, lead, name;
    int64_t gen;
    err rc;
    int64_t delay_ms; /* > 0: to be sent again then */
    bool uncounted;   /* with delay_ms: it was no attempt */
    str answer;       /* JSON */
    str key;          /* as in struct lease; may be empty */
    int64_t price_micro;
    const char *slug;
    bool stale, ready; /* ready: the run may go on */
    struct answer_row *row;
    struct arena *arena;
};
err store_ask_answer(struct store *s, struct sealer *sealer, struct ask_answer *c) MUST_CHECK;

/* ---- deliveries ---- */

enum delivery_status { DELIVERY_READY, DELIVERY_SENT, DELIVERY_UNKNOWN, DELIVERY_DONE, DELIVERY_DEAD, DELIVERY_SUPERSEDED };

struct due_delivery {
    str tenant, lead, target;
    int64_t gen, attempt, fence;
    bool unknown; /* an earlier try may have arrived: read back before repeating */
    bool failed;  /* an earlier try did, not only its worker */
    str snapshot; /* of the score it carries */
    str pins;
    int64_t scored_ms;
};

/* Takes up to `most` due deliveries, tenants in turn; older generations for the same lead and target become superseded on
 * the way. After "commit_unknown" `delivery` holds what was taken perhaps: end each one as READY. A delivery without a
 * snapshot cannot be read any more. */
struct delivery_claim {
    struct write write;
    struct store *store;
    size_t most;
    struct arena *arena;
    struct due_delivery *delivery;
    size_t n;
};
err store_delivery_claim(struct store *s, struct delivery_claim *c) MUST_CHECK;

struct delivery_done {
    struct write write;
    struct store *store;
    str tenant, lead, target;
    int64_t gen, fence;
    enum delivery_status
        status;       /* DONE, DEAD, SUPERSEDED, READY (again after delay_ms), UNKNOWN (again, after reading back) */
    int64_t delay_ms; /* from the commit on, by the store's clock */
    bool uncounted;   /* READY, UNKNOWN: it was no attempt */
    bool unknown;     /* DEAD: it may have arrived */
    const char *slug;
    str reason;
    bool stale;
};
err store_delivery_done(struct store *s, struct delivery_done *c) MUST_CHECK;

/* ---- all else that writes: one transaction on the writer's thread, awaited ---- */

/* Calls that block until durable; for requests of people and programs, not for the way of a lead. */
err store_heartbeat(struct store *s) MUST_CHECK;
/* This machine's clock went back: what waits for a time until until_ms, of the clock as it was, comes now instead. Nothing
 * on PostgreSQL, where the server's clock counts. */
err store_clock_back(struct store *s, int64_t until_ms) MUST_CHECK;
err store_tenant_ensure(struct store *s, str tenant) MUST_CHECK; /* makes it with a new key when it is not there */
err store_tenant_set(struct store *s, str tenant, int64_t weight, int64_t max_backlog, int64_t max_running) MUST_CHECK;

/* A new generation for a lead that was scored, archived or is nurturing. ERR_ABSENT "lead_unknown", ERR_CONFLICT
 * "run_alive" or "lifecycle_refused". *gen gets its number. */
err store_rescore(struct store *s, str tenant, str lead, str cause, str actor, str pins, enum run_priority priority,
                  int64_t *gen) MUST_CHECK;

/* Ends a live run, whoever holds it: its fence moves on, so that work in flight is stale. ERR_ABSENT "run_unknown". */
err store_cancel(struct store *s, str tenant, str lead, str actor) MUST_CHECK;

/* Dead runs (and dead deliveries) become ready again, attempts forgotten. `lead` empty: all of the tenant whose slug is
 * `slug` (empty: any), at most `most`. *n gets how many. */
err store_redrive(struct store *s, str tenant, str lead, str slug, size_t most, str actor, size_t *n) MUST_CHECK;

/* ERR_ABSENT "lead_unknown", ERR_CONFLICT "lifecycle_refused". kind: "converted", "disqualified", or any other word, which
 * is kept without a change of state. Repeating the same (lead, at, kind) changes nothing. */
err store_outcome(struct store *s, str tenant, str lead, int64_t at_ms, str kind, str actor, str detail) MUST_CHECK;

/* Timers: makes runs for leads whose rescore time has come, at most `most`; *n gets how many. Forgets what has expired. */
err store_tick(struct store *s, str pins, size_t most, size_t *n) MUST_CHECK;

/* Destroys the data keys of a lead, or of all leads with this e-mail, ends their runs and deliveries, and empties their
 * blind indexes; recorded in the audit log. SQLite's log is then moved into the file and cut, so that no old page holds the
 * keys: ERR_AGAIN "erase_log_busy" when readers hold it open for long: the keys are gone from the tables then, and the call
 * must be repeated for the log. *n gets how many leads. PostgreSQL's own log and dead rows keep the wrapped keys until
 * it has recycled them. */
err store_erase(struct store *s, str tenant, str lead, str email, str actor, size_t *n) MUST_CHECK;

/* Keeps `content` under its SHA-256, which *id gets. Keeping it again changes nothing. */
err store_artifact_put(struct store *s, str kind, str name, str content, char id[HASH_HEX_BYTE + 1]) MUST_CHECK;

enum key_scope { SCOPE_INGEST = 1, SCOPE_READ = 2, SCOPE_WRITE = 4, SCOPE_ADMIN = 8 };
struct api_key {
    str tenant, id, name, hint;
    unsigned scopes;
    double rate, burst;
    int64_t created_ms, revoked_ms;
};
/* *token gets the secret, shown once. */
err store_key_create(struct store *s, struct arena *a, const struct api_key *k, str actor, str *token) MUST_CHECK;
/* ERR_ABSENT "api_key_absent"; revoking twice changes nothing. */
err store_key_revoke(struct store *s, str tenant, str id, str actor) MUST_CHECK;

err store_audit_add(struct store *s, str tenant, str actor, str action, str subject, str detail) MUST_CHECK;

/* Re-wraps every tenant's key under the newest master; and, `tenants`, gives every tenant a new key and re-wraps its leads'
 * keys, some hundred a transaction. *n gets how many keys were wrapped anew. May be repeated when it was interrupted. */
err store_rotate(struct store *s, bool tenants, str actor, size_t *n) MUST_CHECK;

/* ---- reading ---- */

struct store_reader;
err store_reader_open(struct store *s, struct arena *a, struct store_reader **out) MUST_CHECK;

/* Before store_close, or with its arena. Harmless twice. */
void store_reader_close(struct store_reader *r);

/* Everything about a lead. Parts that are sealed are NULL/empty, and `erased` true, when its key is gone. */
struct lead_view {
    str tenant, lead, source;
    enum lead_state state;
    enum run_outcome outcome;
    int64_t received_ms, state_ms, gen;
    bool erased;
    str body;
    /* the last score */
    bool scored;
    enum tier tier;
    double probability, low, high;
    int64_t scored_ms;
    /* the live run */
    bool live;
    enum run_status run_status;
    int64_t run_gen, attempt, run_ms, stage, fence;
    str worker, slug, reason, run_cause, run_pins;
};
struct score_view {
    int64_t gen, scored_ms, accepted_ms, attempt, fence;
    enum run_outcome outcome;
    enum tier tier;
    double probability, low, high;
    str cause, pins, timing, snapshot; /* snapshot: JSON; empty when erased */
};
struct history_view {
    int64_t at_ms, gen;
    str path, cause, actor;
};
struct delivery_view {
    str target, slug, reason;
    int64_t gen, status, attempt, run_ms, created_ms, done_ms;
};
struct ask_view {
    str name, slug;
    int64_t gen, status, attempt, asked_ms, answered_ms, price_micro;
};
/* ERR_ABSENT "lead_unknown". */
err store_lead(struct store_reader *r, struct arena *a, str tenant, str lead, struct lead_view *out) MUST_CHECK;
err store_scores(struct store_reader *r, struct arena *a, str tenant, str lead, struct score_view **out,
                 size_t *n) MUST_CHECK;
err store_history(struct store_reader *r, struct arena *a, str tenant, str lead, struct history_view **out,
                  size_t *n) MUST_CHECK;
err store_deliveries(struct store_reader *r, struct arena *a, str tenant, str lead, struct delivery_view **out,
                     size_t *n) MUST_CHECK;
err store_asks(struct store_reader *r, struct arena *a, str tenant, str lead, struct ask_view **out, size_t *n) MUST_CHECK;

/* Filters of a list; empty or -1: any. Pages go by identifier; a page may hold fewer than `limit`, or none, and still have a
 * `next`, because rows looked at are bounded. */
struct lead_filter {
    str tenant, after; /* the identifier after which the page begins */
    int state, tier, outcome, run_status;
    str email, domain, source, slug;
    int64_t since_ms, until_ms; /* received; 0: any */
    size_t limit;
    bool newest_first;
};
err store_list(struct store_reader *r, struct arena *a, const struct lead_filter *f, struct lead_view **out, size_t *n,
               str *next) MUST_CHECK;

/* Scores of a tenant since a moment, oldest first: what live views follow. `after`: of that moment, the lead that was seen
 * last; may be empty. */
err store_scored_since(struct store_reader *r, struct arena *a, str tenant, int64_t since_ms, str after, size_t limit,
                       struct lead_view **out, size_t *n) MUST_CHECK;

/* What waits, by tenant and status: count and the oldest. */
struct queue_view {
    str tenant, worker, slug;
    enum run_status status;
    int64_t stage, n, oldest_ms;
};
err store_queue(struct store_reader *r, struct arena *a, struct queue_view **out, size_t *n) MUST_CHECK;

/* In how many ms something is to be claimed: a run; with `asks` a question, with `deliveries` a delivery. At most 0: now.
 * INT64_MAX: nothing waits. Runs of workers that fell silent are not seen. */
err store_next_due(struct store_reader *r, bool asks, bool deliveries, int64_t *ms) MUST_CHECK;

/* Live runs of each tenant (ready, leased, waiting). */
struct backlog_view {
    str tenant;
    int64_t n, weight, max_backlog, max_running;
};
err store_backlog(struct store_reader *r, struct arena *a, struct backlog_view **out, size_t *n) MUST_CHECK;

/* Accepted leads older than `before_ms` without an end, a live run or a dead one: there must be none. At most 1,000. Reads
 * every lead. */
err store_lost(struct store_reader *r, struct arena *a, int64_t before_ms, struct lead_view **out, size_t *n) MUST_CHECK;

/* The key with that token. ERR_DENIED "key_unknown" or "key_revoked". */
err store_key_find(struct store_reader *r, struct arena *a, str token, struct api_key *out) MUST_CHECK;
/* tenant empty: of all. */
err store_key_list(struct store_reader *r, struct arena *a, str tenant, struct api_key **out, size_t *n) MUST_CHECK;

/* ERR_ABSENT "artifact_unknown". */
err store_artifact(struct store_reader *r, struct arena *a, str kind, str id, str *name, str *content) MUST_CHECK;

/* Checks a tenant's audit chain; ERR_CORRUPT names the first entry that does not fit. *n gets the entries. */
err store_audit_verify(struct store_reader *r, struct arena *a, str tenant, size_t *n) MUST_CHECK;

/* What the writer counted: writer_stats. */
void store_stats(struct store *s, struct writer_stats *out);

#endif
