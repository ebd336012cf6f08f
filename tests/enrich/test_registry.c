/* test_registry.c — the index as a file: the same bytes for the same rows, read back, and refused when it is damaged. */
#include "unit.h"

#include "base/hash.h"
#include "enrich/registry_priv.h"

#include <stdlib.h>
#include <unistd.h>

static const struct registry_row rows[] = {
    {STR_INIT("a"), STR_INIT("Zephyrine Robotics Inc"), STR_INIT("Oldname; Older Name|Oldest"),
     STR_INIT("Zephyrine.example"), STR_INIT("NO"), STR_INIT("Bergen")},
    {STR_INIT("b"), STR_INIT("Blue Harbor Foods"), STR_INIT(""), STR_INIT(""), STR_INIT(""), STR_INIT("")},
    {STR_INIT("b"), STR_INIT("Blue Harbour"), STR_INIT(""), STR_INIT(""), STR_INIT("IE"), STR_INIT("Cork")},
    {STR_INIT("c"), STR_INIT("..."), STR_INIT(""), STR_INIT(""), STR_INIT(""), STR_INIT("")},
    {STR_INIT("d"), STR_INIT("International Union Bakers"), STR_INIT(""), STR_INIT(""), STR_INIT(""), STR_INIT("")},
};
enum { N_ROW = sizeof rows / sizeof *rows };

static const struct registry *build(void **state, const size_t *order, size_t n) {
    const struct match_forms *forms;
    const struct registry *r;
    assert_ok(match_forms_load(*state, &forms));
    struct registry_builder *b = registry_new(*state, forms);
    for (size_t i = 0; i < n; i++)
        assert_ok(registry_add(b, &rows[order[i]]));
    assert_ok(registry_build(b, &r));
    return r;
}

static const size_t forward[] = {0, 1, 2, 3, 4}, shuffled[] = {3, 2, 4, 0, 1};

static void rows_become_organisations(void **state) {
    const struct registry *r = build(state, forward, N_ROW);
    const struct registry_size n = registry_size_of(r);
    assert_int_equal(n.organisations, 3); /* "..." has nothing to be found by */
    assert_int_equal(n.names, 4 + 2 + 1);
    struct registry_entry e = registry_entry_of(r, 0);
    assert_str(e.id, "a");
    assert_str(e.name, "Zephyrine Robotics Inc");
    assert_str(e.domain, "zephyrine.example");
    e = registry_entry_of(r, 1);
    assert_str(e.name, "Blue Harbor Foods");
    assert_str(e.country, "IE");
}

static void terms_are_counted_by_organisation(void **state) {
    const struct registry *r = build(state, forward, N_ROW);
    const int64_t blue = registry_find_term(r, 0, STR("blue")), joined = registry_find_term(r, '=', STR("blueharborfood"));
    assert_true(blue >= 0 && joined >= 0);
    assert_int_equal(r->term[blue].df, 1); /* two names of one organisation */
    assert_int_equal(r->term[blue + 1].posting - r->term[blue].posting, 2);
    assert_true(registry_find_term(r, '#', STR("iub")) >= 0);
    assert_true(registry_find_term(r, '@', STR("zephyrine.example")) >= 0);
    assert_int_equal(registry_find_term(r, 0, STR("red")), REGISTRY_NONE);
    assert_close(registry_rarity(r, 1), log(4 / 1.5), 1e-12);
}

static void order_of_rows_does_not_matter(void **state) {
    const struct registry *a = build(state, forward, N_ROW), *b = build(state, shuffled, N_ROW);
    assert_true(str_equal(a->bytes, b->bytes));
}

static void nothing_is_a_registry_too(void **state) {
    const struct registry *r = build(state, forward, 0), *again;
    assert_int_equal(registry_size_of(r).organisations, 0);
    assert_ok(registry_read(*state, r->bytes, r->forms, &again));
}

static void rows_need_id_and_name(void **state) {
    const struct match_forms *forms;
    assert_ok(match_forms_load(*state, &forms));
    struct registry_builder *b = registry_new(*state, forms);
    assert_fails(registry_add(b, &(struct registry_row){.name = STR("x")}), ERR_INPUT, "registry_no_id");
    assert_fails(registry_add(b, &(struct registry_row){.id = STR("x"), .name = STR(" ")}), ERR_INPUT, "registry_no_name");
}

static void a_file_is_read_back(void **state) {
    const struct registry *r = build(state, forward, N_ROW), *again;
    char path[] = "/tmp/galena-registry-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_false(registry_is_index(path));
    assert_fails(registry_open(*state, path, r->forms, &again), ERR_INPUT, "registry_format");
    assert_ok(registry_write(*state, r, path));
    assert_true(registry_is_index(path));
    assert_ok(registry_open(*state, path, r->forms, &again));
    assert_true(str_equal(r->bytes, again->bytes));
    assert_str(registry_entry_of(again, 2).id, "d");
    (void)unlink(path);
    assert_fails(registry_open(*state, path, r->forms, &again), ERR_ABSENT, "file_missing");
}

/* A copy, aligned, that may be altered. */
static char *copy_of(void **state, const struct registry *r) { return arena_copy(*state, r->bytes.ptr, r->bytes.len); }

static err read_with_line(void **state, const struct registry *r, char *bytes, size_t len) {
    const struct registry *out;
    const str content = {bytes + REGISTRY_LINE_BYTE, len - REGISTRY_LINE_BYTE};
    const str line = str_format(*state, "galena-registry 1 %s %zu ", hash_hex(*state, content).ptr, content.len);
    memcpy(bytes, line.ptr, line.len);
    return registry_read(*state, (str){bytes, len}, r->forms, &out);
}

static void damage_is_told(void **state) {
    const struct registry *r = build(state, forward, N_ROW), *out;
    char *bytes = copy_of(state, r);
    const size_t len = r->bytes.len;
    assert_fails(registry_read(*state, (str){bytes, len - 1}, r->forms, &out), ERR_CORRUPT, "registry_truncated");
    assert_fails(registry_read(*state, (str){bytes, 40}, r->forms, &out), ERR_INPUT, "registry_format");
    bytes[len - 9] ^= 1;
    assert_fails(registry_read(*state, (str){bytes, len}, r->forms, &out), ERR_CORRUPT, "registry_checksum");
    bytes = copy_of(state, r);
    bytes[16] = '9';
    assert_fails(registry_read(*state, (str){bytes, len}, r->forms, &out), ERR_INPUT, "registry_version");
    bytes[0] = 'x';
    assert_fails(registry_read(*state, (str){bytes, len}, r->forms, &out), ERR_INPUT, "registry_format");
}

/* Under a right checksum: every word of the content set to what it must not be is refused, or leaves an index that can be
 * asked without harm (the sanitizers watch). */
static void wrong_content_is_refused(void **state) {
    const struct registry *r = build(state, forward, 2), *out;
    const size_t len = r->bytes.len;
    size_t refused = 0;
    const struct arena_mark mark = arena_mark(*state);
    for (size_t at = REGISTRY_LINE_BYTE; at + 4 <= len; at += at < REGISTRY_LINE_BYTE + 4096 ? 4 : 4096) {
        char *bytes = copy_of(state, r);
        memset(bytes + at, 0xff, 4);
        if (read_with_line(state, r, bytes, len) != OK) {
            assert_true(str_equal(str_from(err_slug()), STR("registry_content")));
            refused++;
        } else {
            assert_ok(registry_read(*state, (str){bytes, len}, r->forms, &out));
            (void)registry_find_term(out, 0, STR("zephyrine"));
        }
        arena_rewind(*state, mark);
    }
    assert_true(refused > 50);
}

static void trigrams_are_sorted_and_few(void **state) {
    (void)state;
    uint32_t gram[REGISTRY_GRAM_MAX];
    assert_int_equal(registry_grams_of(STR("abc"), gram), 3);
    assert_int_equal(registry_grams_of(STR("aaaaaa"), gram), 3);
    assert_int_equal(registry_grams_of(STR(""), gram), 0);
    const size_t n = registry_grams_of(STR("thequickbrownfoxjumpsoverthelazydogandsomemore"), gram);
    assert_true(n <= REGISTRY_GRAM_MAX);
    for (size_t i = 1; i < n; i++)
        assert_true(gram[i - 1] < gram[i]);
}

static void domains_have_one_spelling(void **state) {
    static const char *const cases[][2] = {{"https://www.Acme.example/about?x", "acme.example"},
                                           {"jo@Acme.example", "acme.example"},
                                           {"acme.example:8080", "acme.example"},
                                           {" acme.example ", "acme.example"},
                                           {"acme", ""},
                                           {"", ""}};
    char to[64];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const str got = {to, registry_domain_form(str_from(cases[i][0]), to, sizeof to)};
        assert_str(str_copy(*state, got), cases[i][1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(rows_become_organisations),
        ARENA_TEST(terms_are_counted_by_organisation),
        ARENA_TEST(order_of_rows_does_not_matter),
        ARENA_TEST(nothing_is_a_registry_too),
        ARENA_TEST(rows_need_id_and_name),
        ARENA_TEST(a_file_is_read_back),
        ARENA_TEST(damage_is_told),
        ARENA_TEST(wrong_content_is_refused),
        ARENA_TEST(trigrams_are_sorted_and_few),
        ARENA_TEST(domains_have_one_spelling),
    };
    return cmocka_run_group_tests_name("enrich/registry", tests, NULL, NULL);
}
