/* ask.h — an operation of a connector, asked through the door: token, request, credential, meaning and observations.
 *
 * connector/ knows how an outside system is spoken to and opens no socket; egress.h sends and knows no connector. Here the
 * one is put to the other. Programs run on the door's thread, tokens are fetched once for all who wait for them. */
#ifndef GALENA_EGRESS_ASK_H
#define GALENA_EGRESS_ASK_H

#include "connector/exchange.h"
#include "egress/egress.h"

struct asker;

/* ERR_LIMIT "memory_limit". */
err asker_new(struct egress *e, struct asker **out) MUST_CHECK;

/* After egress_stop. Zeroes the tokens. NULL is allowed. */
void asker_free(struct asker *a);

/* What a connector file says of a source: name, rates, calls in flight, personal data that it may see. Regions and the day's
 * budget are the user's: they stay as they are. Texts live as long as the connector's; the name in the arena. */
void ask_source(struct arena *a, const struct connector *c, struct egress_source *out);

/* Why and how it ended. Valid during `done`. */
struct ask_answer {
    const struct egress_answer *egress; /* NULL when nothing was sent, as the request could not be built */
    err rc;                             /* OK, or the failure of building, sending or mapping */
    const char *slug, *text;
    str reason;                                 /* the other side's own words about a failure, cut; may be empty */
    const struct connector_observations *found; /* when OK */
    bool more;                                  /* there is another page, and `next` says where */
    struct connector_page next;
};

/* `call` is what the connector does not know: tenant, lead, credential, budgets, deadline, consent, region, personal
 * classes (of `input`); the rest of it is filled in. The binding and the input must stay until `done`, the binding until
 * asker_free. */
struct ask {
    const struct connector_binding *binding;
    const struct connector_operation *operation;
    const struct json *input;
    struct connector_page page;                               /* zeros: the first */
    struct egress_call call;                                  /* its classify, prepare, done and ctx are not used */
    void (*done)(void *ctx, const struct ask_answer *answer); /* once, on the door's thread */
    void *ctx;
};

/* On OK `done` is called once. ERR_LIMIT "memory_limit", ERR_CONFLICT "egress_stopping". From any thread. */
err asker_ask(struct asker *a, const struct ask *ask) MUST_CHECK;

#endif
