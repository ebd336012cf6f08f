/* predict.c — a model's probabilities for rows of a frame. */
#include "learn/predict.h"

#include "score/scorer.h"

enum { BLOCK = 1024 };

void predict_dataset(struct arena *a, const struct bundle *b, const struct dataset *s, double *p) {
    struct arena_mark mark = arena_mark(a);
    struct row *rows = ARENA_ARRAY(a, BLOCK, struct row);
    struct score *score = ARENA_ARRAY(a, BLOCK, struct score);
    for (size_t from = 0; from < s->n; from += BLOCK) {
        size_t n = s->n - from < BLOCK ? s->n - from : BLOCK;
        for (size_t i = 0; i < n; i++)
            rows[i] = dataset_row(s, from + i);
        scorer_score(b, rows, n, NULL, 0, a, score);
        for (size_t i = 0; i < n; i++)
            p[from + i] = score[i].probability;
    }
    arena_rewind(a, mark);
}

err predict_bind(struct arena *a, const struct bundle *b, str source, const str *columns, size_t n_column,
                 struct vectoriser **out) {
    err rc = vectoriser_new(a, b->schema, b->profile, columns, n_column, out);
    if (rc != OK)
        return err_prefix(rc, "%.*s", STR_ARG(source));
    bool same = vectoriser_width(*out) == b->n_column && vectoriser_terms(*out) == b->n_term;
    const uint32_t *term = vectoriser_term(*out);
    for (size_t c = 0; same && c < b->n_column; c++)
        same = term[c] == b->term_of_column[c];
    return same ? OK
                : fail(ERR_CORRUPT, "model_damaged",
                       "%.*s: the model is damaged: its schema and its families do not belong together", STR_ARG(b->path));
}

err predict_frame(struct arena *a, const struct bundle *b, const struct frame *f, const uint32_t *rows, size_t n,
                  int64_t now_ms, double *p) {
    struct vectoriser *v;
    struct dataset *s;
    TRY(predict_bind(a, b, f->source, f->name, f->n_col, &v));
    vectorise_rows(a, v, f, rows, n, NULL, now_ms, &s, NULL);
    predict_dataset(a, b, s, p);
    return OK;
}
