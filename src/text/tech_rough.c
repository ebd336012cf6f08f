/* tech_rough.c — the part of a pattern that is worth looking for in a long text.
 *
 * "<[^>]+class=\"uk-section" makes an automaton start at every tag; its end alone is a word to look for. Between two repeats
 * without an upper bound, the piece with the most fixed characters must be in every match: looking for it alone finds at
 * least as much, and PCRE2 decides. */
#include "text/tech_priv.h"

enum { SCORE_LEAST = 5, LEVEL_MAX = 80 };

static size_t class_end(str in, size_t at) {
    for (at++; at < in.len && in.ptr[at] != ']'; at++)
        at += in.ptr[at] == '\\';
    return at + 1;
}

static size_t escape_end(str in, size_t at) { return at + (at + 1 < in.len && in.ptr[at + 1] == 'x' ? 4 : 2); }

/* Behind the parenthesis that closes the one at `at`. */
static size_t group_end(str in, size_t at) {
    size_t depth = 0;
    while (at < in.len) {
        const char c = in.ptr[at];
        if (c == '\\') {
            at = escape_end(in, at);
        } else if (c == '[') {
            at = class_end(in, at);
        } else {
            depth += c == '(';
            depth -= c == ')';
            at++;
            if (depth == 0)
                return at;
        }
    }
    return at;
}

static size_t atom_end(str in, size_t at) {
    switch (in.ptr[at]) {
    case '\\':
        return escape_end(in, at);
    case '[':
        return class_end(in, at);
    case '(':
        return group_end(in, at);
    default:
        return at + 1;
    }
}

/* Behind the quantifier at `at`, if there is one. *least: how often the atom comes at least; *open: without upper bound. */
static size_t quantifier_end(str in, size_t at, unsigned *least, bool *open) {
    *least = 1;
    *open = false;
    if (at >= in.len || !strchr("*+?{", in.ptr[at]))
        return at;
    const char c = in.ptr[at++];
    *least = c == '+';
    *open = c == '*' || c == '+';
    if (c == '{') {
        *least = at < in.len && in.ptr[at] != '0';
        while (at < in.len && in.ptr[at] != '}')
            at++;
        *open = in.ptr[at - 1] == ',';
        at++;
    }
    return at + (at < in.len && in.ptr[at] == '?');
}

/* The end of the branch that begins at `at`: its "|" or the end of the text. */
static size_t branch_end(str in, size_t at) {
    while (at < in.len && in.ptr[at] != '|')
        at = atom_end(in, at);
    return at < in.len ? at : in.len;
}

/* What is between the parentheses of a group. */
static str group_body(str group) {
    size_t from = 1;
    if (group.len > 2 && group.ptr[1] == '?')
        from = 3;
    return str_slice(group, from, group.len - 1);
}

static bool is_look(str group) { return group.len > 2 && group.ptr[1] == '?' && group.ptr[2] != ':'; }

static unsigned score_branches(str in, int level);

/* Fixed characters that an atom stands for. */
static unsigned score_atom(str atom, int level) {
    const char c = atom.ptr[0];
    if (c == '(')
        return is_look(atom) || level == LEVEL_MAX ? 0 : score_branches(group_body(atom), level + 1);
    if (c == '\\')
        return !strchr("bBdDwWsS123456789", atom.ptr[1]);
    return !strchr("[.^$", c);
}

static unsigned score_branch(str in, int level) {
    unsigned score = 0, least;
    bool open;
    for (size_t at = 0; at < in.len;) {
        const size_t end = atom_end(in, at);
        const size_t next = quantifier_end(in, end, &least, &open);
        score += least ? score_atom(str_slice(in, at, end), level) : 0;
        at = next;
    }
    return score;
}

static unsigned score_branches(str in, int level) {
    unsigned least = 100;
    for (size_t at = 0; at <= in.len;) {
        const size_t end = branch_end(in, at);
        const unsigned score = score_branch(str_slice(in, at, end), level);
        if (score < least)
            least = score;
        at = end + 1;
    }
    return least;
}

/* Words that nearly every page has: a piece is not told by them. */
static const char *const common_words[] = {
    "<div",  "<link", "<script", "<meta",    "<body", "<table", "<html",   "<style", "<input", "<form", "<img",
    "<span", "class", "href",    "src",      "rel",   "name",   "content", "id=",    "style",  "title", "type",
    "value", "http",  "script",  "property", "sheet", "text/",  "css",     "www",    "com",    "</a>",  "data-"};

static unsigned score_common(str piece) {
    unsigned score = 0;
    for (size_t i = 0; i < sizeof common_words / sizeof *common_words; i++)
        if (str_find_nocase(piece, str_from(common_words[i])) >= 0)
            score += (unsigned)strlen(common_words[i]);
    return score;
}

static void reduce_branches(str in, struct buf *out, int level);

static void put_piece(str piece, struct buf *out, int level) {
    if (piece.len > 0 && piece.ptr[0] == '(' && group_end(piece, 0) == piece.len && !is_look(piece) && level < LEVEL_MAX) {
        buf_add(out, STR("(?:"));
        reduce_branches(group_body(piece), out, level + 1);
        buf_add_byte(out, ')');
    } else {
        buf_add(out, piece);
    }
}

static void reduce_branch(str in, struct buf *out, int level) {
    str best = {NULL, 0};
    unsigned best_score = 0;
    size_t from = 0, pieces = 0;
    for (size_t at = 0; at <= in.len;) {
        unsigned least = 1;
        bool open = at == in.len;
        const size_t end = open ? at : atom_end(in, at);
        const size_t next = open ? at + 1 : quantifier_end(in, end, &least, &open);
        if (open) {
            const str piece = str_slice(in, from, at);
            const unsigned all = score_branch(piece, level), common = score_common(piece);
            const unsigned score = all > common ? all - common : 0;
            if (score > best_score) {
                best = piece;
                best_score = score;
            }
            from = next;
            pieces++;
        }
        at = next;
    }
    put_piece(pieces > 1 && best_score >= SCORE_LEAST ? best : in, out, level);
}

static void reduce_branches(str in, struct buf *out, int level) {
    for (size_t at = 0; at <= in.len;) {
        const size_t end = branch_end(in, at);
        if (at > 0)
            buf_add_byte(out, '|');
        reduce_branch(str_slice(in, at, end), out, level);
        at = end + 1;
    }
}

static bool refers_back(str rough) {
    for (size_t i = 0; i + 1 < rough.len; i += rough.ptr[i] == '\\' ? 2 : 1)
        if (rough.ptr[i] == '\\' && rough.ptr[i + 1] >= '1' && rough.ptr[i + 1] <= '9')
            return true;
    return false;
}

void tech_rough_reduce(str rough, struct buf *out) {
    buf_clear(out);
    if (refers_back(rough))
        buf_add(out, rough);
    else
        reduce_branches(rough, out, 0);
}
