/* err.h — one result enum whose value tells the caller what to do, and the sentence behind it.
 *
 * Every fallible function returns `err` and must be checked. The place that detects a fault calls
 * fail(code, slug, "sentence", ...), which records the slug and sentence for this thread; the place that shows or
 * stores the error reads them once with err_slug() and err_text(). Code in between passes the code on and may put
 * where it happened in front with err_prefix().
 *
 * The slug is the stable name of the fault ("csv_unclosed_quote"): scripts may rely on it. The sentence is for people and
 * says what is wrong, where (file, line, column) and, when there is one, the remedy. Libraries never log and never exit. */
#ifndef GALENA_BASE_ERR_H
#define GALENA_BASE_ERR_H

/* What went wrong, named by its remedy. */
typedef enum err_code {
    OK = 0,
    ERR_INPUT,    /* the data or the request is wrong: a person must change it */
    ERR_ABSENT,   /* nothing there: go on with less */
    ERR_CONFLICT, /* somebody changed it first: reload and repeat */
    ERR_AGAIN,    /* passing fault (disk full, interrupted): try again later */
    ERR_LIMIT,    /* a limit on memory, size or count was reached */
    ERR_DENIED,   /* not allowed: credentials, permissions */
    ERR_REMOTE,   /* the other side broke its contract */
    ERR_CORRUPT,  /* our own data fails its checks: stop using it */
    ERR_CODE_COUNT
} err;

#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Passes a failure up. For functions that hold nothing but arena memory. */
#define TRY(call)                                                                                                           \
    do {                                                                                                                    \
        err try_rc_ = (call);                                                                                               \
        if (try_rc_ != OK)                                                                                                  \
            return try_rc_;                                                                                                 \
    } while (0)

/* Records slug and sentence (at most 1,023 bytes, cut on a character boundary) for this thread and returns `code`. */
err fail(err code, const char *slug, const char *format, ...) PRINTF_LIKE(3, 4) MUST_CHECK;

/* Puts "prefix: " in front of the recorded sentence and returns `code`, which keeps its slug. */
err err_prefix(err code, const char *format, ...) PRINTF_LIKE(2, 3) MUST_CHECK;

#ifdef __clang_analyzer__
/* What the analyser cannot see across files: a failure returns its code, which is not OK. */
#define fail(code, ...)       ((void)(fail)((code), __VA_ARGS__), (code))
#define err_prefix(code, ...) ((void)(err_prefix)((code), __VA_ARGS__), (code))
#endif

/* Slug and sentence of this thread's last failure; valid until the next fail(). Never NULL. */
const char *err_slug(void);
const char *err_text(void);

/* "input", "absent", ... for `code`. */
const char *err_name(err code);

/* The process exit code that stands for `code` (see docs/exit-codes.md): 0 for OK, else 2..9; 1 is kept for usage errors. */
int err_exit_code(err code);

#endif
