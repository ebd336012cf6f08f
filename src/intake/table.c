/* table.c — opens a file of leads and hands out its rows in batches. */
#include "intake/table_priv.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

enum { TEXT_BLOCK = 64 * 1024, CELL_BLOCK = 4096 };

/* ---- the memory of a batch ---- */

char *batch_text(struct batch *b, size_t size) {
    b->bytes += size;
    if (size > TEXT_BLOCK / 4)
        return arena_alloc(b->a, size);
    if (size > b->text_left) {
        b->text = arena_alloc(b->a, TEXT_BLOCK);
        b->text_left = TEXT_BLOCK;
    }
    char *to = b->text;
    b->text += size;
    b->text_left -= size;
    return to;
}

str *batch_cells(struct batch *b, size_t n) {
    if (n > b->cell_left) {
        b->cell_left = n > CELL_BLOCK ? n : CELL_BLOCK;
        b->cell = ARENA_ARRAY(b->a, b->cell_left, str);
    }
    str *to = b->cell;
    b->cell += n;
    b->cell_left -= n;
    return to;
}

void row_reject(struct batch *b, struct table_row *row, err status, const char *slug, uint32_t column, const char *format,
                ...) {
    char text[TABLE_ERROR_BYTE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    row->cell = NULL;
    row->status = status;
    row->slug = slug;
    row->column = column;
    row->reason = str_copy(b->a, str_from(text));
}

/* ---- CSV ---- */

static bool is_blank(const struct csv_row *row) {
    return row->n == 1 && str_trim((str){row->raw.ptr + row->span[0].from, row->span[0].len}).len == 0;
}

/* A blank first line: an empty file when only blank lines follow. */
static err refuse_blank_header(struct table *t) {
    struct csv_row row;
    bool end = false;
    while (!end) {
        TRY(csv_next(t->csv, &row, &end));
        if (!end && (row.status != OK || !is_blank(&row)))
            return fail(
                ERR_INPUT, "table_header",
                "%s, line 1: the header cannot be read: the line is empty, the names of the columns must stand there",
                t->name);
    }
    return fail(ERR_INPUT, "table_empty", "%s is empty: a header line with the names of the columns is needed", t->name);
}

err table_open_csv(struct arena *a, struct table *t) {
    const struct csv_options o = {.delimiter = t->o.delimiter,
                                  .latin1 = t->o.latin1,
                                  .max_cell_byte = t->o.max_cell_byte,
                                  .max_row_byte = t->o.max_row_byte,
                                  .max_column = t->o.max_column};
    err rc = csv_open(a, &o, source_read, t->source, &t->csv);
    if (rc != OK)
        return strncmp(err_slug(), "csv_", 4) == 0 ? err_prefix(rc, "%s", t->name) : rc;
    struct csv_row head;
    bool end = false;
    TRY(csv_next(t->csv, &head, &end));
    if (end)
        return fail(ERR_INPUT, "table_empty", "%s is empty: a header line with the names of the columns is needed", t->name);
    if (head.status != OK)
        return fail(ERR_INPUT, "table_header", "%s, line %llu: the header cannot be read: %s", t->name,
                    (unsigned long long)head.line, head.reason);
    if (is_blank(&head))
        return refuse_blank_header(t);
    str *column = ARENA_ARRAY(a, head.n, str);
    for (size_t i = 0; i < head.n; i++) {
        str name = str_copy(a, (str){head.raw.ptr + head.span[i].from, head.span[i].len});
        char *text = arena_alloc(a, name.len + 1);
        column[i] = head.span[i].doubled ? (str){text, csv_unquote(name, text)} : name;
    }
    t->column = column;
    t->n_column = head.n;
    return OK;
}

static void take_cells(const struct csv_row *from, const char *raw, struct batch *b, str *cell) {
    for (size_t i = 0; i < from->n; i++) {
        const struct csv_span *span = &from->span[i];
        cell[i] = (str){raw + span->from, span->len};
        if (span->doubled) {
            char *text = batch_text(b, span->len);
            cell[i] = (str){text, csv_unquote(cell[i], text)};
        }
    }
}

err table_next_csv(struct table *t, struct batch *b, struct table_row *row, bool *end) {
    struct csv_row from;
    TRY(csv_next(t->csv, &from, end));
    if (*end)
        return OK;
    char *raw = batch_text(b, from.raw.len);
    if (from.raw.len > 0)
        memcpy(raw, from.raw.ptr, from.raw.len);
    *row = (struct table_row){.line = from.line, .raw = {raw, from.raw.len}};
    t->consumed += from.raw.len + 1;
    if (from.status != OK) {
        row_reject(b, row, from.status, from.slug, from.column, "%s", from.reason);
    } else if (from.n != t->n_column) {
        row_reject(b, row, ERR_INPUT, "table_ragged", 0, "has %zu cells, the header has %zu", from.n, t->n_column);
    } else {
        str *cell = batch_cells(b, from.n);
        take_cells(&from, raw, b, cell);
        row->cell = cell;
        row->csv = row->raw;
    }
    if (row->raw.len > CSV_RAW_BYTE)
        row->raw = utf8_cut(row->raw, CSV_RAW_BYTE);
    return OK;
}

/* ---- both ---- */

/* Hash table of names that holds indexes + 1. Returns the earlier index of an equal name, or -1 and remembers i. */
static ptrdiff_t seen_before(uint32_t *slot, size_t mask, const str *name, size_t i) {
    size_t at = (size_t)str_hash(name[i]) & mask;
    for (; slot[at] != 0; at = (at + 1) & mask)
        if (str_equal(name[slot[at] - 1], name[i]))
            return (ptrdiff_t)slot[at] - 1;
    slot[at] = (uint32_t)i + 1;
    return -1;
}

static err check_columns(struct arena *a, const struct table *t) {
    size_t size = 16;
    while (size < t->n_column * 2)
        size *= 2;
    uint32_t *slot = ARENA_ARRAY(a, size, uint32_t);
    for (size_t i = 0; i < t->n_column; i++) {
        str name = t->column[i];
        if (str_empty(str_trim(name)))
            return fail(ERR_INPUT, "table_column_unnamed", "%s: column %zu has no name in the header", t->name, i + 1);
        ptrdiff_t earlier = seen_before(slot, size - 1, t->column, i);
        if (earlier >= 0) {
            str shown = utf8_cut(name, 200);
            return fail(ERR_INPUT, "table_column_twice", "%s: columns %td and %zu have the same name \"%.*s\"", t->name,
                        earlier + 1, i + 1, STR_ARG(shown));
        }
    }
    return OK;
}

/* Whether the text is JSON lines; an error for files that are no text of rows at all. */
static err find_format(const struct table *t, bool *jsonl) {
    str head = source_peek(t->source);
    if (str_starts(head, STR("PK\x03\x04")) || str_starts(head, STR("\xD0\xCF\x11\xE0")))
        return fail(ERR_INPUT, "table_format", "%s looks like a spreadsheet or an archive: save it as CSV", t->name);
    if (str_starts(head, STR("\xEF\xBB\xBF")))
        head = str_slice(head, 3, head.len);
    head = str_trim(head);
    str name = str_from(t->name);
    if (str_starts(head, STR("[")) && str_ends(name, STR(".json")))
        return fail(ERR_INPUT, "table_format", "%s is a JSON array: write one object on each line", t->name);
    *jsonl = str_starts(head, STR("{"));
    return OK;
}

err table_open(struct arena *a, const struct table_options *o, struct table **out) {
    struct table *t = ARENA_NEW(a, struct table);
    t->o = *o;
    t->name = strcmp(o->path, "-") == 0 ? "standard input" : str_cstr(a, str_from(o->path));
    t->o.path = t->name;
    TRY(source_open(a, o->path, &t->source));
    bool jsonl = false;
    TRY(find_format(t, &jsonl));
    TRY(jsonl ? table_open_jsonl(a, t) : table_open_csv(a, t));
    TRY(check_columns(a, t));
    *out = t;
    return OK;
}

const str *table_columns(const struct table *t, size_t *n) {
    *n = t->n_column;
    return t->column;
}

const char *table_name(const struct table *t) { return t->name; }

char table_delimiter(const struct table *t) { return t->csv ? csv_delimiter(t->csv) : ','; }

uint64_t table_bytes_read(const struct table *t) { return source_bytes_read(t->source); }

uint64_t table_bytes_total(const struct table *t) { return source_bytes_total(t->source); }

static err tell_broken(const struct table *t) {
    return fail(t->broken, t->broken_slug, "%s (rows read before: %llu)", t->broken_text, (unsigned long long)t->index);
}

static void remember_broken(struct table *t, err rc) {
    t->broken = rc;
    t->broken_slug = err_slug();
    snprintf(t->broken_text, sizeof t->broken_text, "%s", err_text());
}

err table_read(struct table *t, struct arena *batch, size_t max_row, struct table_row **rows, size_t *n) {
    if (t->broken != OK)
        return tell_broken(t);
    struct batch b = {.a = batch, .cap = max_row < TABLE_BATCH_ROW ? max_row : TABLE_BATCH_ROW};
    b.row = ARENA_ARRAY(batch, b.cap, struct table_row);
    for (bool end = false; b.n < b.cap && b.bytes < TABLE_BATCH_BYTE;) {
        struct table_row *row = &b.row[b.n];
        err rc = t->csv ? table_next_csv(t, &b, row, &end) : table_next_jsonl(t, &b, row, &end);
        if (rc != OK) {
            remember_broken(t, rc);
            if (b.n == 0)
                return tell_broken(t);
            break;
        }
        if (end)
            break;
        row->index = t->index++;
        b.n++;
    }
    *rows = b.row;
    *n = b.n;
    return OK;
}
