/* fuzz_tech_page.c — any bytes as a page: the tree is one, texts lie where it says, and both engines find the same. */
#include "target.h"

#include "text/tech.h"
#include "text/tech_page.h"

static void check_page(struct arena *a, str html) {
    struct tech_page *p = tech_page_new(a);
    tech_page_parse(p, html);
    for (size_t i = 0; i < p->n_element; i++) {
        const struct tech_element *e = &p->element[i];
        FUZZ_CHECK(e->parent == TECH_NO_ELEMENT || e->parent < i);
        FUZZ_CHECK(e->before == TECH_NO_ELEMENT || (e->before < i && p->element[e->before].parent == e->parent));
        FUZZ_CHECK(e->text_from <= e->text_to && e->text_to <= p->content.len);
        FUZZ_CHECK(e->attribute + e->n_attribute <= p->n_attribute);
    }
    FUZZ_CHECK(p->content.len <= html.len && p->text.len <= 2 * html.len + 2);
}

static const char rules[] = "{\"A\": {\"cats\": [1], \"html\": [\"<a[^>]+b=\", \"(?!x)c\"], \"text\": \"d+e\", \"scripts\": "
                            "\"f(g|h)*i\", \"css\": \"^j\","
                            "\"scriptSrc\": [\"^/k-([0-9.]+)$\\\\;version:\\\\1\", \"l\"], \"meta\": {\"m\": \"n\"}, "
                            "\"dom\": [\"a[b*='c']\", \"p > q\"]},"
                            "\"B\": {\"cats\": [1], \"dom\": {\"[o]\": {\"attributes\": {\"o\": "
                            "\"p(.)\\\\;version:\\\\1\"}}, \"r\": {\"text\": \"s\"}}}}";

static err run(void *ctx) {
    const struct fuzz_work *w = ctx;
    const struct tech_source source = {STR("r"), str_from(rules)};
    struct tech_limits limits = tech_limits_default();
    struct tech_result result[2];
    check_page(w->arena, w->input);
    limits.page_us = 60000000; /* only work counts here, not the time it takes */
    for (int i = 0; i < 2; i++) {
        struct tech_rules *r;
        struct tech_worker *worker;
        TRY(tech_rules_compile(w->arena, &source, 1, i, &r));
        TRY(tech_worker_new(w->arena, r, &limits, &worker));
        tech_detect(worker, w->arena, &(struct tech_input){.html = w->input}, &result[i]);
    }
    FUZZ_CHECK(result[0].n == result[1].n);
    for (size_t i = 0; i < result[0].n; i++)
        FUZZ_CHECK(str_equal(result[0].found[i].name, result[1].found[i].name) &&
                   str_equal(result[0].found[i].version, result[1].found[i].version) &&
                   result[0].found[i].confidence == result[1].found[i].confidence);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_in_arena(data, size, (size_t)256 << 20, run); }
