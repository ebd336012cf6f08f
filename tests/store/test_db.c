/* test_db.c — what both drivers promise, checked on both: values, counts, transactions, errors, migrations. */
#include "both.h"

#include <inttypes.h>

struct one {
    struct db_value value[8];
    size_t n, rows;
    struct arena *a;
};

/* Keeps a copy of the last row. */
static err keep(void *ctx, struct db_row *row) {
    struct one *o = ctx;
    o->n = row->n;
    o->rows++;
    for (size_t i = 0; i < row->n && i < 8; i++) {
        o->value[i] = row->value[i];
        if (row->value[i].type == DB_TEXT || row->value[i].type == DB_BLOB)
            o->value[i].text = str_copy(o->a, row->value[i].text);
    }
    return OK;
}

static struct one get(struct fixture *f, struct db *db, unsigned query, const struct db_value *param) {
    struct one o = {.a = f->a};
    assert_ok(db_query(db, query, param, keep, &o));
    return o;
}

static int64_t count(struct fixture *f, struct db *db, int64_t tenant) {
    return get(f, db, TEST_ITEM_COUNT, DB_ROW(db_integer(tenant))).value[0].integer;
}

static void add_item(struct db *db, int64_t tenant, int64_t id, const char *name) {
    int64_t changed = 0;
    assert_ok(db_exec(db, TEST_ITEM_ADD,
                      DB_ROW(db_integer(tenant), db_integer(id), db_text(str_from(name)), db_null(), db_null()), &changed));
    assert_int_equal(changed, 1);
}

static void assert_same(const struct db_value *is, const struct db_value *wanted) {
    assert_int_equal(is->type, wanted->type);
    if (is->type == DB_INTEGER)
        assert_true(is->integer == wanted->integer);
    if (is->type == DB_REAL)
        assert_memory_equal(&is->real, &wanted->real, 8);
    if (is->type == DB_TEXT || is->type == DB_BLOB)
        assert_true(str_equal(is->text, wanted->text));
}

static size_t make_values(struct arena *a, struct db_value (*to)[5]) {
    char *mega = arena_alloc(a, 1 << 20);
    for (size_t i = 0; i < 1 << 20; i++)
        mega[i] = (char)(i * 7 + i / 256);
    static const struct {
        int64_t i;
        double r;
        str t, b;
    } some[] = {
        {0, 0.0, STR_INIT(""), STR_INIT("")},
        {INT64_MAX, 1.7976931348623157e308, STR_INIT("Zürich 東京 🙂"), STR_INIT("\0\x01\xff\0")},
        {INT64_MIN, -4.9406564584124654e-324, STR_INIT("' \" \\ \n\t $1 ?1 --"), STR_INIT("x")},
        {-1, 0.1, STR_INIT("a"), STR_INIT("\xc3\x28")},
        {1, INFINITY, STR_INIT("{}"), STR_INIT("{1,2}")},
        {9007199254740993, -INFINITY, STR_INIT("NULL"), STR_INIT("NULL")},
    };
    size_t n = 0;
    for (; n < sizeof some / sizeof *some; n++) {
        struct db_value row[5] = {db_integer((int64_t)n), db_integer(some[n].i), db_real(some[n].r), db_text(some[n].t),
                                  db_blob(some[n].b)};
        memcpy(to[n], row, sizeof row);
    }
    struct db_value nulls[5] = {db_integer((int64_t)n), db_null(), db_null(), db_null(), db_null()};
    memcpy(to[n++], nulls, sizeof nulls);
    struct db_value large[5] = {db_integer((int64_t)n), db_integer(2), db_real(3.0), db_text(str_lower(a, (str){"Q", 1})),
                                db_blob((str){mega, 1 << 20})};
    memcpy(to[n++], large, sizeof large);
    return n;
}

/* One by one, and all at once, which takes another way to PostgreSQL. */
static void test_every_type_comes_back(void **state) {
    struct fixture *f = both_fixture(state);
    struct db_value rows[16][5];
    size_t n = make_values(f->a, rows);
    for (int many = 0; many < 2; many++) {
        assert_ok(db_exec(f->db, TEST_EVERY_CLEAR, NULL, NULL));
        int64_t changed[16] = {0};
        for (size_t i = 0; i < n && !many; i++)
            assert_ok(db_exec(f->db, TEST_EVERY_ADD, rows[i], &changed[i]));
        if (many)
            assert_ok(db_exec_many(f->db, TEST_EVERY_ADD, rows[0], n, changed));
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(changed[i], 1);
            struct one o = get(f, f->db, TEST_EVERY_GET, &rows[i][0]);
            assert_int_equal(o.rows, 1);
            for (size_t k = 0; k < 4; k++)
                assert_same(&o.value[k], &rows[i][k + 1]);
        }
    }
}

static void test_zero_has_no_sign(void **state) {
    struct fixture *f = both_fixture(state);
    assert_ok(db_exec(f->db, TEST_EVERY_ADD, DB_ROW(db_integer(1), db_null(), db_real(-0.0), db_null(), db_null()), NULL));
    struct one o = get(f, f->db, TEST_EVERY_GET, DB_ROW(db_integer(1)));
    assert_int_equal(o.value[1].type, DB_REAL);
    assert_true(o.value[1].real == 0 && !signbit(o.value[1].real));
}

static void test_values_are_refused(void **state) {
    struct fixture *f = both_fixture(state);
    const struct {
        struct db_value t, r;
        const char *slug;
    } bad[] = {
        {db_text(STR("planted\0secret")), db_null(), "db_nul"},
        {db_text(STR("planted \xff")), db_null(), "db_utf8"},
        {db_null(), db_real(NAN), "db_nan"},
    };
    for (size_t i = 0; i < 3; i++) {
        assert_fails(db_exec(f->db, TEST_EVERY_ADD, DB_ROW(db_integer(1), db_null(), bad[i].r, bad[i].t, db_null()), NULL),
                     ERR_INPUT, bad[i].slug);
        assert_null(strstr(err_text(), "planted"));
    }
    /* A text where a number belongs: SQLite's table and PostgreSQL's statement refuse it. */
    assert_int_equal(db_exec(f->db, TEST_EVERY_ADD,
                             DB_ROW(db_integer(1), db_text(STR("planted")), db_null(), db_null(), db_null()), NULL),
                     ERR_INPUT);
    assert_null(strstr(err_text(), "planted"));
    /* An integer where a real belongs is one. */
    assert_ok(db_exec(f->db, TEST_EVERY_ADD, DB_ROW(db_integer(1), db_null(), db_integer(7), db_null(), db_null()), NULL));
    struct one o = get(f, f->db, TEST_EVERY_GET, DB_ROW(db_integer(1)));
    assert_same(&o.value[1], &(struct db_value){DB_REAL, {.real = 7}});
}

static void test_the_connection_is_good_after_errors(void **state) {
    struct fixture *f = both_fixture(state);
    add_item(f->db, 1, 1, "planted-name");
    for (int i = 0; i < 3; i++) {
        assert_fails(db_exec(f->db, TEST_ITEM_ADD,
                             DB_ROW(db_integer(1), db_integer(2), db_text(STR("planted-name")), db_null(), db_null()), NULL),
                     ERR_CONFLICT, "db_unique");
        assert_null(strstr(err_text(), "planted"));
        assert_fails(db_exec(f->db, TEST_FENCED_ADD, DB_ROW(db_integer(1), db_integer(-424242)), NULL), ERR_INPUT,
                     "db_constraint");
        assert_null(strstr(err_text(), "424242"));
        assert_fails(db_exec(f->db, TEST_FENCED_ADD, DB_ROW(db_integer(1), db_null()), NULL), ERR_INPUT, "db_constraint");
    }
    add_item(f->db, 1, 2, "other");
    assert_int_equal(count(f, f->db, 1), 2);
}

/* Rows whose fence is another are not moved; each row has its own count. */
static void test_counts_of_many(void **state) {
    struct fixture *f = both_fixture(state);
    enum { N = 1777 };
    struct db_value *add = ARENA_ARRAY(f->a, N * 2, struct db_value), *move = ARENA_ARRAY(f->a, N * 3, struct db_value);
    int64_t *changed = ARENA_ARRAY(f->a, N, int64_t);
    for (int64_t i = 0; i < N; i++) {
        add[2 * i] = db_integer(i);
        add[2 * i + 1] = db_integer(i % 3);
        move[3 * i] = db_integer(i % 100 == 99 ? i + N : i);
        move[3 * i + 1] = db_integer(1);
        move[3 * i + 2] = i % 2 ? db_text(STR("moved")) : db_null();
    }
    assert_ok(db_exec_many(f->db, TEST_FENCED_ADD, add, N, changed));
    for (size_t i = 0; i < N; i++)
        assert_int_equal(changed[i], 1);
    assert_ok(db_exec_many(f->db, TEST_FENCED_MOVE, move, N, changed));
    int64_t moved = 0;
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(changed[i], i % 3 == 1 && i % 100 != 99);
        moved += changed[i];
    }
    struct one o = get(f, f->db, TEST_FENCED_TOTAL, NULL);
    int64_t sum = 0;
    for (int64_t i = 0; i < N; i++)
        sum += i % 3;
    assert_same(&o.value[0], &(struct db_value){DB_INTEGER, {.integer = sum + moved}});
    assert_same(&o.value[1], &(struct db_value){DB_INTEGER, {.integer = N}});
    assert_close(o.value[2].real, (double)(sum + moved) / N, 1e-12);
    assert_str(o.value[3].text, "moved");
    assert_ok(db_exec_many(f->db, TEST_FENCED_MOVE, move, 0, NULL));
}

/* The first of several rows with one key wins, and only it counts. */
static void test_offers(void **state) {
    struct fixture *f = both_fixture(state);
    enum { N = 12 };
    struct db_value rows[N][5];
    int64_t changed[N];
    for (int64_t i = 0; i < N; i++) {
        struct db_value row[5] = {db_integer(1), db_integer(i / 2), db_text(str_format(f->a, "n%d", (int)i)), db_real(0.5),
                                  db_null()};
        memcpy(rows[i], row, sizeof row);
    }
    for (int again = 0; again < 2; again++) {
        assert_ok(db_exec_many(f->db, TEST_ITEM_OFFER, rows[0], N, changed));
        for (int i = 0; i < N; i++)
            assert_int_equal(changed[i], !again && i % 2 == 0);
    }
}

static void test_posted_work_is_one_transaction(void **state) {
    struct fixture *f = both_fixture(state);
    enum { N = 1200 };
    struct db_value *rows = ARENA_ARRAY(f->a, N * 2, struct db_value);
    int64_t *changed = ARENA_ARRAY(f->a, 3 * N, int64_t);
    for (int64_t i = 0; i < N; i++) {
        rows[2 * i] = db_integer(i);
        rows[2 * i + 1] = db_integer(0);
    }
    assert_ok(db_begin(f->db));
    assert_ok(db_post(f->db, TEST_FENCED_ADD, rows, N, changed));
    for (size_t round = 0; round < 2; round++)
        for (int64_t i = 0; i < N; i++)
            assert_ok(db_post(f->db, TEST_FENCED_MOVE, DB_ROW(db_integer(i), db_integer((int64_t)round), db_null()), 1,
                              changed + (round + 1) * N + i));
    assert_ok(db_commit(f->db));
    for (size_t i = 0; i < 3 * N; i++)
        assert_int_equal(changed[i], 1);
    assert_int_equal(get(f, f->db, TEST_FENCED_TOTAL, NULL).value[0].integer, 2 * N);
    /* An error among posted statements undoes all, and is the one that is told. */
    assert_ok(db_begin(f->db));
    err rc = db_post(f->db, TEST_FENCED_MOVE, DB_ROW(db_integer(1), db_integer(2), db_null()), 1, NULL);
    if (rc == OK)
        rc = db_post(f->db, TEST_FENCED_ADD, rows, 1, NULL);
    if (rc == OK)
        rc = db_post(f->db, TEST_FENCED_MOVE, DB_ROW(db_integer(2), db_integer(2), db_null()), 1, NULL);
    assert_fails(db_commit(f->db), ERR_CONFLICT, "db_unique");
    assert_int_equal(get(f, f->db, TEST_FENCED_TOTAL, NULL).value[0].integer, 2 * N);
}

static void test_rollback_and_isolation(void **state) {
    struct fixture *f = both_fixture(state);
    struct db *reader = both_open(f, DB_READER);
    add_item(f->db, 1, 1, "a");
    assert_ok(db_begin(f->db));
    add_item(f->db, 1, 2, "b");
    assert_int_equal(count(f, f->db, 1), 2);
    assert_int_equal(count(f, reader, 1), 1);
    db_rollback(f->db);
    assert_int_equal(count(f, f->db, 1), 1);
    /* A reader's transaction sees one moment. */
    assert_ok(db_begin(reader));
    assert_int_equal(count(f, reader, 1), 1);
    assert_ok(db_begin(f->db));
    add_item(f->db, 1, 3, "c");
    assert_ok(db_commit(f->db));
    assert_int_equal(count(f, reader, 1), 1);
    assert_ok(db_commit(reader));
    assert_int_equal(count(f, reader, 1), 2);
    /* Readers change nothing. */
    assert_int_not_equal(db_exec(reader, TEST_ITEM_CLEAR, NULL, NULL), OK);
    assert_int_equal(count(f, reader, 1), 2);
}

static void test_a_failed_transaction_only_rolls_back(void **state) {
    struct fixture *f = both_fixture(state);
    assert_ok(db_begin(f->db));
    add_item(f->db, 1, 1, "a");
    assert_fails(
        db_exec(f->db, TEST_ITEM_ADD, DB_ROW(db_integer(1), db_integer(1), db_text(STR("b")), db_null(), db_null()), NULL),
        ERR_CONFLICT, "db_unique");
    struct one o = {.a = f->a};
    assert_fails(db_query(f->db, TEST_ITEM_COUNT, DB_ROW(db_integer(1)), keep, &o), ERR_CONFLICT, "db_unique");
    assert_fails(db_commit(f->db), ERR_CONFLICT, "db_unique");
    assert_false(db_in_transaction(f->db));
    assert_int_equal(count(f, f->db, 1), 0);
    db_rollback(f->db);
}

static err stop_at_two(void *ctx, struct db_row *row) {
    (void)row;
    return ++*(int *)ctx == 2 ? fail(ERR_LIMIT, "test_enough", "two are enough") : OK;
}

static err read_wrong(void *ctx, struct db_row *row) {
    (void)ctx;
    (void)db_row_text(row, 0);
    return OK;
}

static void test_rows(void **state) {
    struct fixture *f = both_fixture(state);
    for (int64_t i = 0; i < 5; i++)
        add_item(f->db, 1, i, (const char *const[]){"b", "a", "B", "ä", "Z"}[i]);
    struct one o = get(f, f->db, TEST_ITEM_LIST, DB_ROW(db_integer(1), db_integer(100)));
    assert_int_equal(o.rows, 5);
    assert_str(o.value[1].text, "ä"); /* bytewise: B Z a b ä */
    assert_str(get(f, f->db, TEST_ITEM_LIST, DB_ROW(db_integer(1), db_integer(1))).value[1].text, "B");
    int seen = 0;
    assert_fails(db_query(f->db, TEST_ITEM_LIST, DB_ROW(db_integer(1), db_integer(9)), stop_at_two, &seen), ERR_LIMIT,
                 "test_enough");
    assert_fails(db_query(f->db, TEST_ITEM_LIST, DB_ROW(db_integer(1), db_integer(9)), read_wrong, NULL), ERR_CORRUPT,
                 "db_column");
    assert_int_equal(count(f, f->db, 1), 5);
    o = get(f, f->db, TEST_ITEM_TAKE, DB_ROW(db_integer(1), db_integer(2)));
    assert_int_equal(o.rows, 2);
    assert_int_equal(count(f, f->db, 1), 3);
    assert_int_equal(get(f, f->db, TEST_ITEM_LIST, DB_ROW(db_integer(7), db_integer(1))).rows, 0);
}

static err note_index(void *ctx, struct db_row *row) {
    int64_t *sum = ctx;
    sum[row->index] += db_row_integer(row, 0);
    return OK;
}

static void test_query_many(void **state) {
    struct fixture *f = both_fixture(state);
    enum { N = 1300 };
    struct db_value *rows = ARENA_ARRAY(f->a, 2 * N, struct db_value), *ids = ARENA_ARRAY(f->a, N, struct db_value);
    int64_t *sum = ARENA_ARRAY(f->a, N, int64_t);
    for (int64_t i = 0; i < N; i++) {
        rows[2 * i] = db_integer(i);
        rows[2 * i + 1] = db_integer(3 * i + 1);
        ids[i] = db_integer(N - i);
    }
    assert_ok(db_exec_many(f->db, TEST_FENCED_ADD, rows, N, NULL));
    assert_ok(db_query_many(f->db, TEST_FENCED_GET, ids, N, note_index, sum));
    assert_int_equal(sum[0], 0); /* there is no row N */
    for (int64_t i = 1; i < N; i++)
        assert_int_equal(sum[i], 3 * (N - i) + 1);
}

/* Answers larger than any buffer, while more is sent than any buffer takes. */
static void test_full_buffers_both_ways(void **state) {
    struct fixture *f = both_fixture(state);
    enum { N = 60, BYTE = 300000 };
    char *body = arena_alloc(f->a, BYTE);
    memset(body, 'x', BYTE);
    struct db_value rows[N][5], ids[N];
    for (int64_t i = 0; i < N; i++) {
        struct db_value row[5] = {db_integer(i), db_null(), db_null(), db_text((str){body, BYTE}),
                                  db_blob((str){body, BYTE})};
        memcpy(rows[i], row, sizeof row);
        ids[i] = db_integer(i);
    }
    assert_ok(db_begin(f->db));
    for (int i = 0; i < N; i++) /* each alone: the pipeline of single statements */
        assert_ok(db_post(f->db, TEST_EVERY_ADD, rows[i], 1, NULL));
    struct one o = {.a = f->a};
    for (int round = 0; round < 3; round++)
        assert_ok(db_query_many(f->db, TEST_EVERY_GET, ids, N, keep, &o));
    assert_ok(db_commit(f->db));
    assert_int_equal(o.rows, 3 * N);
    assert_int_equal(o.value[3].blob.len, BYTE);
}

static void test_time(void **state) {
    struct fixture *f = both_fixture(state);
    int64_t ms = 0, real = clock_system().wall_ms();
    assert_ok(db_now(f->db, &ms));
    struct one o = get(f, f->db, TEST_CLOCK, DB_ROW(db_integer(5)));
    assert_int_equal(o.value[2].integer, 5);
    if (f->kind == DB_SQLITE) {
        assert_true(ms == both_clock_ms());
        assert_true(o.value[0].integer == both_clock_ms() && o.value[1].integer == both_clock_ms());
    } else {
        assert_true(ms >= real - 1 && ms < real + 60000);
        assert_true(o.value[0].integer >= ms);
    }
}

static void test_statements_fit_the_tables(void **state) {
    struct fixture *f = both_fixture(state);
    assert_ok(db_prepare_all(f->db));
}

struct change {
    const struct db_migration *migration;
    size_t n;
    err code;
    const char *slug;
};

static void test_migrations(void **state) {
    struct fixture *f = both_fixture(state);
    struct migrate_report report = {0};
    assert_ok(store_migrate(f->db, &report));
    assert_int_equal(report.before, 2);
    assert_int_equal(report.after, 2);
    assert_int_equal(report.n_applied, 0);
    assert_ok(store_migrate_check(f->db, &report));
    db_close(f->db);
    struct db_migration changed[3], bad[3];
    memcpy(changed, test_catalogue.migration, 2 * sizeof *changed);
    memcpy(bad, changed, sizeof changed);
    changed[1].checksum = "0000";
    bad[2] = (struct db_migration){
        3,
        "bad",
        "3333",
        {"CREATE TABLE more (id INTEGER) STRICT; CREATE TABL", "CREATE TABLE more (id BIGINT); CREATE TABL"}};
    const struct change cases[] = {
        {changed, 2, ERR_CORRUPT, "migration_changed"},
        {test_catalogue.migration, 1, ERR_CONFLICT, "migration_newer"},
        {bad, 3, ERR_CORRUPT, "db_schema"},
    };
    for (size_t i = 0; i < 3; i++) {
        struct db_catalogue c = {test_catalogue.statement, test_catalogue.n_statement, cases[i].migration, cases[i].n};
        struct db_config config = both_config(f);
        config.catalogue = &c;
        struct db *db = NULL;
        assert_ok(db_open(f->a, &config, &db));
        assert_fails(store_migrate(db, &report), cases[i].code, cases[i].slug);
        if (i == 2)
            assert_non_null(strstr(err_text(), "migration 3 \"bad\""));
        if (i == 2)
            assert_fails(store_migrate_check(db, &report), ERR_CONFLICT, "migration_missing");
        db_close(db);
    }
    /* The part of the bad one that worked is undone; a good one goes on from there. */
    bad[2].text[0] = "CREATE TABLE more (id INTEGER) STRICT";
    bad[2].text[1] = "CREATE TABLE more (id BIGINT)";
    struct db_catalogue c = {test_catalogue.statement, test_catalogue.n_statement, bad, 3};
    struct db_config config = both_config(f);
    config.catalogue = &c;
    struct db *db = NULL;
    assert_ok(db_open(f->a, &config, &db));
    assert_ok(store_migrate(db, &report));
    assert_int_equal(report.before, 2);
    assert_int_equal(report.after, 3);
    assert_int_equal(report.n_applied, 1);
}

static void test_urls(void **state) {
    struct arena *a = *state;
    const struct {
        const char *url, *redacted;
    } cases[] = {
        {"postgresql://u:s3cret@h/db", "postgresql://u:***@h/db"},
        {"postgresql://u:a@b:c@h1,h2/db?sslmode=require", "postgresql://u:***@h1,h2/db?sslmode=require"},
        {"postgresql://h/db?user=u&password=s3cret&x=1", "postgresql://h/db?user=u&password=***&x=1"},
        {"postgresql://u@h/db", "postgresql://u@h/db"},
        {"host=h password=s3cret user=u", "host=h password=*** user=u"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_str(db_redact(a, str_from(cases[i].url)), cases[i].redacted);
    enum db_kind kind;
    assert_ok(db_url_kind(STR("sqlite:/x/y.db"), &kind));
    assert_int_equal(kind, DB_SQLITE);
    assert_ok(db_url_kind(STR("/x/y.db"), &kind));
    assert_int_equal(kind, DB_SQLITE);
    assert_str(db_url_path(STR("sqlite:y.db")), "y.db");
    assert_ok(db_url_kind(STR("postgres://h"), &kind));
    assert_int_equal(kind, DB_POSTGRES);
    assert_fails(db_url_kind(STR("mysql://u:secret@h"), &kind), ERR_INPUT, "db_url");
    assert_null(strstr(err_text(), "secret"));
    assert_fails(db_url_kind(STR(""), &kind), ERR_INPUT, "db_url");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(test_every_type_comes_back),
        BOTH(test_zero_has_no_sign),
        BOTH(test_values_are_refused),
        BOTH(test_the_connection_is_good_after_errors),
        BOTH(test_counts_of_many),
        BOTH(test_offers),
        BOTH(test_posted_work_is_one_transaction),
        BOTH(test_rollback_and_isolation),
        BOTH(test_a_failed_transaction_only_rolls_back),
        BOTH(test_rows),
        BOTH(test_query_many),
        BOTH(test_full_buffers_both_ways),
        BOTH(test_time),
        BOTH(test_statements_fit_the_tables),
        BOTH(test_migrations),
        ARENA_TEST(test_urls),
    };
    return cmocka_run_group_tests_name("store/db", tests, both_group_begin, both_group_end);
}
