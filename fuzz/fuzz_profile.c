/* fuzz_profile.c — any bytes as a profile: read, written, read again, compared, bound and used on a row of awkward cells. */
#include "profile/prior.h"
#include "target.h"

#include <math.h>

enum { COLUMNS = 8 };

static void score(struct arena *a, const struct profile *p) {
    static const str cells[COLUMNS] = {STR_INIT("51-200"), STR_INIT("VP of Sales; head, 5415"),
                                       STR_INIT(""),       STR_INIT("2026-02-28; hire: 2030-01-01 | x"),
                                       STR_INIT("$1e300"), STR_INIT(";;,|"),
                                       STR_INIT("yes"),    STR_INIT("\xff\x80 \xc3")};
    str columns[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++)
        columns[i] = i < p->n_criterion ? p->criterion[i].field : STR("other");
    const struct profile_binding *b;
    if (profile_bind(a, p, columns, COLUMNS, &b) != OK)
        return;
    struct subscores *s = subscores_new(a, b);
    subscores_compute(b, cells, INT64_C(1782777600000), s);
    for (size_t i = 0; i < p->n_criterion; i++)
        FUZZ_CHECK(isnan(s->credit[i]) || (s->credit[i] >= 0 && s->credit[i] <= 1));
    for (int k = 0; k < SECTION_COUNT; k++)
        FUZZ_CHECK(k == SECTION_TECHNOGRAPHICS || fabs(s->section[k].score) <= 1 + 1e-9);
    struct profile_fit fit = profile_fit(p, s, 0.95);
    FUZZ_CHECK(fit.low >= 0 && fit.low <= fit.probability && fit.probability <= fit.high && fit.high <= 1);
    (void)subscores_missing(a, b, s);
}

static err work(void *ctx) {
    const struct fuzz_work *w = ctx;
    struct profile *p, *again;
    const struct profile_problem *problem;
    const struct profile_change *change;
    size_t n;
    TRY(profile_check(w->arena, w->input, "fuzz", &problem, &n));
    err rc = profile_parse(w->arena, w->input, "fuzz", &p);
    FUZZ_CHECK((rc == OK) == (n == 0));
    TRY(rc);
    struct buf *text = buf_in(w->arena, (size_t)16 << 20);
    struct json_writer writer;
    json_write_begin(&writer, text, 0);
    profile_to_json(&writer, p);
    const struct json *v;
    TRY(buf_check(text));
    FUZZ_CHECK(json_parse(w->arena, buf_str(text), NULL, &v) == OK);
    FUZZ_CHECK(profile_from_json(w->arena, v, &again) == OK);
    profile_diff(w->arena, p, again, &change, &n);
    FUZZ_CHECK(n == 0);
    score(w->arena, p);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_in_arena(data, size, (size_t)256 << 20, work); }
