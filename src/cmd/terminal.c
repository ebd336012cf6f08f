/* terminal.c — colours, widths, and text that cannot command the terminal. */
#include "cmd/terminal.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool color_wanted(bool tty, enum color_mode mode) {
    if (mode != COLOR_AUTO)
        return mode == COLOR_ALWAYS;
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return tty && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

static unsigned width_of(FILE *file, bool tty) {
    struct winsize size;
    if (tty && ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        return size.ws_col;
    return 80;
}

struct terminal terminal_of(FILE *file, enum color_mode mode) {
    bool tty = isatty(fileno(file)) == 1;
    return (struct terminal){.file = file, .tty = tty, .color = color_wanted(tty, mode), .width = width_of(file, tty)};
}

const char *terminal_style(const struct terminal *t, enum style style) {
    static const char *const codes[STYLE_COUNT] = {
        [STYLE_PLAIN] = "\033[0m", [STYLE_BOLD] = "\033[1m", [STYLE_DIM] = "\033[2m",     [STYLE_GOOD] = "\033[32m",
        [STYLE_WARN] = "\033[33m", [STYLE_BAD] = "\033[31m", [STYLE_ACCENT] = "\033[36m",
    };
    return t->color ? codes[style] : "";
}

/* C0, DEL, and C1 in its UTF-8 form (C2 80..9F). Gives the bytes the control character takes, or 0. */
static size_t control_length(str s, size_t i) {
    unsigned char c = (unsigned char)s.ptr[i];
    if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
        return 1;
    if (c == 0xc2 && i + 1 < s.len && (unsigned char)s.ptr[i + 1] >= 0x80 && (unsigned char)s.ptr[i + 1] < 0xa0)
        return 2;
    return 0;
}

void terminal_put(const struct terminal *t, str text) {
    size_t from = 0;
    for (size_t i = 0; i < text.len;) {
        size_t control = control_length(text, i);
        if (control == 0) {
            i++;
            continue;
        }
        fwrite(text.ptr + from, 1, i - from, t->file);
        fputs("\xef\xbf\xbd", t->file);
        i += control;
        from = i;
    }
    if (from < text.len)
        fwrite(text.ptr + from, 1, text.len - from, t->file);
}

void terminal_put_style(const struct terminal *t, enum style style, str text) {
    fputs(terminal_style(t, style), t->file);
    terminal_put(t, text);
    fputs(terminal_style(t, STYLE_PLAIN), t->file);
}

struct range {
    uint32_t from, to;
};

static bool in_ranges(uint32_t c, const struct range *r, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (c >= r[i].from && c <= r[i].to)
            return true;
    return false;
}

static size_t columns_of(uint32_t c) {
    static const struct range wide[] = {{0x1100, 0x115f}, {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},
                                        {0xf900, 0xfaff}, {0xfe30, 0xfe6f},   {0xff00, 0xff60},
                                        {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd}};
    static const struct range none[] = {{0x300, 0x36f}, {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}};
    if (c < 0x300)
        return 1;
    if (in_ranges(c, none, sizeof none / sizeof *none))
        return 0;
    return in_ranges(c, wide, sizeof wide / sizeof *wide) ? 2 : 1;
}

size_t terminal_columns(str text) {
    size_t columns = 0;
    for (size_t i = 0; i < text.len;) {
        unsigned char lead = (unsigned char)text.ptr[i++];
        size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
        uint32_t c = more == 3 ? lead & 7u : more == 2 ? lead & 15u : more == 1 ? lead & 31u : lead;
        for (; more > 0 && i < text.len && ((unsigned char)text.ptr[i] & 0xc0u) == 0x80u; more--)
            c = c << 6 | ((unsigned char)text.ptr[i++] & 63u);
        columns += columns_of(c);
    }
    return columns;
}
