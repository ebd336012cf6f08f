/* prior.c — from credits to log-odds. */
#include "profile/prior.h"

#include "ml/special.h"

#include <math.h>

/* Standard deviations of what a hand-made profile gets wrong: its level, its strength, its parts. Of the order found on
 * public tables (levels off by 0.1 to 0.5, strengths by a factor 0.6 to 1.2). */
static const double sd_level = 0.4, sd_strength = 0.4, sd_part = 0.7;

static double section_weight(const struct profile *p, enum profile_section s) {
    double total = 0;
    for (int k = 0; k < SECTION_COUNT; k++)
        total += p->section[k].present ? p->section[k].weight : 0;
    return p->section[s].weight / total;
}

static double criteria_weight(const struct profile *p, enum profile_section s) {
    double total = 0;
    for (size_t i = p->section[s].from; i < p->section[s].to; i++)
        total += fabs(p->criterion[i].weight);
    return total;
}

double profile_coefficient(const struct profile *p, size_t criterion) {
    const struct profile_criterion *c = &p->criterion[criterion];
    return p->effect * section_weight(p, c->section) * c->weight / criteria_weight(p, c->section);
}

size_t profile_row(const struct profile *p, const struct subscores *s, uint32_t first_column, uint32_t *column,
                   double *value) {
    size_t n = 0;
    for (size_t i = 0; i < p->n_criterion; i++) {
        if (isnan(s->credit[i]))
            continue;
        column[n] = first_column + (uint32_t)i;
        value[n++] = s->credit[i] - p->criterion[i].typical;
    }
    return n;
}

void profile_prior(const struct profile *p, size_t d, size_t first_column, double *mean, double *weight) {
    const double penalty = 10, least = 0.05;
    for (size_t j = 0; j <= d; j++) {
        mean[j] = 0;
        weight[j] = j < d;
    }
    for (size_t i = 0; i < p->n_criterion; i++) {
        double beta = profile_coefficient(p, i), sd = fmax(sd_part * fabs(beta), least);
        mean[first_column + i] = beta;
        weight[first_column + i] = profile_trust(p) / (sd * sd * penalty);
    }
    mean[d] = log_odds(p->base_rate);
}

double profile_trust(const struct profile *p) { return p->strength / PROFILE_USUAL_STRENGTH; }

void profile_explain(const struct profile *p, const struct subscores *s, double *share) {
    for (int k = 0; k < SECTION_COUNT; k++) {
        double beta = p->section[k].present ? p->effect * section_weight(p, (enum profile_section)k) /
                                                  criteria_weight(p, (enum profile_section)k)
                                            : 0;
        for (size_t i = p->section[k].from; i < p->section[k].to; i++) {
            const struct profile_criterion *c = &p->criterion[i];
            share[i] = isnan(s->credit[i]) ? 0 : beta * c->weight * (s->credit[i] - c->typical);
        }
    }
}

struct profile_fit profile_fit(const struct profile *p, const struct subscores *s, double level) {
    double z = 0, parts = 0, unknown = 0;
    for (int k = 0; k < SECTION_COUNT; k++) {
        if (!p->section[k].present)
            continue;
        double scale = p->effect * section_weight(p, (enum profile_section)k) / criteria_weight(p, (enum profile_section)k);
        double open = 0;
        for (size_t i = p->section[k].from; i < p->section[k].to; i++) {
            const struct profile_criterion *c = &p->criterion[i];
            double beta = scale * c->weight, share = isnan(s->credit[i]) ? 0 : beta * (s->credit[i] - c->typical);
            z += share;
            parts += sd_part * sd_part * share * share;
            open += isnan(s->credit[i]) ? fabs(beta) : 0;
        }
        unknown += open * open / 12;
    }
    double variance = (sd_level * sd_level + sd_strength * sd_strength * z * z + parts) / profile_trust(p) + unknown;
    double logit = log_odds(p->base_rate) + z, spread = sqrt(variance), reach = normal_quantile(0.5 + level / 2) * spread;
    return (struct profile_fit){.logit = logit,
                                .spread = spread,
                                .probability = sigmoid(logit),
                                .low = sigmoid(logit - reach),
                                .high = sigmoid(logit + reach)};
}
