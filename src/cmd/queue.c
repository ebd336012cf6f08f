/* queue.c — galena queue: what waits, where, why. */
#include "cmd/control.h"
#include "cmd/present.h"

struct queue_options {
    struct control_options control;
};

static str cell(struct arena *a, const struct json *row, const char *key) {
    const struct json *v = json_get(row, str_from(key));
    if (!v || v->type == JSON_NULL)
        return STR("-");
    if (v->type == JSON_STRING)
        return v->string;
    if (v->type == JSON_BOOL)
        return v->boolean ? STR("yes") : STR("no");
    return json_is_number(v) ? str_format(a, "%.0f", json_number_of(v)) : STR("");
}

static void show_process(struct session *s, const struct json *p) {
    static const char *const key[][2] = {{"waiting", "waiting"},
                                         {"running", "running"},
                                         {"suspects", "suspects"},
                                         {"commits", "commits under way"},
                                         {"oldest_ms", "oldest, ms"},
                                         {"lost", "lost"},
                                         {"alive", "heart beats"},
                                         {"lookup_open", "look-ups cut off"},
                                         {"callback_open", "deliveries cut off"}};
    if (!p || p->type != JSON_OBJECT)
        return;
    present_heading(&s->out, "This process");
    for (size_t i = 0; i < sizeof key / sizeof *key; i++)
        present_pair(&s->out, key[i][1], 22, cell(s->arena, p, key[i][0]));
}

static err run_queue(struct session *s, const void *options) {
    static const char *const column[] = {"tenant", "status", "stage", "count", "oldest_at", "code"};
    const struct queue_options *o = options;
    struct control *c;
    const struct json *v, *rows;
    TRY(control_open(s, &o->control, &c));
    TRY(control_call(c, "GET", STR("/v1/queue"), (str){0}, &v));
    if (s->json) {
        struct session_document *d = session_document_new(s);
        json_value(&d->w, v);
        return session_document_print(s, d);
    }
    TRY(json_get_array(v, STR("queue"), &rows));
    if (rows->count == 0)
        fputs("Nothing waits.\n", s->out.file);
    else
        terminal_put_style(&s->out, STYLE_DIM,
                           STR("tenant            status    stage  count     oldest                code\n"));
    for (uint32_t i = 0; i < rows->count; i++) {
        static const int width[] = {16, 8, 5, 8, 20, 0};
        for (size_t k = 0; k < 6; k++) {
            str text = cell(s->arena, &rows->items[i], column[k]);
            terminal_put(&s->out, text);
            fprintf(s->out.file, "%*s", k < 5 && (int)text.len < width[k] ? width[k] - (int)text.len + 2 : 2, "");
        }
        fputc('\n', s->out.file);
    }
    show_process(s, json_get(v, STR("process")));
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
