/* enrich.c — what others know of the lead becomes further columns. */
#include "enrich/enrich.h"

#include "lead/column.h"

enum { ANSWER_MAX_COLUMN = 512 };

static const struct run_ask *find_ask(const struct run *run, size_t *index) {
    for (size_t i = 0; i < run->n_ask; i++)
        if (str_equal(run->ask[i].name, STR(ENRICH_ASK))) {
            *index = i;
            return &run->ask[i];
        }
    return NULL;
}

static bool is_late(const struct run *run) { return run->deadline_ms > 0 && run->now_ms >= run->deadline_ms; }

static bool opted_out(const struct run *run) {
    const struct json *v = json_get(json_get(run->neutral, STR("consent")), STR("enrichment_opt_out"));
    return v && v->type == JSON_BOOL && v->boolean;
}

static str write_request(const struct run *run, const struct enrich_subject *s) {
    struct buf *out = buf_in(run->arena, (size_t)1 << 16);
    struct json_writer w;
    json_write_begin(&w, out, 0);
    json_open_object(&w);
    if (s->company.len > 0)
        json_put_string(&w, STR("company"), s->company);
    if (s->domain.len > 0)
        json_put_string(&w, STR("domain"), s->domain);
    if (s->email.len > 0)
        json_put_string(&w, STR("email"), s->email);
    json_put_string(&w, STR("lead"), run->lead);
    json_close_object(&w);
    return buf_str(out);
}

/* ---- the answer ---- */

/* The columns of an answer; false when it has another form. */
static bool read_answer(struct arena *a, const struct run_ask *ask, unsigned char from, struct columns *out) {
    const struct json *fields = json_get(ask->answer, STR("fields"));
    *out = (struct columns){.arena = a};
    return fields && fields->type == JSON_OBJECT && columns_add(out, (str){0}, fields, from) == OK &&
           out->n <= ANSWER_MAX_COLUMN && !columns_find_twice(out);
}

static struct run_column *find_column(const struct columns *c, str name) {
    for (size_t i = 0; i < c->n; i++)
        if (str_equal(c->column[i].name, name))
            return &c->column[i];
    return NULL;
}

static void merge(struct run *run, const struct columns *answer, bool overwrite) {
    struct columns all = {.arena = run->arena, .cap = run->n_column + answer->n, .n = run->n_column};
    all.column = ARENA_ARRAY(run->arena, all.cap, struct run_column);
    memcpy(all.column, run->column, run->n_column * sizeof *run->column);
    for (size_t i = 0; i < answer->n; i++) {
        const struct run_column *said = &answer->column[i];
        struct run_column *known = find_column(&all, said->name);
        if (said->cell.len == 0 || (known && known->cell.len > 0 && !overwrite))
            continue;
        if (known)
            *known = *said;
        else if (all.n < RUN_MAX_COLUMN)
            all.column[all.n++] = *said;
    }
    run->column = all.column;
    run->n_column = all.n;
}

static void take_answer(struct run *run, const struct run_ask *ask, size_t index) {
    struct columns answer;
    const struct json *overwrite = json_get(ask->answer, STR("overwrite"));
    if (ask->rc == OK && read_answer(run->arena, ask, (unsigned char)(index + 1), &answer))
        merge(run, &answer, overwrite && overwrite->type == JSON_BOOL && overwrite->boolean);
}

err enrich_lead(struct run *run, const struct enrich_subject *s) {
    size_t index = 0;
    const struct run_ask *ask = find_ask(run, &index), *answer = NULL;
    if (!ask && (is_late(run) || opted_out(run) || s->email.len + s->domain.len + s->company.len == 0))
        return OK;
    if (!ask)
        return run_ask(run, STR(ENRICH_ASK), write_request(run, s), &answer);
    if (ask->answered)
        take_answer(run, ask, index);
    return OK;
}

/* ---- the record ---- */

enum enrich_end enrich_end_of(const struct run *run) {
    size_t index = 0;
    struct columns answer;
    const struct run_ask *ask = find_ask(run, &index);
    if (!ask)
        return ENRICH_NOT_ASKED;
    if (!ask->answered)
        return is_late(run) ? ENRICH_LATE : ENRICH_WAITS;
    if (ask->rc != OK)
        return ENRICH_FAILED;
    return read_answer(run->arena, ask, 1, &answer) ? ENRICH_ANSWERED : ENRICH_UNREADABLE;
}

const char *enrich_end_name(enum enrich_end end) {
    static const char *const names[] = {"not_asked", "waits", "answered", "failed", "late", "unreadable"};
    return names[end];
}
