/* test_validate.c — bodies that are leads and bodies that are not: what is said of them, and what never is. */
#include "unit.h"
#include "validate/validate.h"

static struct run *new_run(struct arena *a, str body) {
    struct run *run = ARENA_NEW(a, struct run);
    *run = (struct run){.arena = a, .body = body};
    return run;
}

static struct run *validated(struct arena *a, const char *body) {
    struct run *run = new_run(a, str_from(body));
    assert_ok(validate_lead(run));
    return run;
}

static void assert_cell(const struct run *run, const char *name, const char *cell) {
    assert_str(run_cell(run, str_from(name)), cell);
}

static void a_neutral_lead_becomes_columns(void **state) {
    const struct run *run = validated(
        *state, "{\"lead_id\":\"L-1\",\"source\":\"web\",\"person\":{\"first\":\"Ada \",\"email\":\" Ada@Example.com\"},"
                "\"company\":{\"name\":\"Engines\",\"employees\":{\"number\":120,\"band\":\"51-200\"},\"public\":false},"
                "\"custom\":{\"TotalVisits\":3,\"utm\":{\"source\":\"x\"}},\"Score\":1.50,\"tags\":[\"a\",\"b\"]}");
    assert_cell(run, "lead_id", "L-1");
    assert_cell(run, "person.first", "Ada");
    assert_cell(run, "person.email", "ada@example.com");
    assert_cell(run, "company.employees.number", "120");
    assert_cell(run, "company.employees.band", "51-200");
    assert_cell(run, "company.public", "false");
    assert_cell(run, "company.domain", "example.com");
    assert_cell(run, "TotalVisits", "3");
    assert_cell(run, "utm.source", "x");
    assert_cell(run, "Score", "1.5");
    assert_cell(run, "tags", "a;b");
    assert_int_equal(run->n_column, 13);
    assert_non_null(run->neutral);
}

/* "source" is the envelope's and may be a column of the model as well: the model sees the custom one. */
static void a_custom_field_wins_over_the_envelope(void **state) {
    const struct run *run = validated(*state, "{\"source\":\"import\",\"custom\":{\"source\":\"Web\"}}");
    assert_cell(run, "source", "Web");
    assert_int_equal(run->n_column, 1);
}

static void private_mail_names_no_domain(void **state) {
    assert_cell(validated(*state, "{\"email\":\"ada@gmail.com\"}"), "company.domain", "");
    assert_cell(validated(*state, "{\"email\":\"ada@x.example\"}"), "company.domain", "x.example");
    assert_cell(validated(*state, "{\"email\":\"A@x.example\",\"domain\":\"WWW.Y.example\"}"), "domain", "y.example");
    assert_cell(validated(*state, "{\"email\":\"A@x.example\",\"domain\":\"y.example\"}"), "email", "a@x.example");
    assert_cell(validated(*state, "{\"company\":{\"domain\":\"https://Y.example/\"}}"), "company.domain", "y.example");
    assert_cell(validated(*state, "{\"email\":\"a@x.example\",\"company\":{\"domain\":null}}"), "company.domain",
                "x.example");
}

struct refusal {
    const char *body, *slug, *says;
};

static void what_is_wrong_is_named_with_its_place(void **state) {
    static const struct refusal cases[] = {
        {"", "json_unfinished", "line 1"},
        {"[]", "lead_not_object", "must be an object"},
        {"{\"person\":{\"email\":17}}", "lead_type", "person.email must be text, not a whole number"},
        {"{\"person\":\"Zaphod\"}", "lead_type", "person must be an object"},
        {"{\"consent\":{\"do_not_call\":\"Zaphod\"}}", "lead_type", "consent.do_not_call must be true or false"},
        {"{\"person\":{\"email\":\"Zaphod at x\"}}", "lead_email", "person.email is not an e-mail address"},
        {"{\"email\":\"Zaphod\"}", "lead_email", "email is not"},
        {"{\"company\":{\"domain\":\"Zaphod\"}}", "lead_domain", "company.domain is not"},
        {"{\"person\":{\"first\":\"Zaphod\\u0000\"}}", "lead_text_nul", "person.first holds a NUL"},
        {"{\"Zaphod\\u0000\":1}", "lead_text_nul", "the lead holds a NUL"},
        {"{\"person\":{\"\":\"Zaphod\"}}", "lead_column_name", "person has a member with an empty name"},
        {"{\"a\":{\"b\":\"Zaphod\"},\"a.b\":1}", "lead_field_twice", "the field a.b is given twice"},
        {"{\"Zaphod\":1,\"Zaphod\":2}", "json_duplicate_key", "a key appears twice"},
        {"{\"a\":NaN}", "json_unexpected", "column 6"},
        {"{\"a\":Infinity}", "json_unexpected", "column 6"},
        {"{\"a\":1e999}", "json_number_range", "too large"},
        {"{\"a\":123456789012345678901234567890}", "json_number_range", "64 bits"},
        {"{\"a\":\"\\ud800\"}", "json_surrogate", "surrogate"},
        {"{\"a\":\"\xFF\"}", "json_utf8", "UTF-8"},
        {"{\"a\":1}}", "json_unexpected", "end of the text"},
        {"{\"tags\":[{\"x\":\"Zaphod\\u0000\"}]}", "lead_text_nul", "tags.(item).x holds"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run *run = new_run(*state, str_from(cases[i].body));
        assert_fails(validate_lead(run), ERR_INPUT, cases[i].slug);
        if (!strstr(err_text(), cases[i].says))
            fail_msg("\"%s\" does not say \"%s\"", err_text(), cases[i].says);
        assert_null(strstr(err_text(), "Zaphod"));
        assert_null(run->neutral);
    }
}

static void a_raw_nul_is_refused(void **state) {
    static const char body[] = "{\"a\":\"x\0y\"}";
    assert_fails(validate_lead(new_run(*state, (str){body, sizeof body - 1})), ERR_INPUT, "json_control");
}

static str repeated(struct arena *a, const char *head, const char *part, size_t n, const char *tail) {
    size_t len = strlen(part);
    char *text = arena_alloc(a, strlen(head) + n * len + strlen(tail)), *at = text;
    memcpy(at, head, strlen(head));
    at += strlen(head);
    for (size_t i = 0; i < n; i++, at += len)
        memcpy(at, part, len);
    memcpy(at, tail, strlen(tail));
    return (str){text, (size_t)(at - text) + strlen(tail)};
}

static void limits_are_the_bodys_fault(void **state) {
    struct arena *a = *state;
    assert_fails(validate_lead(new_run(a, repeated(a, "{\"a\":\"", "x", 1 << 20, "\"}"))), ERR_INPUT, "json_too_large");
    assert_fails(validate_lead(new_run(a, repeated(a, "{\"a\":", "[", 100, ""))), ERR_INPUT, "json_too_deep");
    assert_fails(validate_lead(new_run(a, repeated(a, "{\"a\":[0", ",0", 10000, "]}"))), ERR_INPUT, "json_too_many");
    assert_fails(validate_lead(new_run(a, repeated(a, "{\"a\":\"", "x", 40000, "\"}"))), ERR_INPUT, "lead_text_long");
    assert_fails(validate_lead(new_run(a, repeated(a, "{\"person\":{\"first\":\"", "x", 300, "\"}}"))), ERR_INPUT,
                 "lead_text_long");
    assert_fails(validate_lead(new_run(a, repeated(a, "{\"", "x", 300, "\":1}"))), ERR_INPUT, "lead_text_long");
    struct buf *many = buf_in(a, 1 << 20);
    buf_add(many, STR("{\"f\":0"));
    for (int i = 0; i < RUN_MAX_COLUMN; i++)
        buf_add_format(many, ",\"f%d\":0", i);
    buf_add_byte(many, '}');
    assert_fails(validate_lead(new_run(a, buf_str(many))), ERR_INPUT, "lead_columns");
}

static struct identity identity_of(struct arena *a, const char *body) {
    const struct json *v;
    struct identity who;
    assert_ok(json_parse(a, str_from(body), NULL, &v));
    assert_ok(validate_identity(a, v, &who));
    return who;
}

static void identity_is_what_a_lead_is_known_by(void **state) {
    struct identity who =
        identity_of(*state, "{\"crm_id\":42,\"source\":\" hubspot \",\"person\":{\"email\":\"Ada@Example.com\"},"
                            "\"company\":{\"name\":\" Engines \"}}");
    assert_str(who.email, "ada@example.com");
    assert_str(who.domain, "example.com");
    assert_str(who.external, "42");
    assert_str(who.source, "hubspot");
    assert_str(who.company, "Engines");
    who = identity_of(*state, "{\"email\":\"Ada@gmail.com\",\"domain\":\"Y.example\",\"lead_id\":\"L\",\"crm_id\":\"C\"}");
    assert_str(who.domain, "y.example");
    assert_str(who.external, "L");
    who = identity_of(*state, "{\"company\":\"Engines\",\"person\":{\"email\":\"  \"}}");
    assert_str(who.company, "Engines");
    assert_int_equal(who.email.len + who.domain.len + who.external.len, 0);
    const struct json *v;
    assert_ok(json_parse(*state, STR("{\"lead_id\":true}"), NULL, &v));
    assert_fails(validate_identity(*state, v, &who), ERR_INPUT, "lead_type");
    assert_ok(json_parse(*state, STR("{\"email\":\"x\"}"), NULL, &v));
    assert_fails(validate_identity(*state, v, &who), ERR_INPUT, "lead_email");
    assert_ok(json_parse(*state, STR("17"), NULL, &v));
    assert_fails(validate_identity(*state, v, &who), ERR_INPUT, "lead_not_object");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_neutral_lead_becomes_columns),
        ARENA_TEST(private_mail_names_no_domain),
        ARENA_TEST(a_custom_field_wins_over_the_envelope),
        ARENA_TEST(what_is_wrong_is_named_with_its_place),
        ARENA_TEST(a_raw_nul_is_refused),
        ARENA_TEST(limits_are_the_bodys_fault),
        ARENA_TEST(identity_is_what_a_lead_is_known_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
