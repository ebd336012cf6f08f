/* settle.c — how a lead ends that could be read. */
#include "flow/settle.h"

#include "profile/prior.h"

/* A lead with less than this share of the model's importance known is not scored: almost all of the score would be the base
 * rate. */
static const double least_known = 0.02;

struct settling settling_of(struct arena *a, const struct bundle *b) {
    uint32_t *ranked = ARENA_ARRAY(a, b->schema->n_field, uint32_t);
    struct settling s = {.bundle = b, .ranked = ranked};
    for (size_t f = 0; f < b->schema->n_field; f++) {
        s.field_importance += b->importance[f];
        if (!field_is_used(&b->schema->field[f]))
            continue;
        size_t at = s.n_ranked++;
        for (; at > 0 && b->importance[ranked[at - 1]] < b->importance[f]; at--)
            ranked[at] = ranked[at - 1];
        ranked[at] = (uint32_t)f;
    }
    return s;
}

static bool too_little_known(const struct settling *s, const unsigned char *missing) {
    double known = 0;
    for (size_t t = 0; t < s->bundle->schema->n_field; t++)
        known += missing[t] ? 0 : s->bundle->importance[t];
    return known < least_known * s->field_importance;
}

/* The fields that matter most among those that are not known. */
static str list_missing(const struct settling *s, const unsigned char *missing, struct arena *a) {
    str title[3];
    size_t n = 0;
    for (size_t k = 0; k < s->n_ranked && n < 3; k++)
        if (missing[s->ranked[k]])
            title[n++] = bundle_term_title(s->bundle, s->ranked[k]);
    str list = str_join(a, title, n, STR(", "));
    return str_format(a, "Not scored: too little is known; missing above all %.*s", STR_ARG(list));
}

static bool disqualified(const struct subscores *s, struct arena *a, str *note) {
    if (!s || !s->disqualified)
        return false;
    *note = str_format(a, "Disqualified by the rule \"%.*s\": %.*s", STR_ARG(s->disqualified->name),
                       STR_ARG(s->disqualified_value));
    return true;
}

enum record_status settle_vector(const struct settling *s, const struct vector *v, const struct subscores *rules,
                                 struct arena *a, str *note) {
    if (disqualified(rules ? rules : v->subscores, a, note))
        return RECORD_DISQUALIFIED;
    bool nothing = v->encoded->n_known + v->encoded->n_unseen == 0 && (!v->subscores || v->subscores->insufficient);
    if (!nothing && (s->bundle->profile || !too_little_known(s, v->missing)))
        return RECORD_SCORED;
    *note = list_missing(s, v->missing, a);
    return RECORD_INSUFFICIENT;
}

enum record_status settle_profile(const struct profile_binding *b, const struct subscores *s, struct arena *a, str *note) {
    if (disqualified(s, a, note))
        return RECORD_DISQUALIFIED;
    if (!s->insufficient)
        return RECORD_SCORED;
    str missing = subscores_missing(a, b, s);
    *note = str_format(a, "Not scored: nothing is known that the profile asks for: %.*s", STR_ARG(missing));
    return RECORD_INSUFFICIENT;
}

struct score settle_profile_score(const struct profile *p, const struct subscores *s, double level) {
    struct profile_fit fit = profile_fit(p, s, level > 0 ? level : 0.95);
    return (struct score){.probability = fit.probability,
                          .low = level > 0 ? fit.low : fit.probability,
                          .high = level > 0 ? fit.high : fit.probability,
                          .logit = fit.logit,
                          .spread = fit.spread};
}
