/* profile_support.h — short ways to a profile and a scored row. */
#ifndef GALENA_TESTS_PROFILE_SUPPORT_H
#define GALENA_TESTS_PROFILE_SUPPORT_H

#include "base/asset.h"
#include "base/json_schema.h"
#include "profile/subscore.h"
#include "unit.h"

/* Reads a good profile, with which its JSON Schema must agree. */
static inline struct profile *profile_of(struct arena *a, const char *text) {
    struct profile *p = NULL;
    const struct json *form = NULL;
    struct json_problems problems;
    assert_ok(profile_parse(a, str_from(text), "test.yaml", &p));
    assert_ok(json_parse(a, asset_get(STR("schemas/profile.json")), NULL, &form));
    assert_ok(json_schema_check(a, form, p->document, &problems));
    return p;
}

/* One row: columns and cells as "a|b|c". */
static inline struct subscores *score_row(struct arena *a, const struct profile *p, const char *columns, const char *cells,
                                          int64_t now_ms) {
    str column[32], cell[32], rest = str_from(columns);
    size_t n = 0, k = 0;
    while (n < 32 && str_split(&rest, '|', &column[n]))
        n++;
    rest = str_from(cells);
    while (k < 32 && str_split(&rest, '|', &cell[k]))
        k++;
    assert_int_equal(n, k);
    const struct profile_binding *b = NULL;
    assert_ok(profile_bind(a, p, column, n, &b));
    struct subscores *s = subscores_new(a, b);
    subscores_compute(b, arena_copy(a, cell, n * sizeof *cell), now_ms, s);
    return s;
}

/* The credit of a profile with one criterion, given as the rest of its YAML line, for one cell. */
static inline double credit_of(struct arena *a, const char *section, const char *criterion, const char *cell,
                               int64_t now_ms) {
    str text = str_format(a, "format: 1\nname: t\n%s:\n  - {field: x, %s}\n", section, criterion);
    return score_row(a, profile_of(a, str_cstr(a, text)), "x", cell, now_ms)->credit[0];
}

#endif
