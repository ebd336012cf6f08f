/* append.c — rows in, the same rows out with columns of ours behind theirs. */
#include "cmd/append.h"

#include "base/csv.h"
#include "cmd/progress.h"

enum { BATCH_ROW = 4096, FLUSH_BYTE = 1 << 18, SHOWN_FAULT = 5 };

err append_find(const struct table *t, str name, size_t *at) {
    size_t n;
    const str *columns = table_columns(t, &n);
    for (size_t i = 0; i < n; i++)
        if (str_equal(columns[i], name)) {
            *at = i;
            return OK;
        }
    return fail(ERR_INPUT, "column_missing", "%s has no column \"%.*s\"", table_name(t), STR_ARG(name));
}

static err write_head(struct append *a, const str *column, size_t n) {
    size_t n_old;
    const str *old = table_columns(a->table, &n_old);
    for (size_t i = 0; i < n_old; i++) {
        for (size_t k = 0; k < n; k++)
            if (str_equal(old[i], column[k]))
                return fail(ERR_INPUT, "append_column", "%s has a column \"%.*s\" already", table_name(a->table),
                            STR_ARG(column[k]));
        if (i > 0)
            buf_add_byte(a->text, a->delimiter);
        csv_write_cell(a->text, old[i], a->delimiter);
    }
    for (size_t k = 0; k < n; k++) {
        buf_add_byte(a->text, a->delimiter);
        buf_add(a->text, column[k]);
    }
    buf_add_byte(a->text, '\n');
    return OK;
}

err append_open(struct session *s, const struct leads_options *o, str out, const str *column, size_t n, struct append *a) {
    *a = (struct append){.session = s, .path = o->file.ptr};
    TRY(leads_refuse_same("--out", out, "FILE", o->file));
    TRY(leads_refuse_same("--out", out, "--rejects", o->rejects));
    TRY(leads_refuse_same("FILE", o->file, "--rejects", o->rejects));
    TRY(leads_open(s, o, &a->table));
    a->delimiter = table_delimiter(a->table);
    a->text = buf_in(s->arena, (size_t)64 << 20);
    TRY(write_head(a, column, n));
    TRY(file_create(s->arena, out.ptr, &a->out));
    return o->rejects.len > 0 ? reject_open(s->arena, o->rejects.ptr, &a->reject) : OK;
}

static err refuse(struct append *a, const struct table_row *row) {
    a->bad++;
    if (a->bad <= SHOWN_FAULT)
        session_warn(a->session, "%s: line %llu: %.*s", a->path, (unsigned long long)row->line, STR_ARG(row->reason));
    return a->reject ? reject_row(a->reject, row) : OK;
}

static err flush(struct append *a, size_t least) {
    TRY(buf_check(a->text));
    if (a->text->len < least)
        return OK;
    TRY(file_write(a->out, buf_str(a->text)));
    buf_clear(a->text);
    return OK;
}

static err write_row(struct append *a, const struct table_row *row, append_fn *fn, void *ctx) {
    size_t n;
    a->rows++;
    if (row->status != OK)
        return refuse(a, row);
    (void)table_columns(a->table, &n);
    if (row->csv.len > 0)
        buf_add(a->text, row->csv);
    else
        for (size_t i = 0; i < n; i++) {
            if (i > 0)
                buf_add_byte(a->text, a->delimiter);
            csv_write_cell_guarded(a->text, row->cell[i], a->delimiter);
        }
    TRY(fn(ctx, row, a));
    buf_add_byte(a->text, '\n');
    return flush(a, FLUSH_BYTE);
}

err append_run(struct append *a, append_fn *fn, void *ctx) {
    struct progress p;
    struct arena *batch = arena_new((size_t)256 << 20);
    if (!batch)
        return fail(ERR_LIMIT, "memory_limit", "no memory for reading");
    progress_begin(&p, a->session, table_name(a->table), "bytes", (double)table_bytes_total(a->table));
    err rc = OK;
    for (size_t n = 1; rc == OK && n > 0;) {
        struct table_row *row;
        arena_reset(batch);
        rc = table_read(a->table, batch, BATCH_ROW, &row, &n);
        for (size_t i = 0; rc == OK && i < n; i++)
            rc = write_row(a, &row[i], fn, ctx);
        progress_at(&p, (double)table_bytes_read(a->table));
    }
    progress_end(&p);
    arena_free(batch);
    if (a->bad > SHOWN_FAULT)
        session_warn(a->session, "and %llu more rows left out", (unsigned long long)(a->bad - SHOWN_FAULT));
    return rc == OK ? flush(a, 0) : rc;
}

err append_commit(struct append *a) {
    if (a->reject)
        TRY(reject_commit(a->reject));
    return file_commit(a->out);
}
