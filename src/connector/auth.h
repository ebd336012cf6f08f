/* auth.h — who asks: credentials put on a request, and the token requests behind them. Pure functions of their arguments.
 *
 *   if connector_auth_has_token(b): keep a token for each binding; while it is fresh use it, else send the request of
 *   connector_token_request through the same door as any other and read its answer with connector_token_read.
 *   Then connector_authenticate on every request, as the last change to it (SigV4 signs what it sees). */
#ifndef GALENA_CONNECTOR_AUTH_H
#define GALENA_CONNECTOR_AUTH_H

#include "connector/exchange.h"

struct connector_token {
    str access, refresh; /* refresh: ptr NULL when the answer brought none */
    str base_url;        /* ptr NULL when the answer named none */
    int64_t expires_ms;  /* renew a minute before */
};

bool connector_auth_has_token(const struct connector_binding *b);

/* The request that brings a token. `refresh`: the newest refresh token known (some are used up by use), ptr NULL: the
 * setting's. ERR_INPUT ("connector_credential": a key that cannot be read, a setting that is missing). */
err connector_token_request(struct arena *a, const struct connector_binding *b, str refresh, int64_t now_ms,
                            struct connector_request *out) MUST_CHECK;

/* Reads its answer. ERR_DENIED ("connector_token_refused") when the credential is not accepted, ERR_AGAIN
 * ("connector_token_later") for throttling and faults of the server, ERR_REMOTE ("connector_token_form"). Texts live in the
 * arena. */
err connector_token_read(struct arena *a, const struct connector_binding *b, const struct connector_answer *answer,
                         int64_t now_ms, struct connector_token *out) MUST_CHECK;

/* Puts the credential on the request. `token` may be NULL when connector_auth_has_token is false. ERR_INPUT
 * ("connector_credential"). */
err connector_authenticate(struct arena *a, const struct connector_binding *b, const struct connector_token *token,
                           int64_t now_ms, struct connector_request *request) MUST_CHECK;

/* ---- the pieces ---- */

/* AWS Signature Version 4 over the request's method, URL, all its headers and body: adds Host (unless there), X-Amz-Date,
 * X-Amz-Security-Token (unless empty) and Authorization. */
struct sigv4_key {
    str access_key, secret_key, session_token, region, service;
};
err sigv4_sign(struct arena *a, const struct sigv4_key *key, int64_t now_ms, struct connector_request *request) MUST_CHECK;

/* A signed JWT (RFC 7515 compact form): `header` and `claims` are JSON texts; `pem` is an RSA (RS256) or P-256 (ES256)
 * private key. ERR_INPUT ("connector_credential"). */
enum jwt_algorithm { JWT_RS256, JWT_ES256 };
err jwt_sign(struct arena *a, enum jwt_algorithm algorithm, str header, str claims, str pem, str *out) MUST_CHECK;

/* "SHA256:" and the base64 of the SHA-256 of the public key's DER (SubjectPublicKeyInfo), as Snowflake names keys. */
err jwt_key_fingerprint(struct arena *a, str pem, str *out) MUST_CHECK;

#endif
