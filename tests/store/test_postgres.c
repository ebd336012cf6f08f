/* test_postgres.c — what only PostgreSQL has: connections that break at every moment, time limits, other clients. */
#include "both.h"

#include "pg_proxy.h"

#include <pthread.h>

static err read_count(void *ctx, struct db_row *row) {
    *(int64_t *)ctx = db_row_integer(row, 1);
    return OK;
}

static int64_t rows_of(struct db *db) {
    int64_t n = -1;
    assert_ok(db_query(db, TEST_FENCED_TOTAL, NULL, read_count, &n));
    return n;
}

static err add(struct db *db, int64_t id) {
    return db_exec(db, TEST_FENCED_ADD, DB_ROW(db_integer(id), db_integer(1)), NULL);
}

static void terminate(struct fixture *f, const char *application) {
    assert_true(
        pg_server_sql(f->both->server, str_format(f->a,
                                                  "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE "
                                                  "application_name = '%s'",
                                                  application)
                                           .ptr));
}

static struct db *open_named(struct fixture *f, const char *application) {
    struct db_config c = both_config(f);
    struct db *db = NULL;
    c.application = application;
    c.lock_timeout_ms = 200;
    c.statement_timeout_ms = 500;
    assert_ok(db_open(f->a, &c, &db));
    return db;
}

static void test_cut_in_mid_transaction(void **state) {
    struct fixture *f = both_fixture(state);
    struct db *db = open_named(f, "galena-a");
    assert_ok(add(db, 1));
    assert_ok(db_begin(db));
    assert_ok(add(db, 2));
    terminate(f, "galena-a");
    assert_fails(add(db, 3), ERR_AGAIN, "db_lost");
    assert_fails(add(db, 4), ERR_AGAIN, "db_lost");
    assert_fails(db_commit(db), ERR_AGAIN, "db_lost");
    assert_int_equal(rows_of(db), 1); /* connected and prepared again */
    assert_ok(add(db, 2));
    /* At COMMIT, nothing waiting: the server says that it ended the connection. */
    assert_ok(db_begin(db));
    assert_ok(add(db, 3));
    terminate(f, "galena-a");
    assert_int_equal(db_commit(db), ERR_AGAIN);
    assert_int_equal(rows_of(db), 2);
    /* While idle: nobody notices. */
    terminate(f, "galena-a");
    assert_ok(add(db, 3));
    assert_int_equal(rows_of(db), 3);
}

static void test_cut_around_commit(void **state) {
    struct fixture *f = both_fixture(state);
    struct pg_proxy *p = pg_proxy_start(f->a, f->both->server);
    assert_non_null(p);
    f->url = pg_proxy_url(p);
    struct db *db = open_named(f, "galena-b");
    assert_ok(add(db, 0));
    pg_proxy_cut(p, PG_CUT_BEFORE_COMMIT);
    assert_ok(db_begin(db));
    assert_ok(add(db, 1));
    assert_fails(db_commit(db), ERR_AGAIN, "commit_unknown");
    assert_int_equal(rows_of(db), 1);
    pg_proxy_cut(p, PG_CUT_AFTER_COMMIT);
    assert_ok(db_begin(db));
    assert_ok(add(db, 2));
    assert_fails(db_commit(db), ERR_AGAIN, "commit_unknown");
    /* The server may still be at it. */
    for (int i = 0; i < 1000 && rows_of(db) != 2; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(rows_of(db), 2);
    db_close(db);
}

static void test_time_limits(void **state) {
    struct fixture *f = both_fixture(state);
    struct db *a = open_named(f, "galena-c"), *b = open_named(f, "galena-d");
    assert_fails(db_exec(a, TEST_NAP, DB_ROW(db_real(60)), NULL), ERR_AGAIN, "db_timeout");
    assert_ok(db_exec(a, TEST_NAP, DB_ROW(db_real(0)), NULL));
    assert_ok(add(a, 1));
    assert_ok(db_begin(a));
    assert_ok(db_exec(a, TEST_FENCED_MOVE, DB_ROW(db_integer(1), db_integer(1), db_null()), NULL));
    assert_fails(db_exec(b, TEST_FENCED_MOVE, DB_ROW(db_integer(1), db_integer(1), db_null()), NULL), ERR_AGAIN, "db_busy");
    assert_ok(db_commit(a));
    int64_t changed = 9;
    assert_ok(db_exec(b, TEST_FENCED_MOVE, DB_ROW(db_integer(1), db_integer(1), db_null()), &changed));
    assert_int_equal(changed, 0);
}

static void test_connections_that_cannot_be(void **state) {
    struct fixture *f = both_fixture(state);
    const char *host = f->url;
    const struct {
        const char *url;
        err code;
        const char *slug;
    } cases[] = {
        {"postgresql://u:planted@/x?host=/nowhere&connect_timeout=2", ERR_AGAIN, "db_lost"},
        {str_format(f->a, "%s&dbname=no_such", host).ptr, ERR_ABSENT, "db_missing"},
        {str_format(f->a, "%s&user=no_such&password=planted", host).ptr, ERR_DENIED, "db_denied"},
        {"postgresql://u:planted@h:port:x/%", ERR_INPUT, "db_url"},
        {"postgresql:///x?password=planted&no_such_option=1", ERR_INPUT, "db_url"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        f->url = cases[i].url;
        struct db_config c = both_config(f);
        struct db *db = NULL;
        assert_fails(db_open(f->a, &c, &db), cases[i].code, cases[i].slug);
        assert_null(strstr(err_text(), "planted"));
    }
    assert_true(pg_server_sql(f->both->server, "CREATE DATABASE other ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'"));
    f->url = str_format(f->a, "%s&dbname=other", host).ptr;
    struct db_config c = both_config(f);
    struct db *db = NULL;
    assert_fails(db_open(f->a, &c, &db), ERR_INPUT, "db_unsupported");
    assert_true(pg_server_sql(f->both->server, "DROP DATABASE other"));
}

/* Several hosts: the first that answers and takes changes. */
static void test_other_hosts(void **state) {
    struct fixture *f = both_fixture(state);
    const char *host = strstr(f->url, "host=") + 5, *plain = f->url;
    f->url = str_format(f->a, "postgresql:///postgres?host=/nowhere,%s", host).ptr;
    struct db *db = open_named(f, "galena-e");
    assert_ok(add(db, 1));
    /* The server becomes a standby: transactions that change something are refused, and it is not connected to again. */
    assert_true(pg_server_sql(f->both->server, "ALTER DATABASE postgres SET default_transaction_read_only = on"));
    terminate(f, "galena-e");
    assert_fails(add(db, 2), ERR_AGAIN, "db_lost");
    f->url = plain;
    assert_int_equal(rows_of(both_open(f, DB_READER)), 1);
    assert_true(pg_server_sql(f->both->server,
                              "BEGIN READ WRITE; ALTER DATABASE postgres RESET default_transaction_read_only; COMMIT"));
    assert_ok(add(db, 2));
    assert_int_equal(rows_of(db), 2);
}

struct starter {
    struct db *db;
    struct migrate_report report;
    err rc;
};

static void *migrate(void *ctx) {
    struct starter *s = ctx;
    s->rc = store_migrate(s->db, &s->report);
    return NULL;
}

static void test_starters_do_not_collide(void **state) {
    struct fixture *f = both_fixture(state);
    enum { N = 4 };
    struct starter s[N];
    pthread_t id[N];
    assert_true(pg_server_sql(f->both->server, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"));
    for (int i = 0; i < N; i++)
        s[i] = (struct starter){.db = both_open(f, DB_WRITER)};
    for (int i = 0; i < N; i++)
        assert_int_equal(pthread_create(&id[i], NULL, migrate, &s[i]), 0);
    size_t applied = 0;
    for (int i = 0; i < N; i++) {
        pthread_join(id[i], NULL);
        assert_int_equal(s[i].rc, OK);
        assert_int_equal(s[i].report.after, 2);
        applied += s[i].report.n_applied;
    }
    assert_int_equal(applied, 2);
}

/* A connection dropped in the middle of a row's call-back by a jump is used again without harm. */
static err jump(void *ctx, struct db_row *row) {
    (void)row;
    (void)arena_alloc(ctx, (size_t)1 << 50);
    return OK;
}

struct guarded {
    struct db *db;
    struct arena *a;
};

static err query_and_jump(void *ctx) {
    struct guarded *g = ctx;
    TRY(db_begin(g->db));
    struct db_value ids[20];
    for (int i = 0; i < 20; i++)
        ids[i] = db_integer(i);
    return db_query_many(g->db, TEST_FENCED_GET, ids, 20, jump, g->a);
}

static void test_a_jump_out_of_a_row(void **state) {
    struct fixture *f = both_fixture(state);
    for (int64_t i = 0; i < 20; i++)
        assert_ok(add(f->db, i));
    struct guarded g = {f->db, arena_new(1 << 20)};
    for (int i = 0; i < 3; i++) {
        assert_fails(arena_run(g.a, query_and_jump, &g), ERR_LIMIT, "memory_limit");
        db_rollback(f->db);
        assert_int_equal(rows_of(f->db), 20);
    }
    arena_free(g.a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ONLY_POSTGRES(test_cut_in_mid_transaction),
        ONLY_POSTGRES(test_cut_around_commit),
        ONLY_POSTGRES(test_time_limits),
        ONLY_POSTGRES(test_connections_that_cannot_be),
        ONLY_POSTGRES(test_other_hosts),
        ONLY_POSTGRES(test_starters_do_not_collide),
        ONLY_POSTGRES(test_a_jump_out_of_a_row),
    };
    return cmocka_run_group_tests_name("store/postgres", tests, both_group_begin, both_group_end);
}
