/* suggest.c — edit distance for "did you mean". */
#include "base/suggest.h"

enum { LONGEST = 64 };

static unsigned char fold(char c) { return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); }

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

size_t suggest_distance(str a, str b) {
    size_t rows[3][LONGEST + 1]; /* the last three rows of the table of distances between beginnings */
    if (a.len > LONGEST || b.len > LONGEST)
        return str_equal_nocase(a, b) ? 0 : SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            const unsigned char x = fold(a.ptr[i - 1]), y = fold(b.ptr[j - 1]);
            row[j] = smaller(above[j - 1] + (x != y), smaller(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && x == fold(b.ptr[j - 2]) && fold(a.ptr[i - 2]) == y)
                row[j] = smaller(row[j], above2[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

str suggest(str word, const str *known, size_t n) {
    str best = {0};
    size_t nearest = word.len < 6 ? 1 : word.len / 3;
    for (size_t i = 0; i < n; i++) {
        size_t distance = suggest_distance(word, known[i]);
        if (distance < nearest || (distance == nearest && best.len == 0)) {
            nearest = distance;
            best = known[i];
        }
    }
    return best;
}
