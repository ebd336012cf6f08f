/* load_priv.h — the reader of connector files: what its parts share. */
#ifndef GALENA_CONNECTOR_LOAD_PRIV_H
#define GALENA_CONNECTOR_LOAD_PRIV_H

#include "connector/connector.h"

struct loader {
    struct arena *arena;
    const char *file;
    struct program_group *group;
    struct connector *connector;
};

/* "FILE:LINE:COLUMN: sentence" with the slug "connector_form". */
err load_fault(const struct loader *l, const struct json *at, const char *format, ...) PRINTF_LIKE(3, 4) MUST_CHECK;

/* Members that may be absent leave *out alone; ones of a wrong type are faults. */
err load_text(const struct loader *l, const struct json *object, const char *key, str *out) MUST_CHECK;
err load_integer(const struct loader *l, const struct json *object, const char *key, int64_t low, int64_t high,
                 int64_t *out) MUST_CHECK;
err load_bool(const struct loader *l, const struct json *object, const char *key, bool *out) MUST_CHECK;
err load_template(const struct loader *l, const struct json *object, const char *key,
                  struct connector_template *out) MUST_CHECK;
err load_program(const struct loader *l, const struct json *object, const char *key, const struct program **out) MUST_CHECK;
err load_choice(const struct loader *l, const struct json *object, const char *key, const char *const *names,
                int *out) MUST_CHECK;
err load_parameters(const struct loader *l, const struct json *object, const char *key,
                    const struct connector_parameter **out, size_t *n) MUST_CHECK;

err load_auth(struct loader *l, const struct json *root) MUST_CHECK;
err load_webhook(struct loader *l, const struct json *root) MUST_CHECK;
err load_rules(const struct loader *l, const struct json *list, const struct connector_rule **out, size_t *n) MUST_CHECK;
err load_operations(struct loader *l, const struct json *root) MUST_CHECK;

#endif
