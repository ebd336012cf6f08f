/* test_catalogue.c — the program's own tables and statements, as both databases see them. */
#include "both.h"

#include "store/query.h"

static void test_every_statement_is_understood(void **state) {
    struct fixture *f = both_fixture(state);
    db_close(f->db);
    if (f->kind == DB_POSTGRES)
        assert_true(pg_server_sql(f->both->server, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"));
    else
        f->url = str_format(f->a, "%s/own.db", f->directory).ptr;
    struct db_config c = both_config(f);
    c.catalogue = &store_catalogue;
    struct db *db = NULL;
    struct migrate_report report = {0};
    assert_ok(db_open(f->a, &c, &db));
    assert_ok(store_migrate(db, &report));
    assert_int_equal(report.after, store_catalogue.n_migration);
    assert_ok(db_prepare_all(db));
    assert_ok(store_migrate(db, &report));
    assert_int_equal(report.n_applied, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {BOTH(test_every_statement_is_understood)};
    return cmocka_run_group_tests_name("store/catalogue", tests, both_group_begin, both_group_end);
}
