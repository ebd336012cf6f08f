/* http_client_priv.h — a call on its way, shared by the client's thread and the code that sets calls up. */
#ifndef GALENA_NET_HTTP_CLIENT_PRIV_H
#define GALENA_NET_HTTP_CLIENT_PRIV_H

#include "net/http_client.h"

#include "base/buf.h"

#include <curl/curl.h>

enum { HTTP_CALL_TEXT_BYTE = 512, HTTP_MAX_CALL_FIELDS = 64 };

/* All texts stand behind the struct in one block, which is zeroed before it is freed. */
struct http_flight {
    struct http_flight *prev, *next; /* in the client's list of waiting or of flying calls */
    uint64_t id;
    size_t size; /* of the block */
    const struct http_client_settings *settings;
    char *method, *url;
    struct http_field field[HTTP_MAX_CALL_FIELDS];
    size_t n_field;
    str body;
    size_t body_sent;
    int64_t submitted_ns, deadline_ns, connect_ms;
    unsigned max_redirects, redirects;
    void (*done)(void *ctx, const struct http_result *result);
    void *ctx;
    bool cancelled; /* under the client's lock */

    CURL *easy;
    struct curl_slist *line, *resolve;
    struct buf head, answer;
    bool address_refused, too_large, foreign_origin;
    char fault[CURL_ERROR_SIZE];
    char text[HTTP_CALL_TEXT_BYTE];
};

/* A copy of the call, checked as http_client_send says. */
err http_flight_new(const struct http_client_settings *settings, const struct http_call *call,
                    struct http_flight **flight) MUST_CHECK;
err http_flight_check_url(const struct http_client_settings *settings, str url) MUST_CHECK;
void http_flight_free(struct http_flight *f);

/* Prepares f->easy for the next (or only) exchange. False when there is no memory. */
bool http_flight_prepare(struct http_flight *f);

/* After an exchange that went well: true when it was redirected and f->url is the next place; *rc is the failure when the
 * redirection is refused. */
bool http_flight_redirect(struct http_flight *f, err *rc);

/* What the end of the exchange means: OK, or a failure recorded for this thread. */
err http_flight_outcome(struct http_flight *f, CURLcode code, bool cancelled, bool *ambiguous) MUST_CHECK;

/* The recorded failure (or none) as a result, delivered to f->done. */
void http_flight_deliver(struct http_flight *f, err rc, bool ambiguous);

#endif
