/* label.c — the outcome column. */
#include "learn/label.h"

#include <math.h>

enum { SHOWN_VALUES = 6 };

/* What people write for a sale that was won. */
static const str yes_words[] = {STR_INIT("1"),         STR_INIT("yes"),     STR_INIT("true"),       STR_INIT("y"),
                                STR_INIT("t"),         STR_INIT("won"),     STR_INIT("converted"),  STR_INIT("closed won"),
                                STR_INIT("closedwon"), STR_INIT("success"), STR_INIT("closed-won"), STR_INIT("positive")};

static bool means_yes(str value) {
    for (size_t i = 0; i < sizeof yes_words / sizeof *yes_words; i++)
        if (str_equal_nocase(value, yes_words[i]))
            return true;
    return false;
}

/* The first distinct values, at most SHOWN_VALUES + 1 of them. */
static size_t distinct_values(const str *cell, size_t n, str *value) {
    size_t k = 0;
    for (size_t i = 0; i < n && k <= SHOWN_VALUES; i++) {
        str v = str_trim(cell[i]);
        size_t j = 0;
        while (j < k && !str_equal(value[j], v))
            j++;
        if (j == k && v.len > 0)
            value[k++] = v;
    }
    return k;
}

static err ask_for_positive(struct arena *a, const struct frame *f, str target, const str *value, size_t k) {
    str list = str_join(a, value, k < SHOWN_VALUES ? k : SHOWN_VALUES, STR(", "));
    return fail(ERR_INPUT, "target_positive_needed",
                "%.*s: say which value of \"%.*s\" means converted with --positive VALUE; it holds %.*s%s",
                STR_ARG(f->source), STR_ARG(target), STR_ARG(list), k > SHOWN_VALUES ? ", ..." : "");
}

static err choose_positive(struct arena *a, const struct frame *f, str target, const str *cell, str *positive) {
    str value[SHOWN_VALUES + 1];
    size_t k = distinct_values(cell, f->n_row, value);
    if (k == 0)
        return fail(ERR_INPUT, "target_one_class", "%.*s: every outcome in \"%.*s\" is empty", STR_ARG(f->source),
                    STR_ARG(target));
    if (k == 1 && means_yes(value[0])) {
        *positive = value[0];
        return OK;
    }
    if (k != 2 || means_yes(value[0]) == means_yes(value[1]))
        return ask_for_positive(a, f, target, value, k);
    *positive = means_yes(value[0]) ? value[0] : value[1];
    return OK;
}

static err column_unknown(struct arena *a, const struct frame *f, str target) {
    str list = str_join(a, f->name, f->n_col < 40 ? f->n_col : 40, STR(", "));
    return fail(ERR_INPUT, "target_unknown", "%.*s: there is no column \"%.*s\"; the columns are %.*s%s", STR_ARG(f->source),
                STR_ARG(target), STR_ARG(list), f->n_col > 40 ? ", ..." : "");
}

static err check_classes(const struct frame *f, const struct label *l) {
    if (l->n_positive > 0 && l->n_negative > 0)
        return OK;
    if (l->n_positive == 0)
        return fail(ERR_INPUT, "target_positive_absent",
                    "%.*s: no row of \"%.*s\" is \"%.*s\": there is nothing to learn from", STR_ARG(f->source),
                    STR_ARG(l->target), STR_ARG(l->positive));
    return fail(ERR_INPUT, "target_one_class", "%.*s: every row of \"%.*s\" is \"%.*s\": a model needs both outcomes",
                STR_ARG(f->source), STR_ARG(l->target), STR_ARG(l->positive));
}

err label_read(struct arena *a, const struct frame *f, str target, str positive, bool one_class, struct label *out) {
    ptrdiff_t c = frame_find(f, target);
    if (c < 0)
        return column_unknown(a, f, target);
    const str *cell = f->cell[c];
    if (str_empty(positive))
        TRY(choose_positive(a, f, target, cell, &positive));
    double *y = ARENA_ARRAY(a, f->n_row, double);
    struct label l = {.target = target, .positive = positive, .y = y};
    for (size_t i = 0; i < f->n_row; i++) {
        str v = str_trim(cell[i]);
        y[i] = str_empty(v) ? NAN : str_equal(v, positive) ? 1 : 0;
        l.n_unknown += str_empty(v);
        l.n_positive += y[i] == 1;
        l.n_negative += y[i] == 0;
    }
    if (!one_class)
        TRY(check_classes(f, &l));
    *out = l;
    return OK;
}
