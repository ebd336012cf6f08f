/* writer.h — group commit: threads submit commands, a writer thread makes one durable transaction of all that wait.
 *
 * While one commit is on its way to the disk the next batch gathers by itself: one command when idle, hundreds under load.
 * Commands wait in lanes, one for each tenant (two tenants share one by chance, seldom), and the lanes take turns by the
 * bytes of their commands (deficit round robin), once in a transaction when several have some. With the bound on a
 * transaction that means that nobody waits behind all that another tenant sends at once.
 * SQLite has one writer thread, which owns the only writing connection and alone moves the log into the file; PostgreSQL may
 * have several, each with a connection of its own. */
#ifndef GALENA_STORE_WRITER_H
#define GALENA_STORE_WRITER_H

#include "store/db.h"

struct write;

/* A kind of command. apply runs the statements for n commands of the kind, in the order of submission, inside a transaction
 * (db_scratch(db) is guarded), and writes each one's verdict (stale, duplicate) into the struct that embeds the write. It
 * may be called again for the same commands after a roll-back, with fewer of them: verdicts are overwritten, nothing else is
 * touched. A failure concerns the whole transaction: see writer_submit. */
struct write_kind {
    const char *name;
    err (*apply)(struct db *db, struct write *const *batch, size_t n, void *ctx);
    void *ctx; /* shared by all writer threads */
};

/* Embedded in the command's own struct, which belongs to the writer from writer_submit to done. */
struct write {
    const struct write_kind *kind;
    /* Called once, on the writer thread, after the COMMIT; quick, must not block and must not wait for another write. When
     * rc is not OK, err_slug() and err_text() tell why. */
    void (*done)(struct write *w, err rc);
    size_t byte;            /* memory it holds, counted against max_queue_byte and max_batch_byte */
    str tenant;             /* whose lane; empty: the program's own. Read by writer_submit only */
    const int64_t *changed; /* for apply, with db_post: where in db_scratch the counts will be; still valid in done */
    struct write *next;     /* the writer's, as is the next */
    void *waiter;
};

/* Every field 0 means the default named behind it. */
struct writer_config {
    struct db_config db; /* role is ignored */
    /* The kinds in the order in which a transaction applies them; those not listed follow. */
    const struct write_kind *const *kind;
    size_t n_kind;
    unsigned threads;         /* 1; SQLite: always 1 */
    size_t max_batch;         /* 1,000 commands a transaction */
    size_t max_batch_byte;    /* 2 MiB of them; of several tenants an eighth of it; one command in any case */
    size_t max_queue;         /* 20,000 commands waiting or in work */
    size_t max_queue_byte;    /* 256 MiB */
    int linger_ms;            /* 2; < 0: never. Waited for more commands, only above 200 commits a second */
    uint64_t checkpoint_byte; /* 24 MiB of log; SQLite. More makes the pauses longer, not the rate higher */
    int idle_checkpoint_ms;   /* 1,000 without a command; SQLite */
};

struct writer;

/* Opens the connections and starts the threads. Errors as db_open. Stopped with the arena, if not before. */
err writer_new(struct arena *a, const struct writer_config *c, struct writer **out) MUST_CHECK;

/* Hands `w` over; never blocks. ERR_LIMIT "store_full" when the queue is full, ERR_AGAIN "store_stopping" after writer_stop:
 * then done is not called. What done gets:
 *   OK             durable
 *   ERR_AGAIN      not durable (db_lost, disk_full, …); "commit_unknown": perhaps durable
 *   another error  this command alone failed: a batch that fails is divided until the commands at fault stand alone, so that
 *                  one bad command harms nobody */
err writer_submit(struct writer *w, struct write *write) MUST_CHECK;

/* As writer_submit, and waits; for commands without haste. `done` of the write is the writer's. Not on the writer thread. */
err writer_run(struct writer *w, struct write *write) MUST_CHECK;

/* Refuses new commands, finishes those that wait, moves SQLite's log into the file, ends the threads. Harmless twice. */
void writer_stop(struct writer *w);

/* What happened since writer_new. */
enum { WRITER_BUCKET_COUNT = 24 };
struct writer_stats {
    uint64_t commits, commands, rollbacks;       /* transactions, commands in them, transactions given up */
    uint64_t failed;                             /* commands whose done got an error */
    uint64_t refused;                            /* store_full */
    uint64_t commit_ns;                          /* from BEGIN to the end of COMMIT, summed */
    uint64_t commit_bucket[WRITER_BUCKET_COUNT]; /* transactions of at most 2^i microseconds; the last: all longer */
    uint64_t batch_bucket[WRITER_BUCKET_COUNT];  /* transactions of at most 2^i commands */
    uint64_t checkpoints, checkpoint_ns, checkpoint_max_ns;
    uint64_t wal_byte;
    size_t queue, queue_byte; /* waiting or in work now */
};
void writer_stats(struct writer *w, struct writer_stats *out);

#endif
