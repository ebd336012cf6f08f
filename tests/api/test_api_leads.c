/* test_api_leads.c — leads over a real socket, with the real store and engine: in, out, again, away. */
#include "api_world.h"

#define LEAD "{\"lead_id\":\"L1\",\"person\":{\"email\":\"Ada@Example.com\"},\"custom\":{\"employees\":120,\"visits\":7}}"

/* ---- in ---- */

static void test_one_lead_is_scored(void **state) {
    struct world *w = *state;
    struct reply r = ask(w, "POST", "/v1/leads", w->ingest, LEAD);
    assert_status(r, 202);
    assert_true(str_equal(member_text(r.json, "verdict"), STR("new")));
    assert_int_equal(member_integer(r.json, "generation"), 1);
    str id = member_text(r.json, "id");
    r = wait_ended(w, w->read, id);
    assert_true(str_equal(member_text(r.json, "outcome"), STR("scored")));
    assert_true(str_equal(member_text(r.json, "source"), STR("api")));
    assert_int_equal(json_get(r.json, STR("scores"))->count, 1);
    assert_true(json_get(r.json, STR("history"))->count > 0);
    const struct json *email = json_pointer(r.json, STR("/fields/person/email"));
    assert_true(str_equal(email->string, STR("Ada@Example.com")));
    double score;
    assert_ok(json_get_number(r.json, STR("score"), &score));
    assert_true(score > 0 && score < 1);
}

static void test_the_same_lead_is_a_duplicate_and_another_body_an_update(void **state) {
    struct world *w = *state;
    str id = post_lead(w, w->all, LEAD);
    struct reply r = ask(w, "POST", "/v1/leads", w->all, LEAD);
    assert_status(r, 202);
    assert_true(str_equal(member_text(r.json, "verdict"), STR("duplicate")));
    assert_true(str_equal(member_text(r.json, "id"), id));
    wait_ended(w, w->all, id);
    r = ask(w, "POST", "/v1/leads", w->all, "{\"lead_id\":\"L1\",\"custom\":{\"employees\":121}}");
    assert_true(str_equal(member_text(r.json, "verdict"), STR("updated")));
    assert_int_equal(member_integer(r.json, "generation"), 2);
    assert_true(str_equal(member_text(r.json, "id"), id));
}

static void test_bodies_that_are_no_leads(void **state) {
    struct world *w = *state;
    assert_code(ask(w, "POST", "/v1/leads", w->all, "[1]"), 400, "lead_form");
    assert_code(ask(w, "POST", "/v1/leads", w->all, "\"x\""), 400, "lead_form");
    assert_code(ask(w, "POST", "/v1/leads", w->all, "{\"person\":3}"), 400, "lead_type");
    assert_code(ask(w, "POST", "/v1/leads", w->all, "{\"leads\":{}}"), 400, "leads_form");
    assert_code(ask(w, "POST", "/v1/leads", w->all, "{\"leads\":[{}],\"x\":1}"), 400, "leads_form");
    assert_code(ask(w, "POST", "/v1/leads", w->all, "{\"leads\":[]}"), 413, "leads_count");
    assert_int_equal(ask(w, "POST", "/v1/leads", w->all, "{\"a\":").status, 400);
    assert_int_equal(ask(w, "POST", "/v1/leads", w->all, "{\"a\":1,\"a\":2}").status, 400);
    assert_code(ask_with(w, "POST", "/v1/leads", w->all, "Content-Type: application/json\r\n", (str){0}), 400,
                "body_absent");
    assert_code(ask_with(w, "POST", "/v1/leads", w->all, "Content-Type: text/plain\r\n", STR("{}")), 415, "content_type");
    assert_code(ask_with(w, "POST", "/v1/leads", w->all, "", STR("{}")), 415, "content_type");
    assert_code(
        ask_with(w, "POST", "/v1/leads", w->all, "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", STR("{}")),
        415, "content_coding");
    assert_status(ask_with(w, "POST", "/v1/leads", w->all, "Content-Type: Application/JSON; charset=utf-8\r\n", STR(LEAD)),
                  202);
    assert_code(ask(w, "POST", "/v1/leads?priority=first", w->all, LEAD), 400, "query_value");
    assert_code(ask(w, "POST", "/v1/leads?prio=bulk", w->all, LEAD), 400, "query_unknown");
    assert_code(ask(w, "POST", "/v1/leads?priority=bulk&priority=bulk", w->all, LEAD), 400, "query_twice");
    assert_status(ask(w, "POST", "/v1/leads?priority=interactive", w->all, LEAD), 202);
}

static void test_nul_and_large_bodies(void **state) {
    struct world *w = *state;
    struct buf *b = buf_in(w->a, 16 << 20);
    buf_add(b, STR("{\"a\":\""));
    for (int i = 0; i < 300000; i++)
        buf_add_byte(b, 'x');
    buf_add(b, STR("\"}"));
    assert_code(ask(w, "POST", "/v1/leads", w->all, buf_str(b).ptr ? str_cstr(w->a, buf_str(b)) : ""), 413,
                "lead_too_large");
    struct reply r = ask_with(w, "POST", "/v1/leads", w->all, "Content-Type: application/json\r\n", STR("{\"a\":\"\0\"}"));
    assert_int_equal(r.status, 400);
    buf_clear(b);
    buf_add(b, STR("{\"a\":[0"));
    for (int i = 0; i < 8192; i++)
        buf_add(b, STR(",1"));
    buf_add(b, STR("]}"));
    assert_code(ask(w, "POST", "/v1/leads", w->all, str_cstr(w->a, buf_str(b))), 413, "lead_too_large");
    assert_code(ask(w, "POST", "/v1/leads", w->all, "{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}"), 413, "lead_too_large");
    assert_status(ask(w, "POST", "/v1/leads", w->all, "{\"a\":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}"), 202);
    buf_clear(b);
    for (int i = 0; i < 100000; i++)
        buf_add_byte(b, '[');
    r = ask(w, "POST", "/v1/leads", w->all, str_cstr(w->a, buf_str(b)));
    assert_true(r.status == 400 || r.status == 413);
}

static const char *batch(struct world *w, int n, int from) {
    struct buf *b = buf_in(w->a, 16 << 20);
    buf_add(b, STR("{\"leads\":["));
    for (int i = 0; i < n; i++)
        buf_add_format(b, "%s{\"lead_id\":\"B%d\",\"custom\":{\"employees\":%d,\"a\":[1,2,3,4,5,6,7,8]}}", i > 0 ? "," : "",
                       from + i, 10 + i);
    buf_add(b, STR("]}"));
    return str_cstr(w->a, buf_str(b));
}

static void test_a_batch_of_a_thousand(void **state) {
    struct world *w = *state;
    struct reply r = ask(w, "POST", "/v1/leads", w->all, batch(w, 1000, 0));
    assert_status(r, 202);
    assert_int_equal(member_integer(r.json, "accepted"), 1000);
    const struct json *leads = json_get(r.json, STR("leads"));
    assert_int_equal(leads->count, 1000);
    for (uint32_t i = 0; i < 1000; i += 111)
        wait_ended(w, w->all, member_text(&leads->items[i], "id"));
    assert_code(ask(w, "POST", "/v1/leads", w->all, batch(w, 1001, 0)), 413, "leads_count");
    r = ask(w, "POST", "/v1/leads", w->all, batch(w, 1000, 0));
    assert_int_equal(member_integer(r.json, "duplicates"), 1000);
    assert_int_equal(member_integer(r.json, "accepted"), 0);
}

static void test_a_batch_is_taken_as_far_as_it_is_good(void **state) {
    struct world *w = *state;
    struct reply r = ask(w, "POST", "/v1/leads", w->all, "{\"leads\":[{\"person\":1},{\"custom\":{\"visits\":3}},7]}");
    assert_status(r, 202);
    assert_int_equal(member_integer(r.json, "accepted"), 1);
    assert_int_equal(member_integer(r.json, "rejected"), 2);
    const struct json *leads = json_get(r.json, STR("leads"));
    assert_int_equal(member_integer(&leads->items[0], "index"), 0);
    assert_true(str_equal(member_text(&leads->items[0], "pointer"), STR("/leads/0")));
    assert_true(str_equal(member_text(&leads->items[1], "verdict"), STR("new")));
    assert_int_equal(member_integer(&leads->items[2], "index"), 2);
    r = ask(w, "POST", "/v1/leads", w->all, "{\"leads\":[7]}");
    assert_status(r, 202);
    assert_int_equal(member_integer(r.json, "rejected"), 1);
}

#define JSON_FIELDS "Content-Type: application/json\r\n"

static void test_an_idempotency_key_gives_the_same_answer(void **state) {
    struct world *w = *state;
    const char *fields = JSON_FIELDS "Idempotency-Key: k1\r\n";
    struct reply first = ask_with(w, "POST", "/v1/leads", w->all, fields, STR("{\"email\":\"a@example.com\"}"));
    assert_status(first, 202);
    assert_int_equal(reply_field(&first, "Idempotent-Replayed").len, 0);
    struct reply again = ask_with(w, "POST", "/v1/leads", w->all, fields, STR("{\"email\":\"a@example.com\"}"));
    assert_status(again, 202);
    assert_true(str_equal(reply_field(&again, "Idempotent-Replayed"), STR("true")));
    assert_true(str_equal(member_text(first.json, "id"), member_text(again.json, "id")));
    assert_true(str_equal(member_text(again.json, "verdict"), STR("duplicate")));
    struct reply other = ask_with(w, "POST", "/v1/leads", w->all, fields, STR("{\"email\":\"b@example.com\"}"));
    assert_code(other, 409, "idempotency_conflict");
    /* Keys are a tenant's own. */
    other = ask_with(w, "POST", "/v1/leads", w->other, fields, STR("{\"email\":\"b@example.com\"}"));
    assert_status(other, 202);
    assert_int_equal(reply_field(&other, "Idempotent-Replayed").len, 0);
    struct buf *b = buf_in(w->a, 4096);
    buf_add(b, STR(JSON_FIELDS "Idempotency-Key: "));
    for (int i = 0; i < 256; i++)
        buf_add_byte(b, 'k');
    buf_add(b, STR("\r\n"));
    assert_code(ask_with(w, "POST", "/v1/leads", w->all, str_cstr(w->a, buf_str(b)), STR("{}")), 400, "idempotency_key");
}

static void test_a_replayed_batch_gives_back_what_it_reserved(void **state) {
    struct world *w = *state;
    const char *fields = JSON_FIELDS "Idempotency-Key: b1\r\n", *body = batch(w, 100, 5000);
    struct reply first = ask_with(w, "POST", "/v1/leads", w->all, fields, str_from(body));
    assert_status(first, 202);
    for (int i = 0; i < 20; i++) {
        struct reply r = ask_with(w, "POST", "/v1/leads", w->all, fields, str_from(body));
        assert_status(r, 202);
        assert_int_equal(member_integer(r.json, "duplicates"), 100);
        const struct json *x = json_get(first.json, STR("leads")), *y = json_get(r.json, STR("leads"));
        assert_true(str_equal(member_text(&x->items[99], "id"), member_text(&y->items[99], "id")));
    }
    const struct json *leads = json_get(first.json, STR("leads"));
    for (uint32_t i = 0; i < leads->count; i++)
        wait_ended(w, w->all, member_text(&leads->items[i], "id"));
    net_wait(engine_look(w->engine).waiting == 0 && engine_look(w->engine).running == 0);
}

/* ---- out ---- */

static void test_etag(void **state) {
    struct world *w = *state;
    str id = post_lead(w, w->all, LEAD);
    struct reply r = wait_ended(w, w->all, id);
    str tag = reply_field(&r, "ETag");
    assert_int_equal(tag.len, 34);
    const char *target = lead_target(w, id, "");
    static const char *const same[] = {"%.*s", "W/%.*s", "\"x\", %.*s", "*"};
    for (size_t i = 0; i < 4; i++) {
        char value[128];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(value, sizeof value, same[i], STR_ARG(tag));
#pragma GCC diagnostic pop
        const char *fields = str_format(w->a, "If-None-Match: %s\r\n", value).ptr;
        r = ask_with(w, "GET", target, w->all, fields, (str){0});
        assert_status(r, 304);
        assert_true(str_equal(reply_field(&r, "ETag"), tag));
    }
    assert_status(ask_with(w, "GET", target, w->all, "If-None-Match: \"x\"\r\n", (str){0}), 200);
    assert_status(ask(w, "POST", lead_target(w, id, "/rescore"), w->all, ""), 202);
    wait_ended(w, w->all, id);
    r = ask_with(w, "GET", target, w->all, str_format(w->a, "If-None-Match: %.*s\r\n", STR_ARG(tag)).ptr, (str){0});
    assert_status(r, 200);
    assert_status(ask(w, "HEAD", target, w->all, ""), 200);
}

static uint32_t count(struct world *w, const char *target) {
    struct reply r = get(w, target, w->read);
    assert_status(r, 200);
    return json_get(r.json, STR("leads"))->count;
}

static void test_list_filters(void **state) {
    struct world *w = *state;
    str one = post_lead(w, w->all, LEAD);
    str two = post_lead(w, w->all, "{\"source\":\"web\",\"email\":\"b@example.com\",\"custom\":{\"employees\":1}}");
    wait_ended(w, w->all, one);
    struct reply r = wait_ended(w, w->all, two);
    assert_true(str_equal(member_text(r.json, "outcome"), STR("disqualified")));
    assert_int_equal(count(w, "/v1/leads"), 2);
    assert_int_equal(count(w, "/v1/leads?outcome=scored"), 1);
    assert_int_equal(count(w, "/v1/leads?outcome=disqualified"), 1);
    assert_int_equal(count(w, "/v1/leads?outcome=failed"), 0);
    assert_int_equal(count(w, "/v1/leads?source=web"), 1);
    assert_int_equal(count(w, "/v1/leads?email=ada@example.com"), 1);
    assert_int_equal(count(w, "/v1/leads?email=ADA%40Example.com"), 1);
    assert_int_equal(count(w, "/v1/leads?email=nobody@example.com"), 0);
    assert_int_equal(count(w, "/v1/leads?run=dead"), 0);
    assert_int_equal(count(w, "/v1/leads?since=2000-01-01"), 2);
    assert_int_equal(count(w, "/v1/leads?until=2000-01-01"), 0);
    assert_int_equal(count(w, "/v1/leads?tier=hot") + count(w, "/v1/leads?tier=warm") + count(w, "/v1/leads?tier=cold"), 1);
    static const char *const wrong[] = {"state=x",   "tier=x",    "outcome=x", "run=x",        "limit=0",
                                        "limit=501", "limit=ten", "since=x",   "until=32.13.", "cursor=x",
                                        "order=up",  "email=",    "limit=1e1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_code(get(w, str_format(w->a, "/v1/leads?%s", wrong[i]).ptr, w->read), 400, "query_value");
    assert_code(get(w, "/v1/leads?offset=3", w->read), 400, "query_unknown");
}

static void test_pages(void **state) {
    struct world *w = *state;
    assert_status(ask(w, "POST", "/v1/leads", w->all, batch(w, 25, 0)), 202);
    static const char *const order[] = {"newest", "oldest"};
    for (int k = 0; k < 2; k++) {
        str cursor = {0}, last = {0};
        size_t n = 0;
        for (;;) {
            const char *target =
                cursor.len > 0 ? str_format(w->a, "/v1/leads?limit=7&order=%s&cursor=%.*s", order[k], STR_ARG(cursor)).ptr
                               : str_format(w->a, "/v1/leads?limit=7&order=%s", order[k]).ptr;
            struct reply r = get(w, target, w->all);
            const struct json *leads = json_get(r.json, STR("leads")), *next = json_get(r.json, STR("next"));
            assert_true(leads->count <= 7);
            for (uint32_t i = 0; i < leads->count; i++, n++) {
                str id = member_text(&leads->items[i], "id");
                assert_true(last.len == 0 || (k == 0 ? str_compare(id, last) < 0 : str_compare(id, last) > 0));
                last = id;
            }
            if (next->type == JSON_NULL)
                break;
            cursor = next->string;
        }
        assert_int_equal(n, 25);
    }
}

/* ---- again ---- */

static void test_rescore_and_cancel(void **state) {
    struct world *w = *state;
    str id = post_lead(w, w->all, LEAD);
    wait_ended(w, w->all, id);
    struct reply r = ask(w, "POST", lead_target(w, id, "/rescore"), w->write, "");
    assert_status(r, 202);
    assert_int_equal(member_integer(r.json, "generation"), 2);
    r = wait_ended(w, w->all, id);
    assert_int_equal(json_get(r.json, STR("scores"))->count, 2);
    assert_code(ask(w, "POST", lead_target(w, id, "/cancel"), w->write, ""), 409, "run_ended");
    assert_code(ask(w, "POST", lead_target(w, id, "/rescore"), w->write, "{\"x\":1}"), 400, "body_member");
    assert_code(ask(w, "POST", "/v1/leads/01J00000000000000000000000/rescore", w->write, ""), 404, "lead_unknown");
    assert_code(ask(w, "POST", "/v1/leads/x/cancel", w->write, ""), 404, "lead_unknown");
}

static void test_outcomes(void **state) {
    struct world *w = *state;
    str id = post_lead(w, w->all, LEAD);
    struct reply r = wait_ended(w, w->all, id);
    str said = str_format(
        w->a, "{\"lead\":\"%.*s\",\"kind\":\"called_back\",\"at\":\"2026-01-01T00:00:00Z\",\"detail\":{\"by\":\"x\"}}",
        STR_ARG(id));
    for (int i = 0; i < 2; i++) {
        r = ask(w, "POST", "/v1/outcomes", w->write, said.ptr);
        assert_status(r, 200);
        assert_int_equal(member_integer(r.json, "kept"), 1);
    }
    str many =
        str_format(w->a,
                   "{\"outcomes\":[{\"lead\":\"%.*s\",\"kind\":\"meeting\"},{\"lead\":\"%.*s\",\"kind\":\"Not A Word\"},"
                   "{\"lead\":\"01J00000000000000000000000\",\"kind\":\"meeting\"},3]}",
                   STR_ARG(id), STR_ARG(id));
    r = ask(w, "POST", "/v1/outcomes", w->write, many.ptr);
    assert_status(r, 200);
    assert_int_equal(member_integer(r.json, "kept"), 1);
    const struct json *refused = json_get(r.json, STR("refused"));
    assert_int_equal(refused->count, 3);
    assert_int_equal(member_integer(&refused->items[1], "index"), 2);
    assert_true(str_equal(member_text(&refused->items[1], "code"), STR("lead_unknown")));
    assert_code(ask(w, "POST", "/v1/outcomes", w->write, "{\"lead\":\"01J00000000000000000000000\",\"kind\":\"x\"}"), 404,
                "lead_unknown");
    str future = str_format(w->a, "{\"lead\":\"%.*s\",\"kind\":\"x\",\"at\":\"2999-01-01\"}", STR_ARG(id));
    assert_code(ask(w, "POST", "/v1/outcomes", w->write, future.ptr), 400, "body_member");
    assert_code(ask(w, "POST", "/v1/outcomes", w->write, "{}"), 400, "body_member");
    assert_code(ask(w, "POST", "/v1/outcomes", w->write, "7"), 400, "outcome_form");
    assert_code(ask(w, "POST", "/v1/outcomes", w->write, "{\"outcomes\":[]}"), 400, "outcomes_form");
    /* A state that the lifecycle does not have after this one. */
    str converted = str_format(w->a, "{\"lead\":\"%.*s\",\"kind\":\"converted\"}", STR_ARG(id));
    str state_name = member_text(wait_ended(w, w->all, id).json, "state");
    r = ask(w, "POST", "/v1/outcomes", w->write, converted.ptr);
    if (str_equal(state_name, STR("assigned")))
        assert_status(r, 200);
    else
        assert_code(r, 409, "lifecycle_refused");
}

/* ---- away ---- */

static void test_erase(void **state) {
    struct world *w = *state;
    str id = post_lead(w, w->all, LEAD), two = post_lead(w, w->all, "{\"email\":\"b@example.com\"}");
    wait_ended(w, w->all, id);
    wait_ended(w, w->all, two);
    struct reply r = ask(w, "DELETE", lead_target(w, id, ""), w->write, "");
    assert_status(r, 200);
    assert_int_equal(member_integer(r.json, "erased"), 1);
    r = get(w, lead_target(w, id, ""), w->read);
    assert_status(r, 200);
    assert_true(json_get(r.json, STR("erased"))->boolean);
    assert_int_equal(json_get(r.json, STR("fields"))->type, JSON_NULL);
    assert_int_equal(count(w, "/v1/leads?email=ada@example.com"), 0);
    r = ask(w, "POST", "/v1/erase", w->write, "{\"email\":\" B@example.com \"}");
    assert_status(r, 200);
    assert_int_equal(member_integer(r.json, "erased"), 1);
    assert_code(ask(w, "POST", "/v1/erase", w->write, "{}"), 400, "body_member");
    assert_code(ask(w, "POST", "/v1/erase", w->write, ""), 400, "body_member");
    assert_code(ask(w, "DELETE", "/v1/leads/01J00000000000000000000000", w->write, ""), 404, "lead_unknown");
}

static void test_dead_queue_and_sweep(void **state) {
    struct world *w = *state;
    str id = post_lead(w, w->all, LEAD);
    wait_ended(w, w->all, id);
    struct reply r = get(w, "/v1/dead", w->read);
    assert_status(r, 200);
    assert_int_equal(json_get(r.json, STR("dead"))->count, 0);
    assert_status(get(w, "/v1/dead?code=x&limit=3&order=oldest", w->read), 200);
    r = ask(w, "POST", "/v1/dead/redrive", w->write, "");
    assert_int_equal(member_integer(r.json, "redriven"), 0);
    assert_status(ask(w, "POST", "/v1/dead/redrive", w->write, "{\"code\":\"x\",\"most\":10}"), 200);
    assert_status(ask(w, "POST", "/v1/dead/redrive", w->write, str_format(w->a, "{\"lead\":\"%.*s\"}", STR_ARG(id)).ptr),
                  200);
    assert_code(ask(w, "POST", "/v1/dead/redrive", w->write, "{\"most\":0}"), 400, "body_member");
    assert_code(ask(w, "POST", "/v1/dead/redrive", w->write, "{\"lead\":\"x\"}"), 404, "lead_unknown");
    assert_status(get(w, "/v1/queue", w->read), 200);
    r = get(w, "/v1/sweep", w->admin);
    assert_status(r, 200);
    assert_int_equal(json_get(r.json, STR("lost"))->count, 0);
}

/* ---- clients ---- */

static void test_a_client_that_goes_away(void **state) {
    struct world *w = *state;
    for (int i = 0; i < 50; i++) {
        int fd = net_connect(w->port);
        send_request(w, fd, "POST", "/v1/leads", w->all, JSON_FIELDS,
                     str_format(w->a, "{\"lead_id\":\"gone-%d\",\"custom\":{\"employees\":9}}", i));
        close(fd);
    }
    net_wait(http_server_counters(w->server).requests_in_flight == 0);
    str id = post_lead(w, w->all, LEAD);
    wait_ended(w, w->all, id);
    net_wait(engine_look(w->engine).waiting == 0);
}

static void test_requests_on_one_connection(void **state) {
    struct world *w = *state;
    int fd = net_connect(w->port);
    for (int i = 0; i < 200; i++) {
        send_request(w, fd, "POST", "/v1/leads", w->all, JSON_FIELDS,
                     str_format(w->a, "{\"lead_id\":\"line-%d\",\"custom\":{\"employees\":9}}", i));
        assert_status(read_reply(w, fd, "POST", STR("/v1/leads")), 202);
        if (i % 20 == 0) {
            send_request(w, fd, "GET", "/v1/leads?limit=3", w->all, "", (str){0});
            assert_status(read_reply(w, fd, "GET", STR("/v1/leads")), 200);
        }
    }
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_one_lead_is_scored),
        WORLD_TEST(test_the_same_lead_is_a_duplicate_and_another_body_an_update),
        WORLD_TEST(test_bodies_that_are_no_leads),
        WORLD_TEST(test_nul_and_large_bodies),
        WORLD_TEST(test_a_batch_of_a_thousand),
        WORLD_TEST(test_a_batch_is_taken_as_far_as_it_is_good),
        WORLD_TEST(test_an_idempotency_key_gives_the_same_answer),
        WORLD_TEST(test_a_replayed_batch_gives_back_what_it_reserved),
        WORLD_TEST(test_etag),
        WORLD_TEST(test_list_filters),
        WORLD_TEST(test_pages),
        WORLD_TEST(test_rescore_and_cancel),
        WORLD_TEST(test_outcomes),
        WORLD_TEST(test_erase),
        WORLD_TEST(test_dead_queue_and_sweep),
        WORLD_TEST(test_a_client_that_goes_away),
        WORLD_TEST(test_requests_on_one_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
