/* record.c — names of statuses and tiers. */
#include "lead/record.h"

static const char *const status_names[RECORD_STATUS_COUNT] = {"scored", "insufficient_data", "disqualified", "failed"};
static const char *const tier_names[TIER_COUNT] = {"cold", "warm", "hot"};

const char *record_status_name(enum record_status status) { return status_names[status]; }

const char *tier_name(enum tier tier) { return tier_names[tier]; }
