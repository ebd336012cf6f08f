/* fuzz_tech_rules.c — any bytes as a file of rules: compiled or refused, and what compiles can be used, with both engines.
 */
#include "target.h"

#include "text/tech.h"

static const char page[] =
    "<html><head><meta name=generator content='A 1.0'><script src=/a-1.js></script><style>a{}</style></head>"
    "<body class='a b'><a href=//a.example id=x>text</a><p>aaaa</p></body></html>";

static err run(void *ctx) {
    const struct fuzz_work *w = ctx;
    const struct tech_source source = {STR("r"), w->input};
    const struct tech_limits limits = tech_limits_default();
    for (int i = 0; i < 2; i++) {
        struct tech_rules *r;
        struct tech_worker *worker;
        struct tech_result result;
        size_t n;
        TRY(tech_rules_compile(w->arena, &source, 1, i, &r));
        const struct tech_fault *f = tech_rules_faults(r, &n);
        for (size_t k = 0; k < n; k++)
            FUZZ_CHECK(f[k].reason.len > 0);
        TRY(tech_worker_new(w->arena, r, &limits, &worker));
        tech_detect(worker, w->arena, &(struct tech_input){.html = str_from(page), .url = STR("https://a.example/")},
                    &result);
        for (size_t k = 0; k < result.n; k++)
            FUZZ_CHECK(result.found[k].confidence <= 100 && result.found[k].n_evidence <= TECH_EVIDENCE_MAX);
    }
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_in_arena(data, size, (size_t)256 << 20, run); }
