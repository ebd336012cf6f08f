/* key.c — galena key create, list, revoke, rotate-master; galena audit verify. */
#include "cmd/control.h"

struct key_options {
    struct control_options control;
    str name;
    struct setting_list scopes;
    double rate, burst;
    bool tenants;
};

static err print_json(struct session *s, const struct json *v) {
    struct session_document *d = session_document_new(s);
    json_value(&d->w, v);
    return session_document_print(s, d);
}

static str text_of(const struct json *object, const char *key) {
    const struct json *v = json_get(object, str_from(key));
    return v && v->type == JSON_STRING ? v->string : STR("-");
}

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
    TRY(control_open(s, &o->control, &c));
    TRY(control_call(c, "POST", STR("/v1/keys"), request_of(s, o), &v));
    if (s->json)
        return print_json(s, v);
    /* The key alone goes to standard output, so that KEY=$(galena key create ...) holds it. */
    fprintf(s->out.file, "%.*s\n", STR_ARG(text_of(v, "token")));
    if (!s->quiet)
        fprintf(s->err.file, "Key %.*s of tenant %.*s. It is shown this once; only its hash is kept.\n",
                STR_ARG(text_of(v, "id")), STR_ARG(o->control.tenant));
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

static err run_list(struct session *s, const void *options) {
    const struct key_options *o = options;
    struct control *c;
    const struct json *v, *keys;
    TRY(control_open(s, &o->control, &c));
    TRY(control_call(c, "GET", STR("/v1/keys"), (str){0}, &v));
    if (s->json)
        return print_json(s, v);
    TRY(json_get_array(v, STR("keys"), &keys));
    for (uint32_t i = 0; i < keys->count; i++) {
        const struct json *k = &keys->items[i];
        const struct json *revoked = json_get(k, STR("revoked_at"));
        bool gone = revoked && revoked->type == JSON_STRING;
        terminal_put(&s->out,
                     str_format(s->arena, "%-26.*s  %-11.*s  %-24.*s  %.*s%s\n", STR_ARG(text_of(k, "id")),
                                STR_ARG(text_of(k, "hint")), STR_ARG(join_scopes(s->arena, json_get(k, STR("scopes")))),
                                STR_ARG(text_of(k, "name")), gone ? "  revoked" : ""));
    }
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
        return print_json(s, v);
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
        return print_json(s, v);
    TRY(json_get_integer(v, STR("rewrapped"), &n));
    fprintf(s->out.file, "%lld keys are wrapped anew. When no process uses the old master key any more, it may go.\n",
            (long long)n);
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
        return print_json(s, v);
    TRY(json_get_integer(v, STR("entries"), &n));
    fprintf(s->out.file, "The audit log of %.*s is whole: %lld entries, each fits the one before.\n",
            STR_ARG(o->control.tenant), (long long)n);
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
     .help = "ingest (send leads and outcomes), read, write (rescore, cancel, retry), admin (keys, erasure)"},
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
    .description = "Makes a bearer key for one tenant with the scopes named, and prints it once; only its hash is kept.",
    .examples = "galena key create website --scopes ingest\ngalena key create dashboard --scopes read --rate 20\n",
    COMMAND_SETTINGS(create_table),
    COMMAND_ARGUMENTS(name_arguments),
    .options_size = sizeof(struct key_options),
    .configured = true,
    .run = run_create,
};

const struct command command_key_list = {
    .name = "key list",
    .summary = "list the keys of the API",
    .description = "Lists keys by identifier, first characters, scopes and name.",
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
