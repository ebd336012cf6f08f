/* test_oracle.c — random rows against the same formulas written in Python (oracle.py). */
#include "golden.h"
#include "profile_support.h"

static void agrees_with_python(void **state) {
    struct arena *a = *state;
    const struct json *golden = golden_json(a, "profile/subscores.json"), *columns, *cases;
    assert_ok(json_get_array(golden, STR("columns"), &columns));
    assert_ok(json_get_array(golden, STR("cases"), &cases));
    char path[4096], *text = arena_alloc(a, 65536);
    snprintf(path, sizeof path, "%s/profile/golden.yaml", getenv("GALENA_TESTS"));
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n_text = fread(text, 1, 65535, f), n_column = columns->count;
    fclose(f);
    struct profile *p;
    assert_ok(profile_parse(a, (str){text, n_text}, path, &p));
    str *column = ARENA_ARRAY(a, n_column, str), *cell = ARENA_ARRAY(a, n_column, str);
    for (size_t c = 0; c < n_column; c++)
        column[c] = columns->items[c].string;
    const struct profile_binding *b;
    assert_ok(profile_bind(a, p, column, n_column, &b));
    struct subscores *s = subscores_new(a, b);
    for (uint32_t i = 0; i < cases->count; i++) {
        const struct json *row = json_get(&cases->items[i], STR("row")), *score = json_get(&cases->items[i], STR("score")),
                          *unknown = json_get(&cases->items[i], STR("unknown"));
        for (size_t c = 0; c < n_column; c++)
            cell[c] = row->items[c].string;
        subscores_compute(b, cell, (int64_t)golden_number(golden, "now_ms"), s);
        for (int k = 0; k < SECTION_COUNT; k++) {
            bool known = score->items[k].type != JSON_NULL;
            if (known != s->section[k].known ||
                (known && fabs(s->section[k].score - json_number_of(&score->items[k])) > 1e-12) ||
                fabs(s->section[k].unknown - json_number_of(&unknown->items[k])) > 1e-12)
                fail_msg("row %u, %s: %d %.17g unknown %.17g, in Python %.17g unknown %.17g", i,
                         profile_section_name((enum profile_section)k), s->section[k].known, s->section[k].score,
                         s->section[k].unknown, known ? json_number_of(&score->items[k]) : NAN,
                         json_number_of(&unknown->items[k]));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {ARENA_TEST(agrees_with_python)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
