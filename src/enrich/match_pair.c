/* match_pair.c — two names compared: what their words share, and the probability that they are of one thing. */
#include "enrich/match_priv.h"
#include "text/fold.h"
#include "text/similarity.h"

#include <math.h>

enum { COUNT_SLOT = 1 << 16 };

/* How many names have a word; words that collide share a count, which only makes them look less rare. */
struct match_pairs {
    const struct match_forms *forms;
    uint32_t count[2][COUNT_SLOT];
    uint32_t names[2];
};

struct match_pairs *match_pairs_new(struct arena *a, const struct match_forms *forms) {
    struct match_pairs *p = ARENA_NEW(a, struct match_pairs);
    p->forms = forms;
    return p;
}

/* Titles and particles of people's names: left out, for they come and go. */
static bool is_particle(str w) {
    static const str particles[] = {
        STR_INIT("mr"),  STR_INIT("mrs"),  STR_INIT("ms"),     STR_INIT("miss"),      STR_INIT("dr"),   STR_INIT("prof"),
        STR_INIT("sir"), STR_INIT("jr"),   STR_INIT("sr"),     STR_INIT("president"), STR_INIT("al"),   STR_INIT("el"),
        STR_INIT("ul"),  STR_INIT("bin"),  STR_INIT("ibn"),    STR_INIT("ben"),       STR_INIT("van"),  STR_INIT("von"),
        STR_INIT("der"), STR_INIT("den"),  STR_INIT("de"),     STR_INIT("di"),        STR_INIT("da"),   STR_INIT("dos"),
        STR_INIT("la"),  STR_INIT("le"),   STR_INIT("shaikh"), STR_INIT("sheikh"),    STR_INIT("haji"), STR_INIT("monsieur"),
        STR_INIT("del"), STR_INIT("herr"), STR_INIT("frau"),   STR_INIT("mme"),       STR_INIT("lord"), STR_INIT("lady")};
    for (size_t i = 0; i < sizeof particles / sizeof *particles; i++)
        if (str_equal(w, particles[i]))
            return true;
    return false;
}

static void words_of(const struct match_pairs *p, enum match_kind kind, const struct match_name *name,
                     struct match_words *out) {
    out->n = 0;
    for (size_t i = 0; i < name->n; i++) {
        const str w = name->token[i];
        if (kind == MATCH_PERSON && is_particle(w))
            continue;
        const double df = p->count[kind][str_hash(w) % COUNT_SLOT], n = p->names[kind];
        out->word[out->n] = w;
        out->weight[out->n++] = 1 + log((n + 2) / (df + 1)) / log(n + 2);
    }
    if (out->n > 0)
        return;
    for (size_t i = 0; i < name->n; i++) { /* particles alone */
        out->word[out->n] = name->token[i];
        out->weight[out->n++] = 1;
    }
}

void match_pairs_count(struct match_pairs *p, enum match_kind kind, str raw) {
    struct match_name name;
    match_name_read(p->forms, raw, &name);
    p->names[kind]++;
    for (size_t i = 0; i < name.n; i++) {
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again |= str_equal(name.token[k], name.token[i]);
        p->count[kind][str_hash(name.token[i]) % COUNT_SLOT] += !again;
    }
}

/* If you change this: the weights. */
enum feature {
    P_ONE,
    P_EDITS,         /* 1 − edits / length of all letters in one, words in order */
    P_EDITS_SQUARED, /* its square */
    P_COVERED,       /* share of the weight that is shared, of the one that has more */
    P_WORST,         /* 1 − likeness of the two words that are least alike among those that stand for each other */
    P_EQUAL,         /* the same letters, or the same words */
    P_NUMBER,        /* a number is left over */
    P_FORM,          /* legal forms of different classes */
    P_BOTH,          /* words are left over on both sides */
    P_WITHIN,        /* all words of the one are words of the other, which has more */
    P_SOUND,         /* share of the words only alike that sound the same */
    P_INITIALS,      /* one is the initials of the other */
};

static size_t joined_of(const struct match_words *w, char *to, size_t cap) {
    size_t len = 0;
    for (size_t i = 0; i < w->n && len + w->word[i].len <= cap; i++) {
        memcpy(to + len, w->word[i].ptr, w->word[i].len);
        len += w->word[i].len;
    }
    return len;
}

/* "IBM", "P & G": the letters of `one`, written in one or not, are the first of each word of `many`. */
static bool are_initials(const struct match_words *one, const struct match_words *many) {
    char letters[MATCH_NAME_BYTE];
    const size_t n = joined_of(one, letters, sizeof letters);
    if (many->n < 2 || n != many->n || (one->n > 1 && one->n != n))
        return false;
    for (size_t i = 0; i < n; i++)
        if (many->word[i].len < 2 || many->word[i].ptr[0] != letters[i])
            return false;
    return true;
}

struct sums {
    double mass[2], shared[2], worst;
    size_t left[2], slips, sounds;
    bool number;
};

static void add_side(const struct match_words *w, const int8_t *of, const double *alike, int side, struct sums *s) {
    for (size_t i = 0; i < w->n; i++) {
        s->mass[side] += w->weight[i];
        if (of[i] == MATCH_ALONE) {
            s->left[side]++;
            s->number |= match_token_number(w->word[i]) > 0;
        } else
            s->shared[side] += w->weight[i] * alike[i] * alike[i];
    }
}

static void add_slips(const struct match_words *a, const struct match_words *b, const struct match_alignment *x,
                      struct sums *s) {
    for (size_t i = 0; i < a->n; i++) {
        if (x->of_a[i] == MATCH_ALONE || x->alike[i] >= 1)
            continue;
        const str one = a->word[i], two = b->word[x->of_a[i]];
        s->slips++;
        s->worst = fmax(s->worst, 1 - x->alike[i]);
        s->sounds += text_sound(one) == text_sound(two);
    }
}

static double edits_of(str a, str b) {
    const size_t longest = a.len > b.len ? a.len : b.len;
    return longest == 0 ? 0 : fmax(0, 1 - (double)text_edits(a, b) / (double)(longest < 64 ? longest : 64));
}

/* The features of a and b in this order; the caller takes the mean of both orders. */
static void compare(const struct match_words *a, const struct match_words *b, bool person, double v[MATCH_FEATURE_COUNT]) {
    struct match_alignment x;
    struct sums s = {.worst = 0};
    char one[MATCH_NAME_BYTE], two[MATCH_NAME_BYTE];
    match_align(a, b, person ? 0.75 : 0.8, person, &x);
    add_side(a, x.of_a, x.alike, 0, &s);
    add_side(b, x.of_b, x.alike_b, 1, &s);
    add_slips(a, b, &x, &s);
    const int less = s.mass[0] < s.mass[1] ? 0 : 1;
    const str all_a = {one, joined_of(a, one, sizeof one)}, all_b = {two, joined_of(b, two, sizeof two)};
    v[P_ONE] = 1;
    v[P_EDITS] = edits_of(all_a, all_b);
    v[P_EDITS_SQUARED] = v[P_EDITS] * v[P_EDITS];
    v[P_COVERED] = s.shared[1 - less] / s.mass[1 - less];
    v[P_WORST] = s.worst;
    v[P_EQUAL] = str_equal(all_a, all_b) || (s.left[0] + s.left[1] + s.slips == 0);
    v[P_NUMBER] = s.number;
    v[P_BOTH] = s.left[0] > 0 && s.left[1] > 0;
    v[P_WITHIN] = v[P_COVERED] < 1 - 1e-3 && v[P_BOTH] < 1 && s.shared[less] > (1 - 1e-2) * s.mass[less];
    v[P_SOUND] = s.slips > 0 ? (double)s.sounds / (double)s.slips : 0;
    v[P_INITIALS] = are_initials(a, b) || are_initials(b, a);
}

size_t match_pair_features(const struct match_pairs *p, enum match_kind kind, str a, str b,
                           double feature[MATCH_FEATURE_COUNT]) {
    struct match_name one, two;
    struct match_words x, y;
    double back[MATCH_FEATURE_COUNT] = {0};
    for (size_t i = 0; i < MATCH_FEATURE_COUNT; i++)
        feature[i] = 0;
    match_name_read(p->forms, a, &one);
    match_name_read(p->forms, b, &two);
    words_of(p, kind, &one, &x);
    words_of(p, kind, &two, &y);
    if (x.n == 0 || y.n == 0)
        return 0;
    compare(&x, &y, kind == MATCH_PERSON, feature);
    compare(&y, &x, kind == MATCH_PERSON, back);
    for (size_t i = 0; i < MATCH_FEATURE_COUNT; i++)
        feature[i] = (feature[i] + back[i]) / 2;
    feature[P_FORM] = kind == MATCH_ORGANISATION && one.form && two.form && one.form != two.form;
    return P_INITIALS + 1;
}

/* Logistic regression for each kind, on labelled pairs of names of companies and of people; compared by cross-validation.
 * What a number left over is worth is set. */
static const double weights[2][MATCH_FEATURE_COUNT] = {
    [MATCH_ORGANISATION] = {[P_ONE] = -0.65,
                            [P_EDITS_SQUARED] = 3.05,
                            [P_COVERED] = -0.25,
                            [P_WORST] = -0.55,
                            [P_EQUAL] = 3,
                            [P_NUMBER] = -1,
                            [P_FORM] = -0.2,
                            [P_BOTH] = -1.9,
                            [P_WITHIN] = -1.85,
                            [P_SOUND] = 2.7,
                            [P_INITIALS] = 3.9},
    [MATCH_PERSON] = {[P_ONE] = 1.2,
                      [P_EDITS] = -1.2,
                      [P_EDITS_SQUARED] = 4.4,
                      [P_COVERED] = -2.6,
                      [P_WORST] = -6,
                      [P_EQUAL] = 1.5,
                      [P_BOTH] = -3.2,
                      [P_WITHIN] = 2.75,
                      [P_SOUND] = 1.4},
};

double match_pair(const struct match_pairs *p, enum match_kind kind, str a, str b) {
    double feature[MATCH_FEATURE_COUNT], s = 0;
    const size_t n = match_pair_features(p, kind, a, b, feature);
    if (n == 0)
        return a.len > 0 && str_equal(a, b) ? 1 : 0;
    for (size_t i = 0; i < n; i++)
        s += weights[kind][i] * feature[i];
    return 1 / (1 + exp(-s));
}
