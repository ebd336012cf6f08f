/* schema_fitted.c — the fitted constants of a field in the schema file, and whether they still agree with its choices. */
#include "lead/schema_priv.h"

#include <math.h>

static void put_optional_numbers(struct json_writer *w, str key, const double *values, size_t n) {
    if (values)
        json_put_numbers(w, key, values, n);
}

void schema_write_fitted(struct json_writer *w, const struct field *f) {
    json_key(w, STR("fitted"));
    json_open_object(w);
    json_put_bool(w, STR("missing_seen"), f->missing_seen);
    json_put_integer(w, STR("own_missing"), (int64_t)f->n_missing_own);
    if (field_has_levels(f))
        json_put_bool(w, STR("has_other"), f->has_other);
    if (schema_is_number(f)) {
        json_put_number(w, STR("low"), f->low);
        json_put_number(w, STR("high"), f->high);
        json_put_number(w, STR("center"), f->center);
        json_put_number(w, STR("scale"), f->scale);
        if (!isnan(f->typical_converted))
            json_put_number(w, STR("typical_converted"), f->typical_converted);
        if (!isnan(f->typical_other))
            json_put_number(w, STR("typical_other"), f->typical_other);
        put_optional_numbers(w, STR("quantiles"), f->quantile, SCHEMA_N_QUANTILE);
        put_optional_numbers(w, STR("bin_rate"), f->bin_rate, f->n_edge + 1);
        put_optional_numbers(w, STR("bin_share"), f->bin_share, f->n_edge + 1);
    }
    if (f->type == FIELD_DATE)
        json_put_integer(w, STR("reference_ms"), f->reference_ms);
    put_optional_numbers(w, STR("rate"), f->level_rate, field_slots(f));
    put_optional_numbers(w, STR("share"), f->level_share, field_slots(f));
    json_close_object(w);
}

/* ---- reading ---- */

static err read_bool(const struct json *v, bool *out) {
    if (v->type != JSON_BOOL)
        return schema_refuse(v, "schema_type", "expected true or false", (str){0});
    *out = v->boolean;
    return OK;
}

/* The "fitted" object before it is compared with the choices. */
struct fitted {
    size_t n_rate, n_share, n_bin_rate, n_bin_share, n_quantile;
    int64_t own_missing;
    unsigned have; /* bits of enum have */
};
enum have { HAVE_LOW = 1, HAVE_HIGH = 2, HAVE_CENTER = 4, HAVE_SCALE = 8, HAVE_REFERENCE = 16 };

static err read_integer(const struct json *v, int64_t low, int64_t high, int64_t *out) {
    if (v->type != JSON_INTEGER || v->integer < low || v->integer > high)
        return schema_refuse(v, "schema_value", "expected a whole number in range", (str){0});
    *out = v->integer;
    return OK;
}

static err read_scalar(const struct json_member *m, struct field *f, struct fitted *x, bool *done) {
    static const char *const keys[] = {"low", "high", "center", "scale", "typical_converted", "typical_other"};
    double *const target[] = {&f->low, &f->high, &f->center, &f->scale, &f->typical_converted, &f->typical_other};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (str_equal(m->key, str_from(keys[i]))) {
            *done = true;
            x->have |= 1u << i & (HAVE_LOW | HAVE_HIGH | HAVE_CENTER | HAVE_SCALE);
            return schema_read_number(&m->value, target[i]);
        }
    return OK;
}

static err read_array(struct arena *a, const struct json_member *m, struct field *f, struct fitted *x, bool *done) {
    enum { MOST = 2 * SCHEMA_MAX_LEVEL + 2 };
    struct {
        const char *key;
        const double **values;
        size_t *n;
    } arrays[] = {{"rate", &f->level_rate, &x->n_rate},
                  {"share", &f->level_share, &x->n_share},
                  {"bin_rate", &f->bin_rate, &x->n_bin_rate},
                  {"bin_share", &f->bin_share, &x->n_bin_share},
                  {"quantiles", &f->quantile, &x->n_quantile}};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        if (str_equal(m->key, str_from(arrays[i].key))) {
            *done = true;
            return schema_read_numbers(a, &m->value, MOST, arrays[i].values, arrays[i].n);
        }
    return OK;
}

static err read_fitted_member(struct arena *a, const struct json_member *m, struct field *f, struct fitted *x) {
    bool done = false;
    TRY(read_scalar(m, f, x, &done));
    if (!done)
        TRY(read_array(a, m, f, x, &done));
    if (done)
        return OK;
    if (str_equal(m->key, STR("missing_seen")))
        return read_bool(&m->value, &f->missing_seen);
    if (str_equal(m->key, STR("has_other")))
        return read_bool(&m->value, &f->has_other);
    if (str_equal(m->key, STR("own_missing")))
        return read_integer(&m->value, 0, SCHEMA_MAX_MISSING, &x->own_missing);
    if (str_equal(m->key, STR("reference_ms"))) {
        x->have |= HAVE_REFERENCE;
        const int64_t most = INT64_C(400000000000000); /* beyond year 9999 */
        return read_integer(&m->value, -most, most, &f->reference_ms);
    }
    return schema_refuse_key(m, "\"fitted\" has no key");
}

static bool all_within(const double *v, size_t n, double low, double high) {
    for (size_t i = 0; v && i < n; i++)
        if (!(v[i] >= low && v[i] <= high))
            return false;
    return true;
}

#define MAX_STANDARDISED 1e150 /* times any coefficient it stays finite */

static bool number_constants_agree(const struct field *f, const struct fitted *x) {
    unsigned need = HAVE_LOW | HAVE_HIGH | HAVE_CENTER | HAVE_SCALE | (f->type == FIELD_DATE ? HAVE_REFERENCE : 0);
    size_t n_bin = f->n_edge > 0 ? f->n_edge + 1 : 0;
    return (x->have & need) == need && f->low <= f->high && f->scale > 0 &&
           (fmax(fabs(f->low), fabs(f->high)) + fabs(f->center)) / f->scale <= MAX_STANDARDISED &&
           (!f->bin_rate || x->n_bin_rate == n_bin) && (!f->bin_share || x->n_bin_share == n_bin) &&
           (!f->quantile || x->n_quantile == SCHEMA_N_QUANTILE) &&
           schema_ascending(f->quantile, f->quantile ? x->n_quantile : 0, false) && all_within(f->bin_rate, n_bin, 0, 1) &&
           all_within(f->bin_share, n_bin, 0, 1);
}

static bool constants_agree(struct field *f, const struct fitted *x) {
    if (x->own_missing > (int64_t)f->n_missing)
        return false;
    f->n_missing_own = (size_t)x->own_missing;
    size_t n = field_slots(f);
    if ((f->level_rate && x->n_rate != n) || (f->level_share && x->n_share != n))
        return false;
    if (!all_within(f->level_rate, n, 0, 1) || !all_within(f->level_share, n, 0, 1))
        return false;
    if (field_has_levels(f))
        return (f->given & GIVEN_LEVELS) != 0;
    return schema_is_number(f) && number_constants_agree(f, x);
}

static void drop_fitted(struct field *f) {
    f->fitted = false;
    f->level_rate = f->level_share = f->bin_rate = f->bin_share = f->quantile = NULL;
    f->n_missing_own = 0;
}

err schema_read_fitted(struct arena *a, const struct json *v, struct field *f) {
    if (v->type != JSON_OBJECT)
        return schema_refuse(v, "schema_type", "\"fitted\" must be an object", (str){0});
    struct fitted x = {0};
    for (size_t i = 0; i < v->count; i++)
        TRY(read_fitted_member(a, &v->members[i], f, &x));
    f->fitted = constants_agree(f, &x);
    if (!f->fitted)
        drop_fitted(f);
    return OK;
}
