/* test_infer.c — types, missing tokens, levels, bins and scales from training rows. */
#include "features/infer.h"
#include "features/lexicon.h"
#include "frames.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const struct field *only(struct arena *a, const struct sheet *s) { return &sheet_infer(a, s)->field[0]; }

static void assert_type(struct arena *a, const char *name, const char *const *cells, size_t n, enum field_type type) {
    const struct field *f = only(a, sheet_of(a, name, cells, n, 300));
    if (f->type != type)
        fail_msg("column %s with \"%s\" is %s, not %s", name, cells[0], field_type_name(f->type), field_type_name(type));
}

static void knows_types_by_their_cells(void **state) {
    static const char *const size[] = {"1-10", "11-50", "51-200", "201-500", "501-1000", "10,000+"};
    static const char *const money[] = {"$3.5M", "$200k", "$1.2B", "$45,000", "$7M"};
    static const char *const yes[] = {"yes", "no", "YES", ""};
    static const char *const bits[] = {"0", "1", "1"};
    static const char *const one_or_two[] = {"1", "2", "3", "2"};
    static const char *const dates[] = {"2026-01-05", "2026-02-17", "2025-12-31 10:00", "2026-03-01"};
    static const char *const tools[] = {"Salesforce; Slack", "Slack; Zoom", "Zoom", "Salesforce; Zoom; Slack",
                                        "HubSpot; Zoom"};
    static const char *const words[] = {"red", "green", "blue"};
    static const char *const zips[] = {"02139", "10001", "94105", "60601", "02139"};
    static const char *const same[] = {"No"};
    static const char *const none[] = {"", "N/A"};
    static const char *const names[] = {"Banking, Investment And Insurance", "Media and Advertising", "Travel and Tourism"};
    assert_type(*state, "Employees", size, COUNT(size), FIELD_NUMERIC);
    assert_type(*state, "Revenue", money, COUNT(money), FIELD_NUMERIC);
    assert_type(*state, "Opt in", yes, COUNT(yes), FIELD_FLAG);
    assert_type(*state, "Trial", bits, COUNT(bits), FIELD_FLAG);
    assert_type(*state, "Region", one_or_two, COUNT(one_or_two), FIELD_CATEGORY);
    assert_type(*state, "TrafficType", one_or_two, COUNT(one_or_two), FIELD_CATEGORY);
    assert_type(*state, "OperatingSystems", one_or_two, COUNT(one_or_two), FIELD_CATEGORY);
    assert_type(*state, "Visits", one_or_two, COUNT(one_or_two), FIELD_NUMERIC);
    assert_type(*state, "Created", dates, COUNT(dates), FIELD_DATE);
    assert_type(*state, "Tools", tools, COUNT(tools), FIELD_MULTI);
    assert_type(*state, "Colour", words, COUNT(words), FIELD_CATEGORY);
    assert_type(*state, "Post", zips, COUNT(zips), FIELD_CATEGORY);
    assert_type(*state, "Magazine", same, COUNT(same), FIELD_CONSTANT);
    assert_type(*state, "Fax", none, COUNT(none), FIELD_CONSTANT);
    assert_type(*state, "Specialization", names, COUNT(names), FIELD_CATEGORY);
}

/* Column `kind` of a sheet of unique cells. */
static struct sheet *unique_cells(struct arena *a, const char *name, int kind) {
    struct sheet *s = sheet_new(a, 400, 1, &name);
    struct rng r = rng_from_seed(3);
    for (size_t i = 0; i < 400; i++) {
        unsigned long long x = rng_next(&r);
        s->cell[0][i] = kind == 0 ? str_format(a, "%08llx-%04llx-4f00-8000-%012llx", x >> 32, x & 0xffff, x & 0xffffffffffff)
                        : kind == 1 ? str_format(a, "%zu", 579533 + i * 9)
                        : kind == 2 ? str_format(a, "user%zu@example.com", i)
                        : kind == 3 ? str_format(a, "We met lead %zu at the fair and they asked for a long offer", i)
                        : kind == 4 ? str_format(a, "%.3f", (double)(x % 1000000) / 7)
                                    : str_format(a, "%llu", 20000 + x % 90000000);
    }
    return s;
}

static void tells_identifiers_from_quantities(void **state) {
    static const struct {
        const char *name;
        int kind;
        enum field_type type;
    } rows[] = {{"Prospect", 0, FIELD_IDENTIFIER}, {"Lead Number", 1, FIELD_IDENTIFIER},
                {"Contact", 2, FIELD_IDENTIFIER},  {"Remarks", 3, FIELD_TEXT},
                {"Deal", 4, FIELD_NUMERIC},        {"Annual Revenue", 5, FIELD_NUMERIC},
                {"Balance", 5, FIELD_NUMERIC},     {"customer_id", 5, FIELD_IDENTIFIER}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct field *f = only(*state, unique_cells(*state, rows[i].name, rows[i].kind));
        if (f->type != rows[i].type)
            fail_msg("%s is %s, not %s", rows[i].name, field_type_name(f->type), field_type_name(rows[i].type));
    }
}

/* Names that many rows lack: that there is one may tell, so the column stays, without levels. */
static void keeps_whether_a_name_is_there(void **state) {
    for (int kind = 0; kind < 4; kind++) {
        struct sheet *s = unique_cells(*state, kind == 1 ? "Lead Number" : "Contact", kind);
        for (size_t i = 0; i < 400; i += 2)
            s->cell[0][i] = (str){0};
        const struct field *f = only(*state, s);
        assert_int_equal(f->type, FIELD_CATEGORY);
        assert_int_equal(f->n_level, 0);
        assert_true(f->missing_seen);
    }
    struct sheet *few = unique_cells(*state, "Contact", 2);
    few->cell[0][7] = (str){0};
    assert_int_equal(only(*state, few)->type, FIELD_IDENTIFIER);
}

static void ages_are_quantities(void **state) {
    struct sheet *s = sheet_new(*state, 4000, 1, (const char *const[]){"age"});
    for (size_t i = 0; i < 4000; i++) {
        s->cell[0][i] = str_format(*state, "%zu", 20 + i % 40);
        s->y[i] = i % 40 % 2 == 0 && i % 3 > 0; /* jumps from each year to the next */
    }
    assert_int_equal(only(*state, s)->type, FIELD_NUMERIC);
}

static void proposes_missing_tokens(void **state) {
    static const char *const drop_down[] = {"Finance", "Select", "Select", "Sales", "", "", "Sales"};
    static const char *const days[] = {"-1", "-1", "-1", "5", "90", "182", "17"};
    static const char *const far[] = {"3", "999", "999", "6", "999", "12", "4"};
    static const char *const honest[] = {"-1", "0", "1", "-2", "3", "-3"};
    static const char *const countries[] = {"NA", "DE", "FR", "US", "GB", "NL"};
    static const char *const mixed[] = {"1", "7", "19", "none", "4",  "33", "unknown", "2",
                                        "5", "6", "8",  "9",    "10", "11", "12"};
    const struct field *f = only(*state, sheet_of(*state, "Department", drop_down, COUNT(drop_down), 350));
    assert_int_equal(f->n_missing, 1);
    assert_str(f->missing[0], "Select");
    assert_int_equal(f->n_missing_own, 1); /* empty and "Select" are both frequent: a column each */
    assert_int_equal(f->n_level, 2);
    f = only(*state, sheet_of(*state, "pdays", days, COUNT(days), 350));
    assert_int_equal(f->type, FIELD_NUMERIC);
    assert_int_equal(f->n_missing, 1);
    assert_str(f->missing[0], "-1");
    assert_int_equal(f->n_missing_own, 0); /* the only way to be missing */
    assert_close(f->quantile[0], 5, 0);
    f = only(*state, sheet_of(*state, "pdays", far, COUNT(far), 350));
    assert_int_equal(f->n_missing, 1);
    assert_str(f->missing[0], "999");
    f = only(*state, sheet_of(*state, "Change", honest, COUNT(honest), 300));
    assert_int_equal(f->n_missing, 0);
    f = only(*state, sheet_of(*state, "Country", countries, COUNT(countries), 300));
    assert_int_equal(f->n_missing, 0);
    assert_int_equal(f->n_level, 6);
    f = only(*state, sheet_of(*state, "Seats", mixed, COUNT(mixed), 300));
    assert_int_equal(f->type, FIELD_NUMERIC);
    assert_int_equal(f->n_missing, 2);
}

static void merges_spellings_and_pools_rare_levels(void **state) {
    struct sheet *s = sheet_new(*state, 400, 1, (const char *const[]){"Source"});
    for (size_t i = 0; i < 400; i++)
        s->cell[0][i] = i < 200   ? STR("Google")
                        : i < 230 ? STR("google")
                        : i < 240 ? STR("GOOGLE ")
                        : i < 396 ? STR("Direct  Mail")
                                  : STR("Radio");
    const struct schema *schema = sheet_infer(*state, s);
    const struct field *f = &schema->field[0];
    assert_int_equal(f->n_level, 2);
    assert_str(f->level[0].text, "Google");
    assert_int_equal(f->level[0].n_variant, 2);
    assert_str(f->level[0].variant[0], "GOOGLE");
    assert_true(f->has_other);
    assert_true(has_warning(schema, "case_variants", "Source"));
    assert_close(f->level_share[0], 0.6, 1e-15);
    assert_close(f->level_share[2], 0.01, 1e-15); /* other */
}

/* Expected values: numpy.quantile, numpy.log1p, numpy.std(ddof=1), scipy.stats.skew = 2.52. */
static void fits_numbers_as_numpy_does(void **state) {
    static const char *const cells[] = {"0", "0", "0", "1", "2", "2", "3", "5", "8", "13", "21", "34", "55", "144"};
    const struct field *f = only(*state, sheet_of(*state, "Employees", cells, COUNT(cells), COUNT(cells)));
    assert_int_equal(f->type, FIELD_NUMERIC);
    assert_int_equal(f->transform, TRANSFORM_LOG1P);
    assert_close(f->minimum, 0, 0);
    assert_close(f->low, 0, 0);
    assert_close(f->high, 4.968722427013047, 1e-12);
    assert_close(f->center, 1.8960837234136798, 1e-12);
    assert_close(f->scale, 1.5829334426436943, 1e-12);
    assert_close(f->quantile[1], 0, 1e-12);
    assert_close(f->quantile[5], 1.25, 1e-12);
    assert_close(f->quantile[10], 4, 1e-12);
    assert_close(f->quantile[18], 48.7, 1e-12);
    assert_close(f->quantile[19], 86.15, 1e-12);
    assert_str(f->group, "firmographic");
}

static void bins_have_near_equal_mass_and_spikes_their_own(void **state) {
    struct sheet *s = sheet_new(*state, 2000, 1, (const char *const[]){"Page value"});
    for (size_t i = 0; i < 2000; i++) {
        s->cell[0][i] = i < 1600 ? STR("0") : str_format(*state, "%zu", i - 1599);
        s->y[i] = i % 4 == 0;
    }
    const struct field *f = only(*state, s);
    assert_in_range(f->n_edge, 8, 13);
    assert_close(f->edge[0], 1, 0); /* zero alone */
    assert_close(f->bin_share[0], 0.8, 1e-12);
    double sum = 0;
    for (size_t b = 0; b <= f->n_edge; b++) {
        sum += f->bin_share[b];
        if (b > 0)
            assert_true(f->bin_share[b] > 0.008 && f->bin_share[b] < 0.03);
        assert_close(f->bin_rate[b], 0.25, 0.02);
    }
    assert_close(sum, 1, 1e-12);
    assert_close(f->typical_converted, 0, 0);
}

static void reads_decimal_commas_when_the_column_proves_them(void **state) {
    static const char *const comma[] = {"1,5", "2,25", "1.200,75", "13", "1.200"};
    static const char *const open[] = {"1,200", "3,400", "15,000", "2,100"};
    const struct field *f = only(*state, sheet_of(*state, "Deal", comma, COUNT(comma), 100));
    assert_int_equal(f->type, FIELD_NUMERIC);
    assert_int_equal(f->decimal, ',');
    assert_close(f->quantile[20], 1200.75, 1e-9);
    const struct schema *s = sheet_infer(*state, sheet_of(*state, "Deal", open, COUNT(open), 100));
    assert_int_equal(s->field[0].decimal, '.');
    assert_close(s->field[0].quantile[0], 1200, 0);
    assert_true(has_warning(s, "ambiguous_numbers", "Deal"));
}

static void reads_dates_in_the_order_the_column_proves(void **state) {
    static const char *const day_first[] = {"03/04/2026", "25/12/2025", "01/02/2026"};
    static const char *const open[] = {"03/04/2026", "05/06/2026", "01/02/2026"};
    const struct field *f = only(*state, sheet_of(*state, "Created", day_first, COUNT(day_first), 90));
    assert_int_equal(f->type, FIELD_DATE);
    assert_int_equal(f->date_order, TIME_DAY_FIRST);
    assert_close(f->quantile[20], 99, 0); /* 25 December to 3 April */
    const struct schema *s = sheet_infer(*state, sheet_of(*state, "Created", open, COUNT(open), 90));
    assert_int_equal(s->field[0].type, FIELD_DATE);
    assert_true(has_warning(s, "ambiguous_dates", "Created"));
}

static void knows_codes_by_their_jumping_rates(void **state) {
    struct sheet *s = sheet_new(*state, 6000, 2, (const char *const[]){"Bucket", "Pages"});
    struct rng r = rng_from_seed(8);
    for (size_t i = 0; i < 6000; i++) {
        size_t code = rng_below(&r, 40), pages = rng_below(&r, 40);
        s->cell[0][i] = str_format(*state, "%zu", code);
        s->cell[1][i] = str_format(*state, "%zu", pages);
        double p = 0.1 + ((code * 7919) % 5 == 0 ? 0.5 : 0) + 0.006 * (double)pages;
        s->y[i] = rng_uniform(&r) < p;
    }
    const struct schema *schema = sheet_infer(*state, s);
    assert_int_equal(schema->field[0].type, FIELD_CATEGORY);
    assert_int_equal(schema->field[1].type, FIELD_NUMERIC); /* a trend is no jump */
}

/* ---- properties ---- */

static struct sheet *drawn(struct arena *a, uint64_t seed) {
    static const char *const names[] = {"Source", "Visits", "Created", "Opt in", "Tools", "Region"};
    static const char *const sources[] = {"Google", "google", "Direct", "Select", "", "Fair", "Radio"};
    static const char *const tools[] = {"A; B", "B", "A", "B; C", ""};
    struct sheet *s = sheet_new(a, 800, 6, names);
    struct rng r = rng_from_seed(seed);
    for (size_t i = 0; i < 800; i++) {
        s->cell[0][i] = str_from(sources[rng_below(&r, COUNT(sources))]);
        s->cell[1][i] =
            rng_below(&r, 20) == 0 ? STR("") : str_format(a, "%u", (unsigned)(rng_below(&r, 40) * rng_below(&r, 40)));
        s->cell[2][i] = str_format(a, "2026-%02u-%02u", (unsigned)rng_below(&r, 12) + 1, (unsigned)rng_below(&r, 28) + 1);
        s->cell[3][i] = rng_below(&r, 3) ? STR("no") : STR("yes");
        s->cell[4][i] = str_from(tools[rng_below(&r, COUNT(tools))]);
        s->cell[5][i] = str_format(a, "%u", (unsigned)rng_below(&r, 9));
        s->y[i] = rng_uniform(&r) < 0.3;
    }
    return s;
}

static str bytes_of(struct arena *a, const struct sheet *s, const uint32_t *rows, size_t n, const double *y) {
    struct schema *out;
    struct infer_opts o = {0};
    assert_ok(schema_infer(a, &s->frame, rows, n, y, &o, &out));
    return schema_bytes(a, out);
}

static void only_training_rows_count(void **state) {
    struct sheet *s = drawn(*state, 1), *other = drawn(*state, 2);
    uint32_t *train = ARENA_ARRAY(*state, 800, uint32_t);
    double *y = ARENA_ARRAY(*state, 800, double);
    size_t n = 0;
    for (uint32_t i = 0; i < 800; i++)
        if (i % 3) {
            y[n] = s->y[i];
            train[n++] = i;
        }
    str before = bytes_of(*state, s, train, n, y);
    for (size_t i = 0; i < 800; i += 3)
        for (size_t c = 0; c < 6; c++)
            s->cell[c][i] = i % 2 ? other->cell[c][i] : STR("garbage, 1e999");
    assert_true(str_equal(before, bytes_of(*state, s, train, n, y)));
    struct rng r = rng_from_seed(5); /* nor does the order of the training rows matter */
    uint32_t *order = ARENA_ARRAY(*state, n, uint32_t), *shuffled = ARENA_ARRAY(*state, n, uint32_t);
    double *shuffled_y = ARENA_ARRAY(*state, n, double);
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    rng_shuffle(&r, order, n);
    for (size_t i = 0; i < n; i++) {
        shuffled[i] = train[order[i]];
        shuffled_y[i] = y[order[i]];
    }
    assert_true(str_equal(before, bytes_of(*state, s, shuffled, n, shuffled_y)));
}

static void completes_what_an_edited_file_leaves_open(void **state) {
    static const char text[] =
        "{\"fields\":[{\"name\":\"Source\",\"levels\":[\"Google\",\"Fair\"],\"missing\":[\"Select\",\"Radio\"]},"
        "{\"name\":\"Visits\",\"type\":\"numeric\",\"edges\":[10,100],\"transform\":\"none\",\"group\":\"intent\"},"
        "{\"name\":\"Region\",\"type\":\"numeric\"},{\"name\":\"Created\",\"type\":\"ignored\"},"
        "{\"name\":\"Gone\",\"type\":\"ignored\"}]}";
    struct sheet *s = drawn(*state, 1);
    const struct json *v;
    struct schema *given, *full;
    struct infer_opts o = {0};
    assert_ok(json_parse(*state, str_from(text), NULL, &v));
    assert_ok(schema_from_json(*state, v, &given));
    assert_false(given->field[0].fitted);
    assert_ok(schema_complete(*state, given, &s->frame, s->rows, 800, s->y, &o, &full));
    const struct field *f = full->field;
    assert_int_equal(f[0].type, FIELD_CATEGORY);
    assert_int_equal(f[0].n_level, 2);
    assert_str(f[0].level[1].text, "Fair");
    assert_int_equal(f[0].n_missing, 2);
    assert_true(f[0].fitted && f[1].fitted && f[2].fitted);
    assert_int_equal(f[1].transform, TRANSFORM_NONE);
    assert_int_equal(f[1].n_edge, 2);
    assert_str(f[1].group, "intent");
    assert_int_equal(f[2].type, FIELD_NUMERIC); /* a code by its name, a number by request */
    assert_int_equal(f[3].type, FIELD_IGNORED);
    assert_int_equal(full->n_field, 5);
    assert_true(has_warning(full, "column_unlisted", "Tools"));
    struct schema *again; /* what is complete stays as it is */
    assert_ok(schema_complete(*state, full, &s->frame, s->rows, 800, s->y, &o, &again));
    assert_true(str_equal(schema_bytes(*state, full), schema_bytes(*state, again)));
}

static void refuses_columns_that_are_not_there(void **state) {
    struct sheet *s = drawn(*state, 1);
    struct schema *out;
    str gone = STR("Gone");
    assert_fails(schema_infer(*state, &s->frame, s->rows, 800, s->y, &(struct infer_opts){.target = gone}, &out), ERR_INPUT,
                 "column_unknown");
    assert_fails(
        schema_infer(*state, &s->frame, s->rows, 800, s->y, &(struct infer_opts){.exclude = &gone, .n_exclude = 1}, &out),
        ERR_INPUT, "column_unknown");
    assert_fails(schema_infer(*state, &s->frame, s->rows, 0, s->y, &(struct infer_opts){0}, &out), ERR_INPUT, "no_rows");
}

static void works_without_outcomes(void **state) {
    struct sheet *s = drawn(*state, 1);
    struct schema *out;
    assert_ok(schema_infer(*state, &s->frame, s->rows, 800, NULL,
                           &(struct infer_opts){.exclude = &s->frame.name[1], .n_exclude = 1}, &out));
    assert_null(out->field[0].level_rate);
    assert_non_null(out->field[0].level_share);
    assert_int_equal(out->field[1].type, FIELD_IGNORED);
    assert_true(isnan(out->field[2].typical_converted));
}

static void reads_flags(void **state) {
    (void)state;
    static const char *const yes[] = {"yes", "TRUE", "Y", "t", "1", "On", " Yes "};
    static const char *const no[] = {"no", "False", "N", "f", "0", "off"};
    bool v;
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        assert_true(text_means_flag(str_from(yes[i]), &v) && v);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_true(text_means_flag(str_from(no[i]), &v) && !v);
    assert_false(text_means_flag(STR("2"), &v));
    assert_false(text_means_flag(STR("maybe"), &v));
    assert_false(text_means_flag(STR(""), &v));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(knows_types_by_their_cells),
        ARENA_TEST(tells_identifiers_from_quantities),
        ARENA_TEST(keeps_whether_a_name_is_there),
        ARENA_TEST(ages_are_quantities),
        ARENA_TEST(proposes_missing_tokens),
        ARENA_TEST(merges_spellings_and_pools_rare_levels),
        ARENA_TEST(fits_numbers_as_numpy_does),
        ARENA_TEST(bins_have_near_equal_mass_and_spikes_their_own),
        ARENA_TEST(reads_decimal_commas_when_the_column_proves_them),
        ARENA_TEST(reads_dates_in_the_order_the_column_proves),
        ARENA_TEST(knows_codes_by_their_jumping_rates),
        ARENA_TEST(only_training_rows_count),
        ARENA_TEST(completes_what_an_edited_file_leaves_open),
        ARENA_TEST(refuses_columns_that_are_not_there),
        ARENA_TEST(works_without_outcomes),
        cmocka_unit_test(reads_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
