/* test_tech_selector.c — CSS selectors against a page whose answers are counted by hand. */
#include "unit.h"

#include "text/tech_selector.h"

static const char page_text[] =
    "<html lang='de-AT'><head><link rel='Stylesheet' href='/a/style.css'><meta name=x content=Y></head>"
    "<body class='one two'><div id=main><p class='lead'>a</p><p>b</p><span data-empty>c</span>"
    "<ul><li>1</li><li class='last two'>2</li></ul></div><a href='https://x.example/p.PDF' "
    "target=_blank>l</a></body></html>";

static size_t count(void **state, const char *text) {
    struct tech_page *p = tech_page_new(*state);
    struct tech_selector *s;
    size_t n, found = 0;
    uint64_t steps = 1000000;
    tech_page_parse(p, str_from(page_text));
    assert_ok(tech_selector_parse(*state, str_from(text), &s, &n));
    for (uint32_t i = 0; i < p->n_element; i++)
        for (size_t k = 0; k < n; k++)
            if (tech_selector_match(&s[k], p, i, &steps)) {
                found++;
                break;
            }
    return found;
}

static void test_counts(void **state) {
    static const struct {
        const char *selector;
        size_t n;
    } all[] = {
        {"p", 2},
        {"P", 2},
        {"*", 13},
        {"#main", 1},
        {"#Main", 0},
        {".two", 2},
        {"body.one.two", 1},
        {"body.tw", 0},
        {"[data-empty]", 1},
        {"[data-empty='']", 1},
        {"[data-empty*='']", 0},
        {"[href]", 2},
        {"a[href^='https://']", 1},
        {"a[href$='.pdf']", 0},
        {"a[href$='.pdf' i]", 1},
        {"a[href*=x\\.example]", 1},
        {"[class~='last']", 1},
        {"[lang|=de]", 1},
        {"[lang|=d]", 0},
        {"link[rel=stylesheet]", 1},
        {"link[rel=stylesheet s]", 0},
        {"meta[content=y]", 0},
        {"div p", 2},
        {"html div > p", 2},
        {"html > p", 0},
        {"p + p", 1},
        {"p + span", 1},
        {"p ~ ul li", 2},
        {"span + p", 0},
        {"li:not(.last)", 1},
        {"body > :not(div)", 1},
        {":root", 1},
        {"li:first-child", 1},
        {"p, li , a", 5},
        {"ul>li+li.two", 1},
        {"div[id=\"main\"] ul", 1},
        {"body div ul li", 2},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (count(state, all[i].selector) != all[i].n)
            fail_msg("%s: %zu, not %zu", all[i].selector, count(state, all[i].selector), all[i].n);
}

static void test_refused(void **state) {
    static const char *const bad[] = {"",       " ",      "a,",      ",a",     "a >",     "> a",
                                      "[",      "[a",     "[a=",     "[a=']",  "[a='x'",  "a[b=c",
                                      "#",      ".",      "a:hover", "a:not(", "a:not()", "a:not(:not(b))",
                                      "a\\",    "[a!=b]", "a $",     "a{}",    "::after", "a:nth-child(2)",
                                      "[a=b q]"};
    struct tech_selector *s;
    size_t n;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (tech_selector_parse(*state, str_from(bad[i]), &s, &n) == OK)
            fail_msg("\"%s\" is taken", bad[i]);
    char *many = arena_alloc(*state, SELECTOR_BYTE + 1);
    memset(many, 'a', SELECTOR_BYTE + 1);
    assert_fails(tech_selector_parse(*state, (str){many, SELECTOR_BYTE + 1}, &s, &n), ERR_LIMIT, "tech_selector_long");
    for (size_t i = 0; i < 200; i++)
        many[i] = i % 2 ? ' ' : 'a';
    assert_fails(tech_selector_parse(*state, (str){many, 200}, &s, &n), ERR_LIMIT, "tech_selector_long");
}

/* Descendants of descendants of a deep page: the steps end it. */
static void test_steps(void **state) {
    char *html = arena_alloc(*state, 6 * 500 + 1);
    for (size_t i = 0; i < 500; i++)
        memcpy(html + 6 * i, "<div >", 6);
    struct tech_page *p = tech_page_new(*state);
    struct tech_selector *s;
    size_t n;
    uint64_t steps = 10000;
    tech_page_parse(p, (str){html, 6 * 500});
    assert_ok(tech_selector_parse(*state, STR("i div div div div div div div div div"), &s, &n));
    assert_false(tech_selector_match(s, p, (uint32_t)p->n_element - 1, &steps));
    assert_int_equal(steps, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {ARENA_TEST(test_counts), ARENA_TEST(test_refused), ARENA_TEST(test_steps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
