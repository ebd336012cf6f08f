/* fuse_people.c — names of people out of the many ways in which lists of them are written. */
#include "enrich/fuse_value.h"

enum { PIECES = 64, WORDS = 12 };

/* "Karen Sparck Jones" in words. */
struct piece {
    str word[WORDS];
    size_t n;
};

static bool is_one_of(str word, const str *list, size_t n) {
    for (size_t k = 0; k < n; k++)
        if (str_equal_nocase(word, list[k]))
            return true;
    return false;
}
#define ONE_OF(word, list) is_one_of(word, list, sizeof(list) / sizeof *(list))

/* What stands beside names and is none. */
static bool is_noise(str word) {
    static const str noise[] = {
        STR_INIT("by"),          STR_INIT("author"), STR_INIT("authors"), STR_INIT("editor"),      STR_INIT("editors"),
        STR_INIT("ed"),          STR_INIT("eds"),    STR_INIT("edited"),  STR_INIT("joint"),       STR_INIT("et"),
        STR_INIT("al"),          STR_INIT("jr"),     STR_INIT("sr"),      STR_INIT("ii"),          STR_INIT("iii"),
        STR_INIT("iv"),          STR_INIT("phd"),    STR_INIT("ph.d"),    STR_INIT("md"),          STR_INIT("dr"),
        STR_INIT("prof"),        STR_INIT("mr"),     STR_INIT("mrs"),     STR_INIT("ms"),          STR_INIT("unknown"),
        STR_INIT("others"),      STR_INIT("staff"),  STR_INIT("written"), STR_INIT("contributor"), STR_INIT("translator"),
        STR_INIT("illustrator"), STR_INIT("edt")};
    return ONE_OF(word, noise);
}

static bool is_particle(str word) {
    static const str particle[] = {STR_INIT("de"),  STR_INIT("van"), STR_INIT("von"), STR_INIT("der"), STR_INIT("den"),
                                   STR_INIT("la"),  STR_INIT("le"),  STR_INIT("di"),  STR_INIT("da"),  STR_INIT("du"),
                                   STR_INIT("del"), STR_INIT("ten"), STR_INIT("ter"), STR_INIT("st"),  STR_INIT("el")};
    return ONE_OF(word, particle);
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static str strip(str w) {
    while (w.len > 0 && (w.ptr[w.len - 1] == '.' || w.ptr[w.len - 1] == ':' || w.ptr[w.len - 1] == '\''))
        w.len--;
    while (w.len > 0 && (w.ptr[0] == '.' || w.ptr[0] == '\'' || w.ptr[0] == '*'))
        w = str_slice(w, 1, w.len);
    return w;
}

static struct piece words_of(str text) {
    struct piece p = {.n = 0};
    size_t from = 0;
    for (size_t k = 0; k <= text.len && p.n < WORDS; k++) {
        if (k < text.len && !is_space(text.ptr[k]) &&
            !(text.ptr[k] == '.' && k + 1 < text.len && !is_space(text.ptr[k + 1])))
            continue;
        const str w = strip(str_slice(text, from, k));
        from = k + 1;
        if (w.len > 0 && !is_noise(w))
            p.word[p.n++] = w;
    }
    return p;
}

/* ---- one person ---- */

static str title_case(struct arena *a, str w) {
    bool small = false;
    for (size_t k = 0; k < w.len; k++)
        small |= w.ptr[k] >= 'a' && w.ptr[k] <= 'z';
    if (small || w.len < 2)
        return w;
    char *to = str_cstr(a, str_lower(a, w));
    for (size_t k = 0; k < w.len; k++)
        if ((k == 0 || w.ptr[k - 1] == '-' || w.ptr[k - 1] == '\'') && to[k] >= 'a' && to[k] <= 'z')
            to[k] = (char)(to[k] - 32);
    return (str){to, w.len};
}

static size_t add_person(struct arena *a, const str *given, size_t n_given, const str *surname, size_t n_surname,
                         struct fuse_member *out, size_t n) {
    if (n_surname == 0 || n >= FUSE_MEMBERS)
        return n;
    const str key = fuse_value_fold(a, surname[n_surname - 1]);
    if (key.len < 2)
        return n;
    for (size_t m = 0; m < n; m++)
        if (str_equal(out[m].key, key))
            return n;
    str word[2 * WORDS];
    for (size_t k = 0; k < n_given + n_surname; k++)
        word[k] = title_case(a, k < n_given ? given[k] : surname[k - n_given]);
    out[n] = (struct fuse_member){key, str_join(a, word, n_given + n_surname, STR(" "))};
    return n + 1;
}

/* "Jan De Clercq": the surname begins at its particle. */
static size_t surname_at(const struct piece *p) {
    size_t at = p->n > 0 ? p->n - 1 : 0;
    /* "Shi, Yuhui" may have left an initial at the end. */
    while (at > 0 && p->word[at].len == 1)
        at--;
    while (at > 1 && is_particle(p->word[at - 1]))
        at--;
    return at;
}

static size_t add_full_name(struct arena *a, const struct piece *p, struct fuse_member *out, size_t n) {
    const size_t at = surname_at(p);
    size_t end = p->n;
    while (end > at + 1 && p->word[end - 1].len == 1)
        end--;
    return add_person(a, p->word, at, p->word + at, end - at, out, n);
}

/* ---- a run of pieces between commas ---- */

static bool all_single(const struct piece *p, size_t n, size_t from, size_t step) {
    for (size_t k = from; k < n; k += step)
        if (p[k].n != 1 && !(p[k].n == 2 && is_particle(p[k].word[0])))
            return false;
    return true;
}

static bool all_several(const struct piece *p, size_t from, size_t to) {
    for (size_t k = from; k < to; k++)
        if (p[k].n < 2)
            return false;
    return true;
}

/* "Haag, Stephen Perry, James T. Sosinsky, Barrie" */
static size_t add_chain(struct arena *a, const struct piece *p, size_t n_piece, struct fuse_member *out, size_t n) {
    const str *surname = p[0].word;
    size_t n_surname = p[0].n;
    for (size_t k = 1; k < n_piece; k++) {
        const size_t at = k + 1 < n_piece ? surname_at(&p[k]) : p[k].n;
        n = add_person(a, p[k].word, at, surname, n_surname, out, n);
        surname = p[k].word + at;
        n_surname = p[k].n - at;
    }
    return n;
}

static size_t add_pairs(struct arena *a, const struct piece *p, size_t n_piece, struct fuse_member *out, size_t n) {
    for (size_t k = 0; k + 1 < n_piece; k += 2)
        n = add_person(a, p[k + 1].word, p[k + 1].n, p[k].word, p[k].n, out, n);
    return n;
}

static size_t add_pieces(struct arena *a, const struct piece *p, size_t n_piece, struct fuse_member *out, size_t n) {
    const bool two_names = n_piece == 2 && p[0].n >= 2 && p[1].n >= 2 && !is_particle(p[0].word[0]);
    if (n_piece == 2 && !two_names)
        return add_pairs(a, p, n_piece, out, n);
    if (n_piece >= 3 && n_piece % 2 == 0 && all_single(p, n_piece, 0, 2))
        return add_pairs(a, p, n_piece, out, n);
    if (n_piece >= 3 && all_single(p, 1, 0, 1) && all_several(p, 1, n_piece - 1))
        return add_chain(a, p, n_piece, out, n);
    for (size_t k = 0; k < n_piece; k++)
        n = add_full_name(a, &p[k], out, n);
    return n;
}

static size_t add_segment(struct arena *a, str segment, struct fuse_member *out, size_t n) {
    struct piece *p = ARENA_ARRAY(a, PIECES, struct piece);
    size_t n_piece = 0;
    str rest = segment, part;
    while (n_piece < PIECES && str_split(&rest, ',', &part)) {
        p[n_piece] = words_of(part);
        n_piece += p[n_piece].n > 0;
    }
    return n_piece > 0 ? add_pieces(a, p, n_piece, out, n) : n;
}

/* ---- the text ---- */

static size_t word_ends(str s, size_t at, str word) {
    if (at + word.len > s.len || !str_equal_nocase(str_slice(s, at, at + word.len), word))
        return 0;
    const bool begins = at == 0 || is_space(s.ptr[at - 1]) || s.ptr[at - 1] == ';' || s.ptr[at - 1] == ',';
    const bool ends = at + word.len == s.len || is_space(s.ptr[at + word.len]) || s.ptr[at + word.len] == ';';
    return begins && ends ? word.len : 0;
}

static size_t joining_word(str s, size_t at) {
    static const str joins[] = {STR_INIT("and"), STR_INIT("with"), STR_INIT("by"), STR_INIT("et al"), STR_INIT("et al.")};
    for (size_t k = 0; k < sizeof joins / sizeof *joins; k++) {
        const size_t n = word_ends(s, at, joins[k]);
        if (n > 0)
            return n;
    }
    return 0;
}

/* Every mark that parts names becomes a semicolon; what stands in brackets goes. */
static str one_separator(struct arena *a, str s) {
    static const str entity[] = {STR_INIT("&amp;"), STR_INIT("&quot;"), STR_INIT("&lt;"), STR_INIT("&gt;")};
    char *to = arena_alloc(a, s.len + 1);
    size_t n = 0;
    int depth = 0;
    for (size_t k = 0; k < s.len;) {
        size_t skip = 0;
        for (size_t e = 0; e < sizeof entity / sizeof *entity && skip == 0; e++)
            skip = str_starts(str_slice(s, k, s.len), entity[e]) ? entity[e].len : 0;
        if (skip == 0 && depth == 0)
            skip = joining_word(s, k);
        const char c = s.ptr[k];
        if (skip > 0 || c == '/' || c == '|' || c == '~' || c == '(' || c == '[' || c == '&') {
            depth += c == '(' || c == '[';
            bool letter = false;
            if (c == '&' && skip == 0)
                for (size_t e = k + 1; e < s.len && e < k + 9 && !letter && !is_space(s.ptr[e]); e++)
                    letter = s.ptr[e] == ';';
            to[n++] = ';';
            if (letter)
                to[n - 1] = '&';
            while (letter && s.ptr[k] != ';')
                to[n++] = s.ptr[++k];
            k += skip > 0 ? skip : 1;
            continue;
        }
        if ((c == ')' || c == ']') && depth > 0)
            depth--;
        else if (depth == 0)
            to[n++] = c;
        k++;
    }
    return (str){to, n};
}

size_t fuse_people(struct arena *a, str text, struct fuse_member *out) {
    const str s = one_separator(a, text);
    size_t n = 0, from = 0;
    for (size_t k = 0; k <= s.len; k++) {
        /* The end of an entity ("Zo&eacute;") parts nothing. */
        const bool entity = k < s.len && k > 4 && str_find_byte(str_slice(s, k > 8 ? k - 8 : 0, k), '&') >= 0;
        if (k < s.len && (s.ptr[k] != ';' || entity))
            continue;
        n = add_segment(a, str_slice(s, from, k), out, n);
        from = k + 1;
    }
    return n;
}
