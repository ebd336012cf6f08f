/* key.c — galena key create, list, revoke, rotate-master; galena audit verify. */
#include "cmd/control.h"
#include "cmd/present.h"
#include "cmd/reply.h"

struct key_options {
    struct control_options control;
    str name;
    struct setting_list scopes;
    double rate, burst;
    bool tenants;
};

static str request_of(struct session *s, const struct key_options *o) {
    struct buf *body = buf_in(s->arena, 1 << 16);
    struct json_writer w;
    json_write_begin(&w, body, 0);
    json_open_object(&w);
    json_put_string(&w, STR("name"), o->name);
    json_key(&w, STR("scopes"));
    json_open_array(&w);
    for (size_t i = 0; i < o->scopes.n; i++)
        json_string(&w, o->scopes.item[i]);
    json_close_array(&w);
    json_put_number(&w, STR("rate"), o->rate);
    json_put_number(&w, STR("burst"), o->burst);
    json_close_object(&w);
    return buf_str(body);
}

static err run_create(struct session *s, const void *options) {
    const struct key_options *o = options;
    struct control *c;
    const struct json *v;
    TRY(control_make(s, &o->control, &c));
    TRY(control_call(c, "POST", STR("/v1/keys"), request_of(s, o), &v));
    if (s->json)
        return reply_print(s, v);
    /* The key alone goes to standard output, so that KEY=$(galena key create ...) holds it. */
    fprintf(s->out.file, "%.*s\n", STR_ARG(reply_text(v, "token")));
    if (!s->quiet)
        fprintf(s->err.file, "Key %.*s of tenant %.*s. It is shown this once; only its hash is kept.\n",
                STR_ARG(reply_text(v, "id")), STR_ARG(o->control.tenant));
    return OK;
}

static str join_scopes(struct arena *a, const struct json *scopes) {
    str *part = ARENA_ARRAY(a, scopes ? scopes->count : 0, str);
    size_t n = 0;
    for (uint32_t i = 0; scopes && scopes->type == JSON_ARRAY && i < scopes->count; i++)
        if (scopes->items[i].type == JSON_STRING)
            part[n++] = scopes->items[i].string;
    return str_join(a, part, n, STR(","));
}

static void list_key(struct session *s, struct present_table *t, const struct json *k) {
    struct arena *a = s->arena;
    bool gone = reply_text(k, "revoked_at").len > 0;
    double rate = 0;
    if (json_get_number(k, STR("rate"), &rate) != OK || rate <= 0)
        rate = 0;
    present_cell(t, reply_text(k, "id"));
    present_cell(t, str_format(a, "%.*s...", STR_ARG(reply_text(k, "hint"))));
    present_cell(t, join_scopes(a, json_get(k, STR("scopes"))));
    present_cell(t, rate > 0 ? str_format(a, "%.15g", rate) : STR("any"));
    present_cell(t, reply_time(a, k, "created_at"));
    present_cell(t, reply_text(k, "name"));
    present_cell_style(t, STYLE_BAD, gone ? STR("revoked") : STR(""));
}

static err run_list(struct session *s, const void *options) {
    const struct key_options *o = options;
    struct control *c;
    const struct json *v, *keys;
    TRY(control_open(s, &o->control, &c));
    TRY(control_call(c, "GET", STR("/v1/keys"), (str){0}, &v));
    if (s->json)
        return reply_print(s, v);
    TRY(json_get_array(v, STR("keys"), &keys));
    if (keys->count == 0)
        fputs("No keys.\n", s->out.file);
    struct present_table table = present_table_new(s->arena, "id|key|scopes|>a second|made (UTC)|name|");
    for (uint32_t i = 0; i < keys->count; i++)
        list_key(s, &table, &keys->items[i]);
    present_table_print(&s->out, &table);
    return OK;
}

static err run_revoke(struct session *s, const void *options) {
    const struct key_options *o = options;
    struct control *c;
    const struct json *v;
    struct buf *path = buf_in(s->arena, 4096);
    buf_add(path, STR("/v1/keys/"));
    control_escape(path, o->name);
    TRY(control_open(s, &o->control, &c));
    TRY(control_call(c, "DELETE", buf_str(path), (str){0}, &v));
    if (s->json)
        return reply_print(s, v);
    fputs("The key is revoked.\n", s->out.file);
    return OK;
}

static err run_rotate(struct session *s, const void *options) {
    const struct key_options *o = options;
    struct control *c;
    const struct json *v;
    int64_t n = 0;
    TRY(control_open(s, &o->control, &c));
    TRY(control_call(c, "POST", STR("/v1/keys/rotate-master"),
                     o->tenants ? STR("{\"tenants\":true}") : STR("{\"tenants\":false}"), &v));
    if (s->json)
        return reply_print(s, v);
    TRY(json_get_integer(v, STR("rewrapped"), &n));
    fprintf(s->out.file, "%.*s wrapped anew. When no process uses the old master key any more, it may go.\n",
            STR_ARG(reply_count(s->arena, n, "key is", "keys are")));
    return OK;
}

static err run_audit(struct session *s, const void *options) {
    const struct key_options *o = options;
    struct control *c;
    const struct json *v;
    int64_t n = 0;
    TRY(control_open(s, &o->control, &c));
    TRY(control_call(c, "GET", STR("/v1/audit/verify"), (str){0}, &v));
    if (s->json)
        return reply_print(s, v);
    TRY(json_get_integer(v, STR("entries"), &n));
    fprintf(s->out.file, "The audit log of %.*s is whole: %.*s, and each fits the one before.\n", STR_ARG(o->control.tenant),
            STR_ARG(reply_count(s->arena, n, "entry", "entries")));
    return OK;
}

#define AT(member) .offset = offsetof(struct key_options, member)

static const struct setting create_table[] = {
    CONTROL_SETTINGS(struct key_options, control),
    {.name = "scopes",
     .type = SETTING_LIST,
     AT(scopes),
     .required = true,
     .arg = "SCOPE,...",
     .help = "ingest (send leads), read (leads, queue, events, metrics), write (outcomes, rescore, cancel, retry, erase), "
             "admin (keys, audit log)"},
    {.name = "rate",
     .type = SETTING_NUMBER,
     AT(rate),
     .fallback = "0",
     .min = 0,
     .max = 1e6,
     .arg = "N",
     .help = "requests a second; 0: no limit"},
    {.name = "burst",
     .type = SETTING_NUMBER,
     AT(burst),
     .fallback = "0",
     .min = 0,
     .max = 1e6,
     .arg = "N",
     .help = "requests that may come at once; 0: as many as a second's"},
};
static const struct argument name_arguments[] = {{.name = "NAME", .help = "what it is for, for people", AT(name)}};
static const struct argument id_arguments[] = {{.name = "ID", .help = "as galena key list shows it", AT(name)}};
static const struct setting plain_table[] = {CONTROL_SETTINGS(struct key_options, control)};
static const struct setting rotate_table[] = {
    CONTROL_SETTINGS(struct key_options, control),
    {.name = "tenants",
     .type = SETTING_FLAG,
     AT(tenants),
     .help = "give every tenant a new key as well, and wrap its leads' keys anew"},
};

const struct command command_key_create = {
    .name = "key create",
    .summary = "make a key for the API",
    .description =
        "Makes a bearer key for one tenant with the scopes named, and prints it once; only its hash is kept. The key "
        "alone goes to standard output.",
    .examples = "# a key for a program that sends leads\nKEY=$(galena key create website --scopes ingest)\n# and one that "
                "only looks, 20 times a second\ngalena key create dashboard --scopes read --rate 20\n",
    COMMAND_SETTINGS(create_table),
    COMMAND_ARGUMENTS(name_arguments),
    .options_size = sizeof(struct key_options),
    .configured = true,
    .run = run_create,
};

const struct command command_key_list = {
    .name = "key list",
    .summary = "list the keys of the API",
    .description = "Lists the keys of a tenant: identifier, first characters, scopes, rate, and whether it was revoked.",
    COMMAND_SETTINGS(plain_table),
    .options_size = sizeof(struct key_options),
    .configured = true,
    .run = run_list,
};

const struct command command_key_revoke = {
    .name = "key revoke",
    .summary = "end a key of the API",
    .description = "Requests with the key are refused from now on, in every process within some seconds.",
    COMMAND_SETTINGS(plain_table),
    COMMAND_ARGUMENTS(id_arguments),
    .options_size = sizeof(struct key_options),
    .configured = true,
    .run = run_revoke,
};

const struct command command_key_rotate = {
    .name = "key rotate-master",
    .summary = "wrap all keys under a new master key",
    .description = "Start galena serve with --master-key NEW,OLD (the first one wraps, both open); then this wraps every "
                   "tenant's key under the "
                   "new one, and OLD may go. Leads are not rewritten: their data keys hang on their tenant's key.",
    .examples = "galena key rotate-master --data leads\n",
    COMMAND_SETTINGS(rotate_table),
    .options_size = sizeof(struct key_options),
    .configured = true,
    .run = run_rotate,
};

const struct command command_audit_verify = {
    .name = "audit verify",
    .summary = "check that the audit log is whole",
    .description = "Recomputes the chain of hashes over all entries of a tenant. An entry that was changed, left out or "
                   "moved is named.",
    COMMAND_SETTINGS(plain_table),
    .options_size = sizeof(struct key_options),
    .configured = true,
    .run = run_audit,
};
