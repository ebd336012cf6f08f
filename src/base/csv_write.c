/* csv_write.c — writes cells so that any reader gets the same text back. */
#include "base/csv.h"

#include "base/csv_priv.h"

static bool is_edge_space(char c) { return c == ' ' || c == '\t'; }

static bool needs_quotes(str cell, char delimiter) {
    if (cell.len == 0)
        return false;
    if (is_edge_space(cell.ptr[0]) || is_edge_space(cell.ptr[cell.len - 1]))
        return true;
    size_t i = 0;
    for (; i + CSV_LANES <= cell.len; i += CSV_LANES)
        if (csv_special(cell.ptr + i, delimiter) != 0)
            return true;
    for (; i < cell.len; i++)
        if (cell.ptr[i] == delimiter || cell.ptr[i] == '"' || cell.ptr[i] == '\n' || cell.ptr[i] == '\r')
            return true;
    return false;
}

static void write_quoted(struct buf *out, str mark, str cell) {
    buf_add_byte(out, '"');
    buf_add(out, mark);
    while (cell.len > 0) {
        ptrdiff_t quote = str_find_byte(cell, '"');
        size_t n = quote < 0 ? cell.len : (size_t)quote + 1;
        buf_add(out, (str){cell.ptr, n});
        if (quote >= 0)
            buf_add_byte(out, '"');
        cell = str_slice(cell, n, cell.len);
    }
    buf_add_byte(out, '"');
}

void csv_write_cell(struct buf *out, str cell, char delimiter) {
    if (needs_quotes(cell, delimiter))
        write_quoted(out, STR(""), cell);
    else
        buf_add(out, cell);
}

/* A sign and digits, with what stands between the digits of amounts and telephone numbers: nothing there can be a function
 * or a reference. */
static bool is_signed_digits(str s) {
    for (size_t i = 1; i < s.len; i++) {
        char c = s.ptr[i];
        bool exponent = (c == 'e' || c == 'E') && s.ptr[i - 1] >= '0' && s.ptr[i - 1] <= '9';
        if (!(c >= '0' && c <= '9') && !exponent && !memchr(".,+-()/ ", c, 8))
            return false;
    }
    return s.len > 1 && (s.ptr[0] == '+' || s.ptr[0] == '-');
}

static bool is_formula(str s) { return s.len > 0 && memchr("=+-@\t\r", s.ptr[0], 6) != NULL && !is_signed_digits(s); }

void csv_write_cell_guarded(struct buf *out, str cell, char delimiter) {
    if (is_formula(cell))
        write_quoted(out, STR("'"), cell);
    else
        csv_write_cell(out, cell, delimiter);
}
