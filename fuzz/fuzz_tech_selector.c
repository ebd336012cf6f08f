/* fuzz_tech_selector.c — a selector, a NUL, and a page: parsed or refused, and matching ends. */
#include "target.h"

#include "text/tech_selector.h"

static err run(void *ctx) {
    const struct fuzz_work *w = ctx;
    const ptrdiff_t cut = str_find_byte(w->input, '\0');
    const size_t at = cut < 0 ? w->input.len : (size_t)cut;
    struct tech_page *p = tech_page_new(w->arena);
    struct tech_selector *s;
    size_t n;
    uint64_t steps = 100000;
    TRY(tech_selector_parse(w->arena, str_slice(w->input, 0, at), &s, &n));
    FUZZ_CHECK(n > 0 && n <= SELECTOR_LIST_MAX);
    tech_page_parse(p, str_slice(w->input, at, w->input.len));
    for (uint32_t i = 0; i < p->n_element; i++)
        for (size_t k = 0; k < n; k++)
            (void)tech_selector_match(&s[k], p, i, &steps);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_in_arena(data, size, (size_t)64 << 20, run); }
