/* test_time.c — the calendar day by day, and the forms of dates that are read and refused. */
#include "base/time.h"
#include "unit.h"

/* Every day of the years -400 to 9999, counted one by one. */
static void calendar_day_by_day(void **state) {
    (void)state;
    assert_int_equal(time_days_from_civil((struct civil){1970, 1, 1}), 0);
    assert_int_equal(time_days_from_civil((struct civil){2000, 3, 1}), 11017);
    int64_t days = time_days_from_civil((struct civil){-400, 1, 1});
    assert_int_equal(days, -719528 - 146097);
    for (int64_t year = -400; year < 10000; year++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; day <= time_days_in_month(year, month); day++, days++) {
                struct civil d = time_civil_from_days(days);
                if (d.year != year || d.month != month || d.day != day || time_days_from_civil(d) != days)
                    fail_msg("day %lld is %lld-%d-%d", (long long)days, (long long)d.year, d.month, d.day);
            }
    assert_int_equal(days, 2932897);
}

static void months_have_their_days(void **state) {
    (void)state;
    assert_int_equal(time_days_in_month(2024, 2), 29);
    assert_int_equal(time_days_in_month(2026, 2), 28);
    assert_int_equal(time_days_in_month(1900, 2), 28);
    assert_int_equal(time_days_in_month(2000, 2), 29);
    assert_int_equal(time_days_in_month(2026, 0), 0);
    assert_int_equal(time_days_in_month(2026, 13), 0);
}

/* Expectations by GNU date: date -u -d '…' +%s%3N */
static void reads_the_forms(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum time_order order;
        int64_t ms;
    } good[] = {
        {"2026-03-01", 0, 1772323200000},
        {"2026/03/01", 0, 1772323200000},
        {"01.03.2026", 0, 1772323200000},
        {"1.3.2026", 0, 1772323200000},
        {"1 Mar 2026", 0, 1772323200000},
        {"01 march 2026", 0, 1772323200000},
        {"1-Mar-2026", 0, 1772323200000},
        {"Mar 1, 2026", 0, 1772323200000},
        {"March 01 2026", 0, 1772323200000},
        {"MAR. 1, 2026", 0, 1772323200000},
        {"2026-03-01T10:00:00Z", 0, 1772359200000},
        {"2026-03-01t10:00:00z", 0, 1772359200000},
        {"2026-03-01 10:00:00", 0, 1772359200000},
        {"2026-03-01 10:00", 0, 1772359200000},
        {"2026-03-01T10:00:00.5Z", 0, 1772359200500},
        {"2026-03-01 10:00:00,123456789", 0, 1772359200123},
        {"2026-03-01T10:00:00+01:00", 0, 1772355600000},
        {"2026-03-01T10:00:00-0530", 0, 1772379000000},
        {"2026-03-01T10:00:00+01", 0, 1772355600000},
        {"2026-03-01 10:00:00 +01:00", 0, 1772355600000},
        {"2026-03-01T23:30:00-18:00", 0, 1772472600000},
        {"03/04/2026", TIME_DAY_FIRST, 1775174400000},
        {"03/04/2026", TIME_MONTH_FIRST, 1772582400000},
        {"3/4/2026 2:05 PM", TIME_MONTH_FIRST, 1772633100000},
        {"3/4/2026 12:00 AM", TIME_MONTH_FIRST, 1772582400000},
        {"3/4/2026 12:00 pm", TIME_MONTH_FIRST, 1772625600000},
        {"25/12/2026", 0, 1798156800000},
        {"12/25/2026", 0, 1798156800000},
        {"04/04/2026", 0, 1775260800000},
        {"29.02.2024", 0, 1709164800000},
        {"0001-01-01", 0, -62135596800000},
        {"9999-12-31T23:59:59.999Z", 0, 253402300799999},
        {"1969-12-31T23:59:59.999Z", 0, -1},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t ms = 0;
        if (time_parse(str_from(good[i].text), good[i].order, &ms) != OK)
            fail_msg("%s", err_text());
        if (ms != good[i].ms)
            fail_msg("%s is read as %lld, not %lld", good[i].text, (long long)ms, (long long)good[i].ms);
    }
}

static void refuses_what_is_not_sure(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum time_order order;
        enum time_fault fault;
    } bad[] = {
        {"2026-02-30", 0, TIME_NO_SUCH_DAY},
        {"29.02.2026", 0, TIME_NO_SUCH_DAY},
        {"2026-13-01", 0, TIME_NO_SUCH_DAY},
        {"2026-00-10", 0, TIME_NO_SUCH_DAY},
        {"2026-01-00", 0, TIME_NO_SUCH_DAY},
        {"0000-01-01", 0, TIME_NO_SUCH_DAY},
        {"31/31/2026", 0, TIME_NO_SUCH_DAY},
        {"12/25/2026", TIME_DAY_FIRST, TIME_NO_SUCH_DAY},
        {"2026-02-30T10:00:00Z", 0, TIME_NO_SUCH_DAY},
        {"03/04/2026", 0, TIME_AMBIGUOUS},
        {"3/4/2026 10:00", 0, TIME_AMBIGUOUS},
        {"2026-03-01T24:00:00Z", 0, TIME_NO_SUCH_CLOCK},
        {"2026-03-01T10:60:00Z", 0, TIME_NO_SUCH_CLOCK},
        {"2026-03-01T10:00:60Z", 0, TIME_NO_SUCH_CLOCK},
        {"2026-03-01T10:00:00+19:00", 0, TIME_NO_SUCH_CLOCK},
        {"2026-03-01 13:00 PM", 0, TIME_NO_SUCH_CLOCK},
        {"2026-03-01 0:30 am", 0, TIME_NO_SUCH_CLOCK},
        {"", 0, TIME_NOT_A_DATE},
        {" 2026-03-01", 0, TIME_NOT_A_DATE},
        {"2026-03-01 ", 0, TIME_NOT_A_DATE},
        {"2026-03-01x", 0, TIME_NOT_A_DATE},
        {"2026-3-1", 0, TIME_NOT_A_DATE},
        {"2026-03/01", 0, TIME_NOT_A_DATE},
        {"26-03-01", 0, TIME_NOT_A_DATE},
        {"01.03.26", 0, TIME_NOT_A_DATE},
        {"20260301", 0, TIME_NOT_A_DATE},
        {"2026", 0, TIME_NOT_A_DATE},
        {"2026-03", 0, TIME_NOT_A_DATE},
        {"2026-03-01T", 0, TIME_NOT_A_DATE},
        {"2026-03-01T10", 0, TIME_NOT_A_DATE},
        {"2026-03-01T1:00", 0, TIME_NOT_A_DATE},
        {"2026-03-01T10:00:00.", 0, TIME_NOT_A_DATE},
        {"2026-03-01T10:00:00.1234567890", 0, TIME_NOT_A_DATE},
        {"2026-03-01T10:00:00Zulu", 0, TIME_NOT_A_DATE},
        {"2026-03-01T10:00:00 ", 0, TIME_NOT_A_DATE},
        {"2026-03-01T10:00:00+1", 0, TIME_NOT_A_DATE},
        {"2026-03-01T10:00:00+01:0", 0, TIME_NOT_A_DATE},
        {"1 Mrz 2026", 0, TIME_NOT_A_DATE},
        {"Ma 1, 2026", 0, TIME_NOT_A_DATE},
        {"1-Mar 2026", 0, TIME_NOT_A_DATE},
        {"yesterday", 0, TIME_NOT_A_DATE},
        {"+2026-03-01", 0, TIME_NOT_A_DATE},
        {"1.234", 0, TIME_NOT_A_DATE},
        {"1/2", 0, TIME_NOT_A_DATE},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct moment m;
        enum time_fault fault = time_read(str_from(bad[i].text), bad[i].order, &m);
        if (fault != bad[i].fault)
            fail_msg("\"%s\": %s", bad[i].text, time_fault_text(fault));
    }
}

static void says_why(void **state) {
    (void)state;
    int64_t ms = 7;
    assert_fails(time_parse(STR("2026-02-30"), 0, &ms), ERR_INPUT, "date_no_such_day");
    assert_string_equal(err_text(), "\"2026-02-30\" is a day that the calendar does not have");
    assert_fails(time_parse(STR("03/04/2026"), 0, &ms), ERR_INPUT, "date_ambiguous");
    assert_fails(time_parse(STR("soon"), 0, &ms), ERR_INPUT, "date_form");
    assert_fails(time_parse(STR("2026-01-01 25:00"), 0, &ms), ERR_INPUT, "date_no_such_clock");
    assert_int_equal(ms, 7);
}

static void tells_what_was_written(void **state) {
    (void)state;
    struct moment m;
    assert_int_equal(time_read(STR("25/12/2026"), 0, &m), TIME_GOOD);
    assert_int_equal(m.order, TIME_DAY_FIRST);
    assert_false(m.clock || m.zone);
    assert_int_equal(time_read(STR("12/25/2026 10:00"), 0, &m), TIME_GOOD);
    assert_int_equal(m.order, TIME_MONTH_FIRST);
    assert_true(m.clock && !m.zone);
    assert_int_equal(time_read(STR("2026-12-25T10:00Z"), 0, &m), TIME_GOOD);
    assert_int_equal(m.order, TIME_ORDER_UNKNOWN);
    assert_true(m.clock && m.zone);
}

static void writes_what_it_reads(void **state) {
    (void)state;
    char text[TIME_TEXT_BYTE];
    assert_str(((str){text, time_format(1772359200000, text)}), "2026-03-01T10:00:00Z");
    assert_str(((str){text, time_format(-1, text)}), "1969-12-31T23:59:59.999Z");
    assert_str(((str){text, time_format_day(-1, text)}), "1969-12-31");
    assert_str(((str){text, time_format(-62167219200001, text)}), "-000001-12-31T23:59:59.999Z");
    assert_str(((str){text, time_format_day(253402300800000, text)}), "+010000-01-01");
    assert_true(time_format(INT64_MIN, text) <= TIME_TEXT_BYTE && time_format(INT64_MAX, text) <= TIME_TEXT_BYTE);
    for (int64_t ms = -62135596800000; ms < 253402300799999; ms += 86399999ll * 37 + 1) {
        int64_t back = 0;
        assert_ok(time_parse((str){text, time_format(ms, text)}, 0, &back));
        assert_true(back == ms);
    }
}

/* Whatever the bytes are, reading ends inside them. */
static void survives_noise(void **state) {
    static const char alphabet[] = "0123456789-/.:TZ +,aApPmMrRy";
    uint64_t seed = 1;
    for (int i = 0; i < 300000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t len = (size_t)(seed >> 33) % 24;
        char *text = arena_alloc(*state, len);
        for (size_t k = 0; k < len; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            text[k] = alphabet[(seed >> 33) % (sizeof alphabet - 1)];
        }
        struct moment m;
        (void)time_read((str){text, len}, TIME_DAY_FIRST, &m);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calendar_day_by_day),
        cmocka_unit_test(months_have_their_days),
        cmocka_unit_test(reads_the_forms),
        cmocka_unit_test(refuses_what_is_not_sure),
        cmocka_unit_test(says_why),
        cmocka_unit_test(tells_what_was_written),
        cmocka_unit_test(writes_what_it_reads),
        ARENA_TEST(survives_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
