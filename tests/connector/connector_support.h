/* connector_support.h — what tests of connectors share: a host for programs, and connectors from text. */
#ifndef GALENA_TESTS_CONNECTOR_SUPPORT_H
#define GALENA_TESTS_CONNECTOR_SUPPORT_H

#include "connector/auth.h"
#include "connector/webhook.h"
#include "unit.h"

struct place {
    struct arena *arena;
    struct program_host *host;
    const struct connector *connector;
    const struct connector_binding *binding;
};

static inline const struct json *parse_json(struct arena *a, const char *text) {
    const struct json *v;
    assert_ok(json_parse(a, str_from(text), NULL, &v));
    return v;
}

/* A connector of that YAML, with settings as JSON. */
static inline struct place place_new(void **state, const char *yaml, const char *settings) {
    struct place p = {.arena = *state};
    assert_ok(program_host_new(p.arena, NULL, &p.host));
    assert_ok(connector_parse(p.arena, str_from(yaml), "x.yaml", &p.connector));
    assert_ok(connector_bind(p.arena, p.connector, parse_json(p.arena, settings), &p.binding));
    return p;
}

static inline const struct connector_operation *operation(const struct place *p, const char *name) {
    const struct connector_operation *op;
    assert_ok(connector_operation(p->connector, str_from(name), &op));
    return op;
}

#endif
