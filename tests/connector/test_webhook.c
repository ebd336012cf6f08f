/* test_webhook.c — signatures of inbound calls against the vectors that the services and their client libraries publish. */
#include "connector_support.h"

#define SECRET  "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
#define URL     "https://www.example.com/webhook_uri"
#define EXAMPLE "{\"example_field\":\"example_value\"}"

static const struct connector_webhook hubspot = {.type = WEBHOOK_HUBSPOT, .window_s = 300};
static const struct connector_webhook slack = {.type = WEBHOOK_SLACK, .window_s = 300};

static struct webhook_call call(const char *method, const char *url, const char *body, const struct http_field *header,
                                size_t n) {
    return (struct webhook_call){str_from(method), str_from(url), str_from(body), header, n};
}

static err verify(void **state, const struct connector_webhook *w, const char *secret, int64_t now_ms,
                  struct webhook_call c) {
    const str secrets[] = {str_from("an older one"), str_from(secret)};
    return webhook_verify(*state, w, secrets, 2, now_ms, &c, NULL);
}

static void hubspot_v1(void **state) {
    static const char body[] =
        "[{\"eventId\":1,\"subscriptionId\":12345,\"portalId\":62515,\"occurredAt\":1564113600000,\"subscriptionType\":"
        "\"contact.creation\",\"attemptNumber\":0,\"objectId\":123,\"changeSource\":\"CRM\",\"changeFlag\":\"NEW\","
        "\"appId\":"
        "54321}]";
    struct http_field h[] = {
        {STR("X-HubSpot-Signature"), STR("232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de")},
        {STR("X-HubSpot-Signature-Version"), STR("v1")}};
    assert_ok(verify(state, &hubspot, SECRET, 0, call("POST", URL, body, h, 2)));
    assert_fails(verify(state, &hubspot, "wrong", 0, call("POST", URL, body, h, 2)), ERR_DENIED, "webhook_wrong");
    assert_fails(verify(state, &hubspot, SECRET, 0, call("POST", URL, "[]", h, 2)), ERR_DENIED, "webhook_wrong");
    assert_fails(verify(state, &hubspot, SECRET, 0, call("POST", URL, body, h, 0)), ERR_DENIED, "webhook_unsigned");
    /* The same code does not pass as another version. */
    h[1].value = STR("v2");
    assert_fails(verify(state, &hubspot, SECRET, 0, call("POST", URL, body, h, 2)), ERR_DENIED, "webhook_wrong");
}

static void hubspot_v2(void **state) {
    struct http_field h[] = {
        {STR("x-hubspot-signature"), STR("eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e")},
        {STR("x-hubspot-signature-version"), STR("v2")}};
    assert_ok(verify(state, &hubspot, SECRET, 0, call("GET", URL, "", h, 2)));
    h[0].value = STR("9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900");
    assert_ok(verify(state, &hubspot, SECRET, 0, call("POST", URL, EXAMPLE, h, 2)));
    assert_fails(verify(state, &hubspot, SECRET, 0, call("PUT", URL, EXAMPLE, h, 2)), ERR_DENIED, "webhook_wrong");
}

static void hubspot_v3(void **state) {
    const int64_t at = INT64_C(1764000000000);
    struct http_field h[] = {{STR("X-HubSpot-Signature-v3"), STR("iAAr/vm9iLVYRV+5o2mXGvGuMFgZpiu3UjfFa2OswfU=")},
                             {STR("X-HubSpot-Request-Timestamp"), STR("1764000000000")}};
    assert_ok(verify(state, &hubspot, SECRET, at + 299000, call("POST", URL, EXAMPLE, h, 2)));
    /* What HubSpot decodes before it signs is decoded here. */
    assert_ok(verify(state, &hubspot, SECRET, at, call("POST", "https%3A//www.example.com%2fwebhook_uri", EXAMPLE, h, 2)));
    assert_fails(verify(state, &hubspot, SECRET, at + 301000, call("POST", URL, EXAMPLE, h, 2)), ERR_DENIED,
                 "webhook_expired");
    assert_fails(verify(state, &hubspot, SECRET, at - 301000, call("POST", URL, EXAMPLE, h, 2)), ERR_DENIED,
                 "webhook_expired");
    h[1].value = STR("1764000000001");
    assert_fails(verify(state, &hubspot, SECRET, at, call("POST", URL, EXAMPLE, h, 2)), ERR_DENIED, "webhook_wrong");
}

static void slack_example(void **state) {
    static const char body[] =
        "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&"
        "user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%"
        "2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121."
        "803a0bc887a14d10d2c447fce8b6703c";
    static const char secret[] = "8f742231b10e8888abcd99yyyzzz85a5";
    struct http_field h[] = {
        {STR("X-Slack-Signature"), STR("v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503")},
        {STR("X-Slack-Request-Timestamp"), STR("1531420618")}};
    assert_ok(verify(state, &slack, secret, INT64_C(1531420618000), call("POST", URL, body, h, 2)));
    assert_fails(verify(state, &slack, secret, INT64_C(1531421000000), call("POST", URL, body, h, 2)), ERR_DENIED,
                 "webhook_expired");
    h[0].value = STR("a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503");
    assert_fails(verify(state, &slack, secret, INT64_C(1531420618000), call("POST", URL, body, h, 2)), ERR_DENIED,
                 "webhook_wrong");
    assert_fails(verify(state, &slack, secret, INT64_C(1531420618000), call("POST", URL, body, h, 1)), ERR_DENIED,
                 "webhook_unsigned");
}

/* Codes made with Python's hmac and hashlib over secret "key" and this body. */
static void hmacs(void **state) {
    static const char body[] = "The quick brown fox jumps over the lazy dog";
    const struct connector_webhook sha1 = {.type = WEBHOOK_HMAC,
                                           .header = STR("X-Request-Signature"),
                                           .prefix = STR("sha1="),
                                           .digest = DIGEST_SHA1},
                                   sha256 = {.type = WEBHOOK_HMAC, .header = STR("Outreach-Webhook-Signature")},
                                   base64 = {.type = WEBHOOK_HMAC, .header = STR("S"), .base64 = true},
                                   plain = {.type = WEBHOOK_HMAC, .header = STR("S"), .digest = DIGEST_SHA256_PLAIN};
    const struct http_field h1[] = {{STR("x-request-signature"), STR("sha1=de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9")}},
                            h2[] = {{STR("outreach-webhook-signature"),
                                     STR("F7BC83F430538424B13298E6AA6FB143EF4D59A14946175997479DBC2D1A3CD8")}},
                            h3[] = {{STR("s"), STR("97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg=")}},
                            h4[] = {{STR("s"), STR("51729876100348eb46ed8c4bf39efa4037a3a2c687f864348ed69292a67ffdbc")}};
    assert_ok(verify(state, &sha1, "key", 0, call("POST", URL, body, h1, 1)));
    assert_ok(verify(state, &sha256, "key", 0, call("POST", URL, body, h2, 1)));
    assert_ok(verify(state, &base64, "key", 0, call("POST", URL, body, h3, 1)));
    assert_ok(verify(state, &plain, "key", 0, call("POST", URL, body, h4, 1)));
    assert_fails(verify(state, &plain, "kez", 0, call("POST", URL, body, h4, 1)), ERR_DENIED, "webhook_wrong");
    assert_fails(verify(state, &sha1, "", 0, call("POST", URL, body, h1, 1)), ERR_DENIED, "webhook_wrong");
}

static void tokens(void **state) {
    const struct connector_webhook zoho = {.type = WEBHOOK_TOKEN, .member = STR("token")};
    assert_ok(verify(state, &zoho, "t0k", 0, call("POST", URL, "{\"module\":\"Leads\",\"token\":\"t0k\"}", NULL, 0)));
    assert_fails(verify(state, &zoho, "t0k", 0, call("POST", URL, "{\"token\":\"t0\"}", NULL, 0)), ERR_DENIED,
                 "webhook_wrong");
    assert_fails(verify(state, &zoho, "t0k", 0, call("POST", URL, "{\"token\":null}", NULL, 0)), ERR_DENIED,
                 "webhook_unsigned");
    assert_fails(verify(state, &zoho, "", 0, call("POST", URL, "{\"token\":\"\"}", NULL, 0)), ERR_DENIED,
                 "webhook_unsigned");
    assert_fails(verify(state, &zoho, "t0k", 0, call("POST", URL, "token=t0k", NULL, 0)), ERR_INPUT, "webhook_malformed");
}

static void a_repetition_has_the_same_key(void **state) {
    const struct connector_webhook zoho = {.type = WEBHOOK_TOKEN, .member = STR("token")};
    const str secret = STR("t");
    struct webhook_call one = call("POST", URL, "{\"token\":\"t\",\"n\":1}", NULL, 0),
                        two = call("POST", URL, "{\"token\":\"t\",\"n\":2}", NULL, 0);
    str a, b, c;
    assert_ok(webhook_verify(*state, &zoho, &secret, 1, 0, &one, &a));
    assert_ok(webhook_verify(*state, &zoho, &secret, 1, 0, &one, &b));
    assert_ok(webhook_verify(*state, &zoho, &secret, 1, 0, &two, &c));
    assert_true(str_equal(a, b) && !str_equal(a, c) && a.len == 64);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(hubspot_v1),
        ARENA_TEST(hubspot_v2),
        ARENA_TEST(hubspot_v3),
        ARENA_TEST(slack_example),
        ARENA_TEST(hmacs),
        ARENA_TEST(tokens),
        ARENA_TEST(a_repetition_has_the_same_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
