/* fuzz_table.c — any bytes as a file of leads: CSV, JSON lines, either packed; by rows and as a whole the same. */
#include "target.h"

#include "base/utf8.h"
#include "intake/table.h"

#include <sys/mman.h>
#include <unistd.h>

static void close_fd(void *ctx) { close(*(int *)ctx); }

/* The bytes as a file without a name; a path to it. */
static const char *file_of(struct arena *a, str bytes) {
    int *fd = ARENA_NEW(a, int);
    *fd = memfd_create("leads", MFD_CLOEXEC);
    FUZZ_CHECK(*fd >= 0 && write(*fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len);
    arena_defer(a, close_fd, fd);
    return str_format(a, "/proc/self/fd/%d", *fd).ptr;
}

static void check_row(const struct table_row *row, size_t n_column, uint64_t index) {
    FUZZ_CHECK(row->index == index && row->raw.len <= 4096 && row->line > index);
    FUZZ_CHECK((row->status == OK) == (row->cell != NULL) && (row->status == OK) == (row->slug == NULL));
    for (size_t i = 0; row->cell && i < n_column; i++)
        FUZZ_CHECK(utf8_valid(row->cell[i]));
}

static err read_rows(struct arena *a, struct table *t, uint64_t *good) {
    size_t n_column = 0, n = 0;
    table_columns(t, &n_column);
    FUZZ_CHECK(n_column > 0);
    for (uint64_t index = 0;; index += n) {
        struct table_row *row = NULL;
        TRY(table_read(t, a, 3, &row, &n));
        if (n == 0)
            return OK;
        for (size_t i = 0; i < n; i++) {
            check_row(&row[i], n_column, index + i);
            *good += row[i].status == OK;
        }
    }
}

/* The first byte chooses options. */
static err run(void *ctx) {
    const struct fuzz_work *w = ctx;
    if (w->input.len == 0)
        return OK;
    unsigned choice = (unsigned char)w->input.ptr[0];
    struct table_options o = {.path = file_of(w->arena, str_slice(w->input, 1, w->input.len)),
                              .latin1 = choice & 1,
                              .max_row_byte = choice & 2 ? 20 : 0,
                              .max_cell_byte = choice & 4 ? 5 : 0};
    struct table *t = NULL, *again = NULL;
    struct frame *f = NULL;
    uint64_t good = 0;
    TRY(table_open(w->arena, &o, &t));
    err rc = read_rows(w->arena, t, &good);
    FUZZ_CHECK(table_open(w->arena, &o, &again) == OK);
    err whole = table_load(again, w->arena, &f, NULL, NULL);
    FUZZ_CHECK(rc == OK ? (good > 0) == (whole == OK) : whole == rc);
    if (whole == OK)
        FUZZ_CHECK(f->n_row == good);
    return whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_in_arena(data, size, (size_t)1 << 30, run); }
