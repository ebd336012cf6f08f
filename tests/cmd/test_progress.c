/* test_progress.c — a progress line on terminals, silence elsewhere. */
#include "unit.h"

#include "cmd/progress.h"

#include <stdlib.h>

static int64_t now_ns; /* the clock of these tests */
static int64_t steady(void) { return now_ns; }

struct screen {
    char *text;
    size_t size;
    struct session session;
};

static void open_screen(struct screen *x, bool tty, bool quiet, unsigned width) {
    now_ns = 1000000000;
    x->session = (struct session){.quiet = quiet, .clock = {steady, steady}};
    x->session.err = (struct terminal){.file = open_memstream(&x->text, &x->size), .tty = tty, .width = width};
    assert_non_null(x->session.err.file);
}

static str close_screen(struct arena *a, struct screen *x) {
    fclose(x->session.err.file);
    str s = str_copy(a, (str){x->text, x->size});
    free(x->text);
    return s;
}

/* Ten seconds of work in a thousand steps. */
static str work(struct arena *a, struct screen *x, double total) {
    struct progress p;
    progress_begin(&p, &x->session, "reading leads.csv", "rows", total);
    for (int i = 1; i <= 1000; i++) {
        now_ns += 10000000;
        progress_at(&p, 100.0 * i);
    }
    progress_end(&p);
    progress_end(&p);
    return close_screen(a, x);
}

static void silent_in_pipes_and_when_quiet(void **state) {
    struct screen x;
    open_screen(&x, false, false, 80);
    assert_str(work(*state, &x, 100000), "");
    open_screen(&x, true, true, 80);
    assert_str(work(*state, &x, 100000), "");
}

static void drawn_at_most_ten_times_a_second_and_erased(void **state) {
    struct screen x;
    size_t drawn = 0;
    open_screen(&x, true, false, 120);
    str text = work(*state, &x, 100000);
    for (str rest = text; rest.len > 0;) {
        ptrdiff_t at = str_find(rest, STR("reading leads.csv"));
        if (at < 0)
            break;
        drawn++;
        rest = str_slice(rest, (size_t)at + 1, rest.len);
    }
    assert_true(drawn > 50 && drawn <= 100);
    assert_true(str_ends(text, STR("\r\033[K")));
    assert_int_equal(str_find_byte(text, '\n'), -1);
    assert_true(str_find(text, STR(" 50%  10,000 rows/s  0:05 left")) > 0);
}

static void total_may_be_unknown(void **state) {
    struct screen x;
    open_screen(&x, true, false, 120);
    str text = work(*state, &x, 0);
    assert_true(str_find(text, STR("reading leads.csv  50000 rows  10,000 rows/s")) > 0);
    assert_int_equal(str_find(text, STR("left")), -1);
}

static void short_work_shows_nothing(void **state) {
    struct screen x;
    struct progress p;
    open_screen(&x, true, false, 80);
    progress_begin(&p, &x.session, "reading", "rows", 10);
    now_ns += 200000000;
    progress_at(&p, 10);
    progress_end(&p);
    assert_str(close_screen(*state, &x), "");
}

static void never_wider_than_the_terminal(void **state) {
    struct screen x;
    open_screen(&x, true, false, 30);
    str rest = work(*state, &x, 100000), line;
    while (str_split(&rest, '\r', &line))
        assert_true(terminal_columns(line) < 30 + sizeof "\033[K");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(silent_in_pipes_and_when_quiet), ARENA_TEST(drawn_at_most_ten_times_a_second_and_erased),
        ARENA_TEST(total_may_be_unknown),           ARENA_TEST(short_work_shows_nothing),
        ARENA_TEST(never_wider_than_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
