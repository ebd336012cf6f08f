/* http_server.h — an HTTP/1.1 server: requests come to one function, which answers at once or later, from any thread.
 *
 * A request that waits for its answer holds no thread. Behind this header stands libmicrohttpd with a pool of epoll threads
 * and one thread of our own, which accepts connections and enforces the time limits.
 *
 * Ownership in one sentence: a request belongs to the handler from the call of `handle` until it calls http_respond or
 * http_stream_open on it, exactly once; until then everything in it is valid, even when its client has long gone.
 *
 * What a client cannot do: send headers or bodies over the limits, send or read slowly without end, open more connections
 * than allowed, smuggle a second request into the first (Transfer-Encoding beside Content-Length and repeated
 * Content-Length are refused), or make the server hold an answer that nobody reads. */
#ifndef GALENA_NET_HTTP_SERVER_H
#define GALENA_NET_HTTP_SERVER_H

#include "net/http.h"

#include <stdbool.h>
#include <stdint.h>

struct http_server;
struct http_stream;

struct http_request {
    str method;                     /* "GET", "POST", ... as sent */
    str target;                     /* as sent: path and query, not decoded */
    str path;                       /* decoded; begins with '/'. An encoded slash is refused with 400. */
    const struct http_field *query; /* decoded, in order */
    size_t n_query;
    const struct http_field *header; /* in order, as sent */
    size_t n_header;
    str body; /* byte for byte; ends in a NUL that is not counted */
    str peer; /* the address without port: "192.0.2.7", "2001:db8::1" */
    bool tls;
    struct arena *arena; /* of this request alone, guarded while `handle` runs; answers may live in it */
    int64_t received_ns; /* clock steady_ns when the request had arrived as a whole */
    int64_t deadline_ns; /* when the server answers 503 by itself, and a later http_respond does nothing */
    void *user;          /* for the handler; NULL at first */
};

/* Called on a server thread for each complete request; must not block. It, or whoever it passes `r` to, calls http_respond
 * or http_stream_open once. When it reaches the arena's limit before that, the server answers 413. */
typedef void http_handle_fn(void *ctx, struct http_request *r);

struct http_server_settings {
    const char *listen; /* "127.0.0.1:8080", "[::1]:0", "localhost:8080", ":8080" (every address); port 0: any free one */
    const char *cert_file, *key_file; /* PEM; both or neither. With them the server speaks HTTPS only (TLS 1.2 and 1.3). */
    unsigned threads;                 /* of the pool; 0: one for each core */
    size_t max_header_byte;           /* request line and header fields; more is 431 (or 414) */
    size_t max_body_byte;             /* of one request; more is 413, before the body is read when its length is said */
    size_t max_bodies_byte;           /* of all requests in flight; more is 503 */
    size_t arena_byte;                /* limit of each request's arena */
    unsigned max_query;               /* parameters in a query; more is 400 */
    unsigned max_connections;         /* in all; more are closed at once. Lowered to what RLIMIT_NOFILE allows. */
    unsigned max_connections_per_address; /* an IPv6 /64 counts as one address */
    int64_t idle_ms;                      /* from connection or last answer to the next request line: then it is closed */
    int64_t receive_ms;                   /* from request line to the end of the body */
    int64_t answer_ms;                    /* from there to http_respond: then the answer is 503 */
    int64_t send_ms;                      /* for the answer, and one second more for each send_byte_per_s of it */
    size_t send_byte_per_s;
    http_handle_fn *handle;
    void *ctx;
};

/* 127.0.0.1 and any free port, 8 KB of headers, 1 MB of body (256 MB in all), 16 MB arenas, 64 parameters, 16,384
 * connections (1,024 per address), 60 s idle, 30 s to send a request, 30 s to answer, 30 s to read and a second more for
 * each 16 KB. */
struct http_server_settings http_server_defaults(void);

/* Listens and serves. The soft limit on open files is raised to the hard one. ERR_INPUT ("http_listen_address",
 * "http_tls_files"), ERR_DENIED ("http_listen_denied"), ERR_CONFLICT ("http_listen_in_use"), ERR_AGAIN
 * ("http_server_start"). */
err http_server_start(const struct http_server_settings *settings, struct http_server **server) MUST_CHECK;

/* The port it listens on. */
int http_server_port(const struct http_server *s);

/* Accepts no more connections, closes idle ones and streams, answers with "Connection: close", waits at most `drain_ms` for
 * requests in flight, answers the rest with 503, closes all and frees the server. Requests that handlers still hold stay
 * valid, and http_respond on them does nothing. Not to be called from a server thread. NULL is allowed. */
void http_server_stop(struct http_server *s, int64_t drain_ms);

struct http_server_counters {
    uint64_t connections;         /* accepted */
    uint64_t connections_refused; /* closed at once: over a limit on connections, or no file descriptor left */
    uint64_t connections_dropped; /* closed by a time limit */
    uint64_t connections_open;
    uint64_t requests;            /* that came to the handler or were refused by this code */
    uint64_t requests_in_flight;  /* begun and not answered to the end */
    uint64_t requests_rejected;   /* over a limit or malformed: never came to the handler */
    uint64_t requests_unanswered; /* 503 because the handler was too slow */
    uint64_t status[6];           /* answers begun, [2] for 2xx */
    uint64_t body_in_byte, body_out_byte;
    uint64_t streams_open, streams_dropped; /* dropped: the client did not read */
};

/* Can be called at any time, from any thread; each figure is right, the set need not be of one moment. */
struct http_server_counters http_server_counters(const struct http_server *s);

/* The value of the first header field `name` (case ignored), ptr NULL when there is none. */
str http_request_header(const struct http_request *r, str name);

/* True when the query has a parameter `name`; *value is its first value. */
bool http_request_query(const struct http_request *r, str name, str *value);

/* Answers with `status` (200..599) and gives the request up. Fields and body are not copied: they live in r->arena or for
 * ever. Content-Length, Date and Connection are the server's business; to HEAD the length is sent and the body is not. At
 * most 16 fields; one that is not sendable (http_field_sendable) makes the answer a 500. Does nothing when the client has
 * gone or the time was over. From any thread. */
void http_respond(struct http_request *r, int status, const struct http_field *field, size_t n_field, str body);

struct http_stream_settings {
    size_t max_queue_byte;     /* pushed and not yet taken by the client; more and the client is dropped */
    void (*closed)(void *ctx); /* called exactly once, when the server will not use ctx again; on a server thread or the one
                                  that stops the server; may be NULL */
    void *ctx;
};

/* Answers with `status` and an endless body of pushed chunks (server-sent events), and gives the request up. Fields as in
 * http_respond. NULL when the client has gone or the time was over: then `closed` is not called. From any
 * thread. */
struct http_stream *http_stream_open(struct http_request *r, int status, const struct http_field *field, size_t n_field,
                                     const struct http_stream_settings *settings);

/* Queues a copy of `chunk`. False when the stream is closed, or is dropped by this call because its queue is full. Never
 * blocks. */
bool http_stream_push(struct http_stream *s, str chunk);

/* Ends the body after what is queued and gives the handle up; to be called once for each stream, also after `closed`. NULL
 * is allowed. */
void http_stream_close(struct http_stream *s);

#endif
