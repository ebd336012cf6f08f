/* log.c — one JSON line an event. */
#include "base/log.h"

#include "base/json.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {"debug", "info", "warn", "error", "off"};

static str time_text(int64_t wall_ms, char *text, size_t size) {
    time_t second = (time_t)(wall_ms / 1000);
    struct tm t;
    if (!gmtime_r(&second, &t))
        return STR("");
    size_t n = strftime(text, size, "%Y-%m-%dT%H:%M:%S", &t);
    int m = snprintf(text + n, size - n, ".%03dZ", (int)(wall_ms % 1000));
    return (str){text, n + (size_t)m};
}

/* Cut before a character, not inside it. */
static str short_text(str s) {
    if (s.len <= LOG_TEXT_BYTE)
        return s;
    size_t len = LOG_TEXT_BYTE;
    while (len > 0 && ((unsigned char)s.ptr[len] & 0xC0u) == 0x80u)
        len--;
    return (str){s.ptr, len};
}

static void put_field(struct json_writer *w, const struct log_field *f) {
    json_key(w, str_from(f->name));
    switch (f->type) {
    case LOG_FIELD_TEXT:
        json_string(w, short_text(f->text));
        break;
    case LOG_FIELD_INTEGER:
        json_integer(w, f->integer);
        break;
    case LOG_FIELD_NUMBER:
        json_number(w, f->number);
        break;
    case LOG_FIELD_BOOL:
        json_bool(w, f->boolean);
        break;
    }
}

static void put_line(struct buf *line, const struct log *l, enum log_level level, const char *event,
                     const struct log_field *field, size_t n, bool cut) {
    struct json_writer w;
    char time[40];
    json_write_begin(&w, line, 0);
    json_open_object(&w);
    json_put_string(&w, STR("time"), time_text(l->clock.wall_ms(), time, sizeof time));
    json_put_string(&w, STR("level"), str_from(level_names[level]));
    json_put_string(&w, STR("event"), short_text(str_from(event)));
    for (size_t i = 0; i < n && !cut; i++)
        put_field(&w, &field[i]);
    if (cut)
        json_put_bool(&w, STR("cut"), true);
    json_close_object(&w);
    buf_add_byte(line, '\n');
}

void log_event(const struct log *l, enum log_level level, const char *event, const struct log_field *field, size_t n) {
    if (!l || l->fd < 0 || level < l->level || level >= LOG_OFF)
        return;
    struct buf line;
    buf_init(&line, LOG_LINE_BYTE);
    put_line(&line, l, level, event, field, n, false);
    if (line.over) {
        buf_clear(&line);
        put_line(&line, l, level, event, field, n, true);
    }
    ssize_t written = write(l->fd, line.ptr, line.len);
    (void)written;
    buf_done(&line);
}
