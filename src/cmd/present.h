/* present.h — text for people: wrapped paragraphs, aligned tables, bars. Plain in pipes, coloured on terminals. */
#ifndef GALENA_CMD_PRESENT_H
#define GALENA_CMD_PRESENT_H

#include "cmd/terminal.h"

/* Writes words of `text` in lines of at most `width` columns, each but the first indented by `indent` spaces; the first is
 * taken to stand at column `at` already. Ends with a newline. An empty line in the text separates paragraphs. */
void present_wrap(const struct terminal *t, str text, size_t at, size_t indent, size_t width);

/* A heading: an empty line, then the text, bold. */
void present_heading(const struct terminal *t, const char *text);

/* "  label      value" with the label padded to `column` columns; the value may come from a file. */
void present_pair(const struct terminal *t, const char *label, size_t column, str value);

enum { PRESENT_MAX_COLUMN = 16 };

/* A table whose columns are as wide as their widest cell. Cells live in the arena. */
struct present_table {
    struct arena *arena;
    size_t n_column;
    bool right[PRESENT_MAX_COLUMN]; /* numbers are aligned at the right */
    str *cell;                      /* n_row * n_column; row 0 is the head */
    enum style *style;
    size_t n_cell, cap;
};

/* `head`: column titles separated by '|'; a title that begins with '>' makes its column right-aligned: "field|>importance|".
 */
struct present_table present_table_new(struct arena *a, const char *head);

/* Appends one cell; rows are filled from left to right. */
void present_cell(struct present_table *p, str text);
void present_cell_style(struct present_table *p, enum style style, str text);

/* Appends a formatted cell. */
void present_cell_format(struct present_table *p, const char *format, ...) PRINTF_LIKE(2, 3);

/* Writes the table, indented by two spaces. A table without rows writes nothing. */
void present_table_print(const struct terminal *t, const struct present_table *p);

/* A bar of `width` columns filled to `share` (clipped to 0..1) in eighths of a block: "█████▍    " (without padding when
 * `pad` is false). */
str present_bar(struct arena *a, double share, size_t width, bool pad);

/* A curve of n numbers in one line of block characters ("▁▂▅█"), from `low` to `high`; NaN is a space. */
str present_spark(struct arena *a, const double *values, size_t n, double low, double high);

/* Durations and sizes: "0.8 s", "2 min 05 s", "1.4 MB". */
str present_second(struct arena *a, double second);
str present_byte(struct arena *a, double byte);

#endif
