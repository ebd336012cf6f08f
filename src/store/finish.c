/* finish.c — what ends a lease: the end of a passage, parking, giving back. The fenced statement comes first and tells who
 * is stale; the rest is for the others. */
#include "store/store_priv.h"

#include "base/crash_point.h"

/* ---- finish ---- */

struct finish_row {
    str path, sealed;
    enum lead_state before, after;
};

static err seal_snapshot(struct store *s, struct sealer *sealer, struct finish *c, str *sealed) {
    *sealed = (str){"", 0};
    if (c->snapshot.len == 0)
        return OK;
    TRY(store_lead_open(s, NULL, sealer, c->lease.tenant, c->lease.lead, c->lease.key));
    err rc = store_seal(c->arena, sealer, STORE_CELL_SCORE(str_format(c->arena, "%lld", (long long)c->lease.gen)),
                        c->snapshot, sealed);
    sealer_lead_close(sealer);
    return rc;
}

static err check_path(const struct lifecycle_path *path) {
    for (size_t i = 1; i < path->n; i++)
        TRY(lifecycle_check(path->state[i - 1], path->state[i]));
    return path->n > 0 ? OK : fail(ERR_INPUT, "path_empty", "a passage without the lead's state cannot end");
}

err store_finish(struct store *s, struct sealer *sealer, struct finish *c) {
    c->store = s;
    c->stale = false;
    TRY(check_path(&c->run->path));
    struct finish_row *r = ARENA_NEW(c->arena, struct finish_row);
    char *path = arena_alloc(c->arena, LIFECYCLE_PATH_BYTE);
    r->path = (str){path, lifecycle_path_format(&c->run->path, path)};
    r->before = c->run->path.state[0];
    r->after = c->run->path.state[c->run->path.n - 1];
    TRY(seal_snapshot(s, sealer, c, &r->sealed));
    c->row = r;
    c->write.kind = &s->kind[KIND_FINISH];
    c->write.tenant = c->lease.tenant;
    c->write.byte = sizeof *c + sizeof *r + r->sealed.len + c->snapshot.len + c->timing.len + 512;
    return writer_submit(s->writer, &c->write);
}

static struct db_value *put_lease(struct db_value *p, const struct lease *l) {
    *p++ = db_text(l->tenant);
    *p++ = db_text(l->lead);
    *p++ = db_integer(l->gen);
    *p++ = db_integer(l->fence);
    return p;
}

/* Ends the runs; returns those that were not stale. */
static err end_runs(struct db *db, struct write *const *batch, size_t n, struct finish ***live, size_t *n_live) {
    struct arena *a = db_scratch(db);
    struct db_value *param = ARENA_ARRAY(a, n * 4, struct db_value), *p = param;
    int64_t *changed = ARENA_ARRAY(a, n, int64_t);
    *live = ARENA_ARRAY(a, n, struct finish *);
    *n_live = 0;
    for (size_t i = 0; i < n; i++)
        p = put_lease(p, &((struct finish *)batch[i])->lease);
    TRY(db_exec_many(db, QUERY_RUN_END, param, n, changed));
    for (size_t i = 0; i < n; i++) {
        struct finish *c = (struct finish *)batch[i];
        c->stale = changed[i] == 0;
        if (!c->stale)
            (*live)[(*n_live)++] = c;
    }
    return OK;
}

static bool is_scored(const struct finish *c) { return c->run->outcome == RUN_SCORED; }

static struct db_value *put_scored(struct db_value *p, const struct finish *c) {
    const struct run *r = c->run;
    *p++ = db_integer(r->tier);
    *p++ = db_real(r->score.probability);
    *p++ = db_real(r->score.low);
    *p++ = db_real(r->score.high);
    return p;
}

static struct db_value *put_change(struct db_value *p, const struct finish *c) {
    *p++ = db_text(c->lease.tenant);
    *p++ = db_text(c->lease.lead);
    *p++ = db_integer(c->row->before);
    *p++ = db_integer(c->row->after);
    *p++ = db_integer(c->run->outcome);
    return p;
}

/* The lead of every live finish, with a score or without; changed[i] is 0 when it was in another state. */
static err change_leads(struct db *db, struct finish *const *live, size_t n, bool scored, int64_t *changed) {
    const size_t width = scored ? 11 : 6;
    struct arena *a = db_scratch(db);
    struct db_value *param = ARENA_ARRAY(a, n * width, struct db_value), *p = param;
    size_t *at = ARENA_ARRAY(a, n, size_t), rows = 0;
    int64_t *count = ARENA_ARRAY(a, n, int64_t);
    for (size_t i = 0; i < n; i++) {
        const struct finish *c = live[i];
        if (is_scored(c) != scored)
            continue;
        p = put_change(p, c);
        if (scored) {
            p = put_scored(p, c);
            *p++ = db_integer(c->scored_ms);
        }
        *p++ = c->rescore_ms ? db_integer(c->rescore_ms) : db_null();
        at[rows++] = i;
    }
    if (rows == 0)
        return OK;
    TRY(db_exec_many(db, scored ? QUERY_LEAD_SCORED : QUERY_LEAD_ENDED, param, rows, count));
    for (size_t i = 0; i < rows; i++)
        changed[at[i]] = count[i];
    return OK;
}

static err check_states(struct finish *const *live, size_t n, const int64_t *changed) {
    for (size_t i = 0; i < n; i++)
        if (changed[i] == 0)
            return fail(ERR_CONFLICT, "lifecycle_refused", "lead %.*s is not %s any more", STR_ARG(live[i]->lease.lead),
                        lead_state_name(live[i]->row->before));
    return OK;
}

static err add_scores(struct db *db, struct finish *const *live, size_t n) {
    struct db_value *param = ARENA_ARRAY(db_scratch(db), n * 16, struct db_value), *p = param;
    for (size_t i = 0; i < n; i++) {
        const struct finish *c = live[i];
        *p++ = db_text(c->lease.tenant);
        *p++ = db_text(c->lease.lead);
        *p++ = db_integer(c->lease.gen);
        *p++ = db_integer(c->scored_ms);
        *p++ = db_integer(c->run->accepted_ms);
        *p++ = db_integer(c->run->outcome);
        if (is_scored(c))
            p = put_scored(p, c);
        else
            for (int k = 0; k < 4; k++)
                *p++ = db_null();
        *p++ = db_integer(c->attempt);
        *p++ = db_integer(c->lease.fence);
        *p++ = db_text(c->cause);
        *p++ = db_text(c->pins);
        *p++ = db_text(c->timing);
        *p++ = db_blob(c->row->sealed);
    }
    return db_post(db, QUERY_SCORE_ADD, param, n, NULL);
}

static err add_history(struct db *db, struct finish *const *live, size_t n) {
    struct db_value *param = ARENA_ARRAY(db_scratch(db), n * 6, struct db_value), *p = param;
    for (size_t i = 0; i < n; i++) {
        const struct finish *c = live[i];
        if (c->run->path.n < 2) /* a way that leads back to where it began is one all the same */
            continue;
        *p++ = db_text(c->lease.tenant);
        *p++ = db_text(c->lease.lead);
        *p++ = db_integer(c->lease.gen);
        *p++ = db_text(c->row->path);
        *p++ = db_text(c->cause);
        *p++ = db_text(c->actor);
    }
    return db_post(db, QUERY_HISTORY_ADD, param, (size_t)(p - param) / 6, NULL);
}

static err add_deliveries(struct db *db, struct finish *const *live, size_t n) {
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += live[i]->run->n_delivery;
    struct db_value *param = ARENA_ARRAY(db_scratch(db), total * 4, struct db_value), *p = param;
    for (size_t i = 0; i < n; i++) {
        const struct finish *c = live[i];
        for (size_t k = 0; k < c->run->n_delivery; k++) {
            *p++ = db_text(c->lease.tenant);
            *p++ = db_text(c->lease.lead);
            *p++ = db_integer(c->lease.gen);
            *p++ = db_text(c->run->delivery[k].target);
        }
    }
    return db_post(db, QUERY_DELIVERY_ADD, param, total, NULL);
}

err store_apply_finish(struct db *db, struct write *const *batch, size_t n, void *ctx) {
    (void)ctx;
    struct finish **live = NULL;
    size_t n_live = 0;
    TRY(end_runs(db, batch, n, &live, &n_live));
    crash_point("finish_ended");
    if (n_live == 0)
        return OK;
    int64_t *changed = ARENA_ARRAY(db_scratch(db), n_live, int64_t);
    TRY(change_leads(db, live, n_live, true, changed));
    TRY(change_leads(db, live, n_live, false, changed));
    TRY(check_states(live, n_live, changed));
    TRY(add_scores(db, live, n_live));
    TRY(add_history(db, live, n_live));
    TRY(add_deliveries(db, live, n_live));
    crash_point("finish_written");
    return OK;
}

/* ---- park ---- */

struct park_row {
    str name, request;
};

err store_park(struct store *s, struct sealer *sealer, struct park *c) {
    c->store = s;
    c->stale = false;
    c->row = ARENA_ARRAY(c->arena, c->n_ask, struct park_row);
    c->write.kind = &s->kind[KIND_PARK];
    c->write.tenant = c->lease.tenant;
    c->write.byte = sizeof *c;
    if (c->n_ask > 0)
        TRY(store_lead_open(s, NULL, sealer, c->lease.tenant, c->lease.lead, c->lease.key));
    err rc = OK;
    for (size_t i = 0; i < c->n_ask && rc == OK; i++) {
        const struct run_ask *ask = &c->ask[i];
        const str row = str_format(c->arena, "%lld:%.*s", (long long)c->lease.gen, STR_ARG(ask->name));
        c->row[i].name = ask->name;
        rc = store_seal(c->arena, sealer, STORE_CELL_REQUEST(row), ask->request, &c->row[i].request);
        c->write.byte += ask->request.len * 2 + 256;
    }
    sealer_lead_close(sealer);
    TRY(rc);
    return writer_submit(s->writer, &c->write);
}

static err add_asks(struct db *db, struct write *const *batch, size_t n) {
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += ((struct park *)batch[i])->n_ask;
    struct db_value *param = ARENA_ARRAY(db_scratch(db), total * 5, struct db_value), *p = param;
    for (size_t i = 0; i < n; i++) {
        const struct park *c = (struct park *)batch[i];
        for (size_t k = 0; k < c->n_ask && !c->stale; k++) {
            *p++ = db_text(c->lease.tenant);
            *p++ = db_text(c->lease.lead);
            *p++ = db_integer(c->lease.gen);
            *p++ = db_text(c->row[k].name);
            *p++ = db_blob(c->row[k].request);
        }
    }
    return db_exec_many(db, QUERY_ASK_ADD, param, (size_t)(p - param) / 5, NULL);
}

/* Every answer may have come before the run was parked: then it is ready at once. */
static err wake_parked(struct db *db, struct write *const *batch, size_t n) {
    struct db_value *param = ARENA_ARRAY(db_scratch(db), n * 3, struct db_value), *p = param;
    for (size_t i = 0; i < n; i++) {
        const struct park *c = (struct park *)batch[i];
        if (c->stale)
            continue;
        *p++ = db_text(c->lease.tenant);
        *p++ = db_text(c->lease.lead);
        *p++ = db_integer(c->lease.gen);
    }
    return db_post(db, QUERY_RUN_WAKE, param, (size_t)(p - param) / 3, NULL);
}

err store_apply_park(struct db *db, struct write *const *batch, size_t n, void *ctx) {
    (void)ctx;
    struct arena *a = db_scratch(db);
    struct db_value *param = ARENA_ARRAY(a, n * 7, struct db_value), *p = param;
    int64_t *changed = ARENA_ARRAY(a, n, int64_t);
    for (size_t i = 0; i < n; i++) {
        const struct park *c = (struct park *)batch[i];
        p = put_lease(p, &c->lease);
        *p++ = db_integer(c->stage);
        *p++ = db_integer(c->wait_ms);
        *p++ = db_integer(c->until_ms);
    }
    TRY(db_exec_many(db, QUERY_RUN_PARK, param, n, changed));
    for (size_t i = 0; i < n; i++)
        ((struct park *)batch[i])->stale = changed[i] == 0;
    TRY(add_asks(db, batch, n));
    crash_point("park_written");
    return wake_parked(db, batch, n);
}

/* ---- give back ---- */

err store_giveback(struct store *s, struct giveback *c) {
    c->store = s;
    c->stale = false;
    c->write.kind = &s->kind[KIND_GIVEBACK];
    c->write.tenant = c->lease.tenant;
    c->write.byte = sizeof *c + c->reason.len;
    return writer_submit(s->writer, &c->write);
}

/* The leads whose runs are dead now. */
static err fail_leads(struct db *db, struct write *const *batch, size_t n) {
    struct db_value *param = ARENA_ARRAY(db_scratch(db), n * 3, struct db_value), *p = param;
    for (size_t i = 0; i < n; i++) {
        const struct giveback *c = (struct giveback *)batch[i];
        if (c->stale || !c->dead)
            continue;
        *p++ = db_text(c->lease.tenant);
        *p++ = db_text(c->lease.lead);
        *p++ = db_integer(c->lease.gen);
    }
    return p == param ? OK : db_post(db, QUERY_LEAD_FAILED, param, (size_t)(p - param) / 3, NULL);
}

err store_apply_giveback(struct db *db, struct write *const *batch, size_t n, void *ctx) {
    (void)ctx;
    struct arena *a = db_scratch(db);
    struct db_value *param = ARENA_ARRAY(a, n * 10, struct db_value), *p = param;
    int64_t *changed = ARENA_ARRAY(a, n, int64_t);
    for (size_t i = 0; i < n; i++) {
        const struct giveback *c = (struct giveback *)batch[i];
        p = put_lease(p, &c->lease);
        *p++ = db_integer(c->dead ? RUN_DEAD : RUN_READY);
        *p++ = db_integer(c->stage);
        *p++ = db_integer(c->delay_ms);
        *p++ = db_integer(c->counted ? 0 : 1);
        *p++ = c->slug ? db_text(str_from(c->slug)) : db_null();
        *p++ = c->slug ? db_text(c->reason) : db_null();
    }
    TRY(db_exec_many(db, QUERY_RUN_GIVEBACK, param, n, changed));
    for (size_t i = 0; i < n; i++)
        ((struct giveback *)batch[i])->stale = changed[i] == 0;
    return fail_leads(db, batch, n);
}
