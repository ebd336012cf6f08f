/* stages.c — what one lead costs on its way through the stages: parsing, checking, features, score with interval, reasons.
 *
 *   stages MODEL TABLE.csv [ROUNDS] [BODY_BYTES] [PROFILE]
 *
 * Rows become leads in JSON with a person and a company, filled up with prose to BODY_BYTES (2048). Prints CPU microseconds
 * a lead (user and system, one thread) and where they go, as one JSON line. */
#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"
#include "flow/snapshot.h"
#include "flow/stages.h"
#include "intake/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_ROWS = 2000, RUN_BYTE = 64 << 20 };

struct bench {
    struct arena *a;
    struct model_pin *pin;
    str *body;
    size_t n, rounds, body_byte;
};

static double cpu_second(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void write_person(struct json_writer *w, size_t i, struct arena *a) {
    json_key(w, STR("person"));
    json_open_object(w);
    json_put_string(w, STR("first"), STR("Ada"));
    json_put_string(w, STR("last"), STR("Lovelace"));
    json_put_string(w, STR("email"), str_format(a, "Ada.%zu@Analytical-Engines.example", i));
    json_put_string(w, STR("phone"), STR("+44 20 7946 0000"));
    json_put_string(w, STR("title"), STR("Head of Computing"));
    json_close_object(w);
    json_key(w, STR("company"));
    json_open_object(w);
    json_put_string(w, STR("name"), STR("Analytical Engines Ltd"));
    json_put_integer(w, STR("employees"), 120);
    json_put_string(w, STR("country"), STR("United Kingdom"));
    json_close_object(w);
}

/* The row as a lead: plain numbers as numbers. */
static str make_body(const struct bench *b, const str *column, size_t n_column, const struct table_row *row, size_t i) {
    struct buf *out = buf_in(b->a, 1 << 20);
    struct json_writer w;
    json_write_begin(&w, out, 0);
    json_open_object(&w);
    json_put_string(&w, STR("lead_id"), str_format(b->a, "bench-%zu", i));
    json_put_string(&w, STR("source"), STR("bench"));
    write_person(&w, i, b->a);
    json_key(&w, STR("custom"));
    json_open_object(&w);
    for (size_t c = 0; c < n_column; c++) {
        int64_t number;
        if (number_parse_integer(row->cell[c], &number))
            json_put_integer(&w, column[c], number);
        else
            json_put_string(&w, column[c], row->cell[c]);
    }
    if (out->len + 32 < b->body_byte) {
        size_t n = b->body_byte - out->len - 32;
        char *prose = arena_alloc(b->a, n + 1);
        for (size_t k = 0; k < n; k++)
            prose[k] = k % 6 == 5 ? ' ' : (char)('a' + k % 26);
        json_put_string(&w, STR("a_remark"), (str){prose, n});
    }
    json_close_object(&w);
    json_close_object(&w);
    return buf_str(out);
}

static err read_bodies(struct bench *b, const char *path) {
    struct table *t;
    struct table_row *row;
    size_t n_column, n;
    TRY(table_open(b->a, &(struct table_options){.path = path}, &t));
    const str *column = table_columns(t, &n_column);
    TRY(table_read(t, b->a, MAX_ROWS, &row, &n));
    b->body = ARENA_ARRAY(b->a, n, str);
    for (size_t i = 0; i < n; i++)
        if (row[i].cell)
            b->body[b->n++] = make_body(b, column, n_column, &row[i], i);
    return OK;
}

static err read_pin(struct bench *b, const char *model_path, const char *profile_path) {
    str model, profile = {0}, text;
    struct pin_terms t = pin_defaults();
    TRY(file_read_all(b->a, model_path, (size_t)256 << 20, &model));
    t.model = hash_hex(b->a, model);
    if (profile_path) {
        TRY(file_read_all(b->a, profile_path, PROFILE_MAX_BYTE, &profile));
        t.profile = hash_hex(b->a, profile);
    }
    t.target[t.n_target++] = STR("callback");
    TRY(pin_write(b->a, &t, &text));
    return pin_load(text, model, profile, &b->pin);
}

struct passage {
    const struct bench *b;
    struct arena *arena;
    struct scratch *scratch;
    struct buf *snapshot;
    str body;
    struct stage_timing *timing;
    bool with_snapshot;
    size_t outcome[RUN_OUTCOME_COUNT], snapshot_byte, arena_byte;
};

static err pass(void *ctx) {
    struct passage *p = ctx;
    struct run run = {.arena = p->arena,
                      .tenant = STR("bench"),
                      .lead = STR("01J00000000000000000000000"),
                      .gen = 1,
                      .now_ms = 1782777600000,
                      .accepted_ms = 1782777600000,
                      .body = p->body,
                      .pin = p->b->pin,
                      .scratch = p->scratch};
    size_t stage = 0;
    TRY(stages_step(&run, &stage, p->timing));
    if (p->with_snapshot) {
        buf_clear(p->snapshot);
        snapshot_write(&run, p->snapshot);
        p->snapshot_byte += p->snapshot->len;
    }
    p->arena_byte += arena_used(p->arena);
    p->outcome[run.outcome]++;
    return OK;
}

static err passes(const struct bench *b, struct passage *p) {
    for (size_t r = 0; r < b->rounds; r++)
        for (size_t i = 0; i < b->n; i++) {
            p->body = b->body[i];
            TRY(arena_run(p->arena, pass, p));
            arena_reset(p->arena);
        }
    return OK;
}

/* CPU seconds of all passages. */
static err measure(const struct bench *b, struct passage *p, double *second) {
    double began = cpu_second();
    TRY(passes(b, p));
    *second = cpu_second() - began;
    return OK;
}

static void print(const struct bench *b, const struct passage *p, const double second[2]) {
    const double n = (double)(b->n * b->rounds);
    size_t byte = 0, passed = p->outcome[RUN_SCORED] + p->outcome[RUN_INSUFFICIENT] + p->outcome[RUN_DISQUALIFIED];
    for (size_t i = 0; i < b->n; i++)
        byte += b->body[i].len;
    printf("{\"leads\":%zu,\"scored\":%.3f,\"body_byte\":%zu,\"arena_byte\":%zu,\"snapshot_byte\":%.0f", b->n * b->rounds,
           (double)p->outcome[RUN_SCORED] / (double)passed, byte / b->n, p->arena_byte / passed,
           (double)p->snapshot_byte / n);
    printf(",\"cpu_us_per_lead\":%.2f,\"snapshot_us\":%.2f", 1e6 * second[0] / n, 1e6 * (second[1] - second[0]) / n);
    for (size_t i = 0; i < n_stages; i++)
        printf(",\"%s_us\":%.2f", stages[i].name, (double)p->timing->ns[i] / 1e3 / n);
    printf("}\n");
}

static err run_bench(struct bench *b) {
    struct clock clock = clock_system();
    struct stage_timing timing = {.clock = &clock}, none = {0};
    struct passage p = {.b = b, .arena = arena_new(RUN_BYTE), .scratch = scratch_new(b->a), .timing = &none};
    const size_t rounds = b->rounds;
    double second[2];
    p.snapshot = buf_in(b->a, SNAPSHOT_MAX_BYTE);
    b->rounds = 1;
    TRY(passes(b, &p)); /* warms up */
    b->rounds = rounds;
    TRY(measure(b, &p, &second[0]));
    p.with_snapshot = true;
    TRY(measure(b, &p, &second[1]));
    p.with_snapshot = false;
    p.timing = &timing;
    TRY(passes(b, &p));
    print(b, &p, second);
    arena_free(p.arena);
    pin_free(b->pin);
    return OK;
}

struct work {
    struct bench *b;
    int argc;
    char **argv;
};

static err work(void *ctx) {
    const struct work *w = ctx;
    TRY(read_pin(w->b, w->argv[1], w->argc > 5 ? w->argv[5] : NULL));
    TRY(read_bodies(w->b, w->argv[2]));
    return run_bench(w->b);
}

int main(int argc, char **argv) {
    struct bench b = {.a = arena_new((size_t)2 << 30), .rounds = 20, .body_byte = 2048};
    int64_t number;
    if (argc < 3)
        return fprintf(stderr, "stages MODEL TABLE.csv [ROUNDS] [BODY_BYTES] [PROFILE]\n"), 2;
    if (argc > 3 && number_parse_integer(str_from(argv[3]), &number))
        b.rounds = (size_t)number;
    if (argc > 4 && number_parse_integer(str_from(argv[4]), &number))
        b.body_byte = (size_t)number;
    err rc = arena_run(b.a, work, &(struct work){&b, argc, argv});
    if (rc != OK)
        fprintf(stderr, "%s: %s\n", err_slug(), err_text());
    arena_free(b.a);
    return rc != OK;
}
