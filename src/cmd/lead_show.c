/* lead_show.c — galena lead show. */
#include "cmd/lead_priv.h"
#include "cmd/present.h"
#include "cmd/reply.h"

enum { LABEL_COLUMN = 14 };

static void show_pair(struct session *s, const char *label, str value) {
    if (value.len > 0)
        present_pair(&s->out, label, LABEL_COLUMN, value);
}

/* "3.1 %, between 0.5 and 16.5 %: cold". */
static str score_text(struct arena *a, const struct json *v) {
    str score = reply_score(a, v), between = reply_interval(a, v);
    if (score.len == 0)
        return score;
    return str_format(a, "%.*s%s%.*s: %.*s", STR_ARG(score), between.len > 0 ? ", from " : "", STR_ARG(between),
                      STR_ARG(reply_text(v, "tier")));
}

static void show_run(struct session *s, const struct json *v) {
    struct arena *a = s->arena;
    const struct json *run = json_get(v, STR("run"));
    if (!run || run->type != JSON_OBJECT)
        return;
    show_pair(s, "run",
              str_format(a, "%.*s, generation %lld, attempt %lld", STR_ARG(reply_run(a, v)),
                         (long long)reply_integer(run, "generation"), (long long)reply_integer(run, "attempt")));
    show_pair(s, "because", reply_text(run, "reason"));
    if (str_equal(reply_text(run, "status"), STR("waiting")))
        show_pair(s, "until", str_format(a, "%.*s UTC", STR_ARG(reply_time(a, run, "run_at"))));
}

static void show_head(struct session *s, const struct json *v) {
    struct arena *a = s->arena;
    bool erased = false;
    show_pair(s, "state",
              str_format(a, "%.*s since %.*s UTC", STR_ARG(reply_text(v, "state")), STR_ARG(reply_time(a, v, "state_at"))));
    show_pair(
        s, "received",
        str_format(a, "%.*s UTC from %.*s", STR_ARG(reply_time(a, v, "received_at")), STR_ARG(reply_text(v, "source"))));
    show_pair(s, "outcome", reply_text(v, "outcome"));
    show_pair(s, "score", score_text(a, v));
    show_run(s, v);
    if (json_get_bool(v, STR("erased"), &erased) == OK && erased)
        show_pair(s, "erased", STR("the person's data can be read by nobody any more"));
}

/* A field as one line: text as it is, all else as JSON. */
static str field_text(struct arena *a, const struct json *v) {
    if (v->type == JSON_STRING)
        return v->string;
    struct buf *out = buf_in(a, 1 << 20);
    struct json_writer w;
    json_write_begin(&w, out, 0);
    json_value(&w, v);
    return buf_str(out);
}

/* Objects by dotted names; those of "custom" by their bare ones, as a model sees them. */
static void add_fields(struct session *s, struct present_table *t, str prefix, const struct json *v) {
    for (uint32_t i = 0; v && v->type == JSON_OBJECT && i < v->count; i++) {
        const struct json_member *m = &v->members[i];
        str name = prefix.len > 0 ? str_format(s->arena, "%.*s.%.*s", STR_ARG(prefix), STR_ARG(m->key)) : m->key;
        if (m->value.type == JSON_OBJECT) {
            add_fields(s, t, str_equal(name, STR("custom")) ? STR("") : name, &m->value);
            continue;
        }
        present_cell_style(t, STYLE_DIM, name);
        present_cell(t, field_text(s->arena, &m->value));
    }
}

static void show_fields(struct session *s, const struct json *fields) {
    if (!fields || fields->type != JSON_OBJECT || fields->count == 0)
        return;
    struct present_table t = present_table_new(s->arena, "field|value");
    add_fields(s, &t, STR(""), fields);
    present_heading(&s->out, "As it came");
    present_table_print(&s->out, &t);
}

static void show_score(struct session *s, const struct json *x) {
    struct arena *a = s->arena;
    const struct json *reasons = reply_list(x, "reasons");
    present_heading(&s->out, str_format(a, "Generation %lld, %.*s UTC, %.*s", (long long)reply_integer(x, "generation"),
                                        STR_ARG(reply_time(a, x, "scored_at")), STR_ARG(reply_text(x, "cause")))
                                 .ptr);
    str score = score_text(a, x);
    show_pair(s, "outcome", reply_text(x, "outcome"));
    show_pair(s, "score", score);
    show_pair(s, "note", reply_text(x, "note"));
    show_pair(s, "model", str_slice(reply_text(x, "model"), 0, 12));
    show_pair(s, "profile", str_slice(reply_text(x, "profile"), 0, 12));
    for (uint32_t k = 0; reasons && k < reasons->count; k++) {
        fputs("  - ", s->out.file);
        present_wrap(&s->out, reply_text(&reasons->items[k], "text"), 4, 4, s->out.width);
    }
}

static void show_history(struct session *s, const struct json *rows) {
    struct arena *a = s->arena;
    if (rows && rows->count > 0)
        present_heading(&s->out, "History (UTC)");
    for (uint32_t i = 0; rows && i < rows->count; i++) {
        const struct json *x = &rows->items[i];
        str path = reply_text(x, "path"), step;
        struct buf *steps = buf_in(a, 4096);
        while (str_split(&path, '>', &step))
            buf_add_format(steps, "%s%.*s", steps->len > 0 ? " > " : "", STR_ARG(step));
        terminal_put(&s->out, str_format(a, "  %.*s  %.*s, by %.*s\n    ", STR_ARG(reply_time(a, x, "at")),
                                         STR_ARG(reply_text(x, "cause")), STR_ARG(reply_text(x, "actor"))));
        present_wrap(&s->out, buf_str(steps), 4, 4, s->out.width);
    }
}

static enum style status_style(str status) {
    if (str_equal(status, STR("done")) || str_equal(status, STR("answered")))
        return STYLE_GOOD;
    return str_equal(status, STR("dead")) || str_equal(status, STR("failed")) ? STYLE_BAD : STYLE_PLAIN;
}

/* "target_refused: the other side answered 400". */
static str cause_text(struct arena *a, const struct json *x) {
    str code = reply_text(x, "code"), reason = reply_text(x, "reason");
    return reason.len > 0 ? str_format(a, "%.*s: %.*s", STR_ARG(code), STR_ARG(reason)) : code;
}

static void show_deliveries(struct session *s, const struct json *rows) {
    struct arena *a = s->arena;
    if (!rows || rows->count == 0)
        return;
    struct present_table t = present_table_new(a, "target|>generation|status|>attempts|when (UTC)|why");
    for (uint32_t i = 0; i < rows->count; i++) {
        const struct json *x = &rows->items[i];
        str status = reply_text(x, "status"), done = reply_time(a, x, "done_at");
        present_cell(&t, reply_text(x, "target"));
        present_cell(&t, reply_number(a, x, "generation", 0));
        present_cell_style(&t, status_style(status), status);
        present_cell(&t, reply_number(a, x, "attempt", 0));
        present_cell(&t, done.len > 0 ? done : reply_time(a, x, "run_at"));
        present_cell(&t, cause_text(a, x));
    }
    present_heading(&s->out, "Deliveries");
    present_table_print(&s->out, &t);
}

static void show_asks(struct session *s, const struct json *rows) {
    struct arena *a = s->arena;
    if (!rows || rows->count == 0)
        return;
    struct present_table t = present_table_new(a, "name|>generation|status|>attempts|answered (UTC)|>price|why");
    for (uint32_t i = 0; i < rows->count; i++) {
        const struct json *x = &rows->items[i];
        str status = reply_text(x, "status");
        present_cell(&t, reply_text(x, "name"));
        present_cell(&t, reply_number(a, x, "generation", 0));
        present_cell_style(&t, status_style(status), status);
        present_cell(&t, reply_number(a, x, "attempt", 0));
        present_cell(&t, reply_time(a, x, "answered_at"));
        present_cell_format(&t, "%.4f", (double)reply_integer(x, "price_micro") / 1e6);
        present_cell(&t, reply_text(x, "code"));
    }
    present_heading(&s->out, "Questions");
    present_table_print(&s->out, &t);
}

static err run_show(struct session *s, const void *options) {
    const struct lead_options *o = options;
    struct control *c;
    const struct json *v;
    TRY(control_open(s, &o->control, &c));
    TRY(control_call(c, "GET", lead_path(s, o->lead, ""), (str){0}, &v));
    if (s->json)
        return reply_print(s, v);
    terminal_put_style(&s->out, STYLE_BOLD, str_format(s->arena, "Lead %.*s\n", STR_ARG(reply_text(v, "id"))));
    show_head(s, v);
    const struct json *scores = reply_list(v, "scores");
    for (uint32_t i = 0; scores && i < scores->count; i++)
        show_score(s, &scores->items[i]);
    show_deliveries(s, reply_list(v, "deliveries"));
    show_asks(s, reply_list(v, "asks"));
    show_history(s, reply_list(v, "history"));
    show_fields(s, json_get(v, STR("fields")));
    return OK;
}

static const struct setting one_table[] = {CONTROL_SETTINGS(struct lead_options, control)};
static const struct argument one_arguments[] = {
    {.name = "LEAD", .help = "its identifier", .offset = offsetof(struct lead_options, lead)}};

const struct command command_lead_show = {
    .name = "lead show",
    .summary = "show all that is known of a lead",
    .description = "Shows a lead with its scores and their reasons, every change of its state, its deliveries and the "
                   "questions that were asked for it.",
    COMMAND_SETTINGS(one_table),
    COMMAND_ARGUMENTS(one_arguments),
    .options_size = sizeof(struct lead_options),
    .configured = true,
    .run = run_show,
};
