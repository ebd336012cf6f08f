/* connector.h — a connector file: what an outside system is called, where it is, how it is asked and what its answers mean.
 *
 * A file is YAML (docs/formats/connector.md, share/schemas/connector.json) and holds no secret. It is read once, checked
 * completely, and is then constant: any number of threads may share it. Nothing in this room opens a socket or reads a
 * clock; exchange.h builds requests and reads answers, auth.h proves who asks, webhook.h proves who calls. */
#ifndef GALENA_CONNECTOR_CONNECTOR_H
#define GALENA_CONNECTOR_CONNECTOR_H

#include "base/json.h"
#include "connector/program.h"

#include <stdint.h>

enum {
    CONNECTOR_MAX_BYTE = 1 << 20,
    CONNECTOR_MAX_SETTING = 32,
    CONNECTOR_MAX_OPERATION = 64,
    CONNECTOR_MAX_MAPPING = 128,
    CONNECTOR_MAX_RULE = 64,
    CONNECTOR_MAX_FIELD = 32 /* headers, query parameters or form fields of one operation */
};

/* If you change this: the names in load.c, and "kind" in share/schemas/connector.json. */
enum connector_kind {
    CONNECTOR_SOURCE,
    CONNECTOR_CRM,
    CONNECTOR_MARKETING,
    CONNECTOR_CHAT,
    CONNECTOR_WAREHOUSE,
    CONNECTOR_LANGUAGE_MODEL,
    CONNECTOR_EMBEDDINGS,
    CONNECTOR_PUSH,
    CONNECTOR_GENERIC,
    CONNECTOR_KIND_COUNT
};

/* What an answer means for whoever asked. If you change this: class_names in load.c. */
enum connector_class {
    CONNECTOR_OK,
    CONNECTOR_EMPTY,     /* asked well, and nothing is known */
    CONNECTOR_THROTTLED, /* too fast: again after retry_after_ms */
    CONNECTOR_QUOTA,     /* nothing left of what was paid for: not again before the period ends */
    CONNECTOR_AUTH,      /* the credential is not accepted (a token may be renewed once) */
    CONNECTOR_PERMANENT, /* the same request will fail again */
    CONNECTOR_TRANSIENT, /* the same request may succeed later */
    CONNECTOR_CLASS_COUNT
};

/* What of a person a connector gets to see. The door out redacts what a connector may not see. */
enum connector_personal { PERSONAL_NONE, PERSONAL_BUSINESS_CONTACT, PERSONAL_FULL, PERSONAL_COUNT };

struct connector_setting {
    str name, help, fallback; /* fallback: ptr NULL when there is none */
    bool secret, required;
};

/* A text with places: "/company/{input.number}". Values are percent-encoded in URLs, put in as they are elsewhere. A place
 * is {input.NAME...}, {setting.NAME}, {page.cursor}, {page.number}, {page.offset}; with '?' behind the name
 * ("{input.city?}") an absent value makes the whole parameter disappear; without it an absent value is an error. {{ and }}
 * are braces. */
struct connector_template {
    str text;
    uint32_t line, column;
};

struct connector_parameter {
    str name;
    struct connector_template value;
};

/* One base URL: chosen by the environment ("production", "sandbox") or region ("eu") that the user names. */
struct connector_base {
    str name; /* the first one is the default */
    struct connector_template url;
};

/* If you change this: auth_names in load_auth.c and docs/formats/connector.md. */
enum connector_auth_type {
    AUTH_NONE,
    AUTH_HEADER, /* name: value template */
    AUTH_QUERY,
    AUTH_BASIC,
    AUTH_BEARER,
    AUTH_OAUTH_CLIENT,    /* client_credentials, RFC 6749 4.4 */
    AUTH_OAUTH_REFRESH,   /* refresh_token, RFC 6749 6 */
    AUTH_OAUTH_JWT,       /* JWT bearer with RS256, RFC 7523 */
    AUTH_SERVICE_ACCOUNT, /* the same from Google's key file */
    AUTH_AWS_SIGV4,
    AUTH_SNOWFLAKE_KEY, /* JWT by key pair, no token request */
    AUTH_APNS,          /* JWT by ES256, no token request */
    AUTH_TYPE_COUNT
};

struct connector_auth {
    str name; /* several ways may be declared; the setting "authentication" chooses, the first is the default */
    enum connector_auth_type type;
    struct connector_parameter field;         /* HEADER, QUERY: what is added */
    struct connector_template user, password; /* BASIC; BEARER: password is the token */
    struct connector_template token_url;      /* OAUTH_*, SERVICE_ACCOUNT: where tokens come from */
    struct connector_template client_id, client_secret, refresh_token, scope;
    struct connector_template issuer, subject, audience, key, key_id; /* JWT; key: PEM, or a service account's JSON */
    struct connector_template access_key, secret_key, session_token, region, service; /* SigV4 */
    bool client_basic;                       /* client id and secret go in a Basic header, not in the form */
    str scheme;                              /* before the token: "Bearer", "Zoho-oauthtoken" */
    str base_from;                           /* member of the token's answer that names the base URL; "" when none */
    int64_t token_life_s;                    /* when the answer has no expires_in */
    int64_t jwt_life_s;                      /* of assertions */
    const struct connector_parameter *extra; /* more form fields of the token request */
    size_t n_extra;
};

/* If you change this: webhook_names in load_auth.c. */
enum connector_webhook_type {
    WEBHOOK_NONE,
    WEBHOOK_HUBSPOT, /* v1, v2 or v3, whichever the request carries; v3 wins */
    WEBHOOK_SLACK,
    WEBHOOK_TOKEN, /* a shared secret in a header, or in a member of the body (Zoho) */
    WEBHOOK_HMAC,  /* any header with an HMAC of the body */
    WEBHOOK_TYPE_COUNT
};
enum webhook_digest { DIGEST_SHA256, DIGEST_SHA1, DIGEST_SHA256_PLAIN /* SHA-256 of secret and body, no HMAC */ };

struct connector_webhook {
    enum connector_webhook_type type;
    str secret;         /* name of the setting */
    str header, prefix; /* HMAC, TOKEN: where the code is, and what stands before it ("sha1=") */
    str member;         /* TOKEN: top-level member of the body instead of a header */
    enum webhook_digest digest;
    bool base64;
    int64_t window_s; /* HUBSPOT v3, SLACK: how old a call may be */
};

/* How fast one may ask. Several may hold at once. */
struct connector_rate {
    int64_t requests, per_ms;
};

/* Which headers of an answer tell what is left. Names may be "". */
struct connector_rate_headers {
    str limit, remaining, reset, retry_after;
    enum { RESET_SECONDS, RESET_EPOCH_S, RESET_EPOCH_MS, RESET_MS, RESET_DATE } reset_unit;
};

/* First rule that matches wins; behind the file's rules stand the common ones of exchange.h. All conditions of a rule must
 * hold. */
struct connector_rule {
    enum connector_class class;
    int status_low, status_high;       /* 0, 0: any */
    str header, header_value;          /* header_value "": the header is there at all; else a part of its value */
    str contains;                      /* a part of the body as text */
    const struct program *when;        /* true over the body (with $status and $headers); NULL: not asked */
    const struct program *retry_after; /* seconds; NULL: the header's, or the fixed one */
    int64_t retry_after_ms;            /* 0: none said */
    str reason;                        /* a sentence for people; "": the answer's own message */
    const struct program *message;     /* where that is */
};

/* One value of an answer becomes one observation. */
struct connector_mapping {
    str field; /* "account.employees" */
    const struct program *value;
    const struct program *observed; /* a time; NULL: the operation's, or unknown */
    const struct program *certain;  /* confidence 0..1; NULL: `confidence` */
    double confidence;
    str unit;
    uint32_t line, column;
};

/* Who the answer is about, so that it can be compared with who was asked about. */
struct connector_identity {
    const struct program *name, *domain, *country, *email, *id;
};

enum connector_paging { PAGING_NONE, PAGING_CURSOR, PAGING_PAGE, PAGING_OFFSET, PAGING_LINK, PAGING_NEXT_URL };

struct connector_pages {
    enum connector_paging style;
    str parameter;      /* query parameter that carries cursor, page or offset; "": a template uses {page....} */
    str size_parameter; /* query parameter that carries the size; may be "" */
    int64_t size, first, max_page;
    const struct program *cursor; /* CURSOR, NEXT_URL: where it is; null or "" ends */
    const struct program *items;  /* PAGE, OFFSET: the list; shorter than `size` ends */
    const struct program *more;   /* true when there is more; NULL: told from items */
};

enum connector_body { BODY_NONE, BODY_JSON, BODY_FORM, BODY_TEXT };
enum connector_answer_form { ANSWER_JSON, ANSWER_TEXT, ANSWER_NOTHING /* whatever comes is not read */ };
enum connector_price_per { PRICE_PER_CALL, PRICE_PER_HIT };

struct connector_operation {
    str name, title, method;
    str base;                      /* name of the base URL it is always asked at; "": the one the user chose */
    struct connector_template url; /* after the base URL: begins with '/'; or a whole URL that begins with a setting */
    const struct connector_parameter *query, *header, *form;
    size_t n_query, n_header, n_form;
    enum connector_body body_form;
    const struct program *body;     /* BODY_JSON */
    struct connector_template text; /* BODY_TEXT */
    str body_type;                  /* Content-Type */
    enum connector_answer_form answer;
    bool writes;             /* changes something over there: must not be repeated blindly */
    bool idempotent;         /* a repeated write is harmless */
    int64_t batch;           /* most records of one call; 1 when it takes one */
    const str *const *needs; /* ways of being asked, each a list of inputs that ends in ptr NULL; ends in NULL */
    const struct connector_rule *rule;
    size_t n_rule;
    const struct program *each; /* observations and identity are made for each of its outputs; NULL: once, of the answer */
    struct connector_identity identity;
    const struct program *observed; /* when all of it was observed, unless a mapping says otherwise */
    const struct connector_mapping *mapping;
    size_t n_mapping;
    const struct program *result; /* what a caller that is not after observations gets; NULL: the answer itself */
    struct connector_pages pages;
    int64_t price_micro; /* in millionths of `currency` */
    enum connector_price_per price_per;
    int64_t cache_ms; /* how long an answer may be used again; 0: not at all */
    int64_t timeout_ms;
};

struct connector {
    str name, title, documentation, terms, file, currency;
    enum connector_kind kind;
    enum connector_personal personal;
    bool user; /* from the user's folder, not shipped */
    const struct connector_setting *setting;
    size_t n_setting;
    const struct connector_base *base;
    size_t n_base;
    const struct connector_auth *auth; /* never empty */
    size_t n_auth;
    struct connector_webhook webhook;
    const struct connector_rate *rate;
    size_t n_rate, concurrent; /* concurrent: calls in flight at once; 0: no limit of its own */
    struct connector_rate_headers rate_headers;
    const struct connector_rule *rule; /* after those of the operation */
    size_t n_rule;
    const struct connector_operation *operation;
    size_t n_operation;
};

/* Reads a file's text. `file` is its name for messages, which say FILE:LINE:COLUMN. All programs are checked for what they
 * may call, but compiled only when first run. ERR_INPUT ("connector_form", "connector_field", "program_forbidden", "yaml_…")
 * or ERR_LIMIT. */
err connector_parse(struct arena *a, str text, const char *file, const struct connector **out) MUST_CHECK;

/* The operation of that name. ERR_ABSENT ("connector_no_operation"). */
err connector_operation(const struct connector *c, str name, const struct connector_operation **out) MUST_CHECK;

/* The fields that an operation (NULL: any of them) can fill, in byte order, each once. */
void connector_fields(struct arena *a, const struct connector *c, const struct connector_operation *op, str **field,
                      size_t *n);

const char *connector_kind_name(enum connector_kind kind);
const char *connector_class_name(enum connector_class class);
const char *connector_personal_name(enum connector_personal personal);
const char *connector_auth_name(enum connector_auth_type type);

/* ---- all of them ---- */

struct connector_set {
    const struct connector *const *connector; /* in byte order of the names */
    size_t n;
};

/* The shipped connectors, and the files NAME.yaml of `folder` (NULL: none), which override or add. A shipped file that is
 * faulty is a bug and ERR_CORRUPT; a faulty file of the user's is ERR_INPUT as in connector_parse. */
err connector_load_all(struct arena *a, const char *folder, struct connector_set *out) MUST_CHECK;

/* One of them, without reading the others. ERR_ABSENT ("connector_unknown"; a near name is proposed). */
err connector_load(struct arena *a, const char *folder, str name, const struct connector **out) MUST_CHECK;

#endif
