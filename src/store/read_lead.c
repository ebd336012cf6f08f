/* read_lead.c — all that is kept of one lead. */
#include "store/read_priv.h"

static void close_sealer(void *ctx) {
    struct store_reader *r = ctx;
    sealer_free(r->sealer);
    r->sealer = NULL;
}

void store_reader_close(struct store_reader *r) {
    if (r->db)
        db_close(r->db);
    close_sealer(r);
}

err store_reader_open(struct store *s, struct arena *a, struct store_reader **out) {
    struct store_reader *r = ARENA_NEW(a, struct store_reader);
    const struct db_config c = {.url = s->url, .role = DB_READER, .catalogue = &store_catalogue, .clock = s->clock};
    r->store = s;
    TRY(sealer_new(s->vault, &r->sealer));
    arena_defer(a, close_sealer, r);
    TRY(db_open(a, &c, &r->db));
    *out = r;
    return OK;
}

void *store_rows_add(struct rows *r) {
    if (r->n == r->cap)
        r->item = arena_grow(r->a, r->item, &r->cap, r->n + 1, r->size);
    return (char *)r->item + r->size * r->n++;
}

static double real_or_0(struct db_row *row, size_t i) { return db_row_null(row, i) ? 0 : db_row_real(row, i); }

void store_read_lead_row(struct arena *a, struct db_row *row, struct lead_view *v) {
    *v = (struct lead_view){.tenant = str_copy(a, db_row_text(row, 0)),
                            .lead = str_copy(a, db_row_text(row, 1)),
                            .source = str_copy(a, db_row_text(row, 2)),
                            .state = (enum lead_state)db_row_integer(row, 3),
                            .outcome = (enum run_outcome)db_row_integer(row, 4),
                            .received_ms = db_row_integer(row, 5),
                            .state_ms = db_row_integer(row, 6),
                            .gen = db_row_integer(row, 7),
                            .scored = !db_row_null(row, 8),
                            .tier = (enum tier)db_row_integer(row, 8),
                            .probability = real_or_0(row, 9),
                            .low = real_or_0(row, 10),
                            .high = real_or_0(row, 11),
                            .scored_ms = db_row_integer(row, 12),
                            .live = !db_row_null(row, 13),
                            .run_status = (enum run_status)db_row_integer(row, 13),
                            .run_gen = db_row_integer(row, 14),
                            .attempt = db_row_integer(row, 15),
                            .run_ms = db_row_integer(row, 16),
                            .stage = db_row_integer(row, 17),
                            .fence = db_row_integer(row, 18)};
    v->worker = str_copy(a, db_row_text(row, 19));
    v->slug = str_copy(a, db_row_text(row, 20));
    v->reason = str_copy(a, db_row_text(row, 21));
    v->run_cause = str_copy(a, db_row_text(row, 22));
    v->run_pins = str_copy(a, db_row_text(row, 23));
}

struct one_lead {
    struct arena *a;
    struct lead_view *view;
    bool found;
    str wrapped, sealed;
};

static err lead_row(void *ctx, struct db_row *row) {
    struct one_lead *l = ctx;
    store_read_lead_row(l->a, row, l->view);
    l->wrapped = str_copy(l->a, db_row_blob(row, LEAD_COLUMNS));
    l->sealed = str_copy(l->a, db_row_blob(row, LEAD_COLUMNS + 1));
    l->found = true;
    return OK;
}

err store_lead(struct store_reader *r, struct arena *a, str tenant, str lead, struct lead_view *out) {
    struct lead_view view = {0};
    struct one_lead l = {.a = a, .view = &view};
    TRY(db_query(r->db, QUERY_READ_LEAD, DB_ROW(db_text(tenant), db_text(lead)), lead_row, &l));
    if (!l.found)
        return fail(ERR_ABSENT, "lead_unknown", "there is no lead %.*s", STR_ARG(lead));
    view.erased = store_key_erased(l.wrapped);
    if (!view.erased) {
        TRY(store_lead_open(r->store, r->db, r->sealer, tenant, lead, l.wrapped));
        err rc = sealer_unseal(r->sealer, STORE_CELL_BODY, l.sealed, 0, a, &view.body);
        sealer_lead_close(r->sealer);
        TRY(rc);
    }
    *out = view;
    return OK;
}

/* Rows of one lead; when there are none, the lead must be there. */
static err query_lead(struct store_reader *r, unsigned query, str tenant, str lead, db_row_fn *fn, struct rows *rows) {
    const struct db_value key[] = {db_text(tenant), db_text(lead)};
    struct first_row known;
    TRY(db_query(r->db, query, key, fn, rows));
    if (rows->n > 0)
        return OK;
    TRY(store_first_row(r->db, QUERY_LEAD_EXISTS, key, &known));
    return known.found ? OK : fail(ERR_ABSENT, "lead_unknown", "there is no lead %.*s", STR_ARG(lead));
}

static err score_row(void *ctx, struct db_row *row) {
    struct rows *rows = ctx;
    struct arena *a = rows->a;
    struct score_view *v = store_rows_add(rows);
    *v = (struct score_view){.gen = db_row_integer(row, 0),
                             .scored_ms = db_row_integer(row, 1),
                             .accepted_ms = db_row_integer(row, 2),
                             .attempt = db_row_integer(row, 3),
                             .fence = db_row_integer(row, 4),
                             .outcome = (enum run_outcome)db_row_integer(row, 5),
                             .tier = (enum tier)db_row_integer(row, 6),
                             .probability = real_or_0(row, 7),
                             .low = real_or_0(row, 8),
                             .high = real_or_0(row, 9),
                             .cause = str_copy(a, db_row_text(row, 10)),
                             .pins = str_copy(a, db_row_text(row, 11)),
                             .timing = str_copy(a, db_row_text(row, 12)),
                             .snapshot = str_copy(a, db_row_blob(row, 13))};
    return OK;
}

err store_scores(struct store_reader *r, struct arena *a, str tenant, str lead, struct score_view **out, size_t *n) {
    struct rows rows = {.a = a, .size = sizeof **out};
    TRY(query_lead(r, QUERY_READ_SCORES, tenant, lead, score_row, &rows));
    struct score_view *v = rows.item;
    err rc = rows.n > 0 ? store_lead_open(r->store, r->db, r->sealer, tenant, lead, (str){0}) : OK;
    const bool erased = rc == ERR_ABSENT && strcmp(err_slug(), "lead_erased") == 0;
    if (rc != OK && !erased)
        return rc;
    for (size_t i = 0; i < rows.n; i++) {
        const str sealed = v[i].snapshot;
        v[i].snapshot = (str){0};
        if (sealed.len > 0 && !erased)
            TRY(sealer_unseal(r->sealer, STORE_CELL_SCORE(str_format(a, "%lld", (long long)v[i].gen)), sealed, 0, a,
                              &v[i].snapshot));
    }
    sealer_lead_close(r->sealer);
    *out = v;
    *n = rows.n;
    return OK;
}

static err history_row(void *ctx, struct db_row *row) {
    struct rows *rows = ctx;
    struct history_view *v = store_rows_add(rows);
    *v = (struct history_view){.at_ms = db_row_integer(row, 0),
                               .gen = db_row_integer(row, 1),
                               .path = str_copy(rows->a, db_row_text(row, 2)),
                               .cause = str_copy(rows->a, db_row_text(row, 3)),
                               .actor = str_copy(rows->a, db_row_text(row, 4))};
    return OK;
}

err store_history(struct store_reader *r, struct arena *a, str tenant, str lead, struct history_view **out, size_t *n) {
    struct rows rows = {.a = a, .size = sizeof **out};
    TRY(query_lead(r, QUERY_READ_HISTORY, tenant, lead, history_row, &rows));
    *out = rows.item;
    *n = rows.n;
    return OK;
}

static err delivery_row(void *ctx, struct db_row *row) {
    struct rows *rows = ctx;
    struct delivery_view *v = store_rows_add(rows);
    *v = (struct delivery_view){.target = str_copy(rows->a, db_row_text(row, 0)),
                                .gen = db_row_integer(row, 1),
                                .status = db_row_integer(row, 2),
                                .attempt = db_row_integer(row, 3),
                                .run_ms = db_row_integer(row, 4),
                                .created_ms = db_row_integer(row, 5),
                                .done_ms = db_row_integer(row, 6),
                                .slug = str_copy(rows->a, db_row_text(row, 7)),
                                .reason = str_copy(rows->a, db_row_text(row, 8))};
    return OK;
}

err store_deliveries(struct store_reader *r, struct arena *a, str tenant, str lead, struct delivery_view **out, size_t *n) {
    struct rows rows = {.a = a, .size = sizeof **out};
    TRY(query_lead(r, QUERY_READ_DELIVERIES, tenant, lead, delivery_row, &rows));
    *out = rows.item;
    *n = rows.n;
    return OK;
}

static err ask_row(void *ctx, struct db_row *row) {
    struct rows *rows = ctx;
    struct ask_view *v = store_rows_add(rows);
    *v = (struct ask_view){.name = str_copy(rows->a, db_row_text(row, 0)),
                           .gen = db_row_integer(row, 1),
                           .status = db_row_integer(row, 2),
                           .attempt = db_row_integer(row, 3),
                           .asked_ms = db_row_integer(row, 4),
                           .answered_ms = db_row_integer(row, 5),
                           .price_micro = db_row_integer(row, 6),
                           .slug = str_copy(rows->a, db_row_text(row, 7))};
    return OK;
}

err store_asks(struct store_reader *r, struct arena *a, str tenant, str lead, struct ask_view **out, size_t *n) {
    struct rows rows = {.a = a, .size = sizeof **out};
    TRY(query_lead(r, QUERY_READ_ASKS, tenant, lead, ask_row, &rows));
    *out = rows.item;
    *n = rows.n;
    return OK;
}
