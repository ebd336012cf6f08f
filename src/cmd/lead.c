/* lead.c — galena lead list, rescore, cancel, retry, erase. */
#include "cmd/lead_priv.h"
#include "cmd/present.h"
#include "cmd/reply.h"

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

static str list_path(struct session *s, const struct list_options *o) {
    struct buf *path = buf_in(s->arena, 1 << 16);
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
    return buf_str(path);
}

static void list_row(struct session *s, struct present_table *t, const struct json *lead) {
    struct arena *a = s->arena;
    str tier = reply_text(lead, "tier"), outcome = reply_text(lead, "outcome");
    present_cell(t, reply_text(lead, "id"));
    present_cell(t, reply_time(a, lead, "received_at"));
    present_cell(t, reply_text(lead, "state"));
    present_cell_style(t, str_equal(outcome, STR("failed")) ? STYLE_BAD : STYLE_PLAIN, outcome);
    present_cell(t, reply_score(a, lead));
    present_cell(t, reply_interval(a, lead));
    present_cell_style(t, reply_tier_style(tier), tier);
    present_cell(t, reply_run(a, lead));
}

static err run_list(struct session *s, const void *options) {
    const struct list_options *o = options;
    struct control *c;
    const struct json *v, *leads;
    TRY(control_open(s, &o->control, &c));
    TRY(control_call(c, "GET", list_path(s, o), (str){0}, &v));
    if (s->json)
        return reply_print(s, v);
    TRY(json_get_array(v, STR("leads"), &leads));
    if (leads->count == 0)
        fputs("No leads.\n", s->out.file);
    struct present_table t = present_table_new(s->arena, "lead|received (UTC)|state|outcome|>score|>95 % between|tier|run");
    for (uint32_t i = 0; i < leads->count; i++)
        list_row(s, &t, &leads->items[i]);
    present_table_print(&s->out, &t);
    str next = reply_text(v, "next");
    if (next.len > 0)
        fprintf(s->out.file, "\nThere are more: --after %.*s\n", STR_ARG(next));
    return OK;
}

/* ---- rescore, cancel, retry, erase ---- */

str lead_path(struct session *s, str lead, const char *rest) {
    struct buf *path = buf_in(s->arena, 4096);
    buf_add(path, STR("/v1/leads/"));
    control_escape(path, lead);
    buf_add(path, str_from(rest));
    return buf_str(path);
}

static err call_one(struct session *s, const struct lead_options *o, const char *rest, const struct json **v) {
    struct control *c;
    TRY(control_open(s, &o->control, &c));
    if (strcmp(rest, "/rescore") == 0)
        TRY(control_can_accept(c));
    return control_call(c, "POST", lead_path(s, o->lead, rest), STR("{}"), v);
}

static err run_rescore(struct session *s, const void *options) {
    const struct json *v;
    TRY(call_one(s, options, "/rescore", &v));
    if (s->json)
        return reply_print(s, v);
    fprintf(s->out.file, "The lead is scored again, as generation %lld.\n", (long long)reply_integer(v, "generation"));
    return OK;
}

static err run_cancel(struct session *s, const void *options) {
    const struct json *v;
    TRY(call_one(s, options, "/cancel", &v));
    if (s->json)
        return reply_print(s, v);
    fputs("The run has ended.\n", s->out.file);
    return OK;
}

struct retry_options {
    struct control_options control;
    str lead, code;
    int64_t most;
};

static err run_retry(struct session *s, const void *options) {
    const struct retry_options *o = options;
    struct control *c;
    const struct json *v;
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
    TRY(control_open(s, &o->control, &c));
    TRY(control_call(c, "POST", STR("/v1/dead/redrive"), buf_str(body), &v));
    if (s->json)
        return reply_print(s, v);
    int64_t n = reply_integer(v, "redriven");
    if (n == 0)
        fputs("There is no such dead letter.\n", s->out.file);
    else
        fprintf(s->out.file, "%.*s tried again.\n", STR_ARG(reply_count(s->arena, n, "dead letter is", "dead letters are")));
    control_tell_idle(c);
    return OK;
}

struct erase_options {
    struct control_options control;
    str lead, email;
};

static err call_erase(struct session *s, const struct erase_options *o, const struct json **v) {
    struct control *c;
    TRY(control_open(s, &o->control, &c));
    if (o->lead.len > 0)
        return control_call(c, "DELETE", lead_path(s, o->lead, ""), (str){0}, v);
    struct buf *body = buf_in(s->arena, 1 << 16);
    struct json_writer w;
    json_write_begin(&w, body, 0);
    json_open_object(&w);
    json_put_string(&w, STR("email"), o->email);
    json_close_object(&w);
    TRY(buf_check(body));
    return control_call(c, "POST", STR("/v1/erase"), buf_str(body), v);
}

static err run_erase(struct session *s, const void *options) {
    const struct erase_options *o = options;
    const struct json *v;
    if ((o->lead.len > 0) == (o->email.len > 0))
        return session_usage("usage_erase", "name a lead, or --email ADDRESS");
    TRY(call_erase(s, o, &v));
    if (s->json)
        return reply_print(s, v);
    int64_t n = reply_integer(v, "erased");
    if (n == 0)
        fputs("No lead has this address.\n", s->out.file);
    else
        fprintf(s->out.file, "%.*s erased.\n", STR_ARG(reply_count(s->arena, n, "lead is", "leads are")));
    return OK;
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

static const struct setting one_table[] = {CONTROL_SETTINGS(struct lead_options, control)};
static const struct argument one_arguments[] = {{.name = "LEAD", .help = "its identifier", AT(lead_options, lead)}};

const struct command command_lead_rescore = {
    .name = "lead rescore",
    .summary = "score a lead again",
    .description = "Begins a new generation for a lead that is nurturing or archived, with the model and profile of now. "
                   "Older scores stay.",
    COMMAND_SETTINGS(one_table),
    COMMAND_ARGUMENTS(one_arguments),
    .options_size = sizeof(struct lead_options),
    .configured = true,
    .run = run_rescore,
};

const struct command command_lead_cancel = {
    .name = "lead cancel",
    .summary = "end the run of a lead",
    .description = "Ends a live run, wherever it is: waiting, parked, or being worked on, whose result is then refused.",
    COMMAND_SETTINGS(one_table),
    COMMAND_ARGUMENTS(one_arguments),
    .options_size = sizeof(struct lead_options),
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
