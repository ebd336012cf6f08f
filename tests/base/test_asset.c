/* test_asset.c — files in the program are the files of share/. */
#include "unit.h"

#include "base/asset.h"
#include "base/file.h"

#include <stdlib.h>

static void equal_to_their_files(void **state) {
    size_t n = 0;
    const char *folder = getenv("GALENA_SHARE");
    assert_non_null(folder);
    for (const char *name; (name = asset_name(n)); n++) {
        str on_disk, embedded = asset_get(str_from(name));
        assert_ok(file_read_all(*state, str_format(*state, "%s/%s", folder, name).ptr, 64 << 20, &on_disk));
        assert_true(str_equal(embedded, on_disk));
        assert_int_equal(embedded.ptr[embedded.len], 0);
    }
    assert_true(n > 0);
}

static void unknown_names_are_absent(void **state) {
    (void)state;
    assert_null(asset_get(STR("profiles/none.yaml")).ptr);
    assert_null(asset_get(STR("")).ptr);
}

int main(void) {
    const struct CMUnitTest tests[] = {ARENA_TEST(equal_to_their_files), cmocka_unit_test(unknown_names_are_absent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
