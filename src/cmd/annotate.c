/* annotate.c — puts a function from cells to cells behind the rows of a file. */
#include "cmd/annotate.h"

#include <math.h>
#include <sys/resource.h>

struct annotating {
    const struct annotation *a;
    size_t at[ANNOTATE_COLUMNS];
};

double annotate_cpu_second(void) {
    struct rusage u;
    if (getrusage(RUSAGE_SELF, &u) != 0)
        return NAN;
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static err write_cells(void *ctx, const struct table_row *row, struct append *to) {
    const struct annotating *x = ctx;
    str cell[ANNOTATE_COLUMNS];
    for (size_t k = 0; k < x->a->n_column; k++)
        cell[k] = row->cell[x->at[k]];
    x->a->write(x->a->ctx, cell, to->delimiter, to->text);
    return OK;
}

err annotate_file(struct session *s, const struct annotation *a, struct annotated *done) {
    const int64_t began = s->clock.steady_ns();
    const double cpu = annotate_cpu_second();
    struct annotating x = {.a = a};
    struct append to;
    s->data_on_stdout = str_equal(a->out, STR("-"));
    TRY(append_open(s, &(struct leads_options){.file = a->file}, a->out, a->added, a->n_added, &to));
    for (size_t k = 0; k < a->n_column; k++)
        TRY(append_find(to.table, a->column[k], &x.at[k]));
    TRY(append_run(&to, write_cells, &x));
    TRY(append_commit(&to));
    *done = (struct annotated){.rows = to.rows - to.bad,
                               .bad = to.bad,
                               .second = clock_second_since(&s->clock, began),
                               .cpu_second = annotate_cpu_second() - cpu};
    return OK;
}
