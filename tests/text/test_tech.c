/* test_tech.c — rules and pages of our own through the whole detection, with Hyperscan and without. */
#include "unit.h"

#include "base/asset.h"
#include "base/buf.h"
#include "base/rng.h"
#include "text/tech.h"

#include <time.h>

static const char categories[] =
    "{\"1\": {\"name\": \"CMS\", \"priority\": 1}, \"2\": {\"name\": \"Shops\", \"priority\": 2},"
    " \"3\": {\"name\": \"Servers\", \"priority\": 3}}";

static const char technologies[] =
    "{\"Press\": {\"cats\": [1], \"html\": \"<link[^>]+/press-content/\", \"meta\": {\"Generator\": "
    "\"^Press ([\\\\d.]+)\\\\;version:\\\\1\"}, \"implies\": [\"Lang\\\\;confidence:40\"], \"excludes\": \"Old\"},"
    "\"Old\": {\"cats\": [1], \"html\": \"press\"},"
    "\"Shop\": {\"cats\": [2], \"requires\": \"Press\", \"text\": \"\\\\bcart\\\\b\"},"
    "\"Discount\": {\"cats\": [2], \"requiresCategory\": 2, \"css\": \"\\\\.sale\\\\b\"},"
    "\"Lang\": {\"cats\": [3], \"headers\": {\"X-Powered-By\": \"^Lang/([\\\\d.]+)\\\\;version:\\\\1\"}, \"url\": "
    "\"\\\\.lng$\"},"
    "\"Server\": {\"cats\": [3], \"headers\": {\"server\": [\"^(fast)?Server\\\\;version:\\\\1?2:1\"]}, \"cookies\": "
    "{\"SID\": \"\"},"
    " \"dns\": {\"MX\": \"mail\\\\.server\\\\.example\"}},"
    "\"Query\": {\"cats\": [3], \"scriptSrc\": [\"^/query-([\\\\d.]+)\\\\.js$\\\\;version:\\\\1\", "
    "\"query\\\\.js(?!on)\\\\;confidence:50\"], \"scripts\": \"query\\\\.init\\\\(\\\\;confidence:30\"},"
    "\"Look\": {\"cats\": [3], \"dom\": {\"a[href*='look.example']\": {\"attributes\": {\"href\": "
    "\"v=([\\\\d.]+)\\\\;version:\\\\1\"}},"
    "\"#look > b\": {\"text\": \"^made by\"}}},"
    "\"Seen\": {\"cats\": [3], \"dom\": [\"[data-seen]\", \"p.seen + p\\\\;confidence:20\"]},"
    "\"Caf\xC3\xA9\": {\"cats\": [9], \"text\": \"Caf[e\xC3\xA9]\\\\W\", \"html\": \"<i>.\xE2\x84\xA2</i>\"},"
    "\"Broken\": {\"cats\": [3], \"html\": [\"(\", \"<broken>\"], \"dom\": \"a:hover\", \"implies\": \"Nobody\"}}";

static struct tech_rules *compile(void **state, bool prefilter) {
    struct tech_source s[] = {{STR("categories.json"), str_from(categories)}, {STR("a.json"), str_from(technologies)}};
    struct tech_rules *r;
    assert_ok(tech_rules_compile(*state, s, 2, prefilter, &r));
    return r;
}

static struct tech_worker *worker(void **state, const struct tech_rules *r) {
    const struct tech_limits limits = tech_limits_default();
    struct tech_worker *w;
    assert_ok(tech_worker_new(*state, r, &limits, &w));
    return w;
}

/* The result as "Name version confidence;…". */
static str detect(void **state, struct tech_worker *w, const struct tech_input *in) {
    struct tech_result r;
    struct buf *b = buf_in(*state, 1 << 20);
    tech_detect(w, *state, in, &r);
    for (size_t i = 0; i < r.n; i++)
        buf_add_format(b, "%s%.*s %.*s %u", i ? ";" : "", STR_ARG(r.found[i].name), STR_ARG(r.found[i].version),
                       r.found[i].confidence);
    if (r.incomplete)
        buf_add(b, STR(" (incomplete)"));
    return buf_str(b);
}

static void check(void **state, const struct tech_input *in, const char *expected) {
    for (int prefilter = 0; prefilter < 2; prefilter++)
        assert_str(detect(state, worker(state, compile(state, prefilter)), in), expected);
}

static void check_html(void **state, const char *html, const char *expected) {
    check(state, &(struct tech_input){.html = str_from(html)}, expected);
}

static void test_kinds(void **state) {
    const struct tech_field header[] = {{STR("Server"), STR("FastServer")},
                                        {STR("x-powered-by"), STR("Lang/7.4")},
                                        {STR("Set-Cookie"), STR("sid=1; path=/")}};
    const struct tech_field dns[] = {{STR("mx"), STR("10 mail.server.example.")}};
    check(state, &(struct tech_input){.html = {"", 0}, .header = header, .n_header = 2}, "Lang 7.4 100;Server 2 100");
    check(state, &(struct tech_input){.html = {"", 0}, .header = header + 2, .n_header = 1}, "Server  100");
    check(state, &(struct tech_input){.html = {"", 0}, .dns = dns, .n_dns = 1}, "Server  100");
    check(state, &(struct tech_input){.html = {"", 0}, .url = STR("https://x.example/a.LNG")}, "Lang  100");
    check_html(state, "<script src='/query-1.2.js'></script><script src='/lib/query.js?'></script>", "Query 1.2 100");
    check_html(state, "<script src='/lib/query.js'></script><script>query.init(1)</script>", "Query  80");
    check_html(state, "<script src='/lib/query.json'></script><script src='x/query-1.2.js'></script>", "");
    check_html(state, "<a href='//look.example/?v=3.1'>x</a><a href='//look.example/?v=3'>y</a>", "Look 3.1 100");
    check_html(state, "<div id=look><b> Made by us</b></div>", "Look  100");
    check_html(state, "<div id=look><i><b>Made by us</b></i></div>", "");
    check_html(state, "<p class=seen>1<p>2", "Seen  20");
    check_html(state, "<p class=seen data-seen>1<p>2", "Seen  100");
    check_html(state, "<p>un caf\xC3\xA9</p>", "Caf\xC3\xA9  100");
    check_html(state, "<i>\xC3\xA9\xE2\x84\xA2</i>", "Caf\xC3\xA9  100");
    check_html(state, "<broken>", "Broken  100");
}

static void test_relations(void **state) {
    check_html(state, "<link href='/press-content/x.css'>", "Lang  40;Press  100");
    check_html(state, "pressed", "Old  100");
    check_html(state, "<meta name=generator content='Press 5.1'> cart <style>.sale{}</style>",
               "Discount  100;Lang  40;Press 5.1 100;Shop  100");
    check_html(state, "a cart <style>.sale{}</style>", "");
}

static void test_evidence(void **state) {
    struct tech_worker *w = worker(state, compile(state, true));
    struct tech_result r;
    tech_detect(w, *state, &(struct tech_input){.html = STR("<meta name=Generator content='Press 5.1'>")}, &r);
    assert_int_equal(r.n, 2);
    assert_str(r.found[0].name, "Lang");
    assert_str(r.found[0].implied_by, "Press");
    assert_int_equal(r.found[0].n_evidence, 0);
    assert_int_equal(r.found[1].n_evidence, 1);
    const struct tech_evidence *e = &r.found[1].evidence[0];
    assert_int_equal(e->kind, TECH_META);
    assert_str(e->key, "generator");
    assert_str(e->match, "Press 5.1");
    assert_str(e->version, "5.1");
    assert_str(e->pattern, "^Press ([\\d.]+)");
    assert_str(r.found[1].category[0], "CMS");
}

static void test_faults(void **state) {
    size_t n;
    const struct tech_fault *f = tech_rules_faults(compile(state, true), &n);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++) {
        assert_str(f[i].technology, "Broken");
        assert_str(f[i].file, "a.json");
        assert_true(f[i].reason.len > 0);
    }
    assert_str(f[0].kind, "html");
    assert_str(f[1].kind, "dom");
    assert_str(f[2].kind, "implies");
}

static void test_sources(void **state) {
    struct tech_rules *r;
    struct tech_source both[] = {{STR("one"), STR("{\"categories\": {\"1\": {\"name\": \"C\", \"priority\": 1}}, "
                                                  "\"technologies\": {\"A\": {\"cats\": [1], \"html\": \"aaa\"}}}")},
                                 {STR("two"), STR("{\"apps\": {\"A\": {\"cats\": [2], \"html\": \"bbb\"}}}")},
                                 {STR("package.json"), STR("{\"name\": \"x\", \"files\": [\"src\"]}")}};
    assert_ok(tech_rules_compile(*state, both, 3, true, &r));
    assert_int_equal(tech_rules_size(r).technologies, 1);
    assert_int_equal(tech_rules_size(r).patterns, 2);
    assert_str(detect(state, worker(state, r), &(struct tech_input){.html = STR("bbb")}), "A  100");
    assert_fails(tech_rules_compile(*state, both + 2, 1, true, &r), ERR_INPUT, "tech_no_rules");
    both[0].json = STR("{");
    assert_int_equal(tech_rules_compile(*state, both, 1, true, &r), ERR_INPUT);
}

/* Pages put together from pieces that rules nearly or really match: both engines say the same of each. */
static void test_same_without_hyperscan(void **state) {
    static const char *const pieces[] = {"<link href='/press-content/",
                                         "<link ",
                                         ">",
                                         "'>",
                                         "<meta name=generator content='Press 5.",
                                         "1'>",
                                         "<p class=seen>",
                                         "<p>",
                                         "<script src='",
                                         "/query-1.2.js",
                                         "query.js",
                                         "on",
                                         "'></script>",
                                         "<script>query.init(",
                                         "</script>",
                                         "cart ",
                                         "cart_",
                                         "<style>.sale",
                                         "</style>",
                                         "{}",
                                         "\n",
                                         "<a href='look.example",
                                         "?v=2.0",
                                         "<b>",
                                         "made by",
                                         "<div id=look>",
                                         "caf\xC3\xA9 ",
                                         "Caf\xC3\xA9s",
                                         "<i>x\xE2\x84\xA2</i>",
                                         "data-seen",
                                         "<q data-seen=1>",
                                         "<broken>",
                                         "\xFF",
                                         "wp-content",
                                         "<!--",
                                         "-->",
                                         "<script src=https://js.stripe.com/v3/></script>",
                                         "<img src='/sites/default/files/x'>",
                                         "<iframe src=https://youtube.com/embed/1>"};
    const struct tech_source own[] = {
        {STR("c"), str_from(categories)},
        {STR("t"), str_from(technologies)},
        {STR("own"), asset_get(STR("technologies/technologies.json"))},
    };
    struct rng rng = rng_from_seed(7);
    struct tech_rules *r[2];
    struct tech_worker *w[2];
    size_t found = 0;
    for (int i = 0; i < 2; i++) {
        assert_ok(tech_rules_compile(*state, own, 3, i, &r[i]));
        w[i] = worker(state, r[i]);
    }
    for (int page = 0; page < 300; page++) {
        struct buf *b = buf_in(*state, 1 << 20);
        for (size_t i = 0, n = 1 + rng_below(&rng, 60); i < n; i++)
            buf_add(b, str_from(pieces[rng_below(&rng, sizeof pieces / sizeof *pieces)]));
        const struct tech_input in = {.html = buf_str(b)};
        const str with = detect(state, w[1], &in), without = detect(state, w[0], &in);
        if (!str_equal(with, without))
            fail_msg("%.*s: \"%.*s\" and \"%.*s\"", STR_ARG(in.html), STR_ARG(with), STR_ARG(without));
        found += with.len > 0;
    }
    assert_true(found > 200);
}

static void test_own_rules(void **state) {
    const struct tech_source own[] = {{STR("c"), asset_get(STR("technologies/categories.json"))},
                                      {STR("t"), asset_get(STR("technologies/technologies.json"))}};
    struct tech_rules *r;
    size_t n;
    assert_ok(tech_rules_compile(*state, own, 2, true, &r));
    const struct tech_fault *f = tech_rules_faults(r, &n);
    if (n > 0)
        fail_msg("%.*s: %.*s", STR_ARG(f[0].technology), STR_ARG(f[0].reason));
    assert_true(tech_rules_size(r).technologies >= 200);
    struct tech_worker *w = worker(state, r);
    assert_str(detect(state, w, &(struct tech_input){.html = STR("<link rel=stylesheet href=/wp-includes/css/a.css>")}),
               "PHP  100;WordPress  100");
    assert_str(detect(state, w, &(struct tech_input){.html = STR("<p>WordPress, Drupal and jQuery are words</p>")}), "");
}

/* A text that makes a regular expression try at every place, and selectors at every element: the page ends in time. */
static void test_hostile(void **state) {
    static const char *const pieces[] = {"<a ",
                                         "<link /press-",
                                         "<p class=seen><b>",
                                         "<a href='look.example'>",
                                         "aaaa",
                                         "<i>x",
                                         "<script src=query.js></script>",
                                         "<div><p data-seen>",
                                         "<link x"};
    static const char rules[] =
        "{\"Slow\": {\"cats\": [1], \"html\": [\"(?:a+)+b\", \"<[^>]+x[^>]+y[^>]+z[^>]+!\", \"(a|aa)+$\", \"end\"],"
        "\"text\": \"(\\\\w+\\\\s?)+$\", \"dom\": [\"div div div p b\", \"p ~ p ~ p ~ i\"]}}";
    enum { SIZE = 1 << 20 };
    const struct tech_source s = {STR("slow"), str_from(rules)};
    struct tech_limits limits = tech_limits_default();
    char *html = arena_alloc(*state, SIZE);
    limits.page_us = 200000;
    for (int prefilter = 0; prefilter < 2; prefilter++) {
        struct tech_rules *r;
        struct tech_worker *w;
        assert_ok(tech_rules_compile(*state, &s, 1, prefilter, &r));
        assert_ok(tech_worker_new(*state, r, &limits, &w));
        for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
            const size_t n = strlen(pieces[i]);
            struct tech_result result;
            struct timespec a, b;
            for (size_t at = 0; at < SIZE; at++)
                html[at] = pieces[i][at % n];
            memcpy(html + SIZE - 6, "zb!end", 6);
            (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
            tech_detect(w, *state, &(struct tech_input){.html = {html, SIZE}}, &result);
            (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
            const double ms = (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6;
            if (ms > 6000)
                fail_msg("\"%s\" repeated takes %.0f ms", pieces[i], ms);
        }
    }
}

static void test_limits(void **state) {
    struct tech_limits limits = tech_limits_default();
    struct tech_worker *w;
    struct tech_result r;
    limits.page_byte = 10;
    assert_ok(tech_worker_new(*state, compile(state, true), &limits, &w));
    tech_detect(w, *state, &(struct tech_input){.html = STR("0123456789 <broken>")}, &r);
    assert_int_equal(r.n, 0);
    assert_true(r.incomplete);
    tech_detect(w, *state, &(struct tech_input){.html = STR("<broken>")}, &r);
    assert_int_equal(r.n, 1);
    assert_false(r.incomplete);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_kinds),    ARENA_TEST(test_relations),
        ARENA_TEST(test_evidence), ARENA_TEST(test_faults),
        ARENA_TEST(test_sources),  ARENA_TEST(test_own_rules),
        ARENA_TEST(test_limits),   ARENA_TEST(test_same_without_hyperscan),
        ARENA_TEST(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
