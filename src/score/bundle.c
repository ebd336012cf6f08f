/* bundle.c — the model file: a checksummed JSON document, written and read back with suspicion. */
#include "score/bundle.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/number.h"
#include "ml/bayesian.h"
#include "ml/gbdt.h"
#include "ml/logistic.h"
#include "ml/naive_bayes.h"
#include "ml/subscore.h"

#include <math.h>

enum { BUNDLE_MAX_BYTE = 512 << 20, BUNDLE_MAX_TERM = 20000 };

/* Bounds that no honest model comes near, and that keep every sum finite. */
static const double max_weight = 1e6, max_number = 1e100;

static const str magic = STR_INIT(BUNDLE_MAGIC);

static const struct model_family *const families[] = {&logistic_family, &naive_bayes_family, &subscore_family, &gbdt_family,
                                                      &bayesian_family};

const struct model_family *family_find(str name) {
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (str_equal(str_from(families[i]->name), name))
            return families[i];
    return NULL;
}

size_t bundle_first_interaction(const struct bundle *b) { return b->n_term - b->schema->n_interaction; }

str bundle_term_title(const struct bundle *b, size_t term) {
    static const str section_titles[SECTION_COUNT] = {STR_INIT("Firmographic fit"), STR_INIT("Technographic fit"),
                                                      STR_INIT("Demographic fit"), STR_INIT("Event score"),
                                                      STR_INIT("Behaviour score")};
    if (term >= bundle_first_interaction(b))
        return b->schema->interaction[term - bundle_first_interaction(b)].title;
    if (term >= b->schema->n_field)
        return section_titles[term - b->schema->n_field];
    const struct field *f = &b->schema->field[term];
    return f->title.len > 0 ? f->title : f->name;
}

str bundle_term_group(const struct bundle *b, size_t term) {
    if (term >= bundle_first_interaction(b))
        return STR("interaction");
    return term >= b->schema->n_field ? STR("profile") : b->schema->field[term].group;
}

static void checksum(str bytes, char hex[HASH_HEX_BYTE + 1]) {
    struct hash h;
    unsigned char digest[HASH_BYTE];
    hash_begin(&h);
    hash_add(&h, bytes);
    hash_end(&h, digest);
    hash_to_hex(digest, hex);
}

/* ---- writing ---- */

static void write_members(struct json_writer *w, const struct bundle *b) {
    json_key(w, STR("members"));
    json_open_array(w);
    for (size_t i = 0; i < b->n_member; i++) {
        json_open_object(w);
        json_put_string(w, STR("family"), str_from(b->member[i].family->name));
        json_put_number(w, STR("weight"), b->member[i].weight);
        json_key(w, STR("model"));
        b->member[i].family->save(b->member[i].model, w);
        json_close_object(w);
    }
    json_close_array(w);
}

static void write_columns(struct json_writer *w, const struct bundle *b) {
    json_key(w, STR("term_of_column"));
    json_open_array(w);
    for (size_t c = 0; c < b->n_column; c++)
        json_integer(w, b->term_of_column[c]);
    json_close_array(w);
    json_put_numbers(w, STR("importance"), b->importance, b->n_term);
    json_put_numbers(w, STR("imputation"), b->imputation, b->n_term);
}

static void write_document(struct json_writer *w, const struct bundle *b) {
    json_open_object(w);
    json_put_string(w, STR("name"), b->name);
    json_put_string(w, STR("family"), b->family);
    json_put_string(w, STR("program"), b->program);
    json_put_integer(w, STR("created_ms"), b->created_ms);
    json_put_integer(w, STR("seed"), (int64_t)b->seed);
    json_put_bool(w, STR("no_signal"), b->no_signal);
    json_put_number(w, STR("base_rate"), b->base_rate);
    json_put_number(w, STR("hot"), b->hot);
    json_put_number(w, STR("warm"), b->warm);
    json_key(w, STR("lineage"));
    json_value(w, b->lineage);
    json_key(w, STR("schema"));
    schema_to_json(w, b->schema);
    json_key(w, STR("profile"));
    if (b->profile)
        profile_to_json(w, b->profile);
    else
        json_null(w);
    write_columns(w, b);
    json_put_number(w, STR("intercept"), b->intercept);
    json_put_number(w, STR("spread_scale"), b->spread_scale);
    json_put_number(w, STR("excess"), b->excess);
    json_key(w, STR("calibration"));
    calibration_save(b->calibration, w);
    write_members(w, b);
    json_close_object(w);
}

err bundle_write(const struct bundle *b, struct buf *out) {
    struct buf body;
    buf_init(&body, BUNDLE_MAX_BYTE);
    struct json_writer w;
    json_write_begin(&w, &body, 0);
    write_document(&w, b);
    buf_add_byte(&body, '\n');
    err rc = buf_check(&body);
    if (rc == OK) {
        char hex[HASH_HEX_BYTE + 1];
        checksum(buf_str(&body), hex);
        buf_add_format(out, "%.*s%d %s %zu\n", STR_ARG(magic), BUNDLE_VERSION, hex, body.len);
        buf_add(out, buf_str(&body));
        rc = buf_check(out);
    }
    buf_done(&body);
    return rc;
}

/* ---- reading ---- */

static err damaged(const char *what) { return fail(ERR_CORRUPT, "model_damaged", "the model's %s cannot be right", what); }

/* Splits the first line off and checks version, length and checksum. *body is the JSON document. */
static err open_envelope(str bytes, str *body) {
    if (!str_starts(bytes, magic))
        return fail(ERR_INPUT, "model_not_a_model", "this is not a galena model: it does not begin with \"galena-model\"");
    str rest = str_slice(bytes, magic.len, bytes.len), line, word[3] = {{0}};
    if (!str_split(&rest, '\n', &line) || !rest.ptr)
        return fail(ERR_CORRUPT, "model_cut", "the model file ends within its first line");
    size_t n = 0;
    while (n < 3 && str_split(&line, ' ', &word[n]))
        n++;
    int64_t version, length;
    if (n < 3 || !number_parse_integer(word[0], &version) || !number_parse_integer(word[2], &length))
        return damaged("first line");
    if (version > BUNDLE_VERSION)
        return fail(ERR_INPUT, "model_newer",
                    "this model has format version %lld, made by a later galena; this one reads up to %d",
                    (long long)version, BUNDLE_VERSION);
    if (length < 0 || rest.len < (size_t)length)
        return fail(ERR_CORRUPT, "model_cut", "the model file is cut: it holds %zu of %lld bytes", rest.len,
                    (long long)length);
    char hex[HASH_HEX_BYTE + 1];
    checksum(rest, hex);
    if (version < 1 || rest.len != (size_t)length || !str_equal(word[1], str_from(hex)))
        return fail(ERR_CORRUPT, "model_checksum",
                    "the model file was altered: its checksum does not match; use the original file");
    *body = rest;
    return OK;
}

static err read_member(struct arena *a, const struct json *v, struct bundle *b) {
    str name;
    const struct json *model;
    struct bundle_member *m = &b->member[b->n_member];
    TRY(json_get_string(v, STR("family"), &name));
    TRY(json_get_number(v, STR("weight"), &m->weight));
    TRY(json_get_object(v, STR("model"), &model));
    m->family = family_find(name);
    if (!m->family || !(m->weight >= 0 && m->weight <= max_weight))
        return damaged("member list");
    struct model *loaded;
    TRY(m->family->load(a, model, b->n_column, &loaded));
    m->model = loaded;
    b->n_member++;
    return OK;
}

static err read_members(struct arena *a, const struct json *v, struct bundle *b) {
    const struct json *list;
    TRY(json_get_array(v, STR("members"), &list));
    if (list->count > BUNDLE_MAX_MEMBER)
        return damaged("member count");
    for (uint32_t i = 0; i < list->count; i++)
        TRY(read_member(a, &list->items[i], b));
    return OK;
}

static err read_columns(struct arena *a, const struct json *v, struct bundle *b) {
    const struct json *list;
    TRY(json_get_array(v, STR("term_of_column"), &list));
    b->n_column = list->count;
    b->n_term = b->schema->n_field + (b->profile ? SECTION_COUNT : 0) + b->schema->n_interaction;
    uint32_t *term = ARENA_ARRAY(a, b->n_column, uint32_t);
    for (uint32_t c = 0; c < list->count; c++) {
        const struct json *item = &list->items[c];
        if (item->type != JSON_INTEGER || item->integer < 0 || (uint64_t)item->integer >= b->n_term)
            return damaged("column list");
        term[c] = (uint32_t)item->integer;
    }
    b->term_of_column = term;
    double *importance, *imputation;
    size_t n_importance, n_imputation;
    TRY(json_get_numbers(a, v, STR("importance"), &importance, &n_importance));
    TRY(json_get_numbers(a, v, STR("imputation"), &imputation, &n_imputation));
    if (n_importance != b->n_term || n_imputation != b->n_term || b->n_term > BUNDLE_MAX_TERM)
        return damaged("term lists");
    for (size_t t = 0; t < b->n_term; t++)
        if (!(importance[t] >= 0 && importance[t] <= max_number && imputation[t] >= 0 && imputation[t] <= max_number))
            return damaged("term lists");
    b->importance = importance;
    b->imputation = imputation;
    return OK;
}

static err read_head(const struct json *v, struct bundle *b) {
    int64_t seed;
    TRY(json_get_string(v, STR("name"), &b->name));
    TRY(json_get_string(v, STR("family"), &b->family));
    TRY(json_get_string(v, STR("program"), &b->program));
    TRY(json_get_integer(v, STR("created_ms"), &b->created_ms));
    TRY(json_get_integer(v, STR("seed"), &seed));
    b->seed = (uint64_t)seed;
    TRY(json_get_bool(v, STR("no_signal"), &b->no_signal));
    TRY(json_get_number(v, STR("base_rate"), &b->base_rate));
    TRY(json_get_number(v, STR("hot"), &b->hot));
    TRY(json_get_number(v, STR("warm"), &b->warm));
    TRY(json_get_object(v, STR("lineage"), &b->lineage));
    TRY(json_get_number(v, STR("spread_scale"), &b->spread_scale));
    TRY(json_get_number(v, STR("excess"), &b->excess));
    if (!(b->spread_scale > 0 && b->spread_scale <= 1e6) || !(b->excess >= 0 && b->excess <= 1e6))
        return damaged("spread");
    TRY(json_get_number(v, STR("intercept"), &b->intercept));
    if (!(b->base_rate >= 0 && b->base_rate <= 1 && b->hot >= 0 && b->hot <= 1 && b->warm >= 0 && b->warm <= 1))
        return damaged("base rate or tiers");
    return fabs(b->intercept) <= max_number ? OK : damaged("intercept");
}

static err read_document(struct arena *a, const struct json *v, struct bundle *b) {
    TRY(read_head(v, b));
    const struct json *schema, *calibration;
    TRY(json_get_object(v, STR("schema"), &schema));
    struct schema *s;
    TRY(schema_from_json(a, schema, &s));
    for (size_t f = 0; f < s->n_field; f++)
        if (field_is_used(&s->field[f]) && !s->field[f].fitted)
            return damaged("schema");
    b->schema = s;
    const struct json *profile = json_get(v, STR("profile"));
    if (profile && profile->type != JSON_NULL) {
        struct profile *p;
        TRY(profile_from_json(a, profile, &p));
        b->profile = p;
    }
    TRY(read_columns(a, v, b));
    TRY(json_get_object(v, STR("calibration"), &calibration));
    struct calibration *c = ARENA_NEW(a, struct calibration);
    TRY(calibration_load(a, calibration, c));
    b->calibration = c;
    return read_members(a, v, b);
}

err bundle_read(struct arena *a, str bytes, struct bundle **out) {
    str body;
    TRY(open_envelope(bytes, &body));
    const struct json *v;
    const struct json_limits limits = {.max_byte = BUNDLE_MAX_BYTE, .max_value = 100u << 20};
    struct bundle *b = ARENA_NEW(a, struct bundle);
    err rc = json_parse(a, body, &limits, &v);
    if (rc == OK)
        rc = read_document(a, v, b);
    if (rc == ERR_INPUT || rc == ERR_ABSENT || rc == ERR_LIMIT) /* our own data: a fault in it is damage, not bad input */
        return fail(ERR_CORRUPT, "model_damaged", "the model is damaged: %s", err_text());
    TRY(rc);
    *out = b;
    return OK;
}

err bundle_load(struct arena *a, const char *path, struct bundle **out) {
    str bytes;
    TRY(file_read_all(a, path, BUNDLE_MAX_BYTE, &bytes));
    err rc = bundle_read(a, bytes, out);
    if (rc != OK)
        return err_prefix(rc, "%s", path);
    (*out)->path = str_copy(a, str_from(path));
    return OK;
}
