/* lead_call.c — what people and timers do to a lead: score it again, cancel, wake the dead, say what became of it. */
#include "store/store_priv.h"

bool store_may_pass(enum lead_state state) {
    /* Before its first score, or on the way of the diagram to a second. */
    return state < LEAD_SCORED || state == LEAD_RESCORED || lifecycle_allows(state, LEAD_RESCORED);
}

static err lead_unknown(str lead) { return fail(ERR_ABSENT, "lead_unknown", "there is no lead %.*s", STR_ARG(lead)); }

/* ---- rescore ---- */

struct rescore {
    str tenant, lead, cause, actor, pins;
    enum run_priority priority;
    int64_t *gen;
    struct store *store;
};

static err begin_passage(struct db *db, str tenant, str lead, int64_t gen, enum run_priority priority, str cause, str pins,
                         bool *begun) {
    int64_t changed = 0;
    TRY(db_exec(db, QUERY_RUN_NEXT,
                DB_ROW(db_text(tenant), db_text(lead), db_integer(gen), db_integer(priority),
                       db_integer(run_priority_delay_ms(priority)), db_integer(0), db_text(cause), db_text(pins)),
                &changed));
    *begun = changed > 0;
    return *begun ? db_exec(db, QUERY_LEAD_NEXT, DB_ROW(db_text(tenant), db_text(lead)), NULL) : OK;
}

static err rescore(struct db *db, void *ctx) {
    const struct rescore *r = ctx;
    struct first_row lead;
    TRY(store_first_row(db, QUERY_LEAD_LOCK, DB_ROW(db_text(r->tenant), db_text(r->lead)), &lead));
    if (!lead.found)
        return lead_unknown(r->lead);
    if (!store_may_pass((enum lead_state)lead.integer[0]))
        return lifecycle_check((enum lead_state)lead.integer[0], LEAD_RESCORED);
    bool begun = false;
    TRY(begin_passage(db, r->tenant, r->lead, lead.integer[1] + 1, r->priority, r->cause, r->pins, &begun));
    if (!begun)
        return fail(ERR_CONFLICT, "run_alive", "lead %.*s is being worked on already", STR_ARG(r->lead));
    *r->gen = lead.integer[1] + 1;
    return store_audit_entry(r->store, db, r->tenant, r->actor, STR("lead.rescore"), r->lead, (str){"", 0});
}

err store_rescore(struct store *s, str tenant, str lead, str cause, str actor, str pins, enum run_priority priority,
                  int64_t *gen) {
    struct rescore r = {tenant, lead, cause, actor, pins, priority, NULL, s};
    r.gen = gen;
    return store_call(s, rescore, &r);
}

/* ---- cancel ---- */

struct live_run {
    bool found;
    int64_t gen, fence, attempt, accepted_ms;
    str cause, pins;
    struct arena *a;
};

static err keep_run(void *ctx, struct db_row *row) {
    struct live_run *r = ctx;
    r->found = true;
    r->gen = db_row_integer(row, 0);
    r->fence = db_row_integer(row, 2);
    r->attempt = db_row_integer(row, 3);
    r->accepted_ms = db_row_integer(row, 4);
    r->cause = str_copy(r->a, db_row_text(row, 5));
    r->pins = str_copy(r->a, db_row_text(row, 6));
    return OK;
}

err store_end_run(struct db *db, str tenant, str lead, bool *ended) {
    const struct db_value key[] = {db_text(tenant), db_text(lead)};
    struct live_run r = {.a = db_scratch(db)};
    int64_t now = 0;
    TRY(db_query(db, QUERY_RUN_LOCK, key, keep_run, &r));
    *ended = r.found;
    if (!r.found)
        return OK;
    TRY(db_now(db, &now));
    TRY(db_exec(db, QUERY_RUN_DELETE, key, NULL));
    TRY(db_exec(db, QUERY_ASK_SUPERSEDE, key, NULL));
    TRY(db_exec(db, QUERY_LEAD_CANCEL, key, NULL));
    return db_exec(db, QUERY_SCORE_ADD,
                   DB_ROW(key[0], key[1], db_integer(r.gen), db_integer(now), db_integer(r.accepted_ms),
                          db_integer(RUN_CANCELLED), db_null(), db_null(), db_null(), db_null(), db_integer(r.attempt),
                          db_integer(r.fence), db_text(r.cause), db_text(r.pins), db_text(STR("{}")), db_blob((str){"", 0})),
                   NULL);
}

struct cancel {
    struct store *store;
    str tenant, lead, actor;
};

static err cancel(struct db *db, void *ctx) {
    const struct cancel *c = ctx;
    bool ended = false;
    TRY(store_end_run(db, c->tenant, c->lead, &ended));
    if (!ended)
        return fail(ERR_ABSENT, "run_unknown", "lead %.*s has no run that could be cancelled", STR_ARG(c->lead));
    return store_audit_entry(c->store, db, c->tenant, c->actor, STR("run.cancel"), c->lead, (str){"", 0});
}

err store_cancel(struct store *s, str tenant, str lead, str actor) {
    struct cancel c = {s, tenant, lead, actor};
    return store_call(s, cancel, &c);
}

/* ---- redrive ---- */

struct redrive {
    struct store *store;
    str tenant, lead, slug, actor;
    size_t most, n;
};

/* Leads that are open again. */
struct woken {
    struct arena *a;
    str tenant;
    struct db_value *key; /* two each */
    size_t n, cap;
};

static err keep_woken(void *ctx, struct db_row *row) {
    struct woken *w = ctx;
    if (w->n == w->cap)
        w->key = arena_grow(w->a, w->key, &w->cap, w->n + 1, 2 * sizeof *w->key);
    w->key[2 * w->n] = db_text(w->tenant);
    w->key[2 * w->n++ + 1] = db_text(str_copy(w->a, db_row_text(row, 0)));
    return OK;
}

static err redrive_runs(struct db *db, const struct redrive *r, int64_t most, int64_t *runs) {
    struct woken w = {.a = db_scratch(db), .tenant = r->tenant};
    TRY(db_query(db, QUERY_RUN_REDRIVE,
                 DB_ROW(db_text(r->tenant), db_text(r->lead), db_text(r->slug), db_integer(most),
                        db_integer(run_priority_delay_ms(RUN_NORMAL)), db_integer(run_priority_delay_ms(RUN_BULK))),
                 keep_woken, &w));
    *runs = (int64_t)w.n;
    return w.n > 0 ? db_post(db, QUERY_LEAD_REOPEN, w.key, w.n, NULL) : OK;
}

static err redrive(struct db *db, void *ctx) {
    struct redrive *r = ctx;
    int64_t runs = 0, deliveries = 0;
    const int64_t most = r->most > INT32_MAX ? INT32_MAX : (int64_t)r->most;
    const struct db_value tenant = db_text(r->tenant), lead = db_text(r->lead), slug = db_text(r->slug);
    TRY(redrive_runs(db, r, most, &runs));
    TRY(db_exec(db, QUERY_DELIVERY_REDRIVE, DB_ROW(tenant, lead, slug, db_integer(most - runs)), &deliveries));
    r->n = (size_t)(runs + deliveries);
    if (r->n == 0)
        return OK;
    const str detail =
        str_format(db_scratch(db), "{\"runs\":%lld,\"deliveries\":%lld}", (long long)runs, (long long)deliveries);
    return store_audit_entry(r->store, db, r->tenant, r->actor, STR("run.redrive"), r->lead, detail);
}

err store_redrive(struct store *s, str tenant, str lead, str slug, size_t most, str actor, size_t *n) {
    struct redrive r = {s, tenant, lead, slug, actor, most, 0};
    TRY(store_call(s, redrive, &r));
    *n = r.n;
    return OK;
}

/* ---- outcome ---- */

struct outcome {
    struct store *store;
    str tenant, lead, kind, actor, detail;
    int64_t at_ms;
};

static err seal_detail(const struct outcome *o, struct db *db, struct db_value *out) {
    struct arena *a = db_scratch(db);
    struct sealer *sealer = NULL;
    str sealed;
    *out = db_null();
    if (o->detail.len == 0)
        return OK;
    TRY(store_sealer(o->store, a, &sealer));
    TRY(store_lead_open(o->store, db, sealer, o->tenant, o->lead, (str){0}));
    const str row = str_format(a, "%lld:%.*s", (long long)o->at_ms, STR_ARG(o->kind));
    TRY(store_seal(a, sealer, STORE_CELL_OUTCOME(row), o->detail, &sealed));
    sealer_lead_close(sealer);
    *out = db_blob(sealed);
    return OK;
}

static err change_state(const struct outcome *o, struct db *db, enum lead_state from, enum lead_state to, int64_t gen) {
    const struct db_value tenant = db_text(o->tenant), lead = db_text(o->lead);
    struct lifecycle_path path = {.state = {from}, .n = 1};
    char text[LIFECYCLE_PATH_BYTE];
    bool ended = false;
    TRY(lifecycle_step(&path, to));
    /* A passage that is under way could not end in a lead that has ended. */
    TRY(store_end_run(db, o->tenant, o->lead, &ended));
    TRY(db_exec(db, QUERY_LEAD_STATE_SET, DB_ROW(tenant, lead, db_integer(to)), NULL));
    TRY(db_exec(db, QUERY_RESCORE_CLEAR, DB_ROW(tenant, lead), NULL));
    const str way = {text, lifecycle_path_format(&path, text)};
    return db_exec(db, QUERY_HISTORY_ADD,
                   DB_ROW(tenant, lead, db_integer(gen), db_text(way), db_text(STR("outcome")), db_text(o->actor)), NULL);
}

static err outcome(struct db *db, void *ctx) {
    const struct outcome *o = ctx;
    struct first_row lead;
    struct db_value sealed;
    int64_t changed = 0;
    enum lead_state to;
    TRY(store_first_row(db, QUERY_LEAD_LOCK, DB_ROW(db_text(o->tenant), db_text(o->lead)), &lead));
    if (!lead.found)
        return lead_unknown(o->lead);
    TRY(seal_detail(o, db, &sealed));
    TRY(db_exec(
        db, QUERY_OUTCOME_ADD,
        DB_ROW(db_text(o->tenant), db_text(o->lead), db_integer(o->at_ms), db_text(o->kind), db_text(o->actor), sealed),
        &changed));
    const bool ends = lead_state_parse(o->kind, &to) && (to == LEAD_CONVERTED || to == LEAD_DISQUALIFIED);
    if (changed == 0 || !ends)
        return OK;
    return change_state(o, db, (enum lead_state)lead.integer[0], to, lead.integer[1]);
}

err store_outcome(struct store *s, str tenant, str lead, int64_t at_ms, str kind, str actor, str detail) {
    struct outcome o = {s, tenant, lead, kind, actor, detail, at_ms};
    return store_call(s, outcome, &o);
}

/* ---- tick ---- */

enum { TICK_EXPIRE_MOST = 1000, WORKER_KEPT_MS = 24 * 3600 * 1000 };

struct due_lead {
    str tenant, lead;
    int64_t state, gen;
};

struct tick {
    str pins;
    size_t most, n;
    struct arena *a;
    struct due_lead *due;
    size_t n_due;
};

static err keep_due(void *ctx, struct db_row *row) {
    struct tick *t = ctx;
    t->due[t->n_due++] = (struct due_lead){str_copy(t->a, db_row_text(row, 0)), str_copy(t->a, db_row_text(row, 1)),
                                           db_row_integer(row, 2), db_row_integer(row, 3)};
    return OK;
}

static err tick(struct db *db, void *ctx) {
    struct tick *t = ctx;
    t->a = db_scratch(db);
    t->due = ARENA_ARRAY(t->a, t->most, struct due_lead);
    t->n = t->n_due = 0;
    TRY(db_query(db, QUERY_TICK_DUE, DB_ROW(db_integer((int64_t)t->most)), keep_due, t));
    for (size_t i = 0; i < t->n_due; i++) {
        const struct due_lead *d = &t->due[i];
        bool begun = false;
        TRY(db_exec(db, QUERY_RESCORE_CLEAR, DB_ROW(db_text(d->tenant), db_text(d->lead)), NULL));
        if (store_may_pass((enum lead_state)d->state))
            TRY(begin_passage(db, d->tenant, d->lead, d->gen + 1, RUN_BULK, STR("timer"), t->pins, &begun));
        t->n += begun;
    }
    TRY(db_exec(db, QUERY_IDEMPOTENCY_EXPIRE, DB_ROW(db_integer(TICK_EXPIRE_MOST)), NULL));
    return db_kind(db) == DB_SQLITE ? OK : db_exec(db, QUERY_WORKER_EXPIRE, DB_ROW(db_integer(WORKER_KEPT_MS)), NULL);
}

err store_tick(struct store *s, str pins, size_t most, size_t *n) {
    struct tick t = {.pins = pins, .most = most < 10000 ? most : 10000};
    TRY(store_call(s, tick, &t));
    *n = t.n;
    return OK;
}
