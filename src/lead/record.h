/* record.h — what one lead's row holds on its way through the rooms: the values read, the score, the reasons.
 *
 * Stages share this data and never each other's functions. */
#ifndef GALENA_LEAD_RECORD_H
#define GALENA_LEAD_RECORD_H

#include "base/str.h"

/* What is known of one field of one lead. */
enum value_state {
    VALUE_KNOWN,
    VALUE_MISSING, /* empty, or a token that means "not known" */
    VALUE_UNSEEN,  /* a level that no training row had, or only rare rows: "other" */
    VALUE_INVALID  /* text that is not of the field's type: scored as missing */
};

struct field_value {
    enum value_state state;
    uint32_t slot; /* fields with levels: index into level_rate (schema.h): the level, other, missing or a missing token;
                      multi: the first level; numbers: n_level + 1 and on when missing */
    double number; /* numeric: the number as read; date: days since the reference */
    str text;      /* the cell, without surrounding space */
};

/* How a row of a file of leads ended. Every row ends in exactly one. */
enum record_status {
    RECORD_SCORED,
    RECORD_INSUFFICIENT, /* too little is known; the reason says what is missing */
    RECORD_DISQUALIFIED, /* a negative persona of the profile; the reason names the rule */
    RECORD_FAILED,       /* the row could not be read; it is in the rejects file */
    RECORD_STATUS_COUNT
};

enum tier { TIER_COLD, TIER_WARM, TIER_HOT, TIER_COUNT };

const char *record_status_name(enum record_status status); /* "scored", "insufficient_data", "disqualified", "failed" */
const char *tier_name(enum tier tier);                     /* "cold", "warm", "hot" */

/* hot above `hot`, warm above `warm`, else cold. */
static inline enum tier tier_of(double probability, double hot, double warm) {
    return probability > hot ? TIER_HOT : probability > warm ? TIER_WARM : TIER_COLD;
}

/* Probability of conversion with its interval, all in [0, 1], low <= probability <= high; and the log-odds they came from.
 */
struct score {
    double probability, low, high;
    double logit;  /* before calibration */
    double spread; /* standard deviation of the log-odds, missing fields included */
};

#endif
