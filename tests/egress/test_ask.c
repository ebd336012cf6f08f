/* test_ask.c — operations of connectors through the door: requests, tokens, meanings, observations, pages. */
#include "egress_support.h"

#include "egress/ask.h"

static const char yaml[] = "connector: 1\n"
                           "name: registry\n"
                           "title: A registry\n"
                           "kind: source\n"
                           "documentation: https://example.com/docs\n"
                           "terms: none\n"
                           "personal_data: none\n"
                           "settings:\n"
                           "  key: {secret: true, required: true, help: The key}\n"
                           "base_url: https://registry.example.com\n"
                           "authentication: {type: header, name: X-Key, value: \"{setting.key}\"}\n"
                           "limits: {rate: [{requests: 600, per_s: 60}]}\n"
                           "classify:\n"
                           "  - {status: 200, when: '.error != null', class: permanent, message: .error}\n"
                           "operations:\n"
                           "  company:\n"
                           "    title: A company by its domain\n"
                           "    url: /company/{input.domain}\n"
                           "    needs: [domain]\n"
                           "    cache_s: 60\n"
                           "    price: {micro: 100, per: hit}\n"
                           "    identity: {name: .name}\n"
                           "    map:\n"
                           "      account.employees: .size\n"
                           "      account.city: .places[0].city\n"
                           "  note:\n"
                           "    title: Writes a note\n"
                           "    method: POST\n"
                           "    url: /note\n"
                           "    writes: true\n"
                           "    body: '{text: $input.text}'\n";

static const char oauth_yaml[] = "connector: 1\n"
                                 "name: crm\n"
                                 "title: A CRM\n"
                                 "kind: crm\n"
                                 "documentation: https://example.com/docs\n"
                                 "terms: none\n"
                                 "personal_data: personal\n"
                                 "settings:\n"
                                 "  port: {required: true, help: Port of tokens}\n"
                                 "  client_id: {required: true, help: OAuth client id}\n"
                                 "  client_secret: {secret: true, required: true, help: OAuth client secret}\n"
                                 "base_url: https://crm.example.com\n"
                                 "authentication:\n"
                                 "  type: oauth_client\n"
                                 "  token_url: \"http://127.0.0.1:{setting.port}/token\"\n"
                                 "  client_id: \"{setting.client_id}\"\n"
                                 "  client_secret: \"{setting.client_secret}\"\n"
                                 "operations:\n"
                                 "  record:\n"
                                 "    title: A record\n"
                                 "    url: /record/{input.id}\n"
                                 "    needs: [id]\n"
                                 "    map: {account.employees: .size}\n";

struct answer {
    struct arena *arena;
    atomic_bool done;
    err rc;
    str slug, reason;
    double value;
    size_t n;
    bool cached;
    enum egress_class class;
    struct budget_amount cost;
};

static void keep_ask(void *ctx, const struct ask_answer *a) {
    struct answer *k = ctx;
    k->rc = a->rc;
    k->slug = str_copy(k->arena, str_from(a->slug));
    k->reason = str_copy(k->arena, a->reason);
    if (a->egress) {
        k->class = a->egress->class;
        k->cached = a->egress->cached;
        k->cost = a->egress->cost;
    }
    if (a->found) {
        k->n = a->found->n;
        for (size_t i = 0; i < k->n; i++)
            if (str_equal(a->found->item[i].field, STR("account.employees")))
                k->value = json_number_of(a->found->item[i].value);
    }
    atomic_store(&k->done, true);
}

struct desk {
    struct door *door;
    struct asker *asker;
    const struct connector *connector;
    const struct connector_binding *binding;
};

static const struct json *parse(struct arena *a, str text) {
    const struct json *v;
    assert_ok(json_parse(a, text, NULL, &v));
    return v;
}

static struct desk *desk_open(void **state, const char *text, str settings) {
    struct desk *k = ARENA_NEW(*state, struct desk);
    struct egress_source source = plain_source();
    k->door = door_open(state, NULL);
    assert_ok(connector_parse(*state, str_from(text), "x.yaml", &k->connector));
    settings = str_format(*state, "{\"base_url\":\"http://127.0.0.1:%d\",%.*s}", k->door->world->port, STR_ARG(settings));
    assert_ok(connector_bind(*state, k->connector, parse(*state, settings), &k->binding));
    ask_source(*state, k->connector, &source);
    assert_ok(egress_source_set(k->door->egress, &source));
    assert_ok(asker_new(k->door->egress, &k->asker));
    return k;
}

static void desk_close(struct desk *k) {
    egress_stop(k->door->egress);
    asker_free(k->asker);
    cache_close(k->door->cache);
    world_stop(k->door->world);
}

static struct answer *begin(struct desk *k, const char *name, const char *input) {
    struct door *d = k->door;
    struct answer *a = ARENA_NEW(d->arena, struct answer);
    struct ask q = {.binding = k->binding,
                    .input = parse(d->arena, str_from(input)),
                    .call = call_of(d, ""),
                    .done = keep_ask,
                    .ctx = a};
    a->arena = arena_new(1 << 20);
    arena_defer(d->arena, (void (*)(void *))arena_free, a->arena);
    assert_ok(connector_operation(k->connector, str_from(name), &q.operation));
    assert_ok(asker_ask(k->asker, &q));
    return a;
}

static struct answer *finish(struct answer *a) {
    net_wait(atomic_load(&a->done));
    return a;
}

static bool registry(struct world *w, int fd, const char *path, const char *request) {
    (void)w;
    if (!strstr(request, "X-Key: sesame\r\n"))
        world_say(fd, 401, "", STR("{}"));
    else if (strcmp(path, "/company/example.com") == 0)
        world_say(fd, 200, "", STR("{\"name\":\"Example\",\"size\":42,\"places\":[{\"city\":\"Turin\"}]}"));
    else if (strcmp(path, "/company/wrong.example") == 0)
        world_say(fd, 200, "", STR("{\"error\":\"no such plan\"}"));
    else if (strcmp(path, "/note") == 0)
        world_say(fd, strstr(request, "{\"text\":\"hello\"}") ? 200 : 400, "", STR("{}"));
    else
        world_say(fd, 404, "", STR("{}"));
    return true;
}

static void answers_become_observations(void **state) {
    struct desk *k = desk_open(state, yaml, STR("\"key\":\"sesame\""));
    k->door->world->custom = registry;
    struct answer *a = finish(begin(k, "company", "{\"domain\":\"example.com\"}"));
    assert_int_equal(a->rc, OK);
    assert_int_equal(a->n, 2);
    assert_close(a->value, 42, 1e-12);
    assert_int_equal(a->cost.micro, 100);
    /* From the cache: the same observations, without a price. */
    a = finish(begin(k, "company", "{\"domain\":\"example.com\"}"));
    assert_true(a->rc == OK && a->cached && a->n == 2 && a->cost.micro == 0);
    a = finish(begin(k, "company", "{\"domain\":\"nobody.example\"}"));
    assert_int_equal(a->class, EGRESS_EMPTY);
    assert_int_equal(a->rc, ERR_ABSENT);
    a = finish(begin(k, "company", "{\"domain\":\"wrong.example\"}"));
    assert_int_equal(a->class, EGRESS_PERMANENT);
    assert_str(a->reason, "no such plan");
    a = finish(begin(k, "company", "{}"));
    assert_int_equal(a->rc, ERR_INPUT);
    assert_str(a->slug, "connector_input");
    a = finish(begin(k, "note", "{\"text\":\"hello\"}"));
    assert_int_equal(a->rc, OK);
    struct answer *many[40];
    for (size_t i = 0; i < 40; i++)
        many[i] = begin(k, "company", i % 2 ? "{\"domain\":\"example.com\"}" : "{\"domain\":\"nobody.example\"}");
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(finish(many[i])->class, i % 2 ? EGRESS_OK : EGRESS_EMPTY);
    desk_close(k);
}

/* ---- tokens ---- */

struct issuer {
    atomic_int issued, refused;
    atomic_bool deny;
    atomic_int good; /* only this token is accepted */
};
static struct issuer issuer;

static bool crm(struct world *w, int fd, const char *path, const char *request) {
    char text[128], want[64];
    (void)w;
    if (strcmp(path, "/token") == 0) {
        bool proper = strstr(request, "client_credentials") && !atomic_load(&issuer.deny);
        int number = proper ? atomic_fetch_add(&issuer.issued, 1) + 1 : 0;
        int n =
            snprintf(text, sizeof text, "{\"access_token\":\"t%d\",\"expires_in\":3600,\"token_type\":\"Bearer\"}", number);
        world_say(fd, proper ? 200 : 401, "Content-Type: application/json\r\n",
                  proper ? (str){text, (size_t)n} : STR("{\"error\":\"invalid_client\"}"));
        return true;
    }
    snprintf(want, sizeof want, "Authorization: Bearer t%d\r\n", atomic_load(&issuer.good));
    bool known = strstr(request, want) != NULL;
    atomic_fetch_add(&issuer.refused, !known);
    world_say(fd, known ? 200 : 401, "", known ? STR("{\"size\":7}") : STR("{}"));
    return true;
}

static void tokens_are_fetched_once_and_renewed(void **state) {
    issuer = (struct issuer){0};
    atomic_store(&issuer.good, 1);
    struct desk *k = desk_open(state, oauth_yaml, STR("\"port\":\"0\",\"client_id\":\"id\",\"client_secret\":\"sesame\""));
    str settings = str_format(*state,
                              "{\"base_url\":\"http://127.0.0.1:%d\",\"port\":\"%d\",\"client_id\":\"id\","
                              "\"client_secret\":\"sesame\"}",
                              k->door->world->port, k->door->world->port);
    assert_ok(connector_bind(*state, k->connector, parse(*state, settings), &k->binding));
    k->door->world->custom = crm;
    struct answer *many[20];
    for (int i = 0; i < 20; i++)
        many[i] = begin(k, "record", "{\"id\":\"a\"}");
    for (int i = 0; i < 20; i++) {
        if (finish(many[i])->rc != OK)
            fail_msg("%.*s %.*s", STR_ARG(many[i]->slug), STR_ARG(many[i]->reason));
        assert_close(many[i]->value, 7, 1e-12);
    }
    assert_int_equal(issuer.issued, 1);
    assert_int_equal(issuer.refused, 0);
    /* It was withdrawn before its time: one new one, and the call goes well. */
    atomic_store(&issuer.good, 2);
    assert_int_equal(finish(begin(k, "record", "{\"id\":\"a\"}"))->rc, OK);
    assert_int_equal(issuer.issued, 2);
    /* Its time is over. */
    atomic_fetch_add(&push_ms, 3600 * 1000);
    atomic_store(&issuer.good, 3);
    assert_int_equal(finish(begin(k, "record", "{\"id\":\"a\"}"))->rc, OK);
    assert_int_equal(issuer.issued, 3);
    assert_int_equal(issuer.refused, 1);
    /* A credential that is not accepted is said so, and is not asked for without end. */
    atomic_fetch_add(&push_ms, 3600 * 1000);
    atomic_store(&issuer.deny, true);
    struct answer *a = finish(begin(k, "record", "{\"id\":\"a\"}"));
    assert_int_equal(a->rc, ERR_DENIED);
    assert_str(a->slug, "connector_token_refused");
    desk_close(k);
}

static void those_who_wait_are_told_when_the_door_closes(void **state) {
    struct desk *k = desk_open(state, yaml, STR("\"key\":\"sesame\""));
    struct answer *a[20];
    for (int i = 0; i < 20; i++)
        a[i] = begin(k, "company", "{\"domain\":\"example.com\"}");
    egress_stop(k->door->egress);
    for (int i = 0; i < 20; i++)
        assert_true(a[i]->done);
    asker_free(k->asker);
    cache_close(k->door->cache);
    world_stop(k->door->world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(answers_become_observations),
        ARENA_TEST(tokens_are_fetched_once_and_renewed),
        ARENA_TEST(those_who_wait_are_told_when_the_door_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
