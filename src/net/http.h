/* http.h — what the HTTP server and client share: fields, and the decoding of what stands in a URL. */
#ifndef GALENA_NET_HTTP_H
#define GALENA_NET_HTTP_H

#include "base/str.h"

#include <stddef.h>

/* A header field, or a parameter of a query. Names of header fields are compared without case. */
struct http_field {
    str name, value;
};

/* The value of the first field called `name` (ASCII case ignored); an empty str with ptr NULL when there is none. */
str http_field_value(const struct http_field *field, size_t n_field, str name);

/* Replaces %XX by the byte it stands for (RFC 3986 2.1); '+' stays '+'. Without '%' the result is `s` itself, else it lives
 * in the arena. ERR_INPUT ("http_bad_escape") for '%' without two hexadecimal digits and for %00. */
err http_decode(struct arena *a, str s, str *out) MUST_CHECK;

/* Cuts "a=1&b=two+words&c" into decoded parameters; '+' is a space, a name without '=' has the empty value, empty pieces are
 * left out. ERR_INPUT ("http_bad_escape"), ERR_LIMIT ("http_too_many_parameters") for more than `max`. */
err http_parse_query(struct arena *a, str query, size_t max, struct http_field **field, size_t *n_field) MUST_CHECK;

/* True for a token of RFC 9110 5.6.2, as methods and header names are. */
bool http_token(str s);

/* True when `name` is a header name (a token of RFC 9110 5.6.2), and `value` has no control character but tab: what may be
 * sent without one field becoming two. */
bool http_field_sendable(struct http_field field);

/* "Not Found" for 404; "" for a code without a name here. */
const char *http_status_text(int status);

/* Raises the soft limit on open files to the hard one and returns it. */
size_t http_raise_file_limit(void);

#endif
