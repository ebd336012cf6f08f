/* lead_list.c — GET /v1/leads, /v1/dead and /v1/sweep: many leads, a page at a time. */
#include "api/api_priv.h"

enum { SETTLED_MS = 60000 /* younger leads may be between two commits */ };

err api_read_filter(struct call *c, struct lead_filter *f) {
    f->state = f->tier = f->outcome = f->run_status = -1;
    int64_t limit = API_PAGE_LEADS;
    str order = STR("newest");
    TRY(api_query_name(c, "state", api_state_name, LEAD_STATE_COUNT, &f->state));
    TRY(api_query_name(c, "tier", api_tier_name, TIER_COUNT, &f->tier));
    TRY(api_query_name(c, "outcome", api_outcome_name, RUN_OUTCOME_COUNT, &f->outcome));
    TRY(api_query_name(c, "run", api_run_name, RUN_STATUS_COUNT, &f->run_status));
    TRY(api_query_text(c, "email", 320, &f->email));
    TRY(api_query_text(c, "source", 256, &f->source));
    TRY(api_query_text(c, "code", 128, &f->slug));
    TRY(api_query_text(c, "cursor", RUN_ID_BYTE, &f->after));
    TRY(api_query_text(c, "order", 16, &order));
    TRY(api_query_time(c, "since", &f->since_ms));
    TRY(api_query_time(c, "until", &f->until_ms));
    TRY(api_query_integer(c, "limit", 1, API_PAGE_MOST, &limit));
    if (f->after.len > 0 && !api_is_id(f->after))
        return fail(ERR_INPUT, "query_value", "\"cursor\" must be the \"next\" of an earlier page");
    f->newest_first = str_equal(order, STR("newest"));
    if (!f->newest_first && !str_equal(order, STR("oldest")))
        return fail(ERR_INPUT, "query_value", "\"order\" must be newest or oldest");
    f->limit = (size_t)limit;
    return OK;
}

static err answer_page(struct call *c, const struct lead_filter *f, const char *key) {
    struct document *d = document_new(c);
    struct lead_view *v;
    size_t n;
    str next;
    TRY(store_list(c->reader, c->arena, f, &v, &n, &next));
    json_open_object(&d->w);
    api_put_leads(&d->w, str_from(key), v, n, false);
    api_put_text(&d->w, STR("next"), next);
    json_close_object(&d->w);
    return document_send(c, 200, d);
}

err lead_list(struct call *c) {
    static const char *const parameter[] = {"state", "tier",  "outcome", "run",   "email", "source",
                                            "since", "until", "cursor",  "limit", "order"};
    struct lead_filter f = {.tenant = c->tenant};
    TRY(api_check_query(c, parameter, sizeof parameter / sizeof *parameter));
    TRY(api_read_filter(c, &f));
    return answer_page(c, &f, "leads");
}

err dead_list(struct call *c) {
    static const char *const parameter[] = {"code", "cursor", "limit", "order"};
    struct lead_filter f = {.tenant = c->tenant};
    TRY(api_check_query(c, parameter, sizeof parameter / sizeof *parameter));
    TRY(api_read_filter(c, &f));
    f.run_status = RUN_DEAD;
    return answer_page(c, &f, "dead");
}

err sweep_get(struct call *c) {
    struct document *d = document_new(c);
    struct lead_view *v;
    size_t n, kept = 0;
    TRY(api_check_query(c, NULL, 0));
    TRY(store_lost(c->reader, c->arena, c->api->c.clock.wall_ms() - SETTLED_MS, &v, &n));
    for (size_t i = 0; i < n; i++)
        if (c->control || str_equal(v[i].tenant, c->tenant))
            v[kept++] = v[i];
    TRY(store_audit_add(c->api->c.store, c->tenant, c->actor, STR("sweep"), (str){"", 0}, (str){"", 0}));
    json_open_object(&d->w);
    api_put_leads(&d->w, STR("lost"), v, kept, true);
    json_close_object(&d->w);
    return document_send(c, 200, d);
}
