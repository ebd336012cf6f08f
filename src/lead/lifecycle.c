/* lifecycle.c — the diagram of a lead's states as a table. */
#include "lead/lifecycle.h"

static const char *const names[LEAD_STATE_COUNT] = {
    [LEAD_INGESTED] = "ingested",
    [LEAD_PENDING_ENRICHMENT] = "pending_enrichment",
    [LEAD_PENDING_SCORING] = "pending_scoring",
    [LEAD_SCORED] = "scored",
    [LEAD_ASSIGNED] = "assigned",
    [LEAD_NURTURING] = "nurturing",
    [LEAD_ARCHIVED] = "archived",
    [LEAD_RESCORED] = "rescored",
    [LEAD_CONVERTED] = "converted",
    [LEAD_DISQUALIFIED] = "disqualified",
};

#define TO(state) (1u << (state))

static const unsigned allowed[LEAD_STATE_COUNT] = {
    [LEAD_INGESTED] = TO(LEAD_PENDING_ENRICHMENT),
    [LEAD_PENDING_ENRICHMENT] = TO(LEAD_PENDING_SCORING),
    [LEAD_PENDING_SCORING] = TO(LEAD_SCORED),
    [LEAD_SCORED] = TO(LEAD_ASSIGNED) | TO(LEAD_NURTURING) | TO(LEAD_ARCHIVED),
    [LEAD_ASSIGNED] = TO(LEAD_CONVERTED) | TO(LEAD_DISQUALIFIED),
    [LEAD_NURTURING] = TO(LEAD_DISQUALIFIED) | TO(LEAD_RESCORED),
    [LEAD_ARCHIVED] = TO(LEAD_RESCORED),
    [LEAD_RESCORED] = TO(LEAD_SCORED),
};

const char *lead_state_name(enum lead_state state) { return names[state]; }

bool lead_state_parse(str name, enum lead_state *out) {
    for (int k = 0; k < LEAD_STATE_COUNT; k++)
        if (str_equal(name, str_from(names[k]))) {
            *out = (enum lead_state)k;
            return true;
        }
    return false;
}

bool lifecycle_allows(enum lead_state from, enum lead_state to) { return (allowed[from] & TO(to)) != 0; }

err lifecycle_check(enum lead_state from, enum lead_state to) {
    if (lifecycle_allows(from, to))
        return OK;
    return fail(ERR_CONFLICT, "lifecycle_refused", "a lead that is %s cannot become %s", names[from], names[to]);
}

err lifecycle_step(struct lifecycle_path *path, enum lead_state to) {
    if (path->n > 0)
        TRY(lifecycle_check(path->state[path->n - 1], to));
    if (path->n == LIFECYCLE_PATH_MAX)
        return fail(ERR_LIMIT, "lifecycle_long", "a lead may change its state at most %d times in one commit",
                    LIFECYCLE_PATH_MAX - 1);
    path->state[path->n++] = to;
    return OK;
}

size_t lifecycle_path_format(const struct lifecycle_path *path, char text[LIFECYCLE_PATH_BYTE]) {
    size_t at = 0;
    for (size_t i = 0; i < path->n; i++) {
        str name = str_from(names[path->state[i]]);
        if (name.len == 0 || at + name.len + 1 > LIFECYCLE_PATH_BYTE)
            break;
        if (i > 0)
            text[at++] = '>';
        memcpy(text + at, name.ptr, name.len);
        at += name.len;
    }
    return at;
}
