/* test_tech_page.c — what the tokeniser makes of pages: by hand, and of hostile ones in time that grows with their size. */
#include "unit.h"

#include "text/tech_page.h"

#include <time.h>

static struct tech_page *parse(void **state, const char *html) {
    struct tech_page *p = tech_page_new(*state);
    tech_page_parse(p, str_from(html));
    return p;
}

static const struct tech_element *element(const struct tech_page *p, const char *name, size_t nth) {
    for (size_t i = 0; i < p->n_element; i++)
        if (str_equal(p->element[i].name, str_from(name)) && nth-- == 0)
            return &p->element[i];
    fail_msg("no element %s", name);
    return NULL;
}

static str parent_name(const struct tech_page *p, const struct tech_element *e) {
    return e->parent == TECH_NO_ELEMENT ? STR("") : p->element[e->parent].name;
}

static void test_attributes(void **state) {
    const struct tech_page *p =
        parse(state, "<IMG SRC='a.png' alt=\"x > y\" data-x=1/2 hidden src=b title = q A&amp;='R&amp;D &#x41;&#66;&copy'>");
    const struct tech_element *e = element(p, "img", 0);
    assert_int_equal(p->n_element, 1);
    assert_str(tech_page_attribute(p, e, STR("src")), "a.png");
    assert_str(tech_page_attribute(p, e, STR("alt")), "x > y");
    assert_str(tech_page_attribute(p, e, STR("data-x")), "1/2");
    assert_str(tech_page_attribute(p, e, STR("title")), "q");
    assert_str(tech_page_attribute(p, e, STR("a&amp;")), "R&D AB\xC2\xA9");
    assert_non_null(tech_page_attribute(p, e, STR("hidden")).ptr);
    assert_int_equal(tech_page_attribute(p, e, STR("hidden")).len, 0);
    assert_null(tech_page_attribute(p, e, STR("nothing")).ptr);
}

static void test_tree(void **state) {
    const struct tech_page *p =
        parse(state, "<ul><li>a<li>b</ul><p>c<div>d</div><br/><svg><path/><g></g></svg><b>e</b></x>f");
    assert_str(parent_name(p, element(p, "li", 1)), "ul");
    assert_str(parent_name(p, element(p, "div", 0)), "");
    assert_str(parent_name(p, element(p, "g", 0)), "svg");
    assert_str(parent_name(p, element(p, "b", 0)), "");
    const struct tech_element *first = element(p, "li", 0), *second = element(p, "li", 1);
    assert_int_equal(second->before, (uint32_t)(first - p->element));
    assert_str(str_slice(buf_str(&p->content), second->text_from, second->text_to), "b");
    assert_str(buf_str(&p->text), "a b c d e f ");
}

static void test_regions(void **state) {
    const struct tech_page *p = parse(
        state,
        "<title>R&amp;D</title><script>if (a<b) x='</scr'+'ipt>';</script><script src=/a.js></script><style>p{}</style>"
        "<script src=''>two</script><!-- <i> --><noscript>n</noscript><textarea><b></textarea><meta name=Generator "
        "content='X 1'><meta property=og:title content=T>");
    assert_str(buf_str(&p->scripts), "if (a<b) x='</scr'+'ipt>';\ntwo");
    assert_str(buf_str(&p->css), "p{}");
    assert_str(buf_str(&p->text), "R&D n <b> ");
    assert_int_equal(p->n_script_src, 1);
    assert_str(p->script_src[0], "/a.js");
    assert_int_equal(p->n_meta, 2);
    assert_str(p->meta[0].name, "generator");
    assert_str(p->meta[0].value, "X 1");
    assert_str(p->meta[1].name, "og:title");
    for (size_t i = 0; i < p->n_element; i++)
        assert_false(str_equal(p->element[i].name, STR("i")) || str_equal(p->element[i].name, STR("b")));
}

static void test_ends(void **state) {
    static const char *const pages[] = {"",        "<",      "<a",   "<a b",   "<a b=",     "<a b='c",  "</",
                                        "</a",     "<!",     "<!--", "<!-- -", "<![CDATA[", "<script>", "<script>x</script",
                                        "<title>", "<?php ", "&",    "&#",     "&#x",       "&amp",     "a<b>c",
                                        "<>",      "< a>"};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        const struct tech_page *p = parse(state, pages[i]);
        assert_true(p->n_element <= 1);
        assert_false(p->cut);
    }
    assert_str(buf_str(&parse(state, "1 < 2 &lt; 3 &unknown; &#0;")->text), "1 < 2 < 3 &unknown; \xEF\xBF\xBD ");
}

static void test_decode(void **state) {
    (void)state;
    char room[64];
    const str raw = STR("a&copy=1&copyx&lt;&#39;&#x110000;");
    assert_str(((str){room, tech_page_decode(raw, true, room)}), "a&copy=1&copyx<'\xEF\xBF\xBD");
    const str text = STR("&copy=1");
    assert_str(((str){room, tech_page_decode(text, false, room)}), "\xC2\xA9=1");
}

static double parse_ms(struct tech_page *p, str html) {
    struct timespec a, b;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
    tech_page_parse(p, html);
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
    return (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6;
}

/* A piece repeated to two megabytes: no more than a few hundred times what plain text costs, and nothing breaks. */
static void test_hostile(void **state) {
    static const char *const pieces[] = {
        "<div>",  "</div>", "<a b ", "<!--", "<script>", "</script>", "&amp;",   "<p><table>",  "<svg/>", "<a></b>",
        "<a b='", "\"'",    "<",     "</",   "<li><ul>", "<x></x >",  "<title>", "<b a=1 a=2>", "&#",     "<![CDATA["};
    enum { SIZE = 2 << 20 };
    char *html = arena_alloc(*state, SIZE);
    struct tech_page *p = tech_page_new(*state);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        const size_t n = strlen(pieces[i]);
        for (size_t at = 0; at < SIZE; at++)
            html[at] = pieces[i][at % n];
        const double ms = parse_ms(p, (str){html, SIZE});
        if (ms > 3000)
            fail_msg("\"%s\" repeated takes %.0f ms", pieces[i], ms);
        for (size_t k = 0; k < p->n_element; k++)
            assert_true(p->element[k].text_from <= p->element[k].text_to && p->element[k].text_to <= p->content.len);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_attributes), ARENA_TEST(test_tree),   ARENA_TEST(test_regions),
        ARENA_TEST(test_ends),       ARENA_TEST(test_decode), ARENA_TEST(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
