/* program_host.c — runs programs: compiled groups, and the thread that stops a run which takes too long.
 *
 * libjq looks at its "halted" mark before every instruction, and jq_halt sets it. The watchdog sets it from outside when a
 * run has used up its processor time; jq_start clears it. The arena may leave in the middle of a copy, so whatever belongs
 * to libjq is kept in the host and given back by the next run or with the host. */
#include "connector/program_jv.h"
#include "connector/program_priv.h"

#include <jq.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { TICK_MS = 5, IDLE_TICKS = 40, MAX_ERROR = 512 };

struct compiled {
    const struct program_group *group;
    jq_state *jq;
    size_t n; /* programs of the group when it was compiled */
    struct compiled *next;
};

struct program_host {
    struct program_limits limits;
    struct compiled *compiled;
    struct program_counters counters;
    const struct json *held_from;
    jv held;
    bool holding;
    jv result; /* being copied */
    bool has_result;
    char error[MAX_ERROR];

    pthread_t watchdog;
    pthread_mutex_t lock; /* guards what is below */
    pthread_cond_t wake;
    jq_state *active; /* runs now */
    uint64_t run;     /* its number */
    pthread_t runner;
    bool idle, stop, stopped; /* stopped: the run was halted */
};

/* ---- the watchdog ---- */

static int64_t cpu_ms_of(pthread_t thread) {
    clockid_t clock;
    struct timespec t;
    if (pthread_getcpuclockid(thread, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return 0;
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void wait_tick(struct program_host *h) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += TICK_MS * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_nsec -= 1000000000L;
        t.tv_sec++;
    }
    pthread_cond_timedwait(&h->wake, &h->lock, &t);
}

static void *watch(void *ctx) {
    struct program_host *h = ctx;
    uint64_t seen = 0;
    int64_t since = 0;
    int quiet = 0;
    pthread_mutex_lock(&h->lock);
    while (!h->stop) {
        if (h->active && h->run != seen) {
            seen = h->run;
            since = cpu_ms_of(h->runner);
        } else if (h->active && !h->stopped && cpu_ms_of(h->runner) - since >= h->limits.cpu_ms) {
            h->stopped = true;
            jq_halt(h->active, jv_invalid(), jv_invalid());
        }
        quiet = h->active ? 0 : quiet + 1;
        h->idle = quiet > IDLE_TICKS;
        if (h->idle)
            pthread_cond_wait(&h->wake, &h->lock);
        else
            wait_tick(h);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

static void begin(struct program_host *h, jq_state *jq, bool fresh) {
    pthread_mutex_lock(&h->lock);
    h->active = jq;
    h->runner = pthread_self();
    h->run += fresh ? 1 : 0;
    if (fresh)
        h->stopped = false;
    if (h->idle) {
        h->idle = false;
        pthread_cond_signal(&h->wake);
    }
    pthread_mutex_unlock(&h->lock);
}

/* True when the run was stopped. */
static bool end(struct program_host *h) {
    pthread_mutex_lock(&h->lock);
    h->active = NULL;
    bool stopped = h->stopped;
    pthread_mutex_unlock(&h->lock);
    return stopped;
}

/* ---- the host ---- */

static void drop_result(struct program_host *h) {
    if (h->has_result)
        jv_free(h->result);
    h->has_result = false;
}

void program_release(struct program_host *h) {
    if (h->holding)
        jv_free(h->held);
    h->holding = false;
    h->held_from = NULL;
}

void program_hold(struct program_host *h, const struct json *input) {
    program_release(h);
    h->held_from = input;
}

static void close_host(void *ctx) {
    struct program_host *h = ctx;
    pthread_mutex_lock(&h->lock);
    h->stop = true;
    pthread_cond_signal(&h->wake);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->watchdog, NULL);
    drop_result(h);
    program_release(h);
    for (struct compiled *c = h->compiled, *next; c; c = next) {
        next = c->next;
        jq_teardown(&c->jq);
        free(c);
    }
    pthread_cond_destroy(&h->wake);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

err program_host_new(struct arena *a, const struct program_limits *limits, struct program_host **out) {
    struct program_host *h = calloc(1, sizeof *h);
    pthread_condattr_t monotonic;
    if (!h)
        return fail(ERR_AGAIN, "program_host", "no memory to run programs");
    h->limits = limits ? *limits : (struct program_limits){0};
    h->limits.cpu_ms = h->limits.cpu_ms ? h->limits.cpu_ms : 100;
    h->limits.max_output = h->limits.max_output ? h->limits.max_output : 1000;
    h->limits.max_value = h->limits.max_value ? h->limits.max_value : 100000;
    h->limits.max_byte = h->limits.max_byte ? h->limits.max_byte : (size_t)4 << 20;
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&h->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&h->watchdog, NULL, watch, h) != 0) {
        pthread_cond_destroy(&h->wake);
        pthread_mutex_destroy(&h->lock);
        free(h);
        return fail(ERR_AGAIN, "program_host", "no thread to watch programs");
    }
    arena_defer(a, close_host, h);
    *out = h;
    return OK;
}

struct program_counters program_host_counters(const struct program_host *h) {
    return h->counters;
}

/* ---- compiling ---- */

static void keep_error(void *ctx, jv message) {
    struct program_host *h = ctx;
    message = jq_format_error(message);
    if (h->error[0] == 0 && jv_get_kind(message) == JV_KIND_STRING) {
        const char *text = jv_string_value(message);
        str s = str_from(text);
        ptrdiff_t at = str_find(s, STR("jq: error: "));
        s = at == 0 ? str_slice(s, 11, s.len) : s;
        ptrdiff_t cut = str_find_byte(s, '\n');
        s = str_slice(s, 0, cut >= 0 ? (size_t)cut : s.len);
        memcpy(h->error, s.ptr, s.len < MAX_ERROR - 1 ? s.len : MAX_ERROR - 1);
        h->error[s.len < MAX_ERROR - 1 ? s.len : MAX_ERROR - 1] = 0;
    }
    jv_free(message);
}

static void be_silent(void *ctx, jv message) {
    (void)ctx;
    jv_free(message);
}

/* The input of every run is [value, number, $input, $setting, ...]. `*` on text repeats it, without end if an answer says
 * so: only numbers and objects are multiplied. */
static const char HEAD[] =
    "def galena_times(a; b): a * b;\n"
    "def _multiply(a; b): b as $b | a as $a | if ($a | type) == \"string\" or ($b | type) == \"string\" "
    "then error(\"text cannot be multiplied\") else galena_times($a; $b) end;\n"
    ".[1] as $galena_number | .[2] as $input | .[3] as $setting | .[4] as $status | .[5] as $headers "
    "| .[6] as $page | .[0] |\n";

static void add_program(struct buf *text, const struct program *p, bool first) {
    buf_add_format(text, "%s $galena_number == %u then (", first ? "if" : "elif", (unsigned)p->number);
    buf_add(text, p->text);
    /* A comment at its end must not swallow the bracket. */
    buf_add(text, STR("\n)\n"));
}

static err out_of_memory(void) { return fail(ERR_AGAIN, "program_memory", "no memory to compile programs"); }

static bool compile_text(struct program_host *h, jq_state *jq, const struct program *const *item, size_t n) {
    struct buf text;
    buf_init(&text, (size_t)32 << 20);
    buf_add(&text, (str){HEAD, sizeof HEAD - 1});
    for (size_t i = 0; i < n; i++)
        add_program(&text, item[i], i == 0);
    buf_add(&text, STR("else empty end"));
    buf_add_byte(&text, 0);
    h->error[0] = 0;
    bool good = !text.over && jq_compile(jq, text.ptr);
    buf_done(&text);
    return good;
}

static err new_state(struct program_host *h, jq_state **out) {
    *out = jq_init();
    if (!*out)
        return out_of_memory();
    jq_set_error_cb(*out, keep_error, h);
    jq_set_debug_cb(*out, be_silent, NULL);
    return OK;
}

/* The program is compiled by itself, for its own message. */
static err check_one(struct program_host *h, const struct program *p) {
    jq_state *jq;
    TRY(new_state(h, &jq));
    h->counters.compiled++;
    bool good = compile_text(h, jq, &p, 1);
    jq_teardown(&jq);
    return good ? OK
                : fail(ERR_INPUT, "program_syntax", "%s:%u:%u: %s in `%.*s`", p->file, p->line, p->column,
                       h->error[0] ? h->error : "jq does not understand", STR_ARG(str_slice(p->text, 0, 200)));
}

static err find_culprit(struct program_host *h, const struct program_group *g) {
    for (size_t i = 0; i < g->n; i++)
        TRY(check_one(h, g->item[i]));
    return fail(ERR_INPUT, "program_syntax", "%s: the programs do not compile together: %s",
                g->n > 0 ? g->item[0]->file : "", h->error);
}

static err find_compiled(struct program_host *h, const struct program_group *g, jq_state **out) {
    struct compiled *c = h->compiled;
    while (c && (c->group != g || c->n != g->n))
        c = c->next;
    if (!c) {
        jq_state *jq;
        TRY(new_state(h, &jq));
        h->counters.compiled++;
        if (!compile_text(h, jq, g->item, g->n)) {
            jq_teardown(&jq);
            return find_culprit(h, g);
        }
        c = calloc(1, sizeof *c);
        if (!c) {
            jq_teardown(&jq);
            return out_of_memory();
        }
        *c = (struct compiled){.group = g, .jq = jq, .n = g->n, .next = h->compiled};
        h->compiled = c;
    }
    *out = c->jq;
    return OK;
}

err program_check(struct program_host *h, const struct program *p) {
    jq_state *jq;
    if (p->path)
        return OK;
    if (find_compiled(h, p->group, &jq) == OK)
        return OK;
    return check_one(h, p);
}

/* ---- running ---- */

static jv make_input(struct program_host *h, const struct program *p, const struct json *input,
                     const struct program_context *context) {
    static const struct program_context none;
    const struct program_context *c = context ? context : &none;
    jv value;
    if (input && input == h->held_from) {
        if (!h->holding)
            h->held = jv_from_json(input);
        h->holding = true;
        value = jv_copy(h->held);
    } else {
        value = jv_from_json(input);
    }
    jv all = jv_array_append(jv_array_append(jv_array_sized(8), value), jv_number(p->number));
    const struct json *named[VAR_COUNT] = {c->input, c->setting, NULL, c->headers, c->page};
    for (int v = 0; v < VAR_COUNT && p->variables >> v; v++) {
        bool used = p->variables >> v & 1;
        all = jv_array_append(all, !used ? jv_null() : v == VAR_STATUS ? jv_number(c->status) : jv_from_json(named[v]));
    }
    return all;
}

static err run_failed(struct program_host *h, const struct program *p, const struct json *input, jv message) {
    message = jq_format_error(message);
    str text = jv_get_kind(message) == JV_KIND_STRING ? str_from(jv_string_value(message)) : STR("the program failed");
    if (str_starts(text, STR("jq: error: ")))
        text = str_slice(text, 11, text.len);
    size_t n = text.len < 200 ? text.len : 200;
    memcpy(h->error, text.ptr, n);
    h->error[n] = 0;
    jv_free(message);
    return program_fault(p, h->error, input);
}

static err too_much(const struct program *p) {
    return fail(ERR_LIMIT, "program_output", "%s:%u:%u: too many or too large results of `%.*s`", p->file, p->line,
                p->column, STR_ARG(str_slice(p->text, 0, 200)));
}

static err collect(struct program_host *h, struct arena *a, const struct program *p, const struct json *input, jq_state *jq,
                   size_t max, const struct json ***out, size_t *n) {
    struct jv_room room = {h->limits.max_value, h->limits.max_byte};
    size_t cap = 0;
    const struct json **list = NULL;
    *n = 0;
    for (bool fresh = true; *n < max; fresh = false) {
        begin(h, jq, fresh);
        jv v = jq_next(jq);
        if (end(h)) {
            jv_free(v);
            return fail(ERR_LIMIT, "program_time", "%s:%u:%u: `%.*s` ran longer than %lld ms", p->file, p->line, p->column,
                        STR_ARG(str_slice(p->text, 0, 200)), (long long)h->limits.cpu_ms);
        }
        if (!jv_is_valid(v)) {
            if (jv_invalid_has_msg(jv_copy(v)))
                return run_failed(h, p, input, jv_invalid_get_msg(v));
            jv_free(v);
            break;
        }
        h->result = v;
        h->has_result = true;
        if (*n == h->limits.max_output)
            return too_much(p);
        struct json *copy = ARENA_NEW(a, struct json);
        if (!jv_to_json(a, v, &room, copy))
            return too_much(p);
        drop_result(h);
        if (*n == cap)
            list = arena_grow(a, list, &cap, *n + 1, sizeof *list);
        list[(*n)++] = copy;
    }
    *out = list;
    return OK;
}

static err run_path(struct program_host *h, struct arena *a, const struct program *p, const struct json *input,
                    const struct json ***out, size_t *n) {
    static const struct json nothing = {.type = JSON_NULL};
    struct path_problem problem;
    const struct json *v = NULL;
    h->counters.path_run++;
    if (!path_run(p->path, input, &v, &problem)) {
        char what[128];
        const char *type = json_type_name(problem.value->type);
        if (problem.step->key.ptr)
            snprintf(what, sizeof what, "%s has no member \"%.*s\"", type, STR_ARG(str_slice(problem.step->key, 0, 60)));
        else
            snprintf(what, sizeof what, "%s has no item %lld", type, (long long)problem.step->index);
        return program_fault(p, what, problem.value);
    }
    const struct json **list = ARENA_NEW(a, const struct json *);
    list[0] = v ? v : &nothing;
    *out = list;
    *n = 1;
    return OK;
}

static err run_some(struct program_host *h, struct arena *a, const struct program *p, const struct json *input,
                    const struct program_context *context, size_t max, const struct json ***out, size_t *n) {
    jq_state *jq;
    if (p->path)
        return run_path(h, a, p, input, out, n);
    drop_result(h);
    TRY(find_compiled(h, p->group, &jq));
    h->counters.run++;
    jq_start(jq, make_input(h, p, input, context), 0);
    err rc = collect(h, a, p, input, jq, max, out, n);
    drop_result(h);
    return rc;
}

err program_run(struct program_host *h, struct arena *a, const struct program *p, const struct json *input,
                const struct program_context *context, const struct json ***out, size_t *n) {
    return run_some(h, a, p, input, context, SIZE_MAX, out, n);
}

err program_first(struct program_host *h, struct arena *a, const struct program *p, const struct json *input,
                  const struct program_context *context, const struct json **out) {
    const struct json **list;
    size_t n;
    TRY(run_some(h, a, p, input, context, 1, &list, &n));
    *out = n > 0 && list[0]->type != JSON_NULL ? list[0] : NULL;
    return OK;
}
