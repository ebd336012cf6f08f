/* calibration_file.c — a calibration map as JSON. */
#include "ml/calibration.h"

#include <math.h>

enum { MAX_KNOT = 1 << 20 };

#define MAX_COEFFICIENT 1e100 /* no product of it with log-odds overflows */

void calibration_save(const struct calibration *c, struct json_writer *w) {
    json_open_object(w);
    json_put_string(w, STR("method"), str_from(calibration_kind_name(c->kind)));
    if (c->kind == CALIBRATION_PLATT || c->kind == CALIBRATION_BETA) {
        json_put_number(w, STR("a"), c->a);
        if (c->kind == CALIBRATION_BETA)
            json_put_number(w, STR("b"), c->b);
        json_put_number(w, STR("c"), c->c);
    }
    if (c->kind == CALIBRATION_ISOTONIC) {
        json_put_numbers(w, STR("log_odds"), c->z, c->n_knot);
        json_put_numbers(w, STR("probability"), c->p, c->n_knot);
    }
    json_close_object(w);
}

static err corrupt(const char *what) { return fail(ERR_CORRUPT, "calibration_corrupt", "calibration: %s", what); }

static bool get_coefficient(const struct json *v, str key, double *out) {
    const struct json *x = json_get(v, key);
    if (!json_is_number(x))
        return false;
    *out = json_number_of(x);
    return fabs(*out) < MAX_COEFFICIENT;
}

static err load_slope(const struct json *v, struct calibration *c) {
    bool whole = get_coefficient(v, STR("a"), &c->a) && get_coefficient(v, STR("c"), &c->c) &&
                 (c->kind == CALIBRATION_PLATT || get_coefficient(v, STR("b"), &c->b));
    if (!whole)
        return corrupt("a coefficient is missing or too large");
    if (c->a < 0 || c->b < 0)
        return corrupt("a slope is negative, so that higher scores would mean lower probabilities");
    return OK;
}

static err load_knots(struct arena *a, const struct json *v, struct calibration *c) {
    double *z, *p;
    size_t n, n_p;
    if (json_get_numbers(a, v, STR("log_odds"), &z, &n) != OK || json_get_numbers(a, v, STR("probability"), &p, &n_p) != OK)
        return corrupt("the points of the map are missing or not numbers");
    if (n != n_p || n == 0 || n > MAX_KNOT)
        return corrupt("the map has no points, too many, or not one probability for each");
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(z[i]) || !(p[i] > 0 && p[i] < 1))
            return corrupt("a point of the map is out of range");
        if (i > 0 && (z[i] <= z[i - 1] || p[i] < p[i - 1]))
            return corrupt("the points of the map are not in ascending order");
    }
    c->z = z;
    c->p = p;
    c->n_knot = n;
    return OK;
}

err calibration_load(struct arena *a, const struct json *v, struct calibration *out) {
    str name;
    if (json_get_string(v, STR("method"), &name) != OK)
        return corrupt("the method is missing");
    struct calibration c = {.kind = CALIBRATION_KIND_COUNT};
    for (int k = 0; k < CALIBRATION_KIND_COUNT; k++)
        if (str_equal(name, str_from(calibration_kind_name((enum calibration_kind)k))))
            c.kind = (enum calibration_kind)k;
    switch (c.kind) {
    case CALIBRATION_NONE:
        c.a = 1;
        break;
    case CALIBRATION_PLATT:
    case CALIBRATION_BETA:
        TRY(load_slope(v, &c));
        break;
    case CALIBRATION_ISOTONIC:
        TRY(load_knots(a, v, &c));
        break;
    case CALIBRATION_KIND_COUNT:
        return corrupt("unknown method");
    }
    *out = c;
    return OK;
}
