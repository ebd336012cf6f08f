/* exchange.h — from what is asked to a request, and from an answer to what it means.
 *
 * Everything here is a function of its arguments: no socket, no clock, no state but compiled programs. */
#ifndef GALENA_CONNECTOR_EXCHANGE_H
#define GALENA_CONNECTOR_EXCHANGE_H

#include "connector/connector.h"
#include "net/http.h"

enum {
    CONNECTOR_MAX_URL_BYTE = 16384,
    CONNECTOR_MAX_BODY_BYTE = 8 << 20,
    CONNECTOR_MAX_ANSWER_BYTE = 16 << 20,
    CONNECTOR_MAX_OBSERVATION = 10000,
    CONNECTOR_REQUEST_FIELDS = 48
};

/* A connector with one user's settings: constant after connector_bind, may be shared between threads. */
struct connector_binding {
    const struct connector *connector;
    const str *value;           /* one for each setting; ptr NULL when not set */
    const struct json *setting; /* what programs see: all but the secrets */
    const struct connector_base *base;
    const struct connector_auth *auth;
    str base_url; /* given by the user in place of `base`; ptr NULL when not */
};

/* settings: an object, name → text, number or bool. Besides those of the file it may have "base_url" (used in place of the
 * file's, with /PATH kept in front), "environment" (which base) and "authentication" (which of several). ERR_INPUT
 * ("connector_setting"): unknown or missing names, a base URL that is not http(s)://host[:port][/path]. */
err connector_bind(struct arena *a, const struct connector *c, const struct json *settings,
                   const struct connector_binding **out) MUST_CHECK;

/* Where the next page of a paged operation is. Zero is the first. */
struct connector_page {
    int64_t number, offset; /* pages and records before this one */
    str cursor;             /* CURSOR; or NEXT_URL, LINK: the URL */
};

struct connector_request {
    str method, url, body;
    struct http_field header[CONNECTOR_REQUEST_FIELDS];
    size_t n_header;
    uint64_t secret_header; /* bit i: header i carries a credential; never shown */
    bool secret_url;        /* the URL carries a credential: show it without query */
};

/* Builds the request, without credentials (auth.h adds them). `input` is an object. `token_base` is the base URL that came
 * with a token (auth.h), or ptr NULL. ERR_INPUT ("connector_input": a missing or unfit input; "connector_url"; program_…),
 * ERR_REMOTE ("connector_next_url": the next page is on another host), ERR_LIMIT ("connector_request_size"). */
err connector_build(struct program_host *h, struct arena *a, const struct connector_binding *b,
                    const struct connector_operation *op, const struct json *input, const struct connector_page *page,
                    str token_base, struct connector_request *out) MUST_CHECK;

/* What came back. `body` may be anything. */
struct connector_answer {
    int status;
    const struct http_field *header;
    size_t n_header;
    str body;
};

struct connector_verdict {
    enum connector_class class;
    int64_t retry_after_ms; /* 0: the other side said nothing */
    str reason; /* a sentence for people: the rule's, or the answer's own message; at most 300 bytes, no secret */
    const struct json *body;            /* parsed; NULL when it is not JSON or there is none */
    int64_t limit, remaining, reset_ms; /* from the rate headers; -1 unknown; reset_ms: from now on */
};

/* Classifies. By default: 204, 404 empty; other 2xx ok, or transient when JSON was due and does not parse; 401, 403 auth;
 * 402 quota; 429 throttled; 408, 423, 425, 5xx transient; all else permanent. A rule whose program fails does not match.
 * now_ms serves Retry-After dates. ERR_LIMIT ("connector_answer_size", "json_…") only. */
err connector_classify(struct program_host *h, struct arena *a, const struct connector_binding *b,
                       const struct connector_operation *op, const struct connector_answer *answer, int64_t now_ms,
                       struct connector_verdict *out) MUST_CHECK;

/* Who an answer is about; texts may be empty. */
struct connector_entity {
    str name, domain, country, email, id;
};

enum { CONNECTOR_UNKNOWN_TIME = 0 };

struct connector_observation {
    str field, unit;
    const struct json *value; /* never null */
    int64_t observed_ms;      /* CONNECTOR_UNKNOWN_TIME when the answer does not say */
    double confidence;        /* 0..1 */
    uint32_t entity;          /* index into entity[] */
};

/* A mapping that did not work, while the others did. */
struct connector_fault {
    str field, text; /* text: FILE:LINE:COLUMN, the program, what it was given */
};

struct connector_observations {
    const struct connector_observation *item;
    size_t n;
    const struct connector_entity *entity;
    size_t n_entity;
    const struct connector_fault *fault;
    size_t n_fault;
    const struct json *result; /* of the operation's result program, or the answer */
};

/* Maps the body of an answer that is OK. A mapping whose value is null or absent makes no observation; one that fails makes
 * a fault and leaves the others alone. ERR_LIMIT ("connector_observations", program_…). */
err connector_map(struct program_host *h, struct arena *a, const struct connector_binding *b,
                  const struct connector_operation *op, const struct json *input, const struct connector_answer *answer,
                  const struct json *body, struct connector_observations *out) MUST_CHECK;

/* *more: there is a next page, and *next says where. `page` is the one that was answered. ERR_REMOTE ("connector_page"):
 * the cursor did not move, or there are more than the file's max_page. */
err connector_next_page(struct program_host *h, struct arena *a, const struct connector_binding *b,
                        const struct connector_operation *op, const struct connector_page *page,
                        const struct connector_answer *answer, const struct json *body, bool *more,
                        struct connector_page *next) MUST_CHECK;

#endif
