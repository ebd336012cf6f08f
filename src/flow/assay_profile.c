/* assay_profile.c — scores by the profile alone, for when there are no outcomes yet. */
#include "flow/assay_priv.h"
#include "profile/prior.h"

static void score_row(const struct assay *w, struct assay_row *r, const struct subscores *s, struct arena *a) {
    const struct profile *p = w->profile;
    r->status = settle_profile(w->binding, s, a, &r->note);
    if (r->status != RECORD_SCORED)
        return;
    double *share = ARENA_ARRAY(a, p->n_criterion, double);
    profile_explain(p, s, share);
    r->share = share;
    r->credit_value = arena_copy(a, s->value, p->n_criterion * sizeof *s->value);
    r->score = settle_profile_score(p, s, w->o->interval);
}

void assay_score_by_profile(const struct assay *w, struct assay_batch *b, struct arena *scratch) {
    struct subscores *s = subscores_new(scratch, w->binding);
    for (size_t i = 0; i < b->n; i++) {
        struct assay_row *r = &b->row[i];
        if (r->in->status != OK) {
            r->status = RECORD_FAILED;
            continue;
        }
        subscores_compute(w->binding, r->in->cell, w->o->now_ms, s);
        score_row(w, r, s, scratch);
    }
}
