/* pii_words.c — the lists as one table of hashes, and texts as tokens. */
#include "text/pii_priv.h"

#include "base/asset.h"
#include "base/utf8.h"
#include "text/fold.h"

enum { SLOTS = 1 << 18, WORD_BYTE = 96 };

struct slot {
    uint32_t tag; /* of the hash; 0: free */
    uint32_t lists;
};

struct pii_words {
    struct slot *slot;
    size_t n;
};

uint64_t pii_words_hash(str folded) { return str_hash(folded) | 1; }

static void add_word(struct pii_words *w, str word, uint32_t list) {
    const ptrdiff_t blank = str_find_byte(word, ' ');
    if (blank > 0)
        add_word(w, str_slice(word, 0, (size_t)blank), LIST_PAIR);
    const uint64_t h = pii_words_hash(word);
    const uint32_t tag = (uint32_t)h;
    size_t at = (h >> 40) & (SLOTS - 1);
    while (w->slot[at].tag && w->slot[at].tag != tag)
        at = (at + 1) & (SLOTS - 1);
    w->n += !w->slot[at].tag;
    w->slot[at].tag = tag;
    w->slot[at].lists |= list;
}

uint32_t pii_words_find_hash(const struct pii_words *w, uint64_t hash) {
    const uint32_t tag = (uint32_t)hash;
    for (size_t at = (hash >> 40) & (SLOTS - 1); w->slot[at].tag; at = (at + 1) & (SLOTS - 1))
        if (w->slot[at].tag == tag)
            return w->slot[at].lists;
    return 0;
}

uint32_t pii_words_find(const struct pii_words *w, str folded) { return pii_words_find_hash(w, pii_words_hash(folded)); }

static err add_lines(struct pii_words *w, const char *name, uint32_t list) {
    str text = asset_get(str_from(name)), line;
    while (str_split(&text, '\n', &line)) {
        if (line.len > 0)
            add_word(w, line, list);
        if (w->n * 2 > SLOTS)
            return fail(ERR_CORRUPT, "lexicon_damaged", "%s holds too many words", name);
    }
    return OK;
}

static void add_plural(struct pii_words *w, str word) {
    char room[WORD_BYTE];
    const int n = snprintf(room, sizeof room, "%.*ss", STR_ARG(word));
    if (n > 0 && n < WORD_BYTE)
        add_word(w, (str){room, (size_t)n}, LIST_DEMONYM);
}

static err add_class(struct pii_words *w, str line) {
    static const struct {
        str name;
        uint32_t list;
    } classes[] = {{STR_INIT("honorific"), LIST_HONORIFIC},
                   {STR_INIT("suffix"), LIST_SUFFIX},
                   {STR_INIT("month"), LIST_MONTH},
                   {STR_INIT("weekday"), LIST_WEEKDAY},
                   {STR_INIT("demonym"), LIST_DEMONYM},
                   {STR_INIT("country"), LIST_COUNTRY},
                   {STR_INIT("country_two"), LIST_COUNTRY},
                   {STR_INIT("street"), LIST_STREET},
                   {STR_INIT("unit"), LIST_UNIT},
                   {STR_INIT("company"), LIST_COMPANY},
                   {STR_INIT("person_before"), LIST_PERSON_BEFORE},
                   {STR_INIT("person_after"), LIST_PERSON_AFTER},
                   {STR_INIT("place_before"), LIST_PLACE_BEFORE},
                   {STR_INIT("org_before"), LIST_ORG_BEFORE},
                   {STR_INIT("english"), LIST_ENGLISH}};
    str name, word;
    char room[WORD_BYTE];
    str_split(&line, ':', &name);
    for (size_t k = 0; line.ptr && k < sizeof classes / sizeof *classes; k++) {
        if (!str_equal(name, classes[k].name))
            continue;
        while (str_split(&line, ' ', &word)) {
            for (size_t i = 0; i < word.len && i < WORD_BYTE; i++)
                room[i] = word.ptr[i] == '_' ? ' ' : word.ptr[i];
            if (word.len > 0 && word.len < WORD_BYTE)
                add_word(w, (str){room, word.len}, classes[k].list);
            if (word.len > 0 && classes[k].list == LIST_DEMONYM)
                add_plural(w, word);
        }
        return OK;
    }
    return fail(ERR_CORRUPT, "lexicon_damaged", "there is no class of words \"%.*s\"", STR_ARG(name));
}

err pii_words_load(struct arena *a, const struct pii_words **out) {
    struct pii_words *w = ARENA_NEW(a, struct pii_words);
    str text = asset_get(STR("lexicons/personal.txt")), line;
    w->slot = ARENA_ARRAY(a, SLOTS, struct slot);
    TRY(add_lines(w, "lexicons/given-names.txt", LIST_GIVEN));
    TRY(add_lines(w, "lexicons/surnames.txt", LIST_SURNAME));
    TRY(add_lines(w, "lexicons/places.txt", LIST_PLACE));
    TRY(add_lines(w, "lexicons/english.txt", LIST_ENGLISH));
    while (str_split(&text, '\n', &line))
        if (line.len > 0 && line.ptr[0] != '#')
            TRY(add_class(w, line));
    *out = w;
    return OK;
}

/* ---- tokens ---- */

enum { CLASS_OTHER, CLASS_LETTER, CLASS_CAPITAL, CLASS_DIGIT, CLASS_BLANK, CLASS_LINE };

static int class_of(unsigned char c) {
    if ((c >= 'a' && c <= 'z') || c >= 0x80)
        return CLASS_LETTER;
    if (c >= 'A' && c <= 'Z')
        return CLASS_CAPITAL;
    if (c >= '0' && c <= '9')
        return CLASS_DIGIT;
    return c == '\n' ? CLASS_LINE : c == ' ' || c == '\t' || c == '\r' ? CLASS_BLANK : CLASS_OTHER;
}

/* Whether the character at the beginning of a word that is not ASCII is a capital: its folding differs in case only. */
static bool wide_capital(str s) {
    size_t at = 0;
    const int32_t c = utf8_next(s, &at);
    return (c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x100 && c <= 0x137 && c % 2 == 0) ||
           (c >= 0x139 && c <= 0x148 && c % 2 == 1) || (c >= 0x14A && c <= 0x177 && c % 2 == 0) ||
           (c >= 0x179 && c <= 0x17E && c % 2 == 1) || (c >= 0x386 && c <= 0x3AB) || (c >= 0x400 && c <= 0x42F);
}

/* Punctuation of U+2000 to U+206F and the no-break space are no letters. */
static bool wide_mark(str s, size_t i) {
    const unsigned char c = (unsigned char)s.ptr[i];
    return (c == 0xE2 && i + 2 < s.len && ((unsigned char)s.ptr[i + 1] == 0x80 || (unsigned char)s.ptr[i + 1] == 0x81)) ||
           (c == 0xC2 && i + 1 < s.len && (unsigned char)s.ptr[i + 1] < 0xC0);
}

static void look_up(const struct pii_finder *f, struct pii_token *t, bool ascii) {
    char room[WORD_BYTE];
    const str word = str_slice(f->text, t->begin, t->end);
    size_t n = word.len;
    if (n >= WORD_BYTE)
        return;
    if (ascii)
        for (size_t i = 0; i < n; i++)
            room[i] = word.ptr[i] >= 'A' && word.ptr[i] <= 'Z' ? (char)(word.ptr[i] + 32) : word.ptr[i];
    else
        n = text_fold(word, room, sizeof room);
    const uint64_t h = pii_words_hash((str){room, n});
    struct pii_recent *recent = &f->recent[(h >> 20) & (PII_RECENT - 1)];
    if (recent->hash != h)
        *recent = (struct pii_recent){h, pii_words_find_hash(f->words, h)};
    t->lists = recent->lists;
}

/* A word from byte i on. */
static size_t read_word(struct pii_finder *f, size_t i, struct pii_token *t) {
    const str s = f->text;
    bool ascii = true, lower = false;
    size_t k = i;
    t->form = FORM_WORD;
    while (k < s.len) {
        const int c = class_of((unsigned char)s.ptr[k]);
        if ((c != CLASS_LETTER && c != CLASS_CAPITAL) || wide_mark(s, k))
            break;
        lower |= c == CLASS_LETTER;
        ascii = ascii && (s.ptr[k] & 0x80) == 0;
        k++;
    }
    t->capital = class_of((unsigned char)s.ptr[i]) == CLASS_CAPITAL || (!ascii && wide_capital(str_slice(s, i, k)));
    t->all_capital = t->capital && !lower;
    t->begin = (uint32_t)i;
    t->end = (uint32_t)k;
    look_up(f, t, ascii);
    return k;
}

static size_t read_number(const struct pii_finder *f, size_t i, struct pii_token *t) {
    size_t k = i;
    t->form = FORM_NUMBER;
    t->digits_only = true;
    for (; k < f->text.len; k++) {
        const int c = class_of((unsigned char)f->text.ptr[k]);
        if (c != CLASS_DIGIT && c != CLASS_CAPITAL && c != CLASS_LETTER)
            break;
        if (c == CLASS_LETTER && wide_mark(f->text, k))
            break;
        t->digits_only = t->digits_only && c == CLASS_DIGIT;
    }
    t->begin = (uint32_t)i;
    t->end = (uint32_t)k;
    return k;
}

void pii_tokens(struct pii_finder *f) {
    const str s = f->text;
    bool spaced = true;
    f->n = 0;
    for (size_t i = 0; i < s.len;) {
        const int c = class_of((unsigned char)s.ptr[i]);
        if (c == CLASS_BLANK) {
            spaced = true;
            i++;
            continue;
        }
        struct pii_token *t = &f->token[f->n++];
        *t = (struct pii_token){.begin = (uint32_t)i, .end = (uint32_t)i + 1, .form = FORM_MARK, .spaced = spaced};
        spaced = c == CLASS_LINE;
        if (c == CLASS_DIGIT) {
            i = read_number(f, i, t);
        } else if (c != CLASS_OTHER && c != CLASS_LINE && !wide_mark(s, i)) {
            i = read_word(f, i, t);
        } else {
            t->form = c == CLASS_LINE ? FORM_LINE : FORM_MARK;
            t->mark = s.ptr[i];
            if (c == CLASS_LETTER) /* a wide mark is one token */
                while (t->end < s.len && (s.ptr[t->end] & 0xC0) == 0x80)
                    t->end++;
            i = t->end;
        }
    }
}
