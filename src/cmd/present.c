/* present.c — wrapped paragraphs, aligned tables, bars. */
#include "cmd/present.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>

static void put_spaces(FILE *f, size_t n) { fprintf(f, "%*s", (int)n, ""); }

static void wrap_paragraph(const struct terminal *t, str text, size_t at, size_t indent, size_t width) {
    bool first = true;
    str word;
    while (str_split(&text, ' ', &word)) {
        size_t columns = terminal_columns(word);
        if (columns == 0)
            continue;
        if (!first && at + 1 + columns > width) {
            fputc('\n', t->file);
            put_spaces(t->file, indent);
            at = indent;
        } else if (!first) {
            fputc(' ', t->file);
            at++;
        }
        terminal_put(t, word);
        at += columns;
        first = false;
    }
    fputc('\n', t->file);
}

void present_wrap(const struct terminal *t, str text, size_t at, size_t indent, size_t width) {
    bool first = true;
    while (text.ptr) {
        ptrdiff_t gap = str_find(text, STR("\n\n"));
        str paragraph = gap < 0 ? text : str_slice(text, 0, (size_t)gap);
        text = gap < 0 ? (str){0} : (str){text.ptr + gap + 2, text.len - (size_t)gap - 2};
        if (!first) {
            fputc('\n', t->file);
            put_spaces(t->file, indent);
        }
        wrap_paragraph(t, paragraph, first ? at : indent, indent, width);
        first = false;
    }
}

void present_heading(const struct terminal *t, const char *text) {
    fputc('\n', t->file);
    terminal_put_style(t, STYLE_BOLD, str_from(text));
    fputc('\n', t->file);
}

void present_pair(const struct terminal *t, const char *label, size_t column, str value) {
    size_t columns = terminal_columns(str_from(label));
    fprintf(t->file, "  %s%s%s", terminal_style(t, STYLE_DIM), label, terminal_style(t, STYLE_PLAIN));
    put_spaces(t->file, columns < column ? column - columns : 1);
    terminal_put(t, value);
    fputc('\n', t->file);
}

/* ---- tables ---- */

struct present_table present_table_new(struct arena *a, const char *head) {
    struct present_table p = {.arena = a};
    str rest = str_from(head), title, titles[PRESENT_MAX_COLUMN] = {{0}};
    while (str_split(&rest, '|', &title)) {
        assert(p.n_column < PRESENT_MAX_COLUMN);
        p.right[p.n_column] = str_starts(title, STR(">"));
        titles[p.n_column] = p.right[p.n_column] ? str_slice(title, 1, title.len) : title;
        p.n_column++;
    }
    for (size_t i = 0; i < p.n_column; i++)
        present_cell_style(&p, STYLE_DIM, titles[i]);
    return p;
}

void present_cell_style(struct present_table *p, enum style style, str text) {
    if (p->n_cell == p->cap) {
        size_t cap = p->cap;
        p->style = arena_grow(p->arena, p->style, &cap, p->n_cell + 1, sizeof *p->style);
        p->cell = arena_grow(p->arena, p->cell, &p->cap, p->n_cell + 1, sizeof *p->cell);
    }
    p->style[p->n_cell] = style;
    p->cell[p->n_cell++] = str_copy(p->arena, text);
}

void present_cell(struct present_table *p, str text) { present_cell_style(p, STYLE_PLAIN, text); }

void present_cell_format(struct present_table *p, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    present_cell(p, str_from(text));
}

static void put_cell(const struct terminal *t, const struct present_table *p, size_t i, size_t width, bool last) {
    size_t pad = width - terminal_columns(p->cell[i]);
    bool right = p->right[i % p->n_column];
    put_spaces(t->file, right ? pad : 0);
    if (p->style[i] == STYLE_PLAIN)
        terminal_put(t, p->cell[i]);
    else
        terminal_put_style(t, p->style[i], p->cell[i]);
    put_spaces(t->file, !right && !last ? pad : 0);
}

void present_table_print(const struct terminal *t, const struct present_table *p) {
    size_t width[PRESENT_MAX_COLUMN] = {0};
    if (p->n_cell <= p->n_column)
        return;
    for (size_t i = 0; i < p->n_cell; i++) {
        size_t columns = terminal_columns(p->cell[i]);
        if (columns > width[i % p->n_column])
            width[i % p->n_column] = columns;
    }
    for (size_t i = 0; i < p->n_cell; i++) {
        size_t column = i % p->n_column;
        bool last = column + 1 == p->n_column;
        put_spaces(t->file, 2);
        put_cell(t, p, i, width[column], last);
        if (last)
            fputc('\n', t->file);
    }
    if (p->n_cell % p->n_column != 0)
        fputc('\n', t->file);
}

/* ---- block characters ---- */

/* The block elements U+2580 .. U+259F are E2 96 80 .. E2 96 9F in UTF-8. */
static char *put_block(char *to, unsigned last) {
    *to++ = (char)0xe2;
    *to++ = (char)0x96;
    *to++ = (char)last;
    return to;
}

str present_bar(struct arena *a, double share, size_t width, bool pad) {
    double clipped = share > 0 ? share < 1 ? share : 1 : 0; /* NaN is 0 */
    size_t eighth = (size_t)lround(clipped * (double)width * 8);
    char *text = arena_alloc(a, 3 * width + 1), *to = text;
    size_t at = 0;
    for (; at < eighth / 8; at++)
        to = put_block(to, 0x88); /* the full block */
    if (eighth % 8 > 0) {
        to = put_block(to, 0x90 - (unsigned)(eighth % 8)); /* 0x89 .. 0x8f: seven eighths .. one eighth */
        at++;
    }
    for (; pad && at < width; at++)
        *to++ = ' ';
    return (str){text, (size_t)(to - text)};
}

str present_spark(struct arena *a, const double *values, size_t n, double low, double high) {
    char *text = arena_alloc(a, 3 * n + 1), *to = text;
    for (size_t i = 0; i < n; i++) {
        if (isnan(values[i])) {
            *to++ = ' ';
            continue;
        }
        double share = high > low ? (values[i] - low) / (high - low) : 0;
        share = share > 0 ? share < 1 ? share : 1 : 0;
        to = put_block(to, 0x81 + (unsigned)lround(share * 7)); /* one eighth high .. eight */
    }
    return (str){text, (size_t)(to - text)};
}

/* ---- quantities ---- */

str present_second(struct arena *a, double second) {
    if (second < 0.01)
        return str_format(a, "%.2g ms", second * 1e3);
    if (second < 10)
        return str_format(a, "%.2g s", second);
    if (second < 60)
        return str_format(a, "%.0f s", second);
    unsigned long whole = (unsigned long)second;
    if (second < 3600)
        return str_format(a, "%lu min %02lu s", whole / 60, whole % 60);
    return str_format(a, "%lu h %02lu min", whole / 3600, whole / 60 % 60);
}

str present_byte(struct arena *a, double byte) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t unit = 0;
    while (byte >= 1000 && unit + 1 < sizeof units / sizeof *units) {
        byte /= 1000;
        unit++;
    }
    return str_format(a, unit == 0 || byte >= 100 ? "%.0f %s" : "%.1f %s", byte, units[unit]);
}
