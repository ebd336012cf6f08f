/* topics.c — words of texts, topics of a text under a model, and the stored model. */
#include "text/topics_priv.h"

#include "base/asset.h"
#include "ml/stored.h"
#include "text/envelope_priv.h"
#include "text/fold.h"

#include <math.h>

enum { MIN_WORD_BYTE = 3, EM_STEPS = 60, TEXT_TOKENS = TOPICS_TEXT_BYTE / 4 };

static const str magic = STR_INIT("galena-topics");

/* ---- words ---- */

void word_list_init(struct word_list *l, struct arena *a) {
    *l = (struct word_list){.arena = a, .mask = 1023};
    l->slot = ARENA_ARRAY(a, l->mask + 1, uint32_t);
}

static size_t slot_of(const struct word_list *l, str word) {
    size_t at = str_hash(word) & l->mask;
    while (l->slot[at] && !str_equal(l->word[l->slot[at] - 1], word))
        at = (at + 1) & l->mask;
    return at;
}

uint32_t word_list_find(const struct word_list *l, str word) {
    const uint32_t found = l->slot[slot_of(l, word)];
    return found ? found - 1 : WORD_UNKNOWN;
}

uint32_t word_list_add(struct word_list *l, str word) {
    size_t at = slot_of(l, word);
    if (l->slot[at])
        return l->slot[at] - 1;
    if (l->n == l->cap)
        l->word = arena_grow(l->arena, l->word, &l->cap, l->n + 1, sizeof *l->word);
    l->word[l->n++] = str_copy(l->arena, word);
    l->slot[at] = (uint32_t)l->n;
    if (l->n * 2 > l->mask) {
        l->mask = l->mask * 2 + 1;
        l->slot = ARENA_ARRAY(l->arena, l->mask + 1, uint32_t);
        for (size_t i = 0; i < l->n; i++)
            l->slot[slot_of(l, l->word[i])] = (uint32_t)i + 1;
    }
    return (uint32_t)l->n - 1;
}

void word_reader_init(struct word_reader *r, struct arena *a) {
    str list = asset_get(STR("lexicons/stopwords.txt")), line, word;
    word_list_init(&r->stop, a);
    r->folded = arena_alloc(a, TOPICS_TEXT_BYTE);
    while (str_split(&list, '\n', &line))
        while (line.len > 0 && line.ptr[0] != '#' && str_split(&line, ' ', &word))
            word_list_add(&r->stop, word);
}

void word_reader_begin(struct word_reader *r, str text) {
    r->rest = (str){r->folded, text_fold(str_slice(text, 0, TOPICS_TEXT_BYTE), r->folded, TOPICS_TEXT_BYTE)};
}

static bool worth_counting(const struct word_reader *r, str word) {
    if (word.len < MIN_WORD_BYTE || word.len > TOPICS_WORD_BYTE)
        return false;
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] >= '0' && word.ptr[i] <= '9')
            return false;
    return word_list_find(&r->stop, word) == WORD_UNKNOWN;
}

bool word_reader_next(struct word_reader *r, str *word) {
    while (r->rest.len > 0 && str_split(&r->rest, ' ', word))
        if (worth_counting(r, *word))
            return true;
    return false;
}

/* ---- topics of a text ---- */

struct topics_reader {
    const struct topics *topics;
    struct word_reader words;
    uint32_t *word, *count;
    double *next;
    size_t n;
    uint32_t *times; /* of each word; zeros between texts */
};

struct topics_reader *topics_reader_new(struct arena *a, const struct topics *t) {
    struct topics_reader *r = ARENA_NEW(a, struct topics_reader);
    r->topics = t;
    word_reader_init(&r->words, a);
    r->word = ARENA_ARRAY(a, TEXT_TOKENS, uint32_t);
    r->count = ARENA_ARRAY(a, TEXT_TOKENS, uint32_t);
    r->times = ARENA_ARRAY(a, t->n_word, uint32_t);
    r->next = ARENA_ARRAY(a, t->k, double);
    return r;
}

static void count_words(struct topics_reader *r, const str *part, size_t n_part) {
    str word;
    r->n = 0;
    for (size_t i = 0; i < n_part; i++) {
        word_reader_begin(&r->words, part[i]);
        while (word_reader_next(&r->words, &word)) {
            const uint32_t w = word_list_find(&r->topics->words, word);
            if (w == WORD_UNKNOWN || (r->times[w] == 0 && r->n == TEXT_TOKENS))
                continue;
            if (r->times[w]++ == 0)
                r->word[r->n++] = w;
        }
    }
    for (size_t i = 0; i < r->n; i++) {
        r->count[i] = r->times[r->word[i]];
        r->times[r->word[i]] = 0;
    }
}

/* One step: each word's topics under p, added up. Returns how far p moved. */
static double step(struct topics_reader *r, double *p) {
    const struct topics *t = r->topics;
    double total = 0, moved = 0;
    for (size_t k = 0; k < t->k; k++)
        r->next[k] = t->alpha;
    for (size_t i = 0; i < r->n; i++) {
        const double *phi = t->phi + (size_t)r->word[i] * t->k;
        double sum = 0;
        for (size_t k = 0; k < t->k; k++)
            sum += phi[k] * p[k];
        const double scale = sum > 1e-200 ? r->count[i] / sum : 0;
        for (size_t k = 0; k < t->k; k++)
            r->next[k] += phi[k] * p[k] * scale;
    }
    for (size_t k = 0; k < t->k; k++)
        total += r->next[k];
    for (size_t k = 0; k < t->k; k++) {
        moved += fabs(r->next[k] / total - p[k]);
        p[k] = r->next[k] / total;
    }
    return moved;
}

size_t topics_infer(struct topics_reader *r, const str *part, size_t n_part, double *p) {
    const struct topics *t = r->topics;
    size_t best = 0;
    count_words(r, part, n_part);
    for (size_t k = 0; k < t->k; k++)
        p[k] = r->n > 0 ? 1 / (double)t->k : t->share[k];
    for (unsigned i = 0; r->n > 0 && i < EM_STEPS && step(r, p) > 1e-6; i++)
        continue;
    for (size_t k = 1; k < t->k; k++)
        best = p[k] > p[best] ? k : best;
    return best;
}

/* ---- telling ---- */

size_t topics_count(const struct topics *t) { return t->k; }
size_t topics_words(const struct topics *t) { return t->n_word; }
double topics_share(const struct topics *t, size_t topic) { return t->share[topic]; }

size_t topics_top_words(const struct topics *t, size_t topic, size_t n, str *word) {
    double above = INFINITY;
    uint32_t last = 0;
    size_t found = 0;
    for (; found < n && found < t->n_word; found++) { /* the next in the order of probability, then of number */
        uint32_t best = WORD_UNKNOWN;
        for (uint32_t w = 0; w < t->n_word; w++) {
            const double p = t->phi[w * t->k + topic];
            const bool later = p < above || (p == above && w > last);
            if (later && (best == WORD_UNKNOWN || p > t->phi[best * t->k + topic]))
                best = w;
        }
        if (best == WORD_UNKNOWN)
            break;
        above = t->phi[best * t->k + topic];
        last = best;
        word[found] = t->words.word[best];
    }
    return found;
}

/* ---- storage ---- */

static void write_document(struct json_writer *w, const struct topics *t) {
    json_open_object(w);
    json_put_integer(w, STR("topics"), (int64_t)t->k);
    json_put_number(w, STR("alpha"), t->alpha);
    json_put_numbers(w, STR("share"), t->share, t->k);
    json_key(w, STR("words"));
    json_open_array(w);
    for (size_t i = 0; i < t->n_word; i++)
        json_string(w, t->words.word[i]);
    json_close_array(w);
    json_put_numbers(w, STR("phi"), t->phi, t->n_word * t->k);
    json_close_object(w);
}

err topics_save(const struct topics *t, struct buf *out) {
    struct buf body;
    struct json_writer w;
    buf_init(&body, TOPICS_MODEL_BYTE);
    json_write_begin(&w, &body, 0);
    write_document(&w, t);
    buf_add_byte(&body, '\n');
    err rc = buf_check(&body);
    if (rc == OK)
        rc = envelope_write(out, magic, TOPICS_VERSION, buf_str(&body));
    buf_done(&body);
    return rc;
}

static err read_words(const struct json *v, struct arena *a, struct topics *t) {
    const struct json *list = json_get(v, STR("words"));
    if (!list || list->type != JSON_ARRAY || list->count == 0 || list->count > TOPICS_WORD_MAX)
        return stored_bad("\"words\" is not a list of 1 to %d words", TOPICS_WORD_MAX);
    word_list_init(&t->words, a);
    for (size_t i = 0; i < list->count; i++) {
        const struct json *item = &list->items[i];
        if (item->type != JSON_STRING || item->string.len == 0 || item->string.len > TOPICS_WORD_BYTE ||
            word_list_add(&t->words, item->string) != i)
            return stored_bad("a word is too long or there twice");
    }
    t->n_word = list->count;
    return OK;
}

static err read_document(const struct json *v, struct arena *a, struct topics *t) {
    TRY(stored_read_count(v, STR("topics"), &t->k));
    if (t->k < 2 || t->k > TOPICS_MAX)
        return stored_bad("\"topics\" is not 2 to %d", TOPICS_MAX);
    TRY(stored_read_number(v, STR("alpha"), &t->alpha));
    TRY(read_words(v, a, t));
    const struct json *phi = json_get(v, STR("phi"));
    if (!phi || phi->type != JSON_ARRAY || phi->count != t->n_word * t->k)
        return stored_bad("\"phi\" does not fit the words and topics");
    t->share = ARENA_ARRAY(a, t->k, double);
    t->phi = ARENA_ARRAY(a, t->n_word * t->k, double);
    TRY(stored_read_numbers(v, STR("share"), t->k, t->share));
    TRY(stored_read_numbers(v, STR("phi"), t->n_word * t->k, t->phi));
    bool good = t->alpha > 0 && t->alpha <= 1e6;
    for (size_t i = 0; i < t->k; i++)
        good = good && t->share[i] >= 0 && t->share[i] <= 1;
    for (size_t i = 0; i < t->n_word * t->k; i++)
        good = good && t->phi[i] >= 0 && t->phi[i] <= 1;
    return good ? OK : stored_bad("a probability is out of range");
}

err topics_load(struct arena *a, str bytes, struct topics **out) {
    str body;
    const struct json *v;
    struct topics *t = ARENA_NEW(a, struct topics);
    TRY(envelope_open(bytes, magic, TOPICS_VERSION, &body));
    const struct json_limits limits = {.max_byte = TOPICS_MODEL_BYTE, .max_depth = 4, .max_value = (size_t)32 << 20};
    if (json_parse(a, body, &limits, &v) != OK)
        return fail(ERR_CORRUPT, "model_corrupt", "stored model: the document is no JSON that this program writes");
    TRY(read_document(v, a, t));
    *out = t;
    return OK;
}
