/* budget.h — what may be spent: money and tokens, reserved before a call is sent and settled after it.
 *
 * An account is a name and a day ("source", "tenant", "lead"). For each of them spent + reserved never exceeds the limit,
 * whatever threads do; an attempt that turns out to cost more than was reserved is written down as it was. One book serves
 * every thread. A book that several processes share draws allowances from `draw`, so that together they stay below. */
#ifndef GALENA_EGRESS_BUDGET_H
#define GALENA_EGRESS_BUDGET_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* A limit of BUDGET_NO_LIMIT in a part is none; a limit of 0 lets only what is free pass. */
#define BUDGET_NO_LIMIT INT64_MAX

struct budget_amount {
    int64_t micro; /* money in micro-units */
    int64_t token;
};

enum budget_kind { BUDGET_LEAD, BUDGET_TENANT, BUDGET_SOURCE, BUDGET_KIND_COUNT };
const char *budget_kind_name(enum budget_kind kind); /* "lead", "tenant", "source" */

struct budget;

struct budget_settings {
    size_t max_account; /* accounts in memory; those of past days go first; 0: 1,000,000 */
    /* How much more of an account's limit this process may use: at least *need, better *wish; writes what it got (zeros:
     * nothing is left) and keeps it granted. Called with the book locked: short. NULL: this process alone has the limit. */
    void (*draw)(void *ctx, enum budget_kind kind, str account, int64_t day, struct budget_amount limit,
                 struct budget_amount need, struct budget_amount wish, struct budget_amount *got);
    void *draw_ctx;
};

/* ERR_LIMIT "memory_limit". */
err budget_new(const struct budget_settings *settings, struct budget **out) MUST_CHECK;
void budget_free(struct budget *b); /* NULL is allowed */

/* One line of a reservation. */
struct budget_line {
    enum budget_kind kind;
    str account; /* of BUDGET_TENANT and BUDGET_LEAD with the tenant's name in it; empty: the line does not count */
    struct budget_amount limit;  /* as it is now */
    struct budget_amount before; /* spent before this process; counts when the account is new here */
};

/* Reserves `most` in every line, or in none. Days are days since 1970 (UTC); a lead's account has no day. ERR_LIMIT
 * "egress_budget_lead", "egress_budget_tenant", "egress_budget_source", or "memory_limit". */
err budget_reserve(struct budget *b, const struct budget_line *line, size_t n, int64_t day,
                   struct budget_amount most) MUST_CHECK;

/* Ends what was reserved with the same lines, day and amount: `spent` of it was. */
void budget_settle(struct budget *b, const struct budget_line *line, size_t n, int64_t day, struct budget_amount most,
                   struct budget_amount spent);

/* Spent and reserved of an account; zeros when it is not known. */
struct budget_state {
    struct budget_amount spent, reserved;
};
struct budget_state budget_look(struct budget *b, enum budget_kind kind, str account, int64_t day);

#endif
