/* store_priv.h — what the files of the store share: its struct, the kinds of commands, keys, calls. */
#ifndef GALENA_STORE_STORE_PRIV_H
#define GALENA_STORE_STORE_PRIV_H

#include "query.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

/* In the order in which a transaction applies them: what frees a lease stands before what takes one. */
enum store_kind {
    KIND_FINISH,
    KIND_PARK,
    KIND_GIVEBACK,
    KIND_ASK_ANSWER,
    KIND_DELIVERY_DONE,
    KIND_ACCEPT,
    KIND_CALL,
    KIND_CLAIM,
    KIND_ASK_CLAIM,
    KIND_DELIVERY_CLAIM,
    KIND_COUNT
};

enum { STORE_SEALERS = 8, TENANT_NAME_BYTE = VAULT_NAME_BYTE };

/* Where sealed bytes stand. If you change these, what is stored cannot be opened. */
#define STORE_CELL(table_, column_, row_) ((struct seal_cell){.table = STR(table_), .column = STR(column_), .row = (row_)})
#define STORE_CELL_BODY                   STORE_CELL("body", "sealed", (str){0})
#define STORE_CELL_REQUEST(row)           STORE_CELL("ask", "request", (row)) /* row: "GEN:NAME" */
#define STORE_CELL_ANSWER(row)            STORE_CELL("ask", "answer", (row))
#define STORE_CELL_SCORE(row)             STORE_CELL("score", "sealed", (row))   /* row: "GEN" */
#define STORE_CELL_OUTCOME(row)           STORE_CELL("outcome", "sealed", (row)) /* row: "AT_MS:KIND" */

struct store {
    struct arena *arena;
    struct clock clock;
    struct vault *vault;
    struct writer *writer;
    struct write_kind kind[KIND_COUNT];
    const struct write_kind *order[KIND_COUNT];
    enum db_kind db_kind;
    const char *url;
    int64_t lease_ms;
    char worker_text[RUN_ID_BYTE + 1];
    str worker;
    _Atomic bool recovered; /* SQLite: what earlier owners held has been taken over */

    pthread_mutex_t lock; /* guards what follows */
    struct db *look;      /* reads keys for threads that have no reader */
    struct sealer *sealer[STORE_SEALERS];
    size_t n_sealer;
    uint64_t id_ms, id_high, id_low;       /* the last identifier */
    char run_cursor[TENANT_NAME_BYTE + 1]; /* the tenant that was served last */
    char delivery_cursor[TENANT_NAME_BYTE + 1];
};

/* ---- keys.c ---- */

/* A sealer for the work of one transaction; given back when `a` is reset. */
err store_sealer(struct store *s, struct arena *a, struct sealer **out) MUST_CHECK;

/* Loads every key of a tenant into the vault. ERR_ABSENT "tenant_unknown". */
err store_keys_load(struct store *s, struct db *db, str tenant) MUST_CHECK;
/* The same for a thread without a connection. */
err store_keys_look(struct store *s, str tenant) MUST_CHECK;

/* sealer_lead_open, after the tenant's keys have been loaded if need be. db NULL: by the store's own reader. ERR_ABSENT
 * "lead_erased" when the key was destroyed; `wrapped` empty: it is looked up, ERR_ABSENT "lead_unknown". */
err store_lead_open(struct store *s, struct db *db, struct sealer *sealer, str tenant, str lead, str wrapped) MUST_CHECK;

bool store_key_erased(str wrapped);

/* A blind index, after the tenant's keys have been loaded if need be, in the arena. */
err store_index(struct store *s, struct arena *a, str tenant, enum vault_index_kind kind, str value, str *out) MUST_CHECK;

/* A keyed hash of two texts for one purpose. */
err store_keyed(struct store *s, struct arena *a, str tenant, str purpose, str first, str second, str *out) MUST_CHECK;

/* Seals into a block of the arena. The sealer's lead is current. */
err store_seal(struct arena *a, struct sealer *sealer, struct seal_cell cell, str plain, str *out) MUST_CHECK;

/* ---- store.c ---- */

/* Runs fn(db, ctx) inside a transaction on the writer's thread and waits until it is durable. fn may be called again after a
 * roll-back. */
err store_call(struct store *s, err (*fn)(struct db *db, void *ctx), void *ctx) MUST_CHECK;

/* Ends without giving leases back, as a process that is killed: for tests. */
void store_abandon(struct store *s);

/* ---- the kinds ---- */
err store_apply_accept(struct db *db, struct write *const *batch, size_t n, void *ctx);
err store_apply_claim(struct db *db, struct write *const *batch, size_t n, void *ctx);
err store_apply_finish(struct db *db, struct write *const *batch, size_t n, void *ctx);
err store_apply_park(struct db *db, struct write *const *batch, size_t n, void *ctx);
err store_apply_giveback(struct db *db, struct write *const *batch, size_t n, void *ctx);
err store_apply_ask_claim(struct db *db, struct write *const *batch, size_t n, void *ctx);
err store_apply_ask_answer(struct db *db, struct write *const *batch, size_t n, void *ctx);
err store_apply_delivery_claim(struct db *db, struct write *const *batch, size_t n, void *ctx);
err store_apply_delivery_done(struct db *db, struct write *const *batch, size_t n, void *ctx);

/* ---- fair.c ---- */

/* A tenant's part of a claim. */
struct share {
    str tenant;
    int64_t weight, room; /* room: how many more it may get */
    size_t quota, got;
};

/* Tenants behind the cursor, in turn, with the statement `query` (claim_tenants, delivery_tenants); then those before it. */
err store_fair_tenants(struct store *s, struct db *db, unsigned query, const char *cursor, struct arena *a,
                       struct share **out, size_t *n) MUST_CHECK;

/* Divides `most` among tenants by weight, nobody more than its room, and those that got less than their last quota nothing.
 * Returns how much was given. */
size_t store_fair_divide(struct share *share, size_t n, size_t most);

/* Moves the store's cursor to the last tenant that has a quota. */
void store_fair_remember(struct store *s, char *cursor, const struct share *share, size_t n);

/* ---- audit of what calls do, inside their transaction (admin.c) ---- */
err store_audit_entry(struct store *s, struct db *db, str tenant, str actor, str action, str subject, str detail) MUST_CHECK;

/* ---- lead_call.c ---- */

/* Ends the live run of a lead as cancelled; *ended: there was one. */
err store_end_run(struct db *db, str tenant, str lead, bool *ended) MUST_CHECK;

/* A lead in this state may pass again. */
bool store_may_pass(enum lead_state state);

/* ---- rows ---- */

/* One integer, or one text, of the first row. */
struct first_row {
    bool found;
    int64_t integer[8];
    size_t n;
};
/* Reads the integers of one row; text and blob columns count as 0. */
err store_first_row(struct db *db, unsigned query, const struct db_value *param, struct first_row *out) MUST_CHECK;

#endif
