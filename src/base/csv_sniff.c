/* csv_sniff.c — finds the delimiter of a file from its first rows. */
#include "base/csv.h"

enum { SNIFF_ROW = 200 };

struct count {
    size_t cells, row;  /* of the row being counted; rows complete */
    size_t first, even; /* cells of the first row; rows that have as many */
    size_t spaced;      /* delimiters that a space follows, as commas in prose */
    bool quoted;
};

static void end_row(struct count *k, bool empty) {
    if (!empty) {
        if (k->row++ == 0)
            k->first = k->cells;
        k->even += k->cells == k->first;
    }
    k->cells = 1;
}

/* Counts cells in the rows of `head` as if `delimiter` were the one. A row that the head cuts off does not count. */
static struct count count_cells(str head, char delimiter, bool complete) {
    struct count k = {.cells = 1};
    size_t from = 0;
    for (size_t i = 0; i < head.len && k.row < SNIFF_ROW; i++) {
        char byte = head.ptr[i];
        bool cell_start = i == from || head.ptr[i - 1] == delimiter;
        if (byte == '"' && (k.quoted || cell_start)) {
            k.quoted = !k.quoted; /* a doubled quote closes and opens again */
            if (!k.quoted && i + 1 < head.len && head.ptr[i + 1] == '"') {
                i++;
                k.quoted = true;
            }
        } else if (!k.quoted && byte == delimiter) {
            k.cells++;
            k.spaced += i + 1 < head.len && head.ptr[i + 1] == ' ';
        } else if (!k.quoted && (byte == '\n' || byte == '\r')) {
            end_row(&k, i == from);
            from = i + 1;
        }
    }
    if (complete && k.row < SNIFF_ROW && from < head.len)
        end_row(&k, false);
    else if (k.row == 0)
        k.first = k.cells; /* a first line longer than the head */
    return k;
}

/* More even rows, then fewer delimiters that look like prose, then more cells; an equal rival comes later. */
static bool better(const struct count *x, const struct count *y) {
    size_t even_x = x->even * (y->row + 1), even_y = y->even * (x->row + 1);
    if (even_x != even_y)
        return even_x > even_y;
    if ((x->spaced == 0) != (y->spaced == 0))
        return x->spaced == 0;
    return x->first > y->first;
}

char csv_sniff(str head, bool complete) {
    static const char candidates[] = {',', ';', '\t', '|'};
    struct count best = {0};
    char delimiter = '\0';
    for (size_t i = 0; i < sizeof candidates; i++) {
        struct count k = count_cells(head, candidates[i], complete);
        if (k.first < 2 || (delimiter != '\0' && !better(&k, &best)))
            continue;
        best = k;
        delimiter = candidates[i];
    }
    return delimiter != '\0' ? delimiter : ',';
}
