/* routes.c — every path there is, who may use it, and what the description calls it. */
#include "api/api_priv.h"

/* If you change this: share/openapi/galena.json, which a test compares with it. */
const struct route routes[] = {
    {"POST", "/v1/leads", SCOPE_INGEST, .operation = "postLeads", .handle = leads_post},
    {"GET", "/v1/leads", SCOPE_READ, .pooled = true, .operation = "listLeads", .handle = lead_list},
    {"GET", "/v1/leads/{id}", SCOPE_READ, .pooled = true, .operation = "getLead", .handle = lead_get},
    {"DELETE", "/v1/leads/{id}", SCOPE_WRITE, .pooled = true, .operation = "eraseLead", .handle = lead_erase},
    {"POST", "/v1/leads/{id}/rescore", SCOPE_WRITE, .pooled = true, .operation = "rescoreLead", .handle = lead_rescore},
    {"POST", "/v1/leads/{id}/cancel", SCOPE_WRITE, .pooled = true, .operation = "cancelLead", .handle = lead_cancel},
    {"POST", "/v1/erase", SCOPE_WRITE, .pooled = true, .operation = "erasePerson", .handle = erase_post},
    {"POST", "/v1/outcomes", SCOPE_WRITE, .pooled = true, .operation = "postOutcomes", .handle = outcomes_post},
    {"GET", "/v1/dead", SCOPE_READ, .pooled = true, .operation = "listDead", .handle = dead_list},
    {"POST", "/v1/dead/redrive", SCOPE_WRITE, .pooled = true, .operation = "redriveDead", .handle = redrive_post},
    {"GET", "/v1/queue", SCOPE_READ, .pooled = true, .operation = "getQueue", .handle = queue_get},
    {"GET", "/v1/events", SCOPE_READ, .operation = "streamEvents", .handle = events_get},
    {"POST", "/v1/keys", SCOPE_ADMIN, .pooled = true, .operation = "createKey", .handle = keys_post},
    {"GET", "/v1/keys", SCOPE_ADMIN, .pooled = true, .operation = "listKeys", .handle = keys_get},
    {"DELETE", "/v1/keys/{id}", SCOPE_ADMIN, .pooled = true, .operation = "revokeKey", .handle = key_delete},
    {"POST", "/v1/keys/rotate-master", SCOPE_ADMIN, .control = true, .pooled = true, .operation = "rotateMaster",
     .handle = rotate_post},
    {"GET", "/v1/audit/verify", SCOPE_ADMIN, .pooled = true, .operation = "verifyAudit", .handle = audit_get},
    {"GET", "/v1/sweep", SCOPE_ADMIN, .pooled = true, .operation = "sweep", .handle = sweep_get},
    {"GET", "/v1/tenants", SCOPE_ADMIN, .control = true, .pooled = true, .operation = "listTenants", .handle = tenants_get},
    {"PUT", "/v1/tenants/{tenant}", SCOPE_ADMIN, .control = true, .pooled = true, .operation = "setTenant",
     .handle = tenant_put},
    /* Signed, not keyed: the handler checks the signature first. */
    {"POST", "/hooks/{connector}", 0, .open = true, .pooled = true, .operation = "postHook", .handle = hook_post},
    {"GET", "/healthz", 0, .open = true, .operation = "getHealth", .handle = healthz},
    {"GET", "/readyz", 0, .open = true, .operation = "getReadiness", .handle = readyz},
    {"GET", "/metrics", SCOPE_READ | SCOPE_ADMIN, .operation = "getMetrics", .handle = metrics_get},
    {"GET", "/openapi.json", 0, .open = true, .operation = "getDescription", .handle = openapi_get},
};
const size_t n_routes = sizeof routes / sizeof *routes;

/* True when `path` is what the template says; *id is what stands for its variable. */
static bool matches(const char *template, str path, str *id) {
    str t = str_from(template), have, want;
    *id = (str){0};
    for (;;) {
        bool more = str_split(&t, '/', &want);
        if (str_split(&path, '/', &have) != more)
            return false;
        if (!more)
            return true;
        if (str_starts(want, STR("{"))) {
            if (have.len == 0)
                return false;
            *id = have;
        } else if (!str_equal(want, have)) {
            return false;
        }
    }
}

/* HEAD is GET without the body, which the server leaves out; a stream has no end that could be left out. */
static bool same_method(const struct route *route, str method) {
    if (str_equal(method, STR("HEAD")))
        return strcmp(route->method, "GET") == 0 && route->handle != events_get;
    return str_equal(method, str_from(route->method));
}

const struct route *route_find(struct arena *a, str method, str path, str *id, str *allow) {
    *allow = *id = (str){0};
    for (size_t i = 0; i < n_routes; i++) {
        str found;
        if (!matches(routes[i].path, path, &found))
            continue;
        if (same_method(&routes[i], method)) {
            *id = found;
            *allow = (str){0};
            return &routes[i];
        }
        const char *head = strcmp(routes[i].method, "GET") == 0 && routes[i].handle != events_get ? ", HEAD" : "";
        *allow = str_format(a, "%.*s%s%s%s", STR_ARG(*allow), allow->len > 0 ? ", " : "", routes[i].method, head);
    }
    return NULL;
}
