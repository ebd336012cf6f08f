/* connector.c — processor time of one answered call: build the request, classify and map an answer of 4 KB to 15
 * observations.
 *
 * bench_connector [ROUNDS]; prints one JSON line. Each round has an arena of its own, as a run has. */
#include "connector/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char yaml[] =
    "connector: 1\nname: bench\ntitle: Bench\nkind: source\nbase_url: https://api.example\n"
    "settings: {key: {secret: true, help: k}}\nauthentication: {type: bearer, token: '{setting.key}'}\n"
    "classify:\n  - {status: 404, class: empty}\n  - {status: 200, when: '.status == \"error\"', class: permanent}\n"
    "operations:\n  company:\n    url: /v2/companies/find\n    query: {domain: '{input.domain}', name: '{input.name?}'}\n"
    "    headers: {Accept: application/json}\n    needs: [domain]\n"
    "    identity: {id: .id, name: .name, domain: .domain, country: .geo.countryCode}\n    observed: .indexedAt\n    map:\n"
    "      account.name: .name\n      account.legal_name: .legalName\n      account.domain: .domain\n"
    "      account.employees: {value: .metrics.employees, unit: people}\n"
    "      account.revenue: {value: '.metrics.revenue * 1000', unit: USD}\n      account.industry: .category.industry\n"
    "      account.founded_year: '.founded | .[0:4] | tonumber'\n      account.city: .geo.city\n"
    "      account.country: .geo.countryCode\n      account.phone: '.phone // .site.phoneNumbers[0]'\n"
    "      account.technologies: '[.tech[] | select(.live) | .name] | unique'\n      account.tags: .tags\n"
    "      account.parent: .parent.domain\n      account.ownership: .type\n      account.linkedin: .linkedin.handle\n";

struct work {
    const struct connector_binding *binding;
    const struct connector_operation *op;
    struct program_host *host;
    const struct json *input;
    str body;
    size_t observations;
};

static str make_body(struct arena *a) {
    struct buf *b = buf_in(a, 1 << 16);
    buf_add(
        b,
        STR("{\"id\":\"c-1\",\"name\":\"Acme\",\"legalName\":\"Acme Inc\",\"domain\":\"acme.example\",\"type\":\"private\","
            "\"founded\":\"2012-05-01\",\"phone\":null,\"indexedAt\":\"2026-01-01T00:00:00Z\","
            "\"category\":{\"sector\":\"IT\",\"industry\":\"Software\"},\"site\":{\"phoneNumbers\":[\"+1 555 0100\"]},"
            "\"geo\":{\"city\":\"Springfield\",\"countryCode\":\"US\",\"lat\":42.1,\"lng\":-72.5},"
            "\"metrics\":{\"employees\":120,\"revenue\":25000},\"linkedin\":{\"handle\":\"company/acme\"},"
            "\"parent\":{\"domain\":\"holding.example\"},\"tags\":[\"SAAS\",\"B2B\"],\"tech\":["));
    for (int i = 0; i < 40; i++)
        buf_add_format(b, "%s{\"name\":\"technology_%d\",\"live\":%s,\"seen\":%d}", i ? "," : "", i,
                       i % 3 ? "true" : "false", 1700000000 + i);
    buf_add(b, STR("],\"description\":\""));
    while (b->len < 4094)
        buf_add_byte(b, 'x');
    buf_add(b, STR("\"}"));
    return buf_str(b);
}

static err setup(struct arena *a, struct work *w) {
    const struct connector *c;
    const struct json *settings;
    TRY(program_host_new(a, NULL, &w->host));
    TRY(connector_parse(a, (str){yaml, sizeof yaml - 1}, "bench.yaml", &c));
    TRY(json_parse(a, STR("{\"key\":\"k\"}"), NULL, &settings));
    TRY(json_parse(a, STR("{\"domain\":\"acme.example\",\"name\":\"Acme & Sons\"}"), NULL, &w->input));
    TRY(connector_bind(a, c, settings, &w->binding));
    TRY(connector_operation(c, STR("company"), &w->op));
    w->body = make_body(a);
    return connector_check(w->host, c);
}

struct round {
    struct arena *arena;
    struct work *work;
};

static err one_round(void *ctx) {
    const struct round *r = ctx;
    struct work *w = r->work;
    struct connector_request request;
    struct connector_verdict verdict;
    struct connector_observations seen;
    const struct http_field header[] = {{STR("Content-Type"), STR("application/json")},
                                        {STR("X-RateLimit-Remaining"), STR("7")}};
    const struct connector_answer answer = {.status = 200, .header = header, .n_header = 2, .body = w->body};
    TRY(connector_build(w->host, r->arena, w->binding, w->op, w->input, NULL, (str){0}, &request));
    TRY(connector_authenticate(r->arena, w->binding, NULL, 0, &request));
    TRY(connector_classify(w->host, r->arena, w->binding, w->op, &answer, 0, &verdict));
    if (verdict.class != CONNECTOR_OK)
        return fail(ERR_CORRUPT, "bench_class", "the answer is not ok: %.*s", STR_ARG(verdict.reason));
    TRY(connector_map(w->host, r->arena, w->binding, w->op, w->input, &answer, verdict.body, &seen));
    w->observations = seen.n;
    return OK;
}

static double cpu_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static err measure(void *ctx) {
    struct work *w = ctx;
    struct arena *a = arena_new((size_t)64 << 20);
    struct round r = {a, w};
    for (int i = 0; i < 100; i++) {
        TRY(arena_run(a, one_round, &r));
        arena_reset(a);
    }
    return OK;
}

struct start {
    struct arena *arena;
    struct work *work;
};

static err begin(void *ctx) {
    const struct start *s = ctx;
    return setup(s->arena, s->work);
}

int main(int argc, char **argv) {
    struct work w = {0};
    struct arena *a = arena_new((size_t)64 << 20), *round = arena_new((size_t)64 << 20);
    struct start s = {a, &w};
    struct round r = {round, &w};
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 20000;
    err rc = arena_run(a, begin, &s);
    rc = rc == OK ? measure(&w) : rc;
    const double began = cpu_us();
    for (int i = 0; i < rounds && rc == OK; i++) {
        rc = arena_run(round, one_round, &r);
        arena_reset(round);
    }
    const double spent = cpu_us() - began;
    if (rc != OK) {
        fprintf(stderr, "%s: %s\n", err_slug(), err_text());
        return 1;
    }
    printf("{\"rounds\":%d,\"answer_bytes\":%zu,\"observations\":%zu,\"cpu_us_per_call\":%.1f,\"bar_us\":150}\n", rounds,
           w.body.len, w.observations, spent / rounds);
    arena_free(round);
    arena_free(a);
    return 0;
}
