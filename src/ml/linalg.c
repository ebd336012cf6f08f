/* linalg.c — blocked Cholesky on the upper triangle of row-major blocks, and what is computed from the factor. */
#include "ml/linalg.h"

#include <math.h>
#include <string.h>

/* BLOCK rows are eliminated together; TILE×TILE of what remains is updated at a time. Two packed panels of BLOCK×TILE fill a
 * sixth of a usual first-level cache. */
enum { BLOCK = 32, TILE = 8 };

struct panel {
    double at[BLOCK][TILE];
};

double vector_dot(const double *x, const double *y, size_t n) {
    double s[4] = {0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t l = 0; l < 4; l++)
            s[l] += x[i + l] * y[i + l];
    double rest = 0;
    for (; i < n; i++)
        rest += x[i] * y[i];
    return (s[0] + s[2]) + (s[1] + s[3]) + rest;
}

void vector_add(double *restrict y, double k, const double *restrict x, size_t n) {
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t l = 0; l < 4; l++)
            y[i + l] += k * x[i + l];
    for (; i < n; i++)
        y[i] += k * x[i];
}

/* Eliminates rows first..last-1, over their whole width, against one another. */
static bool factor_rows(double *a, size_t n, size_t first, size_t last, const double *least) {
    for (size_t k = first; k < last; k++) {
        double *row = a + k * n, pivot = row[k];
        if (!(pivot > least[k - first]) || !isfinite(pivot))
            return false;
        double root = sqrt(pivot);
        row[k] = root;
        for (size_t j = k + 1; j < n; j++)
            row[j] /= root;
        for (size_t i = k + 1; i < last; i++)
            vector_add(a + i * n + i, -row[i], row + i, n - i);
    }
    return true;
}

/* Columns j..j+width-1 of rows first..first+BLOCK-1 as BLOCK×TILE, zero beyond width. */
static void pack_panel(const double *a, size_t n, size_t first, size_t j, size_t width, struct panel *panel) {
    for (size_t k = 0; k < BLOCK; k++) {
        const double *row = a + (first + k) * n + j;
        for (size_t l = 0; l < TILE; l++)
            panel->at[k][l] = l < width ? row[l] : 0;
    }
}

/* c -= left' right for two rows of the tile; the accumulators stay in registers. */
static void tile_rows(const struct panel *left, size_t l, const struct panel *right, double sum[2][TILE]) {
    double s0[TILE] = {0}, s1[TILE] = {0};
    for (size_t k = 0; k < BLOCK; k++) {
        double x0 = left->at[k][l], x1 = left->at[k][l + 1];
        for (size_t j = 0; j < TILE; j++) {
            s0[j] += x0 * right->at[k][j];
            s1[j] += x1 * right->at[k][j];
        }
    }
    memcpy(sum[0], s0, sizeof s0);
    memcpy(sum[1], s1, sizeof s1);
}

static void update_tile(double *a, size_t n, size_t i, size_t j, const struct panel *left, const struct panel *right) {
    for (size_t l = 0; l < TILE && i + l < n; l += 2) {
        double sum[2][TILE];
        tile_rows(left, l, right, sum);
        for (size_t r = 0; r < 2 && i + l + r < n; r++) {
            double *row = a + (i + l + r) * n;
            size_t from = i + l + r > j ? i + l + r : j, to = j + TILE < n ? j + TILE : n;
            for (size_t c = from; c < to; c++)
                row[c] -= sum[r][c - j];
        }
    }
}

/* Takes the contribution of the BLOCK rows from `first` off all later rows. */
static void update_rest(double *a, size_t n, size_t first) {
    struct panel left, right;
    for (size_t j = first + BLOCK; j < n; j += TILE) {
        pack_panel(a, n, first, j, n - j < TILE ? n - j : TILE, &right);
        for (size_t i = first + BLOCK; i < j; i += TILE) {
            pack_panel(a, n, first, i, TILE, &left);
            update_tile(a, n, i, j, &left, &right);
        }
        update_tile(a, n, j, j, &right, &right);
    }
}

bool cholesky_factor(double *a, size_t n) {
    enum { STACK = 4096 };
    double least[BLOCK], diagonal[STACK];
    bool kept = n <= STACK; /* larger systems compare with the diagonal as the elimination left it */
    for (size_t i = 0; kept && i < n; i++)
        diagonal[i] = a[i * n + i];
    for (size_t first = 0; first < n; first += BLOCK) {
        size_t last = first + BLOCK < n ? first + BLOCK : n;
        for (size_t k = first; k < last; k++)
            least[k - first] = 0x1p-52 * (double)n * fabs(kept ? diagonal[k] : a[k * n + k]);
        if (!factor_rows(a, n, first, last, least))
            return false;
        if (last < n)
            update_rest(a, n, first);
    }
    return true;
}

void cholesky_solve(const double *factor, size_t n, double *b) {
    for (size_t k = 0; k < n; k++) {
        b[k] /= factor[k * n + k];
        vector_add(b + k + 1, -b[k], factor + k * n + k + 1, n - k - 1);
    }
    for (size_t k = n; k-- > 0;)
        b[k] = (b[k] - vector_dot(factor + k * n + k + 1, b + k + 1, n - k - 1)) / factor[k * n + k];
}

void cholesky_inverse(const double *factor, size_t n, double *inverse) {
    /* V = U^-1, from the last row up; then row i of V V' needs only rows i and below, so it may replace row i of V. */
    for (size_t i = n; i-- > 0;) {
        const double *u = factor + i * n;
        double *row = inverse + i * n, pivot = 1 / u[i];
        for (size_t j = i + 1; j < n; j++)
            row[j] = 0;
        for (size_t k = i + 1; k < n; k++)
            vector_add(row + k, -u[k] * pivot, inverse + k * n + k, n - k);
        row[i] = pivot;
    }
    for (size_t i = 0; i < n; i++) {
        double *row = inverse + i * n;
        for (size_t j = i; j < n; j++)
            row[j] = vector_dot(row + j, inverse + j * n + j, n - j);
    }
}

double cholesky_log_determinant(const double *factor, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += log(factor[i * n + i]);
    return 2 * sum;
}

void symmetric_pack(const double *a, size_t n, double *packed) {
    for (size_t i = 0; i < n; i++) {
        memcpy(packed, a + i * n + i, (n - i) * sizeof *packed);
        packed += n - i;
    }
}
