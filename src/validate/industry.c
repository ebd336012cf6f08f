/* industry.c — what people write for an industry, as a NAICS code. */
#include "validate/industry.h"

#include "base/asset.h"
#include "text/fold.h"

#include <math.h>

enum { INDUSTRY_MAX_BYTE = 200, INDUSTRY_MAX = 4096, TITLE_TOKEN_MAX = 16, NAME_SLOT = 8192, WORD_SLOT = 8192 };

struct industry {
    str code, title;
    uint64_t token[TITLE_TOKEN_MAX]; /* hashes of its words; 0 behind the last */
    double weight;                   /* sum of its words' */
};

struct slot {
    str folded;
    uint32_t industry; /* index + 1 */
    bool is_code;
};

struct word_slot {
    uint64_t hash;
    double weight;
};

struct industries {
    struct industry *of;
    size_t n;
    struct slot *name;
    struct word_slot *word;
};

static struct slot *find_name(const struct industries *l, str folded) {
    size_t at = str_hash(folded) & (NAME_SLOT - 1);
    while (l->name[at].folded.len > 0 && !str_equal(l->name[at].folded, folded))
        at = (at + 1) & (NAME_SLOT - 1);
    return &l->name[at];
}

static struct word_slot *find_word(const struct industries *l, uint64_t hash) {
    size_t at = hash & (WORD_SLOT - 1);
    while (l->word[at].hash && l->word[at].hash != hash)
        at = (at + 1) & (WORD_SLOT - 1);
    return &l->word[at];
}

static void add_name(struct industries *l, struct arena *a, str name, size_t industry, bool is_code) {
    char folded[INDUSTRY_MAX_BYTE];
    const str f = {folded, text_fold(name, folded, sizeof folded)};
    struct slot *s = find_name(l, f);
    if (f.len > 0 && s->folded.len == 0)
        *s = (struct slot){str_copy(a, f), (uint32_t)industry + 1, is_code};
}

/* Hashes of the words that carry meaning, without plurals. */
static size_t tokens_of(str text, uint64_t token[TITLE_TOKEN_MAX]) {
    static const str empty[] = {STR_INIT("and"),      STR_INIT("of"),       STR_INIT("the"),      STR_INIT("except"),
                                STR_INIT("all"),      STR_INIT("other"),    STR_INIT("for"),      STR_INIT("in"),
                                STR_INIT("or"),       STR_INIT("related"),  STR_INIT("services"), STR_INIT("service"),
                                STR_INIT("industry"), STR_INIT("companies")};
    char folded[INDUSTRY_MAX_BYTE];
    str rest = {folded, text_fold(text, folded, sizeof folded)}, w;
    size_t n = 0;
    while (rest.len > 0 && n < TITLE_TOKEN_MAX && str_split(&rest, ' ', &w)) {
        bool skip = w.len == 0;
        for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
            skip |= str_equal(w, empty[i]);
        if (skip)
            continue;
        if (w.len > 4 && str_ends(w, STR("ies")))
            w.len -= 3;
        else if (w.len > 3 && (w.ptr[w.len - 1] == 's' || w.ptr[w.len - 1] == 'y'))
            w.len--;
        const uint64_t h = str_hash(w) | 1;
        bool twice = false;
        for (size_t i = 0; i < n; i++)
            twice |= token[i] == h;
        if (!twice)
            token[n++] = h;
    }
    return n;
}

static void add_title(struct industries *l, struct arena *a, str code, str title) {
    if (l->n == INDUSTRY_MAX)
        return;
    struct industry *i = &l->of[l->n];
    *i = (struct industry){.code = code, .title = title};
    const size_t n = tokens_of(title, i->token);
    for (size_t k = 0; k < n; k++) {
        struct word_slot *w = find_word(l, i->token[k]);
        w->hash = i->token[k];
        w->weight += 1;
    }
    add_name(l, a, code, l->n++, true);
}

/* Weights by rarity: log of titles per title with the word. */
static void weigh(struct industries *l) {
    for (size_t i = 0; i < WORD_SLOT; i++)
        if (l->word[i].hash)
            l->word[i].weight = log((double)l->n / l->word[i].weight) + 0.5;
    for (size_t i = 0; i < l->n; i++)
        for (size_t k = 0; k < TITLE_TOKEN_MAX && l->of[i].token[k]; k++)
            l->of[i].weight += find_word(l, l->of[i].token[k])->weight;
}

static void load_names(struct industries *l, struct arena *a, str text) {
    str rest = text, line, code, name;
    while (str_split(&rest, '\n', &line)) {
        if (line.len == 0 || line.ptr[0] == '#' || !str_split(&line, '\t', &code))
            continue;
        char folded[32];
        const struct slot *s = find_name(l, (str){folded, text_fold(code, folded, sizeof folded)});
        while (s->industry && str_split(&line, '|', &name))
            add_name(l, a, name, s->industry - 1, false);
    }
}

struct industries *industries_load(struct arena *a) {
    struct industries *l = ARENA_NEW(a, struct industries);
    str rest = asset_get(STR("lists/naics.tsv")), line, code;
    l->of = ARENA_ARRAY(a, INDUSTRY_MAX, struct industry);
    l->name = ARENA_ARRAY(a, NAME_SLOT, struct slot);
    l->word = ARENA_ARRAY(a, WORD_SLOT, struct word_slot);
    while (str_split(&rest, '\n', &line))
        if (line.len > 0 && line.ptr[0] != '#' && str_split(&line, '\t', &code))
            add_title(l, a, code, line);
    weigh(l);
    load_names(l, a, asset_get(STR("lists/industries.tsv")));
    for (size_t i = 0; i < l->n; i++)
        add_name(l, a, l->of[i].title, i, false);
    return l;
}

/* The title that shares most with the text: 2·common / (text + title), by weight of the words. The first of equals, which
 * has the shortest code. */
static size_t best_title(const struct industries *l, const uint64_t *token, size_t n, double *share) {
    double whole = 0;
    size_t best = 0;
    *share = 0;
    for (size_t k = 0; k < n; k++) {
        const struct word_slot *w = find_word(l, token[k]);
        whole += w->hash ? w->weight : log((double)l->n);
    }
    for (size_t i = 0; i < l->n; i++) {
        double common = 0;
        for (size_t k = 0; k < n; k++)
            for (size_t t = 0; t < TITLE_TOKEN_MAX && l->of[i].token[t]; t++)
                if (l->of[i].token[t] == token[k])
                    common += find_word(l, token[k])->weight;
        const double s = common > 0 ? 2 * common / (whole + l->of[i].weight) : 0;
        if (s > *share) {
            *share = s;
            best = i;
        }
    }
    return best;
}

void industry_clean(const struct industries *l, struct arena *a, str original, struct clean_value *v, str *title) {
    *title = (str){0};
    if (!clean_begin(v, original, INDUSTRY_MAX_BYTE))
        return;
    const str s = clean_spaces(a, v, v->value);
    char folded[INDUSTRY_MAX_BYTE];
    const struct slot *name = find_name(l, (str){folded, text_fold(s, folded, sizeof folded)});
    size_t at;
    if (name->industry) {
        at = name->industry - 1;
        if (!str_equal(l->of[at].code, s))
            clean_apply(v, name->is_code ? RULE_INDUSTRY_CODE : RULE_INDUSTRY_TITLE);
    } else {
        uint64_t token[TITLE_TOKEN_MAX];
        double share;
        at = best_title(l, token, tokens_of(s, token), &share);
        if (share < 0.5) {
            clean_refuse(v, RULE_UNKNOWN);
            return;
        }
        clean_apply(v, RULE_INDUSTRY_WORDS);
        v->confidence *= share < 0.95 ? share : 0.95;
    }
    v->value = l->of[at].code;
    *title = l->of[at].title;
    clean_end(v, original);
}
