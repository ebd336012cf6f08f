/* service.c — puts store, engine, API and listeners together, starts and stops them. */
#include "cmd/service.h"

#include "api/api.h"
#include "base/file.h"
#include "base/parallel.h"
#include "flow/engine.h"
#include "net/http_server.h"
#include "store/cache.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET_MAX_BYTE = 4096, ARTIFACT_MAX_BYTE = 256 << 20, CONTROL_BODY_BYTE = 64 << 20, PIN_MOST_BYTE = 65536 };

struct service {
    struct arena *arena;
    const struct service_options *o; /* a copy */
    enum service_role role;
    struct clock clock;
    const struct log *log;
    struct vault *vault;
    struct store *store;
    struct cache *cache;
    struct metrics *metrics;
    struct http_client *client;
    struct engine *engine;
    struct api *api;
    struct http_server *server, *control;
    struct vault_token token;
    bool knows_pins;
    str address, control_address, control_file, token_file;
};

static int64_t ms_of(double second) { return (int64_t)(second * 1000); }

/* ---- files that options name ---- */

static err read_secret(struct arena *a, str path, str *out) {
    *out = (str){0};
    if (path.len == 0)
        return OK;
    str text;
    TRY(file_read_all(a, path.ptr, SECRET_MAX_BYTE, &text));
    *out = str_trim(text);
    if (out->len < 16)
        return fail(ERR_INPUT, "secret_short", "%s: a secret has at least 16 characters", path.ptr);
    return OK;
}

static err read_secrets(struct arena *a, const struct setting_list *files, str **out) {
    *out = ARENA_ARRAY(a, files->n, str);
    for (size_t i = 0; i < files->n; i++)
        TRY(read_secret(a, files->item[i], &(*out)[i]));
    return OK;
}

static err read_ranges(struct arena *a, const struct setting_list *list, struct address_range **out) {
    *out = ARENA_ARRAY(a, list->n, struct address_range);
    for (size_t i = 0; i < list->n; i++) {
        err rc = address_parse_range(list->item[i], &(*out)[i]);
        if (rc != OK)
            return err_prefix(rc, "--allow-address");
    }
    return OK;
}

/* ---- pins ---- */

/* Keeps a file's bytes in the store, and says under which name. */
static err keep_artifact(struct service *v, struct arena *a, str kind, str path, str *id) {
    *id = (str){0};
    if (path.len == 0)
        return OK;
    str text;
    char hex[HASH_HEX_BYTE + 1];
    struct arena_mark before = arena_mark(a);
    TRY(file_read_all(a, path.ptr, ARTIFACT_MAX_BYTE, &text));
    TRY(store_artifact_put(v->store, kind, path, text, hex));
    arena_rewind(a, before); /* models are large, and each reload reads them */
    *id = str_copy(a, (str){hex, HASH_HEX_BYTE});
    return OK;
}

static err make_pins(struct service *v, struct arena *a, const struct service_options *o, str *text) {
    struct pin_terms t = pin_defaults();
    TRY(keep_artifact(v, a, STR("model"), o->model, &t.model));
    TRY(keep_artifact(v, a, STR("profile"), o->profile, &t.profile));
    t.hot = o->hot;
    t.warm = o->warm;
    t.interval = o->interval;
    t.reasons = (size_t)o->reasons;
    t.rescore_day[TIER_HOT] = o->rescore_hot;
    t.rescore_day[TIER_WARM] = o->rescore_warm;
    t.rescore_day[TIER_COLD] = o->rescore_cold;
    if (o->deliver_url.len > 0)
        t.target[t.n_target++] = STR("callback");
    if (o->lookup_url.len > 0)
        t.enrich = STR("lookup");
    return pin_write(a, &t, text);
}

/* What scores is remembered beside the data, so that a command can take leads in while no service runs. */
static err remember_pins(struct service *v, str text) {
    const char *path = place_path(v->arena, &v->o->place, "pins.json");
    mode_t before = umask(0077);
    err rc = file_write_all(v->arena, path, text);
    umask(before);
    return rc;
}

static str recall_pins(struct service *v) {
    str text;
    struct pin_terms t;
    err rc = file_read_all(v->arena, place_path(v->arena, &v->o->place, "pins.json"), PIN_MOST_BYTE, &text);
    if (rc == OK)
        rc = pin_read(v->arena, text, &t);
    return rc == OK ? text : (str){0};
}

static err choose_pins(struct service *v, str *text) {
    if (v->role == SERVICE_CONTROL) {
        *text = recall_pins(v);
        return OK;
    }
    TRY(make_pins(v, v->arena, v->o, text));
    return v->role == SERVICE_SERVE ? remember_pins(v, *text) : OK;
}

/* ---- parts ---- */

static err check_options(const struct service_options *o, enum service_role role) {
    if ((o->tls_cert.len > 0) != (o->tls_key.len > 0))
        return session_usage("usage_tls", "--tls-cert and --tls-key belong together");
    if (role == SERVICE_WORKER && !place_is_shared(&o->place))
        return session_usage("usage_worker",
                             "workers of their own need a shared database: --database postgresql://...; with SQLite, galena "
                             "serve works itself (--workers)");
    if (role != SERVICE_CONTROL && o->model.len == 0 && o->profile.len == 0)
        return session_usage("usage_nothing_scores",
                             "what is to score the leads? Give --model FILE, --profile FILE, or both");
    if (o->warm > o->hot)
        return session_usage("usage_tiers", "--warm is above --hot");
    return OK;
}

static void close_vault(void *ctx) { vault_close(ctx); }

static err open_store(struct service *v, struct session *s) {
    struct migrate_report report;
    TRY(place_make(s, &v->o->place));
    TRY(place_vault(s, &v->o->place, &v->vault));
    arena_defer(s->arena, close_vault, v->vault); /* after everything that seals */
    TRY(place_migrate(s, &v->o->place, !place_is_shared(&v->o->place), &report));
    const struct store_config c = {.url = place_url(s->arena, &v->o->place),
                                   .clock = s->clock,
                                   .vault = v->vault,
                                   .writers = (unsigned)v->o->writers,
                                   .lease_ms = ms_of(v->o->lease)};
    TRY(store_open(s->arena, &c, &v->store));
    return store_tenant_ensure(v->store, STR("default"));
}

static err open_client(struct service *v) {
    struct http_client_settings c = http_client_defaults();
    struct address_range *allow;
    TRY(read_ranges(v->arena, &v->o->allow_address, &allow));
    c.allow = allow;
    c.n_allow = v->o->allow_address.n;
    c.ca_file = v->o->ca_file.ptr;
    c.max_in_flight = (unsigned)(v->o->deliver_parallel + v->o->lookup_parallel);
    c.max_connections_per_host = 64;
    return http_client_start(&c, &v->client);
}

static err fill_targets(struct service *v, const struct service_options *o, struct engine_config *c) {
    c->callback = (struct target_settings){.url = o->deliver_url.ptr,
                                           .status_url = o->deliver_status_url.ptr,
                                           .timeout_ms = ms_of(o->deliver_timeout),
                                           .max_in_flight = (size_t)o->deliver_parallel};
    c->lookup = (struct target_settings){
        .url = o->lookup_url.ptr, .timeout_ms = ms_of(o->lookup_timeout), .max_in_flight = (size_t)o->lookup_parallel};
    TRY(read_secret(v->arena, o->deliver_secret, &c->callback.secret));
    TRY(read_secret(v->arena, o->deliver_old_secret, &c->callback.old_secret));
    return read_secret(v->arena, o->lookup_secret, &c->lookup.secret);
}

static err make_engine(struct service *v) {
    const struct service_options *o = v->o;
    struct engine_config c = engine_defaults();
    c.store = v->store;
    c.vault = v->vault;
    c.clock = v->clock;
    c.log = v->log;
    c.metrics = v->metrics;
    c.http = v->client;
    c.workers = v->role == SERVICE_CONTROL ? 0 : (unsigned)o->workers;
    c.max_job = (size_t)o->max_jobs;
    c.max_backlog = o->max_backlog;
    c.max_running = o->max_running;
    c.poll_ms = ms_of(o->poll);
    c.heartbeat_ms = ms_of(o->lease) / 3;
    c.tick_ms = ms_of(o->tick);
    c.sweep_ms = ms_of(o->sweep);
    c.max_crash = o->max_crashes;
    c.retry.max_attempt = o->max_attempts;
    c.retry.base_ms = ms_of(o->retry_base);
    c.retry.cap_ms = ms_of(o->retry_cap);
    c.ask_wait_ms = ms_of(o->lookup_wait);
    c.hold_deliveries = o->deliver_hold;
    c.seed = (uint64_t)v->clock.wall_ms() ^ (uint64_t)getpid() << 32;
    TRY(fill_targets(v, o, &c));
    TRY(choose_pins(v, &c.pins));
    v->knows_pins = c.pins.len > 0;
    return engine_new(v->arena, &c, &v->engine);
}

static err make_api(struct service *v) {
    const struct cache_options cache = {.redis_url = v->o->redis.ptr, .clock = v->clock};
    TRY(cache_open(&cache, &v->cache));
    struct api_config c = {.store = v->store,
                           .engine = v->engine,
                           .vault = v->vault,
                           .clock = v->clock,
                           .log = v->log,
                           .metrics = v->metrics,
                           .cache = v->cache,
                           .n_hook_secret = v->o->hook_secret.n,
                           .open_metrics = v->o->open_metrics,
                           .version = STR(GALENA_VERSION)};
    str *secret;
    TRY(read_secrets(v->arena, &v->o->hook_secret, &secret));
    c.hook_secret = secret;
    vault_token_new(&v->token);
    c.control_token = str_from(v->token.text);
    return api_new(v->arena, &c, &v->api);
}

/* ---- listeners ---- */

static err listen_control(struct service *v) {
    struct http_server_settings c = http_server_defaults();
    c.listen = "127.0.0.1:0";
    c.threads = 1;
    c.max_body_byte = CONTROL_BODY_BYTE;
    c.max_connections = 256;
    c.max_connections_per_address = 256;
    c.answer_ms = 600000;
    c.handle = api_handle;
    c.ctx = v->api;
    TRY(http_server_start(&c, &v->control));
    api_watch(v->api, API_CONTROL, v->control);
    v->control_address = str_format(v->arena, "http://127.0.0.1:%d", http_server_port(v->control));
    return OK;
}

static err listen_public(struct service *v) {
    const struct service_options *o = v->o;
    struct http_server_settings c = http_server_defaults();
    c.listen = o->listen.ptr;
    c.cert_file = o->tls_cert.ptr;
    c.key_file = o->tls_key.ptr;
    c.threads = parallel_cores() > 4 ? 4 : parallel_cores();
    c.max_body_byte = (size_t)o->max_body;
    c.max_connections = (unsigned)o->max_connections;
    c.max_connections_per_address = (unsigned)o->max_connections_per_address;
    c.handle = api_handle;
    c.ctx = v->api;
    TRY(http_server_start(&c, &v->server));
    api_watch(v->api, API_PUBLIC, v->server);
    ptrdiff_t colon = -1;
    for (size_t i = 0; i < o->listen.len; i++)
        if (o->listen.ptr[i] == ':')
            colon = (ptrdiff_t)i;
    str host = colon > 0 ? str_slice(o->listen, 0, (size_t)colon) : STR("127.0.0.1");
    v->address = str_format(v->arena, "%s://%.*s:%d", o->tls_cert.len > 0 ? "https" : "http", STR_ARG(host),
                            http_server_port(v->server));
    return OK;
}

/* Tells other commands of this user where the control listener is. */
static err publish_control(struct service *v) {
    struct buf *b = buf_in(v->arena, 1 << 16);
    struct json_writer w;
    json_write_begin(&w, b, 0);
    json_open_object(&w);
    json_put_string(&w, STR("address"), v->control_address);
    json_put_string(&w, STR("api"), v->address);
    json_put_integer(&w, STR("pid"), getpid());
    json_put_string(&w, STR("version"), STR(GALENA_VERSION));
    json_close_object(&w);
    TRY(buf_check(b));
    v->control_file = str_from(place_path(v->arena, &v->o->place, "control.json"));
    v->token_file = str_from(place_path(v->arena, &v->o->place, "control.token"));
    mode_t before = umask(0077);
    err rc = file_write_all(v->arena, v->token_file.ptr, str_from(v->token.text));
    if (rc == OK)
        rc = file_write_all(v->arena, v->control_file.ptr, buf_str(b));
    umask(before);
    return rc;
}

/* ---- the whole ---- */

void service_stop(struct service *v, int64_t drain_ms) {
    if (v->control_file.len > 0) {
        unlink(v->control_file.ptr);
        unlink(v->token_file.ptr);
    }
    if (v->api)
        api_stop(v->api);
    http_server_stop(v->server, drain_ms);
    http_server_stop(v->control, 1000);
    if (v->engine)
        engine_stop(v->engine, drain_ms);
    http_client_stop(v->client);
    if (v->store)
        store_close(v->store);
    cache_close(v->cache);
    *v = (struct service){.arena = v->arena};
}

static err build(struct service *v, struct session *s) {
    TRY(open_store(v, s));
    TRY(open_client(v));
    TRY(make_engine(v));
    if (v->role != SERVICE_WORKER)
        TRY(make_api(v));
    TRY(engine_start(v->engine));
    if (v->role != SERVICE_WORKER)
        TRY(listen_control(v));
    if (v->role != SERVICE_SERVE)
        return OK;
    TRY(listen_public(v));
    return publish_control(v);
}

err service_start(struct session *s, const struct service_options *o, enum service_role role, struct service **out) {
    TRY(check_options(o, role));
    struct service *v = ARENA_NEW(s->arena, struct service);
    *v = (struct service){.arena = s->arena,
                          .o = arena_copy(s->arena, o, sizeof *o),
                          .role = role,
                          .clock = s->clock,
                          .log = &s->log,
                          .metrics = metrics_new(s->arena)};
    err rc = build(v, s);
    if (rc != OK) {
        const char *slug = err_slug();
        str text = str_copy(s->arena, str_from(err_text()));
        service_stop(v, 0);
        return fail(rc, slug, "%s", text.ptr);
    }
    *out = v;
    return OK;
}

err service_reload(struct service *v, struct session *s, const struct service_options *o) {
    str pins;
    struct engine_config c;
    TRY(check_options(o, v->role));
    TRY(fill_targets(v, o, &c));
    TRY(make_pins(v, s->arena, o, &pins));
    TRY(engine_reload(v->engine, pins));
    engine_retarget(v->engine, &c.lookup, &c.callback);
    return v->role == SERVICE_SERVE ? remember_pins(v, pins) : OK;
}

bool service_knows_pins(const struct service *v) { return v->knows_pins; }
str service_address(const struct service *v) { return v->address; }
str service_control_address(const struct service *v) { return v->control_address; }
str service_control_token(const struct service *v) { return str_from(v->token.text); }
bool service_alive(const struct service *v) { return engine_look(v->engine).alive; }
