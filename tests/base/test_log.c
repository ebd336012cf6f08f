/* test_log.c — JSON lines of events. */
#include "unit.h"

#include "base/json.h"
#include "base/log.h"

#include <unistd.h>

static int64_t fixed_ms(void) { return INT64_C(1772271000123); /* 2026-02-28T09:30:00.123Z */ }
static int64_t fixed_ns(void) { return 0; }

static struct log open_log(FILE **file, enum log_level level) {
    *file = tmpfile();
    assert_non_null(*file);
    return (struct log){fileno(*file), level, {fixed_ms, fixed_ns}};
}

static str contents(struct arena *a, FILE *file) {
    char *text = arena_alloc(a, 1 << 16);
    ssize_t n = pread(fileno(file), text, 1 << 16, 0);
    fclose(file);
    return (str){text, (size_t)n};
}

static void writes_one_line(void **state) {
    FILE *file;
    struct log log = open_log(&file, LOG_INFO);
    log_event(&log, LOG_INFO, "model_saved",
              LOG_FIELDS(log_text("family", STR("auto \"x\"\n")), log_integer("rows", 7), log_number("loss", 0.25),
                         log_bool("ok", true)));
    assert_str(contents(*state, file), "{\"time\":\"2026-02-28T09:30:00.123Z\",\"level\":\"info\",\"event\":\"model_saved\","
                                       "\"family\":\"auto \\\"x\\\"\\n\",\"rows\":7,\"loss\":0.25,\"ok\":true}\n");
}

static void leaves_out_what_is_less_important(void **state) {
    FILE *file;
    struct log log = open_log(&file, LOG_WARN);
    log_event(&log, LOG_INFO, "nothing", NULL, 0);
    log_event(&log, LOG_ERROR, "something", NULL, 0);
    str text = contents(*state, file);
    assert_int_equal(str_find(text, STR("nothing")), -1);
    assert_true(str_find(text, STR("\"level\":\"error\",\"event\":\"something\"")) > 0);
    log.fd = -1;
    log_event(&log, LOG_ERROR, "nowhere", NULL, 0);
    log_event(NULL, LOG_ERROR, "nowhere", NULL, 0);
}

static void stays_valid_for_any_text(void **state) {
    FILE *file;
    struct log log = open_log(&file, LOG_DEBUG);
    char text[4096];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 37 + 1); /* control characters, broken UTF-8 */
    log_event(&log, LOG_DEBUG, "odd", LOG_FIELDS(log_text("text", (str){text, sizeof text})));
    str line = contents(*state, file);
    const struct json *v;
    assert_ok(json_parse(*state, line, NULL, &v));
    assert_int_equal(str_find_byte(line, '\n'), line.len - 1);
}

static void cuts_a_line_that_is_too_long(void **state) {
    FILE *file;
    struct log log = open_log(&file, LOG_DEBUG);
    char text[LOG_TEXT_BYTE + 1];
    memset(text, '\x01', sizeof text); /* six bytes each in JSON */
    struct log_field field[4];
    for (size_t i = 0; i < 4; i++)
        field[i] = log_text("long", (str){text, sizeof text});
    log_event(&log, LOG_INFO, "wide", field, 4);
    str line = contents(*state, file);
    assert_true(line.len < LOG_LINE_BYTE);
    assert_true(str_ends(line, STR("\"event\":\"wide\",\"cut\":true}\n")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(writes_one_line),
        ARENA_TEST(leaves_out_what_is_less_important),
        ARENA_TEST(stays_valid_for_any_text),
        ARENA_TEST(cuts_a_line_that_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
