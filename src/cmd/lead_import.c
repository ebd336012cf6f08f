/* lead_import.c — galena lead import: the rows of a file become leads, in batches. */
#include "cmd/control.h"
#include "cmd/progress.h"
#include "cmd/reply.h"
#include "intake/table.h"
#include "validate/mail.h"

enum { IMPORT_BATCH = 500, BATCH_BYTE = 64 << 20, MOST_WARNINGS = 10 };

struct import_options {
    struct control_options control;
    str file, source, id, email, priority;
};

struct importing {
    struct session *session;
    struct control *control;
    const struct import_options *o;
    const str *column;
    size_t n_column;
    ptrdiff_t id, email; /* columns; -1: none */
    str path;
    int64_t accepted, duplicates, rejected;
};

/* ---- a row as a lead ---- */

/* Members of a lead that are objects: in a file of JSON lines a line may be a whole lead. */
static bool is_part(str name) {
    return str_equal(name, STR("person")) || str_equal(name, STR("company")) || str_equal(name, STR("consent")) ||
           str_equal(name, STR("custom"));
}

/* The object that a cell is the text of, or NULL. */
static const struct json *part_of(struct arena *a, str name, str cell) {
    const struct json *v;
    if (!is_part(name) || cell.len == 0 || cell.ptr[0] != '{' || json_parse(a, cell, NULL, &v) != OK)
        return NULL;
    return v->type == JSON_OBJECT ? v : NULL;
}

/* Who it is, so that the lead is known again, and found by its address. A column may hold anything: what is no address stays
 * a field like others. */
static void write_identity(struct json_writer *w, struct arena *a, const struct importing *x, const struct table_row *row) {
    str address;
    if (x->id >= 0 && row->cell[x->id].len > 0)
        json_put_string(w, STR("crm_id"), row->cell[x->id]);
    if (x->email >= 0 && mail_address(a, row->cell[x->email], &address))
        json_put_string(w, STR("email"), address);
}

static void write_lead(struct json_writer *w, struct arena *a, const struct importing *x, const struct table_row *row) {
    const struct json *custom = NULL;
    json_open_object(w);
    json_put_string(w, STR("source"), x->o->source);
    write_identity(w, a, x, row);
    for (size_t c = 0; c < x->n_column; c++) {
        const struct json *part = part_of(a, x->column[c], row->cell[c]);
        if (part && str_equal(x->column[c], STR("custom"))) {
            custom = part;
        } else if (part) {
            json_key(w, x->column[c]);
            json_value(w, part);
        }
    }
    json_key(w, STR("custom"));
    json_open_object(w);
    for (uint32_t i = 0; custom && i < custom->count; i++) {
        json_key(w, custom->members[i].key);
        json_value(w, &custom->members[i].value);
    }
    for (size_t c = 0; c < x->n_column; c++)
        if (row->cell[c].len > 0 && !json_get(custom, x->column[c]) && !part_of(a, x->column[c], row->cell[c]))
            json_put_string(w, x->column[c], row->cell[c]);
    json_close_object(w);
    json_close_object(w);
}

/* ---- batches ---- */

static void reject(struct importing *x, uint64_t line, str why) {
    if (x->rejected++ < MOST_WARNINGS)
        session_warn(x->session, "%.*s:%llu: %.*s", STR_ARG(x->o->file), (unsigned long long)line, STR_ARG(why));
}

static void reject_refused(struct importing *x, const struct table_row *rows, const uint32_t *row_of, uint32_t n,
                           const struct json *leads) {
    for (uint32_t i = 0; leads && i < leads->count; i++) {
        str detail = reply_text(&leads->items[i], "detail");
        int64_t index = reply_integer(&leads->items[i], "index");
        if (detail.len > 0 && index >= 0 && index < n)
            reject(x, rows[row_of[index]].line, detail);
    }
}

static err send_batch(struct importing *x, const struct table_row *rows, size_t n, struct arena *a) {
    struct buf *body = buf_in(a, BATCH_BYTE);
    struct json_writer w;
    uint32_t *row_of = ARENA_ARRAY(a, n, uint32_t), good = 0;
    const struct json *v;
    json_write_begin(&w, body, 0);
    json_open_object(&w);
    json_key(&w, STR("leads"));
    json_open_array(&w);
    for (uint32_t i = 0; i < n; i++) {
        if (rows[i].status == OK) {
            row_of[good++] = i;
            write_lead(&w, a, x, &rows[i]);
        } else {
            reject(x, rows[i].line, rows[i].reason);
        }
    }
    json_close_array(&w);
    json_close_object(&w);
    TRY(buf_check(body));
    if (good == 0)
        return OK;
    TRY(control_call(x->control, "POST", x->path, buf_str(body), &v));
    x->accepted += reply_integer(v, "accepted");
    x->duplicates += reply_integer(v, "duplicates");
    reject_refused(x, rows, row_of, good, reply_list(v, "leads"));
    return OK;
}

static err import_rows(struct importing *x, struct table *t) {
    struct progress p;
    struct arena *a = x->session->arena;
    progress_begin(&p, x->session, "importing", "bytes", (double)table_bytes_total(t));
    for (;;) {
        struct table_row *rows;
        size_t n;
        struct arena_mark mark = arena_mark(a);
        TRY(table_read(t, a, IMPORT_BATCH, &rows, &n));
        if (n == 0)
            break;
        TRY(send_batch(x, rows, n, a));
        progress_at(&p, (double)table_bytes_read(t));
        arena_rewind(a, mark);
    }
    progress_end(&p);
    return OK;
}

/* ---- the whole ---- */

static err print_import(struct session *s, const struct importing *x) {
    if (!s->json) {
        if (x->rejected > MOST_WARNINGS)
            session_warn(s, "and %lld more rows", (long long)(x->rejected - MOST_WARNINGS));
        fprintf(s->out.file, "%.*s accepted, %lld there already, %lld rejected.\n",
                STR_ARG(reply_count(s->arena, x->accepted, "lead", "leads")), (long long)x->duplicates,
                (long long)x->rejected);
        control_tell_idle(x->control);
        return OK;
    }
    struct session_document *d = session_document_new(s);
    json_open_object(&d->w);
    json_put_integer(&d->w, STR("accepted"), x->accepted);
    json_put_integer(&d->w, STR("duplicates"), x->duplicates);
    json_put_integer(&d->w, STR("rejected"), x->rejected);
    json_close_object(&d->w);
    return session_document_print(s, d);
}

static bool same_letters(str a, str b) {
    for (size_t i = 0; a.len == b.len && i < a.len; i++)
        if ((a.ptr[i] | 0x20) != (b.ptr[i] | 0x20))
            return false;
    return a.len == b.len;
}

static err find_columns(struct importing *x) {
    str email = x->o->email.len > 0 ? x->o->email : STR("email");
    x->id = x->email = -1;
    for (size_t c = 0; c < x->n_column; c++) {
        if (x->o->id.len > 0 && str_equal(x->column[c], x->o->id))
            x->id = (ptrdiff_t)c;
        if (x->o->email.len > 0 ? str_equal(x->column[c], email) : same_letters(x->column[c], email))
            x->email = (ptrdiff_t)c;
    }
    if (x->o->id.len > 0 && x->id < 0)
        return fail(ERR_INPUT, "import_column", "%.*s has no column \"%.*s\" (--id)", STR_ARG(x->o->file),
                    STR_ARG(x->o->id));
    if (x->o->email.len > 0 && x->email < 0)
        return fail(ERR_INPUT, "import_column", "%.*s has no column \"%.*s\" (--email)", STR_ARG(x->o->file),
                    STR_ARG(x->o->email));
    return OK;
}

static err run_import(struct session *s, const void *options) {
    const struct import_options *o = options;
    struct importing x = {.session = s, .o = o};
    struct table *t;
    const struct table_options table = {.path = o->file.ptr};
    TRY(table_open(s->arena, &table, &t));
    x.column = table_columns(t, &x.n_column);
    TRY(find_columns(&x));
    TRY(control_open(s, &o->control, &x.control));
    TRY(control_can_accept(x.control));
    x.path = str_format(s->arena, "/v1/leads?priority=%.*s", STR_ARG(o->priority));
    TRY(import_rows(&x, t));
    return print_import(s, &x);
}

#define AT(member) .offset = offsetof(struct import_options, member)

static const struct setting import_table[] = {
    CONTROL_SETTINGS(struct import_options, control),
    {.name = "source",
     .type = SETTING_STRING,
     AT(source),
     .fallback = "import",
     .arg = "NAME",
     .help = "where these leads come from"},
    {.name = "id",
     .type = SETTING_STRING,
     AT(id),
     .arg = "COLUMN",
     .help = "the column that names a lead at its source: the same lead is not taken in twice"},
    {.name = "email",
     .type = SETTING_STRING,
     AT(email),
     .arg = "COLUMN",
     .help = "the column with the e-mail address, by which leads are found and erased; a column called \"email\" when left "
             "out"},
    {.name = "priority",
     .type = SETTING_STRING,
     AT(priority),
     .fallback = "bulk",
     .arg = "CLASS",
     .help = "interactive, normal or bulk"},
};
static const struct argument import_arguments[] = {
    {.name = "FILE", .help = "leads: CSV, CSV.gz or JSON lines; - is standard input", AT(file)}};

const struct command command_lead_import = {
    .name = "lead import",
    .summary = "take in a file of leads",
    .description =
        "Sends the rows of a file to the service, in batches; each column becomes a field of that name. In JSON lines a "
        "line may also be a whole lead, with person, company, consent and custom (docs/formats/lead.md). A row that is "
        "refused is named with its line, and the rest goes on. Importing a file again changes nothing.",
    .examples = "galena lead import new.csv --id \"Lead Number\"\n",
    COMMAND_SETTINGS(import_table),
    COMMAND_ARGUMENTS(import_arguments),
    .options_size = sizeof(struct import_options),
    .configured = true,
    .run = run_import,
};
