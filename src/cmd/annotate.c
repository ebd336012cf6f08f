/* annotate.c — reads a table in batches and writes its rows with more columns. */
#include "cmd/annotate.h"

#include "base/csv.h"
#include "base/file.h"
#include "cmd/leads.h"
#include "cmd/progress.h"
#include "intake/table.h"

#include <math.h>
#include <sys/resource.h>

enum { BATCH_ROW = 4096, BATCH_BYTE = 256 << 20, OUT_BYTE = 64 << 20, FLUSH_BYTE = 1 << 18 };

struct streaming {
    struct session *session;
    const struct annotation *a;
    struct table *table;
    struct arena *batch;
    struct file_out *to;
    struct buf *buf;
    size_t at[ANNOTATE_COLUMNS], n_input;
    struct annotated *done;
};

double annotate_cpu_second(void) {
    struct rusage u;
    if (getrusage(RUSAGE_SELF, &u) != 0)
        return NAN;
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static err find_columns(struct streaming *x) {
    const str *columns = table_columns(x->table, &x->n_input);
    for (size_t k = 0; k < x->a->n_column; k++) {
        size_t i = 0;
        while (i < x->n_input && !str_equal(columns[i], x->a->column[k]))
            i++;
        if (i == x->n_input)
            return fail(ERR_INPUT, "annotate_no_column", "%s has no column \"%.*s\"", table_name(x->table),
                        STR_ARG(x->a->column[k]));
        x->at[k] = i;
    }
    return OK;
}

static err flush(struct streaming *x, size_t least) {
    TRY(buf_check(x->buf));
    if (x->buf->len < least)
        return OK;
    TRY(file_write(x->to, buf_str(x->buf)));
    buf_clear(x->buf);
    return OK;
}

static void write_header(struct streaming *x) {
    size_t n;
    const str *columns = table_columns(x->table, &n);
    for (size_t i = 0; i < n; i++) {
        csv_write_cell(x->buf, columns[i], ',');
        buf_add_byte(x->buf, ',');
    }
    buf_add(x->buf, x->a->header);
    buf_add_byte(x->buf, '\n');
}

static err write_row(struct streaming *x, const struct table_row *row) {
    str cell[ANNOTATE_COLUMNS];
    if (row->status != OK) {
        x->done->bad++;
        return OK;
    }
    for (size_t k = 0; k < x->a->n_column; k++)
        cell[k] = row->cell[x->at[k]];
    for (size_t i = 0; i < x->n_input; i++) {
        csv_write_cell_guarded(x->buf, row->cell[i], ',');
        buf_add_byte(x->buf, ',');
    }
    x->a->write(x->a->ctx, cell, x->buf);
    buf_add_byte(x->buf, '\n');
    x->done->rows++;
    return flush(x, FLUSH_BYTE);
}

static err stream(void *ctx) {
    struct streaming *x = ctx;
    struct progress progress;
    err rc = OK;
    progress_begin(&progress, x->session, table_name(x->table), "bytes", (double)table_bytes_total(x->table));
    write_header(x);
    for (size_t n = 1; rc == OK && n > 0;) {
        struct table_row *row;
        arena_reset(x->batch);
        rc = table_read(x->table, x->batch, BATCH_ROW, &row, &n);
        for (size_t i = 0; rc == OK && i < n; i++)
            rc = write_row(x, &row[i]);
        progress_at(&progress, (double)table_bytes_read(x->table));
    }
    progress_end(&progress);
    TRY(rc);
    return flush(x, 0);
}

static void free_arena(void *ctx) { arena_free(ctx); }

err annotate_file(struct session *s, const struct annotation *a, struct annotated *done) {
    const int64_t began = s->clock.steady_ns();
    const double cpu = annotate_cpu_second();
    struct streaming x = {.session = s, .a = a, .done = done, .buf = buf_in(s->arena, OUT_BYTE)};
    *done = (struct annotated){0};
    s->data_on_stdout = str_equal(a->out, STR("-"));
    TRY(leads_refuse_same("FILE", a->file, "--out", a->out));
    TRY(table_open(s->arena, &(struct table_options){.path = a->file.ptr}, &x.table));
    TRY(find_columns(&x));
    TRY(file_create(s->arena, a->out.ptr, &x.to));
    x.batch = arena_new(BATCH_BYTE);
    if (!x.batch)
        return fail(ERR_LIMIT, "memory_limit", "no memory to read %s", a->file.ptr);
    arena_defer(s->arena, free_arena, x.batch);
    TRY(arena_run(x.batch, stream, &x));
    TRY(file_commit(x.to));
    done->second = clock_second_since(&s->clock, began);
    done->cpu_second = annotate_cpu_second() - cpu;
    if (done->bad > 0)
        session_warn(s, "%s: %llu rows could not be read and were left out", a->file.ptr, (unsigned long long)done->bad);
    return OK;
}
