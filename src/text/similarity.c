/* similarity.c — Jaro–Winkler, optimal string alignment, and words in any order. */
#include "text/similarity.h"

#include "base/utf8.h"

struct units {
    uint32_t at[TEXT_SIMILARITY_MAX];
    size_t n;
};

static void units_of(str s, struct units *out) {
    out->n = 0;
    for (size_t at = 0; at < s.len && out->n < TEXT_SIMILARITY_MAX;) {
        const unsigned char c = (unsigned char)s.ptr[at];
        if (c < 0x80) {
            out->at[out->n++] = c;
            at++;
        } else {
            out->at[out->n++] = (uint32_t)utf8_next(s, &at);
        }
    }
}

static double jaro(const struct units *a, const struct units *b) {
    if (a->n == 0 || b->n == 0)
        return a->n == b->n;
    const size_t longer = a->n > b->n ? a->n : b->n;
    const size_t reach = longer / 2 > 0 ? longer / 2 - 1 : 0;
    uint64_t used_a = 0, used_b = 0;
    size_t common = 0, out_of_order = 0;
    for (size_t i = 0; i < a->n; i++) {
        const size_t from = i > reach ? i - reach : 0, to = i + reach + 1 < b->n ? i + reach + 1 : b->n;
        for (size_t j = from; j < to; j++)
            if (a->at[i] == b->at[j] && !(used_b >> j & 1)) {
                used_a |= 1ull << i;
                used_b |= 1ull << j;
                common++;
                break;
            }
    }
    if (common == 0)
        return 0;
    for (uint64_t x = used_a, y = used_b; x; x &= x - 1, y &= y - 1)
        out_of_order += a->at[__builtin_ctzll(x)] != b->at[__builtin_ctzll(y)];
    const double c = (double)common;
    return (c / (double)a->n + c / (double)b->n + (c - (double)out_of_order / 2) / c) / 3;
}

static double jaro_winkler(const struct units *a, const struct units *b) {
    const double j = jaro(a, b);
    size_t prefix = 0;
    while (prefix < 4 && prefix < a->n && prefix < b->n && a->at[prefix] == b->at[prefix])
        prefix++;
    return j + 0.1 * (double)prefix * (1 - j);
}

static size_t edits(const struct units *a, const struct units *b) {
    unsigned char row[3][TEXT_SIMILARITY_MAX + 1];
    unsigned char *before = row[0], *last = row[1], *now = row[2];
    for (size_t j = 0; j <= b->n; j++)
        last[j] = (unsigned char)j;
    for (size_t i = 1; i <= a->n; i++) {
        now[0] = (unsigned char)i;
        for (size_t j = 1; j <= b->n; j++) {
            unsigned best = last[j - 1] + (a->at[i - 1] != b->at[j - 1]);
            if (last[j] + 1u < best)
                best = last[j] + 1u;
            if (now[j - 1] + 1u < best)
                best = now[j - 1] + 1u;
            if (i > 1 && j > 1 && a->at[i - 1] == b->at[j - 2] && a->at[i - 2] == b->at[j - 1] && before[j - 2] + 1u < best)
                best = before[j - 2] + 1u;
            now[j] = (unsigned char)best;
        }
        unsigned char *free_row = before;
        before = last;
        last = now;
        now = free_row;
    }
    return last[b->n];
}

/* Jaro looks for partners from left to right, which can depend on the order of its arguments: the longer text goes first,
 * and of two as long the one that is later in byte order. */
static void order(str *a, str *b) {
    if (a->len > b->len || (a->len == b->len && (a->len == 0 || memcmp(a->ptr, b->ptr, a->len) >= 0)))
        return;
    const str other = *a;
    *a = *b;
    *b = other;
}

static void pair_of(str a, str b, struct units *x, struct units *y) {
    order(&a, &b);
    units_of(a, x);
    units_of(b, y);
}

double text_jaro(str a, str b) {
    struct units x, y;
    pair_of(a, b, &x, &y);
    return jaro(&x, &y);
}

double text_jaro_winkler(str a, str b) {
    struct units x, y;
    pair_of(a, b, &x, &y);
    return jaro_winkler(&x, &y);
}

size_t text_edits(str a, str b) {
    struct units x, y;
    pair_of(a, b, &x, &y);
    return edits(&x, &y);
}

double text_alike(str a, str b) {
    struct units x, y;
    pair_of(a, b, &x, &y);
    const size_t longer = x.n > y.n ? x.n : y.n;
    if (longer == 0)
        return 1;
    const double winkler = jaro_winkler(&x, &y), aligned = 1 - (double)edits(&x, &y) / (double)longer;
    return winkler > aligned ? winkler : aligned;
}

struct words {
    str at[TEXT_WORD_MAX];
    size_t n, length;
};

static void words_of(str s, struct words *out) {
    str word;
    *out = (struct words){0};
    while (out->n < TEXT_WORD_MAX && str_split(&s, ' ', &word))
        if (word.len > 0) {
            out->length += word.len;
            out->at[out->n++] = word;
        }
}

/* The best pair of words that are both still free; ties go to the first in an order that does not depend on which text is
 * which. */
static double best_pair(const struct words *a, const struct words *b, double alike[TEXT_WORD_MAX][TEXT_WORD_MAX], size_t *x,
                        size_t *y) {
    double best = 0, best_weight = 0;
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < b->n; j++) {
            const double weight = alike[i][j] * (double)(a->at[i].len + b->at[j].len);
            if (alike[i][j] > 0 && (alike[i][j] > best || (alike[i][j] >= best && weight > best_weight))) {
                best = alike[i][j];
                best_weight = weight;
                *x = i;
                *y = j;
            }
        }
    return best_weight;
}

double text_words_alike(str a, str b) {
    const double least = 0.8;
    struct words x, y;
    double alike[TEXT_WORD_MAX][TEXT_WORD_MAX];
    order(&a, &b);
    words_of(a, &x);
    words_of(b, &y);
    if (x.n == 0 || y.n == 0)
        return x.n == y.n;
    for (size_t i = 0; i < x.n; i++)
        for (size_t j = 0; j < y.n; j++) {
            const double s = text_alike(x.at[i], y.at[j]);
            alike[i][j] = s >= least ? s : 0;
        }
    double sum = 0, part;
    size_t i = 0, j = 0;
    while ((part = best_pair(&x, &y, alike, &i, &j)) > 0) {
        sum += part / 2;
        for (size_t k = 0; k < TEXT_WORD_MAX; k++)
            alike[i][k] = alike[k][j] = 0;
    }
    const double shorter = (double)(x.length < y.length ? x.length : y.length),
                 longer = (double)(x.length < y.length ? y.length : x.length);
    const double cover = sum / shorter;
    return ((cover > 1 ? 1 : cover) + sum / longer) / 2;
}
