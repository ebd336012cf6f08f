/* run_support.h — pins of the golden models and runs under them: what the tests of stages, pins and snapshots share. */
#ifndef GALENA_TESTS_RUN_SUPPORT_H
#define GALENA_TESTS_RUN_SUPPORT_H

#include "base/file.h"
#include "flow/snapshot.h"
#include "flow/stages.h"
#include "unit.h"

#include <stdlib.h>

#define RUN_NOW_MS 1782777600000ll

static inline const char *golden_path(struct arena *a, const char *name) {
    const char *tests = getenv("GALENA_TESTS");
    return str_format(a, "%s/golden/models/%s", tests ? tests : "tests", name).ptr;
}

static inline str golden_bytes(struct arena *a, const char *name) {
    str bytes;
    assert_ok(file_read_all(a, golden_path(a, name), (size_t)64 << 20, &bytes));
    return bytes;
}

static void run_support_free_pin(void *ctx) { pin_free(ctx); }

/* A pin of these terms, with the artifacts' names filled in; freed with the arena. */
static inline const struct model_pin *run_pin_of(struct arena *a, struct pin_terms t, str model, str profile) {
    struct model_pin *pin;
    str text;
    t.model = model.len > 0 ? hash_hex(a, model) : (str){0};
    t.profile = profile.len > 0 ? hash_hex(a, profile) : (str){0};
    assert_ok(pin_write(a, &t, &text));
    assert_ok(pin_load(text, model, profile, &pin));
    arena_defer(a, run_support_free_pin, pin);
    return pin;
}

/* "logistic" and so on under the usual terms. */
static inline const struct model_pin *run_pin(struct arena *a, const char *family) {
    return run_pin_of(a, pin_defaults(), golden_bytes(a, str_format(a, "v1-%s.model", family).ptr), (str){0});
}

static inline struct run *run_new(struct arena *a, const struct model_pin *pin, str body) {
    struct run *run = ARENA_NEW(a, struct run);
    *run = (struct run){.arena = a,
                        .tenant = STR("acme"),
                        .lead = STR("01J00000000000000000000000"),
                        .gen = 1,
                        .accepted_ms = RUN_NOW_MS,
                        .now_ms = RUN_NOW_MS,
                        .cause = STR("accepted"),
                        .body = body,
                        .state = LEAD_INGESTED,
                        .pin = pin};
    return run;
}

/* A run that has gone to its end. */
static inline struct run *run_to_end(struct arena *a, const struct model_pin *pin, str body) {
    struct run *run = run_new(a, pin, body);
    size_t stage = 0;
    assert_ok(stages_step(run, &stage, NULL));
    assert_int_equal(stage, n_stages);
    return run;
}

static inline str run_snapshot(struct arena *a, const struct run *run) {
    struct buf *out = buf_in(a, SNAPSHOT_MAX_BYTE);
    snapshot_write(run, out);
    assert_ok(buf_check(out));
    return buf_str(out);
}

#endif
