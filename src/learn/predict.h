/* predict.h — a model's probabilities for rows of a frame. */
#ifndef GALENA_LEARN_PREDICT_H
#define GALENA_LEARN_PREDICT_H

#include "features/vectorise.h"
#include "score/bundle.h"

/* Probabilities p[n] of the given rows. Errors of vectoriser_new. */
err predict_frame(struct arena *a, const struct bundle *b, const struct frame *f, const uint32_t *rows, size_t n,
                  int64_t now_ms, double *p) MUST_CHECK;

/* The same for rows that are vectorised already. */
void predict_dataset(struct arena *a, const struct bundle *b, const struct dataset *s, double *p);

#endif
