/* classifier.c — texts as sparse numbers, probabilities from them, and the stored model. */
#include "text/classifier_priv.h"

#include "ml/stored.h"
#include "text/envelope_priv.h"
#include "text/sentiment.h"

#include <math.h>

static const str magic = STR_INIT("galena-text");

/* ---- vocabulary ---- */

void vocabulary_index(struct arena *a, struct vocabulary *v) {
    uint32_t size = 64;
    while (size < v->n * 2 + 1)
        size *= 2;
    v->slot = ARENA_ARRAY(a, size, uint32_t);
    v->mask = size - 1;
    for (uint32_t i = 0; i < v->n; i++) {
        uint32_t at = v->hash[i] & v->mask;
        while (v->slot[at])
            at = (at + 1) & v->mask;
        v->slot[at] = i + 1;
    }
}

uint32_t vocabulary_find(const struct vocabulary *v, uint32_t hash) {
    for (uint32_t at = hash & v->mask; v->slot[at]; at = (at + 1) & v->mask)
        if (v->hash[v->slot[at] - 1] == hash)
            return v->slot[at] - 1;
    return VOCABULARY_NONE;
}

/* ---- texts as numbers ---- */

struct vectors *vectors_new(struct arena *a, const struct vocabulary *v, const struct lexicon *lexicon) {
    struct vectors *x = ARENA_NEW(a, struct vectors);
    x->vocabulary = v;
    x->features = features_new(a, lexicon);
    x->count = ARENA_ARRAY(a, v->n, uint32_t);
    x->row.index = ARENA_ARRAY(a, FEATURE_MAX, uint32_t);
    x->row.value = ARENA_ARRAY(a, FEATURE_MAX, float);
    return x;
}

const struct sparse *vectors_make(struct vectors *v, str text, str entity) {
    const struct vocabulary *known = v->vocabulary;
    struct sparse *row = &v->row;
    double square[FEATURE_KINDS] = {0};
    row->n = 0;
    features_collect(v->features, text, entity);
    for (size_t i = 0; i < v->features->n; i++) {
        const uint32_t at = vocabulary_find(known, v->features->hash[i]);
        if (at != VOCABULARY_NONE && v->count[at]++ == 0)
            row->index[row->n++] = at;
    }
    for (size_t i = 0; i < row->n; i++) {
        const uint32_t at = row->index[i];
        const double x = (1 + log(v->count[at])) * known->idf[at];
        v->count[at] = 0;
        row->value[i] = (float)x;
        square[feature_kind(known->hash[at])] += x * x;
    }
    for (size_t i = 0; i < row->n; i++)
        row->value[i] /= (float)sqrt(square[feature_kind(known->hash[row->index[i]])]);
    return row;
}

/* ---- probabilities ---- */

void text_logits(const double *weight, const double *intercept, size_t k, const uint32_t *index, const float *value,
                 size_t n, double *z) {
    memcpy(z, intercept, k * sizeof *z);
    for (size_t i = 0; i < n; i++) {
        const double *w = weight + (size_t)index[i] * k, x = value[i];
        for (size_t c = 0; c < k; c++)
            z[c] += x * w[c];
    }
}

void text_softmax(double *z, size_t k) {
    double top = z[0], sum = 0;
    for (size_t c = 1; c < k; c++)
        top = z[c] > top ? z[c] : top;
    for (size_t c = 0; c < k; c++)
        sum += z[c] = exp(z[c] - top);
    for (size_t c = 0; c < k; c++)
        z[c] /= sum;
}

size_t text_calibrate(const struct text_calibration *c, const double *z, size_t k, double *p) {
    size_t best = 0;
    for (size_t i = 0; i < k; i++)
        p[i] = c->scale * z[i] + c->shift[i];
    text_softmax(p, k);
    for (size_t i = 1; i < k; i++)
        best = p[i] > p[best] ? i : best;
    return best;
}

struct text_reader {
    const struct text_classifier *classifier;
    struct vectors *vectors;
    double *z;
};

struct text_reader *text_reader_new(struct arena *a, const struct text_classifier *c) {
    struct text_reader *r = ARENA_NEW(a, struct text_reader);
    r->classifier = c;
    r->vectors = vectors_new(a, &c->vocabulary, c->lexicon);
    r->z = ARENA_ARRAY(a, c->n_label, double);
    return r;
}

size_t text_classifier_predict(struct text_reader *r, str text, str entity, double *p) {
    const struct text_classifier *c = r->classifier;
    const struct sparse *row = vectors_make(r->vectors, text, c->entity ? entity : (str){0});
    text_logits(c->weight, c->intercept, c->n_label, row->index, row->value, row->n, r->z);
    return text_calibrate(&c->calibration, r->z, c->n_label, p);
}

const str *text_classifier_labels(const struct text_classifier *c, size_t *n) {
    *n = c->n_label;
    return c->label;
}

bool text_classifier_has_entity(const struct text_classifier *c) { return c->entity; }

/* ---- storage ---- */

static void write_document(struct json_writer *w, const struct text_classifier *c) {
    const size_t k = c->n_label, n = c->vocabulary.n;
    json_open_object(w);
    json_key(w, STR("labels"));
    json_open_array(w);
    for (size_t i = 0; i < k; i++)
        json_string(w, c->label[i]);
    json_close_array(w);
    json_put_bool(w, STR("entity"), c->entity);
    json_put_bool(w, STR("senses"), c->senses);
    json_put_number(w, STR("scale"), c->calibration.scale);
    json_put_numbers(w, STR("shift"), c->calibration.shift, k);
    json_put_numbers(w, STR("intercept"), c->intercept, k);
    json_put_integer(w, STR("features"), (int64_t)n);
    stored_write_indices(w, STR("hash"), c->vocabulary.hash, n);
    json_put_numbers(w, STR("idf"), c->vocabulary.idf, n);
    json_put_numbers(w, STR("weight"), c->weight, n * k);
    json_close_object(w);
}

err text_classifier_save(const struct text_classifier *c, struct buf *out) {
    struct buf body;
    struct json_writer w;
    buf_init(&body, TEXT_MODEL_BYTE);
    json_write_begin(&w, &body, 0);
    write_document(&w, c);
    buf_add_byte(&body, '\n');
    err rc = buf_check(&body);
    if (rc == OK)
        rc = envelope_write(out, magic, CLASSIFIER_VERSION, buf_str(&body));
    buf_done(&body);
    return rc;
}

static err read_labels(struct arena *a, const struct json *v, struct text_classifier *c) {
    const struct json *list = json_get(v, STR("labels"));
    if (!list || list->type != JSON_ARRAY || list->count < 2 || list->count > TEXT_LABEL_MAX)
        return stored_bad("\"labels\" is not a list of 2 to %d labels", TEXT_LABEL_MAX);
    c->n_label = list->count;
    c->label = ARENA_ARRAY(a, c->n_label, str);
    for (size_t i = 0; i < c->n_label; i++) {
        const struct json *item = &list->items[i];
        if (item->type != JSON_STRING || item->string.len > TEXT_LABEL_BYTE ||
            (i > 0 && str_compare(c->label[i - 1], item->string) >= 0))
            return stored_bad("the labels are not texts in order");
        c->label[i] = item->string;
    }
    return OK;
}

static err read_flag(const struct json *v, str key, bool *out) {
    const struct json *flag = json_get(v, key);
    if (!flag || flag->type != JSON_BOOL)
        return stored_bad("\"%.*s\" is not true or false", STR_ARG(key));
    *out = flag->boolean;
    return OK;
}

static err read_features(struct arena *a, const struct json *v, struct text_classifier *c) {
    size_t n, k;
    struct vocabulary *known = &c->vocabulary;
    TRY(stored_read_count(v, STR("features"), &n));
    const struct json *list = json_get(v, STR("hash"));
    if (n > TEXT_FEATURE_MAX || !list || list->type != JSON_ARRAY || list->count != n)
        return stored_bad("the number of features cannot be right");
    TRY(stored_read_indices(a, v, STR("hash"), UINT32_MAX, &known->hash, &k));
    known->n = n;
    const struct json *idf = json_get(v, STR("idf")), *weight = json_get(v, STR("weight"));
    if (!idf || idf->type != JSON_ARRAY || idf->count != n || !weight || weight->type != JSON_ARRAY ||
        weight->count != n * c->n_label)
        return stored_bad("the lists of features differ in length");
    known->idf = ARENA_ARRAY(a, n, double);
    c->weight = ARENA_ARRAY(a, n * c->n_label, double);
    TRY(stored_read_numbers(v, STR("idf"), n, known->idf));
    TRY(stored_read_numbers(v, STR("weight"), n * c->n_label, c->weight));
    for (size_t i = 0; i < n; i++)
        if (!(known->idf[i] >= 0.5 && known->idf[i] < 100))
            return stored_bad("a frequency of a feature is out of range");
    for (size_t i = 0; i < n * c->n_label; i++)
        if (fabs(c->weight[i]) > 1e6)
            return stored_bad("a weight is out of range");
    vocabulary_index(a, known);
    return OK;
}

static err read_document(struct arena *a, const struct json *v, struct text_classifier *c) {
    TRY(read_labels(a, v, c));
    TRY(read_flag(v, STR("entity"), &c->entity));
    TRY(read_flag(v, STR("senses"), &c->senses));
    c->intercept = ARENA_ARRAY(a, c->n_label, double);
    c->calibration.shift = ARENA_ARRAY(a, c->n_label, double);
    TRY(stored_read_number(v, STR("scale"), &c->calibration.scale));
    TRY(stored_read_numbers(v, STR("shift"), c->n_label, c->calibration.shift));
    TRY(stored_read_numbers(v, STR("intercept"), c->n_label, c->intercept));
    bool small = c->calibration.scale >= 0 && c->calibration.scale <= 1e6;
    for (size_t i = 0; i < c->n_label; i++)
        small = small && fabs(c->calibration.shift[i]) <= 1e6 && fabs(c->intercept[i]) <= 1e6;
    return small ? read_features(a, v, c) : stored_bad("the map to probabilities is out of range");
}

err text_classifier_load(struct arena *a, str bytes, struct text_classifier **out) {
    str body;
    const struct json *v;
    struct text_classifier *c = ARENA_NEW(a, struct text_classifier);
    TRY(envelope_open(bytes, magic, CLASSIFIER_VERSION, &body));
    const struct json_limits limits = {.max_byte = TEXT_MODEL_BYTE, .max_depth = 4, .max_value = (size_t)64 << 20};
    if (json_parse(a, body, &limits, &v) != OK)
        return fail(ERR_CORRUPT, "model_corrupt", "stored model: the document is no JSON that this program writes");
    TRY(read_document(a, v, c));
    if (c->senses)
        TRY(lexicon_load(a, &c->lexicon));
    *out = c;
    return OK;
}
