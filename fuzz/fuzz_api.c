/* fuzz_api.c — what the API reads of a request by itself: first line METHOD, then PATH, QUERY, a header's value, then the
 * body. Everything is refused with a sentence of its own, or within its limits. */
#include "api/api_priv.h"
#include "target.h"

static void check_refusal(err rc) {
    FUZZ_CHECK(rc == OK || rc == ERR_INPUT || rc == ERR_ABSENT || rc == ERR_LIMIT);
    if (rc == OK)
        return;
    FUZZ_CHECK(err_slug()[0] != '\0');
    int status = api_status_of(rc, err_slug());
    FUZZ_CHECK(status >= 400 && status < 500);
}

static void check_route(struct arena *a, const struct http_request *r) {
    str id, allow;
    const struct route *route = route_find(a, r->method, r->path, &id, &allow);
    FUZZ_CHECK(!route || allow.len == 0);
    FUZZ_CHECK(id.len <= r->path.len);
    FUZZ_CHECK(str_find_byte(id, '/') < 0);
}

static void check_filter(struct call *c) {
    struct lead_filter f = {0};
    err rc = api_read_filter(c, &f);
    check_refusal(rc);
    if (rc != OK)
        return;
    FUZZ_CHECK(f.state < LEAD_STATE_COUNT && f.tier < TIER_COUNT && f.outcome < RUN_OUTCOME_COUNT);
    FUZZ_CHECK(f.limit >= 1 && f.limit <= API_PAGE_MOST);
    FUZZ_CHECK(f.after.len == 0 || api_is_id(f.after));
}

static void check_place(str text) {
    struct event_id id;
    if (!event_id_parse(text, &id))
        return;
    FUZZ_CHECK(id.ms >= 0 && strlen(id.lead) == RUN_ID_BYTE);
}

static void check_bodies(struct call *c) {
    static const char *const member[] = {"name", "scopes", "rate", "at", "most"};
    const struct json *v;
    struct api_key key;
    struct api_outcome outcome;
    int64_t ms = 0, most = 5;
    err rc = api_read_key(c, &key);
    check_refusal(rc);
    FUZZ_CHECK(rc != OK || (key.scopes > 0 && key.scopes <= 15 && key.rate >= 0 && key.name.len > 0));
    rc = api_read_object(c, member, 5, &v);
    check_refusal(rc);
    if (rc == OK) {
        check_refusal(api_member_time(v, "at", &ms));
        rc = api_member_integer(v, "most", 1, 10, &most);
        FUZZ_CHECK(rc != OK || (most >= 1 && most <= 10));
    }
    if (json_parse(c->arena, c->r->body, NULL, &v) != OK)
        return;
    rc = api_read_outcome(c, v, 1700000000000, &outcome);
    check_refusal(rc);
    FUZZ_CHECK(rc != OK || (api_is_id(outcome.lead) && outcome.kind.len > 0));
}

static err go(void *ctx) {
    struct fuzz_work *work = ctx;
    str rest = work->input, line[4] = {{0}};
    for (size_t i = 0; i < 4; i++)
        if (!str_split(&rest, '\n', &line[i]))
            break;
    struct http_field *field = NULL;
    struct http_request r = {.method = line[0], .path = line[1], .body = rest, .arena = work->arena};
    struct call c = {.r = &r, .arena = work->arena, .tenant = STR("t"), .id = line[3]};
    if (http_parse_query(work->arena, line[2], 64, &field, &r.n_query) != OK)
        return OK;
    r.query = field;
    check_route(work->arena, &r);
    check_filter(&c);
    check_place(line[3]);
    check_refusal(api_check_tenant(line[3]));
    check_refusal(api_check_lead_id(&c));
    check_bodies(&c);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_in_arena(data, size, 64 << 20, go); }
