/* match_align.c — words of two names laid side by side, greedily. */
#include "enrich/match_priv.h"
#include "text/similarity.h"

#include <math.h>
#include <stdlib.h>

static void pair_up(struct match_alignment *out, size_t i, size_t j, double alike) {
    out->of_a[i] = (int8_t)j;
    out->of_b[j] = (int8_t)i;
    out->alike[i] = out->alike_b[j] = alike;
}

static void align_equal(const struct match_words *a, const struct match_words *b, struct match_alignment *out) {
    for (size_t i = 0; i < a->n; i++) {
        size_t best = MATCH_TOKEN_MAX;
        for (size_t j = 0; j < b->n; j++)
            if (out->of_b[j] == MATCH_ALONE && str_equal(a->word[i], b->word[j]) &&
                (best == MATCH_TOKEN_MAX || labs((long)j - (long)i) < labs((long)best - (long)i)))
                best = j;
        if (best < MATCH_TOKEN_MAX)
            pair_up(out, i, best, 1);
    }
}

static bool is_joined(str one, str two, str whole) {
    return one.len + two.len == whole.len && memcmp(one.ptr, whole.ptr, one.len) == 0 &&
           memcmp(two.ptr, whole.ptr + one.len, two.len) == 0;
}

/* Two neighbours of `a` that are one word of `b`. */
static void align_joined(const struct match_words *a, const struct match_words *b, int8_t *of_a, int8_t *of_b,
                         double *alike_a, double *alike_b) {
    for (size_t i = 0; i + 1 < a->n; i++)
        for (size_t j = 0; j < b->n; j++)
            if (of_a[i] == MATCH_ALONE && of_a[i + 1] == MATCH_ALONE && of_b[j] == MATCH_ALONE &&
                is_joined(a->word[i], a->word[i + 1], b->word[j])) {
                of_a[i] = of_a[i + 1] = (int8_t)j;
                of_b[j] = (int8_t)i;
                alike_a[i] = alike_a[i + 1] = alike_b[j] = 1;
            }
}

bool match_is_abbreviation(str a, str b) {
    const str shorter = a.len < b.len ? a : b, longer = a.len < b.len ? b : a;
    return shorter.len >= 3 && shorter.len < longer.len && str_starts(longer, shorter);
}

static double alike(str a, str b, bool initials) {
    if (initials && a.len > 0 && b.len > 0 && (a.len == 1 || b.len == 1))
        return a.ptr[0] == b.ptr[0] ? 0.86 : 0;
    const unsigned n = match_token_number(a), m = match_token_number(b);
    if (n > 0 || m > 0)
        return n == m;
    if (a.len < 2 || b.len < 2)
        return 0;
    const double s = text_alike(a, b);
    return match_is_abbreviation(a, b) && s < 0.85 ? 0.85 : s;
}

static void align_alike(const struct match_words *a, const struct match_words *b, double least, bool initials,
                        struct match_alignment *out) {
    double s[MATCH_TOKEN_MAX][MATCH_TOKEN_MAX];
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < b->n; j++)
            s[i][j] =
                out->of_a[i] == MATCH_ALONE && out->of_b[j] == MATCH_ALONE ? alike(a->word[i], b->word[j], initials) : 0;
    for (;;) {
        double best = 0;
        size_t x = 0, y = 0;
        for (size_t i = 0; i < a->n; i++)
            for (size_t j = 0; j < b->n; j++)
                if (out->of_a[i] == MATCH_ALONE && out->of_b[j] == MATCH_ALONE && s[i][j] > best) {
                    best = s[i][j];
                    x = i;
                    y = j;
                }
        if (best < least || best <= 0)
            return;
        pair_up(out, x, y, best);
    }
}

void match_align(const struct match_words *a, const struct match_words *b, double least, bool initials,
                 struct match_alignment *out) {
    for (size_t i = 0; i < MATCH_TOKEN_MAX; i++) {
        out->of_a[i] = out->of_b[i] = MATCH_ALONE;
        out->alike[i] = out->alike_b[i] = 0;
    }
    align_equal(a, b, out);
    align_joined(a, b, out->of_a, out->of_b, out->alike, out->alike_b);
    align_joined(b, a, out->of_b, out->of_a, out->alike_b, out->alike);
    align_alike(a, b, least, initials, out);
}
