/* log.h — what the program did, as JSON lines for machines: {"time":"2026-02-28T09:30:00.123Z","level":"info","event":"...",
 * ...}.
 *
 * Only rooms at the edge of the program log (tools/layers.txt); libraries return errors. Events have stable names; what
 * belongs to one occurrence goes into fields. Never log personal data: no names, addresses, cell values or rows, only
 * identifiers, counts, durations and file names that the operator gave. */
#ifndef GALENA_BASE_LOG_H
#define GALENA_BASE_LOG_H

#include "base/clock.h"
#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };

/* Where lines go. Each line is one write(2), so that several threads and processes may share a descriptor opened for
 * appending. */
struct log {
    int fd;               /* < 0: nowhere */
    enum log_level level; /* less important events are left out */
    struct clock clock;
};

enum log_type { LOG_FIELD_TEXT, LOG_FIELD_INTEGER, LOG_FIELD_NUMBER, LOG_FIELD_BOOL };

struct log_field {
    const char *name;
    enum log_type type;
    union {
        str text; /* cut after LOG_TEXT_BYTE bytes; bytes that are no UTF-8 are replaced */
        int64_t integer;
        double number;
        bool boolean;
    };
};

enum { LOG_TEXT_BYTE = 512, LOG_LINE_BYTE = 8192 };

static inline struct log_field log_text(const char *name, str v) {
    return (struct log_field){name, LOG_FIELD_TEXT, {.text = v}};
}
static inline struct log_field log_integer(const char *name, int64_t v) {
    return (struct log_field){name, LOG_FIELD_INTEGER, {.integer = v}};
}
static inline struct log_field log_number(const char *name, double v) {
    return (struct log_field){name, LOG_FIELD_NUMBER, {.number = v}};
}
static inline struct log_field log_bool(const char *name, bool v) {
    return (struct log_field){name, LOG_FIELD_BOOL, {.boolean = v}};
}

/* Writes one line: log_event(l, LOG_INFO, "model_saved", LOG_FIELDS(log_text("family", f), log_integer("rows", n))). A line
 * longer than LOG_LINE_BYTE is written without its fields and with "cut":true. A failing write is not reported: logging
 * never stops work. `l` may be NULL. */
void log_event(const struct log *l, enum log_level level, const char *event, const struct log_field *field, size_t n);

#define LOG_FIELDS(...)                                                                                                     \
    (const struct log_field[]){__VA_ARGS__}, sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)

#endif
