/* match_name.c — folded words, their one spelling, and the legal form taken off. */
#include "enrich/match_name.h"

#include "base/asset.h"
#include "base/utf8.h"
#include "text/fold.h"

enum { FORM_WORD_MAX = 6, FORM_BYTE = 64, FORM_SLOT = 4096, CLASS_MAX = 16, WORD_SLOT = 1 << 18 };

struct form {
    str text;
    uint16_t class;
};

struct match_forms {
    struct form slot[FORM_SLOT]; /* open addressing; empty: text.len 0 */
    str class[CLASS_MAX];
    size_t n, n_class;
    uint32_t *word; /* open addressing: place in the list of common words + 1 */
    const char *words;
};

/* ---- words ---- */

struct words {
    char text[MATCH_NAME_BYTE];
    str word[MATCH_TOKEN_MAX];
    size_t n;
};

/* The raw text without the dots of "L.L.C.": those behind a letter that stands alone. */
static str without_dots(str raw, char *to, size_t cap) {
    size_t n = 0, letters = 0;
    raw = utf8_cut(raw, cap);
    for (size_t at = 0; at < raw.len;) {
        const size_t from = at;
        const int32_t c = utf8_next(raw, &at);
        const bool sign = c < 0x80 && !(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z');
        if (c == '.' && letters == 1) {
            letters = 0;
            continue;
        }
        letters = sign ? 0 : letters + 1;
        memcpy(to + n, raw.ptr + from, at - from);
        n += at - from;
    }
    return (str){to, n};
}

static void split_words(str raw, struct words *out) {
    char plain[MATCH_NAME_BYTE];
    str rest = {out->text, text_fold(without_dots(raw, plain, sizeof plain), out->text, sizeof out->text)}, w;
    out->n = 0;
    while (out->n < MATCH_TOKEN_MAX && str_split(&rest, ' ', &w))
        if (w.len > 0 && !(str_equal(w, STR("the")) && (out->n > 0 || rest.len > 0)))
            out->word[out->n++] = w;
}

/* ---- legal forms ---- */

static struct form *find_slot(struct match_forms *f, str text) {
    size_t i = (size_t)str_hash(text) % FORM_SLOT;
    while (f->slot[i].text.len > 0 && !str_equal(f->slot[i].text, text))
        i = (i + 1) % FORM_SLOT;
    return &f->slot[i];
}

static uint16_t form_class(const struct match_forms *f, str text) {
    size_t i = (size_t)str_hash(text) % FORM_SLOT;
    while (f->slot[i].text.len > 0) {
        if (str_equal(f->slot[i].text, text))
            return f->slot[i].class;
        i = (i + 1) % FORM_SLOT;
    }
    return 0;
}

/* Forms are known without their blanks: "S A R L" is "sarl". */
static size_t join_words(const str *word, size_t n, char *to, size_t cap) {
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (len + word[i].len > cap)
            return 0;
        memcpy(to + len, word[i].ptr, word[i].len);
        len += word[i].len;
    }
    return len;
}

static err add_form(struct arena *a, struct match_forms *f, str spelling, str class) {
    char joined[FORM_BYTE];
    struct words w;
    size_t c = 0;
    split_words(spelling, &w);
    const str text = {joined, join_words(w.word, w.n, joined, sizeof joined)};
    if (text.len == 0 || w.n > FORM_WORD_MAX)
        return OK;
    while (c < f->n_class && !str_equal(f->class[c], class))
        c++;
    if (c == CLASS_MAX || f->n >= FORM_SLOT / 2)
        return fail(ERR_CORRUPT, "legal_forms", "the list of legal forms is longer than the program can hold");
    if (c == f->n_class)
        f->class[f->n_class++] = class;
    struct form *slot = find_slot(f, text);
    f->n += slot->text.len == 0;
    *slot = (struct form){str_copy(a, text), (uint16_t)(c + 1)};
    return OK;
}

/* ---- common words ---- */

static str word_at(const struct match_forms *f, uint32_t at) {
    const char *from = f->words + at, *end = from;
    while (*end && *end != '\n')
        end++;
    return (str){from, (size_t)(end - from)};
}

static err load_words(struct arena *a, struct match_forms *f) {
    const str all = asset_get(STR("data/common-words.txt"));
    str rest = all, line;
    size_t n = 0;
    f->words = all.ptr;
    f->word = ARENA_ARRAY(a, WORD_SLOT, uint32_t);
    while (str_split(&rest, '\n', &line)) {
        size_t i = (size_t)str_hash(line) % WORD_SLOT;
        if (line.len == 0)
            continue;
        if (++n > WORD_SLOT / 2)
            return fail(ERR_CORRUPT, "common_words", "the list of words is longer than the program can hold");
        while (f->word[i])
            i = (i + 1) % WORD_SLOT;
        f->word[i] = (uint32_t)(line.ptr - all.ptr) + 1;
    }
    return n > 0 ? OK : fail(ERR_CORRUPT, "common_words", "the list of words is not in the program");
}

bool match_is_coined(const struct match_forms *f, str word) {
    if (word.len < 4 || match_token_number(word) > 0)
        return false;
    for (size_t i = (size_t)str_hash(word) % WORD_SLOT; f->word[i]; i = (i + 1) % WORD_SLOT)
        if (str_equal(word_at(f, f->word[i] - 1), word))
            return false;
    return true;
}

err match_forms_load(struct arena *a, const struct match_forms **out) {
    struct match_forms *f = ARENA_NEW(a, struct match_forms);
    str rest = asset_get(STR("data/legal-forms.tsv")), line;
    if (!rest.ptr)
        return fail(ERR_CORRUPT, "legal_forms", "the list of legal forms is not in the program");
    while (str_split(&rest, '\n', &line)) {
        const ptrdiff_t tab = str_find_byte(line, '\t');
        if (line.len == 0 || line.ptr[0] == '#' || tab < 0)
            continue;
        TRY(add_form(a, f, str_slice(line, 0, (size_t)tab), str_slice(line, (size_t)tab + 1, line.len)));
    }
    *out = f;
    return load_words(a, f);
}

/* The longest legal form of the words at the end, or at the beginning; how many words it has. */
static size_t form_at(const struct match_forms *f, const struct words *w, size_t from, size_t to, bool end,
                      uint16_t *class) {
    char text[FORM_BYTE];
    const size_t room = to - from;
    for (size_t k = room < FORM_WORD_MAX ? room : FORM_WORD_MAX; k > 0; k--) {
        const str *first = end ? &w->word[to - k] : &w->word[from];
        const size_t len = join_words(first, k, text, sizeof text);
        const uint16_t c = len > 0 ? form_class(f, (str){text, len}) : 0;
        if (c > 0 && k < room) {
            *class = c;
            return k;
        }
    }
    return 0;
}

/* ---- spelling ---- */

static const str same_words[][2] = {
    {STR_INIT("intl"), STR_INIT("international")},
    {STR_INIT("internat"), STR_INIT("international")},
    {STR_INIT("natl"), STR_INIT("national")},
    {STR_INIT("nat"), STR_INIT("national")},
    {STR_INIT("mfg"), STR_INIT("manufacturing")},
    {STR_INIT("mgmt"), STR_INIT("management")},
    {STR_INIT("mgt"), STR_INIT("management")},
    {STR_INIT("bros"), STR_INIT("brother")},
    {STR_INIT("grp"), STR_INIT("group")},
    {STR_INIT("gruppe"), STR_INIT("group")},
    {STR_INIT("gp"), STR_INIT("group")},
    {STR_INIT("hldg"), STR_INIT("holding")},
    {STR_INIT("hldgs"), STR_INIT("holding")},
    {STR_INIT("hlds"), STR_INIT("holding")},
    {STR_INIT("svc"), STR_INIT("service")},
    {STR_INIT("svcs"), STR_INIT("service")},
    {STR_INIT("srvc"), STR_INIT("service")},
    {STR_INIT("tech"), STR_INIT("technology")},
    {STR_INIT("assn"), STR_INIT("association")},
    {STR_INIT("assoc"), STR_INIT("association")},
    {STR_INIT("dept"), STR_INIT("department")},
    {STR_INIT("univ"), STR_INIT("university")},
    {STR_INIT("inst"), STR_INIT("institute")},
    {STR_INIT("ins"), STR_INIT("insurance")},
    {STR_INIT("fin"), STR_INIT("financial")},
    {STR_INIT("finl"), STR_INIT("financial")},
    {STR_INIT("pharma"), STR_INIT("pharmaceutical")},
    {STR_INIT("pharm"), STR_INIT("pharmaceutical")},
    {STR_INIT("sys"), STR_INIT("system")},
    {STR_INIT("ctr"), STR_INIT("center")},
    {STR_INIT("centre"), STR_INIT("center")},
    {STR_INIT("theatre"), STR_INIT("theater")},
    {STR_INIT("dev"), STR_INIT("development")},
    {STR_INIT("ind"), STR_INIT("industry")},
    {STR_INIT("prop"), STR_INIT("property")},
    {STR_INIT("res"), STR_INIT("resource")},
    {STR_INIT("acq"), STR_INIT("acquisition")},
    {STR_INIT("amer"), STR_INIT("american")},
    {STR_INIT("bancorporation"), STR_INIT("bancorp")},
    {STR_INIT("bancshare"), STR_INIT("bancorp")},
    {STR_INIT("bankshare"), STR_INIT("bancorp")},
    {STR_INIT("comm"), STR_INIT("communication")},
    {STR_INIT("lab"), STR_INIT("laboratory")},
    {STR_INIT("realty"), STR_INIT("property")},
    {STR_INIT("1st"), STR_INIT("first")},
    {STR_INIT("2nd"), STR_INIT("second")},
    {STR_INIT("3rd"), STR_INIT("third")},
    {STR_INIT("one"), STR_INIT("1")},
    {STR_INIT("two"), STR_INIT("2")},
    {STR_INIT("three"), STR_INIT("3")},
    {STR_INIT("four"), STR_INIT("4")},
    {STR_INIT("five"), STR_INIT("5")},
    {STR_INIT("six"), STR_INIT("6")},
    {STR_INIT("seven"), STR_INIT("7")},
    {STR_INIT("eight"), STR_INIT("8")},
    {STR_INIT("nine"), STR_INIT("9")},
    {STR_INIT("ten"), STR_INIT("10")},
    {STR_INIT("usa"), STR_INIT("us")},
};

static const str small_words[] = {STR_INIT("and"), STR_INIT("the"), STR_INIT("und"), STR_INIT("et")};

static bool is_small(str w) {
    for (size_t i = 0; i < sizeof small_words / sizeof *small_words; i++)
        if (str_equal(w, small_words[i]))
            return true;
    return false;
}

static bool is_ascii(str w) {
    for (size_t i = 0; i < w.len; i++)
        if (w.ptr[i] < 0)
            return false;
    return true;
}

/* Without an English plural's ending; the word is the writer's own. */
static str singular(char *w, size_t n) {
    if (n < 5 || w[n - 1] != 's' || !is_ascii((str){w, n}))
        return (str){w, n};
    if (w[n - 2] == 's' || w[n - 2] == 'u' || w[n - 2] == 'i')
        return (str){w, n};
    if (n > 5 && w[n - 3] == 'i' && w[n - 2] == 'e') {
        w[n - 3] = 'y';
        return (str){w, n - 2};
    }
    return (str){w, n - 1};
}

/* organisation, organise → organization, organize: the letters only, so that it can be done in place. */
static void american(char *w, size_t n) {
    for (size_t i = 3; i + 2 < n; i++)
        if (w[i] == 'i' && w[i + 1] == 's' && (w[i + 2] == 'a' || w[i + 2] == 'e') && n > 7 && i + 8 >= n)
            w[i + 1] = 'z';
}

static str one_spelling(char *w, size_t n) {
    american(w, n);
    const str s = singular(w, n);
    for (size_t i = 0; i < sizeof same_words / sizeof *same_words; i++)
        if (str_equal(s, same_words[i][0]))
            return same_words[i][1];
    return s;
}

/* ---- the name ---- */

/* Without "/DE/" or "/ADR" at the end. */
static bool is_slash(char c) { return c == '/' || c == '\\'; }

static str without_mark(str raw) {
    raw = str_trim(raw);
    size_t end = raw.len;
    while (end > 0 && (is_slash(raw.ptr[end - 1]) || raw.ptr[end - 1] == ' '))
        end--;
    size_t from = end;
    while (from > 0 && end - from <= 4 && !is_slash(raw.ptr[from - 1]) && raw.ptr[from - 1] != ' ')
        from--;
    size_t slash = from;
    while (slash > 0 && raw.ptr[slash - 1] == ' ')
        slash--;
    const bool marked = slash > 1 && is_slash(raw.ptr[slash - 1]) && end - from <= 4;
    return str_slice(raw, 0, marked ? slash - 1 : end);
}

/* "Class A" at the end says which shares. */
static size_t without_shares(const struct words *w, size_t n) {
    if (n > 2 && w->word[n - 1].len == 1 &&
        (str_equal(w->word[n - 2], STR("class")) || str_equal(w->word[n - 2], STR("series"))))
        return n - 2;
    return n;
}

/* Cyrillic letters from U+0430 on, as passports write them. */
static const char *const cyrillic[] = {"a",  "b",    "v", "g",  "d", "e",  "zh", "z",  "i", "y",  "k",  "l",
                                       "m",  "n",    "o", "p",  "r", "s",  "t",  "u",  "f", "kh", "ts", "ch",
                                       "sh", "shch", "",  "y",  "",  "e",  "yu", "ya", "e", "yo", "dj", "g",
                                       "ye", "s",    "i", "yi", "j", "lj", "nj", "c",  "k", "i",  "u",  "dz"};

/* A word into `to` with its Cyrillic letters in Latin ones; its length, or 0 when there is no room. */
static size_t latin(str w, char *to, size_t cap) {
    size_t n = 0;
    for (size_t at = 0; at < w.len;) {
        const size_t from = at;
        const int32_t c = utf8_next(w, &at);
        const bool known = c >= 0x430 && c < 0x430 + (int32_t)(sizeof cyrillic / sizeof *cyrillic);
        const str letters = known ? str_from(cyrillic[c - 0x430]) : (str){w.ptr + from, at - from};
        if (n + letters.len > cap)
            return 0;
        if (letters.len > 0)
            memcpy(to + n, letters.ptr, letters.len);
        n += letters.len;
    }
    return n;
}

static void put_token(struct match_name *out, size_t *used, str w) {
    if (out->n == MATCH_TOKEN_MAX || *used + 1 >= sizeof out->text)
        return;
    char *to = out->text + *used;
    const size_t n = latin(w, to, sizeof out->text - *used - 1);
    if (n == 0)
        return;
    to[n] = 0;
    out->token[out->n++] = (str){to, n};
    *used += n + 1;
}

void match_name_read(const struct match_forms *forms, str raw, struct match_name *out) {
    struct words w;
    uint16_t class = 0;
    size_t used = 0, from = 0, k;
    split_words(without_mark(raw), &w);
    size_t to = without_shares(&w, w.n);
    out->n = 0;
    out->form = 0;
    while ((k = form_at(forms, &w, from, to, true, &class)) > 0) {
        to -= k;
        out->form = out->form ? out->form : class;
    }
    while ((k = form_at(forms, &w, from, to, false, &class)) > 0) {
        from += k;
        out->form = out->form ? out->form : class;
    }
    for (size_t i = from; i < to; i++)
        if (!is_small(w.word[i]) || to - from == 1)
            put_token(out, &used, one_spelling(w.text + (w.word[i].ptr - w.text), w.word[i].len));
}

size_t match_name_joined(const struct match_name *name, char *to, size_t cap) {
    size_t len = 0;
    for (size_t i = 0; i < name->n && len + name->token[i].len <= cap; i++) {
        memcpy(to + len, name->token[i].ptr, name->token[i].len);
        len += name->token[i].len;
    }
    return len;
}

size_t match_name_initials(const struct match_name *name, char *to, size_t cap) {
    size_t len = 0;
    if (name->n < 3)
        return 0;
    for (size_t i = 0; i < name->n; i++) {
        size_t at = 0;
        (void)utf8_next(name->token[i], &at);
        if (len + at > cap)
            break;
        memcpy(to + len, name->token[i].ptr, at);
        len += at;
    }
    return len;
}

static unsigned roman(str s) {
    static const struct {
        str text;
        unsigned n;
    } part[] = {{STR_INIT("x"), 10}, {STR_INIT("ix"), 9}, {STR_INIT("v"), 5}, {STR_INIT("iv"), 4}, {STR_INIT("i"), 1}};
    unsigned sum = 0, round = 0;
    for (size_t k = 0; k < sizeof part / sizeof *part && s.len > 0;) {
        if (str_starts(s, part[k].text) && round < 3) {
            sum += part[k].n;
            s = str_slice(s, part[k].text.len, s.len);
            round++;
            if (part[k].n == 10 || part[k].n == 1)
                continue;
        }
        k++;
        round = 0;
    }
    return s.len == 0 ? sum : 0;
}

unsigned match_token_number(str token) {
    unsigned n = 0;
    if (token.len == 0 || token.len > 6)
        return 0;
    if (token.ptr[0] < '0' || token.ptr[0] > '9')
        return roman(token);
    for (size_t i = 0; i < token.len; i++) {
        if (token.ptr[i] < '0' || token.ptr[i] > '9')
            return 0;
        n = n * 10 + (unsigned)(token.ptr[i] - '0');
    }
    return n;
}
