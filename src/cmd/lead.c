/* lead.c — galena lead list, show, import, rescore, cancel, retry, erase. */
#include "cmd/control.h"
#include "cmd/present.h"
#include "cmd/progress.h"
#include "intake/table.h"

#include <math.h>

enum { IMPORT_BATCH = 500, IMPORT_BYTE = 4 << 20 };

/* ---- reading answers ---- */

static str text_of(const struct json *object, const char *key) {
    const struct json *v = json_get(object, str_from(key));
    return v && v->type == JSON_STRING ? v->string : (str){0};
}

/* A number with so many digits behind the point; empty when there is none. */
static str number_of(struct arena *a, const struct json *object, const char *key, int digits) {
    const struct json *v = json_get(object, str_from(key));
    return json_is_number(v) ? str_format(a, "%.*f", digits, json_number_of(v)) : (str){0};
}

static err print_json(struct session *s, const struct json *v) {
    struct session_document *d = session_document_new(s);
    json_value(&d->w, v);
    return session_document_print(s, d);
}

/* ---- list ---- */

struct list_options {
    struct control_options control;
    str state, tier, outcome, run, email, source, since, until, after;
    int64_t limit;
};

static void add_query(struct buf *path, const char *name, str value) {
    if (value.len == 0)
        return;
    buf_add_format(path, "%c%s=", str_find_byte(buf_str(path), '?') < 0 ? '?' : '&', name);
    control_escape(path, value);
}

static void list_row(struct session *s, const struct json *lead) {
    struct arena *a = s->arena;
    const struct json *run = json_get(lead, STR("run"));
    str score = number_of(a, lead, "score", 3), low = number_of(a, lead, "low", 2), high = number_of(a, lead, "high", 2);
    str interval = score.len > 0 ? str_format(a, "%.*s (%.*s-%.*s)", STR_ARG(score), STR_ARG(low), STR_ARG(high)) : STR("-");
    str row = str_format(a, "%-26.*s  %-19.*s  %-18.*s  %-17.*s  %-17.*s  %-4.*s", STR_ARG(text_of(lead, "id")),
                         STR_ARG(str_slice(text_of(lead, "received_at"), 0, 19)), STR_ARG(text_of(lead, "state")),
                         STR_ARG(text_of(lead, "outcome")), STR_ARG(interval), STR_ARG(text_of(lead, "tier")));
    terminal_put(&s->out, row);
    if (run && run->type == JSON_OBJECT)
        terminal_put(&s->out, str_format(a, "  %.*s %.*s", STR_ARG(text_of(run, "status")), STR_ARG(text_of(run, "code"))));
    fputc('\n', s->out.file);
}

static err run_list(struct session *s, const void *options) {
    const struct list_options *o = options;
    struct control *c;
    const struct json *v, *leads;
    struct buf *path = buf_in(s->arena, 1 << 16);
    TRY(control_open(s, &o->control, &c));
    buf_add(path, STR("/v1/leads"));
    add_query(path, "limit", str_format(s->arena, "%lld", (long long)o->limit));
    add_query(path, "state", o->state);
    add_query(path, "tier", o->tier);
    add_query(path, "outcome", o->outcome);
    add_query(path, "run", o->run);
    add_query(path, "email", o->email);
    add_query(path, "source", o->source);
    add_query(path, "since", o->since);
    add_query(path, "until", o->until);
    add_query(path, "cursor", o->after);
    TRY(buf_check(path));
    TRY(control_call(c, "GET", buf_str(path), (str){0}, &v));
    if (s->json)
        return print_json(s, v);
    TRY(json_get_array(v, STR("leads"), &leads));
    terminal_put_style(&s->out, STYLE_DIM,
                       STR("lead                        received             state               outcome            score "
                           "(interval)   tier\n"));
    for (uint32_t i = 0; i < leads->count; i++)
        list_row(s, &leads->items[i]);
    str next = text_of(v, "next");
    if (next.len > 0)
        fprintf(s->out.file, "more: --after %.*s\n", STR_ARG(next));
    return OK;
}

/* ---- show ---- */

struct one_options {
    struct control_options control;
    str lead;
};

static str lead_path(struct session *s, str lead, const char *rest) {
    struct buf *path = buf_in(s->arena, 4096);
    buf_add(path, STR("/v1/leads/"));
    control_escape(path, lead);
    buf_add(path, str_from(rest));
    return buf_str(path);
}

static void show_head(struct session *s, const struct json *v) {
    struct arena *a = s->arena;
    present_pair(&s->out, "state", 14, text_of(v, "state"));
    present_pair(&s->out, "received", 14, text_of(v, "received_at"));
    present_pair(&s->out, "source", 14, text_of(v, "source"));
    present_pair(&s->out, "outcome", 14, text_of(v, "outcome"));
    str score = number_of(a, v, "score", 4);
    if (score.len > 0)
        present_pair(&s->out, "score", 14,
                     str_format(a, "%.*s, between %.*s and %.*s: %.*s", STR_ARG(score), STR_ARG(number_of(a, v, "low", 3)),
                                STR_ARG(number_of(a, v, "high", 3)), STR_ARG(text_of(v, "tier"))));
    const struct json *run = json_get(v, STR("run"));
    if (run && run->type == JSON_OBJECT)
        present_pair(&s->out, "run", 14,
                     str_format(a, "%.*s, generation %.*s, attempt %.*s %.*s %.*s", STR_ARG(text_of(run, "status")),
                                STR_ARG(number_of(a, run, "generation", 0)), STR_ARG(number_of(a, run, "attempt", 0)),
                                STR_ARG(text_of(run, "code")), STR_ARG(text_of(run, "reason"))));
}

static void show_scores(struct session *s, const struct json *scores) {
    for (uint32_t i = 0; scores && scores->type == JSON_ARRAY && i < scores->count; i++) {
        const struct json *x = &scores->items[i], *reasons = json_get(x, STR("reasons"));
        struct arena *a = s->arena;
        present_heading(&s->out, str_format(a, "Generation %.*s, %.*s", STR_ARG(number_of(a, x, "generation", 0)),
                                            STR_ARG(text_of(x, "scored_at")))
                                     .ptr);
        present_pair(&s->out, "outcome", 14, text_of(x, "outcome"));
        present_pair(&s->out, "cause", 14, text_of(x, "cause"));
        if (text_of(x, "note").len > 0)
            present_pair(&s->out, "note", 14, text_of(x, "note"));
        for (uint32_t k = 0; reasons && reasons->type == JSON_ARRAY && k < reasons->count; k++) {
            fputs("  - ", s->out.file);
            present_wrap(&s->out, text_of(&reasons->items[k], "text"), 4, 4, s->out.width);
        }
    }
}

static void show_rows(struct session *s, const char *title, const struct json *rows, const char *const *key, size_t n) {
    if (!rows || rows->type != JSON_ARRAY || rows->count == 0)
        return;
    present_heading(&s->out, title);
    for (uint32_t i = 0; i < rows->count; i++) {
        fputs("  ", s->out.file);
        for (size_t k = 0; k < n; k++) {
            str cell = text_of(&rows->items[i], key[k]);
            if (cell.len == 0)
                cell = number_of(s->arena, &rows->items[i], key[k], 0);
            terminal_put(&s->out, cell);
            fputs(k + 1 < n ? "  " : "\n", s->out.file);
        }
    }
}

static err run_show(struct session *s, const void *options) {
    const struct one_options *o = options;
    static const char *const history[] = {"at", "path", "cause", "actor"};
    static const char *const delivery[] = {"target", "generation", "status", "attempt", "done_at", "code", "reason"};
    static const char *const ask[] = {"name", "generation", "status", "attempt", "answered_at", "price_micro", "code"};
    struct control *c;
    const struct json *v;
    TRY(control_open(s, &o->control, &c));
    TRY(control_call(c, "GET", lead_path(s, o->lead, ""), (str){0}, &v));
    if (s->json)
        return print_json(s, v);
    terminal_put_style(&s->out, STYLE_BOLD, str_format(s->arena, "Lead %.*s\n", STR_ARG(text_of(v, "id"))));
    show_head(s, v);
    show_scores(s, json_get(v, STR("scores")));
    show_rows(s, "History", json_get(v, STR("history")), history, 4);
    show_rows(s, "Deliveries", json_get(v, STR("deliveries")), delivery, 7);
    show_rows(s, "Questions", json_get(v, STR("asks")), ask, 7);
    return OK;
}

/* ---- rescore, cancel, retry, erase ---- */

static err call_and_tell(struct session *s, const struct control_options *o, const char *method, str path, str body,
                         const char *before, const char *key, const char *behind) {
    struct control *c;
    const struct json *v;
    TRY(control_open(s, o, &c));
    TRY(control_call(c, method, path, body, &v));
    if (s->json)
        return print_json(s, v);
    str value = text_of(v, key);
    if (value.len == 0)
        value = number_of(s->arena, v, key, 0);
    fprintf(s->out.file, "%s%.*s%s\n", before, STR_ARG(value), behind);
    return OK;
}

static err run_rescore(struct session *s, const void *options) {
    const struct one_options *o = options;
    return call_and_tell(s, &o->control, "POST", lead_path(s, o->lead, "/rescore"), STR("{}"),
                         "The lead is scored again, as generation ", "generation", ".");
}

static err run_cancel(struct session *s, const void *options) {
    const struct one_options *o = options;
    return call_and_tell(s, &o->control, "POST", lead_path(s, o->lead, "/cancel"), STR("{}"), "The run of lead ", "id",
                         " has ended.");
}

struct retry_options {
    struct control_options control;
    str lead, code;
    int64_t most;
};

static err run_retry(struct session *s, const void *options) {
    const struct retry_options *o = options;
    struct buf *body = buf_in(s->arena, 1 << 16);
    struct json_writer w;
    json_write_begin(&w, body, 0);
    json_open_object(&w);
    if (o->lead.len > 0)
        json_put_string(&w, STR("lead"), o->lead);
    if (o->code.len > 0)
        json_put_string(&w, STR("code"), o->code);
    json_put_integer(&w, STR("most"), o->most);
    json_close_object(&w);
    TRY(buf_check(body));
    return call_and_tell(s, &o->control, "POST", STR("/v1/dead/redrive"), buf_str(body), "", "redriven",
                         " dead letters are tried again.");
}

struct erase_options {
    struct control_options control;
    str lead, email;
};

static err run_erase(struct session *s, const void *options) {
    const struct erase_options *o = options;
    if ((o->lead.len > 0) == (o->email.len > 0))
        return session_usage("usage_erase", "name a lead, or --email ADDRESS");
    if (o->lead.len > 0)
        return call_and_tell(s, &o->control, "DELETE", lead_path(s, o->lead, ""), (str){0}, "", "erased",
                             " lead is erased.");
    struct buf *body = buf_in(s->arena, 1 << 16);
    struct json_writer w;
    json_write_begin(&w, body, 0);
    json_open_object(&w);
    json_put_string(&w, STR("email"), o->email);
    json_close_object(&w);
    TRY(buf_check(body));
    return call_and_tell(s, &o->control, "POST", STR("/v1/erase"), buf_str(body), "", "erased", " leads are erased.");
}

/* ---- import ---- */

struct import_options {
    struct control_options control;
    str file, source, id, priority;
};

struct importing {
    struct session *session;
    struct control *control;
    const struct import_options *o;
    const str *column;
    size_t n_column;
    str path;
    uint64_t accepted, duplicates, rejected;
};

static void write_lead(struct json_writer *w, const struct importing *x, const struct table_row *row) {
    json_open_object(w);
    json_put_string(w, STR("source"), x->o->source);
    for (size_t c = 0; c < x->n_column; c++)
        if (x->o->id.len > 0 && str_equal(x->column[c], x->o->id) && row->cell[c].len > 0)
            json_put_string(w, STR("crm_id"), row->cell[c]);
    json_key(w, STR("custom"));
    json_open_object(w);
    for (size_t c = 0; c < x->n_column; c++)
        if (row->cell[c].len > 0)
            json_put_string(w, x->column[c], row->cell[c]);
    json_close_object(w);
    json_close_object(w);
}

static void tell_rejected(struct importing *x, const struct table_row *rows, const uint32_t *row_of,
                          const struct json *leads) {
    for (uint32_t i = 0; leads && leads->type == JSON_ARRAY && i < leads->count; i++) {
        str detail = text_of(&leads->items[i], "detail");
        int64_t index;
        if (detail.len > 0 && json_get_integer(&leads->items[i], STR("index"), &index) == OK)
            session_warn(x->session, "%.*s:%llu: %.*s", STR_ARG(x->o->file), (unsigned long long)rows[row_of[index]].line,
                         STR_ARG(detail));
    }
}

static uint64_t count_of(const struct json *v, const char *key) {
    int64_t n;
    return json_get_integer(v, str_from(key), &n) == OK ? (uint64_t)n : 0;
}

static err send_batch(struct importing *x, const struct table_row *rows, size_t n, struct arena *a) {
    struct buf *body = buf_in(a, (size_t)64 << 20);
    struct json_writer w;
    uint32_t *row_of = ARENA_ARRAY(a, n, uint32_t), good = 0;
    json_write_begin(&w, body, 0);
    json_open_object(&w);
    json_key(&w, STR("leads"));
    json_open_array(&w);
    for (uint32_t i = 0; i < n; i++) {
        if (rows[i].status == OK) {
            row_of[good++] = i;
            write_lead(&w, x, &rows[i]);
            continue;
        }
        x->rejected++;
        session_warn(x->session, "%.*s:%llu: %.*s", STR_ARG(x->o->file), (unsigned long long)rows[i].line,
                     STR_ARG(rows[i].reason));
    }
    json_close_array(&w);
    json_close_object(&w);
    TRY(buf_check(body));
    if (good == 0)
        return OK;
    const struct json *v;
    TRY(control_call(x->control, "POST", x->path, buf_str(body), &v));
    x->accepted += count_of(v, "accepted");
    x->duplicates += count_of(v, "duplicates");
    x->rejected += count_of(v, "rejected");
    tell_rejected(x, rows, row_of, json_get(v, STR("leads")));
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

static err print_import(struct session *s, const struct importing *x) {
    if (!s->json) {
        fprintf(s->out.file, "%llu leads accepted, %llu were there already, %llu rejected.\n",
                (unsigned long long)x->accepted, (unsigned long long)x->duplicates, (unsigned long long)x->rejected);
        if (control_is_own(x->control))
            fputs("They wait until galena serve runs on this data.\n", s->out.file);
        return OK;
    }
    struct session_document *d = session_document_new(s);
    json_open_object(&d->w);
    json_put_integer(&d->w, STR("accepted"), (int64_t)x->accepted);
    json_put_integer(&d->w, STR("duplicates"), (int64_t)x->duplicates);
    json_put_integer(&d->w, STR("rejected"), (int64_t)x->rejected);
    json_close_object(&d->w);
    return session_document_print(s, d);
}

static err run_import(struct session *s, const void *options) {
    const struct import_options *o = options;
    struct importing x = {.session = s, .o = o};
    struct table *t;
    const struct table_options table = {.path = o->file.ptr};
    TRY(table_open(s->arena, &table, &t));
    x.column = table_columns(t, &x.n_column);
    TRY(control_open(s, &o->control, &x.control));
    x.path = str_format(s->arena, "/v1/leads?priority=%.*s", STR_ARG(o->priority));
    TRY(import_rows(&x, t));
    return print_import(s, &x);
}

/* ---- tables ---- */

#define AT(type, member) .offset = offsetof(struct type, member)

static const struct setting list_table[] = {
    CONTROL_SETTINGS(struct list_options, control),
    {.name = "state",
     .type = SETTING_STRING,
     AT(list_options, state),
     .arg = "STATE",
     .help = "ingested, pending_enrichment, pending_scoring, scored, assigned, nurturing, archived, rescored, converted or "
             "disqualified"},
    {.name = "tier", .type = SETTING_STRING, AT(list_options, tier), .arg = "TIER", .help = "hot, warm or cold"},
    {.name = "outcome",
     .type = SETTING_STRING,
     AT(list_options, outcome),
     .arg = "OUTCOME",
     .help = "how its last run ended: scored, insufficient_data, disqualified, failed or cancelled"},
    {.name = "run",
     .type = SETTING_STRING,
     AT(list_options, run),
     .arg = "STATUS",
     .help = "its live run is ready, leased, waiting or dead"},
    {.name = "email", .type = SETTING_STRING, AT(list_options, email), .arg = "ADDRESS", .help = "has this e-mail address"},
    {.name = "source", .type = SETTING_STRING, AT(list_options, source), .arg = "NAME", .help = "came from there"},
    {.name = "since", .type = SETTING_STRING, AT(list_options, since), .arg = "TIME", .help = "received at or after"},
    {.name = "until", .type = SETTING_STRING, AT(list_options, until), .arg = "TIME", .help = "received before"},
    {.name = "after",
     .type = SETTING_STRING,
     AT(list_options, after),
     .arg = "CURSOR",
     .help = "go on where an earlier list ended"},
    {.name = "limit",
     .type = SETTING_INTEGER,
     AT(list_options, limit),
     .fallback = "50",
     .min = 1,
     .max = 1000,
     .help = "at most so many"},
};

const struct command command_lead_list = {
    .name = "lead list",
    .summary = "list leads",
    .description =
        "Lists leads, newest first, with state, outcome and score. Personal data is not shown; galena lead show does.",
    .examples = "# hot leads of today\ngalena lead list --tier hot --since 2026-03-01\n# what a person must look at\ngalena "
                "lead list --run dead\n",
    COMMAND_SETTINGS(list_table),
    .options_size = sizeof(struct list_options),
    .configured = true,
    .run = run_list,
};

static const struct setting one_table[] = {CONTROL_SETTINGS(struct one_options, control)};
static const struct argument one_arguments[] = {{.name = "LEAD", .help = "its identifier", AT(one_options, lead)}};

const struct command command_lead_show = {
    .name = "lead show",
    .summary = "show all that is known of a lead",
    .description = "Shows a lead with its scores and their reasons, every change of its state, its deliveries and the "
                   "questions that were asked for it.",
    COMMAND_SETTINGS(one_table),
    COMMAND_ARGUMENTS(one_arguments),
    .options_size = sizeof(struct one_options),
    .configured = true,
    .run = run_show,
};

const struct command command_lead_rescore = {
    .name = "lead rescore",
    .summary = "score a lead again",
    .description = "Begins a new generation for a lead that is nurturing or archived, with the model and profile of now. "
                   "Older scores stay.",
    COMMAND_SETTINGS(one_table),
    COMMAND_ARGUMENTS(one_arguments),
    .options_size = sizeof(struct one_options),
    .configured = true,
    .run = run_rescore,
};

const struct command command_lead_cancel = {
    .name = "lead cancel",
    .summary = "end the run of a lead",
    .description = "Ends a live run, wherever it is: waiting, parked, or being worked on, whose result is then refused.",
    COMMAND_SETTINGS(one_table),
    COMMAND_ARGUMENTS(one_arguments),
    .options_size = sizeof(struct one_options),
    .configured = true,
    .run = run_cancel,
};

static const struct setting retry_table[] = {
    CONTROL_SETTINGS(struct retry_options, control),
    {.name = "code",
     .type = SETTING_STRING,
     AT(retry_options, code),
     .arg = "CODE",
     .help = "only those that failed with this code"},
    {.name = "most",
     .type = SETTING_INTEGER,
     AT(retry_options, most),
     .fallback = "1000",
     .min = 1,
     .max = 1000000,
     .help = "at most so many"},
};
static const struct argument retry_arguments[] = {
    {.name = "LEAD", .help = "one lead; all dead letters when left out", AT(retry_options, lead), .optional = true}};

const struct command command_lead_retry = {
    .name = "lead retry",
    .summary = "try dead letters again",
    .description = "Makes runs and deliveries that were given up ready again, with their attempts forgotten.",
    .examples = "# after the cause is mended\ngalena lead retry --code target_refused\n",
    COMMAND_SETTINGS(retry_table),
    COMMAND_ARGUMENTS(retry_arguments),
    .options_size = sizeof(struct retry_options),
    .configured = true,
    .run = run_retry,
};

static const struct setting erase_table[] = {
    CONTROL_SETTINGS(struct erase_options, control),
    {.name = "email",
     .type = SETTING_STRING,
     AT(erase_options, email),
     .arg = "ADDRESS",
     .help = "every lead with this address"},
};
static const struct argument erase_arguments[] = {
    {.name = "LEAD", .help = "one lead", AT(erase_options, lead), .optional = true}};

const struct command command_lead_erase = {
    .name = "lead erase",
    .summary = "erase a person for good",
    .description =
        "Destroys the data keys of a lead, so that its body, answers, scores and reasons can be read by nobody any more, "
        "also in copies "
        "of the database made earlier without its keys. Identifiers, times, states and scores stay. It cannot be undone.",
    COMMAND_SETTINGS(erase_table),
    COMMAND_ARGUMENTS(erase_arguments),
    .options_size = sizeof(struct erase_options),
    .configured = true,
    .run = run_erase,
};

static const struct setting import_table[] = {
    CONTROL_SETTINGS(struct import_options, control),
    {.name = "source",
     .type = SETTING_STRING,
     AT(import_options, source),
     .fallback = "import",
     .arg = "NAME",
     .help = "where these leads come from"},
    {.name = "id",
     .type = SETTING_STRING,
     AT(import_options, id),
     .arg = "COLUMN",
     .help = "the column that names a lead at its source: the same lead is not taken in twice"},
    {.name = "priority",
     .type = SETTING_STRING,
     AT(import_options, priority),
     .fallback = "bulk",
     .arg = "CLASS",
     .help = "interactive, normal or bulk"},
};
static const struct argument import_arguments[] = {
    {.name = "FILE", .help = "leads: CSV, CSV.gz or JSON lines; - is standard input", AT(import_options, file)}};

const struct command command_lead_import = {
    .name = "lead import",
    .summary = "take in a file of leads",
    .description = "Sends the rows of a file to the service, in batches; each column becomes a field of that name. A row "
                   "that is refused is named with its line, and the rest goes on.",
    .examples = "galena lead import new.csv --id \"Lead Number\"\n",
    COMMAND_SETTINGS(import_table),
    COMMAND_ARGUMENTS(import_arguments),
    .options_size = sizeof(struct import_options),
    .configured = true,
    .run = run_import,
};
