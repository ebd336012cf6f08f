/* common_settings.h — settings that several commands have and that mean the same in each. */
#ifndef GALENA_CMD_COMMON_SETTINGS_H
#define GALENA_CMD_COMMON_SETTINGS_H

#include "base/settings.h"

/* int64_t: threads to use, 0 to 64. */
#define THREADS_SETTING(options, member)                                                                                    \
    {                                                                                                                       \
        .name = "threads", .type = SETTING_INTEGER, .offset = offsetof(options, member), .fallback = "0", .min = 0,         \
        .max = 64, .help = "threads to use; 0 is one for each core; the result does not depend on it"                       \
    }

/* bool: rows that could not be read are an error at the end. */
#define STRICT_SETTING(options, member)                                                                                     \
    {                                                                                                                       \
        .name = "strict", .type = SETTING_FLAG, .offset = offsetof(options, member),                                        \
        .help = "end with an error when a row could not be read (the output is still written)"                              \
    }

/* double: level of the interval, below 1, where it would be everything. */
#define INTERVAL_SETTING(options, member)                                                                                   \
    {                                                                                                                       \
        .name = "interval", .type = SETTING_FRACTION, .offset = offsetof(options, member), .fallback = "0.95", .min = 0,    \
        .max = 0.9999, .help = "how much the interval should cover; 0 leaves it out"                                        \
    }

/* int64_t: reasons for each lead. */
#define REASONS_SETTING(options, member)                                                                                    \
    {                                                                                                                       \
        .name = "reasons", .type = SETTING_INTEGER, .offset = offsetof(options, member), .fallback = "3", .min = 0,         \
        .max = 20, .help = "how many reasons to give for each lead"                                                         \
    }

/* double, double: the tiers' thresholds. `when`: text before each help, such as "without a model: ". */
#define TIER_SETTINGS(options, hot_member, warm_member, when)                                                               \
    {.name = "hot",                                                                                                         \
     .type = SETTING_FRACTION,                                                                                              \
     .offset = offsetof(options, hot_member),                                                                               \
     .fallback = "0.85",                                                                                                    \
     .help = when "leads above this probability are hot"},                                                                  \
    {                                                                                                                       \
        .name = "warm", .type = SETTING_FRACTION, .offset = offsetof(options, warm_member), .fallback = "0.5",              \
        .help = when "leads above this probability are warm, the others cold"                                               \
    }

#endif
