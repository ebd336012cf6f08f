/* connector.c — galena connector list, show, test and new. */
#include "base/asset.h"
#include "base/file.h"
#include "cmd/command.h"
#include "cmd/present.h"
#include "connector/replay.h"

#include <sys/stat.h>
#include <unistd.h>

struct connector_options {
    str name, folder, replay;
    bool all, accept;
};

enum { LABEL = 16 };

static const char *folder_of(const struct connector_options *o) { return o->folder.len > 0 ? o->folder.ptr : NULL; }

/* ---- list ---- */

static void put_fields(struct session *s, struct json_writer *w, const struct connector *c,
                       const struct connector_operation *op) {
    str *field;
    size_t n;
    connector_fields(s->arena, c, op, &field, &n);
    json_key(w, STR("fields"));
    json_open_array(w);
    for (size_t i = 0; i < n; i++)
        json_string(w, field[i]);
    json_close_array(w);
}

static void put_line(struct session *s, struct json_writer *w, const struct connector *c) {
    json_open_object(w);
    json_put_string(w, STR("name"), c->name);
    json_put_string(w, STR("kind"), str_from(connector_kind_name(c->kind)));
    json_put_string(w, STR("title"), c->title);
    json_put_bool(w, STR("own"), c->user);
    json_key(w, STR("operations"));
    json_open_array(w);
    for (size_t i = 0; i < c->n_operation; i++)
        json_string(w, c->operation[i].name);
    json_close_array(w);
    put_fields(s, w, c, NULL);
    json_close_object(w);
}

static err list_json(struct session *s, const struct connector_set *set) {
    struct session_document *d = session_document_new(s);
    json_open_object(&d->w);
    json_key(&d->w, STR("connectors"));
    json_open_array(&d->w);
    for (size_t i = 0; i < set->n; i++)
        put_line(s, &d->w, set->connector[i]);
    json_close_array(&d->w);
    json_close_object(&d->w);
    return session_document_print(s, d);
}

static err run_list(struct session *s, const void *options) {
    const struct connector_options *o = options;
    struct connector_set set;
    str *field;
    size_t n;
    TRY(connector_load_all(s->arena, folder_of(o), &set));
    if (s->json)
        return list_json(s, &set);
    struct present_table t = present_table_new(s->arena, "name|kind|>operations|>fields|what it is");
    for (size_t i = 0; i < set.n; i++) {
        const struct connector *c = set.connector[i];
        connector_fields(s->arena, c, NULL, &field, &n);
        present_cell(&t, c->name);
        present_cell(&t, str_from(connector_kind_name(c->kind)));
        present_cell_format(&t, "%zu", c->n_operation);
        present_cell_format(&t, "%zu", n);
        present_cell(&t, c->user ? str_format(s->arena, "%.*s (own file)", STR_ARG(c->title)) : c->title);
    }
    present_table_print(&s->out, &t);
    return OK;
}

/* ---- show ---- */

static void put_needs(struct json_writer *w, const struct connector_operation *op) {
    json_key(w, STR("needs"));
    json_open_array(w);
    for (size_t i = 0; op->needs[i]; i++) {
        json_open_array(w);
        for (const str *name = op->needs[i]; name->ptr; name++)
            json_string(w, *name);
        json_close_array(w);
    }
    json_close_array(w);
}

static void put_operation(struct session *s, struct json_writer *w, const struct connector *c,
                          const struct connector_operation *op) {
    json_open_object(w);
    json_put_string(w, STR("name"), op->name);
    json_put_string(w, STR("title"), op->title);
    json_put_string(w, STR("method"), op->method);
    json_put_string(w, STR("url"), op->url.text);
    json_put_bool(w, STR("writes"), op->writes);
    json_put_integer(w, STR("batch"), op->batch);
    json_put_integer(w, STR("price_micro"), op->price_micro);
    json_put_string(w, STR("price_per"), op->price_per == PRICE_PER_HIT ? STR("hit") : STR("call"));
    json_put_integer(w, STR("cache_ms"), op->cache_ms);
    json_put_integer(w, STR("timeout_ms"), op->timeout_ms);
    put_needs(w, op);
    put_fields(s, w, c, op);
    json_close_object(w);
}

static err show_json(struct session *s, const struct connector *c) {
    struct session_document *d = session_document_new(s);
    struct json_writer *w = &d->w;
    json_open_object(w);
    json_put_string(w, STR("name"), c->name);
    json_put_string(w, STR("kind"), str_from(connector_kind_name(c->kind)));
    json_put_string(w, STR("title"), c->title);
    json_put_string(w, STR("documentation"), c->documentation);
    json_put_string(w, STR("terms"), c->terms);
    json_put_string(w, STR("personal_data"), str_from(connector_personal_name(c->personal)));
    json_put_string(w, STR("currency"), c->currency);
    json_put_bool(w, STR("own"), c->user);
    json_key(w, STR("authentication"));
    json_open_array(w);
    for (size_t i = 0; i < c->n_auth; i++)
        json_string(w, c->auth[i].name);
    json_close_array(w);
    json_key(w, STR("settings"));
    json_open_array(w);
    for (size_t i = 0; i < c->n_setting; i++) {
        json_open_object(w);
        json_put_string(w, STR("name"), c->setting[i].name);
        json_put_string(w, STR("help"), c->setting[i].help);
        json_put_bool(w, STR("secret"), c->setting[i].secret);
        json_put_bool(w, STR("required"), c->setting[i].required);
        json_close_object(w);
    }
    json_close_array(w);
    json_key(w, STR("operations"));
    json_open_array(w);
    for (size_t i = 0; i < c->n_operation; i++)
        put_operation(s, w, c, &c->operation[i]);
    json_close_array(w);
    json_close_object(w);
    return session_document_print(s, d);
}

static void show_operation(struct session *s, const struct connector *c, const struct connector_operation *op) {
    struct arena *a = s->arena;
    str *field;
    size_t n;
    connector_fields(a, c, op, &field, &n);
    present_heading(&s->out, str_format(a, "%.*s: %.*s", STR_ARG(op->name), STR_ARG(op->title)).ptr);
    present_pair(&s->out, "request", LABEL, str_format(a, "%.*s %.*s", STR_ARG(op->method), STR_ARG(op->url.text)));
    for (size_t i = 0; op->needs[i]; i++) {
        size_t k = 0;
        while (op->needs[i][k].ptr)
            k++;
        present_pair(&s->out, i == 0 ? "needs" : "or", LABEL, str_join(a, op->needs[i], k, STR(", ")));
    }
    if (n > 0)
        present_pair(&s->out, "fills", LABEL, str_join(a, field, n, STR(", ")));
    if (op->price_micro > 0)
        present_pair(&s->out, "price", LABEL,
                     str_format(a, "%g %.*s a %s", (double)op->price_micro / 1e6, STR_ARG(c->currency),
                                op->price_per == PRICE_PER_HIT ? "hit" : "call"));
    if (op->cache_ms > 0)
        present_pair(&s->out, "cached for", LABEL, str_format(a, "%lld h", (long long)(op->cache_ms / 3600000)));
}

static err run_show(struct session *s, const void *options) {
    const struct connector_options *o = options;
    struct arena *a = s->arena;
    const struct connector *c;
    TRY(connector_load(a, folder_of(o), o->name, &c));
    if (s->json)
        return show_json(s, c);
    present_pair(&s->out, "name", LABEL, c->name);
    present_pair(&s->out, "title", LABEL, c->title);
    present_pair(&s->out, "kind", LABEL, str_from(connector_kind_name(c->kind)));
    present_pair(&s->out, "documentation", LABEL, c->documentation);
    present_pair(&s->out, "personal data", LABEL, str_from(connector_personal_name(c->personal)));
    if (c->terms.len > 0)
        present_pair(&s->out, "terms", LABEL, c->terms);
    for (size_t i = 0; i < c->n_setting; i++)
        present_pair(&s->out, i == 0 ? "settings" : "", LABEL,
                     str_format(a, "%.*s%s%s: %.*s", STR_ARG(c->setting[i].name), c->setting[i].secret ? " (secret)" : "",
                                c->setting[i].required ? ", needed" : "", STR_ARG(c->setting[i].help)));
    for (size_t i = 0; i < c->n_operation; i++)
        show_operation(s, c, &c->operation[i]);
    return OK;
}

/* ---- test ---- */

struct tally {
    struct replay_results *results; /* one for each connector */
    size_t n, cases, good, untested;
};

static err test_one(struct session *s, const struct connector_options *o, struct program_host *h, const struct connector *c,
                    struct tally *t) {
    struct replay_results r = {0};
    err rc = replay_connector(s->arena, h, c, o->replay.ptr, o->accept, &r);
    if (rc == ERR_ABSENT && o->all)
        t->untested++;
    else if (rc != OK)
        return rc;
    t->results[t->n++] = r;
    t->cases += r.n;
    t->good += r.n_good;
    return OK;
}

static err test_json(struct session *s, const struct tally *t) {
    struct session_document *d = session_document_new(s);
    json_open_object(&d->w);
    json_put_integer(&d->w, STR("connectors"), (int64_t)(t->n - t->untested));
    json_put_integer(&d->w, STR("without_cases"), (int64_t)t->untested);
    json_put_integer(&d->w, STR("cases"), (int64_t)t->cases);
    json_put_integer(&d->w, STR("good"), (int64_t)t->good);
    json_put_integer(&d->w, STR("failed"), (int64_t)(t->cases - t->good));
    json_key(&d->w, STR("failures"));
    json_open_array(&d->w);
    for (size_t i = 0; i < t->n; i++)
        for (size_t k = 0; k < t->results[i].n; k++) {
            const struct replay_result *r = &t->results[i].item[k];
            if (r->good)
                continue;
            json_open_object(&d->w);
            json_put_string(&d->w, STR("connector"), r->connector);
            json_put_string(&d->w, STR("case"), r->name);
            json_put_string(&d->w, STR("difference"), r->difference);
            json_close_object(&d->w);
        }
    json_close_array(&d->w);
    json_close_object(&d->w);
    return session_document_print(s, d);
}

static void test_text(struct session *s, const struct tally *t) {
    struct arena *a = s->arena;
    for (size_t i = 0; i < t->n; i++)
        for (size_t k = 0; k < t->results[i].n; k++) {
            const struct replay_result *r = &t->results[i].item[k];
            if (!r->good)
                terminal_put(&s->out, str_format(a, "%.*s/%.*s: %.*s\n", STR_ARG(r->connector), STR_ARG(r->name),
                                                 STR_ARG(r->difference)));
        }
    terminal_put(&s->out, str_format(a, "%zu connectors, %zu cases: %zu as expected, %zu not\n", t->n - t->untested,
                                     t->cases, t->good, t->cases - t->good));
    if (t->untested > 0)
        terminal_put(&s->out, str_format(a, "%zu connectors have no cases\n", t->untested));
}

static err run_test(struct session *s, const void *options) {
    const struct connector_options *o = options;
    struct connector_set set;
    struct program_host *h;
    const struct connector *one;
    struct tally t = {0};
    if (o->all == (o->name.len > 0))
        return session_usage("usage_connector", "either the NAME of a connector or --all is needed");
    if (o->all) {
        TRY(connector_load_all(s->arena, folder_of(o), &set));
    } else {
        TRY(connector_load(s->arena, folder_of(o), o->name, &one));
        set = (struct connector_set){&one, 1};
    }
    TRY(program_host_new(s->arena, NULL, &h));
    t.results = ARENA_ARRAY(s->arena, set.n, struct replay_results);
    for (size_t i = 0; i < set.n; i++)
        TRY(test_one(s, o, h, set.connector[i], &t));
    if (s->json)
        TRY(test_json(s, &t));
    else
        test_text(s, &t);
    if (t.good == t.cases)
        return OK;
    s->failure_shown = s->json;
    return fail(ERR_INPUT, "connector_test", "%zu of %zu cases are not as expected", t.cases - t.good, t.cases);
}

/* ---- new ---- */

static err run_new(struct session *s, const void *options) {
    const struct connector_options *o = options;
    struct buf *text = buf_in(s->arena, CONNECTOR_MAX_BYTE);
    const struct connector *c;
    struct stat there;
    str form = asset_get(STR("examples/connector.yaml"));
    const char *folder = o->folder.len > 0 ? o->folder.ptr : ".";
    str path = str_format(s->arena, "%s/%.*s.yaml", folder, STR_ARG(o->name));
    ptrdiff_t at = str_find(form, STR("name: example"));
    if (stat(path.ptr, &there) == 0)
        return fail(ERR_CONFLICT, "connector_exists", "%s: there is such a file already", path.ptr);
    buf_add(text, str_slice(form, 0, (size_t)at));
    buf_add_format(text, "name: %.*s", STR_ARG(o->name));
    buf_add(text, str_slice(form, (size_t)at + sizeof "name: example" - 1, form.len));
    TRY(buf_check(text));
    TRY(connector_parse(s->arena, buf_str(text), path.ptr, &c));
    TRY(file_write_all(s->arena, path.ptr, buf_str(text)));
    if (!s->quiet && !s->json)
        terminal_put(&s->out, str_format(s->arena, "%.*s is a beginning: edit it, then galena check %.*s\n", STR_ARG(path),
                                         STR_ARG(path)));
    if (!s->json)
        return OK;
    struct session_document *d = session_document_new(s);
    json_open_object(&d->w);
    json_put_string(&d->w, STR("file"), path);
    json_close_object(&d->w);
    return session_document_print(s, d);
}

/* ---- the commands ---- */

static const struct argument one_argument[] = {
    {.name = "NAME", .help = "of the connector", .offset = offsetof(struct connector_options, name)},
};
static const struct argument test_argument[] = {
    {.name = "NAME", .help = "of the connector", .offset = offsetof(struct connector_options, name), .optional = true},
};

#define AT(member) .offset = offsetof(struct connector_options, member)
#define FOLDER                                                                                                              \
    {                                                                                                                       \
        .name = "folder", .type = SETTING_PATH, AT(folder), .arg = "DIR",                                                   \
        .help = "your own connector files; they add to the shipped ones, or replace those of the same name"                 \
    }

static const struct setting folder_setting[] = {FOLDER};
static const struct setting test_settings[] = {
    FOLDER,
    {.name = "all", .type = SETTING_FLAG, AT(all), .help = "all connectors that have cases"},
    {.name = "replay",
     .type = SETTING_PATH,
     AT(replay),
     .arg = "DIR",
     .required = true,
     .help = "the cases: DIR/NAME/CASE/ with ask.json, answer.http and expect.json"},
    {.name = "accept", .type = SETTING_FLAG, AT(accept), .help = "write what comes out as what is expected"},
};

const struct command command_connector_list = {
    .name = "connector list",
    .summary = "what outside systems there are files for",
    .description = "Lists the connectors: those that come with galena and those of your own folder, with their kind, "
                   "operations and the fields that their answers fill.",
    .examples = "galena connector list\n# for a program\ngalena connector list --json\n",
    COMMAND_SETTINGS(folder_setting),
    .options_size = sizeof(struct connector_options),
    .run = run_list,
};

const struct command command_connector_show = {
    .name = "connector show",
    .summary = "what a connector needs, asks, costs and fills",
    .description = "Shows one connector: its settings (which are secret, which are needed), its operations, what each "
                   "needs to know, what it costs, and the fields that it fills.",
    .examples = "galena connector show clearbit\n",
    COMMAND_ARGUMENTS(one_argument),
    COMMAND_SETTINGS(folder_setting),
    .options_size = sizeof(struct connector_options),
    .run = run_show,
};

const struct command command_connector_test = {
    .name = "connector test",
    .summary = "replay recorded answers through a connector",
    .description = "Builds the request of each recorded case, classifies and maps its answer, and compares all of it with "
                   "what is expected. No network and no key is needed. Ends with counts; the exit code is not 0 when a case "
                   "is not as expected.",
    .examples = "galena connector test --all --replay tests/connector/golden\n"
                "# after a change that is meant\ngalena connector test clearbit --replay my/cases --accept\n",
    COMMAND_ARGUMENTS(test_argument),
    COMMAND_SETTINGS(test_settings),
    .options_size = sizeof(struct connector_options),
    .run = run_test,
};

const struct command command_connector_new = {
    .name = "connector new",
    .summary = "begin a connector file of your own",
    .description =
        "Writes NAME.yaml into your folder of connectors: a small example that is complete, with a sentence on each part.",
    .examples = "galena connector new our_registry --folder connectors\n",
    COMMAND_ARGUMENTS(one_argument),
    COMMAND_SETTINGS(folder_setting),
    .options_size = sizeof(struct connector_options),
    .run = run_new,
};
