/* queue.c — galena queue: what waits, where, why. */
#include "cmd/control.h"
#include "cmd/present.h"
#include "cmd/reply.h"

struct queue_options {
    struct control_options control;
};

static enum style status_style(str status) {
    if (str_equal(status, STR("dead")))
        return STYLE_BAD;
    return str_equal(status, STR("leased")) ? STYLE_GOOD : STYLE_PLAIN;
}

static void show_waiting(struct session *s, const struct json *rows) {
    struct arena *a = s->arena;
    if (rows->count == 0) {
        fputs("Nothing waits.\n", s->out.file);
        return;
    }
    struct present_table t = present_table_new(a, "tenant|status|stage|>leads|>oldest, ago|why|worker");
    for (uint32_t i = 0; i < rows->count; i++) {
        const struct json *x = &rows->items[i];
        str status = reply_text(x, "status");
        present_cell(&t, reply_text(x, "tenant"));
        present_cell_style(&t, status_style(status), status);
        present_cell(&t, reply_text(x, "stage"));
        present_cell(&t, reply_number(a, x, "count", 0));
        present_cell(&t, reply_age(s, x, "oldest_at"));
        present_cell(&t, reply_text(x, "code"));
        present_cell(&t, reply_text(x, "worker"));
    }
    present_table_print(&s->out, &t);
}

static bool is_set(const struct json *object, const char *key) {
    bool b;
    return json_get_bool(object, str_from(key), &b) == OK && b;
}

static void show_fault(struct session *s, const char *text) {
    fputs("  ", s->out.file);
    terminal_put_style(&s->out, STYLE_BAD, str_from(text));
    fputc('\n', s->out.file);
}

static void show_process(struct session *s, const struct json *p) {
    struct arena *a = s->arena;
    present_heading(&s->out, "The service");
    present_pair(&s->out, "in memory", 14,
                 str_format(a, "%lld wait, %lld are worked on, %lld commits are under way",
                            (long long)reply_integer(p, "waiting"), (long long)reply_integer(p, "running"),
                            (long long)reply_integer(p, "commits")));
    if (reply_integer(p, "waiting") > 0)
        present_pair(&s->out, "oldest", 14, present_second(a, (double)reply_integer(p, "oldest_ms") / 1000));
    if (reply_integer(p, "suspects") > 0)
        present_pair(&s->out, "suspects", 14,
                     str_format(a, "%lld: a worker died while it held them", (long long)reply_integer(p, "suspects")));
    if (reply_integer(p, "lost") > 0)
        show_fault(s, "the last sweep found leads without an end or a run: see galena doctor");
    if (!is_set(p, "alive"))
        show_fault(s, "its heart has stopped: the store does not take its commits");
    if (is_set(p, "lookup_open"))
        show_fault(s, "look-ups are cut off: their target keeps failing; leads are scored without");
    if (is_set(p, "callback_open"))
        show_fault(s, "deliveries are cut off: their target keeps failing; they wait");
}

static err run_queue(struct session *s, const void *options) {
    const struct queue_options *o = options;
    struct control *c;
    const struct json *v, *rows, *process;
    TRY(control_open(s, &o->control, &c));
    TRY(control_call(c, "GET", STR("/v1/queue"), (str){0}, &v));
    if (s->json)
        return reply_print(s, v);
    TRY(json_get_array(v, STR("queue"), &rows));
    show_waiting(s, rows);
    process = json_get(v, STR("process"));
    if (!control_is_own(c) && process && process->type == JSON_OBJECT)
        show_process(s, process);
    control_tell_idle(c);
    return OK;
}

static const struct setting queue_table[] = {CONTROL_SETTINGS(struct queue_options, control)};

const struct command command_queue = {
    .name = "queue",
    .summary = "show what waits, where and why",
    .description = "Counts live runs by tenant, status and stage, with the time of the oldest: ready to be worked on, "
                   "leased by a worker, waiting for "
                   "answers or for their next attempt, or dead, with the code of what went wrong.",
    COMMAND_SETTINGS(queue_table),
    .options_size = sizeof(struct queue_options),
    .configured = true,
    .run = run_queue,
};
