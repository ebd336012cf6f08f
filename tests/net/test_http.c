/* test_http.c — fields, escapes and queries. */
#include "net/http.h"
#include "unit.h"

static void escapes_are_decoded(void **state) {
    str out;
    assert_ok(http_decode(*state, STR("/a%20b%2Fc%e2%82%ac+"), &out));
    assert_str(out, "/a b/c\xe2\x82\xac+");
    str plain = STR("/plain");
    assert_ok(http_decode(*state, plain, &out));
    assert_ptr_equal(out.ptr, plain.ptr);
    static const char *const bad[] = {"%", "%1", "a%zz", "%g0", "%0g", "%00", "x%"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(http_decode(*state, str_from(bad[i]), &out), ERR_INPUT, "http_bad_escape");
}

static void queries_are_cut_and_decoded(void **state) {
    struct http_field *field;
    size_t n;
    assert_ok(http_parse_query(*state, STR("a=1&&b=x+y%2Bz&c&=d&e=f=g&"), 5, &field, &n));
    assert_int_equal(n, 5);
    assert_str(field[0].name, "a");
    assert_str(field[1].value, "x y+z");
    assert_str(field[2].name, "c");
    assert_str(field[2].value, "");
    assert_str(field[3].name, "");
    assert_str(field[3].value, "d");
    assert_str(field[4].value, "f=g");
    assert_ok(http_parse_query(*state, STR(""), 5, &field, &n));
    assert_int_equal(n, 0);
    assert_fails(http_parse_query(*state, STR("a&b&c"), 2, &field, &n), ERR_LIMIT, "http_too_many_parameters");
    assert_fails(http_parse_query(*state, STR("a=%"), 2, &field, &n), ERR_INPUT, "http_bad_escape");
}

static void fields_are_found_without_case(void **state) {
    (void)state;
    const struct http_field field[] = {
        {STR("Content-Type"), STR("a")}, {STR("content-type"), STR("b")}, {STR("X"), STR("")}};
    assert_str(http_field_value(field, 3, STR("CONTENT-TYPE")), "a");
    assert_non_null(http_field_value(field, 3, STR("x")).ptr);
    assert_null(http_field_value(field, 3, STR("y")).ptr);
}

static void one_field_stays_one(void **state) {
    (void)state;
    assert_true(http_field_sendable((struct http_field){STR("X-A"), STR("tab\tand \xc3\xa4")}));
    assert_false(http_field_sendable((struct http_field){STR("X-A"), STR("a\r\nB: c")}));
    assert_false(http_field_sendable((struct http_field){STR("X-A"), STR("a\nb")}));
    assert_false(http_field_sendable((struct http_field){STR("X-A"), STR("a\0b")}));
    assert_false(http_field_sendable((struct http_field){STR("X A"), STR("")}));
    assert_false(http_field_sendable((struct http_field){STR("X:"), STR("")}));
    assert_false(http_field_sendable((struct http_field){STR(""), STR("")}));
    assert_string_equal(http_status_text(429), "Too Many Requests");
    assert_string_equal(http_status_text(299), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(escapes_are_decoded),
        ARENA_TEST(queries_are_cut_and_decoded),
        cmocka_unit_test(fields_are_found_without_case),
        cmocka_unit_test(one_field_stays_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
