/* fuzz_lead.c — any bytes as the body of a lead, and as the fields of an answer about it: refused as input or gone to the
 * end, the same when done twice and when made again from its snapshot. */
#include "flow/snapshot.h"
#include "flow/stages.h"
#include "target.h"

static const char profile_text[] =
    "format: 1\nname: Fuzz\nmissing: [Select]\nfields:\n  size: [company.employees, employees, Company Size]\n"
    "  tags: [tags, Tags]\nfirmographics:\n  - field: size\n    range: [50, 500]\n    weight: 3\n"
    "  - field: company.country\n    values: {France: 1, Chad: 0.5}\n"
    "technographics:\n  field: tags\n  desired: {erp: 2, crm: 1}\n"
    "demographics:\n  - field: person.title\n    keywords: {sales: 1, engineer: 0.5}\n"
    "chronographics:\n  - field: news\n    event: funding\n    half_life: 30\n"
    "behaviour:\n  - field: visits\n    at_least: 5\n"
    "negative_personas:\n  - name: Too small\n    when: {field: size, below: 3}\n";

static err make_pin(struct arena *a, struct model_pin **out) {
    const str profile = {profile_text, sizeof profile_text - 1};
    struct pin_terms t = pin_defaults();
    str text;
    t.profile = hash_hex(a, profile);
    t.enrich = STR("directory");
    t.target[t.n_target++] = STR("callback");
    TRY(pin_write(a, &t, &text));
    return pin_load(text, (str){0}, profile, out);
}

static void free_pin(void *ctx) { pin_free(ctx); }

static void check_refusal(err rc) {
    FUZZ_CHECK(rc == ERR_INPUT);
    FUZZ_CHECK(str_starts(str_from(err_slug()), STR("lead_")) || str_starts(str_from(err_slug()), STR("json_")));
    for (const char *c = err_text(); *c; c++)
        FUZZ_CHECK((unsigned char)*c >= ' ' && (unsigned char)*c < 0x7f);
}

/* The question is answered with {"fields": the input, "overwrite": true} when the input is JSON. */
static void answer(struct arena *a, struct run *run, str input) {
    struct run_ask *ask = &run->ask[0];
    struct json_member *m = ARENA_ARRAY(a, 2, struct json_member);
    const struct json *fields;
    ask->answered = true;
    ask->rc = json_parse(a, input, NULL, &fields) == OK ? OK : ERR_REMOTE;
    if (ask->rc != OK)
        return;
    m[0] = (struct json_member){.key = STR("fields"), .value = *fields};
    m[1] = (struct json_member){.key = STR("overwrite"), .value = {.type = JSON_BOOL, .boolean = true}};
    struct json *v = ARENA_NEW(a, struct json);
    *v = (struct json){.type = JSON_OBJECT, .count = 2, .members = m};
    ask->answer = v;
}

static err go(struct arena *a, const struct model_pin *pin, str input, struct run *run) {
    size_t stage = 0;
    *run = (struct run){.arena = a, .tenant = STR("t"), .lead = STR("L"), .gen = 1, .now_ms = 1782777600000, .body = input};
    run->pin = pin;
    TRY(stages_step(run, &stage, NULL));
    if (stage < n_stages) {
        FUZZ_CHECK(run->n_ask == 1);
        answer(a, run, input);
        TRY(stages_step(run, &stage, NULL));
    }
    FUZZ_CHECK(stage == n_stages);
    return OK;
}

static str snapshot_of(struct arena *a, const struct run *run) {
    struct buf *out = buf_in(a, (size_t)8 << 20);
    snapshot_write(run, out);
    FUZZ_CHECK(buf_check(out) == OK);
    return buf_str(out);
}

static err work(void *ctx) {
    const struct fuzz_work *w = ctx;
    struct model_pin *pin;
    struct run run, twice, again = {.arena = w->arena};
    FUZZ_CHECK(make_pin(w->arena, &pin) == OK);
    arena_defer(w->arena, free_pin, pin);
    err rc = go(w->arena, pin, w->input, &run);
    if (rc != OK) {
        check_refusal(rc);
        return rc;
    }
    str text = snapshot_of(w->arena, &run);
    FUZZ_CHECK(go(w->arena, pin, w->input, &twice) == OK);
    FUZZ_CHECK(str_equal(snapshot_of(w->arena, &twice), text));
    FUZZ_CHECK(run.outcome != RUN_OPEN && run.n_delivery == 1);
    FUZZ_CHECK(run.score.low <= run.score.probability && run.score.probability <= run.score.high);
    bool same = false;
    rc = text.len <= SNAPSHOT_MAX_BYTE ? snapshot_replay(text, pin, &again, &same) : OK;
    FUZZ_CHECK(rc == OK && (same || text.len > SNAPSHOT_MAX_BYTE));
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_in_arena(data, size, (size_t)512 << 20, work); }
