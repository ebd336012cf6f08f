/* err.c — the thread's last failure: a slug and a sentence. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ERR_TEXT_BYTE = 1024 };

static _Thread_local char last_text[ERR_TEXT_BYTE];
static _Thread_local const char *last_slug = "none";

static const char *const names[ERR_CODE_COUNT] = {
    [OK] = "ok",
    [ERR_INPUT] = "input",
    [ERR_ABSENT] = "absent",
    [ERR_CONFLICT] = "conflict",
    [ERR_AGAIN] = "again",
    [ERR_LIMIT] = "limit",
    [ERR_DENIED] = "denied",
    [ERR_REMOTE] = "remote",
    [ERR_CORRUPT] = "corrupt",
};

/* A cut sentence must not end in half a UTF-8 character. */
static void trim_partial_character(char *text, size_t len) {
    while (len > 0 && ((unsigned char)text[len - 1] & 0xC0u) == 0x80u)
        len--;
    if (len > 0 && (unsigned char)text[len - 1] >= 0xC0u)
        len--;
    text[len] = '\0';
}

PRINTF_LIKE(3, 0) static void write_text(char *to, size_t size, const char *format, va_list args) {
    int n = vsnprintf(to, size, format, args);
    if (n < 0)
        to[0] = '\0';
    else if ((size_t)n >= size)
        trim_partial_character(to, size - 1);
}

err(fail)(err code, const char *slug, const char *format, ...) {
    char text[ERR_TEXT_BYTE]; /* arguments may point into last_text */
    va_list args;
    va_start(args, format);
    write_text(text, sizeof text, format, args);
    va_end(args);
    memcpy(last_text, text, sizeof text);
    last_slug = slug;
    return code;
}

err(err_prefix)(err code, const char *format, ...) {
    char old[ERR_TEXT_BYTE];
    memcpy(old, last_text, sizeof old);
    va_list args;
    va_start(args, format);
    write_text(last_text, sizeof last_text, format, args);
    va_end(args);
    size_t len = strlen(last_text);
    int n = snprintf(last_text + len, sizeof last_text - len, ": %s", old);
    if (n >= 0 && (size_t)n >= sizeof last_text - len)
        trim_partial_character(last_text, sizeof last_text - 1);
    return code;
}

const char *err_slug(void) { return last_slug; }

const char *err_text(void) { return last_text; }

const char *err_name(err code) { return (unsigned)code < ERR_CODE_COUNT ? names[code] : "unknown"; }

int err_exit_code(err code) { return code == OK ? 0 : (int)code + 1; }
