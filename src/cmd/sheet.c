/* sheet.c — writes CSV files row by row. */
#include "cmd/sheet.h"

#include "base/csv.h"
#include "base/number.h"
#include "base/time.h"

#include <errno.h>
#include <sys/stat.h>

enum { FLUSH_BYTE = 1 << 16, ROW_BYTE = 1 << 16 };

err sheet_folder(str path) {
    struct stat st;
    if (mkdir(path.ptr, 0777) == 0)
        return OK;
    int reason = errno;
    if (reason == EEXIST && stat(path.ptr, &st) == 0 && S_ISDIR(st.st_mode))
        return OK;
    return fail(reason == EACCES || reason == EROFS ? ERR_DENIED
                : reason == ENOENT                  ? ERR_ABSENT
                : reason == ENOSPC                  ? ERR_AGAIN
                                                    : ERR_INPUT,
                "sheet_folder", "cannot make the folder %s: %s", path.ptr, strerror(reason));
}

err sheet_open(struct arena *a, str folder, const char *name, const char *head, struct sheet *out) {
    *out = (struct sheet){.path = str_format(a, "%s/%s", folder.ptr, name), .rows = buf_in(a, FLUSH_BYTE + ROW_BYTE)};
    TRY(file_create(a, out->path.ptr, &out->file));
    if (!head)
        return OK;
    buf_add(out->rows, str_from(head));
    out->begun = true;
    return sheet_end_row(out);
}

void sheet_put(struct sheet *s, str cell) {
    if (s->begun)
        buf_add_byte(s->rows, ',');
    s->begun = true;
    csv_write_cell(s->rows, cell, ',');
}

void sheet_put_number(struct sheet *s, double value) {
    char digits[NUMBER_TEXT_BYTE];
    sheet_put(s, (str){digits, number_format(value, digits)});
}

void sheet_put_day(struct sheet *s, int64_t day) {
    char text[TIME_TEXT_BYTE];
    sheet_put(s, (str){text, time_format_day(day * TIME_DAY_MS, text)});
}

void sheet_put_moment(struct sheet *s, int64_t ms) {
    char text[TIME_TEXT_BYTE];
    sheet_put(s, (str){text, time_format(ms, text)});
}

err sheet_end_row(struct sheet *s) {
    buf_add_byte(s->rows, '\n');
    s->begun = false;
    s->n_rows++;
    TRY(buf_check(s->rows));
    if (s->rows->len < FLUSH_BYTE)
        return OK;
    TRY(file_write(s->file, buf_str(s->rows)));
    buf_clear(s->rows);
    return OK;
}

err sheet_commit(struct sheet *s) {
    TRY(file_write(s->file, buf_str(s->rows)));
    return file_commit(s->file);
}
