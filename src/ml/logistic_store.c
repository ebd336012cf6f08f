/* logistic_store.c — logistic models as JSON, and back with nothing trusted. */
#include "ml/linalg.h"
#include "ml/logistic_priv.h"
#include "ml/stored.h"

#include <math.h>

void logistic_save(const struct model *m, struct json_writer *w) {
    json_open_object(w);
    json_put_integer(w, STR("rows"), (int64_t)m->rows);
    json_put_integer(w, STR("positives"), (int64_t)m->positives);
    json_put_number(w, STR("penalty"), m->penalty);
    json_put_number(w, STR("intercept"), m->linear.intercept);
    stored_write_indices(w, STR("columns"), m->column, m->k);
    stored_write_picked(w, STR("coefficients"), m->linear.coefficient, m->column, m->k);
    stored_write_picked(w, STR("means"), m->linear.mean, m->column, m->k);
    json_put_string(w, STR("covariance_kind"), m->dense ? STR("packed") : STR("diagonal"));
    json_put_numbers(w, STR("covariance"), m->covariance, m->dense ? symmetric_size(m->k + 1) : m->k + 1);
    json_close_object(w);
}

/* Variances positive, and no covariance larger than they allow; so no sum over them can be far below 0. */
static err check_covariance(const struct model *m) {
    size_t size = m->k + 1;
    for (size_t i = 0; i < size; i++) {
        double variance = m->covariance[m->dense ? symmetric_row(size, i) + i : i];
        if (!(variance > 0))
            return stored_bad("variance %zu of the covariance is not positive", i);
    }
    for (size_t i = 0; m->dense && i < size; i++) {
        const double *row = m->covariance + symmetric_row(size, i);
        for (size_t j = i + 1; j < size; j++)
            if (row[j] * row[j] > row[i] * m->covariance[symmetric_row(size, j) + j] * (1 + 1e-6))
                return stored_bad("covariance %zu, %zu is larger than its variances allow", i, j);
    }
    return OK;
}

static err read_covariance(const struct json *v, struct model *m) {
    const size_t n = m->dense ? symmetric_size(m->k + 1) : m->k + 1;
    TRY(stored_read_numbers(v, STR("covariance"), n, m->covariance));
    return check_covariance(m);
}

err logistic_load(struct arena *a, const struct json *v, size_t d, struct model **out) {
    uint32_t *column;
    size_t k, rows, positives;
    str kind;
    TRY(stored_read_indices(a, v, STR("columns"), d, &column, &k));
    TRY(stored_read_string(v, STR("covariance_kind"), &kind));
    bool dense = str_equal(kind, STR("packed"));
    if (!dense && !str_equal(kind, STR("diagonal")))
        return stored_bad("\"covariance_kind\" is \"%.*s\", not packed or diagonal", STR_ARG(kind));
    const struct json *covariance = json_get(v, STR("covariance"));
    if (!covariance || covariance->type != JSON_ARRAY || covariance->count != (dense ? symmetric_size(k + 1) : k + 1))
        return stored_bad("\"covariance\" is not a list that fits %zu columns", k); /* before memory for it is taken */
    struct model *m = logistic_new(a, d, column, k, dense);
    TRY(stored_read_count(v, STR("rows"), &rows));
    TRY(stored_read_count(v, STR("positives"), &positives));
    if (positives > rows)
        return stored_bad("more positives than rows");
    m->rows = rows;
    m->positives = positives;
    TRY(stored_read_number(v, STR("penalty"), &m->penalty));
    if (m->penalty < 0)
        return stored_bad("the penalty is negative");
    TRY(stored_read_number(v, STR("intercept"), &m->linear.intercept));
    TRY(stored_read_picked(a, v, STR("coefficients"), column, k, m->linear.coefficient));
    TRY(stored_read_picked(a, v, STR("means"), column, k, m->linear.mean));
    TRY(read_covariance(v, m));
    linear_complete(&m->linear);
    *out = m;
    return OK;
}
