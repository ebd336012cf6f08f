/* test_guard.c — URLs that try to reach what is private: none does, and a listener on this machine proves it. */
#include "egress_support.h"

/* PORT is the listener's, on 127.0.0.1 and on ::1. Hosts under .test are resolved by the hook below. */
static const char *const corpus[] = {
    /* plain */
    "http://127.0.0.1:PORT/",
    "http://127.0.0.1:PORT",
    "http://127.1:PORT/",
    "http://127.0.1:PORT/",
    "http://127.255.255.254:PORT/",
    "http://localhost:PORT/",
    "http://LOCALHOST:PORT/",
    "http://localhost.:PORT/",
    "http://0.0.0.0:PORT/",
    "http://0:PORT/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://169.254.1.1/",
    "http://192.0.0.192/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    /* where clouds tell their guests secrets */
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://168.63.129.16/metadata",
    "http://2852039166/latest/",
    "http://0xa9fea9fe/",
    "http://[::ffff:169.254.169.254]/",
    /* decimal, octal, hexadecimal, mixed */
    "http://2130706433:PORT/",
    "http://0x7f000001:PORT/",
    "http://0x7F.0x0.0x0.0x1:PORT/",
    "http://0x7f.1:PORT/",
    "http://017700000001:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://0177.0.0.01:PORT/",
    "http://00000177.0.0.1:PORT/",
    "http://127.0x1:PORT/",
    "http://0300.0250.1.1/",
    "http://3232235777/",
    "http://4294967297:PORT/",
    "http://127.0.0.1.:PORT/",
    "http://127.0.0.256:PORT/",
    /* IPv6 */
    "http://[::1]:PORT/",
    "http://[0:0:0:0:0:0:0:1]:PORT/",
    "http://[0000:0000:0000:0000:0000:0000:0000:0001]:PORT/",
    "http://[::]:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/",
    "http://[::127.0.0.1]:PORT/",
    "http://[64:ff9b::7f00:1]:PORT/",
    "http://[64:ff9b::127.0.0.1]:PORT/",
    "http://[2002:7f00:1::]:PORT/",
    "http://[2002:0a00:0001::1]/",
    "http://[fe80::1%25lo]:PORT/",
    "http://[fe80::1%lo]:PORT/",
    "http://[::1%25lo]:PORT/",
    "http://[fc00::1]/",
    "http://[fd12:3456::1]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[2001::1]/",
    /* user names, and what looks like them */
    "http://example.com@127.0.0.1:PORT/",
    "http://user:password@127.0.0.1:PORT/",
    "http://public.test:80@127.0.0.1:PORT/",
    "http://127.0.0.1:PORT@public.test/",
    "http://127.0.0.1:PORT#@public.test/",
    "http://127.0.0.1:PORT?@public.test/",
    "http://127.0.0.1:PORT\\@public.test/",
    "http://public.test\\@127.0.0.1:PORT/",
    /* schemes and slashes */
    "HTTP://127.0.0.1:PORT/",
    "hTtP://127.0.0.1:PORT/",
    "http:127.0.0.1:PORT/",
    "http:/127.0.0.1:PORT/",
    "http:///127.0.0.1:PORT/",
    "//127.0.0.1:PORT/",
    "127.0.0.1:PORT",
    "https://127.0.0.1:PORT/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:PORT/_GET",
    "ftp://127.0.0.1:PORT/",
    "dict://127.0.0.1:PORT/d",
    "ldap://127.0.0.1:PORT/",
    "telnet://127.0.0.1:PORT/",
    "ws://127.0.0.1:PORT/",
    "jar:http://127.0.0.1:PORT/!/",
    /* odd characters: full width, circled, ideographic dots, percent signs, white space, controls */
    "http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1:PORT/",
    "http://\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.0.0.1:PORT/",
    "http://127\xe3\x80\x82"
    "0\xe3\x80\x82"
    "0\xe3\x80\x82"
    "1:PORT/",
    "http://l\xc3\xb6"
    "calhost:PORT/",
    "http://"
    "\xe2\x93\x9b\xe2\x93\x9e\xe2\x93\x92\xe2\x93\x90\xe2\x93\x9b\xe2\x93\x97\xe2\x93\x9e\xe2\x93\xa2\xe2\x93\xa3:PORT/",
    "http://%31%32%37.0.0.1:PORT/",
    "http://127.0.0.1%00.public.test:PORT/",
    "http://127.0.0.1%2e:PORT/",
    "http://%6c%6f%63%61%6c%68%6f%73%74:PORT/",
    " http://127.0.0.1:PORT/",
    "http://127.0.0.1 :PORT/",
    "http://127.0.0.1\t:PORT/",
    "http://127.0.0.1:PORT\r\nHost: public.test/",
    "http://127.0.0.1:00PORT/",
    "http://127.0.0.1:/",
    /* names that lead inside, and punycode */
    "http://inside.test:PORT/",
    "http://inside.test.:PORT/",
    "http://INSIDE.test:PORT/",
    "http://inside6.test:PORT/",
    "http://mapped.test:PORT/",
    "http://metadata.test/",
    "http://xn--nside-ufa.test:PORT/",
    "http://rebind.test:PORT/",
};

struct guarded {
    atomic_int asked;
    int port;
};
static struct guarded guarded;

/* A name server that lies: every name leads inside, and rebind.test is 127.0.0.1 the first time it is asked for, and another
 * address of this machine from then on. What only the system can resolve is left to it. */
static bool resolve(void *ctx, str host, struct address *out) {
    struct guarded *g = ctx;
    static const struct {
        const char *name, *address;
    } table[] = {{"inside6.test", "::1"}, {"mapped.test", "::ffff:127.0.0.1"}, {"metadata.test", "169.254.169.254"}};
    if (str_equal_nocase(host, STR("localhost")) || str_equal_nocase(host, STR("localhost.")) ||
        str_equal(host, STR("127.0.0.1.")))
        return false;
    if (str_equal_nocase(host, STR("rebind.test"))) {
        bool first = atomic_fetch_add(&g->asked, 1) == 0;
        return address_parse(first ? STR("127.0.0.1") : STR("127.0.0.2"), out);
    }
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (str_equal_nocase(host, str_from(table[i].name)))
            return address_parse(str_from(table[i].address), out);
    return address_parse(STR("127.0.0.1"), out);
}

static void with_guard(struct egress_settings *s) {
    s->n_allow = 0;
    s->resolve = resolve;
    s->resolve_ctx = &guarded;
}

static int listen_v6(int port) {
    struct sockaddr_in6 at = {
        .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && (bind(fd, (const struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 16) != 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static str with_port(struct arena *a, const char *text, int port) {
    const char *at = strstr(text, "PORT");
    return at ? str_format(a, "%.*s%d%s", (int)(at - text), text, port, at + 4) : str_from(text);
}

static void nothing_private_is_reached(void **state) {
    guarded = (struct guarded){0};
    struct door *d = door_open(state, with_guard);
    int v6 = listen_v6(d->world->port);
    const size_t n = sizeof corpus / sizeof *corpus;
    assert_true(n >= 60);
    for (size_t i = 0; i < n; i++) {
        struct egress_call c = call_of(d, "/");
        c.url = with_port(d->arena, corpus[i], d->world->port);
        c.credential = str_format(d->arena, "%zu", i);
        c.limit_ms = 5000;
        c.max_redirects = 5;
        struct kept *k = ask(d, c);
        if (k->class != EGRESS_REFUSED && k->class != EGRESS_TRANSIENT)
            fail_msg("%s: %s %.*s", corpus[i], egress_class_name(k->class), STR_ARG(k->slug));
        assert_int_equal(k->status, 0);
    }
    assert_int_equal(d->world->connections, 0);
    if (v6 >= 0) {
        assert_int_equal(accept(v6, NULL, NULL), -1);
        close(v6);
    }
    door_close(d);
}

/* ---- redirections, from a place that may be called ---- */

static struct address_range only_one;
static void with_one_allowed(struct egress_settings *s) {
    s->allow = &only_one;
    s->n_allow = 1;
    s->resolve = resolve;
    s->resolve_ctx = &guarded;
}

/* The server on 127.0.0.1 may be called; it sends callers on to places on the same port that may not. */
static void redirections_are_checked_again(void **state) {
    static const char *const places[] = {
        "http://127.0.0.2:PORT/ok",
        "http://[::1]:PORT/ok",
        "http://0x7f000002:PORT/ok",
        "http://127.2:PORT/ok",
        "http://[::ffff:127.0.0.2]:PORT/",
        "//127.0.0.3:PORT/ok",
        "http://10.0.0.1/",
        "http://metadata.test/",
        "http://user@127.0.0.1:PORT/ok",
        "file:///etc/passwd",
        "gopher://127.0.0.1:PORT/",
        "http://inside6.test:PORT/",
        "http://0.0.0.0:PORT/ok",
        "http://169.254.169.254/a/b",
        "http:///127.0.0.2:PORT/ok",
    };
    only_one = range_of("127.0.0.1/32");
    struct door *d = door_open(state, with_one_allowed);
    int v6 = listen_v6(d->world->port);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct egress_call c = call_of(d, "");
        str to = with_port(d->arena, places[i], d->world->port);
        pthread_mutex_lock(&d->world->lock);
        snprintf(d->world->redirect, sizeof d->world->redirect, "Location: %.*s\r\n", STR_ARG(to));
        pthread_mutex_unlock(&d->world->lock);
        c.url = url_of(d, "/redirect");
        c.credential = str_format(d->arena, "%zu", i);
        c.limit_ms = 5000;
        c.max_redirects = 5;
        int hits = d->world->hits;
        struct kept *k = ask(d, c);
        if (k->rc != ERR_DENIED && k->class != EGRESS_REFUSED && k->class != EGRESS_PERMANENT)
            fail_msg("%s: %s %.*s", places[i], egress_class_name(k->class), STR_ARG(k->slug));
        assert_int_equal(d->world->hits, hits + 1);
    }
    if (v6 >= 0) {
        assert_int_equal(accept(v6, NULL, NULL), -1);
        close(v6);
    }
    door_close(d);
}

/* The name's address changes between two calls, and between a call and its redirection: each connection is checked. */
static void names_that_change_are_checked_at_the_connection(void **state) {
    guarded = (struct guarded){0};
    only_one = range_of("127.0.0.1/32");
    struct door *d = door_open(state, with_one_allowed);
    struct egress_call c = call_of(d, "/");
    c.url = str_format(d->arena, "http://rebind.test:%d/ok", d->world->port);
    expect(ask(d, c), EGRESS_OK, "");
    for (int i = 0; i < 3; i++)
        expect(ask(d, c), EGRESS_REFUSED, "http_address_refused");
    assert_int_equal(d->world->hits, 1);
    atomic_store(&guarded.asked, 0);
    snprintf(d->world->redirect, sizeof d->world->redirect, "Location: http://rebind.test:%d/ok\r\n", d->world->port);
    c.url = str_format(d->arena, "http://rebind.test:%d/redirect", d->world->port);
    c.max_redirects = 3;
    expect(ask(d, c), EGRESS_REFUSED, "http_address_refused");
    assert_int_equal(d->world->hits, 2);
    assert_int_equal(d->world->connections, 2);
    door_close(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(nothing_private_is_reached),
        ARENA_TEST(redirections_are_checked_again),
        ARENA_TEST(names_that_change_are_checked_at_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
