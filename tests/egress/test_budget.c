/* test_budget.c — reservations that hold in all accounts or in none, under threads, days and shared limits. */
#include "egress/budget.h"
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>

static struct budget *new_budget(struct budget_settings s) {
    struct budget *b = NULL;
    assert_ok(budget_new(&s, &b));
    return b;
}

static struct budget_amount money(int64_t micro) { return (struct budget_amount){micro, 0}; }

static struct budget_line line_of(enum budget_kind kind, const char *account, int64_t limit) {
    return (struct budget_line){kind, str_from(account), {limit, BUDGET_NO_LIMIT}, {0, 0}};
}

static void limits_are_met_exactly(void **state) {
    (void)state;
    struct budget *b = new_budget((struct budget_settings){0});
    struct budget_line line[2] = {line_of(BUDGET_TENANT, "t", 100), line_of(BUDGET_SOURCE, "s", 1000)};
    assert_ok(budget_reserve(b, line, 2, 1, money(60)));
    assert_fails(budget_reserve(b, line, 2, 1, money(41)), ERR_LIMIT, "egress_budget_tenant");
    assert_ok(budget_reserve(b, line, 2, 1, money(40)));
    assert_int_equal(budget_look(b, BUDGET_SOURCE, STR("s"), 1).reserved.micro, 100);
    budget_settle(b, line, 2, 1, money(60), money(10));
    budget_settle(b, line, 2, 1, money(40), money(40));
    assert_int_equal(budget_look(b, BUDGET_TENANT, STR("t"), 1).spent.micro, 50);
    assert_int_equal(budget_look(b, BUDGET_TENANT, STR("t"), 1).reserved.micro, 0);
    /* A refusal by the second account takes nothing from the first. */
    line[1].limit.micro = 50;
    assert_fails(budget_reserve(b, line, 2, 1, money(1)), ERR_LIMIT, "egress_budget_source");
    assert_int_equal(budget_look(b, BUDGET_TENANT, STR("t"), 1).reserved.micro, 0);
    /* What is free passes; another day is another account. */
    assert_ok(budget_reserve(b, line, 2, 1, money(0)));
    assert_ok(budget_reserve(b, line, 2, 2, money(50)));
    assert_int_equal(budget_look(b, BUDGET_TENANT, STR("t"), 2).reserved.micro, 50);
    budget_free(b);
}

static void tokens_count_apart(void **state) {
    (void)state;
    struct budget *b = new_budget((struct budget_settings){0});
    struct budget_line line = {BUDGET_TENANT, STR("t"), {BUDGET_NO_LIMIT, 10}, {0, 0}};
    assert_ok(budget_reserve(b, &line, 1, 1, (struct budget_amount){INT64_MAX / 2, 10}));
    assert_ok(budget_reserve(b, &line, 1, 1, (struct budget_amount){INT64_MAX / 2, 0}));
    assert_fails(budget_reserve(b, &line, 1, 1, (struct budget_amount){0, 1}), ERR_LIMIT, "egress_budget_tenant");
    budget_free(b);
}

static void leads_have_no_day_and_a_past(void **state) {
    (void)state;
    struct budget *b = new_budget((struct budget_settings){0});
    struct budget_line line = line_of(BUDGET_LEAD, "l", 100);
    line.before.micro = 80;
    assert_fails(budget_reserve(b, &line, 1, 1, money(21)), ERR_LIMIT, "egress_budget_lead");
    assert_ok(budget_reserve(b, &line, 1, 1, money(20)));
    budget_settle(b, &line, 1, 1, money(20), money(20));
    assert_fails(budget_reserve(b, &line, 1, 2, money(1)), ERR_LIMIT, "egress_budget_lead");
    budget_free(b);
}

static void memory_is_bounded(void **state) {
    struct budget *b = new_budget((struct budget_settings){.max_account = 100});
    struct budget_line held = line_of(BUDGET_LEAD, "held", 10), today = line_of(BUDGET_TENANT, "t", 10);
    assert_ok(budget_reserve(b, &held, 1, 5, money(1)));
    assert_ok(budget_reserve(b, &today, 1, 5, money(10)));
    for (int i = 0; i < 10000; i++) {
        struct budget_line line = line_of(BUDGET_LEAD, str_format(*state, "%d", i).ptr, 10);
        assert_ok(budget_reserve(b, &line, 1, 5, money(1)));
        budget_settle(b, &line, 1, 5, money(1), money(1));
    }
    /* What is reserved, and what is today's, stays. */
    assert_int_equal(budget_look(b, BUDGET_LEAD, STR("held"), 5).reserved.micro, 1);
    assert_fails(budget_reserve(b, &today, 1, 5, money(1)), ERR_LIMIT, "egress_budget_tenant");
    assert_ok(budget_reserve(b, &today, 1, 6, money(1)));
    budget_free(b);
}

/* ---- threads ---- */

enum { THREADS = 8, TIMES = 20000 };

struct racing {
    struct budget *b;
    atomic_int_least64_t spent, over;
    atomic_int next;
};

static void *race(void *ctx) {
    struct racing *r = ctx;
    unsigned seed = (unsigned)atomic_fetch_add(&r->next, 1) * 7919u + 1;
    for (int i = 0; i < TIMES; i++) {
        seed = seed * 1664525u + 1013904223u;
        int64_t want = 1 + seed % 97, used = seed >> 16 & 1 ? want : want / 3;
        struct budget_line line[2] = {line_of(BUDGET_TENANT, "t", 100000),
                                      line_of(BUDGET_SOURCE, seed & 1 ? "a" : "b", 60000)};
        if (budget_reserve(r->b, line, 2, 1, money(want)) != OK)
            continue;
        struct budget_state s = budget_look(r->b, BUDGET_TENANT, STR("t"), 1);
        if (s.spent.micro + s.reserved.micro > 100000)
            atomic_fetch_add(&r->over, 1);
        budget_settle(r->b, line, 2, 1, money(want), money(used));
        atomic_fetch_add(&r->spent, used);
    }
    return NULL;
}

static void threads_never_exceed_it(void **state) {
    (void)state;
    struct racing r = {.b = new_budget((struct budget_settings){0})};
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, race, &r), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    struct budget_state t = budget_look(r.b, BUDGET_TENANT, STR("t"), 1), a = budget_look(r.b, BUDGET_SOURCE, STR("a"), 1),
                        b = budget_look(r.b, BUDGET_SOURCE, STR("b"), 1);
    assert_int_equal(r.over, 0);
    assert_int_equal(t.spent.micro, r.spent);
    assert_int_equal(a.spent.micro + b.spent.micro, r.spent);
    assert_int_equal(t.reserved.micro, 0);
    assert_true(t.spent.micro <= 100000 && t.spent.micro > 99900);
    assert_true(a.spent.micro <= 60000 && b.spent.micro <= 60000);
    budget_free(r.b);
}

/* ---- a limit that processes share ---- */

struct book {
    int64_t left;
    int calls;
};

static void draw(void *ctx, enum budget_kind kind, str account, int64_t day, struct budget_amount limit,
                 struct budget_amount need, struct budget_amount wish, struct budget_amount *got) {
    struct book *book = ctx;
    (void)kind, (void)account, (void)day, (void)limit;
    assert_true(need.micro > 0 && wish.micro >= need.micro && need.token == 0);
    int64_t give = wish.micro <= book->left ? wish.micro : need.micro <= book->left ? need.micro : 0;
    book->left -= give;
    book->calls++;
    got->micro = give;
}

static void processes_share_a_limit(void **state) {
    (void)state;
    struct book book = {.left = 1600};
    struct budget *b[2];
    for (int i = 0; i < 2; i++)
        b[i] = new_budget((struct budget_settings){.draw = draw, .draw_ctx = &book});
    struct budget_line line = line_of(BUDGET_SOURCE, "s", 1600);
    int64_t spent = 0;
    for (int i = 0; i < 1000; i++)
        if (budget_reserve(b[i % 2], &line, 1, 1, money(7)) == OK) {
            budget_settle(b[i % 2], &line, 1, 1, money(7), money(7));
            spent += 7;
        }
    assert_true(spent <= 1600 && spent > 1400);
    assert_true(book.left >= 0);
    budget_free(b[0]);
    budget_free(b[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_are_met_exactly),       cmocka_unit_test(tokens_count_apart),
        cmocka_unit_test(leads_have_no_day_and_a_past), ARENA_TEST(memory_is_bounded),
        cmocka_unit_test(threads_never_exceed_it),      cmocka_unit_test(processes_share_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
