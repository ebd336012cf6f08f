/* retry.c — the arithmetic of trying again. */
#include "egress/retry.h"

#include "base/time.h"

#include <stdlib.h>
#include <time.h>

static const int64_t most_after_ms = TIME_DAY_MS;

struct retry_policy retry_defaults(void) {
    return (struct retry_policy){.base_ms = 1000, .cap_ms = 600000, .max_attempt = 8, .limit_ms = 30000};
}

static int64_t backoff_ms(const struct retry_policy *p, int64_t attempt, struct rng *r) {
    int64_t most = p->base_ms;
    for (int64_t k = 1; k < attempt && most < p->cap_ms; k++)
        most *= 2;
    most = most < p->cap_ms ? most : p->cap_ms;
    return (int64_t)(rng_uniform(r) * (double)most);
}

struct retry_decision retry_decide(const struct retry_policy *p, err rc, int64_t attempt, int64_t after_ms, struct rng *r) {
    switch (rc) {
    case ERR_CONFLICT:
    case ERR_AGAIN:
    case ERR_REMOTE:
        if (attempt >= p->max_attempt)
            return (struct retry_decision){RETRY_DEAD, 0};
        return (struct retry_decision){RETRY_AGAIN, after_ms > 0         ? after_ms
                                                    : rc == ERR_CONFLICT ? 0
                                                                         : backoff_ms(p, attempt, r)};
    case ERR_LIMIT:
        return (struct retry_decision){RETRY_WAIT,
                                       after_ms > 0 ? after_ms : p->limit_ms / 2 + backoff_ms(p, 1, r) + p->limit_ms / 2};
    default:
        return (struct retry_decision){RETRY_DEAD, 0};
    }
}

int64_t retry_after_ms(const char *value, int64_t now_ms) {
    char *end;
    long long second = strtoll(value, &end, 10);
    int64_t ms = 0;
    if (end != value && *end == '\0') {
        ms = second > 0 && second < most_after_ms / 1000 ? second * 1000 : second > 0 ? most_after_ms : 0;
    } else {
        struct tm tm = {0};
        const char *rest = strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        if (rest && *rest == '\0')
            ms = (int64_t)timegm(&tm) * 1000 - now_ms;
    }
    return ms < 0 ? 0 : ms > most_after_ms ? most_after_ms : ms;
}
