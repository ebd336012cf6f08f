/* answer_form.h — an answer as it lies in the cache, where others can write too: nothing of it is trusted. */
#ifndef GALENA_EGRESS_ANSWER_FORM_H
#define GALENA_EGRESS_ANSWER_FORM_H

#include "base/buf.h"
#include "egress/egress.h"

enum { ANSWER_MAX_FIELD = 8 };

struct kept_answer {
    enum egress_class class; /* EGRESS_OK or EGRESS_EMPTY */
    int status;
    int64_t stored_ms; /* wall clock */
    struct http_field header[ANSWER_MAX_FIELD];
    size_t n_header;
    str body;
};

/* Appends class, status, the time, the header fields that egress_answer names, and the body. */
void answer_write(struct buf *to, const struct egress_answer *a, int64_t now_ms);

/* The texts of *out are parts of `bytes`. False, with *out undefined, when they are not of this form. */
bool answer_read(str bytes, struct kept_answer *out);

#endif
