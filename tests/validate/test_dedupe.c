/* test_dedupe.c — the resolver: normal forms, levels, laws, colleagues, chains, hostile rows. */
#include "unit.h"

#include "base/rng.h"
#include "validate/dedupe_priv.h"

static str form(struct arena *a, enum dedupe_kind kind, const char *cell) {
    char *to = arena_alloc(a, DEDUPE_TEXT_BYTE);
    return (str){to, dedupe_normal_form(kind, str_from(cell), to)};
}

static void test_normal_forms(void **state) {
    struct arena *a = *state;
    assert_str(form(a, DEDUPE_EMAIL, " Jo.Doe+news@Example.COM "), "jo.doe@example.com");
    assert_str(form(a, DEDUPE_EMAIL, "N/A"), "n/a");
    assert_str(form(a, DEDUPE_PHONE, "+44 (0)20 7946-0958"), "079460958");
    assert_str(form(a, DEDUPE_PHONE, "020 7946 0958"), "079460958");
    assert_str(form(a, DEDUPE_PHONE, "ext 12"), "");
    assert_str(form(a, DEDUPE_COMPANY, "Müller & Söhne GmbH & Co. KG"), "muller sohne");
    assert_str(form(a, DEDUPE_COMPANY, "Limited"), "limited");
    assert_str(form(a, DEDUPE_DOMAIN, "https://www.Example.com/path?x"), "example.com");
    assert_str(form(a, DEDUPE_POSTCODE, "SW1A 2AA"), "sw1a2aa");
    assert_str(form(a, DEDUPE_BIRTH_DATE, "1982-10-11"), "19821011");
    assert_str(form(a, DEDUPE_BIRTH_DATE, "19821099"), "19821099");
    assert_str(form(a, DEDUPE_BIRTH_DATE, "11 Oct 1982"), "19821011");
    assert_str(form(a, DEDUPE_BIRTH_DATE, "25/12/1982"), "19821225");
    assert_str(form(a, DEDUPE_BIRTH_DATE, "12/25/1982"), "19821225");
    assert_str(form(a, DEDUPE_BIRTH_DATE, "soon"), "");
    assert_str(form(a, DEDUPE_GIVEN_NAME, "None"), "");
    assert_str(form(a, DEDUPE_CITY, "unknown"), "");
}

static const enum dedupe_kind person[] = {DEDUPE_GIVEN_NAME, DEDUPE_SURNAME, DEDUPE_BIRTH_DATE, DEDUPE_EMAIL};

static struct dedupe *begin(struct arena *a, const enum dedupe_kind *kind, size_t n, bool link, unsigned threads) {
    struct dedupe *d;
    assert_ok(dedupe_new(a, &(struct dedupe_options){.kind = kind, .n_column = n, .link = link, .threads = threads}, &d));
    return d;
}

static void add(struct dedupe *d, int file, const char *const *cells) {
    str cell[LINKAGE_FIELD_MAX];
    for (size_t i = 0; i < d->n_field; i++)
        cell[i] = str_from(cells[i]);
    assert_ok(dedupe_add(d, file, cell));
}

static void expect_levels(struct arena *a, const char *const *x, const char *const *y, const char *levels) {
    for (int turn = 0; turn < 2; turn++) {
        struct dedupe *d = begin(a, person, 4, false, 1);
        struct linkage_pair p;
        add(d, 0, turn ? y : x);
        add(d, 0, turn ? x : y);
        dedupe_compare(d, 0, 1, &p);
        for (size_t f = 0; f < 4; f++)
            assert_int_equal(p.level[f], levels[f] - '0');
    }
}

#define ROW(...) ((const char *const[]){__VA_ARGS__})

static void test_levels(void **state) {
    struct arena *a = *state;
    expect_levels(a, ROW("Jon", "Smith", "19800102", "j@x.com"), ROW("jon", "SMITH", "1980-01-02", "J@X.com"), "4455");
    expect_levels(a, ROW("John", "Smith", "19800102", "j@x.com"), ROW("Jon", "Smiht", "19800201", "k@x.com"), "3342");
    expect_levels(a, ROW("John", "Smith", "19800102", ""), ROW("Smith", "John", "19801102", "k@x.com"), "5540");
    expect_levels(a, ROW("John", "", "", ""), ROW("Smith", "John", "", ""), "5000");
    expect_levels(a, ROW("J", "Brown", "19800102", "jane.roe@a.com"), ROW("John", "Green", "19991224", "jane.roe@b.org"),
                  "2111");
    expect_levels(a, ROW("", "", "", ""), ROW("John", "Green", "19991224", "x@y"), "0000");
    expect_levels(a, ROW("Ann", "Lee", "19800102", "anna.lee@corp.com"), ROW("Bob", "Cho", "19800716", "bob.cho@corp.com"),
                  "1122");
}

/* Every person n times with slips; returns how many people. */
static size_t add_people(struct dedupe *d, struct rng *r, size_t n, const uint32_t *order) {
    static const char *const given[] = {"Anna", "Bruno", "Carla", "Dieter", "Edith", "Frank", "Greta", "Hugo"};
    static const char *const last[] = {"Weber", "Fischer", "Okafor",    "Tanaka", "Moreau",
                                       "Silva", "Novak",   "Lindqvist", "Byrne"};
    char text[4][64];
    for (size_t k = 0; k < n; k++) {
        const size_t i = order ? order[k] : k, who = i / 2;
        struct rng one = rng_fork(r, who);
        const char *g = given[rng_below(&one, 8)], *s = last[rng_below(&one, 9)];
        const unsigned year = 1940 + (unsigned)rng_below(&one, 60), month = 1 + (unsigned)rng_below(&one, 12),
                       day = 1 + (unsigned)rng_below(&one, 28);
        snprintf(text[0], 64, "%s", g);
        snprintf(text[1], 64, "%s%s", s, i % 8 == 1 ? "h" : "");
        text[2][0] = text[3][0] = 0;
        if (i % 6 != 1)
            snprintf(text[2], 64, "%04u%02u%02u", year, month, day);
        char mail[9] = {0};
        for (size_t c = 0; c < 8; c++)
            mail[c] = (char)('a' + rng_below(&one, 26));
        if (i % 10 != 3)
            snprintf(text[3], 64, "%s@mail.example", mail);
        add(d, 0, ROW(text[0], text[1], text[2], text[3]));
    }
    return n / 2;
}

static void test_finds_people(void **state) {
    struct arena *a = *state;
    struct rng r = rng_from_seed(3);
    struct dedupe *d = begin(a, person, 4, false, 1);
    struct dedupe_result x;
    const size_t people = add_people(d, &r, 1000, NULL);
    assert_ok(dedupe_run(d, &x));
    size_t right = 0;
    for (size_t i = 0; i < x.n_pair; i++) {
        assert_true(x.pair[i].a < x.pair[i].b && x.pair[i].probability >= 0.5 && x.pair[i].probability <= 1);
        assert_int_equal(x.cluster[x.pair[i].a], x.cluster[x.pair[i].b]);
        right += x.pair[i].a / 2 == x.pair[i].b / 2;
    }
    /* one in fifteen has nothing left but a common name */
    assert_true(right >= people * 92 / 100 && right >= x.n_pair * 98 / 100);
    assert_int_equal(x.n_row, 1000);
}

/* Threads, and how often it is run, change nothing; 1,800 rows, so that candidates come from passes. */
static void test_threads(void **state) {
    struct arena *a = *state;
    struct dedupe_result x[2];
    for (unsigned i = 0; i < 2; i++) {
        struct rng r = rng_from_seed(4);
        struct dedupe *d = begin(a, person, 4, false, 1 + 3 * i);
        add_people(d, &r, 1800, NULL);
        assert_ok(dedupe_run(d, &x[i]));
    }
    assert_true(x[0].n_pass > 1 && x[0].n_compared < 1800 * 1799 / 2);
    assert_int_equal(x[0].n_pair, x[1].n_pair);
    assert_memory_equal(x[0].pair, x[1].pair, x[0].n_pair * sizeof *x[0].pair);
    assert_memory_equal(x[0].cluster, x[1].cluster, x[0].n_row * sizeof *x[0].cluster);
}

static void test_permutation(void **state) {
    struct arena *a = *state;
    enum { N = 600 };
    struct dedupe_result x, y;
    struct rng r = rng_from_seed(8), shuffle = rng_from_seed(9);
    uint32_t order[N], place[N];
    for (uint32_t i = 0; i < N; i++)
        order[i] = i;
    rng_shuffle(&shuffle, order, N);
    for (uint32_t i = 0; i < N; i++)
        place[order[i]] = i;
    struct dedupe *d = begin(a, person, 4, false, 2), *e = begin(a, person, 4, false, 2);
    add_people(d, &r, N, NULL);
    add_people(e, &r, N, order);
    assert_ok(dedupe_run(d, &x));
    assert_ok(dedupe_run(e, &y));
    assert_int_equal(x.n_pair, y.n_pair);
    for (size_t i = 0; i < x.n_pair; i++)
        assert_int_equal(y.cluster[place[x.pair[i].a]], y.cluster[place[x.pair[i].b]]);
    assert_close(x.model->match, y.model->match, 1e-9);
}

/* People of one company, all with its address: different names stay different people. */
static void test_colleagues(void **state) {
    struct arena *a = *state;
    static const enum dedupe_kind kinds[] = {DEDUPE_GIVEN_NAME, DEDUPE_SURNAME, DEDUPE_COMPANY, DEDUPE_DOMAIN,
                                             DEDUPE_PHONE,      DEDUPE_CITY,    DEDUPE_POSTCODE};
    struct dedupe *d = begin(a, kinds, 7, false, 2);
    struct rng r = rng_from_seed(6);
    struct dedupe_result x;
    enum { COMPANY = 100, STAFF = 6 };
    char text[7][32];
    for (unsigned c = 0; c < COMPANY; c++)
        for (unsigned p = 0; p < STAFF; p++) {
            for (unsigned k = 0; k < 7; k++)
                for (unsigned i = 0; i < 9; i++)
                    text[k][i] = i < 8 ? (char)('a' + rng_below(&r, 26)) : '\0';
            for (unsigned k = 2; k < 7; k++)
                snprintf(text[k], 32, "%c%c%05u77", 'a' + (int)(c % 26), 'a' + (int)(c / 26), c * 613 % 90001);
            const char *row[] = {text[0], text[1], text[2], text[3], text[4], text[5], text[6]};
            add(d, 0, row);
            if (p == 0) /* one of them twice */
                add(d, 0, row);
        }
    assert_ok(dedupe_run(d, &x));
    assert_int_equal(x.n_pair, COMPANY);
    for (size_t i = 0; i < x.n_pair; i++)
        assert_int_equal(x.pair[i].b, x.pair[i].a + 1);
}

/* a ~ b and b ~ c, but a and c plainly different: never one cluster of three. */
static void test_chain(void **state) {
    struct arena *a = *state;
    struct rng r = rng_from_seed(3);
    struct dedupe *d = begin(a, person, 4, false, 1);
    struct dedupe_result x;
    add_people(d, &r, 400, NULL);
    add(d, 0, ROW("Zara", "Quill", "19700101", "zara.quill@one.example"));
    add(d, 0, ROW("", "", "", "zara.quill@one.example"));
    add(d, 0, ROW("Igor", "Brandt", "19581123", "zara.quill@one.example"));
    assert_ok(dedupe_run(d, &x));
    assert_true(x.cluster[400] != x.cluster[402]);
}

static void test_link(void **state) {
    struct arena *a = *state;
    struct dedupe *d = begin(a, person, 4, true, 2);
    struct dedupe_result x;
    char text[4][64];
    for (unsigned i = 0; i < 400; i++) {
        snprintf(text[0], 64, "g%c%05u", 'a' + (int)(i % 200 % 26), i % 200 * 7919 % 99991);
        snprintf(text[1], 64, "s%05u", i % 200 * 104729 % 99991);
        snprintf(text[2], 64, "19%02u0%u1%u", i % 200 % 100, 1 + i % 200 % 9, i % 200 % 7);
        snprintf(text[3], 64, "%.20s@%.20s", text[1], text[0]);
        add(d, i >= 200, ROW(text[0], text[1], text[2], text[3]));
    }
    assert_ok(dedupe_run(d, &x));
    assert_int_equal(x.n_pair, 200);
    for (size_t i = 0; i < x.n_pair; i++)
        assert_int_equal(x.pair[i].b, x.pair[i].a + 200);
}

static void test_refusals(void **state) {
    struct arena *a = *state;
    struct dedupe *d;
    assert_fails(dedupe_new(a, &(struct dedupe_options){.kind = person}, &d), ERR_INPUT, "dedupe_columns");
    assert_fails(dedupe_new(a, &(struct dedupe_options){.kind = person, .n_column = 4, .threshold = 1}, &d), ERR_INPUT,
                 "dedupe_threshold");
}

static void test_nearly_nothing(void **state) {
    struct arena *a = *state;
    for (int rows = 0; rows < 3; rows++) {
        struct dedupe *d = begin(a, person, 4, rows == 2, 1);
        struct dedupe_result x;
        for (int i = 0; i < rows; i++)
            add(d, 0, ROW("", "", "", ""));
        assert_ok(dedupe_run(d, &x));
        assert_int_equal(x.n_pair, 0);
        assert_int_equal(x.n_cluster, rows);
    }
    struct dedupe *d = begin(a, person, 4, false, 1);
    struct dedupe_result x;
    for (int i = 0; i < 50; i++)
        add(d, 0, ROW("", "", "", ""));
    assert_ok(dedupe_run(d, &x));
    assert_int_equal(x.n_cluster, 50);
}

/* All rows alike, and rows of noise: an answer in bounded work. */
static void test_hostile(void **state) {
    struct arena *a = *state;
    struct dedupe_result x;
    struct dedupe *d = begin(a, person, 4, false, 2);
    for (int i = 0; i < 3000; i++)
        add(d, 0, ROW("same", "same", "20000101", "same@same.same"));
    assert_ok(dedupe_run(d, &x));
    assert_true(x.n_compared <= 3000 * 1100);
    struct rng r = rng_from_seed(12);
    d = begin(a, person, 4, false, 2);
    for (int i = 0; i < 1500; i++) {
        char bytes[4][200];
        str cell[4];
        for (int k = 0; k < 4; k++) {
            cell[k] = (str){bytes[k], rng_below(&r, sizeof bytes[k])};
            for (size_t n = 0; n < cell[k].len; n++)
                bytes[k][n] = rng_below(&r, 4) ? "0@+ .19a\xC3"[rng_below(&r, 9)] : (char)rng_below(&r, 256);
        }
        assert_ok(dedupe_add(d, 0, cell));
    }
    assert_ok(dedupe_run(d, &x));
    for (size_t i = 0; i < x.n_pair; i++)
        assert_true(x.pair[i].probability >= 0.5 && x.pair[i].probability <= 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_normal_forms),   ARENA_TEST(test_levels),      ARENA_TEST(test_finds_people),
        ARENA_TEST(test_threads),        ARENA_TEST(test_permutation), ARENA_TEST(test_colleagues),
        ARENA_TEST(test_chain),          ARENA_TEST(test_link),        ARENA_TEST(test_refusals),
        ARENA_TEST(test_nearly_nothing), ARENA_TEST(test_hostile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
