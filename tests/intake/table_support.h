/* table_support.h — temporary files for the tests of tables. */
#ifndef GALENA_TESTS_INTAKE_TABLE_SUPPORT_H
#define GALENA_TESTS_INTAKE_TABLE_SUPPORT_H

#include "base/buf.h"
#include "intake/table.h"
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

static inline void remove_file(void *ctx) { unlink(ctx); }

/* A file with these contents and the ending `suffix`, removed with the arena. */
static inline const char *file_with(struct arena *a, str text, const char *suffix) {
    char *path = str_cstr(a, str_format(a, "/tmp/galena-test-XXXXXX%s", suffix));
    int fd = mkstemps(path, (int)strlen(suffix));
    assert_true(fd >= 0);
    arena_defer(a, remove_file, path);
    assert_int_equal(write(fd, text.ptr, text.len), (ssize_t)text.len);
    close(fd);
    return path;
}

/* The bytes as one gzip member. */
static inline str packed(struct arena *a, str text) {
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t cap = deflateBound(&z, text.len);
    unsigned char *to = arena_alloc(a, cap);
    char *from = arena_copy(a, text.ptr, text.len);
    z.next_in = (Bytef *)from;
    z.avail_in = (uInt)text.len;
    z.next_out = to;
    z.avail_out = (uInt)cap;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t len = z.total_out;
    deflateEnd(&z);
    return (str){(char *)to, len};
}

static inline struct table *open_file(struct arena *a, const char *path) {
    struct table *t = NULL;
    assert_ok(table_open(a, &(struct table_options){.path = path}, &t));
    return t;
}

static inline struct table *open_text(struct arena *a, str text) { return open_file(a, file_with(a, text, ".csv")); }

/* Columns, then all rows, as text: "a,b | 1,2 | !slug@line | …"; an error at the end as "ERROR slug". */
static inline const char *show(struct arena *a, struct table *t, size_t max_row) {
    struct buf *b = buf_in(a, (size_t)1 << 24);
    size_t n_column;
    const str *column = table_columns(t, &n_column);
    for (size_t i = 0; i < n_column; i++)
        buf_add_format(b, "%s%.*s", i > 0 ? "," : "", STR_ARG(column[i]));
    for (uint64_t index = 0;;) {
        struct table_row *row = NULL;
        size_t n = 0;
        err rc = table_read(t, a, max_row, &row, &n);
        if (rc != OK)
            buf_add_format(b, " ERROR %s", err_slug());
        if (rc != OK || n == 0)
            break;
        assert_true(n <= max_row);
        for (size_t r = 0; r < n; r++) {
            assert_true(row[r].index == index++);
            buf_add(b, STR(" | "));
            if (row[r].status != OK)
                buf_add_format(b, "!%s@%llu", row[r].slug, (unsigned long long)row[r].line);
            for (size_t i = 0; row[r].status == OK && i < n_column; i++)
                buf_add_format(b, "%s%.*s", i > 0 ? "," : "", STR_ARG(row[r].cell[i]));
        }
    }
    assert_ok(buf_check(b));
    return str_cstr(a, buf_str(b));
}

static inline err open_fails(struct arena *a, str text, const char *suffix) {
    struct table *t = NULL;
    err rc = table_open(a, &(struct table_options){.path = file_with(a, text, suffix)}, &t);
    assert_true(rc != OK || t != NULL);
    return rc;
}

#endif
