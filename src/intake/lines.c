/* lines.c — a window over the source that slides from line to line. */
#include "intake/lines_priv.h"

#include <stdlib.h>

enum { WINDOW_BYTE = 256 * 1024, SHOWN_BYTE = 4096 };

struct lines {
    struct source *source;
    char *window;
    size_t cap, at, end; /* the line's beginning, and the end of what was read */
    size_t max_line;
    size_t peeked; /* how far lines_peek has looked */
    uint64_t number, peeked_number;
    bool eof;
};

static void close_lines(void *ctx) {
    struct lines *l = ctx;
    free(l->window);
    l->window = NULL;
}

err lines_open(struct arena *a, struct source *source, size_t max_line_byte, struct lines **out) {
    struct lines *l = ARENA_NEW(a, struct lines);
    *l = (struct lines){.source = source, .cap = WINDOW_BYTE, .max_line = max_line_byte};
    arena_defer(a, close_lines, l);
    l->window = malloc(l->cap);
    if (!l->window)
        return fail(ERR_LIMIT, "memory_limit", "no memory for reading a file");
    *out = l;
    return OK;
}

static err read_more(struct lines *l) {
    if (l->cap - l->end < WINDOW_BYTE / 2) {
        char *window = realloc(l->window, l->cap * 2);
        if (!window)
            return fail(ERR_LIMIT, "memory_limit", "no memory for a line of %zu bytes", l->end - l->at);
        l->window = window;
        l->cap *= 2;
    }
    size_t got = 0;
    TRY(source_read(l->source, l->window + l->end, l->cap - l->end, &got));
    l->end += got;
    l->eof = got == 0;
    return OK;
}

/* A line from `from` to `to`; `to` is its LF, or the end of the file. */
static struct line cut(const struct lines *l, size_t from, size_t to, uint64_t number) {
    if (to > from && l->window[to - 1] == '\r')
        to--;
    return (struct line){.number = number, .text = {l->window + from, to - from}, .too_long = to - from > l->max_line};
}

err lines_peek(struct lines *l, size_t most, struct line *line, bool *end) {
    for (size_t searched = l->peeked;;) {
        char *lf = memchr(l->window + searched, '\n', l->end - searched);
        size_t to = lf ? (size_t)(lf - l->window) : l->end;
        bool whole = lf || (l->eof && to > l->peeked);
        if (whole || to - l->peeked > l->max_line) {
            *line = cut(l, l->peeked, to, ++l->peeked_number);
            *end = false;
            l->peeked = lf ? to + 1 : to;
            return OK;
        }
        *end = l->eof || (l->end > most && l->peeked > 0);
        if (*end)
            return OK;
        searched = l->end;
        err rc = read_more(l);
        if (rc != OK && l->peeked == 0)
            return rc;
        *end = rc != OK; /* lines_next meets the error again */
        if (*end)
            return OK;
    }
}

/* Drops bytes up to the next LF; the line's first bytes stay at the front of the window. */
static err drop_rest(struct lines *l, struct line *line) {
    memmove(l->window, l->window + l->at, SHOWN_BYTE);
    for (;;) {
        l->end = SHOWN_BYTE;
        TRY(read_more(l));
        char *lf = memchr(l->window + SHOWN_BYTE, '\n', l->end - SHOWN_BYTE);
        if (!lf && !l->eof)
            continue;
        *line = (struct line){.number = ++l->number, .text = {l->window, SHOWN_BYTE}, .too_long = true};
        l->at = lf ? (size_t)(lf - l->window) + 1 : l->end;
        return OK;
    }
}

err lines_next(struct lines *l, struct line *line, bool *end) {
    for (size_t searched = l->at;;) {
        char *lf = memchr(l->window + searched, '\n', l->end - searched);
        size_t to = lf ? (size_t)(lf - l->window) : l->end;
        *end = !lf && l->eof && to == l->at;
        if (*end)
            return OK;
        if (lf || l->eof) {
            *line = cut(l, l->at, to, ++l->number);
            l->at = lf ? to + 1 : to;
            return OK;
        }
        if (to - l->at > l->max_line && to - l->at > SHOWN_BYTE)
            return drop_rest(l, line);
        searched = l->end - l->at;
        memmove(l->window, l->window + l->at, searched);
        l->end = searched;
        l->at = 0;
        TRY(read_more(l));
    }
}
