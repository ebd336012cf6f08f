/* control.c — calls to the control listener. */
#include "cmd/control.h"

#include "base/file.h"
#include "cmd/service.h"
#include "net/http_client.h"

#include <semaphore.h>
#include <sys/stat.h>

enum { CONTROL_FILE_BYTE = 65536, ANSWER_BYTE = 256 << 20 };

struct control {
    struct session *session;
    struct arena *arena;
    struct http_client *client;
    struct service *own;
    str address, token, tenant;
};

static void stop_client(void *ctx) {
    struct control *c = ctx;
    http_client_stop(c->client);
}

static void stop_own(void *ctx) {
    struct control *c = ctx;
    service_stop(c->own, 1000);
}

/* What the running service wrote down; ERR_ABSENT when none runs. */
static err find_running(struct control *c, const struct place_options *o) {
    str text, token;
    const struct json *v;
    TRY(file_read_all(c->arena, place_path(c->arena, o, "control.json"), CONTROL_FILE_BYTE, &text));
    TRY(file_read_all(c->arena, place_path(c->arena, o, "control.token"), CONTROL_FILE_BYTE, &token));
    TRY(json_parse(c->arena, text, NULL, &v));
    TRY(json_get_string(v, STR("address"), &c->address));
    c->token = str_trim(token);
    return OK;
}

static err start_client(struct control *c) {
    struct address_range range;
    struct http_client_settings settings = http_client_defaults();
    TRY(address_parse_range(STR("127.0.0.1"), &range));
    settings.allow = &range;
    settings.n_allow = 1;
    settings.total_ms = 600000;
    settings.max_body_byte = ANSWER_BYTE;
    return http_client_start(&settings, &c->client);
}

static err start_own(struct control *c, const struct place_options *place) {
    struct service_options *o = ARENA_NEW(c->arena, struct service_options);
    *o = service_defaults(c->session, place);
    TRY(service_start(c->session, o, SERVICE_CONTROL, &c->own));
    arena_defer(c->arena, stop_own, c); /* now, so that it comes before the end of the service's parts */
    c->address = service_control_address(c->own);
    c->token = service_control_token(c->own);
    return OK;
}

/* Whether somebody answers there: a service that was killed leaves its file behind. */
static bool answers(struct control *c) {
    const struct json *v;
    return control_call(c, "GET", STR("/healthz"), (str){0}, &v) == OK;
}

err control_make(struct session *s, const struct control_options *o, struct control **out) {
    struct control *c = ARENA_NEW(s->arena, struct control);
    *c = (struct control){.session = s, .arena = s->arena, .tenant = o->tenant};
    arena_defer(s->arena, stop_client, c);
    TRY(start_client(c));
    err rc = find_running(c, &o->place);
    if (rc == OK && answers(c)) {
        *out = c;
        return OK;
    }
    TRY(start_own(c, &o->place));
    *out = c;
    return OK;
}

err control_open(struct session *s, const struct control_options *o, struct control **out) {
    struct stat st;
    if (!place_is_shared(&o->place) && o->place.database.len == 0 &&
        stat(place_path(s->arena, &o->place, "galena.db"), &st) != 0)
        return fail(
            ERR_ABSENT, "place_empty",
            "%.*s: there is no database of galena here\nname its directory with --data; galena serve makes a new one",
            STR_ARG(o->place.data));
    return control_make(s, o, out);
}

bool control_is_own(const struct control *c) { return c->own != NULL; }

err control_can_accept(const struct control *c) {
    if (!c->own || service_knows_pins(c->own))
        return OK;
    return fail(
        ERR_ABSENT, "nothing_scores",
        "it is not known what is to score leads here: no service has run on this data\nstart galena serve with --model "
        "or --profile first");
}

void control_tell_idle(const struct control *c) {
    if (c->own && !c->session->quiet)
        fputs("No service runs on this data: what waits is done when galena serve is started.\n", c->session->err.file);
}

/* ---- calls ---- */

struct waiting {
    struct arena *arena;
    sem_t done;
    err rc;
    int status;
    const char *slug; /* slugs live as long as the program */
    char text[1024];
    struct buf body; /* malloc'd: the result comes on another thread */
};

static void call_done(void *ctx, const struct http_result *r) {
    struct waiting *w = ctx;
    w->rc = r->rc;
    w->status = r->status;
    w->slug = r->slug;
    snprintf(w->text, sizeof w->text, "%s", r->text);
    buf_add(&w->body, r->body);
    sem_post(&w->done);
}

/* A problem document's code stands for what it says. */
static err problem(struct arena *a, int status, const struct json *v) {
    str code, detail;
    if (json_get_string(v, STR("code"), &code) != OK)
        code = STR("api_error");
    if (json_get_string(v, STR("detail"), &detail) != OK)
        detail = STR("the service refused the request");
    err rc = status == 404                    ? ERR_ABSENT
             : status == 409 || status == 412 ? ERR_CONFLICT
             : status == 401 || status == 403 ? ERR_DENIED
             : status == 413 || status == 429 ? ERR_LIMIT
             : status >= 500                  ? ERR_AGAIN
                                              : ERR_INPUT;
    return fail(rc, str_cstr(a, code), "%.*s", STR_ARG(detail));
}

static err read_answer(struct control *c, const struct waiting *w, const struct json **answer) {
    *answer = NULL;
    if (w->rc != OK)
        return fail(w->rc, w->slug, "%s", w->text);
    TRY(buf_check(&w->body));
    const struct json_limits limits = {.max_byte = ANSWER_BYTE};
    if (w->body.len > 0 && json_parse(c->arena, buf_str(&w->body), &limits, answer) != OK && w->status < 400)
        return fail(ERR_REMOTE, "control_answer", "the service answered something that is not JSON");
    return w->status < 400 ? OK : problem(c->arena, w->status, *answer);
}

err control_call(struct control *c, const char *method, str path, str body, const struct json **answer) {
    struct waiting w = {.arena = c->arena};
    buf_init(&w.body, ANSWER_BYTE);
    sem_init(&w.done, 0, 0);
    const struct http_field field[] = {{STR("Authorization"), str_format(c->arena, "Bearer %.*s", STR_ARG(c->token))},
                                       {STR("Galena-Tenant"), c->tenant},
                                       {STR("Content-Type"), STR("application/json")}};
    const struct http_call call = {.method = str_from(method),
                                   .url = str_format(c->arena, "%.*s%.*s", STR_ARG(c->address), STR_ARG(path)),
                                   .header = field,
                                   .n_header = body.len > 0 ? 3 : 2,
                                   .body = body,
                                   .done = call_done,
                                   .ctx = &w};
    err rc = http_client_send(c->client, &call, NULL);
    if (rc == OK) {
        while (sem_wait(&w.done) != 0) {
        }
        rc = read_answer(c, &w, answer);
    }
    sem_destroy(&w.done);
    buf_done(&w.body);
    return rc;
}

void control_escape(struct buf *out, str text) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
                     byte == '-' || byte == '_' || byte == '.' || byte == '~';
        if (plain)
            buf_add_byte(out, (char)byte);
        else
            buf_add_format(out, "%%%02X", byte);
    }
}
