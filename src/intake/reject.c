/* reject.c — writes rejected rows as CSV. */
#include "intake/reject.h"

#include "base/csv.h"
#include "base/file.h"
#include "base/utf8.h"

enum { ROW_BYTE = 64 * 1024 };

struct reject {
    struct file_out *file;
    struct arena *scratch;
    struct buf text;
    uint64_t n;
};

static void close_reject(void *ctx) {
    struct reject *r = ctx;
    buf_done(&r->text);
    arena_free(r->scratch);
}

err reject_open(struct arena *a, const char *path, struct reject **out) {
    struct reject *r = ARENA_NEW(a, struct reject);
    buf_init(&r->text, ROW_BYTE);
    r->scratch = arena_new(ROW_BYTE);
    arena_defer(a, close_reject, r);
    if (!r->scratch)
        return fail(ERR_LIMIT, "memory_limit", "no memory for writing %s", path);
    TRY(file_create(a, path, &r->file));
    TRY(file_write(r->file, STR("line,column,slug,reason,raw\n")));
    *out = r;
    return OK;
}

/* The raw text is capped by the reader; a caller's own is capped here. */
static void write_text(struct reject *r, str s) {
    csv_write_cell_guarded(&r->text, utf8_repair(r->scratch, utf8_cut(s, CSV_RAW_BYTE)), ',');
}

err reject_row(struct reject *r, const struct table_row *row) {
    buf_clear(&r->text);
    arena_reset(r->scratch);
    buf_add_format(&r->text, "%llu,", (unsigned long long)row->line);
    if (row->column > 0)
        buf_add_format(&r->text, "%u", (unsigned)row->column);
    buf_add_byte(&r->text, ',');
    csv_write_cell(&r->text, str_from(row->slug), ',');
    buf_add_byte(&r->text, ',');
    write_text(r, row->reason);
    buf_add_byte(&r->text, ',');
    write_text(r, row->raw);
    buf_add_byte(&r->text, '\n');
    TRY(buf_check(&r->text));
    TRY(file_write(r->file, buf_str(&r->text)));
    r->n++;
    return OK;
}

uint64_t reject_count(const struct reject *r) { return r->n; }

err reject_commit(struct reject *r) { return file_commit(r->file); }
