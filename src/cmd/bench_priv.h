/* bench_priv.h — a measurement under way: what its parts share. */
#ifndef GALENA_CMD_BENCH_PRIV_H
#define GALENA_CMD_BENCH_PRIV_H

#include "cmd/control.h"
#include "net/http_client.h"

#include <pthread.h>
#include <sys/types.h>

enum { DISTINCT_LEADS = 2000, MOST_IN_FLIGHT = 1024, MOST_PROCESSES = 16 };

struct bench_options {
    int64_t leads, batch, parallel, workers, writers, processes;
    double rate;
    str database, model, dir;
    bool keep;
};

struct bench {
    struct session *s;
    const struct bench_options *o;
    const char *dir, *program, *model;
    pid_t server;
    pid_t worker[MOST_PROCESSES]; /* galena worker, beside the server */
    str address, token;
    struct http_client *client;
    str *body; /* DISTINCT_LEADS lead texts, without identifier and address */
    /* sending */
    pthread_mutex_t lock;
    pthread_cond_t room;
    size_t in_flight;
    uint64_t accepted, refused, failed;
    double *accept_ms;
    size_t n_accept;
};

/* ---- processes (bench_server.c) ---- */

/* A path in the place of the measurement. */
const char *bench_path(struct bench *b, const char *name);

/* Sets b->model: the one that is named, or one trained on sample leads. */
err bench_make_model(struct bench *b) MUST_CHECK;

/* Starts `galena serve` and waits until it takes leads: sets its address and token. */
err bench_start_server(struct bench *b) MUST_CHECK;

/* Starts the worker processes. ERR_INPUT "usage_processes" when the database cannot be shared. */
err bench_start_workers(struct bench *b) MUST_CHECK;

/* Ends all of them: their CPU time, and the highest peak of memory among them. */
void bench_stop_all(struct bench *b, double *cpu_us, int64_t *rss_byte);

/* ---- load (bench_load.c) ---- */

/* Draws the leads' texts, b->body. */
void bench_make_leads(struct bench *b);

/* Sends all leads and waits until each request is answered. */
err bench_send_leads(struct bench *b, int64_t begin_ns) MUST_CHECK;

#endif
