/* pg_proxy.h — stands between the program and PostgreSQL, and cuts the wire at the worst moments. */
#ifndef GALENA_TESTS_STORE_PG_PROXY_H
#define GALENA_TESTS_STORE_PG_PROXY_H

#include "pg_server.h"

struct pg_proxy;

enum pg_cut {
    PG_CUT_NEVER,
    PG_CUT_BEFORE_COMMIT, /* the server never sees the COMMIT */
    PG_CUT_AFTER_COMMIT   /* the server does it, the client never hears of it */
};

/* A proxy in a directory of its own; ends with the arena. NULL when it cannot be. */
struct pg_proxy *pg_proxy_start(struct arena *a, const struct pg_server *s);
const char *pg_proxy_url(const struct pg_proxy *p);

/* From now on; also for connections that are open. Once: afterwards NEVER. */
void pg_proxy_cut(struct pg_proxy *p, enum pg_cut cut);

#endif
