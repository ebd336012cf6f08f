/* test_ready.c — turns between tenants, order within one, suspects, bounds. */
#include "flow/ready.h"
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>

static struct job *job(const char *tenant, int64_t due, enum run_priority priority) {
    struct job *j = calloc(1, sizeof *j);
    j->tenant = str_from(tenant);
    j->due = due;
    j->priority = priority;
    j->byte = 100;
    return j;
}

static struct ready *make(size_t max_running) {
    return ready_new(&(struct ready_limits){.max_job = 100000, .max_byte = 100000000, .max_running = max_running});
}

static const struct job *next(struct ready *r) { return ready_take(r, 1); }

static void end(struct ready *r, const struct job *j) {
    ready_done(r, j);
    job_free((struct job *)(uintptr_t)j);
}

/* One tenant floods; of the first 200 jobs taken each of 100 tenants gets two. */
static void test_flood_harms_nobody(void **state) {
    (void)state;
    struct ready *r = make(0);
    static char name[100][8];
    for (int i = 0; i < 5000; i++)
        ready_put(r, job("flood", i, RUN_NORMAL));
    for (int t = 0; t < 99; t++) {
        snprintf(name[t], sizeof name[t], "t%d", t);
        for (int i = 0; i < 10; i++)
            ready_put(r, job(name[t], 10000 + i, RUN_NORMAL));
    }
    int flood = 0;
    for (int i = 0; i < 200; i++) {
        const struct job *j = next(r);
        flood += str_equal(j->tenant, STR("flood"));
        end(r, j);
    }
    assert_int_equal(flood, 2);
    ready_free(r);
}

static void test_weights(void **state) {
    (void)state;
    struct ready *r = make(0);
    ready_set_tenant(r, STR("heavy"), 3, 0);
    for (int i = 0; i < 100; i++) {
        ready_put(r, job("heavy", i, RUN_NORMAL));
        ready_put(r, job("light", i, RUN_NORMAL));
    }
    int heavy = 0;
    for (int i = 0; i < 80; i++) {
        const struct job *j = next(r);
        heavy += str_equal(j->tenant, STR("heavy"));
        end(r, j);
    }
    assert_int_equal(heavy, 60);
    ready_free(r);
}

/* The class that is due first wins, so that bulk that has waited long enough overtakes. */
static void test_classes_age(void **state) {
    (void)state;
    struct ready *r = make(0);
    ready_put(r, job("t", 1000 + run_priority_delay_ms(RUN_BULK), RUN_BULK));
    ready_put(r, job("t", 1000 + run_priority_delay_ms(RUN_NORMAL), RUN_NORMAL));
    ready_put(r, job("t", 2000, RUN_INTERACTIVE));
    ready_put(r, job("t", 1000 + run_priority_delay_ms(RUN_BULK) + 1, RUN_INTERACTIVE));
    static const enum run_priority wanted[] = {RUN_INTERACTIVE, RUN_NORMAL, RUN_BULK, RUN_INTERACTIVE};
    for (int i = 0; i < 4; i++) {
        const struct job *j = next(r);
        assert_int_equal(j->priority, wanted[i]);
        end(r, j);
    }
    ready_free(r);
}

static void test_running_cap(void **state) {
    (void)state;
    struct ready *r = make(2);
    ready_set_tenant(r, STR("one"), 1, 1);
    for (int i = 0; i < 5; i++) {
        ready_put(r, job("one", i, RUN_NORMAL));
        ready_put(r, job("two", i, RUN_NORMAL));
    }
    struct job *taken = ready_take(r, 10);
    int one = 0, two = 0;
    for (struct job *j = taken; j; j = j->next)
        str_equal(j->tenant, STR("one")) ? one++ : two++;
    assert_int_equal(one, 1);
    assert_int_equal(two, 2);
    while (taken) {
        struct job *j = taken;
        taken = j->next;
        end(r, j);
    }
    assert_int_equal(ready_look(r).waiting, 7);
    ready_free(r);
}

/* Suspects come without others, and more of them only when all of those have ended. */
static void test_suspects_come_by_themselves(void **state) {
    (void)state;
    struct ready *r = make(0);
    for (int i = 0; i < 3; i++) {
        struct job *j = job("t", i, RUN_NORMAL);
        j->suspect = true;
        ready_put(r, j);
    }
    ready_put(r, job("t", 9, RUN_NORMAL));
    struct job *first = ready_take(r, 2), *second = first->next;
    assert_true(first->suspect && second->suspect);
    assert_null(second->next);
    assert_int_equal(ready_look(r).suspects, 3);
    const struct job *other = ready_take(r, 10);
    assert_false(other->suspect);
    assert_null(other->next);
    end(r, other);
    end(r, first);
    ready_put(r, job("t", 10, RUN_NORMAL));
    other = ready_take(r, 10);
    assert_false(other->suspect);
    end(r, other);
    end(r, second);
    const struct job *third = ready_take(r, 10);
    assert_true(third->suspect);
    assert_null(third->next);
    end(r, third);
    assert_int_equal(ready_look(r).suspects, 0);
    ready_free(r);
}

static void test_reservation(void **state) {
    (void)state;
    struct ready *r = ready_new(&(struct ready_limits){.max_job = 10, .max_byte = 1000});
    assert_true(ready_reserve(r, 6, 600));
    assert_false(ready_reserve(r, 5, 100));
    assert_false(ready_reserve(r, 1, 500));
    assert_int_equal(ready_room(r), 4);
    ready_release(r, 6, 600);
    ready_put(r, job("t", 1, RUN_NORMAL));
    assert_int_equal(ready_room(r), 9);
    const struct job *j = next(r);
    assert_int_equal(ready_room(r), 9); /* its memory is still there */
    end(r, j);
    assert_int_equal(ready_room(r), 10);
    ready_free(r);
}

/* ---- threads ---- */

enum { THREADS = 4, JOBS = 20000 };

static void *take_all(void *ctx) {
    struct ready *r = ctx;
    size_t n = 0;
    for (struct job *list; (list = ready_take(r, 16));)
        while (list) {
            struct job *j = list;
            list = j->next;
            end(r, j);
            n++;
        }
    return (void *)n;
}

static void test_threads_take_each_once(void **state) {
    (void)state;
    struct ready *r = make(0);
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, take_all, r), 0);
    static const char *const tenant[] = {"a", "b", "c"};
    for (int i = 0; i < JOBS; i++) {
        struct job *j = job(tenant[i % 3], i, (enum run_priority)(i % RUN_PRIORITY_COUNT));
        j->suspect = i % 100 == 0;
        ready_put(r, j);
    }
    for (struct ready_view v = ready_look(r); v.waiting + v.running > 0; v = ready_look(r))
        sched_yield();
    ready_stop(r);
    size_t n = 0;
    for (int i = 0; i < THREADS; i++) {
        void *taken;
        pthread_join(thread[i], &taken);
        n += (size_t)taken;
    }
    assert_int_equal(n, JOBS);
    assert_null(ready_take(r, 1));
    ready_free(r);
}

static void test_drain(void **state) {
    (void)state;
    struct ready *r = make(0);
    for (int i = 0; i < 10; i++) {
        struct job *j = job(i % 2 ? "a" : "b", i, (enum run_priority)(i % RUN_PRIORITY_COUNT));
        j->suspect = i == 7;
        ready_put(r, j);
    }
    size_t n = 0;
    for (struct job *list = ready_drain(r); list; n++) {
        struct job *j = list;
        list = j->next;
        job_free(j);
    }
    assert_int_equal(n, 10);
    assert_int_equal(ready_look(r).waiting, 0);
    ready_put(r, job("a", 1, RUN_NORMAL));
    assert_int_equal(ready_look(r).oldest_due, 1);
    ready_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flood_harms_nobody),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_classes_age),
        cmocka_unit_test(test_running_cap),
        cmocka_unit_test(test_suspects_come_by_themselves),
        cmocka_unit_test(test_reservation),
        cmocka_unit_test(test_threads_take_each_once),
        cmocka_unit_test(test_drain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
