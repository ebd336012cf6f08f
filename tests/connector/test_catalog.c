/* test_catalog.c — every shipped connector is sound: its programs compile, its fields have names, its terms are said. */
#include "connector_support.h"

#include "base/file.h"

#include <unistd.h>

static void check_program(struct program_host *h, const struct program *p) {
    if (p)
        assert_ok(program_check(h, p));
}

static void check_rules(struct program_host *h, const struct connector_rule *r, size_t n) {
    for (size_t i = 0; i < n; i++) {
        check_program(h, r[i].when);
        check_program(h, r[i].retry_after);
        check_program(h, r[i].message);
    }
}

static void check_operation(struct program_host *h, const struct connector_operation *op) {
    const struct program *const all[] = {op->body,
                                         op->each,
                                         op->observed,
                                         op->result,
                                         op->identity.name,
                                         op->identity.domain,
                                         op->identity.country,
                                         op->identity.email,
                                         op->identity.id,
                                         op->pages.cursor,
                                         op->pages.items,
                                         op->pages.more};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        check_program(h, all[i]);
    check_rules(h, op->rule, op->n_rule);
    for (size_t i = 0; i < op->n_mapping; i++) {
        check_program(h, op->mapping[i].value);
        check_program(h, op->mapping[i].observed);
        check_program(h, op->mapping[i].certain);
        assert_true(str_starts(op->mapping[i].field, STR("account.")) || str_starts(op->mapping[i].field, STR("person.")) ||
                    str_starts(op->mapping[i].field, STR("lead.")));
    }
}

static void shipped_are_sound(void **state) {
    struct connector_set set;
    struct program_host *h;
    assert_ok(program_host_new(*state, NULL, &h));
    assert_ok(connector_load_all(*state, NULL, &set));
    assert_true(set.n >= 25);
    for (size_t i = 0; i < set.n; i++) {
        const struct connector *c = set.connector[i];
        assert_true(c->title.len > 0 && str_starts(c->documentation, STR("https://")));
        check_rules(h, c->rule, c->n_rule);
        for (size_t k = 0; k < c->n_operation; k++)
            check_operation(h, &c->operation[k]);
    }
}

static void write_file(const char *folder, const char *name, const char *text) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void a_folder_overrides_and_adds(void **state) {
    char folder[] = "/tmp/galena-connectors-XXXXXX";
    const struct connector *c;
    struct connector_set all, shipped;
    assert_non_null(mkdtemp(folder));
    assert_ok(connector_load_all(*state, NULL, &shipped));
    write_file(
        folder, "rdap.yaml",
        "connector: 1\nname: rdap\ntitle: Ours\nkind: source\nbase_url: https://a.example\noperations: {x: {url: /}}\n");
    write_file(
        folder, "zzz.yaml",
        "connector: 1\nname: zzz\ntitle: New\nkind: source\nbase_url: https://a.example\noperations: {x: {url: /}}\n");
    write_file(folder, "notes.txt", "not a connector");
    assert_ok(connector_load_all(*state, folder, &all));
    assert_int_equal(all.n, shipped.n + 1);
    assert_str(all.connector[all.n - 1]->name, "zzz");
    assert_ok(connector_load(*state, folder, STR("rdap"), &c));
    assert_true(c->user);
    assert_str(c->title, "Ours");
    assert_fails(connector_load(*state, folder, STR("rdab"), &c), ERR_ABSENT, "connector_unknown");
    assert_non_null(strstr(err_text(), "did you mean rdap"));
    write_file(folder, "bad.yaml", "connector: 1\nname: bad\ntitle: Bad\nkind: sauce\n");
    assert_fails(connector_load_all(*state, folder, &all), ERR_INPUT, "connector_form");
    write_file(
        folder, "bad.yaml",
        "connector: 1\nname: other\ntitle: B\nkind: source\nbase_url: https://a.example\noperations: {x: {url: /}}\n");
    assert_fails(connector_load(*state, folder, STR("bad"), &c), ERR_INPUT, "connector_name");
    assert_fails(connector_load_all(*state, "/nonexistent", &all), ERR_ABSENT, "connector_folder");
    const char *const names[] = {"rdap.yaml", "zzz.yaml", "notes.txt", "bad.yaml"};
    for (size_t i = 0; i < 4; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
    rmdir(folder);
}

#define HEAD "connector: 1\nname: x\ntitle: X\nkind: source\nbase_url: https://a.example\n"

static void faults_have_places(void **state) {
    static const struct {
        const char *text, *slug, *place;
    } bad[] = {
        {HEAD "operations: {a: {url: /x, map: {account.name: env}}}\n", "program_forbidden", "x.yaml:6:"},
        {HEAD "operations: {a: {url: '/x/{setting.nope}'}}\n", "connector_form", "x.yaml:6:"},
        {HEAD "operations: {a: {url: '/x/{input.a'}}\n", "connector_form", "x.yaml:6:"},
        {HEAD "operations: {a: {url: '/x/{input.a|evil}'}}\n", "connector_form", "x.yaml:6:"},
        {HEAD "operations: {a: {url: 'http://evil.example/'}}\n", "connector_form", "x.yaml:6:"},
        {HEAD "operations: {a: {url: /x, methud: GET}}\n", "connector_form", "did you mean `method`"},
        {HEAD "operations: {}\n", "connector_form", "x.yaml:6:"},
        {HEAD "settings: {k: {secret: true, default: s3cret, help: x}}\noperations: {a: {url: /x}}\n", "connector_form",
         "x.yaml:6:"},
        {HEAD "authentication: {type: basic}\noperations: {a: {url: /x}}\n", "connector_form", "user"},
        {HEAD "webhook: {type: hmac, secret: nope, header: X}\noperations: {a: {url: /x}}\n", "connector_form", "secret"},
        {HEAD "operations: {a: {url: /x, body: '{}', form: {a: b}}}\n", "connector_form", "one of body"},
        {HEAD "operations: {a: {url: /x, pages: {style: page, parameter: p}}}\n", "connector_form", "when they end"},
        {HEAD "operations: {a: {url: /x, headers: {'bad header': x}}}\n", "connector_form", "header field"},
        {HEAD "operations: {a: {url: /x}}\noperations: {}\n", "yaml_duplicate_key", "x.yaml"},
    };
    const struct connector *c;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err rc = connector_parse(*state, str_from(bad[i].text), "x.yaml", &c);
        if (rc != ERR_INPUT || !strstr(err_text(), bad[i].place) ||
            (strcmp(err_slug(), bad[i].slug) != 0 && !str_starts(str_from(bad[i].slug), STR("yaml_"))))
            fail_msg("%s: %s [%s] %s", bad[i].text, err_name(rc), err_slug(), err_text());
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(shipped_are_sound),
        ARENA_TEST(a_folder_overrides_and_adds),
        ARENA_TEST(faults_have_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
