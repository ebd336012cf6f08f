/* subscore.h — a lead's fit with a profile: credits, sub-scores, disqualification (Eq. 5-13, 37).
 *
 * Every number says what it does about missing fields: an unknown criterion is left out and the weights of the known ones
 * are renormalised, so that missing is not bad, and the share that is unknown is reported beside the score. */
#ifndef GALENA_PROFILE_SUBSCORE_H
#define GALENA_PROFILE_SUBSCORE_H

#include "profile/profile.h"

/* A profile tied to the columns of one file. Read-only and shareable between threads. */
struct profile_binding;

/* A mapped term whose columns the file does not have. */
struct profile_absent {
    str term;
    str columns; /* "Company Size or Employees" */
};

/* Looks up the profile's fields among n column names (exactly, then without ASCII case). A term that `fields` does not map
 * is itself the column name. A field without column is unknown in every row and is listed by profile_binding_absent.
 * ERR_INPUT "profile_no_columns" when the file has none of the profile's fields. */
err profile_bind(struct arena *a, const struct profile *p, const str *columns, size_t n,
                 const struct profile_binding **out) MUST_CHECK;

const struct profile *profile_binding_profile(const struct profile_binding *b);
const struct profile_absent *profile_binding_absent(const struct profile_binding *b, size_t *n);

/* Column of the file that a criterion reads, or -1; and that a term is mapped to. */
ptrdiff_t profile_binding_column(const struct profile_binding *b, size_t criterion);

struct subscore {
    bool present;   /* the profile has this section */
    bool known;     /* at least one of its criteria is known; else score is 0 */
    double score;   /* sum over known criteria of weight * credit, divided by the sum of their |weight| (technographics: Eq.
                       10) */
    double typical; /* the score of an average lead of whom the same criteria are known, from their typical credits */
    double unknown; /* share of the section's |weight| that is unknown, 0..1 */
};

/* What became of one row. Ranges: a section without negative weights 0..1; behaviour and chronographics with negative
 * weights -1..1; technographics from -(negative weights) / (required + desired weights) to 1, and with nothing but negative
 * ones -1..0. */
struct subscores {
    struct subscore section[SECTION_COUNT];
    double *credit;     /* n_criterion credits 0..1; NAN when unknown */
    str *value;         /* n_criterion: the text of the cell that was read; {0} when unknown */
    double event_sum;   /* Eq. 11 as written: impacts times decays, without any bound; 0 when nothing is known */
    double overlap;     /* Eq. 9: share of the required (else desired) technologies that the lead has; NAN when unknown */
    double known_share; /* known |weight|, over all sections by their weights: 0..1 */
    bool insufficient;  /* not one criterion is known */
    const struct profile_rule *disqualified; /* the first rule that fired, or NULL */
    str disqualified_value;                  /* the text that fired its first condition */
};

/* Room for the results of one row; one for each thread, used again and again. */
struct subscores *subscores_new(struct arena *a, const struct profile_binding *b);

/* Computes the sub-scores of one row from its cells (in the order of the columns bound). `now_ms` is the moment from which
 * events age; the column named by the profile's `as_of` goes before it where it holds a date. Allocates nothing; keeps
 * pointers into `cells` in out->value until the next call. */
void subscores_compute(const struct profile_binding *b, const str *cells, int64_t now_ms, struct subscores *out);

/* "employees, industry and 3 more": the unknown criteria with most weight, for a row with `insufficient` set or any other.
 */
str subscores_missing(struct arena *a, const struct profile_binding *b, const struct subscores *s);

/* ---- the formulas, for tests and other rooms ---- */

/* Eq. 6: exp(-((x - middle) / (high - low))^2), x and bounds already on the scale of comparison. An open end gives 1 inside
 * and exp(-((x - bound) / width)^2) outside. low == high: the same with `width` and middle = low. width > 0 replaces high -
 * low. */
double range_similarity(double x, double low, double high, double width);

/* The width that a range without one of its own gets: high - low; for an open end or low == high, a factor 2 on a log scale
 * (ln 2) and a quarter of the bound on a linear one (1 when the bound is 0). Arguments on the scale of comparison. */
double range_width(double low, double high, bool log_scale);

/* Share of a wanted industry code that the lead's code has in common, by levels of the hierarchy: 1 when the lead's code is
 * the wanted one or lies under it; 0 when the sectors differ. NAICS sectors 31-33, 44-45 and 48-49 are one sector each. */
double code_similarity(str lead, str wanted, bool naics);

/* Eq. 11, 12, 37: exp(-decay_per_day * age). A negative age (a future event): future * exp(-decay_per_day * -age). */
double event_decay(double age_day, double decay_per_day, double future);

#endif
