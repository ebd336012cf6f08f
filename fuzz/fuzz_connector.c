/* fuzz_connector.c — any bytes as a connector file, as an answer to shipped connectors, and as a signed call.
 *
 * The first byte says which: 'c' a connector file (read, and a request built with it), 'w' the body of signed calls,
 * anything else an answer that every shipped connector classifies and maps, with the first line as status and content type.
 * Programs are not compiled anew for each input: the host and the connectors live as long as the process. */
#include "connector/webhook.h"
#include "target.h"

/* libjq 1.6 loses the text it is at when a program fails inside an iteration: some bytes for an answer of a wrong form, and
 * not ours to mend. Everything else is still looked for. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libjq"; }

static struct {
    struct arena *arena;
    struct program_host *host;
    struct connector_set set;
} world;

static err make_world(void *ctx) {
    (void)ctx;
    const struct program_limits limits = {.cpu_ms = 2000};
    TRY(program_host_new(world.arena, &limits, &world.host));
    return connector_load_all(world.arena, NULL, &world.set);
}

static void free_world(void) { arena_free(world.arena); }

static void begin(void) {
    if (world.arena)
        return;
    world.arena = arena_new((size_t)256 << 20);
    FUZZ_CHECK(world.arena && arena_run(world.arena, make_world, NULL) == OK);
    atexit(free_world);
}

static err file(const struct fuzz_work *w, str text) {
    static const char input[] = "{\"domain\":\"a.example\",\"name\":\"A & B\",\"email\":\"a@b.example\",\"id\":\"7\"}";
    const struct connector *c;
    const struct connector_binding *b;
    const struct json *in;
    struct connector_request r;
    TRY(connector_parse(w->arena, text, "fuzz.yaml", &c));
    FUZZ_CHECK(c->name.len > 0 && c->n_operation > 0 && c->n_auth > 0);
    FUZZ_CHECK(json_parse(w->arena, (str){input, sizeof input - 1}, NULL, &in) == OK);
    TRY(connector_bind(w->arena, c, NULL, &b));
    for (size_t i = 0; i < c->n_operation; i++) {
        /* Bodies are programs: those of strangers are not compiled here, it takes 25 ms each. */
        struct connector_operation op = c->operation[i];
        op.body_form = op.body_form == BODY_JSON ? BODY_NONE : op.body_form;
        if (connector_build(world.host, w->arena, b, &op, in, NULL, (str){0}, &r) != OK)
            continue;
        for (size_t k = 0; k < r.url.len; k++)
            FUZZ_CHECK((unsigned char)r.url.ptr[k] != '\n' && (unsigned char)r.url.ptr[k] != '\r');
    }
    return OK;
}

static err answer(const struct fuzz_work *w, str text) {
    str line;
    const struct json *in;
    FUZZ_CHECK(json_parse(w->arena, STR("{\"domain\":\"a.example\"}"), NULL, &in) == OK);
    if (!str_split(&text, '\n', &line))
        return OK;
    int status = line.len > 2 ? (line.ptr[0] - '0') * 100 + (line.ptr[1] - '0') * 10 + (line.ptr[2] - '0') : 200;
    const struct http_field header[] = {{STR("Content-Type"), str_slice(line, 3, line.len)}, {STR("Retry-After"), line}};
    const struct connector_answer a = {.status = status, .header = header, .n_header = 2, .body = text};
    /* One connector an input, chosen by its bytes: all of them would be slow. */
    const struct connector *c = world.set.connector[str_hash(line) % world.set.n];
    const struct connector_binding b = {
        .connector = c, .value = ARENA_ARRAY(w->arena, c->n_setting, str), .base = c->base, .auth = c->auth};
    for (size_t i = 0; i < c->n_operation; i++) {
        struct connector_verdict v;
        struct connector_observations seen;
        struct connector_page next;
        bool more;
        TRY(connector_classify(world.host, w->arena, &b, &c->operation[i], &a, 0, &v));
        FUZZ_CHECK((unsigned)v.class < CONNECTOR_CLASS_COUNT && v.retry_after_ms >= 0 && v.reason.len <= 400);
        if (v.class != CONNECTOR_OK)
            continue;
        TRY(connector_map(world.host, w->arena, &b, &c->operation[i], in, &a, v.body, &seen));
        for (size_t k = 0; k < seen.n; k++)
            FUZZ_CHECK(seen.item[k].value && seen.item[k].confidence >= 0 && seen.item[k].confidence <= 1 &&
                       seen.item[k].entity < seen.n_entity);
        (void)!connector_next_page(world.host, w->arena, &b, &c->operation[i], NULL, &a, v.body, &more, &next);
    }
    return OK;
}

static err hook(const struct fuzz_work *w, str text) {
    const struct connector_webhook all[] = {{.type = WEBHOOK_HUBSPOT, .window_s = 300},
                                            {.type = WEBHOOK_SLACK, .window_s = 300},
                                            {.type = WEBHOOK_TOKEN, .member = STR("token")},
                                            {.type = WEBHOOK_HMAC, .header = STR("S"), .digest = DIGEST_SHA1}};
    str code;
    (void)str_split(&text, '\n', &code);
    const struct http_field header[] = {{STR("X-HubSpot-Signature-v3"), code},
                                        {STR("X-HubSpot-Request-Timestamp"), code},
                                        {STR("X-Slack-Signature"), code},
                                        {STR("X-Slack-Request-Timestamp"), code},
                                        {STR("S"), code}};
    const str secret = STR("a secret that no input knows: 7f1c");
    const struct webhook_call call = {STR("POST"), code, text, header, 5};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        FUZZ_CHECK(webhook_verify(w->arena, &all[i], &secret, 1, 0, &call, NULL) != OK);
    return OK;
}

static err work(void *ctx) {
    const struct fuzz_work *w = ctx;
    str text = str_slice(w->input, 1, w->input.len);
    if (w->input.len == 0)
        return OK;
    return w->input.ptr[0] == 'c' ? file(w, text) : w->input.ptr[0] == 'w' ? hook(w, text) : answer(w, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    begin();
    return fuzz_in_arena(data, size, (size_t)256 << 20, work);
}
