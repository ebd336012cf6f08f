/* test_writer.c — group commit on both drivers: every command gets its own result, whatever happens to its neighbours. */
#include "both.h"

#include "store/writer.h"

#include <pthread.h>
#include <stdatomic.h>

struct command {
    struct write write; /* first */
    int64_t id, fence;
    int64_t changed;
    err rc;
    const char *slug;
    atomic_int done;
    int order; /* in which it was applied */
};

/* Holds the writer thread inside a transaction until the test lets it go. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool closed, reached;
};
static struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false};
static atomic_int applied, largest;

static void gate_close(void) {
    pthread_mutex_lock(&gate.lock);
    gate.closed = true;
    gate.reached = false;
    pthread_mutex_unlock(&gate.lock);
}

static void gate_open(void) {
    pthread_mutex_lock(&gate.lock);
    gate.closed = false;
    pthread_cond_broadcast(&gate.moved);
    pthread_mutex_unlock(&gate.lock);
}

static void gate_wait_reached(void) {
    pthread_mutex_lock(&gate.lock);
    while (!gate.reached)
        pthread_cond_wait(&gate.moved, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
}

static void gate_pass(void) {
    pthread_mutex_lock(&gate.lock);
    gate.reached = true;
    pthread_cond_broadcast(&gate.moved);
    while (gate.closed)
        pthread_cond_wait(&gate.moved, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
}

static struct command *of(struct write *w) { return (struct command *)(void *)w; }

static err apply_add(struct db *db, struct write *const *batch, size_t n, void *ctx) {
    (void)ctx;
    gate_pass();
    if ((int)n > atomic_load(&largest))
        atomic_store(&largest, (int)n);
    struct db_value *row = ARENA_ARRAY(db_scratch(db), 2 * n, struct db_value);
    int64_t *changed = ARENA_ARRAY(db_scratch(db), n, int64_t);
    for (size_t i = 0; i < n; i++) {
        row[2 * i] = db_integer(of(batch[i])->id);
        row[2 * i + 1] = db_integer(of(batch[i])->fence);
        of(batch[i])->order = atomic_fetch_add(&applied, 1);
        batch[i]->changed = &changed[i];
    }
    return db_post(db, TEST_FENCED_ADD, row, n, changed);
}

static err apply_move(struct db *db, struct write *const *batch, size_t n, void *ctx) {
    (void)ctx;
    struct db_value *row = ARENA_ARRAY(db_scratch(db), 3 * n, struct db_value);
    int64_t *changed = ARENA_ARRAY(db_scratch(db), n, int64_t);
    for (size_t i = 0; i < n; i++) {
        row[3 * i] = db_integer(of(batch[i])->id);
        row[3 * i + 1] = db_integer(of(batch[i])->fence);
        row[3 * i + 2] = db_null();
        of(batch[i])->order = atomic_fetch_add(&applied, 1);
        batch[i]->changed = &changed[i];
    }
    return db_post(db, TEST_FENCED_MOVE, row, n, changed);
}

/* Asks for more memory than there is. */
static err apply_greedy(struct db *db, struct write *const *batch, size_t n, void *ctx) {
    (void)batch;
    (void)n;
    (void)ctx;
    (void)arena_alloc(db_scratch(db), (size_t)1 << 40);
    return OK;
}

static const struct write_kind kind_add = {"add", apply_add, NULL};
static const struct write_kind kind_move = {"move", apply_move, NULL};
static const struct write_kind kind_greedy = {"greedy", apply_greedy, NULL};
static const struct write_kind *const kinds[] = {&kind_add, &kind_move};

static void on_done(struct write *w, err rc) {
    struct command *c = of(w);
    c->rc = rc;
    c->slug = rc == OK ? "" : err_slug();
    c->changed = rc == OK && w->changed ? *w->changed : -1;
    atomic_fetch_add(&c->done, 1);
}

static struct command *commands(struct fixture *f, size_t n, const struct write_kind *kind, int64_t fence) {
    struct command *c = ARENA_ARRAY(f->a, n, struct command);
    for (size_t i = 0; i < n; i++) {
        c[i].write = (struct write){.kind = kind, .done = on_done, .byte = 100};
        c[i].id = (int64_t)i;
        c[i].fence = fence;
    }
    return c;
}

static struct writer *open_writer(struct fixture *f, unsigned threads, size_t max_queue) {
    db_close(f->db);
    gate_open();
    atomic_store(&applied, 0);
    atomic_store(&largest, 0);
    struct writer_config c = {.db = both_config(f), .kind = kinds, .n_kind = 2, .threads = threads, .max_queue = max_queue};
    c.db.scratch_byte = (size_t)16 << 20;
    struct writer *w = NULL;
    assert_ok(writer_new(f->a, &c, &w));
    return w;
}

static err read_total(void *ctx, struct db_row *row) {
    int64_t *total = ctx;
    total[0] = db_row_integer(row, 0);
    total[1] = db_row_integer(row, 1);
    return OK;
}

/* Sum of fences and number of rows, by a new connection. */
static void assert_table(struct fixture *f, int64_t sum, int64_t n) {
    struct db *db = both_open(f, DB_READER);
    int64_t total[2] = {-1, -1};
    assert_ok(db_query(db, TEST_FENCED_TOTAL, NULL, read_total, total));
    assert_int_equal(total[0], sum);
    assert_int_equal(total[1], n);
    db_close(db);
}

static void assert_each(const struct command *c, size_t n, int64_t changed) {
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(atomic_load(&c[i].done), 1);
        assert_int_equal(c[i].rc, OK);
        assert_int_equal(c[i].changed, changed);
    }
}

static void test_commands_are_grouped(void **state) {
    struct fixture *f = both_fixture(state);
    struct writer *w = open_writer(f, 1, 0);
    enum { N = 2500 };
    struct command *add = commands(f, N, &kind_add, 0), *move = commands(f, N, &kind_move, 0),
                   *first = commands(f, 1, &kind_add, 0);
    first->id = N;
    gate_close();
    assert_ok(writer_submit(w, &first->write));
    gate_wait_reached();
    for (size_t from = 0; from < N; from += 500) { /* moves before their rows: kinds are applied in their order */
        for (size_t i = from; i < from + 500; i++)
            assert_ok(writer_submit(w, &move[i].write));
        for (size_t i = from; i < from + 500; i++)
            assert_ok(writer_submit(w, &add[i].write));
    }
    struct writer_stats s;
    writer_stats(w, &s);
    assert_int_equal(s.queue, 2 * N + 1);
    assert_int_equal(s.queue_byte, 100 * (2 * N + 1));
    gate_open();
    writer_stop(w);
    assert_each(add, N, 1);
    assert_each(move, N, 1);
    assert_table(f, N, N + 1);
    writer_stats(w, &s);
    assert_int_equal(s.commands, 2 * N + 1);
    assert_int_equal(s.commits, 6); /* the first alone, then 5,000 by the thousand */
    assert_int_equal(s.queue, 0);
    assert_int_equal(s.queue_byte, 0);
    assert_int_equal(s.wal_byte, 0);
    for (size_t i = 1; i < N; i++)
        assert_true(add[i].order > add[i - 1].order);
}

static void test_each_has_its_own_verdict(void **state) {
    struct fixture *f = both_fixture(state);
    struct writer *w = open_writer(f, 1, 0);
    struct command *add = commands(f, 10, &kind_add, 0), *move = commands(f, 10, &kind_move, 0);
    for (size_t i = 0; i < 10; i++)
        move[i].fence = i % 2;
    for (size_t i = 0; i < 10; i++)
        assert_ok(writer_submit(w, &add[i].write));
    for (size_t i = 0; i < 10; i++)
        assert_ok(writer_submit(w, &move[i].write));
    writer_stop(w);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(move[i].changed, i % 2 == 0);
}

static void test_one_bad_command_harms_nobody(void **state) {
    struct fixture *f = both_fixture(state);
    struct writer *w = open_writer(f, 1, 0);
    enum { N = 600 };
    struct command *add = commands(f, N, &kind_add, 0), *greedy = commands(f, 1, &kind_greedy, 0);
    add[77].id = 5;      /* taken */
    add[300].fence = -1; /* refused by the table */
    gate_close();
    assert_ok(writer_submit(w, &add[0].write));
    gate_wait_reached();
    for (size_t i = 1; i < N; i++)
        assert_ok(writer_submit(w, &add[i].write));
    assert_ok(writer_submit(w, &greedy->write));
    gate_open();
    writer_stop(w);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(atomic_load(&add[i].done), 1);
        assert_int_equal(add[i].rc, i == 77 ? ERR_CONFLICT : i == 300 ? ERR_INPUT : OK);
    }
    assert_string_equal(add[77].slug, "db_unique");
    assert_string_equal(add[300].slug, "db_constraint");
    assert_int_equal(greedy->rc, ERR_LIMIT);
    assert_string_equal(greedy->slug, "memory_limit");
    assert_table(f, 0, N - 2);
    struct writer_stats s;
    writer_stats(w, &s);
    assert_int_equal(s.failed, 3);
    assert_true(s.commits < 60);
}

static void test_a_full_queue_refuses(void **state) {
    struct fixture *f = both_fixture(state);
    struct writer *w = open_writer(f, 1, 10);
    struct command *add = commands(f, 20, &kind_add, 0);
    gate_close();
    for (size_t i = 0; i < 10; i++)
        assert_ok(writer_submit(w, &add[i].write));
    for (size_t i = 10; i < 20; i++)
        assert_fails(writer_submit(w, &add[i].write), ERR_LIMIT, "store_full");
    gate_open();
    writer_stop(w);
    assert_fails(writer_submit(w, &add[10].write), ERR_AGAIN, "store_stopping");
    assert_each(add, 10, 1);
    for (size_t i = 10; i < 20; i++)
        assert_int_equal(atomic_load(&add[i].done), 0);
    assert_table(f, 0, 10);
    struct writer_stats s;
    writer_stats(w, &s);
    assert_int_equal(s.refused, 10);
}

/* Whoever comes last waits for one turn of each of the others, not for all that they have. */
static void test_tenants_take_turns(void **state) {
    struct fixture *f = both_fixture(state);
    struct writer *w = open_writer(f, 1, 0);
    enum { N = 300, TURN = 3 };
    struct command *flood = commands(f, N, &kind_add, 0), *quiet = commands(f, 1, &kind_add, 0),
                   *large = commands(f, 1, &kind_add, 0);
    quiet->id = N;
    large->id = N + 1;
    for (size_t i = 0; i < N; i++) {
        flood[i].write.tenant = STR("flood");
        flood[i].write.byte = 10000;
    }
    quiet->write.tenant = STR("quiet");
    large->write.tenant = STR("large");
    large->write.byte = 10 << 20;
    gate_close();
    assert_ok(writer_submit(w, &flood[0].write));
    gate_wait_reached();
    assert_ok(writer_submit(w, &large->write));
    for (size_t i = 1; i < N; i++)
        assert_ok(writer_submit(w, &flood[i].write));
    assert_ok(writer_submit(w, &quiet->write));
    gate_open();
    writer_stop(w);
    assert_each(flood, N, 1);
    assert_each(quiet, 1, 1);
    assert_each(large, 1, 1);
    assert_in_range(quiet->order - flood[0].order, 1, TURN + 1);
    assert_true(large->order > quiet->order);
    for (size_t i = 1; i < N; i++)
        assert_true(flood[i].order > flood[i - 1].order);
    assert_table(f, 0, N + 2);
}

struct crowd {
    struct writer *writer;
    struct command *command;
    size_t n;
    int failed;
};

static void *submit_all(void *ctx) {
    struct crowd *c = ctx;
    for (size_t i = 0; i < c->n; i++)
        if (i % 50 == 0)
            c->failed += writer_run(c->writer, &c->command[i].write) != OK;
        else
            while (writer_submit(c->writer, &c->command[i].write) != OK)
                sched_yield();
    return NULL;
}

static void test_many_threads(void **state) {
    struct fixture *f = both_fixture(state);
    struct writer *w = open_writer(f, 3, 500);
    enum { THREADS = 4, N = 1500 };
    struct crowd crowd[THREADS];
    pthread_t id[THREADS];
    for (size_t t = 0; t < THREADS; t++) {
        crowd[t] = (struct crowd){w, commands(f, N, &kind_add, 1), N, 0};
        for (size_t i = 0; i < N; i++)
            crowd[t].command[i].id += (int64_t)(t * N);
        assert_int_equal(pthread_create(&id[t], NULL, submit_all, &crowd[t]), 0);
    }
    for (size_t t = 0; t < THREADS; t++)
        pthread_join(id[t], NULL);
    writer_stop(w);
    for (size_t t = 0; t < THREADS; t++) {
        assert_int_equal(crowd[t].failed, 0);
        for (size_t i = 0; i < N; i++)
            if (i % 50)
                assert_each(&crowd[t].command[i], 1, 1);
    }
    assert_table(f, THREADS * N, THREADS * N);
}

static void test_run_waits_and_tells(void **state) {
    struct fixture *f = both_fixture(state);
    struct writer *w = open_writer(f, 1, 0);
    struct command *add = commands(f, 2, &kind_add, 0);
    assert_ok(writer_run(w, &add[0].write));
    assert_table(f, 0, 1);
    add[1].id = 0;
    assert_fails(writer_run(w, &add[1].write), ERR_CONFLICT, "db_unique");
    assert_non_null(strstr(err_text(), "fenced_add"));
}

/* Every command survives a server that is restarted, or is told that it did not. */
static void test_server_restart(void **state) {
    struct fixture *f = both_fixture(state);
    struct writer *w = open_writer(f, 2, 0);
    struct command *add = commands(f, 30, &kind_add, 1);
    for (size_t i = 0; i < 10; i++)
        assert_ok(writer_run(w, &add[i].write));
    pg_server_kill(f->both->server);
    for (size_t i = 10; i < 20; i++)
        assert_fails(writer_run(w, &add[i].write), ERR_AGAIN, "db_lost");
    assert_true(pg_server_resume(f->both->server));
    for (size_t i = 20; i < 30; i++)
        assert_ok(writer_run(w, &add[i].write));
    /* Connections that were idle while the server went away and came back cost nobody an error. */
    pg_server_kill(f->both->server);
    assert_true(pg_server_resume(f->both->server));
    for (size_t i = 10; i < 20; i++)
        assert_ok(writer_run(w, &add[i].write));
    writer_stop(w);
    assert_table(f, 30, 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(test_commands_are_grouped), BOTH(test_each_has_its_own_verdict), BOTH(test_one_bad_command_harms_nobody),
        BOTH(test_a_full_queue_refuses), BOTH(test_tenants_take_turns),       BOTH(test_many_threads),
        BOTH(test_run_waits_and_tells),  ONLY_POSTGRES(test_server_restart),
    };
    return cmocka_run_group_tests_name("store/writer", tests, both_group_begin, both_group_end);
}
