/* cache_url.h — where a Redis server is: redis:// and redis+unix:// taken apart. */
#ifndef GALENA_STORE_CACHE_URL_H
#define GALENA_STORE_CACHE_URL_H

#include "base/str.h"

struct cache_url {
    char host[256]; /* name or address; empty when `path` is set */
    char path[108]; /* of a Unix socket */
    int port, db;
    char user[128], password[512]; /* empty: none */
};

/* redis://[[user]:password@]host[:port][/db] and redis+unix://[[user]:password@]/path[?db=N]; port 6379 and db 0 when not
 * said; %XX is decoded; an IPv6 address stands in brackets. ERR_INPUT "cache_url"; the message never quotes the password. */
err cache_url_parse(str url, struct cache_url *out) MUST_CHECK;

#endif
