/* terminal.h — an output stream and what it can show. */
#ifndef GALENA_CMD_TERMINAL_H
#define GALENA_CMD_TERMINAL_H

#include "base/str.h"

#include <stdio.h>

enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GOOD, STYLE_WARN, STYLE_BAD, STYLE_ACCENT, STYLE_COUNT };

struct terminal {
    FILE *file;
    bool tty;       /* a person may be looking */
    bool color;     /* escape sequences are welcome */
    unsigned width; /* columns; 80 when not a terminal */
};

/* COLOR_AUTO: colours on terminals, unless NO_COLOR is set (https://no-color.org) or TERM is "dumb". */
struct terminal terminal_of(FILE *file, enum color_mode mode);

/* The escape sequence that begins a style ("" without colours); STYLE_PLAIN ends every style. */
const char *terminal_style(const struct terminal *t, enum style style);

/* Writes text that may come from a file: control characters but newline and tab become U+FFFD, so that data cannot command
 * the terminal. */
void terminal_put(const struct terminal *t, str text);

/* As terminal_put, in a style. */
void terminal_put_style(const struct terminal *t, enum style style, str text);

/* Columns that UTF-8 text takes: wide East Asian characters two, combining marks none. */
size_t terminal_columns(str text);

#endif
