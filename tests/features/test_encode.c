/* test_encode.c — rows to columns: layout, values, states, and what must hold for any row. */
#include "features/encode.h"
#include "frames.h"
#include "ml/family.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

static struct schema *read_schema(struct arena *a, const char *text) {
    const struct json *v;
    struct schema *s = NULL;
    assert_ok(json_parse(a, str_from(text), NULL, &v));
    assert_ok(schema_from_json(a, v, &s));
    return s;
}

static const char small[] =
    "{\"fields\":["
    "{\"name\":\"Size\",\"type\":\"numeric\",\"transform\":\"log1p\",\"missing\":[\"-1\",\"n/k\"],\"edges\":[10,100],"
    " \"fitted\":{\"own_missing\":1,\"low\":0,\"high\":6,\"center\":2,\"scale\":0.5}},"
    "{\"name\":\"Source\",\"type\":\"category\",\"missing\":[\"Select\"],\"levels\":[{\"text\":\"Google\",\"also\":["
    "\"google\",\"G.\"]},\"Fair\"],"
    " \"fitted\":{\"own_missing\":0}},"
    "{\"name\":\"Name\",\"type\":\"identifier\"},"
    "{\"name\":\"Opt in\",\"type\":\"flag\",\"levels\":[\"no\",\"yes\"],\"fitted\":{}},"
    "{\"name\":\"Tools\",\"type\":\"multi\",\"separator\":\";\",\"levels\":[\"Slack\",\"Zoom\",\"HubSpot\"],\"fitted\":{}},"
    "{\"name\":\"Created\",\"type\":\"date\",\"edges\":[31],"
    " \"fitted\":{\"low\":0,\"high\":60,\"center\":30,\"scale\":10,\"reference_ms\":1767225600000}}]}"; /* 2026-01-01 */

static const str columns[] = {STR_INIT("Source"), STR_INIT("Size"),  STR_INIT("Name"),
                              STR_INIT("Opt in"), STR_INIT("Tools"), STR_INIT("Created")};

struct bench {
    struct schema *schema;
    struct encoder *e;
    struct encoded *x;
};

static struct bench bench_new(struct arena *a) {
    struct bench b = {.schema = read_schema(a, small)};
    assert_ok(encoder_new(a, b.schema, columns, COUNT(columns), &b.e));
    b.x = encoded_new(a, b.e);
    return b;
}

static void encode(struct bench *b, const char *source, const char *size, const char *opt, const char *tools,
                   const char *created) {
    const str cell[] = {str_from(source), str_from(size), STR("Jo"), str_from(opt), str_from(tools), str_from(created)};
    encode_row(b->e, cell, b->x);
}

/* The value of the column with that id, NaN when the row does not list it. */
static double at(const struct bench *b, const char *id) {
    const struct feature *f = encoder_features(b->e);
    for (size_t k = 0; k < b->x->row.n; k++)
        if (str_equal(f[b->x->row.col[k]].id, str_from(id)))
            return b->x->row.val[k];
    return (double)NAN;
}

static void lays_columns_out_by_field(void **state) {
    static const char *const ids[] = {"Size",       "Size=?",        "Size=?-1",     "Size[,10)",      "Size[10,100)",
                                      "Size[100,)", "Source=Google", "Source=Fair",  "Source=*",       "Source=?",
                                      "Opt in=no",  "Opt in=yes",    "Opt in=*",     "Opt in=?",       "Tools=Slack",
                                      "Tools=Zoom", "Tools=HubSpot", "Tools=*",      "Tools=?",        "Created",
                                      "Created=?",  "Created[,31)",  "Created[31,)", "Created=January"};
    struct bench b = bench_new(*state);
    const struct feature *f = encoder_features(b.e);
    assert_int_equal(encoder_width(b.e), COUNT(ids) + 18);
    for (size_t i = 0; i < COUNT(ids); i++)
        if (!str_equal(f[i].id, str_from(ids[i])))
            fail_msg("column %zu is %.*s, not %s", i, STR_ARG(f[i].id), ids[i]);
    assert_str(f[4].label, "Size from 10 to below 100");
    assert_str(f[encoder_width(b.e) - 1].id, "Created=Sunday");
    assert_int_equal(f[0].use, COLUMN_LINEAR | COLUMN_TREE);
    assert_int_equal(f[4].use, COLUMN_LINEAR | COLUMN_COUNT);
    assert_int_equal(f[6].use, COLUMN_LINEAR | COLUMN_TREE | COLUMN_COUNT);
    assert_int_equal(f[14].use, COLUMN_LINEAR | COLUMN_TREE);
    for (size_t i = 1; i < encoder_width(b.e); i++)
        assert_true(f[i].field >= f[i - 1].field);
    assert_int_equal(encoder_used(b.e), 5);
}

static void encodes_known_values(void **state) {
    struct bench b = bench_new(*state);
    encode(&b, "Google", "99", "yes", "Zoom; Slack;Zoom", "2026-02-01");
    assert_int_equal(b.x->n_known, 5);
    assert_close(at(&b, "Size"), (log1p(99) - 2) / 0.5, 1e-15); /* Eq. 4 */
    assert_close(at(&b, "Size[10,100)"), 1, 0);
    assert_close(at(&b, "Source=Google"), 1, 0);
    assert_close(at(&b, "Opt in=yes"), 1, 0);
    assert_close(at(&b, "Tools=Slack"), 1, 0);
    assert_close(at(&b, "Tools=Zoom"), 1, 0);
    assert_close(at(&b, "Created"), 0.1, 1e-15);
    assert_close(at(&b, "Created[31,)"), 1, 0);
    assert_close(at(&b, "Created=February"), 1, 0);
    assert_close(at(&b, "Created=Sunday"), 1, 0);
    assert_int_equal(b.x->row.n, 10);
    assert_close(b.x->value[0].number, 99, 0);
    assert_close(b.x->value[5].number, 31, 0);
    encode(&b, "Fair", "0", "no", "Slack", "2026-01-01");
    assert_close(at(&b, "Size"), -4, 0); /* a known zero is listed */
    assert_close(at(&b, "Size[,10)"), 1, 0);
    encode(&b, "Fair", "1e9", "no", "Slack", "2099-01-01");
    assert_close(at(&b, "Size"), 8, 1e-12); /* clipped to 6 */
    assert_close(at(&b, "Created"), 3, 1e-12);
}

static void knows_spellings(void **state) {
    static const char *const google[] = {"Google", "google", " GOOGLE ", "gooGLE", "G.", "g."};
    static const char *const yes[] = {"yes", "YES", "true", "1", "Y"};
    struct bench b = bench_new(*state);
    for (size_t i = 0; i < COUNT(google); i++) {
        encode(&b, google[i], "1", "no", "", "");
        assert_close(at(&b, "Source=Google"), 1, 0);
        assert_int_equal(b.x->value[1].slot, 0);
    }
    for (size_t i = 0; i < COUNT(yes); i++) {
        encode(&b, "Fair", "1", yes[i], "", "");
        assert_close(at(&b, "Opt in=yes"), 1, 0);
    }
}

static void tells_missing_unseen_and_invalid_apart(void **state) {
    struct bench b = bench_new(*state);
    encode(&b, "Select", "-1", "", "", "");
    assert_int_equal(b.x->n_missing, 5);
    assert_close(at(&b, "Size=?-1"), 1, 0);
    assert_close(at(&b, "Source=?"), 1, 0);
    assert_int_equal(b.x->value[0].slot, 2);
    assert_int_equal(b.x->value[1].slot, 3);
    encode(&b, "N/A", "n/k", "unknown", "-", "?");
    assert_int_equal(b.x->n_missing, 5 - 1); /* "-" in a list of tools is an unseen tool */
    encode(&b, "Radio", "abc", "maybe", "Excel", "2026-02-30");
    assert_int_equal(b.x->n_unseen, 3);
    assert_int_equal(b.x->n_invalid, 2);
    assert_close(at(&b, "Source=*"), 1, 0);
    assert_close(at(&b, "Tools=*"), 1, 0);
    assert_close(at(&b, "Size=?"), 1, 0);
    assert_true(isnan(at(&b, "Size")));
    assert_int_equal(b.x->value[0].state, VALUE_INVALID);
    assert_str(encode_explain(*state, b.e, 0, &b.x->value[0]), "column Size (numeric): \"abc\" is not a number");
    assert_true(str_find(encode_explain(*state, b.e, 5, &b.x->value[5]), STR("2026-02-30")) > 0);
    encode(&b, "Fair", "-5", "no", "", "");
    assert_int_equal(b.x->n_invalid, 1);
    assert_str(encode_explain(*state, b.e, 0, &b.x->value[0]),
               "column Size (numeric): -5 is below the smallest possible value, 0");
    encode(&b, "Fair", "1e999", "no", "", "");
    assert_int_equal(b.x->n_invalid, 1);
}

static void a_file_may_lack_columns(void **state) {
    struct schema *s = read_schema(*state, small);
    struct encoder *e;
    size_t n;
    const str some[] = {STR_INIT("Other"), STR_INIT("Source")};
    assert_ok(encoder_new(*state, s, some, 2, &e));
    const uint32_t *absent = encoder_absent(e, &n);
    assert_int_equal(n, 4);
    assert_int_equal(absent[0], 0);
    struct encoded *x = encoded_new(*state, e);
    encode_row(e, (const str[]){STR("x"), STR("Fair")}, x);
    assert_int_equal(x->n_known, 1);
    assert_int_equal(x->n_missing, 4);
    assert_int_equal(x->value[2].state, VALUE_MISSING);
    assert_fails(encoder_new(*state, s, some, 1, &e), ERR_INPUT, "encoder_no_column");
    s = read_schema(*state, "{\"fields\":[{\"name\":\"Source\",\"type\":\"category\",\"levels\":[\"a\"]}]}");
    assert_fails(encoder_new(*state, s, some, 2, &e), ERR_INPUT, "schema_unfitted");
}

/* Properties of any row under an inferred schema: columns ascend, values are finite, each field that counts shows exactly
 * one exclusive indicator, states add up, and a schema read back from its file form encodes to the same bytes. */
static void any_row_is_well_formed(void **state) {
    static const char *const names[] = {"Source", "Visits", "Created", "Opt in", "Tools"};
    static const char *const cells[] = {"Google", "google", "7",  "1,200", "yes", "No", "2026-03-01", "2026-02-30", "A; B",
                                        "B;A;A",  "",       "-1", "-7",    "abc", "?",  "1e999",      "Select",     "0"};
    struct sheet *s = sheet_new(*state, 600, 5, names);
    struct rng r = rng_from_seed(2);
    for (size_t i = 0; i < 600; i++) {
        s->cell[0][i] = rng_below(&r, 2) ? STR("Google") : STR("Fair");
        s->cell[1][i] = rng_below(&r, 9) ? str_format(*state, "%u", (unsigned)rng_below(&r, 300)) : STR("-1");
        s->cell[2][i] = str_format(*state, "2026-%02u-11", (unsigned)rng_below(&r, 12) + 1);
        s->cell[3][i] = rng_below(&r, 2) ? STR("yes") : STR("no");
        s->cell[4][i] =
            str_from(((const char *const[]){"A; B", "B; C", "C", "A; C", "A; B; C", "B", "C; B"})[rng_below(&r, 7)]);
        s->y[i] = rng_uniform(&r) < 0.4;
    }
    struct schema *schema = sheet_infer(*state, s);
    struct schema *read = read_schema(*state, str_cstr(*state, schema_bytes(*state, schema)));
    struct encoder *e, *e2;
    assert_ok(encoder_new(*state, schema, s->frame.name, 5, &e));
    assert_ok(encoder_new(*state, read, s->frame.name, 5, &e2));
    assert_int_equal(encoder_width(e), encoder_width(e2));
    struct encoded *x = encoded_new(*state, e), *x2 = encoded_new(*state, e2);
    for (size_t i = 0; i < 20000; i++) {
        str row[5];
        for (size_t c = 0; c < 5; c++)
            row[c] = rng_below(&r, 2) ? s->cell[c][rng_below(&r, 600)] : str_from(cells[rng_below(&r, COUNT(cells))]);
        encode_row(e, row, x);
        encode_row(e2, row, x2);
        assert_true(x->row.n <= encoder_max_nonzero(e));
        assert_int_equal(x->n_known + x->n_missing + x->n_unseen + x->n_invalid, encoder_used(e));
        size_t exclusive[5] = {0};
        for (size_t k = 0; k < x->row.n; k++) {
            assert_true(k == 0 || x->row.col[k] > x->row.col[k - 1]);
            assert_true(x->row.col[k] < encoder_width(e) && isfinite(x->row.val[k]));
            exclusive[encoder_field(e)[x->row.col[k]]] += (encoder_use(e)[x->row.col[k]] & COLUMN_COUNT) != 0;
        }
        for (size_t c = 0; c < 4; c++)
            assert_int_equal(exclusive[c], 1);
        assert_int_equal(exclusive[4], 0); /* several values at once are of no use to counting families */
        assert_int_equal(x->row.n, x2->row.n);
        assert_memory_equal(x->row.col, x2->row.col, x->row.n * sizeof *x->row.col);
        assert_memory_equal(x->row.val, x2->row.val, x->row.n * sizeof *x->row.val);
    }
}

/* Standardised training numbers have mean 0 and standard deviation 1. */
static void standardises_training_rows(void **state) {
    struct sheet *s = sheet_new(*state, 1000, 1, (const char *const[]){"Visits"});
    struct rng r = rng_from_seed(6);
    for (size_t i = 0; i < 1000; i++) {
        double u = rng_uniform(&r);
        s->cell[0][i] = str_format(*state, "%.0f", exp(8 * u));
        s->y[i] = rng_uniform(&r) < u;
    }
    struct schema *schema = sheet_infer(*state, s);
    struct vectoriser *v;
    const struct dataset *d = frame_vectors(*state, schema, &s->frame, s->rows, 1000, s->y, &v);
    assert_int_equal(d->n, 1000);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < 1000; i++) {
        struct row x = dataset_row(d, i);
        assert_int_equal(x.n, 2);
        assert_int_equal(x.col[0], 0);
        sum += x.val[0];
        squares += x.val[0] * x.val[0];
        assert_close(d->y[i], s->y[i], 0);
    }
    assert_close(sum / 1000, 0, 1e-9);
    assert_close(squares / 999, 1, 1e-9);
}

/* 160 levels of 40 rows, level k converting in about k of 160 rows. */
static struct sheet *many_levels(struct arena *a) {
    struct sheet *s = sheet_new(a, 6400, 1, (const char *const[]){"Account"});
    for (size_t i = 0; i < 6400; i++) {
        s->cell[0][i] = str_format(a, "acc %03zu", i % 160);
        s->y[i] = i / 160 * 4 < i % 160;
    }
    return s;
}

/* A level's rate is the log-odds of its positives with ten rows of the base rate; trees alone read it. */
static void lists_rates_of_many_levels(void **state) {
    struct sheet *s = many_levels(*state);
    struct schema *schema = sheet_infer(*state, s);
    struct encoder *e;
    assert_ok(encoder_new(*state, schema, s->frame.name, 1, &e));
    const struct feature *f = encoder_features(e);
    assert_int_equal(schema->field[0].n_level, 160);
    assert_str(f[0].id, "Account~");
    assert_int_equal(f[0].kind, FEATURE_RATE);
    assert_int_equal(f[0].use, COLUMN_TREE);
    assert_int_equal(f[1].use, COLUMN_LINEAR | COLUMN_TREE | COLUMN_COUNT);
    assert_int_equal(f[121].use, COLUMN_LINEAR | COLUMN_COUNT);
    struct encoded *x = encoded_new(*state, e);
    double base = 0;
    for (size_t i = 0; i < 6400; i++)
        base += s->y[i] / 6400;
    for (size_t k = 0; k < 160; k++) {
        double positive = 0;
        for (size_t i = k; i < 6400; i += 160)
            positive += s->y[i];
        double p = (positive + 10 * base) / 50;
        encode_row(e, &s->cell[0][k], x);
        assert_int_equal(x->row.n, 2);
        assert_int_equal(x->row.col[0], 0);
        assert_close(x->row.val[0], log(p / (1 - p)), 1e-12);
    }
    str unseen = STR("nobody"), empty = {0};
    encode_row(e, &unseen, x);
    assert_int_equal(x->row.n, 2);
    assert_close(x->row.val[0], log(base / (1 - base)), 1e-12);
    encode_row(e, &empty, x);
    assert_int_equal(x->row.n, 2);
    assert_true(x->row.col[0] < x->row.col[1]);
}

/* In an order of the rows, each sees the outcomes before it: turning one outcome round moves neither its own rate nor an
 * earlier row's, and the last row of a level sees all others. */
static void training_rows_do_not_see_themselves(void **state) {
    struct sheet *s = many_levels(*state);
    struct schema *schema = sheet_infer(*state, s);
    struct vectoriser *v;
    struct dataset *d = frame_vectors(*state, schema, &s->frame, s->rows, 6400, s->y, &v), *turned;
    double *y = arena_copy(*state, s->y, 6400 * sizeof *y);
    y[345] = 1 - y[345];
    turned = frame_vectors(*state, schema, &s->frame, s->rows, 6400, y, &v);
    encoder_order_rates(*state, vectoriser_encoder(v), d, 5);
    encoder_order_rates(*state, vectoriser_encoder(v), turned, 5);
    size_t moved = 0, distinct = 0;
    for (size_t i = 0; i < 6400; i++) {
        struct row x = dataset_row(d, i), z = dataset_row(turned, i);
        bool same_level = i % 160 == 345 % 160;
        double change = fabs(x.val[0] - z.val[0]);
        assert_true(same_level ? i != 345 || change < 0.01 : change < 0.01); /* the base rate moves by a thousandth */
        moved += change >= 0.01;
        distinct += i >= 160 && fabs(x.val[0] - dataset_row(d, i - 160).val[0]) > 1e-9;
        assert_close(x.val[1], 1, 0);
    }
    assert_true(moved > 0 && moved < 40);
    assert_true(distinct > 5800);
}

/* Eq. 33: the products stand behind all other columns, and are listed where both factors are. */
static void multiplies_columns(void **state) {
    struct arena *a = *state;
    struct bench b = {0};
    const str text = str_format(
        a,
        "%.*s,\"interactions\":[{\"fields\":[\"Size\",\"Source\"],\"products\":[[\"Size\",\"Source=Google\"],"
        "[\"Size=?-1\",\"Source=Fair\"]]},{\"fields\":[\"Size\",\"Created\"],\"products\":[[\"Size\",\"Created\"]]},"
        "{\"fields\":[\"Size\",\"Size\"],\"products\":[[\"Size\",\"Size\"]]}]}",
        (int)(sizeof small - 2), small);
    b.schema = read_schema(a, str_cstr(a, text));
    assert_ok(encoder_new(a, b.schema, columns, COUNT(columns), &b.e));
    b.x = encoded_new(a, b.e);
    const struct products *p = encoder_products(b.e);
    const struct feature *f = encoder_features(b.e);
    assert_int_equal(p->n, 4);
    assert_int_equal(p->first + 4, encoder_width(b.e));
    assert_str(f[p->first].id, "Size × Source=Google");
    assert_str(f[p->first].label, "Size × Source is Google");
    assert_str(f[p->first + 3].id, "Size²");
    assert_int_equal(f[p->first + 2].slot, 1);
    assert_int_equal(f[p->first].use, COLUMN_LINEAR);
    encode(&b, "Google", "99", "yes", "Zoom", "2026-02-01");
    const double size = (log1p(99) - 2) / 0.5; /* 5.2: counts as 3 */
    assert_true(size > PRODUCT_LIMIT);
    assert_close(at(&b, "Size × Source=Google"), 3, 0);
    assert_close(at(&b, "Size × Created"), 3 * 0.1, 1e-15);
    assert_close(at(&b, "Size²"), 9, 0);
    assert_true(isnan(at(&b, "Size=?-1 × Source=Fair")));
    encode(&b, "Fair", "-1", "yes", "Zoom", "2026-02-01");
    assert_close(at(&b, "Size=?-1 × Source=Fair"), 1, 0);
    assert_true(isnan(at(&b, "Size²")) && isnan(at(&b, "Size × Created")));
    encode(&b, "Google", "9", "yes", "Zoom", "");
    assert_close(at(&b, "Size × Source=Google"), (log1p(9) - 2) / 0.5, 1e-15);
    for (size_t k = 1; k < b.x->row.n; k++)
        assert_true(b.x->row.col[k] > b.x->row.col[k - 1]);
}

static void products_of_no_column_are_refused(void **state) {
    static const char *const bad[] = {"\"Size\",\"Source=Nobody\"", "\"Source=Fair\",\"Size\"", "\"Size\",\"Opt in=yes\""};
    struct encoder *e;
    for (size_t i = 0; i < COUNT(bad); i++) {
        const str text =
            str_format(*state, "%.*s,\"interactions\":[{\"fields\":[\"Size\",\"Source\"],\"products\":[[%s]]}]}",
                       (int)(sizeof small - 2), small, bad[i]);
        struct schema *s = read_schema(*state, str_cstr(*state, text));
        assert_fails(encoder_new(*state, s, columns, COUNT(columns), &e), ERR_INPUT, "schema_interaction");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(lays_columns_out_by_field),
        ARENA_TEST(encodes_known_values),
        ARENA_TEST(knows_spellings),
        ARENA_TEST(tells_missing_unseen_and_invalid_apart),
        ARENA_TEST(a_file_may_lack_columns),
        ARENA_TEST(any_row_is_well_formed),
        ARENA_TEST(standardises_training_rows),
        ARENA_TEST(lists_rates_of_many_levels),
        ARENA_TEST(training_rows_do_not_see_themselves),
        ARENA_TEST(multiplies_columns),
        ARENA_TEST(products_of_no_column_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
