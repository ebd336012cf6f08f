/* http_server_priv.h — the parts of a running server, shared by the files that make it up.
 *
 * Threads: the loops (one for each of libmicrohttpd's daemons) run intake and sending; the watch thread accepts and keeps
 * the time; answers come from anywhere. `lock` guards the lists; it is never held while libmicrohttpd or a handler is
 * called. A stream's lock is taken after it, or alone; libmicrohttpd's own locks come last. */
#ifndef GALENA_NET_HTTP_SERVER_PRIV_H
#define GALENA_NET_HTTP_SERVER_PRIV_H

#include "net/address.h"
#include "net/http_server.h"

#include "base/buf.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
    HTTP_MAX_ANSWER_FIELDS = 16,
    HTTP_MAX_REQUEST_FIELDS = 128,
    HTTP_MAX_THREADS = 64,
    HTTP_PEER_BUCKETS = 4096,
};

#define HTTP_NEVER INT64_MAX

/* What a connection is doing. */
enum http_phase { HTTP_IDLE, HTTP_RECEIVING, HTTP_HANDLED, HTTP_SENDING, HTTP_STREAMING };

/* How many connections one address has. */
struct http_peer {
    struct http_peer *next; /* in its bucket */
    struct address address; /* IPv6: the first 64 bits */
    unsigned n;
};

struct http_conn {
    struct http_conn *prev, *next; /* server->conn; under lock */
    struct http_peer *peer;        /* under lock */
    struct http_loop *loop;
    struct http_stream *stream; /* under lock */
    int fd;
    uint64_t number; /* no other has had it */
    bool started;    /* under lock: libmicrohttpd has it, so the descriptor is open */
    atomic_int phase;
    _Atomic int64_t deadline_ns; /* when the watch thread cuts it off */
    char peer_text[ADDRESS_TEXT_BYTE];
};

/* Memory of a request, used again by later ones. */
struct http_space {
    struct http_space *next;
    struct arena *arena;
    struct buf body;
};

enum http_step { HTTP_STEP_HEAD, HTTP_STEP_BODY, HTTP_STEP_HANDED, HTTP_STEP_DONE };
enum http_stage { HTTP_WITH_HANDLER, HTTP_SUSPENDED, HTTP_ANSWERED };

struct http_answer {
    int status;
    size_t n_field;
    struct http_field field[HTTP_MAX_ANSWER_FIELDS];
    str body;
    struct http_stream *stream;
    bool close;
};

struct http_work {
    struct http_request request; /* first: the handler's pointer is ours */
    struct http_server *server;
    struct MHD_Connection *connection;
    struct http_conn *conn;
    struct http_space *space;
    enum http_step step;
    int refused;          /* the status of a refusal that waits for the end of the body, else 0 */
    size_t discarded;     /* bytes of a refused body */
    size_t reserved_byte; /* of the server's bodies_byte */
    atomic_int refs;      /* libmicrohttpd's and the handler's */
    atomic_bool claimed;  /* somebody has decided the answer, or that there will be none */
    atomic_bool given_up; /* by the handler */
    atomic_int stage;
    struct http_work *prev, *next; /* server->waiting; under lock */
    bool waiting;                  /* under lock */
    struct http_answer answer;     /* written by who claimed it, read after stage is HTTP_ANSWERED */
    char target[];
};

struct http_totals {
    atomic_uint_fast64_t connections, connections_refused, connections_dropped, connections_open, requests, in_flight,
        rejected, unanswered, status[6], body_in, body_out, streams_open, streams_dropped;
};

struct http_given;

/* A thread that runs one of libmicrohttpd's daemons. */
struct http_loop {
    struct http_server *server;
    struct MHD_Daemon *daemon;
    pthread_t thread;
    atomic_bool ending;
    atomic_bool woken; /* and not yet awake */
    int wake_fd;
    pthread_mutex_t lock;
    struct http_given *given; /* under lock: connections to take */
};

struct http_server {
    struct http_server_settings settings;
    atomic_int refs; /* the owner's and one for each request and stream */
    struct http_loop loop[HTTP_MAX_THREADS];
    unsigned n_loop, next_loop;
    char *key, *cert;
    int listen_fd, wake_fd, port;
    int64_t tick_ms;
    pthread_t watch;
    bool watching;
    atomic_bool draining; /* no new connections; answers close */
    atomic_bool refusing; /* no new requests and streams either */
    atomic_bool ending;   /* the watch thread is to end */
    atomic_size_t bodies_byte;
    atomic_uint with_handler; /* requests given to the handler and not yet back with libmicrohttpd */
    unsigned char peer_key[16];
    pthread_mutex_t lock;
    /* under lock: */
    struct http_conn *conn;
    struct http_conn **conn_by_fd;
    size_t n_fd;
    unsigned n_conn;
    uint64_t last_number;
    struct http_peer *peer[HTTP_PEER_BUCKETS];
    struct http_work *waiting;
    struct http_space *space; /* free ones */
    unsigned n_space;
    struct http_totals total;
};

/* http_server.c */
int64_t http_now_ns(void);
void http_server_ref(struct http_server *s);
void http_server_unref(struct http_server *s);

/* http_listen.c: a listening socket, and its port. */
err http_listen(const char *address, int *fd, int *port) MUST_CHECK;
/* Raises the soft limit on open files to the hard one and returns it. */
size_t http_raise_file_limit(void);

/* http_loop.c */
/* Runs the daemon in a thread until http_loop_end. The loop owns the daemon from here on, in case of an error, too. */
err http_loop_start(struct http_loop *loop, struct http_server *server, struct MHD_Daemon *daemon) MUST_CHECK;
/* Ends the thread and the daemon with its connections, none of which may be suspended. */
void http_loop_end(struct http_loop *loop);
/* Hands a connection over; false when there is no memory. */
bool http_loop_give(struct http_loop *loop, int fd, uint64_t number, const struct sockaddr *from, socklen_t len);
/* Resumes the connection, which is suspended or about to be, from any thread. */
void http_loop_resume(struct http_conn *conn, struct MHD_Connection *connection);

/* http_watch.c */
/* Nobody will serve the connection with this number, whose descriptor has been closed and may have been given anew. */
void http_conn_not_taken(struct http_server *s, int fd, uint64_t number);
err http_watch_start(struct http_server *s) MUST_CHECK;
void http_watch_end(struct http_server *s);
void http_watch_wake(struct http_server *s);
/* Lets the watch thread cut the connection off at once. */
void http_conn_cut(struct http_server *s, struct http_conn *conn);
void http_conn_phase(struct http_conn *conn, enum http_phase phase, int64_t deadline_ns);
void http_conn_notify(void *ctx, struct MHD_Connection *connection, void **socket_context,
                      enum MHD_ConnectionNotificationCode code);

/* http_intake.c: libmicrohttpd's call-backs. */
void *http_on_target(void *ctx, const char *target, struct MHD_Connection *connection);
enum MHD_Result http_on_access(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
                               const char *version, const char *upload, size_t *n_upload, void **work);
void http_space_free(struct http_space *space);
void http_space_give_back(struct http_server *s, struct http_space *space);
void http_on_completed(void *ctx, struct MHD_Connection *connection, void **work, enum MHD_RequestTerminationCode code);

/* http_head.c: method, target and header fields into the request. 0, or the status of a refusal; *length is the body's
 * length, -1 when it comes in chunks. */
int http_read_head(struct http_work *w, const char *method, int64_t *length);

/* http_answer.c */
bool http_work_claim(struct http_work *w);
/* After the answer has been written by who claimed it: hands it to libmicrohttpd. */
void http_work_publish(struct http_work *w);
void http_work_unref(struct http_work *w);
/* Puts a refusal with a problem document into the answer. */
void http_answer_refusal(struct http_answer *answer, int status);
enum MHD_Result http_answer_send(struct http_work *w);
/* Gives the request up in the handler's name, refusing it, unless the handler has. */
void http_work_give_up(struct http_work *w, int status);
/* Takes a request from the list of those that wait. */
void http_work_unlink(struct http_work *w);
/* Answers with 503 what has waited beyond its deadline (or all that wait). */
void http_answer_overdue(struct http_server *s, int64_t now_ns, bool all);

/* http_stream.c */
/* A stream for a request that the caller has claimed; NULL when there is no memory. */
struct http_stream *http_stream_new(struct http_work *w, const struct http_stream_settings *settings);
/* libmicrohttpd is done with it. */
void http_stream_gone(struct http_stream *s);
struct MHD_Response *http_stream_response(struct http_stream *s);
/* The client has gone: ends a stream that would only notice at its next chunk. */
void http_stream_hang_up(struct http_stream *s);
void http_stream_ref(struct http_stream *s);
void http_stream_unref(struct http_stream *s);
/* Ends all streams as if their owners had closed them. */
void http_stream_end_all(struct http_server *s);

#endif
