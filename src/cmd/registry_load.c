/* registry_load.c — a file of organisations read into an index. */
#include "cmd/registry_load.h"

#include "cmd/progress.h"

enum { BATCH_ROW = 4096, SHOWN_FAULT = 5, COLUMNS = 6 };

struct loading {
    struct session *s;
    const struct leads_options *o;
    struct table *table;
    struct registry_builder *builder;
    struct registry_counts *counts;
    size_t at[COLUMNS];
    bool has[COLUMNS];
};

static err find_columns(struct loading *l, const struct registry_columns *c) {
    const str name[COLUMNS] = {c->id, c->name, c->former, c->domain, c->country, c->city};
    for (size_t i = 0; i < COLUMNS; i++) {
        l->has[i] = name[i].len > 0;
        if (l->has[i])
            TRY(append_find(l->table, name[i], &l->at[i]));
    }
    return OK;
}

static str cell(const struct loading *l, const struct table_row *row, size_t i) {
    return l->has[i] ? row->cell[l->at[i]] : (str){0};
}

static err add_row(struct loading *l, const struct table_row *row) {
    const char *reason = row->reason.ptr;
    l->counts->rows++;
    err rc = row->status;
    if (rc == OK) {
        const struct registry_row r = {cell(l, row, 0), cell(l, row, 1), cell(l, row, 2),
                                       cell(l, row, 3), cell(l, row, 4), cell(l, row, 5)};
        rc = registry_add(l->builder, &r);
        reason = err_text();
    }
    if (rc == OK || (row->status == OK && rc != ERR_INPUT))
        return rc;
    l->counts->bad++;
    if (l->counts->bad <= SHOWN_FAULT)
        session_warn(l->s, "%s: line %llu: %s", l->o->file.ptr, (unsigned long long)row->line, reason);
    return OK;
}

static err add_rows(struct loading *l, struct arena *batch) {
    struct progress p;
    progress_begin(&p, l->s, table_name(l->table), "bytes", (double)table_bytes_total(l->table));
    err rc = OK;
    for (size_t n = 1; rc == OK && n > 0;) {
        struct table_row *row;
        arena_reset(batch);
        rc = table_read(l->table, batch, BATCH_ROW, &row, &n);
        for (size_t i = 0; rc == OK && i < n; i++)
            rc = add_row(l, &row[i]);
        progress_at(&p, (double)table_bytes_read(l->table));
    }
    progress_end(&p);
    return rc;
}

err registry_load_table(struct session *s, const struct leads_options *o, const struct registry_columns *c,
                        const struct match_forms *forms, struct registry_counts *counts, const struct registry **out) {
    struct loading l = {.s = s, .o = o, .counts = counts, .builder = registry_new(s->arena, forms)};
    *counts = (struct registry_counts){0};
    TRY(leads_open(s, o, &l.table));
    TRY(find_columns(&l, c));
    struct arena *batch = arena_new((size_t)256 << 20);
    if (!batch)
        return fail(ERR_LIMIT, "memory_limit", "no memory for reading");
    const err rc = add_rows(&l, batch);
    arena_free(batch);
    TRY(rc);
    if (counts->bad > SHOWN_FAULT)
        session_warn(s, "and %llu more rows left out", (unsigned long long)(counts->bad - SHOWN_FAULT));
    return registry_build(l.builder, out);
}
