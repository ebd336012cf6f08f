/* progress.c — the progress line. */
#include "cmd/progress.h"

#include "cmd/present.h"

#include <math.h>

static const int64_t PATIENCE_NS = 300000000, REDRAW_NS = 100000000;

enum { BAR_COLUMNS = 24, LINE_BYTE = 512, RATE_BYTE = 48 };

void progress_begin(struct progress *p, const struct session *s, const char *label, const char *unit, double total) {
    int64_t now = s->err.tty && !s->quiet ? s->clock.steady_ns() : 0;
    *p = (struct progress){.to = s->err.tty && !s->quiet ? &s->err : NULL,
                           .clock = s->clock,
                           .label = label,
                           .unit = unit,
                           .total = total,
                           .start_ns = now,
                           .drawn_ns = now + PATIENCE_NS - REDRAW_NS};
}

/* "412,000 rows/s", "38.1 MB/s" */
static void write_rate(char text[RATE_BYTE], double rate, const char *unit) {
    if (strcmp(unit, "bytes") == 0)
        snprintf(text, RATE_BYTE, "%.1f MB/s", rate / 1e6);
    else if (rate < 1000)
        snprintf(text, RATE_BYTE, "%.3g %s/s", rate, unit);
    else if (rate < 1e6)
        snprintf(text, RATE_BYTE, "%d,%03d %s/s", (int)rate / 1000, (int)rate % 1000, unit);
    else
        snprintf(text, RATE_BYTE, "%.1f million %s/s", rate / 1e6, unit);
}

static void write_bar(char *to, double share) {
    size_t eighth = (size_t)(share * BAR_COLUMNS * 8);
    for (size_t i = 0; i < BAR_COLUMNS; i++) {
        size_t full = eighth >= 8 ? 8 : eighth;
        eighth -= full;
        if (full == 0) {
            *to++ = ' ';
            continue;
        }
        *to++ = (char)0xe2;
        *to++ = (char)0x96;
        *to++ = (char)(0x90 - full); /* 0x88 is the full block, 0x8f one eighth */
    }
    *to = '\0';
}

static void draw(struct progress *p, double done, double second) {
    char line[LINE_BYTE], rate[RATE_BYTE], bar[3 * BAR_COLUMNS + 1];
    double per_second = done / second;
    write_rate(rate, per_second, p->unit);
    if (p->total > 0) {
        double share = fmin(1, done / p->total), left = per_second > 0 ? (p->total - done) / per_second : 0;
        left = fmin(fmax(left, 0), 359999);
        write_bar(bar, share);
        snprintf(line, sizeof line, "%s  %s %3.0f%%  %s  %d:%02d left", p->label, bar, share * 100, rate, (int)left / 60,
                 (int)left % 60);
    } else {
        snprintf(line, sizeof line, "%s  %.0f %s  %s", p->label, done, p->unit, rate);
    }
    /* A line wider than the terminal would wrap and could not be erased. */
    str text = str_from(line);
    while (text.len > 0 && terminal_columns(text) >= p->to->width)
        do
            text.len--;
        while (text.len > 0 && ((unsigned char)text.ptr[text.len] & 0xC0u) == 0x80u);
    fputs("\r\033[K", p->to->file);
    terminal_put(p->to, text);
    fflush(p->to->file);
    p->visible = true;
}

void progress_at(struct progress *p, double done) {
    if (!p->to)
        return;
    int64_t now = p->clock.steady_ns();
    if (now - p->drawn_ns < REDRAW_NS)
        return;
    p->drawn_ns = now;
    draw(p, done, (double)(now - p->start_ns) / 1e9);
}

void progress_end(struct progress *p) {
    if (p->to && p->visible) {
        fputs("\r\033[K", p->to->file);
        fflush(p->to->file);
    }
    p->to = NULL;
}
