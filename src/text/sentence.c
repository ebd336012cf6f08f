/* sentence.c — cuts a sentence into tokens, clauses and pieces, and looks phrases up. */
#include "text/sentence_priv.h"

#include "base/number.h"

static bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80) != 0; }
static bool digit(char c) { return c >= '0' && c <= '9'; }

/* Room for n more bytes and a blank, and one more token. */
static bool has_room(const struct sentence *s, size_t n) {
    return s->n < SENTENCE_TOKENS && s->n_lower + n + 1 < SENTENCE_BYTE;
}

static struct token *add_token(struct sentence *s, enum token_kind kind, str text, size_t at, size_t end) {
    struct token *t = &s->token[s->n++];
    char *to = s->lower + s->n_lower;
    for (size_t i = 0; i < text.len; i++)
        to[i] = text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? (char)(text.ptr[i] + 32) : text.ptr[i];
    to[text.len] = ' ';
    s->n_lower += text.len + 1;
    *t = (struct token){.kind = kind, .text = {to, text.len}, .at = at, .end = end};
    return t;
}

static size_t skip_blanks(str text, size_t i) {
    while (i < text.len && text.ptr[i] == ' ')
        i++;
    return i;
}

/* A number's unit behind it: "mn", "bn", "%". */
static void read_unit(struct token *t, str text) {
    static const struct {
        str name;
        double factor; /* 0: percent */
    } units[] = {{STR_INIT("mn"), 1e6},    {STR_INIT("mln"), 1e6},  {STR_INIT("million"), 1e6},  {STR_INIT("m"), 1e6},
                 {STR_INIT("bn"), 1e9},    {STR_INIT("bln"), 1e9},  {STR_INIT("billion"), 1e9},  {STR_INIT("crore"), 1e7},
                 {STR_INIT("cr"), 1e7},    {STR_INIT("lakh"), 1e5}, {STR_INIT("thousand"), 1e3}, {STR_INIT("k"), 1e3},
                 {STR_INIT("%"), 0},       {STR_INIT("pct"), 0},    {STR_INIT("pc"), 0},         {STR_INIT("percent"), 0},
                 {STR_INIT("per cent"), 0}};
    const size_t from = skip_blanks(text, t->end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        const size_t end = from + units[i].name.len;
        if (end <= text.len && str_equal_nocase(str_slice(text, from, end), units[i].name) &&
            (end == text.len || !letter(text.ptr[end]))) {
            t->percent = units[i].factor == 0;
            t->value *= units[i].factor == 0 ? 1 : units[i].factor;
            return;
        }
    }
}

/* "1,070.6", and "3 .8" as some agencies set it. */
static size_t read_number(struct sentence *s, str text, size_t i) {
    char digits[NUMBER_TEXT_BYTE];
    size_t n = 0;
    const size_t begin = i;
    bool point = false;
    for (; i < text.len && n + 1 < sizeof digits; i++) {
        const char c = text.ptr[i], next = i + 1 < text.len ? text.ptr[i + 1] : 0;
        if (digit(c)) {
            digits[n++] = c;
        } else if (c == '.' && digit(next) && !point) {
            digits[n++] = '.';
            point = true;
        } else if (c == ' ' && next == '.' && !point && i + 2 < text.len && digit(text.ptr[i + 2])) {
            continue;
        } else if (c != ',' || !digit(next)) {
            break;
        }
    }
    struct token *t = add_token(s, TOKEN_NUMBER, STR("0"), begin, i);
    if (!number_parse((str){digits, n}, &t->value))
        t->value = 0;
    read_unit(t, text);
    return i;
}

/* Letters, digits and what joins them; "EUR3" ends before its number. */
static size_t word_end(str text, size_t i) {
    const size_t begin = i;
    for (; i < text.len; i++) {
        const char c = text.ptr[i], next = i + 1 < text.len ? text.ptr[i + 1] : 0;
        if (digit(c) && i - begin >= 2 && i - begin <= 3 && text.ptr[begin] >= 'A' && text.ptr[begin] <= 'Z')
            break;
        if (letter(c) || digit(c))
            continue;
        if ((c == '\'' || c == '-' || c == '&' || c == '_') && (letter(next) || digit(next)))
            continue;
        break;
    }
    return i;
}

static size_t read_word(struct sentence *s, str text, size_t i) {
    const size_t end = word_end(text, i);
    str word = str_slice(text, i, end < i + SENTIMENT_PHRASE_BYTE ? end : i + SENTIMENT_PHRASE_BYTE);
    if (str_ends(word, STR("'s")))
        word.len -= 2;
    if (word.len > 0)
        add_token(s, TOKEN_WORD, word, i, end);
    return end;
}

static void cut_tokens(struct sentence *s, str text) {
    s->n = s->n_lower = 0;
    for (size_t i = 0; i < text.len && has_room(s, SENTIMENT_PHRASE_BYTE);) {
        const char c = text.ptr[i];
        if (digit(c)) {
            i = read_number(s, text, i);
        } else if (letter(c)) {
            i = read_word(s, text, i);
        } else {
            const bool dash = c == '-' && i > 0 && text.ptr[i - 1] == ' ' && i + 1 < text.len && text.ptr[i + 1] == ' ';
            if (dash || c == ',' || c == ';' || c == ':' || c == '?' || c == '|' || c == '.' || c == '!')
                add_token(s, TOKEN_MARK, str_slice(text, i, i + 1), i, i + 1);
            i++;
        }
    }
}

/* The longest phrase the lexicon knows at token i. */
static void look_up(struct sentence *s, const struct lexicon *l, size_t i) {
    struct token *t = &s->token[i];
    for (size_t k = 0; k < LEXICON_PHRASE_WORDS && i + k < s->n && s->token[i + k].kind == TOKEN_WORD; k++) {
        const str last = s->token[i + k].text, phrase = {t->text.ptr, (size_t)(last.ptr + last.len - t->text.ptr)};
        const struct lexicon_entry *e = lexicon_find(l, phrase);
        if (e && e->classes) {
            t->entry = e;
            t->span = (uint32_t)k + 1;
        }
        if (!e || !e->begins)
            return;
    }
}

static bool ends_clause(const struct token *t) {
    return t->kind == TOKEN_MARK ? t->text.ptr[0] != ',' : token_is(t, WORD_SPLIT);
}

void sentence_read(struct sentence *s, const struct lexicon *l, str text) {
    uint32_t clause = 0, piece = 0;
    cut_tokens(s, text);
    for (size_t i = 0; i < s->n; i++)
        if (s->token[i].kind == TOKEN_WORD && (i == 0 || !s->token[i - 1].span || s->token[i - 1].span == 1))
            look_up(s, l, i);
        else if (s->token[i].kind == TOKEN_WORD)
            s->token[i].span = s->token[i - 1].span - 1;
    for (size_t i = 0; i < s->n; i++) {
        struct token *t = &s->token[i];
        clause += ends_clause(t);
        piece += ends_clause(t) || t->kind == TOKEN_MARK;
        t->clause = clause;
        t->piece = piece;
    }
}
