/* golden.h — reads expected values that another program wrote: JSON files under tests/golden. */
#ifndef GALENA_TESTS_GOLDEN_H
#define GALENA_TESTS_GOLDEN_H

#include "base/json.h"
#include "unit.h"

#include <stdlib.h>

/* The whole file as a tree. */
static inline const struct json *golden_json(struct arena *a, const char *name) {
    const char *folder = getenv("GALENA_TESTS");
    char path[4096];
    snprintf(path, sizeof path, "%s/golden/%s", folder ? folder : "tests", name);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot open %s", path);
    struct buf *text = buf_in(a, (size_t)64 << 20);
    char block[4096];
    size_t n;
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        buf_add(text, (str){block, n});
    fclose(f);
    const struct json *v = NULL;
    assert_ok(json_parse(a, buf_str(text), NULL, &v));
    return v;
}

/* The array "cases" of the file. */
static inline const struct json *golden_cases(struct arena *a, const char *name) {
    const struct json *cases = NULL;
    assert_ok(json_get_array(golden_json(a, name), STR("cases"), &cases));
    assert_true(cases->count > 0);
    return cases;
}

static inline double *golden_numbers(struct arena *a, const struct json *object, const char *key, size_t *n) {
    double *values = NULL;
    assert_ok(json_get_numbers(a, object, str_from(key), &values, n));
    return values;
}

/* NaN for null. */
static inline double golden_number(const struct json *object, const char *key) {
    const struct json *v = json_get(object, str_from(key));
    assert_non_null(v);
    return v->type == JSON_NULL ? NAN : json_number_of(v);
}

#endif
