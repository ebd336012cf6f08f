/* jsonl.c — the JSON lines side of a table: each line an object, its keys the columns. */
#include "intake/table_priv.h"

#include "base/json.h"
#include "base/utf8.h"
#include "intake/lines_priv.h"

static const char LIST_SEPARATOR = ';';

enum { HEAD_LINE = 1000, HEAD_BYTE = 1 << 20, SCRATCH_BYTE = 256 << 20, EXAMPLE_BYTE = 128 };

/* Column names by hash: slots hold indexes + 1. */
struct names {
    str *name;
    size_t n, cap;
    uint32_t *slot;
    size_t n_slot;
};

struct jsonl {
    struct lines *lines;
    struct names names;
    struct arena *scratch; /* of one line */
    size_t max_cell;
    uint64_t unknown;
    char example[EXAMPLE_BYTE];
    size_t example_len;
};

static void close_jsonl(void *ctx) { arena_free(((struct jsonl *)ctx)->scratch); }

/* ---- names ---- */

static uint32_t *find_slot(const struct names *k, str name) {
    size_t at = (size_t)str_hash(name) & (k->n_slot - 1);
    while (k->slot[at] != 0 && !str_equal(k->name[k->slot[at] - 1], name))
        at = (at + 1) & (k->n_slot - 1);
    return &k->slot[at];
}

static void names_begin(struct arena *a, struct names *k, size_t most) {
    k->cap = most;
    k->name = ARENA_ARRAY(a, most, str);
    for (k->n_slot = 16; k->n_slot < most * 2;)
        k->n_slot *= 2;
    k->slot = ARENA_ARRAY(a, k->n_slot, uint32_t);
}

/* Index of a column, or -1. Most lines have their keys in the same order, so `guess` is tried first. */
static ptrdiff_t names_find(const struct names *k, str name, size_t guess) {
    if (guess < k->n && str_equal(k->name[guess], name))
        return (ptrdiff_t)guess;
    return (ptrdiff_t)*find_slot(k, name) - 1;
}

/* ---- one line ---- */

struct parsing {
    struct jsonl *j;
    str text;
    bool latin1;
    const struct json *object;
};

static err parse_line(void *ctx) {
    struct parsing *p = ctx;
    if (p->latin1) {
        char *to = arena_alloc(p->j->scratch, p->text.len * 2);
        p->text = (str){to, utf8_from_latin1(p->text, to)};
    }
    TRY(json_parse(p->j->scratch, p->text, NULL, &p->object));
    if (p->object->type == JSON_OBJECT)
        return OK;
    return fail(ERR_INPUT, "jsonl_not_object", "each line must be one object, this one is %s",
                json_type_name(p->object->type));
}

/* The reason without the line number, which counts from the row's own beginning. */
static const char *reason(void) {
    static const char first[] = "line 1, ";
    const char *text = err_text();
    return strncmp(text, first, sizeof first - 1) == 0 ? text + sizeof first - 1 : text;
}

/* Passes over a string that begins at *at. The text is known to be JSON, here and below. */
static void skip_string(const char **at) {
    for ((*at)++; **at != '"'; (*at)++)
        if (**at == '\\')
            (*at)++;
    (*at)++;
}

static void skip_until(const char **at, char byte) {
    while (**at != byte)
        (*at)++;
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* The value that begins at *at, as written. */
static str written_value(const char **at) {
    const char *from = *at;
    int depth = 0;
    do {
        char c = **at;
        depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
        if (c == '"')
            skip_string(at);
        else
            (*at)++;
    } while (depth > 0 || (**at != ',' && **at != '}' && **at != ']' && !is_space(**at)));
    return (str){from, (size_t)(*at - from)};
}

/* The value of the next member; *at is at the `{` or behind the value before it. */
static str next_value(const char **at) {
    skip_until(at, '"');
    skip_string(at);
    skip_until(at, ':');
    do
        (*at)++;
    while (is_space(**at));
    return written_value(at);
}

/* The next item; *at is at the `[` or behind the item before it. */
static str next_item(const char **at) {
    do
        (*at)++;
    while (is_space(**at) || **at == ',');
    return written_value(at);
}

static str keep(struct batch *b, str s) {
    char *to = batch_text(b, s.len);
    if (s.len > 0)
        memcpy(to, s.ptr, s.len);
    return (str){to, s.len};
}

static str cell_text(const struct json *v, str written) {
    if (v->type == JSON_NULL)
        return (str){0};
    return v->type == JSON_STRING ? v->string : written;
}

static bool is_plain_list(const struct json *v) {
    bool plain = v->type == JSON_ARRAY;
    for (uint32_t i = 0; plain && i < v->count; i++)
        plain = v->items[i].type != JSON_ARRAY && v->items[i].type != JSON_OBJECT;
    return plain;
}

/* The cell that a multi-value column of a CSV file would have; never longer than the list is as written. */
static str keep_list(struct batch *b, const struct json *v, str written) {
    char *to = batch_text(b, written.len);
    const char *at = written.ptr;
    size_t n = 0;
    for (uint32_t i = 0; i < v->count; i++) {
        str item = cell_text(&v->items[i], next_item(&at));
        if (item.len > 0 && n > 0)
            to[n++] = LIST_SEPARATOR;
        for (size_t k = 0; k < item.len; k++)
            to[n++] = item.ptr[k] == LIST_SEPARATOR ? ',' : item.ptr[k];
    }
    return (str){to, n};
}

static void take_members(struct table *t, const struct parsing *p, struct batch *b, struct table_row *row) {
    struct jsonl *j = p->j;
    str *cell = batch_cells(b, t->n_column);
    memset(cell, 0, t->n_column * sizeof *cell);
    const char *at = p->text.ptr;
    for (uint32_t i = 0; i < p->object->count; i++) {
        const struct json_member *m = &p->object->members[i];
        str text = cell_text(&m->value, next_value(&at));
        ptrdiff_t column = names_find(&j->names, m->key, i);
        if (column < 0) {
            if (j->unknown++ == 0) {
                j->example_len = utf8_cut(m->key, EXAMPLE_BYTE).len;
                memcpy(j->example, m->key.ptr, j->example_len);
            }
            continue;
        }
        if (text.len > j->max_cell) {
            row_reject(b, row, ERR_LIMIT, "jsonl_cell_limit", (uint32_t)column + 1,
                       "value %zd has %zu bytes, the limit is %zu", column + 1, text.len, j->max_cell);
            return;
        }
        cell[column] = is_plain_list(&m->value) ? keep_list(b, &m->value, text) : keep(b, text);
    }
    row->cell = cell;
}

err table_next_jsonl(struct table *t, struct batch *b, struct table_row *row, bool *end) {
    struct jsonl *j = t->jsonl;
    struct line line = {0};
    do {
        TRY(lines_next(j->lines, &line, end));
        if (*end)
            return OK;
        if (line.number == 1 && str_starts(line.text, STR("\xEF\xBB\xBF")))
            line.text = str_slice(line.text, 3, line.text.len);
        t->consumed += line.text.len + 1;
    } while (str_empty(str_trim(line.text)));
    *row = (struct table_row){.line = line.number, .raw = keep(b, utf8_cut(line.text, CSV_RAW_BYTE))};
    if (line.too_long) {
        row_reject(b, row, ERR_LIMIT, "jsonl_row_limit", 0, "the line has more than %zu bytes", t->o.max_row_byte);
        return OK;
    }
    struct parsing p = {.j = j, .text = line.text, .latin1 = t->o.latin1};
    arena_reset(j->scratch);
    err rc = arena_run(j->scratch, parse_line, &p);
    if (rc == OK)
        take_members(t, &p, b, row);
    else
        row_reject(b, row, rc, err_slug(), 0, "%s", reason());
    return OK;
}

/* ---- the columns ---- */

/* Adds the keys of an object. */
static err add_names(struct arena *a, const struct table *t, struct names *k, const struct json *object) {
    for (uint32_t i = 0; i < object->count; i++) {
        str key = object->members[i].key;
        if (names_find(k, key, i) >= 0)
            continue;
        if (k->n == k->cap)
            return fail(ERR_LIMIT, "table_column_limit", "%s has more than %zu columns", t->name, k->cap);
        k->name[k->n++] = str_copy(a, key);
        *find_slot(k, key) = (uint32_t)k->n;
    }
    return OK;
}

/* The union of the keys of the first lines. Bad lines are told when they are read as rows. */
static err find_names(struct arena *a, struct table *t) {
    struct jsonl *j = t->jsonl;
    for (size_t i = 0; i < HEAD_LINE; i++) {
        struct line line;
        bool end = false;
        TRY(lines_peek(j->lines, HEAD_BYTE, &line, &end));
        if (end)
            break;
        if (i == 0 && str_starts(line.text, STR("\xEF\xBB\xBF")))
            line.text = str_slice(line.text, 3, line.text.len);
        if (line.too_long)
            break; /* its end may not have been read: lines behind it cannot be seen */
        struct parsing p = {.j = j, .text = line.text, .latin1 = t->o.latin1};
        arena_reset(j->scratch);
        if (arena_run(j->scratch, parse_line, &p) == OK)
            TRY(add_names(a, t, &j->names, p.object));
    }
    if (j->names.n == 0)
        return fail(ERR_INPUT, "table_no_columns", "%s: none of the first lines is a JSON object with keys", t->name);
    return OK;
}

err table_open_jsonl(struct arena *a, struct table *t) {
    struct jsonl *j = ARENA_NEW(a, struct jsonl);
    t->jsonl = j;
    if (t->o.max_row_byte == 0)
        t->o.max_row_byte = (size_t)4 << 20;
    j->max_cell = t->o.max_cell_byte > 0 ? t->o.max_cell_byte : (size_t)1 << 20;
    j->scratch = arena_new(SCRATCH_BYTE);
    arena_defer(a, close_jsonl, j);
    if (!j->scratch)
        return fail(ERR_LIMIT, "memory_limit", "no memory for reading %s", t->name);
    TRY(lines_open(a, t->source, t->o.max_row_byte, &j->lines));
    names_begin(a, &j->names, t->o.max_column > 0 ? t->o.max_column : 4096);
    TRY(find_names(a, t));
    t->column = j->names.name;
    t->n_column = j->names.n;
    return OK;
}

uint64_t table_unknown_keys(const struct table *t, str *example) {
    *example = t->jsonl ? (str){t->jsonl->example, t->jsonl->example_len} : (str){0};
    return t->jsonl ? t->jsonl->unknown : 0;
}
