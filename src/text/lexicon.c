/* lexicon.c — reads the list of words and makes the forms of regular verbs and nouns. */
#include "text/lexicon_priv.h"

#include "base/asset.h"
#include "base/number.h"

enum { SLOTS = 1 << 15, FORMS = 4, FORM_BYTE = SENTIMENT_PHRASE_BYTE };

static const str class_name[WORD_CLASSES] = {
    STR_INIT("up"),   STR_INIT("down"),      STR_INIT("gain"),     STR_INIT("harm"), STR_INIT("good"),
    STR_INIT("bad"),  STR_INIT("rate_good"), STR_INIT("rate_bad"), STR_INIT("not"),  STR_INIT("reduces"),
    STR_INIT("soft"), STR_INIT("split"),     STR_INIT("speaker")};

static struct lexicon_entry *slot_of(const struct lexicon *l, str text) {
    size_t at = str_hash(text) & l->mask;
    while (l->slot[at].text.ptr && !str_equal(l->slot[at].text, text))
        at = (at + 1) & l->mask;
    return &l->slot[at];
}

const struct lexicon_entry *lexicon_find(const struct lexicon *l, str text) {
    const struct lexicon_entry *e = slot_of(l, text);
    return e->text.ptr ? e : NULL;
}

static struct lexicon_entry *entry_of(struct arena *a, struct lexicon *l, str text) {
    struct lexicon_entry *e = slot_of(l, text);
    if (!e->text.ptr) {
        e->text = str_copy(a, text);
        l->n++;
    }
    return e;
}

static void add_form(struct arena *a, struct lexicon *l, str text, enum word_class class, double strength) {
    for (size_t i = 1; i < text.len; i++) /* what a longer phrase begins with */
        if (text.ptr[i] == ' ')
            entry_of(a, l, str_slice(text, 0, i))->begins = true;
    struct lexicon_entry *e = entry_of(a, l, text);
    e->classes |= 1u << class;
    e->strength[class] = strength;
}

static bool vowel(char c) { return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u'; }

static str with(char *room, str stem, const char *end) {
    const int n = snprintf(room, FORM_BYTE, "%.*s%s", STR_ARG(stem), end);
    return (str){room, n > 0 && n < FORM_BYTE ? (size_t)n : 0};
}

/* The third person, or the plural. */
static str with_s(char *room, str w) {
    const char last = w.ptr[w.len - 1], before = w.len > 1 ? w.ptr[w.len - 2] : 'a';
    if (last == 'y' && !vowel(before))
        return with(room, str_slice(w, 0, w.len - 1), "ies");
    if (last == 's' || last == 'x' || last == 'z' || (last == 'h' && (before == 's' || before == 'c')))
        return with(room, w, "es");
    return with(room, w, "s");
}

static void add_verb(struct arena *a, struct lexicon *l, str w, bool doubled, enum word_class class, double strength) {
    char room[FORM_BYTE], stem_room[FORM_BYTE];
    const char last[2] = {w.ptr[w.len - 1], 0};
    str stem = doubled ? with(stem_room, w, last) : w;
    add_form(a, l, with_s(room, w), class, strength);
    if (last[0] == 'e') {
        stem = str_slice(w, 0, w.len - 1);
        add_form(a, l, with(room, stem, "ed"), class, strength);
    } else if (last[0] == 'y' && w.len > 1 && !vowel(w.ptr[w.len - 2])) {
        add_form(a, l, with(room, str_slice(w, 0, w.len - 1), "ied"), class, strength);
    } else {
        add_form(a, l, with(room, stem, "ed"), class, strength);
    }
    add_form(a, l, with(room, stem, "ing"), class, strength);
}

static bool add_word(struct arena *a, struct lexicon *l, str word, enum word_class class, double strength) {
    char text[FORM_BYTE], room[FORM_BYTE];
    const bool noun = str_ends(word, STR("*")), doubled = str_ends(word, STR("++")), verb = str_ends(word, STR("+"));
    const str bare = str_slice(word, 0, word.len - (noun || (verb && !doubled) ? 1 : doubled ? 2 : 0));
    if (bare.len == 0 || bare.len >= FORM_BYTE - 4 || l->n + 16 > LEXICON_ENTRY_MAX)
        return false;
    for (size_t i = 0; i < bare.len; i++)
        text[i] = bare.ptr[i] == '_' ? ' ' : bare.ptr[i];
    const str w = {text, bare.len};
    add_form(a, l, w, class, strength);
    if (noun)
        add_form(a, l, with_s(room, w), class, strength);
    if (verb)
        add_verb(a, l, w, doubled, class, strength);
    return true;
}

static bool read_head(str head, enum word_class *class, double *strength) {
    str name;
    if (!str_split(&head, ' ', &name) || !head.ptr || !number_parse(str_trim(head), strength) ||
        !(*strength > 0 && *strength <= 10))
        return false;
    for (int c = 0; c < WORD_CLASSES; c++)
        if (str_equal(name, class_name[c])) {
            *class = (enum word_class)c;
            return true;
        }
    return false;
}

static bool read_line(struct arena *a, struct lexicon *l, str line) {
    enum word_class class = WORD_UP;
    double strength = 0;
    str head, word;
    if (!str_split(&line, ':', &head) || !line.ptr || !read_head(head, &class, &strength))
        return false;
    while (str_split(&line, ' ', &word))
        if (word.len > 0 && !add_word(a, l, word, class, strength))
            return false;
    return true;
}

err lexicon_parse(struct arena *a, str text, const struct lexicon **out) {
    struct lexicon *l = ARENA_NEW(a, struct lexicon);
    str line;
    l->slot = ARENA_ARRAY(a, SLOTS, struct lexicon_entry);
    l->mask = SLOTS - 1;
    for (unsigned number = 1; str_split(&text, '\n', &line); number++) {
        line = str_trim(line);
        if (line.len > 0 && line.ptr[0] != '#' && !read_line(a, l, line))
            return fail(ERR_CORRUPT, "lexicon_damaged",
                        "the lexicon's line %u is not \"CLASS STRENGTH: words\", or there are too many words", number);
    }
    *out = l;
    return OK;
}

err lexicon_load(struct arena *a, const struct lexicon **out) {
    return lexicon_parse(a, asset_get(STR("lexicons/finance.txt")), out);
}
