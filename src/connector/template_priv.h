/* template_priv.h — templates filled with values, encoded for where they stand. */
#ifndef GALENA_CONNECTOR_TEMPLATE_PRIV_H
#define GALENA_CONNECTOR_TEMPLATE_PRIV_H

#include "connector/exchange.h"

enum template_use {
    USE_PLAIN, /* as it is: bodies, credentials */
    USE_URL,   /* values percent-encoded but for unreserved characters (RFC 3986 2.3) */
    USE_HOST,  /* base URLs: a value is a host name or its part; one that begins the text may be a whole origin */
    USE_HEADER /* no control characters */
};

struct template_values {
    const struct connector_binding *binding;
    const struct json *input;
    const struct connector_page *page;
};

/* Fills `t`. *absent (may be NULL: then an absent value is always an error): an optional value was not there, the whole is
 * to be left out. *secret (may be NULL) becomes true when a secret was put in. ERR_INPUT ("connector_input",
 * "connector_url"). */
err template_fill(struct arena *a, const struct template_values *v, struct connector_template t, enum template_use use,
                  bool *absent, bool *secret, str *out) MUST_CHECK;

/* Adds `s` percent-encoded but for unreserved characters. */
void template_encode(struct buf *out, str s);

/* http(s)://host[:port][/path], nothing else: no user name, no query, no blanks. */
bool template_is_origin(str url);

#endif
