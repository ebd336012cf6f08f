/* predict.h — a model's probabilities for rows of a frame. */
#ifndef GALENA_LEARN_PREDICT_H
#define GALENA_LEARN_PREDICT_H

#include "features/vectorise.h"
#include "score/bundle.h"

/* Binds a model to the columns of the file named `source`. Errors of vectoriser_new, and ERR_CORRUPT "model_damaged" when
 * the features that the model's schema makes are not those its families know. */
err predict_bind(struct arena *a, const struct bundle *b, str source, const str *columns, size_t n_column,
                 struct vectoriser **out) MUST_CHECK;

/* Probabilities p[n] of the given rows. Errors of predict_bind. */
err predict_frame(struct arena *a, const struct bundle *b, const struct frame *f, const uint32_t *rows, size_t n,
                  int64_t now_ms, double *p) MUST_CHECK;

/* The same for rows that are vectorised already. */
void predict_dataset(struct arena *a, const struct bundle *b, const struct dataset *s, double *p);

#endif
