/* feature.c — folds a text, cuts it into words, and hashes words, pairs, runs of characters, and what stands around an
 * entity.
 */
#include "text/feature_priv.h"

#include "text/classifier.h"
#include "text/families_priv.h"
#include "text/fold.h"
#include "text/sentiment.h"

enum {
    ROOM = 64,
    WORD_MAX = TEXT_TEXT_BYTE / 2,
    RUN_WORD_BYTE = 48, /* runs are taken from so much of a word */
    RUN_MIN = 2,
    RUN_MAX = 5,
    NEAR = 3 /* words before and after the entity that count with their distance */
};

/* The entity as one word that no folded text contains by itself. */
static const str entity_word = STR_INIT("\x01");

struct features *features_new(struct arena *a, const struct lexicon *lexicon) {
    struct features *f = ARENA_NEW(a, struct features);
    f->folded = arena_alloc(a, TEXT_TEXT_BYTE * 2 + ROOM);
    f->word = ARENA_ARRAY(a, WORD_MAX, str);
    f->hash = ARENA_ARRAY(a, FEATURE_MAX, uint32_t);
    f->families = families_load(a);
    f->lexicon = lexicon;
    return f;
}

static void add(struct features *f, enum feature_kind kind, uint64_t hash) {
    if (f->n < FEATURE_MAX)
        f->hash[f->n++] = (uint32_t)kind << 30 | (uint32_t)(hash >> 34);
}

/* A hash that tells `role` from other roles of the same text. */
static uint64_t in_role(uint64_t hash, uint64_t role) {
    uint64_t h = (hash ^ role * 0x9E3779B97F4A7C15u) * 0xD6E8FEB86659FD93u;
    return (h ^ h >> 32) * 0xD6E8FEB86659FD93u;
}

static bool is_number(str w) {
    size_t digits = 0;
    for (size_t i = 0; i < w.len; i++)
        digits += w.ptr[i] >= '0' && w.ptr[i] <= '9';
    return digits * 2 > w.len;
}

static uint64_t word_hash(str w) { return is_number(w) ? str_hash(STR("0")) + (w.len == 4) : str_hash(w); }

/* Folds text[0..n) behind what is in the buffer; a blank separates. */
static size_t fold_part(struct features *f, size_t at, str part) {
    if (part.len == 0)
        return at;
    const size_t limit = TEXT_TEXT_BYTE;
    f->folded[at] = ' ';
    const size_t n = at + 1 < limit ? text_fold(part, f->folded + at + 1, limit - at - 1) : 0;
    return n > 0 ? at + 1 + n : at;
}

static bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c < 0; }

/* Where `entity` stands in text as a whole word from `from` on, without case; -1 when it does not. */
static ptrdiff_t find_entity(str text, str entity, size_t from) {
    while (entity.len > 0 && from + entity.len <= text.len) {
        const ptrdiff_t at = str_find_nocase(str_slice(text, from, text.len), entity);
        if (at < 0)
            return -1;
        const size_t begin = from + (size_t)at, end = begin + entity.len;
        if ((begin == 0 || !letter(text.ptr[begin - 1])) && (end == text.len || !letter(text.ptr[end])))
            return (ptrdiff_t)begin;
        from = begin + 1;
    }
    return -1;
}

/* The text folded, the entity in it as entity_word. */
static str fold_text(struct features *f, str text, str entity) {
    size_t from = 0, at = 0;
    ptrdiff_t found = -1;
    text = str_slice(text, 0, TEXT_TEXT_BYTE);
    while (entity.len > 0 && at + 2 < TEXT_TEXT_BYTE && (found = find_entity(text, entity, from)) >= 0) {
        at = fold_part(f, at, str_slice(text, from, (size_t)found));
        f->folded[at++] = ' ';
        f->folded[at++] = entity_word.ptr[0];
        from = (size_t)found + entity.len;
    }
    at = fold_part(f, at, str_slice(text, from, text.len));
    f->folded[at] = ' '; /* a blank on both ends, so that runs see where words begin and end */
    return (str){f->folded, at + 1};
}

static void cut_words(struct features *f, str folded) {
    f->n_word = 0;
    for (size_t i = 0; i < folded.len && f->n_word < WORD_MAX;) {
        const size_t begin = i;
        while (i < folded.len && folded.ptr[i] != ' ')
            i++;
        if (i > begin)
            f->word[f->n_word++] = str_slice(folded, begin, i);
        i++;
    }
}

static void add_words(struct features *f) {
    uint64_t before = str_hash(STR("<"));
    for (size_t i = 0; i <= f->n_word; i++) {
        const uint64_t h = i < f->n_word ? word_hash(f->word[i]) : str_hash(STR(">"));
        if (i < f->n_word)
            add(f, FEATURE_WORD, in_role(h, 1));
        add(f, FEATURE_WORD, in_role(before * 31 + h, 2));
        before = h;
    }
}

/* Runs of RUN_MIN to RUN_MAX characters of one word with the blanks around it. */
static void add_runs(struct features *f, str word) {
    size_t start[RUN_WORD_BYTE + 3], n = 0;
    const char *p = word.ptr - 1;
    const size_t len = (word.len < RUN_WORD_BYTE ? word.len : RUN_WORD_BYTE) + 2;
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)p[i] & 0xC0) != 0x80)
            start[n++] = i;
    start[n] = len;
    for (size_t i = 0; i < n; i++)
        for (size_t k = RUN_MIN; k <= RUN_MAX && i + k <= n; k++)
            add(f, FEATURE_RUN, in_role(str_hash((str){p + start[i], start[i + k] - start[i]}), 3));
}

static bool is_entity(str w) { return str_equal(w, entity_word); }

static bool ends_clause(str w) {
    static const str words[] = {STR_INIT("but"),     STR_INIT("while"),  STR_INIT("whereas"), STR_INIT("although"),
                                STR_INIT("however"), STR_INIT("though"), STR_INIT("as"),      STR_INIT("despite"),
                                STR_INIT("amid"),    STR_INIT("even")};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_equal(w, words[i]))
            return true;
    return false;
}

/* Words of the entity's clause by side, the nearest ones by distance, and pairs next to the entity. */
static void add_around(struct features *f, size_t at) {
    bool open = true;
    for (size_t i = at; i-- > 0 && at - i <= 24;) {
        const uint64_t h = word_hash(f->word[i]);
        if (at - i <= NEAR)
            add(f, FEATURE_PLACE, in_role(h, 10 + (at - i)));
        open = open && !ends_clause(f->word[i]);
        add(f, FEATURE_PLACE, in_role(h, open ? 20 : 21));
        if (i + 1 < at)
            add(f, FEATURE_PLACE, in_role(h * 31 + word_hash(f->word[i + 1]), open ? 24 : 25));
    }
    open = true;
    for (size_t i = at + 1; i < f->n_word && i - at <= 24; i++) {
        const uint64_t h = word_hash(f->word[i]);
        if (i - at <= NEAR)
            add(f, FEATURE_PLACE, in_role(h, 14 + (i - at)));
        open = open && !ends_clause(f->word[i]);
        add(f, FEATURE_PLACE, in_role(h, open ? 22 : 23));
        if (i > at + 1)
            add(f, FEATURE_PLACE, in_role(h + 31 * word_hash(f->word[i - 1]), open ? 26 : 27));
    }
}

static void add_places(struct features *f) {
    for (size_t i = 0; i < f->n_word; i++)
        if (is_entity(f->word[i])) {
            add_around(f, i);
            return;
        }
}

static void add_senses(struct features *f, str text, str entity) {
    uint32_t sense[SENTIMENT_SENSE_MAX];
    const size_t n = sentiment_senses(f->lexicon, text, entity, sense);
    for (size_t i = 0; i < n; i++)
        add(f, FEATURE_SENSE, in_role(sense[i], 4));
}

/* Families of words by themselves, in a row, and at both ends. */
static void add_families(struct features *f) {
    uint32_t before = 0, last = 0;
    for (size_t i = 0; i < f->n_word; i++) {
        const uint32_t bits = families_of(f->families, f->word[i]);
        if (!bits)
            continue;
        for (uint32_t rest = bits; rest; rest &= rest - 1)
            add(f, FEATURE_SENSE, in_role((uint32_t)__builtin_ctz(rest), 5));
        add(f, FEATURE_SENSE, before ? in_role((uint64_t)before << 32 | bits, 6) : in_role(bits, 7));
        before = last = bits;
    }
    if (last)
        add(f, FEATURE_SENSE, in_role(last, 8));
}

void features_collect(struct features *f, str text, str entity) {
    f->n = 0;
    cut_words(f, fold_text(f, text, entity));
    add_words(f);
    for (size_t i = 0; i < f->n_word; i++)
        if (!is_entity(f->word[i]))
            add_runs(f, f->word[i]);
    if (entity.len > 0)
        add_places(f);
    if (f->lexicon)
        add_senses(f, text, entity);
    else
        add_families(f);
}
