/* test_address.c — addresses, ranges, and what is not public (RFC 6890). */
#include "net/address.h"
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const char *kind_of(const char *text) {
    struct address a;
    if (!address_parse(str_from(text), &a))
        fail_msg("%s is no address", text);
    return address_special(&a);
}

static void what_is_not_public_is_known(void **state) {
    (void)state;
    static const char *const special[] = {
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::2",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.1.2.3",
        "::ffff:0:127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:1ff:ffff::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:a00:1::",
        "2002:c0a8:101::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "fe00::1",
    };
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (!kind_of(special[i]))
            fail_msg("%s counts as public", special[i]);
    assert_string_equal(kind_of("127.0.0.1"), "loopback");
    assert_string_equal(kind_of("::ffff:10.1.2.3"), "private");
    assert_string_equal(kind_of("2002:a9fe:a9fe::1"), "link-local");
}

static void what_is_public_may_be_called(void **state) {
    (void)state;
    static const char *const fine[] = {
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.1",
        "168.63.129.15",
        "168.63.129.17",
        "169.253.0.1",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2606:4700::1111",
        "2003::1",
        "3ffe::1",
        "2a00::1",
    };
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        if (kind_of(fine[i]))
            fail_msg("%s counts as %s", fine[i], kind_of(fine[i]));
}

static bool in(const char *address, const char *range) {
    struct address a;
    struct address_range r;
    assert_true(address_parse(str_from(address), &a));
    assert_ok(address_parse_range(str_from(range), &r));
    return address_in_range(&a, &r);
}

static void ranges_hold_what_shares_their_prefix(void **state) {
    (void)state;
    assert_true(in("10.1.2.3", "10.0.0.0/8"));
    assert_false(in("11.1.2.3", "10.0.0.0/8"));
    assert_true(in("192.168.1.127", "192.168.1.0/25"));
    assert_false(in("192.168.1.128", "192.168.1.0/25"));
    assert_true(in("127.0.0.1", "127.0.0.1"));
    assert_false(in("127.0.0.2", "127.0.0.1"));
    assert_true(in("1.2.3.4", "0.0.0.0/0"));
    assert_false(in("2001:db8::1", "0.0.0.0/0"));
    assert_true(in("1.2.3.4", "::/0"));
    assert_true(in("fd12::1", "fd00::/8"));
    assert_false(in("fc12::1", "fd00::/8"));
    assert_true(in("::ffff:10.0.0.1", "10.0.0.0/8"));
    assert_true(in("10.0.0.1", "::ffff:10.0.0.0/104"));
}

static void bad_ranges_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",           "10",     "10.0.0.0/", "10.0.0.0/33",    "10.0.0.0/-1",  "10.0.0.0/+8", "10.0.0.0/x",
        "10.0.0.1/8", "::/129", "[::1]",     "::1%eth0",       "10.0.0.0/8/8", " 10.0.0.0",   "10.0.0.0/ 8",
        "010.0.0.0",  "1.2.3",  "localhost", "2001:db8::1/32", "/8",           "10.0.0.0/08x"};
    struct address_range r;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(address_parse_range(str_from(bad[i]), &r), ERR_INPUT, "address_bad_range");
    assert_fails(address_parse_range((str){"10.0.0.1\0", 9}, &r), ERR_INPUT, "address_bad_range");
}

static void the_list_allows_what_is_not_public(void **state) {
    (void)state;
    struct address_range allow[2];
    struct address loopback, other, public;
    assert_ok(address_parse_range(STR("127.0.0.0/8"), &allow[0]));
    assert_ok(address_parse_range(STR("fd00::/8"), &allow[1]));
    assert_true(address_parse(STR("127.0.0.1"), &loopback) && address_parse(STR("10.0.0.1"), &other) &&
                address_parse(STR("8.8.8.8"), &public));
    assert_true(address_allowed(&loopback, allow, 2));
    assert_false(address_allowed(&loopback, NULL, 0));
    assert_false(address_allowed(&other, allow, 2));
    assert_true(address_allowed(&public, NULL, 0));
}

static void sockets_and_texts(void **state) {
    (void)state;
    struct address a;
    char text[ADDRESS_TEXT_BYTE];
    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xC0000201)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr local = {.sa_family = AF_UNIX};
    assert_true(address_from_socket((const struct sockaddr *)&in4, &a));
    assert_int_equal(address_format(&a, text), 9);
    assert_string_equal(text, "192.0.2.1");
    assert_true(address_is_v4(&a));
    assert_true(address_from_socket((const struct sockaddr *)&in6, &a));
    address_format(&a, text);
    assert_string_equal(text, "::1");
    assert_false(address_from_socket(&local, &a));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_public_is_known),          cmocka_unit_test(what_is_public_may_be_called),
        cmocka_unit_test(ranges_hold_what_shares_their_prefix), cmocka_unit_test(bad_ranges_are_refused),
        cmocka_unit_test(the_list_allows_what_is_not_public),   cmocka_unit_test(sockets_and_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
