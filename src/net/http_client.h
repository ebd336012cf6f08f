/* http_client.h — an HTTP client: calls are submitted from any thread and their results come to a function.
 *
 * Behind this header stands libcurl on one thread: HTTP/1.1 and 2, connections are reused, TLS is verified, addresses are
 * checked when the connection is made (net/address.h), proxies and ~/.netrc are ignored. */
#ifndef GALENA_NET_HTTP_CLIENT_H
#define GALENA_NET_HTTP_CLIENT_H

#include "net/address.h"
#include "net/http.h"

#include <stdbool.h>
#include <stdint.h>

struct http_client;

struct http_client_settings {
    unsigned max_in_flight;            /* calls that are on the wire at once */
    unsigned max_queue;                /* calls that wait for that; more are refused */
    unsigned max_connections_per_host; /* 0: no limit of its own */
    int64_t connect_ms, total_ms;      /* for calls that say 0 */
    size_t max_header_byte, max_body_byte;
    const struct address_range *allow; /* addresses that may be called though they are not public; copied */
    size_t n_allow;
    const char *ca_file;    /* PEM; NULL: the system's authorities */
    const char *user_agent; /* NULL: none is sent */
    /* Asked for the address of a host's name before each exchange, redirections included, on the client's thread; false: the
     * system is asked. The address is checked like any other. NULL: the system is always asked. */
    bool (*resolve)(void *ctx, str host, struct address *out);
    void *resolve_ctx;
};

/* 64 in flight, 1,024 waiting, 8 per host, 5 s to connect, 30 s in all, 64 KB of headers, 4 MB of body, public addresses
 * only, the system's authorities, "galena/VERSION". */
struct http_client_settings http_client_defaults(void);

/* With more than 512 calls in flight the soft limit on open files is raised to the hard one. ERR_AGAIN
 * ("http_client_start"). */
err http_client_start(const struct http_client_settings *settings, struct http_client **client) MUST_CHECK;

/* Ends all calls as http_client_cancel does, waits until their functions have returned, and frees the client. Not to be
 * called from a result function. NULL is allowed. */
void http_client_stop(struct http_client *c);

/* How a call ended. Everything is valid during the result function only.
 *
 *   rc           slug                      meaning
 *   OK                                     an answer came, whatever its status
 *   ERR_INPUT    http_bad_url              not http or https, user name in the URL, not a URL
 *   ERR_INPUT    http_bad_field            a method or header field that cannot be sent
 *   ERR_AGAIN    http_host_unknown         the name has no address now
 *   ERR_AGAIN    http_connect_failed       nobody listens, no route, handshake broken off
 *   ERR_AGAIN    http_timeout              time was over before anything was sent
 *   ERR_AGAIN    http_outcome_unknown      the request may have arrived: time was over, or the connection broke, after
 * sending ERR_AGAIN    http_cancelled            http_client_cancel or _stop; `ambiguous` says whether it may have arrived
 *   ERR_DENIED   http_address_refused      a private or reserved address that is not on the allow list
 *   ERR_DENIED   http_tls_refused          the certificate is not trusted or is another host's
 *   ERR_DENIED   http_redirect_refused     to another scheme than http or https, from https to http, or with a user name
 *   ERR_LIMIT    http_answer_too_large     header fields or body over the limit
 *   ERR_LIMIT    http_too_many_redirects
 *   ERR_REMOTE   http_bad_answer           not HTTP, or cut off after the status line came
 */
struct http_result {
    err rc;
    const char *slug, *text; /* "" when rc is OK */
    bool ambiguous;          /* the request may have arrived, and what became of it is not known */
    int status;              /* 0 when none came */
    const struct http_field *header;
    size_t n_header;
    str body;           /* as far as it came; ends in a NUL that is not counted */
    str address;        /* of the other side, "" when never connected */
    int64_t elapsed_us; /* from submission */
    unsigned redirects; /* followed */
};

struct http_call {
    str method; /* "GET", "POST", ... */
    str url;
    const struct http_field *header;
    size_t n_header;
    str body;
    int64_t connect_ms, total_ms; /* 0: the client's; total counts from submission */
    size_t max_body_byte;         /* of the answer; 0: the client's */
    unsigned max_redirects;       /* 0: a 3xx is a result like any other; only GET and HEAD are redirected. To another origin
                                     only Accept, Accept-Language and User-Agent go along. */
    void (*done)(void *ctx, const struct http_result *result); /* called once, on the client's thread; must not block */
    void *ctx;
};

/* Submits a copy of the call. On OK `done` will be called once; *id (may be NULL) names the call for http_client_cancel. On
 * failure it will not be called: ERR_INPUT ("http_bad_url", "http_bad_field"), ERR_LIMIT ("http_queue_full"), ERR_CONFLICT
 * ("http_client_stopping"). From any thread, `done` included. */
err http_client_send(struct http_client *c, const struct http_call *call, uint64_t *id) MUST_CHECK;

/* What can be said of a URL without calling it: ERR_INPUT ("http_bad_url"), ERR_DENIED ("http_address_refused") when its
 * host is written as an address that may not be called, in whatever notation. A name is checked at the connection. */
err http_client_check_url(const struct http_client *c, str url) MUST_CHECK;

/* Ends the call soon, with http_cancelled; does nothing when it has ended. From any thread. */
void http_client_cancel(struct http_client *c, uint64_t id);

struct http_client_counters {
    uint64_t calls, in_flight, waiting, failed, connections, body_in_byte, body_out_byte;
};
struct http_client_counters http_client_counters(const struct http_client *c);

#endif
