/* tech_resolve.c — from patterns that matched to technologies: requirements, exclusions, implications, versions. */
#include "text/tech_priv.h"

#include "text/tech_pattern.h"

enum { ROUND_MAX = 8 };

/* A technology that patterns found: its hits lie one behind the other. */
struct direct {
    uint32_t tech;
    size_t hit, n_hit;
    unsigned confidence;
    str version;
    bool allowed;
};

/* A technology of the result in the making. */
struct entry {
    uint32_t tech;
    const struct direct *direct; /* NULL: implied */
    unsigned confidence;
    str version;
    uint32_t implied_by;
    bool excluded;
};

struct resolving {
    struct tech_worker *w;
    struct direct *direct;
    size_t n_direct;
    struct entry *entry; /* entry[w->slot[tech] - 1].tech == tech */
    size_t n_entry, cap_entry;
    struct arena *arena;
};

static const struct tech_pattern *pattern_of(const struct tech_worker *w, const struct tech_hit *h) {
    return &w->rules->pattern[h->pattern];
}

/* By technology, then by pattern and in the order found. */
static int by_technology(const void *x, const void *y, void *ctx) {
    const struct tech_worker *w = ctx;
    const struct tech_hit *a = x, *b = y;
    const uint32_t s = pattern_of(w, a)->tech, t = pattern_of(w, b)->tech;
    if (s != t)
        return s < t ? -1 : 1;
    if (a->pattern != b->pattern)
        return a->pattern < b->pattern ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* Hits of one technology into its confidence (each pattern counts once) and its best version. */
static void sum_hits(struct resolving *r, struct direct *d) {
    const struct tech_hit *h = r->w->hit + d->hit;
    for (size_t i = 0; i < d->n_hit; i++) {
        if (i == 0 || h[i].pattern != h[i - 1].pattern)
            d->confidence += pattern_of(r->w, &h[i])->confidence;
        if (tech_version_better(h[i].version, d->version))
            d->version = h[i].version;
    }
    if (d->confidence > 100)
        d->confidence = 100;
}

static void group_hits(struct resolving *r) {
    struct tech_worker *w = r->w;
    if (w->n_hit > 0)
        qsort_r(w->hit, w->n_hit, sizeof *w->hit, by_technology, w);
    r->direct = ARENA_ARRAY(r->arena, w->n_hit, struct direct);
    for (size_t i = 0, k; i < w->n_hit; i = k) {
        const uint32_t tech = pattern_of(w, &w->hit[i])->tech;
        for (k = i; k < w->n_hit && pattern_of(w, &w->hit[k])->tech == tech;)
            k++;
        struct direct *d = &r->direct[r->n_direct];
        *d = (struct direct){.tech = tech, .hit = i, .n_hit = k - i};
        sum_hits(r, d);
        r->n_direct += d->confidence > 0;
    }
}

static const struct technology *tech_of(const struct resolving *r, uint32_t tech) { return &r->w->rules->tech[tech]; }

static bool has_requirement(const struct technology *t) { return t->n_requires + t->n_requires_category > 0; }

static void add_entry(struct resolving *r, struct entry e) {
    if (r->n_entry == r->cap_entry)
        r->entry = arena_grow(r->arena, r->entry, &r->cap_entry, r->n_entry + 1, sizeof *r->entry);
    r->entry[r->n_entry++] = e;
    r->w->slot[e.tech] = (uint32_t)r->n_entry;
}

static void clear_entries(struct resolving *r) {
    for (size_t i = 0; i < r->n_entry; i++)
        r->w->slot[r->entry[i].tech] = 0;
    r->n_entry = 0;
}

static void exclude(struct resolving *r) {
    for (size_t i = 0; i < r->n_entry; i++) {
        const struct technology *t = tech_of(r, r->entry[i].tech);
        for (size_t k = 0; k < t->n_excludes && !r->entry[i].excluded; k++) {
            const uint32_t slot = r->w->slot[t->excludes[k]];
            if (slot > 0 && slot - 1 != i)
                r->entry[slot - 1].excluded = true;
        }
    }
    for (size_t i = 0; i < r->n_entry; i++)
        if (r->entry[i].excluded)
            r->w->slot[r->entry[i].tech] = 0;
}

static void imply(struct resolving *r) {
    for (size_t i = 0; i < r->n_entry; i++) {
        const struct technology *t = tech_of(r, r->entry[i].tech);
        for (size_t k = 0; k < t->n_implies && !r->entry[i].excluded; k++) {
            const struct tech_implied *m = &t->implies[k];
            if (r->w->slot[m->tech] > 0)
                continue;
            const unsigned confidence = r->entry[i].confidence < m->confidence ? r->entry[i].confidence : m->confidence;
            add_entry(r,
                      (struct entry){
                          .tech = m->tech, .confidence = confidence, .version = m->version, .implied_by = r->entry[i].tech});
        }
    }
}

/* The entries from what is allowed so far; those without requirements come first, as rules expect. */
static void make_entries(struct resolving *r) {
    clear_entries(r);
    for (int late = 0; late < 2; late++)
        for (size_t i = 0; i < r->n_direct; i++) {
            const struct direct *d = &r->direct[i];
            if (d->allowed && has_requirement(tech_of(r, d->tech)) == (late == 1))
                add_entry(r, (struct entry){.tech = d->tech,
                                            .direct = d,
                                            .confidence = d->confidence,
                                            .version = d->version,
                                            .implied_by = TECH_NONE});
        }
    exclude(r);
    imply(r);
}

static bool category_there(const struct resolving *r, int64_t id) {
    for (size_t i = 0; i < r->n_entry; i++) {
        const struct technology *t = tech_of(r, r->entry[i].tech);
        for (size_t k = 0; k < t->n_category && !r->entry[i].excluded; k++)
            if (t->category_id[k] == id)
                return true;
    }
    return false;
}

/* One of the technologies or categories that `t` requires is there. */
static bool satisfied(const struct resolving *r, const struct technology *t) {
    for (size_t i = 0; i < t->n_requires; i++)
        if (r->w->slot[t->requires[i]] > 0)
            return true;
    for (size_t i = 0; i < t->n_requires_category; i++)
        if (category_there(r, t->requires_category[i]))
            return true;
    return false;
}

static bool allow_more(struct resolving *r) {
    bool more = false;
    for (size_t i = 0; i < r->n_direct; i++) {
        struct direct *d = &r->direct[i];
        if (d->allowed || !satisfied(r, tech_of(r, d->tech)))
            continue;
        d->allowed = more = true;
    }
    return more;
}

/* ---- the result ---- */

static const struct tech_evidence *make_evidence(struct resolving *r, const struct direct *d, size_t *n) {
    struct tech_evidence *e = ARENA_ARRAY(r->arena, TECH_EVIDENCE_MAX, struct tech_evidence);
    for (size_t i = 0; i < d->n_hit && *n < TECH_EVIDENCE_MAX; i++) {
        const struct tech_hit *h = &r->w->hit[d->hit + i];
        const struct tech_pattern *p = pattern_of(r->w, h);
        if (i > 0 && h->pattern == h[-1].pattern && h->version.len == 0)
            continue;
        e[(*n)++] = (struct tech_evidence){.kind = p->kind,
                                           .pattern = p->regex,
                                           .key = p->key,
                                           .match = str_slice(h->match, 0, TECH_MATCH_BYTE),
                                           .version = h->version,
                                           .confidence = p->confidence};
    }
    return e;
}

static int by_name(const void *x, const void *y) {
    const struct tech_found *a = x, *b = y;
    return str_compare(a->name, b->name);
}

static void make_result(struct resolving *r, struct tech_result *out) {
    out->found = ARENA_ARRAY(r->arena, r->n_entry, struct tech_found);
    out->n = 0;
    for (size_t i = 0; i < r->n_entry; i++) {
        const struct entry *e = &r->entry[i];
        const struct technology *t = tech_of(r, e->tech);
        if (e->excluded)
            continue;
        struct tech_found *f = &out->found[out->n++];
        *f = (struct tech_found){.name = t->name,
                                 .version = e->version,
                                 .confidence = e->confidence,
                                 .category = t->category,
                                 .n_category = t->n_category};
        if (e->direct)
            f->evidence = make_evidence(r, e->direct, &f->n_evidence);
        else
            f->implied_by = tech_of(r, e->implied_by)->name;
    }
    qsort(out->found, out->n, sizeof *out->found, by_name);
}

void tech_resolve(struct tech_worker *w, struct arena *a, struct tech_result *out) {
    struct resolving r = {.w = w, .arena = a};
    group_hits(&r);
    for (size_t i = 0; i < r.n_direct; i++)
        r.direct[i].allowed = !has_requirement(tech_of(&r, r.direct[i].tech));
    for (int round = 0; round < ROUND_MAX; round++) {
        make_entries(&r);
        if (!allow_more(&r))
            break;
    }
    make_result(&r, out);
    clear_entries(&r);
}
