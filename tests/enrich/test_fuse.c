/* test_fuse.c — values that are the same in other words, and properties of the facts. */
#include "base/rng.h"
#include "enrich/fuse.h"
#include "unit.h"

static void same(void **state, enum fuse_type type, const char *a, const char *b) {
    const str x = fuse_value_normal(*state, type, str_from(a)), y = fuse_value_normal(*state, type, str_from(b));
    if (!str_equal(x, y))
        fail_msg("%s is \"%.*s\", %s is \"%.*s\"", a, STR_ARG(x), b, STR_ARG(y));
}

static void differ(void **state, enum fuse_type type, const char *a, const char *b) {
    if (str_equal(fuse_value_normal(*state, type, str_from(a)), fuse_value_normal(*state, type, str_from(b))))
        fail_msg("%s and %s are one value", a, b);
}

static void texts_that_mean_one_value_have_one_form(void **state) {
    same(state, FUSE_TEXT, "Acme, Inc.", "ACME INC");
    same(state, FUSE_TEXT, "Zo&eacute;", "ZO\xc3\x89");
    same(state, FUSE_TEXT, "https://www.acme.com/", "acme.com");
    differ(state, FUSE_TEXT, "1.5", "15");
    differ(state, FUSE_TEXT, "-5", "5");
    differ(state, FUSE_TEXT, "a.b@c.com", "ab@c.com");
    same(state, FUSE_CLOCK, "9:29pDec 4", "2011-12-04 21:29");
    same(state, FUSE_CLOCK, "12/4/11 6:35 PM (-05:00)", "Sun, Dec 4 6:35 p.m.");
    same(state, FUSE_CLOCK, "12:05 a.m.", "00:05");
    differ(state, FUSE_CLOCK, "6:35 AM", "6:35 PM");
    same(state, FUSE_NUMBER, "1,200", "1200");
    same(state, FUSE_DATE, "2026-03-01", "1 Mar 2026");
}

static void people(void **state, const char *text, const char *keys) {
    struct fuse_member m[FUSE_MEMBERS];
    const size_t n = fuse_value_members(*state, FUSE_PEOPLE, str_from(text), m);
    str key[FUSE_MEMBERS];
    for (size_t k = 0; k < n; k++)
        key[k] = m[k].key;
    const str got = str_join(*state, key, n, STR(" "));
    if (!str_equal(got, str_from(keys)))
        fail_msg("%s names \"%.*s\", not \"%s\"", text, STR_ARG(got), keys);
}

static void lists_of_people_are_read_in_every_order(void **state) {
    people(state, "Kline, Paul", "kline");
    people(state, "Paul J. Kline", "kline");
    people(state, "Kline, Paul; Thompson, Tim J.", "kline thompson");
    people(state, "Paul Kline, Tim Thompson", "kline thompson");
    people(state, "Kline, Paul, Thompson, Tim", "kline thompson");
    people(state, "KLINE, PAUL J. THOMPSON, TIM", "kline thompson");
    people(state, "By (author) Kline, Paul By (author) Thompson, Tim", "kline thompson");
    people(state, "Paul Kline & Tim Thompson, et al.", "kline thompson");
    people(state, "KLINE/THOMPSON", "kline thompson");
    people(state, "Jan De Clercq", "clercq");
    people(state, "(((", "");
    people(state, ";;,,", "");
}

static void types_are_told_from_values(void **state) {
    static const char *const clocks[] = {"9:30 a.m.", "21:05", "7:15 PM"};
    struct fuse_look l = {0};
    (void)state;
    for (int k = 0; k < 3; k++)
        fuse_look_add(&l, str_from(clocks[k]));
    assert_int_equal(fuse_look_type(&l, 0), FUSE_CLOCK);
    struct fuse_look n = {0};
    fuse_look_add(&n, STR("120"));
    assert_int_equal(fuse_look_type(&n, 0), FUSE_AMOUNT);
    assert_int_equal(fuse_look_type(&n, 0.6), FUSE_NUMBER);
    for (int k = 0; k < FUSE_TYPE_COUNT; k++)
        assert_int_equal(fuse_type_of(str_from(fuse_type_name((enum fuse_type)k))), k);
}

/* ---- facts ---- */

struct row {
    const char *object, *attribute, *value, *source;
};

static void add(struct fuse *f, const struct row *r) {
    const struct fuse_claim c = {str_from(r->object), str_from(r->attribute), str_from(r->value),
                                 str_from(r->source), FUSE_UNKNOWN_TIME,      NAN};
    assert_ok(fuse_add(f, &c));
}

static struct fuse_result run(struct arena *a, const struct row *r, size_t n, const size_t *order) {
    const struct fuse_options o = {.n_anchor = 0};
    struct fuse *f = fuse_new(a, &o);
    struct fuse_result out;
    for (size_t k = 0; k < n; k++)
        add(f, &r[order ? order[k] : k]);
    fuse_run(f, &out);
    return out;
}

enum { ROWS = 600 };

static struct row *random_rows(struct arena *a) {
    struct rng r = rng_from_seed(7);
    struct row *row = ARENA_ARRAY(a, ROWS, struct row);
    for (size_t k = 0; k < ROWS; k++) {
        const unsigned object = (unsigned)(60 * rng_uniform(&r)), source = (unsigned)(7 * rng_uniform(&r));
        const bool size = rng_uniform(&r) < 0.5;
        const double x = exp(4 + (object % 7)) * exp(0.3 * (rng_uniform(&r) - 0.5));
        const unsigned class = rng_uniform(&r) < 0.7 ? object % 5 : (unsigned)(5 * rng_uniform(&r));
        row[k] = (struct row){str_format(a, "o%u", object).ptr, size ? "size" : "industry",
                              size ? str_format(a, "%.5g", x).ptr : str_format(a, "class %u", class).ptr,
                              str_format(a, "s%u", source).ptr};
    }
    return row;
}

static const struct fuse_fact *find(const struct fuse_result *r, const struct fuse_fact *like) {
    for (size_t k = 0; k < r->n_fact; k++)
        if (str_equal(r->fact[k].object, like->object) && str_equal(r->fact[k].attribute, like->attribute))
            return &r->fact[k];
    return NULL;
}

static void assert_same_facts(const struct fuse_result *a, const struct fuse_result *b) {
    assert_int_equal(a->n_fact, b->n_fact);
    for (size_t k = 0; k < a->n_fact; k++) {
        const struct fuse_fact *x = &a->fact[k], *y = find(b, x);
        assert_non_null(y);
        assert_true(str_equal(x->value, y->value));
        assert_close(x->confidence, y->confidence, 0);
        assert_int_equal(x->contested, y->contested);
        if (!isnan(x->low))
            assert_close(x->low, y->low, 0);
    }
}

static void the_order_of_claims_does_not_matter(void **state) {
    const struct row *row = random_rows(*state);
    size_t order[ROWS];
    struct rng r = rng_from_seed(1);
    for (size_t k = 0; k < ROWS; k++)
        order[k] = k;
    for (size_t k = ROWS; k-- > 1;) {
        const size_t j = (size_t)((double)(k + 1) * rng_uniform(&r)), keep = order[k];
        order[k] = order[j];
        order[j] = keep;
    }
    const struct fuse_result a = run(*state, row, ROWS, NULL), b = run(*state, row, ROWS, order);
    assert_same_facts(&a, &b);
}

static void saying_it_twice_changes_nothing(void **state) {
    const struct row *row = random_rows(*state);
    size_t order[2 * ROWS];
    for (size_t k = 0; k < ROWS; k++)
        order[k] = order[ROWS + k] = k;
    const struct fuse_result a = run(*state, row, ROWS, NULL), b = run(*state, row, 2 * ROWS, order);
    assert_same_facts(&a, &b);
    assert_true(b.repeated >= ROWS);
}

static void facts_are_probabilities_with_their_sources(void **state) {
    const struct fuse_result r = run(*state, random_rows(*state), ROWS, NULL);
    for (size_t k = 0; k < r.n_fact; k++) {
        const struct fuse_fact *f = &r.fact[k];
        assert_true(f->confidence >= 0 && f->confidence <= 1 + 1e-12);
        assert_true(f->n_for + f->n_against > 0);
        if (f->type == FUSE_AMOUNT)
            assert_true(f->low <= f->high && f->low > 0);
    }
}

static void a_verified_value_is_the_fact(void **state) {
    static const struct row row[] = {{"o", "city", "Paris", "a"}, {"o", "city", "Paris", "b"}, {"o", "city", "Lyon", "crm"}};
    static const str anchor = STR_INIT("crm");
    const struct fuse_options o = {.anchor = &anchor, .n_anchor = 1};
    struct fuse *f = fuse_new(*state, &o);
    struct fuse_result r;
    for (size_t k = 0; k < 3; k++)
        add(f, &row[k]);
    fuse_run(f, &r);
    assert_str(r.fact[0].value, "Lyon");
    assert_true(r.fact[0].verified && r.fact[0].contested);
    assert_close(r.fact[0].confidence, 1, 0);
    assert_int_equal(r.fact[0].n_against, 2);
}

static void claims_that_say_nothing_are_counted(void **state) {
    const struct fuse_options o = {.max_claim = 2};
    struct fuse *f = fuse_new(*state, &o);
    struct fuse_claim c = {STR("o"), STR("a"), STR("n/a"), STR("s"), FUSE_UNKNOWN_TIME, NAN};
    assert_ok(fuse_add(f, &c));
    c.object = STR(" ");
    assert_fails(fuse_add(f, &c), ERR_INPUT, "fuse_no_object");
    c.object = STR("o");
    c.attribute = STR("");
    assert_fails(fuse_add(f, &c), ERR_INPUT, "fuse_no_attribute");
    c.attribute = STR("a");
    c.source = STR("");
    assert_fails(fuse_add(f, &c), ERR_INPUT, "fuse_no_source");
    c.source = STR("s");
    assert_ok(fuse_add(f, &c));
    assert_fails(fuse_add(f, &c), ERR_LIMIT, "fuse_claims");
    struct fuse_result r;
    fuse_run(f, &r);
    assert_int_equal(r.empty, 2);
    assert_int_equal(r.n_fact, 0);
}

static void members_that_most_name_are_the_list(void **state) {
    enum { MEMBERS = 40 };
    struct row row[6];
    for (int s = 0; s < 6; s++) {
        str text = STR("");
        for (int k = s % 3; k < MEMBERS; k++)
            text = str_format(*state, "%.*stool %d; ", STR_ARG(text), k * k * 1000);
        row[s] = (struct row){"o", "tools", text.ptr, str_format(*state, "s%d", s).ptr};
    }
    const struct fuse_result r = run(*state, row, 6, NULL);
    assert_int_equal(r.fact[0].type, FUSE_LIST);
    assert_true(str_find(r.fact[0].value, STR("tool 4000; ")) >= 0);
    assert_true(str_find(r.fact[0].value, STR("tool 1521000")) >= 0);
    assert_int_equal(r.fact[0].n_for + r.fact[0].n_against, 6);
}

/* Bytes of every kind as values, under every type. */
static void hostile_values_do_no_harm(void **state) {
    static const char ALPHABET[] = "&;|,:/()[]~.-@\"' 019aZ\xc3\xa9\xff\xe2\x82&eacute;and by 12:30pm";
    struct rng r = rng_from_seed(5);
    for (int type = FUSE_TEXT; type < FUSE_TYPE_COUNT; type++) {
        const struct fuse_override as = {STR("x"), (enum fuse_type)type};
        const struct fuse_options o = {.override = &as, .n_override = 1};
        struct fuse *f = fuse_new(*state, &o);
        for (int k = 0; k < 400; k++) {
            char text[40];
            const size_t n = (size_t)(40 * rng_uniform(&r));
            for (size_t b = 0; b < n; b++)
                text[b] = ALPHABET[(size_t)((double)(sizeof ALPHABET - 1) * rng_uniform(&r))];
            const struct fuse_claim c = {
                str_format(*state, "o%d", k % 50), STR("x"),         str_copy(*state, (str){text, n}),
                str_format(*state, "s%d", k % 9),  k * 1000000000ll, 0.5};
            assert_ok(fuse_add(f, &c));
        }
        struct fuse_result out;
        fuse_run(f, &out);
        assert_true(out.n_fact <= 50);
        for (size_t k = 0; k < out.n_fact; k++)
            assert_true(out.fact[k].confidence >= 0 && out.fact[k].confidence <= 1 + 1e-9);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(texts_that_mean_one_value_have_one_form),
        ARENA_TEST(lists_of_people_are_read_in_every_order),
        ARENA_TEST(types_are_told_from_values),
        ARENA_TEST(the_order_of_claims_does_not_matter),
        ARENA_TEST(saying_it_twice_changes_nothing),
        ARENA_TEST(facts_are_probabilities_with_their_sources),
        ARENA_TEST(a_verified_value_is_the_fact),
        ARENA_TEST(claims_that_say_nothing_are_counted),
        ARENA_TEST(members_that_most_name_are_the_list),
        ARENA_TEST(hostile_values_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
