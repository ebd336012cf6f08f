/* topics_train.c — a collection of texts, k-means for a start, and collapsed Gibbs sampling. */
#include "text/topics_priv.h"

#include "base/rng.h"

#include <math.h>

enum {
    SWEEPS = 200,
    SAMPLED = 50, /* of the last sweeps, means are taken */
    MIN_TEXTS = 3,
    STARTS = 8,
    MEANS_STEPS = 25,
    MEANS_TEXTS = 20000 /* k-means looks at no more */
};
static const double max_share = 0.5, default_alpha = 0.1, default_beta = 0.02, follow_means = 0.8;

struct topics_corpus {
    struct arena *arena;
    struct word_reader reader;
    struct word_list words;
    uint32_t *token; /* words of all texts, one after the other */
    size_t n_token, cap_token;
    size_t *from; /* where a text begins; one more at the end */
    size_t n, cap;
    uint32_t *texts_with, *last; /* of each word: texts it is in, and the last of them + 1 */
    size_t cap_texts, cap_last;
};

struct topics_corpus *topics_corpus_new(struct arena *a) {
    struct topics_corpus *c = ARENA_NEW(a, struct topics_corpus);
    c->arena = a;
    word_reader_init(&c->reader, a);
    word_list_init(&c->words, a);
    c->from = arena_grow(a, NULL, &c->cap, 1024, sizeof *c->from);
    return c;
}

static void add_token(struct topics_corpus *c, str word) {
    const uint32_t w = word_list_add(&c->words, word);
    if (w >= c->cap_texts)
        c->texts_with = arena_grow(c->arena, c->texts_with, &c->cap_texts, w + 1, sizeof *c->texts_with);
    if (w >= c->cap_last)
        c->last = arena_grow(c->arena, c->last, &c->cap_last, w + 1, sizeof *c->last);
    if (c->n_token == c->cap_token)
        c->token = arena_grow(c->arena, c->token, &c->cap_token, c->n_token + 1, sizeof *c->token);
    c->token[c->n_token++] = w;
    if (c->last[w] != (uint32_t)c->n + 1) {
        c->last[w] = (uint32_t)c->n + 1;
        c->texts_with[w]++;
    }
}

err topics_corpus_add(struct topics_corpus *c, const str *part, size_t n_part) {
    str word;
    if (c->n == TOPICS_TEXT_MAX || c->n_token > TOPICS_TOKEN_MAX - TOPICS_TEXT_BYTE)
        return fail(ERR_LIMIT, "topics_limit", "more than %d texts, or %d words in them", TOPICS_TEXT_MAX, TOPICS_TOKEN_MAX);
    for (size_t i = 0; i < n_part; i++) {
        word_reader_begin(&c->reader, part[i]);
        while (word_reader_next(&c->reader, &word))
            add_token(c, word);
    }
    if (++c->n == c->cap)
        c->from = arena_grow(c->arena, c->from, &c->cap, c->n + 1, sizeof *c->from);
    c->from[c->n] = c->n_token;
    return OK;
}

/* ---- choosing words ---- */

struct training {
    struct arena *arena;
    struct topics *out;
    size_t k, n, v; /* topics, texts, words */
    double alpha, beta;
    size_t *from;
    uint32_t *token;
    double *idf;
    uint32_t *z;        /* topic of each token */
    uint32_t *of_text;  /* text by topic */
    uint32_t *of_word;  /* word by topic */
    uint32_t *of_topic; /* totals */
    double *sum;        /* word by topic: of of_word over the sampled sweeps */
    uint32_t *cluster;  /* of each text */
    struct rng rng;
};

/* The number of a word in the model, WORD_UNKNOWN when it is too rare or too common. */
static uint32_t *choose_words(const struct topics_corpus *c, struct training *t) {
    uint32_t *number = ARENA_ARRAY(t->arena, c->words.n, uint32_t);
    const double most = c->n >= 20 ? max_share * (double)c->n : (double)c->n;
    uint32_t least = c->n >= 100 ? MIN_TEXTS : c->n >= 20 ? 2 : 1;
    size_t kept;
    do {
        kept = 0;
        for (size_t w = 0; w < c->words.n; w++)
            kept += c->texts_with[w] >= least && c->texts_with[w] <= most;
    } while (kept > TOPICS_WORD_MAX && ++least);
    word_list_init(&t->out->words, t->arena);
    t->idf = ARENA_ARRAY(t->arena, kept, double);
    for (size_t w = 0; w < c->words.n; w++) {
        number[w] = WORD_UNKNOWN;
        if (c->texts_with[w] >= least && c->texts_with[w] <= most) {
            number[w] = word_list_add(&t->out->words, c->words.word[w]);
            t->idf[number[w]] = log((double)c->n / c->texts_with[w]) + 1;
        }
    }
    t->v = t->out->n_word = kept;
    return number;
}

static void take_tokens(const struct topics_corpus *c, struct training *t) {
    const uint32_t *number = choose_words(c, t);
    size_t n = 0;
    t->from = ARENA_ARRAY(t->arena, c->n + 1, size_t);
    t->token = ARENA_ARRAY(t->arena, c->n_token, uint32_t);
    for (size_t d = 0; d < c->n; d++) {
        for (size_t i = c->from[d]; i < c->from[d + 1]; i++)
            if (number[c->token[i]] != WORD_UNKNOWN)
                t->token[n++] = number[c->token[i]];
        if (n > t->from[t->n]) /* texts without a known word are left out */
            t->from[++t->n] = n;
    }
}

/* ---- k-means on the sphere ---- */

struct means {
    const struct training *t;
    size_t n;     /* texts looked at */
    size_t *from; /* sparse rows of unit length */
    uint32_t *word;
    float *value;
    double *centre; /* word by topic */
    uint32_t *cluster;
    double *near; /* similarity to the own centre */
};

static int by_number(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* tf-idf of one text into the rows. */
static void add_means_row(struct means *m, size_t d, uint32_t *sorted) {
    const struct training *t = m->t;
    const size_t n = t->from[d + 1] - t->from[d];
    size_t at = m->from[d];
    double square = 0;
    memcpy(sorted, t->token + t->from[d], n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_number);
    for (size_t i = 0; i < n;) {
        size_t same = i;
        while (same < n && sorted[same] == sorted[i])
            same++;
        const double x = (1 + log((double)(same - i))) * t->idf[sorted[i]];
        m->word[at] = sorted[i];
        m->value[at++] = (float)x;
        square += x * x;
        i = same;
    }
    for (size_t i = m->from[d]; i < at; i++)
        m->value[i] /= (float)sqrt(square);
    m->from[d + 1] = at;
}

static struct means means_new(struct arena *a, const struct training *t) {
    struct means m = {.t = t, .n = t->n < MEANS_TEXTS ? t->n : MEANS_TEXTS};
    size_t longest = 0;
    for (size_t d = 0; d < m.n; d++)
        longest = t->from[d + 1] - t->from[d] > longest ? t->from[d + 1] - t->from[d] : longest;
    uint32_t *sorted = ARENA_ARRAY(a, longest, uint32_t);
    m.from = ARENA_ARRAY(a, m.n + 1, size_t);
    m.word = ARENA_ARRAY(a, t->from[m.n], uint32_t);
    m.value = ARENA_ARRAY(a, t->from[m.n], float);
    m.centre = ARENA_ARRAY(a, t->v * t->k, double);
    m.cluster = ARENA_ARRAY(a, m.n, uint32_t);
    m.near = ARENA_ARRAY(a, m.n, double);
    for (size_t d = 0; d < m.n; d++)
        add_means_row(&m, d, sorted);
    return m;
}

static double similarity(const struct means *m, size_t d, size_t k) {
    double sum = 0;
    for (size_t i = m->from[d]; i < m->from[d + 1]; i++)
        sum += (double)m->value[i] * m->centre[m->word[i] * m->t->k + k];
    return sum;
}

static void add_to_centre(struct means *m, size_t d, size_t k) {
    for (size_t i = m->from[d]; i < m->from[d + 1]; i++)
        m->centre[m->word[i] * m->t->k + k] += (double)m->value[i];
}

/* Centres far from each other: each next one is drawn by its distance to those there are (k-means++). */
static void seed_centres(struct means *m, struct rng *r) {
    memset(m->centre, 0, m->t->v * m->t->k * sizeof *m->centre);
    for (size_t d = 0; d < m->n; d++)
        m->near[d] = 0;
    for (size_t k = 0; k < m->t->k; k++) {
        double total = 0, at;
        size_t d = 0;
        for (size_t i = 0; i < m->n; i++)
            total += 1 - m->near[i];
        at = rng_uniform(r) * total;
        while (d + 1 < m->n && (at -= 1 - m->near[d]) > 0)
            d++;
        add_to_centre(m, d, k);
        for (size_t i = 0; i < m->n; i++)
            m->near[i] = fmin(1, fmax(m->near[i], similarity(m, i, k)));
    }
}

/* Assigns each text to its nearest centre; returns the sum of similarities. */
static double assign(struct means *m) {
    double sum = 0;
    for (size_t d = 0; d < m->n; d++) {
        m->near[d] = -1;
        for (size_t k = 0; k < m->t->k; k++) {
            const double s = similarity(m, d, k);
            if (s > m->near[d]) {
                m->near[d] = s;
                m->cluster[d] = (uint32_t)k;
            }
        }
        sum += m->near[d];
    }
    return sum;
}

static void move_centres(struct means *m) {
    const size_t k = m->t->k, v = m->t->v;
    memset(m->centre, 0, v * k * sizeof *m->centre);
    for (size_t d = 0; d < m->n; d++)
        add_to_centre(m, d, m->cluster[d]);
    for (size_t c = 0; c < k; c++) {
        double square = 0;
        for (size_t w = 0; w < v; w++)
            square += m->centre[w * k + c] * m->centre[w * k + c];
        for (size_t w = 0; square > 0 && w < v; w++)
            m->centre[w * k + c] /= sqrt(square);
    }
}

/* The best of several starts; texts beyond those looked at get no cluster (k). */
static void find_clusters(struct training *t) {
    const struct arena_mark mark = arena_mark(t->arena);
    struct means m = means_new(t->arena, t);
    double best = -1;
    for (size_t d = 0; d < t->n; d++)
        t->cluster[d] = (uint32_t)t->k;
    for (unsigned s = 0; s < STARTS; s++) {
        double sum = 0, before;
        seed_centres(&m, &t->rng);
        unsigned i = 0;
        do {
            before = sum;
            sum = assign(&m);
            move_centres(&m);
        } while (++i < MEANS_STEPS && sum > before * (1 + 1e-4));
        if (sum > best) {
            best = sum;
            memcpy(t->cluster, m.cluster, m.n * sizeof *m.cluster);
        }
    }
    arena_rewind(t->arena, mark);
}

/* ---- Gibbs sampling ---- */

static void count(const struct training *t, size_t d, size_t i, uint32_t add) {
    const uint32_t z = t->z[i];
    t->of_text[d * t->k + z] += add;
    t->of_word[(size_t)t->token[i] * t->k + z] += add;
    t->of_topic[z] += add;
}

static void start(struct training *t) {
    find_clusters(t);
    for (size_t d = 0; d < t->n; d++)
        for (size_t i = t->from[d]; i < t->from[d + 1]; i++) {
            const bool follow = t->cluster[d] < t->k && rng_uniform(&t->rng) < follow_means;
            t->z[i] = follow ? t->cluster[d] : (uint32_t)rng_below(&t->rng, t->k);
            count(t, d, i, 1);
        }
}

static void sweep(struct training *t, double *p) {
    const double beta_v = t->beta * (double)t->v;
    for (size_t d = 0; d < t->n; d++)
        for (size_t i = t->from[d]; i < t->from[d + 1]; i++) {
            const uint32_t *word = t->of_word + (size_t)t->token[i] * t->k, *text = t->of_text + d * t->k;
            double total = 0, at;
            uint32_t z = 0;
            count(t, d, i, UINT32_MAX); /* takes one away */
            for (size_t k = 0; k < t->k; k++)
                p[k] = total += (text[k] + t->alpha) * (word[k] + t->beta) / (t->of_topic[k] + beta_v);
            at = rng_uniform(&t->rng) * total;
            while (z + 1 < t->k && p[z] <= at)
                z++;
            t->z[i] = z;
            count(t, d, i, 1);
        }
}

/* Six digits: what is stored is what is used. */
static double short_number(double x) {
    if (!(x > 0))
        return 0;
    const double scale = pow(10, 5 - floor(log10(x)));
    return round(x * scale) / scale;
}

struct order {
    double share;
    size_t topic;
};

static int by_share(const void *a, const void *b) {
    const struct order *x = a, *y = b;
    return x->share != y->share ? (x->share < y->share ? 1 : -1) : (x->topic > y->topic) - (x->topic < y->topic);
}

static void finish(struct training *t, unsigned sampled) {
    struct topics *out = t->out;
    const size_t k = t->k;
    struct order *order = ARENA_ARRAY(t->arena, k, struct order);
    double all = 0;
    out->phi = ARENA_ARRAY(t->arena, t->v * k, double);
    out->share = ARENA_ARRAY(t->arena, k, double);
    for (size_t c = 0; c < k; c++) {
        order[c].topic = c;
        for (size_t w = 0; w < t->v; w++)
            order[c].share += t->sum[w * k + c] / sampled;
        all += order[c].share;
    }
    qsort(order, k, sizeof *order, by_share);
    for (size_t c = 0; c < k; c++) {
        const double total = order[c].share + t->beta * (double)t->v;
        for (size_t w = 0; w < t->v; w++)
            out->phi[w * k + c] = short_number((t->sum[w * k + order[c].topic] / sampled + t->beta) / total);
        out->share[c] = short_number(order[c].share / all);
    }
    out->k = k;
    out->alpha = t->alpha;
}

err topics_train(struct topics_corpus *c, struct arena *a, const struct topics_opts *o, struct topics **out) {
    struct training t = {.arena = a, .out = ARENA_NEW(a, struct topics), .k = o->k, .rng = rng_from_seed(o->seed)};
    const unsigned sweeps = o->sweeps ? o->sweeps : SWEEPS, sampled = sweeps < 2 * SAMPLED ? (sweeps + 1) / 2 : SAMPLED;
    t.alpha = o->alpha > 0 ? o->alpha : default_alpha;
    t.beta = o->beta > 0 ? o->beta : default_beta;
    take_tokens(c, &t);
    if (t.n < t.k || t.v < t.k)
        return fail(ERR_INPUT, "topics_texts", "%zu texts with %zu words that can be counted are too few for %zu topics",
                    t.n, t.v, t.k);
    t.cluster = ARENA_ARRAY(a, t.n, uint32_t);
    t.z = ARENA_ARRAY(a, t.from[t.n], uint32_t);
    t.of_text = ARENA_ARRAY(a, t.n * t.k, uint32_t);
    t.of_word = ARENA_ARRAY(a, t.v * t.k, uint32_t);
    t.of_topic = ARENA_ARRAY(a, t.k, uint32_t);
    t.sum = ARENA_ARRAY(a, t.v * t.k, double);
    double *p = ARENA_ARRAY(a, t.k, double);
    start(&t);
    for (unsigned s = 0; s < sweeps; s++) {
        sweep(&t, p);
        for (size_t i = 0; s + sampled >= sweeps && i < t.v * t.k; i++)
            t.sum[i] += t.of_word[i];
    }
    finish(&t, sampled);
    *out = t.out;
    return OK;
}
