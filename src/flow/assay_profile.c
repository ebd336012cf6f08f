/* assay_profile.c — scores by the profile alone, for when there are no outcomes yet. */
#include "flow/assay_priv.h"
#include "profile/prior.h"

static void score_row(const struct assay *w, struct assay_row *r, const struct subscores *s, struct arena *a) {
    const struct profile *p = w->profile;
    if (assay_disqualify(r, s, a))
        return;
    if (s->insufficient) {
        str missing = subscores_missing(a, w->binding, s);
        r->status = RECORD_INSUFFICIENT;
        r->note = str_format(a, "Not scored: nothing is known that the profile asks for: %.*s", STR_ARG(missing));
        return;
    }
    const double level = w->o->interval;
    struct profile_fit fit = profile_fit(p, s, level > 0 ? level : 0.95);
    double *share = ARENA_ARRAY(a, p->n_criterion, double);
    profile_explain(p, s, share);
    r->status = RECORD_SCORED;
    r->share = share;
    r->credit_value = arena_copy(a, s->value, p->n_criterion * sizeof *s->value);
    r->score = (struct score){.probability = fit.probability,
                              .low = level > 0 ? fit.low : fit.probability,
                              .high = level > 0 ? fit.high : fit.probability,
                              .logit = fit.logit,
                              .spread = fit.spread};
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
