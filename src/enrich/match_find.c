/* match_find.c — candidates from the index with bounded work, weighed, and shared probability. */
#include "enrich/match_priv.h"
#include "enrich/registry_priv.h"
#include "text/fold.h"
#include "text/similarity.h"

#include <math.h>

/* How much a search may do: postings added up, postings laid side by side, words looked at for likeness. */
enum {
    ADD_MAX = 6000,
    MERGE_MAX = 60000,
    GRAM_MAX = 4000,
    COMPARED_MAX = 64,
    ALIKE_MAX = 12,
    TOUCHED_MAX = 1 << 16,
    WEIGHED = 40
};

#define ALIKE_LEAST 0.75

/* Less than this for all others together is no ambiguity. */
#define OTHERS_LEAST 0.1

struct touched {
    uint32_t name, stamp;
    float weight;
};

struct match_finder {
    const struct registry *r;
    double threshold;
    struct touched *table; /* open addressing by name; stamp tells of which search */
    uint32_t *list;        /* places in the table, in order of touching */
    size_t n_list;
    uint32_t stamp;
    uint16_t *count; /* of words met by trigrams: how many, by place in `near` */
    uint32_t *near, *near_stamp, *near_list;
    uint32_t n_near, gram_stamp;
    struct match_name query;
    struct match_words words;
    int64_t term[MATCH_TOKEN_MAX];
    char joined[MATCH_NAME_BYTE];
    size_t n_joined;
    char domain[MATCH_NAME_BYTE], country[64], city[64];
    size_t n_domain, n_country, n_city;
    size_t work;
    double whole, initials; /* rarity of the query's words in one, and of the query as initials */
    struct match_candidate candidate[WEIGHED + 1];
    size_t n;
};

const char *match_status_name(enum match_status status) {
    static const char *const names[] = {"none", "ambiguous", "matched"};
    return names[status];
}

struct match_finder *match_finder_new(struct arena *a, const struct registry *r, double threshold) {
    struct match_finder *f = ARENA_NEW(a, struct match_finder);
    f->r = r;
    f->threshold = threshold > 0 ? threshold : MATCH_THRESHOLD;
    f->table = ARENA_ARRAY(a, TOUCHED_MAX, struct touched);
    f->list = ARENA_ARRAY(a, TOUCHED_MAX, uint32_t);
    f->near = ARENA_ARRAY(a, TOUCHED_MAX, uint32_t);
    f->near_list = ARENA_ARRAY(a, TOUCHED_MAX, uint32_t);
    f->near_stamp = ARENA_ARRAY(a, TOUCHED_MAX, uint32_t);
    f->count = ARENA_ARRAY(a, TOUCHED_MAX, uint16_t);
    return f;
}

/* ---- candidates ---- */

static struct touched *touch(struct match_finder *f, uint32_t name) {
    size_t i = (name * UINT32_C(2654435761)) >> 16;
    while (f->table[i].stamp == f->stamp && f->table[i].name != name)
        i = (i + 1) % TOUCHED_MAX;
    struct touched *t = &f->table[i];
    if (t->stamp != f->stamp) {
        *t = (struct touched){name, f->stamp, 0};
        f->list[f->n_list++] = (uint32_t)i;
    }
    return t;
}

static void add_names(struct match_finder *f, const uint32_t *name, size_t n, double weight) {
    for (size_t i = 0; i < n && f->n_list < TOUCHED_MAX / 2; i++)
        touch(f, name[i])->weight += (float)weight;
    f->work += n;
}

static size_t names_of(const struct registry *r, int64_t term, const uint32_t **name) {
    *name = r->posting + r->term[term].posting;
    return r->term[term + 1].posting - r->term[term].posting;
}

/* A few names at most: what is rare in itself. */
static void add_exact(struct match_finder *f, char mark, str text, double weight) {
    const int64_t term = registry_find_term(f->r, mark, text);
    const uint32_t *name;
    if (term == REGISTRY_NONE || text.len == 0)
        return;
    const size_t n = names_of(f->r, term, &name);
    add_names(f, name, n < 2000 ? n : 2000, weight);
}

/* Names that have both of two common words. */
static void add_both(struct match_finder *f, int64_t one, int64_t two, double weight) {
    const uint32_t *a, *b;
    const size_t na = names_of(f->r, one, &a), nb = names_of(f->r, two, &b);
    size_t i = 0, j = 0;
    for (size_t work = 0; i < na && j < nb && work < MERGE_MAX && f->n_list < TOUCHED_MAX / 2; work++)
        if (a[i] == b[j]) {
            touch(f, a[i])->weight += (float)weight;
            i++;
            j++;
        } else if (a[i] < b[j])
            i++;
        else
            j++;
}

/* Query words by rising frequency. */
static size_t order_words(const struct match_finder *f, uint8_t order[MATCH_TOKEN_MAX]) {
    size_t n = 0;
    for (size_t i = 0; i < f->words.n; i++) {
        if (f->term[i] == REGISTRY_NONE)
            continue;
        size_t k = n++;
        for (; k > 0 && f->r->term[f->term[order[k - 1]]].df > f->r->term[f->term[i]].df; k--)
            order[k] = order[k - 1];
        order[k] = (uint8_t)i;
    }
    return n;
}

static void add_words(struct match_finder *f) {
    uint8_t order[MATCH_TOKEN_MAX];
    const size_t n = order_words(f, order);
    const uint32_t *name;
    size_t k = 0;
    for (; k < n; k++) {
        const size_t many = names_of(f->r, f->term[order[k]], &name);
        if (f->work + many > ADD_MAX)
            break;
        add_names(f, name, many, f->words.weight[order[k]]);
    }
    if (k == 0 && n > 1)
        add_both(f, f->term[order[0]], f->term[order[1]], f->words.weight[order[0]] + f->words.weight[order[1]]);
    else if (k == 0 && n == 1)
        add_names(f, name, ADD_MAX, f->words.weight[order[0]]);
}

/* ---- words like a word ---- */

static void count_near(struct match_finder *f, uint32_t word) {
    size_t i = (word * UINT32_C(2654435761)) >> 16;
    while (f->near_stamp[i] == f->gram_stamp && f->near[i] != word)
        i = (i + 1) % TOUCHED_MAX;
    if (f->near_stamp[i] != f->gram_stamp) {
        f->near_stamp[i] = f->gram_stamp;
        f->near[i] = word;
        f->count[i] = 0;
        f->near_list[f->n_near++] = (uint32_t)i;
    }
    f->count[i]++;
}

static uint32_t gram_size(const struct registry *r, uint32_t g) { return r->gram_start[g + 1] - r->gram_start[g]; }

/* Counts words by shared trigrams, rare trigrams first. */
static void meet_words(struct match_finder *f, str word) {
    uint32_t gram[REGISTRY_GRAM_MAX];
    const struct registry *r = f->r;
    const size_t n = registry_grams_of(word, gram);
    size_t work = 0;
    for (size_t i = 1; i < n; i++) {
        const uint32_t g = gram[i];
        size_t k = i;
        for (; k > 0 && gram_size(r, gram[k - 1]) > gram_size(r, g); k--)
            gram[k] = gram[k - 1];
        gram[k] = g;
    }
    f->gram_stamp++;
    f->n_near = 0;
    for (size_t i = 0; i < n && work + gram_size(r, gram[i]) <= GRAM_MAX; i++) {
        work += gram_size(r, gram[i]);
        for (uint32_t p = r->gram_start[gram[i]]; p < r->gram_start[gram[i] + 1]; p++)
            count_near(f, r->gram[p]);
    }
}

struct near_word {
    uint32_t term;
    double alike;
};

/* The least number of shared trigrams that at most COMPARED_MAX of the words met have. */
static size_t least_shared(const struct match_finder *f, size_t least) {
    size_t many[REGISTRY_GRAM_MAX + 1] = {0}, sum = 0, k = REGISTRY_GRAM_MAX;
    for (size_t j = 0; j < f->n_near; j++)
        many[f->count[f->near_list[j]]]++;
    for (; k >= least && sum + many[k] <= COMPARED_MAX; k--)
        sum += many[k];
    return k + 1;
}

/* Of the words met, those most like a word, best first; their number. */
static size_t most_alike(const struct match_finder *f, str word, struct near_word best[ALIKE_MAX]) {
    const size_t least = least_shared(f, word.len < 6 ? 1 : word.len / 3);
    size_t n = 0;
    for (size_t j = 0; j < f->n_near; j++) {
        const uint32_t i = f->near_list[j];
        if (f->count[i] < least)
            continue;
        const double s = text_alike(word, registry_text_of(f->r, f->r->term[f->near[i]].text));
        if (s < ALIKE_LEAST || s >= 1)
            continue;
        size_t k = n < ALIKE_MAX ? n++ : ALIKE_MAX;
        for (; k > 0 && (best[k - 1].alike < s || (best[k - 1].alike == s && best[k - 1].term > f->near[i])); k--)
            if (k < ALIKE_MAX)
                best[k] = best[k - 1];
        if (k < ALIKE_MAX)
            best[k] = (struct near_word){f->near[i], s};
    }
    return n;
}

/* Adds names with words like a word that the registry does not have. */
static void add_alike(struct match_finder *f, str word, double weight) {
    struct near_word best[ALIKE_MAX];
    meet_words(f, word);
    const size_t n = most_alike(f, word, best);
    for (size_t i = 0; i < n; i++) {
        const uint32_t *name;
        const size_t many = names_of(f->r, best[i].term, &name);
        if (f->work + many <= 2 * ADD_MAX)
            add_names(f, name, many, weight * best[i].alike * best[i].alike);
    }
}

/* Words of four letters and more that few or none have: perhaps mistyped. */
static void add_slips(struct match_finder *f) {
    for (size_t i = 0; i < f->words.n; i++) {
        const str w = f->words.word[i];
        const bool rare = f->term[i] == REGISTRY_NONE || f->r->term[f->term[i]].df <= 2;
        if (rare && w.len >= 4 && w.len <= 32)
            add_alike(f, w, f->words.weight[i]);
    }
}

/* ---- weighing ---- */

/* If you change this: the weights. */
enum feature {
    F_ONE,
    F_EXCESS,     /* (what the shared words tell − ln of the organisations) / ln of the organisations */
    F_SHARE,      /* of the query's weight that is shared */
    F_SHARE_OF,   /* of the name's weight that is shared */
    F_FIRST,      /* the first words are the same */
    F_EQUAL,      /* all words are, written in one */
    F_NUMBER,     /* a number on both sides, and not the same */
    F_NUMBER_ONE, /* on one side only */
    F_FORM,       /* both legal forms are written, and are of different classes */
    F_SLIP,       /* share of the shared weight that is from words only alike */
    F_INITIALS,   /* one is the initials of the other */
    F_RARE,       /* fewest organisations that share one of the shared words: −ln / ln of the organisations */
    F_BOTH,       /* a word stands for another: the rarest left over on the one side or the other, / ln of the organisations,
                     whichever is less */
    F_REST,       /* words left over on both sides, of at most 6, / 6 */
    F_COINED,     /* weight of the shared words that are no common words, / ln of the organisations, at most 1 */
    F_FORMER,     /* an earlier name */
    F_OTHER,      /* log-odds from domain, country and city, by table */
};

/* Logistic regression with shared probability, on links of company names of several years to a registry, half of them to
 * nobody in it; compared by cross-validation. The last three are set: how much an earlier name, initials and the other
 * columns are worth. Each feature is free of the registry's size. */
static const double weights[MATCH_FEATURE_COUNT] = {
    [F_ONE] = -2.6,  [F_EXCESS] = 1.8,      [F_SHARE] = 2.05,  [F_SHARE_OF] = 1.4, [F_FIRST] = 1.4, [F_EQUAL] = 3.85,
    [F_NUMBER] = -5, [F_NUMBER_ONE] = -3.5, [F_FORM] = -2.2,   [F_SLIP] = -5.1,    [F_RARE] = 7.1,  [F_BOTH] = -0.3,
    [F_REST] = -3.3, [F_COINED] = 1.1,      [F_FORMER] = -0.3, [F_INITIALS] = -1,  [F_OTHER] = 1,
};

static void words_of_name(const struct registry *r, const struct registry_name *n, struct match_words *out) {
    out->n = n->n_token;
    for (size_t i = 0; i < out->n; i++) {
        const struct registry_term *t = &r->term[r->token[n->token + i]];
        out->word[i] = registry_text_of(r, t->text);
        out->weight[i] = registry_rarity(r, t->df);
    }
}

static size_t joined_of(const struct match_words *w, char *to, size_t cap) {
    size_t len = 0;
    for (size_t i = 0; i < w->n && len + w->word[i].len <= cap; i++) {
        memcpy(to + len, w->word[i].ptr, w->word[i].len);
        len += w->word[i].len;
    }
    return len;
}

static bool are_initials(const struct match_words *one, const struct match_words *many) {
    if (one->n != 1 || many->n < 3 || one->word[0].len != many->n)
        return false;
    for (size_t i = 0; i < many->n; i++)
        if (many->word[i].len == 0 || many->word[i].ptr[0] != one->word[0].ptr[i])
            return false;
    return true;
}

/* Domain, country, city: log-odds of agreeing and of differing, from how often the entries of one organisation agree, and
 * those of different ones. */
static const struct { double same, different; } others[] = {{7.0, -1.2}, {0.7, -1.8}, {2.0, -0.7}};

static double compare_text(size_t which, str a, str b) {
    if (a.len == 0 || b.len == 0)
        return 0;
    const bool code = (a.len <= 3) != (b.len <= 3); /* "US" and "United States": nothing is known */
    if (code)
        return 0;
    return str_equal(a, b) || text_alike(a, b) > 0.92 ? others[which].same : others[which].different;
}

static bool same_domain(str a, str b) {
    const str shorter = a.len < b.len ? a : b, longer = a.len < b.len ? b : a;
    return str_ends(longer, shorter) && (longer.len == shorter.len || longer.ptr[longer.len - shorter.len - 1] == '.');
}

static double other_evidence(const struct match_finder *f, const struct registry_entity *e) {
    char text[64];
    const struct registry *r = f->r;
    double sum = 0;
    const str domain = registry_text_of(r, e->domain), mine = {f->domain, f->n_domain};
    if (domain.len > 0 && mine.len > 0)
        sum += same_domain(domain, mine) ? others[0].same : others[0].different;
    sum += compare_text(1, (str){f->country, f->n_country},
                        (str){text, text_fold(registry_text_of(r, e->country), text, sizeof text)});
    return sum + compare_text(2, (str){f->city, f->n_city},
                              (str){text, text_fold(registry_text_of(r, e->city), text, sizeof text)});
}

struct shared {
    double sum, slips, mass_a, mass_b, left_a, left_b, rarest;
    size_t n_left;
    double coined;
    bool number_a, number_b;
};

static void add_up(const struct match_forms *forms, const struct match_words *a, const struct match_words *b,
                   const struct match_alignment *x, struct shared *s) {
    *s = (struct shared){0};
    for (size_t i = 0; i < a->n; i++) {
        s->mass_a += a->weight[i];
        if (x->of_a[i] == MATCH_ALONE) {
            s->left_a = fmax(s->left_a, a->weight[i]);
            s->n_left++;
            s->number_a |= match_token_number(a->word[i]) > 0;
            continue;
        }
        const double other = b->weight[x->of_a[i]], both = fmin(a->weight[i], other) * x->alike[i] * x->alike[i];
        s->sum += both;
        s->coined += match_is_coined(forms, a->word[i]) ? both : 0;
        s->rarest = fmax(s->rarest, both);
        s->slips += x->alike[i] < 1 ? both : 0;
    }
    for (size_t j = 0; j < b->n; j++) {
        s->mass_b += b->weight[j];
        if (x->of_b[j] != MATCH_ALONE)
            continue;
        s->left_b = fmax(s->left_b, b->weight[j]);
        s->n_left++;
        s->number_b |= match_token_number(b->word[j]) > 0;
    }
}

static void weigh(struct match_finder *f, uint32_t name, struct match_candidate *c) {
    const struct registry *r = f->r;
    const struct registry_name *n = &r->name[name];
    struct match_words words;
    struct match_alignment x;
    struct shared s;
    char joined[MATCH_NAME_BYTE];
    words_of_name(r, n, &words);
    match_align(&f->words, &words, ALIKE_LEAST, false, &x);
    add_up(r->forms, &f->words, &words, &x, &s);
    const double all = log((double)r->head->entity + 2);
    const bool equal = str_equal((str){joined, joined_of(&words, joined, sizeof joined)}, (str){f->joined, f->n_joined});
    if (equal) /* then the name as a whole is the word that is shared */
        s.rarest = s.sum = fmax(s.sum, f->whole);
    const bool short_query = are_initials(&f->words, &words), initials = short_query || are_initials(&words, &f->words);
    if (initials) { /* then they are the word that is shared, and nothing is left over */
        s.rarest = s.sum = short_query ? f->initials : words.weight[0];
        s.mass_a = s.mass_b = s.sum;
        s.left_a = s.left_b = 0;
        s.n_left = 0;
    }
    float *v = c->feature;
    *c = (struct match_candidate){.organisation = n->entity, .name = name, .former = n->former};
    v[F_ONE] = 1;
    v[F_EXCESS] = (float)fmin(s.sum / all - 1, 2);
    v[F_SHARE] = (float)(s.mass_a > 0 ? fmin(s.sum / s.mass_a, 1) : 0);
    v[F_SHARE_OF] = (float)(s.mass_b > 0 ? fmin(s.sum / s.mass_b, 1) : 0);
    v[F_FIRST] = f->words.n > 0 && words.n > 0 && x.of_a[0] == 0 ? (float)x.alike[0] : 0;
    v[F_EQUAL] = equal;
    v[F_NUMBER] = s.number_a && s.number_b && !equal;
    v[F_NUMBER_ONE] = s.number_a != s.number_b && !equal;
    v[F_FORM] = n->form && f->query.form && n->form != f->query.form;
    v[F_SLIP] = (float)(s.sum > 0 ? s.slips / s.sum : 0);
    v[F_INITIALS] = initials;
    v[F_RARE] = (float)(s.rarest / all - 1);
    v[F_BOTH] = (float)(fmin(s.left_a, s.left_b) / all);
    v[F_REST] = (float)fmin((double)s.n_left / 6, 1);
    v[F_COINED] = (float)fmin(s.coined / all, 1);
    v[F_FORMER] = n->former;
    v[F_OTHER] = (float)other_evidence(f, &r->entity[n->entity]);
    for (size_t i = 0; i < MATCH_FEATURE_COUNT; i++)
        c->log_odds += weights[i] * (double)v[i];
}

/* ---- choosing ---- */

static str id_of(const struct registry *r, const struct match_candidate *c) {
    return registry_text_of(r, r->entity[c->organisation].id);
}

static bool comes_before(const struct registry *r, const struct match_candidate *a, const struct match_candidate *b) {
    if (a->log_odds != b->log_odds)
        return a->log_odds > b->log_odds;
    return str_compare(id_of(r, a), id_of(r, b)) < 0;
}

/* Keeps the best name of each organisation, best first. */
static void keep(struct match_finder *f, const struct match_candidate *c) {
    size_t k = 0;
    while (k < f->n && f->candidate[k].organisation != c->organisation)
        k++;
    if (k < f->n && !comes_before(f->r, c, &f->candidate[k]))
        return;
    if (k == f->n)
        f->n++;
    for (; k > 0 && comes_before(f->r, c, &f->candidate[k - 1]); k--)
        f->candidate[k] = f->candidate[k - 1];
    f->candidate[k] = *c;
}

struct ranked {
    float rank;
    uint32_t name;
};

static bool ranks_below(struct ranked a, struct ranked b) { return a.rank != b.rank ? a.rank < b.rank : a.name > b.name; }

/* Shared weight over the mean of both weights: the WEIGHED best of all that were touched, by a heap with the worst on top.
 */
static size_t rank(const struct match_finder *f, double mass, struct ranked best[WEIGHED]) {
    size_t n = 0;
    for (size_t i = 0; i < f->n_list; i++) {
        const struct touched *t = &f->table[f->list[i]];
        const struct ranked one = {t->weight / ((float)mass + f->r->name[t->name].mass + 1), t->name};
        size_t k;
        if (n < WEIGHED) {
            for (k = n++; k > 0 && ranks_below(one, best[(k - 1) / 2]); k = (k - 1) / 2)
                best[k] = best[(k - 1) / 2];
            best[k] = one;
            continue;
        }
        if (!ranks_below(best[0], one))
            continue;
        for (k = 0; 2 * k + 1 < n;) {
            size_t child = 2 * k + 1;
            child += child + 1 < n && ranks_below(best[child + 1], best[child]);
            if (!ranks_below(best[child], one))
                break;
            best[k] = best[child];
            k = child;
        }
        best[k] = one;
    }
    return n;
}

static double read_query(struct match_finder *f, const struct match_query *q) {
    double mass = 0;
    match_name_read(f->r->forms, q->name, &f->query);
    f->words.n = f->query.n;
    for (size_t i = 0; i < f->query.n; i++) {
        f->words.word[i] = f->query.token[i];
        f->term[i] = registry_find_term(f->r, 0, f->query.token[i]);
        f->words.weight[i] = registry_rarity(f->r, f->term[i] == REGISTRY_NONE ? 0 : f->r->term[f->term[i]].df);
        mass += f->words.weight[i];
    }
    f->n_joined = match_name_joined(&f->query, f->joined, sizeof f->joined);
    const int64_t whole = registry_find_term(f->r, REGISTRY_JOINED, (str){f->joined, f->n_joined});
    f->whole = whole == REGISTRY_NONE ? 0 : registry_rarity(f->r, f->r->term[whole].df);
    const int64_t initials = registry_find_term(f->r, REGISTRY_INITIALS, (str){f->joined, f->n_joined});
    f->initials = initials == REGISTRY_NONE ? 0 : registry_rarity(f->r, f->r->term[initials].df);
    f->n_domain = registry_domain_form(q->domain, f->domain, sizeof f->domain);
    f->n_country = text_fold(q->country, f->country, sizeof f->country);
    f->n_city = text_fold(q->city, f->city, sizeof f->city);
    f->stamp++;
    f->n_list = f->n = f->work = 0;
    return mass;
}

static void gather(struct match_finder *f, double mass) {
    char initials[MATCH_NAME_BYTE];
    const str joined = {f->joined, f->n_joined};
    add_exact(f, REGISTRY_JOINED, joined, 2 * mass + 1);
    const bool known = f->n_list > 0;
    add_exact(f, REGISTRY_DOMAIN, (str){f->domain, f->n_domain}, 2 * mass + 1);
    add_exact(f, 0, joined, mass + 1);
    if (f->query.n == 1 && joined.len <= 6)
        add_exact(f, REGISTRY_INITIALS, joined, mass + 1);
    const size_t n = match_name_initials(&f->query, initials, sizeof initials);
    add_exact(f, 0, (str){initials, n}, mass / 2);
    add_words(f);
    if (!known)
        add_slips(f);
}

/* P(i) = e^s_i / (1 + Σ e^s_j), with the largest exponent taken out. */
static void share_out(struct match_finder *f, struct match_result *out) {
    double top = 0, sum;
    for (size_t i = 0; i < f->n; i++)
        top = fmax(top, f->candidate[i].log_odds);
    sum = exp(-top);
    for (size_t i = 0; i < f->n; i++)
        sum += exp(f->candidate[i].log_odds - top);
    for (size_t i = 0; i < f->n; i++)
        f->candidate[i].probability = exp(f->candidate[i].log_odds - top) / sum;
    out->candidate = f->candidate;
    out->n = f->n < MATCH_CANDIDATE_MAX ? f->n : MATCH_CANDIDATE_MAX;
    out->confidence = f->n > 0 ? f->candidate[0].probability : 0;
    out->margin = out->confidence - (f->n > 1 ? f->candidate[1].probability : 0);
    out->status = MATCH_NONE;
    const double known = 1 - exp(-top) / sum; /* that it is one of them */
    if (f->n > 0 && out->confidence >= f->threshold)
        out->status = MATCH_FOUND;
    else if (known >= f->threshold && known - out->confidence >= OTHERS_LEAST)
        out->status = MATCH_AMBIGUOUS;
}

void match_find(struct match_finder *f, const struct match_query *query, struct match_result *out) {
    struct ranked best[WEIGHED];
    const double mass = read_query(f, query);
    gather(f, mass);
    const size_t n = rank(f, mass, best);
    for (size_t i = 0; i < n; i++) {
        struct match_candidate c;
        weigh(f, best[i].name, &c);
        keep(f, &c);
    }
    share_out(f, out);
}
