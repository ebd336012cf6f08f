/* stage_model.c — vectorise, score and explain for one run. */
#include "flow/pin_priv.h"
#include "flow/stages.h"
#include "profile/prior.h"
#include "score/scorer.h"

#include <math.h>

enum { SCRATCH_BYTE = 64 << 20 };

/* ---- room ---- */

static void free_scratch(void *ctx) { arena_free(((struct scratch *)ctx)->arena); }

struct scratch *scratch_new(struct arena *a) {
    struct scratch *s = ARENA_NEW(a, struct scratch);
    s->own = true;
    s->arena = arena_new(SCRATCH_BYTE);
    if (s->arena)
        arena_defer(a, free_scratch, s);
    return s->arena ? s : NULL;
}

static err prepare(void *ctx) {
    const struct run *run = ctx;
    const struct model_pin *pin = run->pin;
    struct scratch *s = run->scratch;
    struct arena *a = s->arena;
    const size_t n_term = pin->bundle ? pin->bundle->n_term : pin->profile->n_criterion;
    s->cell = ARENA_ARRAY(a, pin->n_cell, str);
    s->column = ARENA_ARRAY(a, pin->n_cell, uint16_t);
    s->rank = ARENA_ARRAY(a, pin->n_cell, uint16_t);
    s->vector = pin->vectoriser ? vector_new(a, pin->vectoriser) : NULL;
    s->subscores = pin->binding ? subscores_new(a, pin->binding) : NULL;
    s->share = ARENA_ARRAY(a, n_term, double);
    s->sentences = sentences_new(a, pin->bundle, pin->profile, pin->terms.reasons);
    s->serial = pin->serial;
    return OK;
}

err scratch_ready(struct run *run) {
    if (!run->scratch) {
        run->scratch = ARENA_NEW(run->arena, struct scratch);
        run->scratch->arena = run->arena;
    }
    struct scratch *s = run->scratch;
    if (s->serial == run->pin->serial)
        return OK;
    s->serial = 0;
    if (s->own)
        arena_reset(s->arena);
    return arena_run(s->arena, prepare, run);
}

/* ---- vectorise ---- */

static enum record_status vectorise_model(struct run *run, struct scratch *s) {
    const struct model_pin *pin = run->pin;
    vectorise_row(pin->vectoriser, s->cell, run->now_ms, s->vector);
    if (s->subscores)
        subscores_compute(pin->binding, s->cell, run->now_ms, s->subscores);
    for (size_t k = 0; k < SECTION_COUNT; k++)
        s->section[k] = s->vector->subscores ? s->vector->subscores->section[k].score : 0;
    run->vector = s->vector;
    return settle_vector(&pin->settling, s->vector, s->subscores, run->arena, &run->note);
}

static enum record_status vectorise_profile(struct run *run, struct scratch *s) {
    subscores_compute(run->pin->binding, s->cell, run->now_ms, s->subscores);
    return settle_profile(run->pin->binding, s->subscores, run->arena, &run->note);
}

err stage_vectorise(struct run *run) {
    TRY(scratch_ready(run));
    struct scratch *s = run->scratch;
    pin_fill(run->pin, run, s);
    enum record_status status = run->pin->bundle ? vectorise_model(run, s) : vectorise_profile(run, s);
    run->outcome = status == RECORD_DISQUALIFIED   ? RUN_DISQUALIFIED
                   : status == RECORD_INSUFFICIENT ? RUN_INSUFFICIENT
                                                   : RUN_OPEN;
    return OK;
}

/* ---- score ---- */

err stage_score(struct run *run) {
    const struct model_pin *pin = run->pin;
    const struct scratch *s = run->scratch;
    if (run->outcome != RUN_OPEN)
        return OK;
    if (pin->bundle)
        scorer_score(pin->bundle, &s->vector->row, 1, s->vector->missing, pin->terms.interval, run->arena, &run->score);
    else
        run->score = settle_profile_score(pin->profile, s->subscores, pin->terms.interval);
    run->tier = tier_of(run->score.probability, pin->hot, pin->warm);
    run->outcome = RUN_SCORED;
    return OK;
}

/* ---- explain ---- */

static void share_out(struct run *run, struct scratch *s) {
    const struct model_pin *pin = run->pin;
    if (pin->bundle) {
        run->base = scorer_explain(pin->bundle, &s->vector->row, 1, run->arena, s->share);
        run->n_share = pin->bundle->n_term;
    } else {
        profile_explain(pin->profile, s->subscores, s->share);
        run->base = log(pin->profile->base_rate / (1 - pin->profile->base_rate));
        run->n_share = pin->profile->n_criterion;
    }
    run->share = s->share;
}

static void keep_sentences(struct run *run, const struct scratch *s) {
    const struct sentences *x = s->sentences;
    const char *text = arena_copy(run->arena, x->text.ptr, x->text.len);
    run->n_reason = x->n;
    run->reason = ARENA_ARRAY(run->arena, x->n, struct run_reason);
    for (size_t k = 0; k < x->n; k++)
        run->reason[k] = (struct run_reason){.text = {text + (x->sentence[k].ptr - x->text.ptr), x->sentence[k].len},
                                             .share = s->share[x->term[k]]};
}

err stage_explain(struct run *run) {
    struct scratch *s = run->scratch;
    if (run->outcome != RUN_SCORED)
        return OK;
    share_out(run, s);
    sentences_make(s->sentences, &(struct sentence_input){.value = s->vector ? s->vector->encoded->value : NULL,
                                                          .section = s->section,
                                                          .credit_value = s->subscores ? s->subscores->value : NULL,
                                                          .share = s->share});
    keep_sentences(run, s);
    return OK;
}

str pin_term_name(const struct model_pin *pin, struct arena *a, size_t term) {
    if (!pin->bundle)
        return pin->profile->criterion[term].name;
    const struct schema *s = pin->bundle->schema;
    if (term < s->n_field)
        return s->field[term].name;
    if (term >= bundle_first_interaction(pin->bundle))
        return bundle_term_title(pin->bundle, term);
    return str_format(a, "profile.%s", profile_section_name((enum profile_section)(term - s->n_field)));
}
