/* routes.c — every path there is, who may use it, and what the description calls it. */
#include "api/api_priv.h"

const struct route routes[] = {
    {"POST", "/v1/leads", SCOPE_INGEST, false, false, "postLeads", leads_post},
    {"GET", "/healthz", 0, true, false, "getHealth", healthz},
    {"GET", "/readyz", 0, true, false, "getReadiness", readyz},
    {"GET", "/metrics", SCOPE_READ | SCOPE_ADMIN, false, false, "getMetrics", metrics_get},
    {"GET", "/v1/queue", SCOPE_READ, false, true, "getQueue", queue_get},
};
const size_t n_routes = sizeof routes / sizeof *routes;
