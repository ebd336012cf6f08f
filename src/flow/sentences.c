/* sentences.c — the reasons of one lead. */
#include "flow/sentences.h"

#include <math.h>

enum { SENTENCE_MAX_BYTE = 4096 };

static const struct schema no_fields;

struct sentences *sentences_new(struct arena *a, const struct bundle *b, const struct profile *p, size_t most) {
    struct sentences *x = ARENA_NEW(a, struct sentences);
    const size_t room = (size_t)SENTENCE_MAX_BYTE * (most + 1);
    x->bundle = b;
    x->most = most;
    x->n_extra = b ? bundle_first_interaction(b) - b->schema->n_field : p->n_criterion;
    x->extra = ARENA_ARRAY(a, x->n_extra, struct extra_term);
    for (size_t k = 0; k < x->n_extra; k++)
        x->extra[k].title = b ? bundle_term_title(b, b->schema->n_field + k) : p->criterion[k].name;
    x->text = (struct buf){.ptr = arena_alloc(a, room), .cap = room, .max = room};
    return x;
}

/* What the lead holds beyond its fields. */
static void fill_extra(struct sentences *x, const struct sentence_input *in) {
    for (size_t k = 0; k < x->n_extra; k++) {
        x->extra[k].value = x->bundle && in->section ? in->section[k] : 0;
        x->extra[k].text = x->bundle ? (str){0} : in->credit_value[k];
    }
}

void sentences_make(struct sentences *x, const struct sentence_input *in) {
    const struct bundle *b = x->bundle;
    size_t end[REASON_MAX];
    fill_extra(x, in);
    const struct reason_input reason = {.schema = b ? b->schema : &no_fields,
                                        .value = in->value,
                                        .extra = x->extra,
                                        .n_extra = x->n_extra,
                                        .share = in->share,
                                        .base_rate = b ? b->base_rate : (double)NAN};
    buf_clear(&x->text);
    x->n = reason_rank(reason.share, reason.schema->n_field + x->n_extra + reason.schema->n_interaction, x->most, x->term);
    for (size_t k = 0; k < x->n; k++) {
        reason_write(&x->text, &reason, x->term[k]);
        end[k] = x->text.len;
    }
    for (size_t k = 0; k < x->n; k++)
        x->sentence[k] = str_slice(buf_str(&x->text), k > 0 ? end[k - 1] : 0, end[k]);
}
