/* test_json_cases.c — what must be read and what refused, case by case and beside another library, and round trips. */
#include "base/json_support.h"
#include "base/peer_jansson.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { ROUNDS = 4000 };
#else
enum { ROUNDS = 40000 };
#endif

/* ---- tests/cases/json/syntax.case ---- */

static void check_case(struct arena *a, str line) {
    str rest = line, name = {0}, slug = {0}, text = {0}, canonical = {0};
    const struct json *v = NULL;
    assert_true(str_split(&rest, '\t', &name) && str_split(&rest, '\t', &slug) && str_split(&rest, '\t', &text));
    str_split(&rest, '\t', &canonical);
    err rc = json_parse(a, test_unescape(a, text), NULL, &v);
    const bool readable = str_equal(slug, STR("-"));
    if ((rc == OK) != readable || (!readable && !str_equal(slug, str_from(err_slug()))))
        fail_msg("%.*s: %s [%s] %s", STR_ARG(name), err_name(rc), err_slug(), err_text());
    if (!readable)
        return;
    struct buf *out = buf_in(a, 1 << 20);
    json_write_canonical(out, v);
    canonical = test_unescape(a, canonical);
    if (!str_equal(buf_str(out), canonical))
        fail_msg("%.*s: %.*s, not %.*s", STR_ARG(name), STR_ARG(buf_str(out)), STR_ARG(canonical));
}

static void cases(void **state) {
    str rest = test_file(*state, "cases/json/syntax.case"), line;
    size_t n = 0;
    while (str_split(&rest, '\n', &line)) {
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        check_case(*state, line);
        n++;
    }
    assert_true(n > 300);
}

/* ---- beside jansson ---- */

static void compare_with_peer(struct arena *a, const struct peer *peer, str text) {
    const char *difference = peer_difference(peer, a, text);
    if (difference)
        fail_msg("%s: %.*s", difference, STR_ARG(text));
}

static void agrees_with_jansson(void **state) {
    struct arena *a = *state;
    const struct peer *peer = peer_open(a);
    if (!peer)
        skip();
    struct rng r = rng_from_seed(21);
    size_t damaged_but_read = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct arena_mark mark = arena_mark(a);
        struct json tree = random_tree(a, &r, 4);
        struct buf *out = buf_in(a, 1 << 22);
        struct json_writer w;
        json_write_begin(&w, out, i % 3 == 0 ? 2 : 0);
        json_value(&w, &tree);
        compare_with_peer(a, peer, buf_str(out));
        str damaged = random_damage(a, &r, buf_str(out));
        const struct json *v;
        damaged_but_read += json_parse(a, damaged, NULL, &v) == OK;
        compare_with_peer(a, peer, damaged);
        arena_rewind(a, mark);
    }
    assert_true(damaged_but_read > ROUNDS / 20); /* the damage is not always fatal: both verdicts are tested */
}

/* ---- round trips ---- */

static void trees_survive_writing(void **state) {
    struct arena *a = *state;
    struct rng r = rng_from_seed(22);
    for (int i = 0; i < ROUNDS; i++) {
        struct arena_mark mark = arena_mark(a);
        struct json tree = random_tree(a, &r, 5);
        struct buf *out = buf_in(a, 1 << 22), *canonical = buf_in(a, 1 << 22), *again = buf_in(a, 1 << 22);
        struct json_writer w;
        const struct json *back = NULL;
        json_write_begin(&w, out, i % 2 == 0 ? 0 : 3);
        json_value(&w, &tree);
        assert_ok(buf_check(out));
        assert_ok(json_parse(a, buf_str(out), NULL, &back));
        if (!json_equal(&tree, back))
            fail_msg("changed: %.*s", STR_ARG(buf_str(out)));
        json_write_canonical(canonical, &tree);
        json_write_canonical(again, back);
        assert_true(str_equal(buf_str(canonical), buf_str(again)));
        arena_rewind(a, mark);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {ARENA_TEST(cases), ARENA_TEST(agrees_with_jansson),
                                       ARENA_TEST(trees_survive_writing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
