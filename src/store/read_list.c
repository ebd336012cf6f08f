/* read_list.c — many leads: lists, what was scored, what waits, what is lost; keys, artifacts and the audit log. */
#include "store/audit.h"
#include "store/read_priv.h"

enum { LIST_WINDOW = 1000, LOST_MOST = 1000 };

static err lead_rows(void *ctx, struct db_row *row) {
    struct rows *rows = ctx;
    store_read_lead_row(rows->a, row, store_rows_add(rows));
    return OK;
}

/* ---- list ---- */

struct listing {
    const struct lead_filter *f;
    struct arena *a;
    struct lead_view *view;
    size_t n, seen, window;
    unsigned char email[VAULT_INDEX_BYTE], domain[VAULT_INDEX_BYTE];
    char last[RUN_ID_BYTE + 1];
    bool full;
};

static bool same_index(struct db_row *row, size_t i, const unsigned char *index) {
    str stored = db_row_blob(row, i);
    return stored.len == VAULT_INDEX_BYTE && memcmp(stored.ptr, index, VAULT_INDEX_BYTE) == 0;
}

static bool fits(const struct listing *l, struct db_row *row) {
    const struct lead_filter *f = l->f;
    const int64_t received = db_row_integer(row, 5);
    if ((f->state >= 0 && db_row_integer(row, 3) != f->state) || (f->outcome >= 0 && db_row_integer(row, 4) != f->outcome) ||
        (f->tier >= 0 && (db_row_null(row, 8) || db_row_integer(row, 8) != f->tier)) ||
        (f->run_status >= 0 && (db_row_null(row, 13) || db_row_integer(row, 13) != f->run_status)))
        return false;
    if ((f->since_ms > 0 && received < f->since_ms) || (f->until_ms > 0 && received >= f->until_ms))
        return false;
    if ((f->source.len > 0 && !str_equal(db_row_text(row, 2), f->source)) ||
        (f->slug.len > 0 && !str_equal(db_row_text(row, 20), f->slug)))
        return false;
    return (f->email.len == 0 || same_index(row, 24, l->email)) && (f->domain.len == 0 || same_index(row, 25, l->domain));
}

static err list_row(void *ctx, struct db_row *row) {
    struct listing *l = ctx;
    str lead = db_row_text(row, 1);
    if (l->n == l->f->limit) {
        l->full = true;
        return OK;
    }
    l->seen++;
    snprintf(l->last, sizeof l->last, "%.*s", STR_ARG(lead));
    if (fits(l, row))
        store_read_lead_row(l->a, row, &l->view[l->n++]);
    return OK;
}

static err index_filters(struct store_reader *r, struct listing *l) {
    const struct lead_filter *f = l->f;
    if (f->email.len == 0 && f->domain.len == 0)
        return OK;
    if (vault_tenant_version(r->store->vault, f->tenant) == 0)
        TRY(store_keys_load(r->store, r->db, f->tenant));
    if (f->email.len > 0)
        TRY(vault_index(r->store->vault, f->tenant, VAULT_INDEX_EMAIL, f->email, l->email));
    return f->domain.len > 0 ? vault_index(r->store->vault, f->tenant, VAULT_INDEX_DOMAIN, f->domain, l->domain) : OK;
}

static void reverse(struct lead_view *v, size_t n) {
    for (size_t i = 0; i < n / 2; i++) {
        const struct lead_view other = v[i];
        v[i] = v[n - 1 - i];
        v[n - 1 - i] = other;
    }
}

/* All leads with one e-mail are one page. */
static err list_email(struct store_reader *r, struct listing *l) {
    const str index = {(const char *)l->email, sizeof l->email};
    TRY(db_query(r->db, QUERY_LIST_EMAIL, DB_ROW(db_text(l->f->tenant), db_blob(index), db_integer((int64_t)l->f->limit)),
                 list_row, l));
    if (l->f->newest_first)
        reverse(l->view, l->n);
    return OK;
}

static err list_window(struct store_reader *r, struct listing *l) {
    const struct lead_filter *f = l->f;
    const bool dead = f->run_status == RUN_DEAD;
    const unsigned query =
        f->newest_first ? (dead ? QUERY_LIST_DEAD_DOWN : QUERY_LIST_DOWN) : (dead ? QUERY_LIST_DEAD_UP : QUERY_LIST_UP);
    const str after = f->after.len > 0 ? f->after : f->newest_first ? STR("~") : (str){"", 0};
    return db_query(r->db, query, DB_ROW(db_text(f->tenant), db_text(after), db_integer((int64_t)l->window)), list_row, l);
}

err store_list(struct store_reader *r, struct arena *a, const struct lead_filter *f, struct lead_view **out, size_t *n,
               str *next) {
    struct lead_filter bounded = *f;
    bounded.limit = f->limit == 0 || f->limit > LIST_WINDOW ? LIST_WINDOW : f->limit;
    struct listing l = {.f = &bounded, .a = a, .view = ARENA_ARRAY(a, bounded.limit, struct lead_view)};
    const bool filtered = f->state >= 0 || f->tier >= 0 || f->outcome >= 0 || f->run_status >= 0 || f->domain.len > 0 ||
                          f->source.len > 0 || f->slug.len > 0 || f->since_ms > 0 || f->until_ms > 0;
    TRY(index_filters(r, &l));
    l.window = filtered ? LIST_WINDOW : bounded.limit;
    const bool by_email = f->email.len > 0;
    TRY(by_email ? list_email(r, &l) : list_window(r, &l));
    const bool more = !by_email && (l.full || l.seen == l.window);
    *out = l.view;
    *n = l.n;
    *next = more ? str_copy(a, str_from(l.last)) : (str){0};
    return OK;
}

/* ---- what was scored, what is lost ---- */

err store_scored_since(struct store_reader *r, struct arena *a, str tenant, int64_t since_ms, str after, size_t limit,
                       struct lead_view **out, size_t *n) {
    struct rows rows = {.a = a, .size = sizeof **out};
    TRY(db_query(r->db, QUERY_SCORED_SINCE,
                 DB_ROW(db_text(tenant), db_integer(since_ms), db_text(after), db_integer((int64_t)limit)), lead_rows,
                 &rows));
    *out = rows.item;
    *n = rows.n;
    return OK;
}

err store_lost(struct store_reader *r, struct arena *a, int64_t before_ms, struct lead_view **out, size_t *n) {
    struct rows rows = {.a = a, .size = sizeof **out};
    TRY(db_query(r->db, QUERY_LOST,
                 DB_ROW(db_text((str){"", 0}), db_text((str){"", 0}), db_integer(before_ms), db_integer(LOST_MOST)),
                 lead_rows, &rows));
    *out = rows.item;
    *n = rows.n;
    return OK;
}

/* ---- what waits ---- */

static err queue_row(void *ctx, struct db_row *row) {
    struct rows *rows = ctx;
    struct queue_view *v = store_rows_add(rows);
    *v = (struct queue_view){.tenant = str_copy(rows->a, db_row_text(row, 0)),
                             .status = (enum run_status)db_row_integer(row, 1),
                             .stage = db_row_integer(row, 2),
                             .worker = str_copy(rows->a, db_row_text(row, 3)),
                             .slug = str_copy(rows->a, db_row_text(row, 4)),
                             .n = db_row_integer(row, 5),
                             .oldest_ms = db_row_integer(row, 6)};
    return OK;
}

err store_queue(struct store_reader *r, struct arena *a, struct queue_view **out, size_t *n) {
    struct rows rows = {.a = a, .size = sizeof **out};
    TRY(db_query(r->db, QUERY_READ_QUEUE, NULL, queue_row, &rows));
    *out = rows.item;
    *n = rows.n;
    return OK;
}

static err backlog_row(void *ctx, struct db_row *row) {
    struct rows *rows = ctx;
    struct backlog_view *v = store_rows_add(rows);
    *v = (struct backlog_view){.tenant = str_copy(rows->a, db_row_text(row, 0)),
                               .n = db_row_integer(row, 1),
                               .weight = db_row_integer(row, 2),
                               .max_backlog = db_row_integer(row, 3),
                               .max_running = db_row_integer(row, 4)};
    return OK;
}

err store_backlog(struct store_reader *r, struct arena *a, struct backlog_view **out, size_t *n) {
    struct rows rows = {.a = a, .size = sizeof **out};
    TRY(db_query(r->db, QUERY_READ_BACKLOG, NULL, backlog_row, &rows));
    *out = rows.item;
    *n = rows.n;
    return OK;
}

/* ---- API keys and artifacts ---- */

static err key_row(void *ctx, struct db_row *row) {
    struct rows *rows = ctx;
    struct api_key *v = store_rows_add(rows);
    *v = (struct api_key){.tenant = str_copy(rows->a, db_row_text(row, 0)),
                          .id = str_copy(rows->a, db_row_text(row, 1)),
                          .name = str_copy(rows->a, db_row_text(row, 2)),
                          .hint = str_copy(rows->a, db_row_text(row, 3)),
                          .scopes = (unsigned)db_row_integer(row, 4),
                          .rate = db_row_real(row, 5),
                          .burst = db_row_real(row, 6),
                          .created_ms = db_row_integer(row, 7),
                          .revoked_ms = db_row_integer(row, 8)};
    return OK;
}

err store_key_find(struct store_reader *r, struct arena *a, str token, struct api_key *out) {
    struct rows rows = {.a = a, .size = sizeof *out};
    unsigned char hash[VAULT_TOKEN_HASH_BYTE];
    if (vault_token_hash(token, hash))
        TRY(db_query(r->db, QUERY_API_KEY_FIND, DB_ROW(db_blob((str){(const char *)hash, sizeof hash})), key_row, &rows));
    if (rows.n == 0)
        return fail(ERR_DENIED, "key_unknown", "there is no such key");
    const struct api_key *k = rows.item;
    if (k->revoked_ms > 0)
        return fail(ERR_DENIED, "key_revoked", "the key %.*s was revoked", STR_ARG(k->hint));
    *out = *k;
    return OK;
}

err store_key_list(struct store_reader *r, struct arena *a, str tenant, struct api_key **out, size_t *n) {
    struct rows rows = {.a = a, .size = sizeof **out};
    TRY(db_query(r->db, QUERY_API_KEY_LIST, DB_ROW(db_text(tenant)), key_row, &rows));
    *out = rows.item;
    *n = rows.n;
    return OK;
}

struct found_artifact {
    struct arena *a;
    bool found;
    str name, content;
};

static err artifact_row(void *ctx, struct db_row *row) {
    struct found_artifact *f = ctx;
    f->name = str_copy(f->a, db_row_text(row, 0));
    f->content = str_copy(f->a, db_row_blob(row, 1));
    f->found = true;
    return OK;
}

err store_artifact(struct store_reader *r, struct arena *a, str kind, str id, str *name, str *content) {
    struct found_artifact f = {.a = a};
    TRY(db_query(r->db, QUERY_ARTIFACT_FIND, DB_ROW(db_text(kind), db_text(id)), artifact_row, &f));
    if (!f.found)
        return fail(ERR_ABSENT, "artifact_unknown", "there is no %.*s %.*s", STR_ARG(kind), STR_ARG(id));
    *name = f.name;
    *content = f.content;
    return OK;
}

/* ---- the audit log ---- */

struct audit_pages {
    struct store_reader *reader;
    struct arena *a; /* of the page */
    str tenant;
    struct rows rows;
    size_t at;
    uint64_t last;
    bool over;
};

static err audit_row(void *ctx, struct db_row *row) {
    struct rows *rows = ctx;
    struct arena *a = rows->a;
    struct audit_entry *e = store_rows_add(rows);
    *e = (struct audit_entry){.seq = (uint64_t)db_row_integer(row, 0),
                              .at_ms = db_row_integer(row, 1),
                              .actor = str_copy(a, db_row_text(row, 2)),
                              .action = str_copy(a, db_row_text(row, 3)),
                              .subject = str_copy(a, db_row_text(row, 4)),
                              .detail = str_copy(a, db_row_text(row, 5)),
                              .tenant = str_copy(a, db_row_text(row, 7))};
    str hash = db_row_blob(row, 6);
    if (hash.len == AUDIT_HASH_BYTE)
        memcpy(e->hash, hash.ptr, AUDIT_HASH_BYTE);
    return OK;
}

static err next_entry(void *ctx, const struct audit_entry **out) {
    struct audit_pages *p = ctx;
    if (p->at == p->rows.n && !p->over) {
        arena_reset(p->a);
        p->rows = (struct rows){.a = p->a, .size = sizeof(struct audit_entry)};
        p->at = 0;
        TRY(db_query(p->reader->db, QUERY_AUDIT_PAGE, DB_ROW(db_text(p->tenant), db_integer((int64_t)p->last)), audit_row,
                     &p->rows));
        p->over = p->rows.n == 0;
    }
    *out = p->over ? NULL : (struct audit_entry *)p->rows.item + p->at++;
    if (*out)
        p->last = (*out)->seq;
    return OK;
}

static void free_pages(void *ctx) { arena_free(ctx); }

static err load_audit_key(struct store_reader *r, str tenant, unsigned char *key) {
    err rc = vault_audit_key(r->store->vault, tenant, key);
    if (rc != ERR_ABSENT)
        return rc;
    TRY(store_keys_load(r->store, r->db, tenant));
    return vault_audit_key(r->store->vault, tenant, key);
}

struct verifying {
    struct audit_pages pages;
    const unsigned char *key;
    struct audit_report report;
};

static err verify(void *ctx) {
    struct verifying *v = ctx;
    const struct audit_source source = {next_entry, &v->pages};
    return audit_verify(v->key, v->pages.tenant, source, NULL, NULL, &v->report);
}

err store_audit_verify(struct store_reader *r, struct arena *a, str tenant, size_t *n) {
    unsigned char key[VAULT_AUDIT_KEY_BYTE];
    struct arena *page = arena_new((size_t)256 << 20);
    if (!page)
        return fail(ERR_LIMIT, "memory_limit", "no memory to read the audit log");
    arena_defer(a, free_pages, page);
    TRY(load_audit_key(r, tenant, key));
    struct verifying v = {.pages = {.reader = r, .a = page, .tenant = tenant}, .key = key};
    err rc = arena_run(page, verify, &v);
    vault_wipe(key, sizeof key);
    TRY(rc);
    *n = (size_t)v.report.count;
    if (v.report.fault == AUDIT_GOOD)
        return OK;
    return fail(ERR_CORRUPT, "audit_broken", "audit log of %.*s: entry %llu %s", STR_ARG(tenant),
                (unsigned long long)v.report.seq, audit_fault_text(v.report.fault));
}

static err keep_due(void *ctx, struct db_row *row) {
    int64_t *ms = ctx;
    *ms = db_row_null(row, 0) ? INT64_MAX : db_row_integer(row, 0);
    return OK;
}

err store_next_due(struct store_reader *r, bool asks, bool deliveries, int64_t *ms) {
    int64_t due = INT64_MAX;
    TRY(db_query(r->db, QUERY_READ_NEXT_DUE, DB_ROW(db_integer(asks), db_integer(deliveries)), keep_due, &due));
    *ms = due;
    return OK;
}
