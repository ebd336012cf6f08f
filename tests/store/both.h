/* both.h — fixture of tests that run on SQLite and on PostgreSQL: an empty database with the tables of tests/store/sql. */
#ifndef GALENA_TESTS_STORE_BOTH_H
#define GALENA_TESTS_STORE_BOTH_H

#include "unit.h"

#include "pg_server.h"
#include "store/db.h"
#include "store/migrate.h"
#include "test_sql.h"

#include <stdlib.h>
#include <unistd.h>

/* One for a program: the server lives as long as it. */
struct both {
    struct arena *arena; /* of the program */
    struct pg_server *server;
    const char *why; /* no server */
};

struct fixture {
    struct both *both;
    enum db_kind kind;
    struct arena *a; /* of the test */
    char directory[64], path[96];
    const char *url;
    struct db *db; /* a writer, migrated */
};

static inline int64_t both_clock_ms(void) { return 1234567890123; }

static inline struct db_config both_config(const struct fixture *f) {
    return (struct db_config){.url = f->url,
                              .catalogue = &test_catalogue,
                              .clock = {both_clock_ms, clock_system().steady_ns},
                              .scratch_byte = (size_t)1 << 30};
}

static inline struct db *both_open(struct fixture *f, enum db_role role) {
    struct db_config c = both_config(f);
    c.role = role;
    struct db *db = NULL;
    assert_ok(db_open(f->a, &c, &db));
    return db;
}

static inline int both_remove(const char *directory) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", directory);
#undef system
    return system(command);
}

static inline int both_begin(void **state, enum db_kind kind) {
    struct fixture *f = *state;
    struct both *both = f->both;
    *f = (struct fixture){.both = both, .kind = kind, .a = arena_new((size_t)1 << 30)};
    snprintf(f->directory, sizeof f->directory, "/tmp/galena-db-XXXXXX");
    if (!mkdtemp(f->directory))
        return -1;
    snprintf(f->path, sizeof f->path, "%s/t.db", f->directory);
    f->url = f->path;
    if (kind == DB_POSTGRES) {
        if (!both->server)
            return 0;
        f->url = pg_server_url(both->server);
        if (!pg_server_sql(both->server, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
            return -1;
    }
    f->db = both_open(f, DB_WRITER);
    struct migrate_report report = {0};
    assert_ok(store_migrate(f->db, &report));
    return 0;
}

static inline int both_sqlite(void **state) { return both_begin(state, DB_SQLITE); }
static inline int both_postgres(void **state) { return both_begin(state, DB_POSTGRES); }

static inline int both_end(void **state) {
    struct fixture *f = *state;
    arena_free(f->a);
    return both_remove(f->directory);
}

/* At the head of a test: the fixture, or skips. */
static inline struct fixture *both_fixture(void **state) {
    struct fixture *f = *state;
    if (f->kind == DB_POSTGRES && !f->both->server) {
        print_message("# skipped: %s\n", f->both->why);
        skip();
    }
    return f;
}

#define BOTH(fn)                                                                                                            \
    {#fn " sqlite", fn, both_sqlite, both_end, &both_state}, { #fn " postgres", fn, both_postgres, both_end, &both_state }
#define ONLY_SQLITE(fn)                                                                                                     \
    { #fn, fn, both_sqlite, both_end, &both_state }
#define ONLY_POSTGRES(fn)                                                                                                   \
    { #fn, fn, both_postgres, both_end, &both_state }

static struct both both_program;
static struct fixture both_state = {.both = &both_program};

static inline int both_group_begin(void **state) {
    (void)state;
    both_program.arena = arena_new(1 << 20);
#ifdef GALENA_POSTGRES
    both_program.server = pg_server_start(both_program.arena, &both_program.why);
#else
    both_program.why = "built without PostgreSQL";
#endif
    return 0;
}

static inline int both_group_end(void **state) {
    (void)state;
    arena_free(both_program.arena);
    return 0;
}

#endif
