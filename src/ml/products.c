/* products.c — products of two columns of a row. */
#include "ml/products.h"

#include <assert.h>
#include <string.h>

struct products products_new(struct arena *a, uint32_t first, const uint32_t *one, const uint32_t *other, size_t n) {
    assert(n <= PRODUCTS_MAX);
    struct products p = {.n = n, .first = first};
    unsigned char *factor = ARENA_ARRAY(a, first, unsigned char);
    for (size_t i = 0; i < n; i++) {
        if (!factor[one[i]])
            factor[one[i]] = (unsigned char)++p.n_factor;
        if (!factor[other[i]])
            factor[other[i]] = (unsigned char)++p.n_factor;
        p.a[i] = (unsigned char)(factor[one[i]] - 1);
        p.b[i] = (unsigned char)(factor[other[i]] - 1);
    }
    p.factor = factor;
    return p;
}

static inline double limited(double v) {
    return v > PRODUCT_LIMIT ? PRODUCT_LIMIT : v < -PRODUCT_LIMIT ? -PRODUCT_LIMIT : v;
}

size_t products_list(const struct products *p, struct row x, uint32_t *col, double *val) {
    double value[2 * PRODUCTS_MAX];
    size_t k = 0;
    memset(value, 0, p->n_factor * sizeof *value);
    for (size_t i = 0; i < x.n && x.col[i] < p->first; i++) {
        const unsigned char f = p->factor[x.col[i]];
        if (f)
            value[f - 1] = limited(x.val[i]);
    }
    for (size_t i = 0; i < p->n; i++) {
        const double v = value[p->a[i]] * value[p->b[i]];
        if (v == 0)
            continue;
        col[k] = p->first + (uint32_t)i;
        val[k++] = v;
    }
    return k;
}

/* The entries of x below p->first, the products, and the entries from column `rest` on, moved up by `shift`. */
static struct row compose(const struct products *p, struct row x, uint32_t rest, uint32_t shift, uint32_t *col,
                          double *val) {
    size_t n = 0, i = 0;
    for (; i < x.n && x.col[i] < p->first; i++, n++) {
        col[n] = x.col[i];
        val[n] = x.val[i];
    }
    n += products_list(p, x, col + n, val + n);
    for (; i < x.n; i++)
        if (x.col[i] >= rest) {
            col[n] = x.col[i] + shift;
            val[n++] = x.val[i];
        }
    return (struct row){n, col, val};
}

struct row products_widen(const struct products *p, struct row x, uint32_t *col, double *val) {
    return compose(p, x, p->first, (uint32_t)p->n, col, val);
}

struct row products_renew(const struct products *p, struct row x, uint32_t *col, double *val) {
    return compose(p, x, p->first + (uint32_t)p->n, 0, col, val);
}

struct dataset *products_widen_all(struct arena *a, const struct products *p, const struct dataset *s) {
    const size_t most = s->start[s->n] - s->start[0] + s->n * p->n;
    uint32_t *col = ARENA_ARRAY(a, most, uint32_t);
    double *val = ARENA_ARRAY(a, most, double);
    size_t *start = ARENA_ARRAY(a, s->n + 1, size_t), at = 0;
    for (size_t i = 0; i < s->n; i++) {
        at += products_widen(p, dataset_row(s, i), col + at, val + at).n;
        start[i + 1] = at;
    }
    struct dataset *out = ARENA_NEW(a, struct dataset);
    *out = *s;
    out->d = s->d + p->n;
    out->start = start;
    out->col = col;
    out->val = val;
    return out;
}
