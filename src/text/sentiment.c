/* sentiment.c — finds what is said to rise and fall, adds it up, and weighs it by where the entity stands. */
#include "text/sentiment.h"

#include "text/sentence_priv.h"

#include <math.h>

enum { HITS = 256, BEFORE = 7, AFTER = 5, NEGATION_REACH = 4, COMPARED_REACH = 14 };

static const double neutral_below = 0.15, with_object = 1.0, without_object = 0.8, turned = -0.7, softened = 0.6,
                    harm_alone = 0.5;

/* One thing that was said: where, what, how much. */
struct hit {
    size_t at;
    enum word_class class;
    bool object;
    double polarity, weight;
};

struct judged {
    struct sentence sentence;
    struct hit hit[HITS];
    size_t n;
    bool used[SENTENCE_TOKENS]; /* a noun that something was said of */
};

/* ---- what is said ---- */

static bool is_noun(const struct token *t) { return token_is(t, WORD_GAIN) || token_is(t, WORD_HARM); }

/* The noun that the direction at token i is about; SENTENCE_TOKENS when there is none. */
static size_t find_object(const struct sentence *s, size_t i) {
    const struct token *t = s->token;
    size_t before = SENTENCE_TOKENS, after = SENTENCE_TOKENS;
    for (size_t k = 1; k <= BEFORE && k <= i && t[i - k].clause == t[i].clause && before == SENTENCE_TOKENS; k++)
        if (is_noun(&t[i - k]))
            before = i - k;
    const size_t next = i + (t[i].span ? t[i].span : 1);
    for (size_t k = next; k < next + AFTER && k < s->n && t[k].clause == t[i].clause && after == SENTENCE_TOKENS; k++)
        if (is_noun(&t[k]) && t[k].piece == t[i].piece)
            after = k;
    if (before == SENTENCE_TOKENS || after == SENTENCE_TOKENS)
        return before == SENTENCE_TOKENS ? after : before;
    const size_t left = i - before, right = after - next + 1;
    return right < left || (right == left && token_is(&t[i], WORD_REDUCES)) ? after : before;
}

static bool in_reach(const struct sentence *s, size_t i, enum word_class c, size_t reach) {
    for (size_t k = 1; k <= reach && k <= i && s->token[i - k].clause == s->token[i].clause; k++)
        if (token_is(&s->token[i - k], c))
            return true;
    return false;
}

static bool compares(const struct token *t) {
    static const str words[] = {STR_INIT("compared"), STR_INIT("from"), STR_INIT("versus"),
                                STR_INIT("against"),  STR_INIT("vs"),   STR_INIT("corresponding")};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_equal(t->text, words[i]))
            return true;
    return false;
}

/* Whether token i is in what something is compared to: "versus a loss". */
static bool is_past(const struct sentence *s, size_t i) {
    for (size_t k = 1; k <= 4 && k <= i; k++)
        if (compares(&s->token[i - k]))
            return true;
    return false;
}

static void add_hit(struct judged *j, size_t at, enum word_class class, bool object, double polarity) {
    if (j->n == HITS)
        return;
    if (in_reach(&j->sentence, at, WORD_NOT, NEGATION_REACH))
        polarity *= turned;
    j->hit[j->n++] = (struct hit){.at = at, .class = class, .object = object, .polarity = polarity};
}

static void read_direction(struct judged *j, size_t i) {
    const struct sentence *s = &j->sentence;
    const struct token *t = &s->token[i];
    const enum word_class class = token_is(t, WORD_UP) ? WORD_UP : WORD_DOWN;
    const size_t object = find_object(s, i);
    double sign = class == WORD_UP ? 1 : -1;
    if (object != SENTENCE_TOKENS) {
        sign *= token_is(&s->token[object], WORD_HARM) ? -1 : 1;
        j->used[object] = true;
    }
    add_hit(j, i, class, object != SENTENCE_TOKENS,
            sign * t->entry->strength[class] * (object != SENTENCE_TOKENS ? with_object : without_object));
}

static void read_word_alone(struct judged *j, size_t i) {
    static const struct {
        enum word_class class;
        double sign;
    } states[] = {{WORD_GOOD, 1}, {WORD_BAD, -1}, {WORD_RATE_GOOD, 1}, {WORD_RATE_BAD, -1}};
    const struct token *t = &j->sentence.token[i];
    for (size_t k = 0; k < sizeof states / sizeof *states; k++)
        if (token_is(t, states[k].class)) {
            add_hit(j, i, states[k].class, false, states[k].sign * t->entry->strength[states[k].class]);
            return;
        }
}

/* ---- amounts compared ---- */

static size_t noun_before(const struct sentence *s, size_t i, size_t stop) {
    for (size_t k = i; k-- > stop;)
        if (is_noun(&s->token[k]))
            return k;
    return SENTENCE_TOKENS;
}

/* A number that is no year, day or quarter. */
static bool is_amount(const struct token *t) {
    const bool whole = t->value == floor(t->value);
    return t->kind == TOKEN_NUMBER && (t->percent || !whole || (t->value >= 1000 && !(t->value >= 1900 && t->value < 2100)));
}

/* "profit 3.1 mn, compared to 5.0 mn": two amounts of one thing, when no word says the direction. */
static void read_comparison(struct judged *j, size_t at) {
    const struct sentence *s = &j->sentence;
    size_t first = SENTENCE_TOKENS, second = SENTENCE_TOKENS;
    for (size_t k = 1; k <= COMPARED_REACH && k <= at && first == SENTENCE_TOKENS; k++)
        if (is_amount(&s->token[at - k]))
            first = at - k;
    for (size_t k = at + 1; k < s->n && k <= at + COMPARED_REACH && second == SENTENCE_TOKENS; k++)
        if (is_amount(&s->token[k]))
            second = k;
    if (first == SENTENCE_TOKENS || second == SENTENCE_TOKENS || s->token[first].percent != s->token[second].percent)
        return;
    const size_t of = noun_before(s, first, first > 16 ? first - 16 : 0), other = noun_before(s, second, at);
    if (of == SENTENCE_TOKENS)
        return;
    const double now = token_is(&s->token[of], WORD_HARM) ? -1 : 1;
    const double then = other == SENTENCE_TOKENS ? now : token_is(&s->token[other], WORD_HARM) ? -1 : 1;
    const double a = now * s->token[first].value, b = then * s->token[second].value;
    if (fabs(a - b) > 1e-3 * fabs(b)) {
        j->used[of] = true;
        if (other != SENTENCE_TOKENS)
            j->used[other] = true;
        add_hit(j, at, a > b ? WORD_UP : WORD_DOWN, true, a > b ? 1 : -1);
    }
}

static bool has_direction(const struct judged *j, size_t at) {
    for (size_t i = 0; i < j->n; i++)
        if ((j->hit[i].class == WORD_UP || j->hit[i].class == WORD_DOWN) && j->hit[i].at + 2 * COMPARED_REACH > at &&
            j->hit[i].at < at + COMPARED_REACH)
            return true;
    return false;
}

static void read_sentence(struct judged *j, const struct lexicon *l, str text) {
    struct sentence *s = &j->sentence;
    sentence_read(s, l, str_slice(text, 0, SENTIMENT_TEXT_BYTE));
    j->n = 0;
    memset(j->used, 0, s->n);
    for (size_t i = 0; i < s->n; i++)
        if (token_is(&s->token[i], WORD_UP) || token_is(&s->token[i], WORD_DOWN))
            read_direction(j, i);
    for (size_t i = 0; i < s->n; i++)
        if (compares(&s->token[i]) && !has_direction(j, i))
            read_comparison(j, i);
    for (size_t i = 0; i < s->n; i++) {
        const struct token *t = &s->token[i];
        if (!t->entry || token_is(t, WORD_UP) || token_is(t, WORD_DOWN) || j->used[i])
            continue;
        if (token_is(t, WORD_HARM) && is_past(s, i))
            continue;
        if (token_is(t, WORD_HARM) && !token_is(t, WORD_BAD))
            add_hit(j, i, WORD_HARM, false, -harm_alone * t->entry->strength[WORD_HARM]);
        else
            read_word_alone(j, i);
    }
}

/* ---- for whom ---- */

enum place { PLACE_WHOLE, PLACE_SPEAKER, PLACE_RATER, PLACE_PART };

struct whom {
    size_t from, to; /* tokens */
    bool found;
};

static bool word_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c & 0x80) != 0;
}

static struct whom find_entity(const struct sentence *s, str text, str entity) {
    struct whom w = {0};
    size_t from = 0;
    while (entity.len > 0 && from + entity.len <= text.len) {
        const ptrdiff_t found = str_find_nocase(str_slice(text, from, text.len), entity);
        if (found < 0)
            return w;
        const size_t begin = from + (size_t)found, end = begin + entity.len;
        from = begin + 1;
        if ((begin > 0 && word_char(text.ptr[begin - 1])) || (end < text.len && word_char(text.ptr[end])))
            continue;
        for (size_t i = 0; i < s->n; i++)
            if (s->token[i].end > begin && s->token[i].at < end) {
                w.from = w.found ? w.from : i;
                w.to = i + 1;
                w.found = true;
            }
        if (w.found)
            return w;
    }
    return w;
}

/* "…: Analyst, House", "says House", "according to House". */
static bool is_speaker(const struct sentence *s, const struct whom *w) {
    for (size_t k = w->from; k-- > 0 && w->from - k <= 6;) {
        const struct token *t = &s->token[k];
        if (token_is(t, WORD_SPEAKER))
            return w->from - k <= 4;
        if (t->kind == TOKEN_MARK && t->text.ptr[0] != ',')
            break;
    }
    size_t colon = SENTENCE_TOKENS;
    for (size_t k = 0; k < s->n; k++)
        if (s->token[k].kind == TOKEN_MARK && s->token[k].text.ptr[0] == ':')
            colon = k;
    if (colon != SENTENCE_TOKENS && w->from > colon && s->n - colon <= 10) {
        for (size_t k = colon + 1; k < s->n; k++)
            if (token_is(&s->token[k], WORD_UP) || token_is(&s->token[k], WORD_DOWN))
                return false;
        return true;
    }
    return w->to < s->n && token_is(&s->token[w->to], WORD_SPEAKER) && w->to + 1 < s->n;
}

/* Whether any hit is in a piece (or, with `clause`, a clause). */
static bool said_in(const struct judged *j, uint32_t number, bool clause) {
    for (size_t i = 0; i < j->n; i++) {
        const struct token *t = &j->sentence.token[j->hit[i].at];
        if ((clause ? t->clause : t->piece) == number)
            return true;
    }
    return false;
}

/* The piece that speaks of the entity: its own, else the next of its clause where something is said ("A, B and C fall"),
 * else one before. */
static uint32_t speaking_piece(const struct judged *j, const struct whom *w) {
    const struct sentence *s = &j->sentence;
    const uint32_t own = s->token[w->to - 1].piece, clause = s->token[w->to - 1].clause;
    for (size_t i = w->to - 1; i < s->n && s->token[i].clause == clause; i++)
        if (said_in(j, s->token[i].piece, false))
            return s->token[i].piece;
    for (size_t i = w->from + 1; i-- > 0 && s->token[i].clause == clause;)
        if (said_in(j, s->token[i].piece, false))
            return s->token[i].piece;
    return own;
}

/* Who rates another has nothing said of itself: "A downgrades B". */
static bool is_rater(const struct judged *j, const struct hit *h, const struct whom *w) {
    const struct sentence *s = &j->sentence;
    const size_t next = h->at + (s->token[h->at].span ? s->token[h->at].span : 1);
    return (h->class == WORD_RATE_GOOD || h->class == WORD_RATE_BAD) && h->at >= w->to && h->at - w->to <= 1 &&
           next < s->n && s->token[next].kind == TOKEN_WORD && !str_equal(s->token[h->at].text, STR("top"));
}

static void weigh(struct judged *j, const struct whom *w) {
    const struct sentence *s = &j->sentence;
    const uint32_t clause = s->token[w->to - 1].clause, piece = speaking_piece(j, w);
    const bool own = said_in(j, clause, true);
    for (size_t i = 0; i < j->n; i++) {
        struct hit *h = &j->hit[i];
        const struct token *t = &s->token[h->at];
        const uint32_t apart = t->clause > clause ? t->clause - clause : clause - t->clause;
        if (t->clause == clause)
            h->weight = t->piece == piece ? 1 : 0.3;
        else
            h->weight = own ? 0.1 : apart == 1 ? 0.6 : 0.3;
        if (is_rater(j, h, w))
            h->weight *= 0.1;
    }
}

/* Reads and weighs; what part the entity has in the sentence. */
static enum place consider(struct judged *j, const struct lexicon *l, str text, str entity) {
    read_sentence(j, l, text);
    const struct whom w = find_entity(&j->sentence, str_slice(text, 0, SENTIMENT_TEXT_BYTE), entity);
    for (size_t i = 0; i < j->n; i++)
        j->hit[i].weight = 1;
    if (!w.found)
        return PLACE_WHOLE;
    weigh(j, &w);
    if (!is_speaker(&j->sentence, &w))
        return PLACE_PART;
    for (size_t i = 0; i < j->n; i++)
        j->hit[i].weight *= 0.05;
    return PLACE_SPEAKER;
}

static double total(const struct judged *j) {
    const struct sentence *s = &j->sentence;
    double sum = 0;
    for (size_t i = 0; i < j->n; i++)
        sum += j->hit[i].weight * j->hit[i].polarity * (in_reach(s, j->hit[i].at, WORD_SOFT, BEFORE) ? softened : 1);
    return tanh(sum);
}

static int label_of(double score) {
    return score > neutral_below ? SENTIMENT_POSITIVE : score < -neutral_below ? SENTIMENT_NEGATIVE : SENTIMENT_NEUTRAL;
}

struct sentiment sentiment_judge(const struct lexicon *lexicon, str text, str entity) {
    struct judged j;
    consider(&j, lexicon, text, entity);
    const double score = total(&j);
    return (struct sentiment){label_of(score), score};
}

const char *sentiment_label_name(int label) {
    static const char *const names[SENTIMENT_LABELS] = {"negative", "neutral", "positive"};
    return names[label];
}

size_t sentiment_senses(const struct lexicon *lexicon, str text, str entity, uint32_t sense[SENTIMENT_SENSE_MAX]) {
    struct judged j;
    size_t n = 0;
    const enum place place = consider(&j, lexicon, text, entity);
    const double score = total(&j);
    sense[n++] = 1 + (uint32_t)place;
    sense[n++] = 16 + (uint32_t)((score + 1) * 4.49);
    sense[n++] = 32 + 3 * (uint32_t)place + (uint32_t)label_of(score);
    for (size_t i = 0; i < j.n && n < SENTIMENT_SENSE_MAX; i++) {
        const struct hit *h = &j.hit[i];
        const uint32_t near = h->weight > 0.9 ? 3 : h->weight > 0.5 ? 2 : h->weight > 0.2 ? 1 : 0;
        sense[n++] = 1024 + ((uint32_t)h->class * 2 + h->object) * 8 + near * 2 + (h->polarity > 0);
    }
    return n;
}
