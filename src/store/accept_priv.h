/* accept_priv.h — a lead on its way in, between the two files that take it. */
#ifndef GALENA_STORE_ACCEPT_PRIV_H
#define GALENA_STORE_ACCEPT_PRIV_H

#include "store/store_priv.h"

struct accept_row {
    char id[RUN_ID_BYTE + 1]; /* under which it was sealed */
    str origin, content, email, domain, sealed;
};

/* The idempotency key of a command. */
struct accept_key {
    str key, request, response;
    bool held; /* somebody used it before */
};

/* Leads whose origin is there already: duplicates get their identifier, those with a new body are updated. */
err store_settle_known(struct store *s, struct db *db, struct accepted *const *lead, struct accept *const *owner,
                       size_t n) MUST_CHECK;

#endif
