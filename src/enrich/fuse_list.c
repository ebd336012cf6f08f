/* fuse_list.c — fields with several members: claims become lists of candidates, probable members become the fact. */
#include "enrich/fuse_priv.h"

#include "ml/fusion_set.h"

#include <math.h>

/* The members of every observation, numbered within their item. */
struct lists {
    uint32_t *first, *name_start, *named, *member_start; /* member_start: of each observation in `all` */
    uint32_t *all;                                       /* local numbers, observation by observation */
    struct fuse_member *member;                          /* of each candidate: form, and how it is mostly written */
    uint32_t *votes;                                     /* of each candidate */
    signed char *verified;
    size_t n_member, most;
    size_t n_different; /* members of the whole field, at least `most` */
};

/* Members of one text, read once however often it is claimed. */
struct reading {
    struct fuse_member *member;
    size_t n;
    bool done;
};

static const struct reading *read_value(const struct field_view *v, struct reading *known, uint32_t value,
                                        struct fuse_member *room) {
    struct reading *r = &known[value];
    if (!r->done) {
        r->n = fuse_value_members(v->arena, v->type, v->values->text[value], room);
        r->member = arena_copy(v->arena, room, r->n * sizeof *room);
        r->done = true;
    }
    return r;
}

/* Candidates of one item while it is read. */
struct pool {
    struct fuse_member *member;
    uint32_t *votes, *merged;
    size_t n, cap;
};

static bool one_edit(str a, str b) {
    if (a.len > b.len)
        return one_edit(b, a);
    if (b.len - a.len > 1)
        return false;
    size_t k = 0;
    while (k < a.len && a.ptr[k] == b.ptr[k])
        k++;
    return str_equal(str_slice(a, k + (a.len == b.len), a.len), str_slice(b, k + 1, b.len));
}

/* Spelled alike: one letter apart, or one cut off. */
static bool alike(str a, str b) {
    enum { SHORT = 5 };
    if (a.len < SHORT || b.len < SHORT)
        return false;
    return one_edit(a, b) || str_starts(a, b) || str_starts(b, a);
}

/* A rarer spelling becomes the commoner one. Of names only: of other members one letter may be the difference. */
static void merge_spellings(struct pool *p, enum fuse_type type) {
    enum { COMPARED = 128 };
    const size_t n = type != FUSE_PEOPLE ? 0 : p->n < COMPARED ? p->n : COMPARED;
    for (uint32_t k = 0; k < p->n; k++)
        p->merged[k] = k;
    for (uint32_t k = 0; k < n; k++)
        for (uint32_t j = 0; j < n; j++) {
            const bool commoner = p->votes[j] > p->votes[k] || (p->votes[j] == p->votes[k] && j < k);
            if (j != k && commoner && p->merged[j] == j && alike(p->member[k].key, p->member[j].key) &&
                (p->merged[k] == k || p->votes[j] > p->votes[p->merged[k]]))
                p->merged[k] = j;
        }
    for (uint32_t k = 0; k < p->n; k++)
        while (p->merged[p->merged[k]] != p->merged[k])
            p->merged[k] = p->merged[p->merged[k]];
}

static uint32_t find_member(struct pool *p, struct arena *a, const struct fuse_member *m) {
    for (uint32_t k = 0; k < p->n; k++)
        if (str_equal(p->member[k].key, m->key)) {
            /* The fuller way to write it is shown. */
            if (m->shown.len > p->member[k].shown.len)
                p->member[k].shown = m->shown;
            return k;
        }
    if (p->n == p->cap) {
        size_t cap = p->cap;
        p->votes = arena_grow(a, p->votes, &cap, p->n + 1, sizeof *p->votes);
        cap = p->cap;
        p->merged = arena_grow(a, p->merged, &cap, p->n + 1, sizeof *p->merged);
        p->member = arena_grow(a, p->member, &p->cap, p->n + 1, sizeof *p->member);
        p->cap = cap < p->cap ? cap : p->cap;
    }
    p->votes[p->n] = 0;
    p->member[p->n] = *m;
    return (uint32_t)p->n++;
}

/* ---- all items ---- */

static void read_item(const struct field_view *v, size_t i, struct reading *known, struct fuse_member *room,
                      struct pool *p) {
    p->n = 0;
    for (size_t k = v->start[i]; k < v->start[i + 1]; k++) {
        if (v->o[k].dropped)
            continue;
        const struct reading *r = read_value(v, known, v->o[k].value, room);
        for (size_t m = 0; m < r->n; m++) {
            const uint32_t at = find_member(p, v->arena, &r->member[m]);
            p->votes[at]++; /* may have moved */
        }
    }
    merge_spellings(p, v->type);
}

static void write_item(const struct field_view *v, size_t i, const struct reading *known, struct pool *p, struct lists *q) {
    uint32_t *place = ARENA_ARRAY(v->arena, p->n, uint32_t), n = 0;
    for (uint32_t k = 0; k < p->n; k++)
        if (p->merged[k] == k) {
            place[k] = n++;
            q->member[q->n_member] = p->member[k];
            q->verified[q->n_member++] = -1;
        }
    q->most = n > q->most ? n : q->most;
    for (size_t k = v->start[i]; k < v->start[i + 1]; k++) {
        uint32_t at = q->member_start[k];
        const struct reading *r = &known[v->o[k].value];
        for (size_t m = 0; m < r->n && !v->o[k].dropped; m++) {
            const uint32_t known_as = find_member(p, v->arena, &r->member[m]), local = place[p->merged[known_as]];
            bool again = false;
            for (uint32_t b = q->member_start[k]; b < at; b++)
                again |= q->all[b] == local;
            if (!again)
                q->all[at++] = local;
        }
        q->member_start[k + 1] = at;
        if (v->o[k].anchor && !v->o[k].dropped)
            for (size_t m = q->first[i]; m < q->n_member; m++) {
                q->verified[m] = 0;
                for (uint32_t b = q->member_start[k]; b < at; b++)
                    q->verified[m] |= q->all[b] == m - q->first[i];
            }
    }
}

/* How many different keys the candidates of all items have. */
static size_t count_different(struct arena *a, const struct lists *q) {
    size_t n_slot = 16, n = 0;
    while (n_slot < 2 * q->n_member)
        n_slot *= 2;
    uint32_t *slot = ARENA_ARRAY(a, n_slot, uint32_t); /* a candidate and 1 */
    for (size_t m = 0; m < q->n_member; m++) {
        size_t at = str_hash(q->member[m].key) & (n_slot - 1);
        while (slot[at] && !str_equal(q->member[slot[at] - 1].key, q->member[m].key))
            at = (at + 1) & (n_slot - 1);
        n += slot[at] == 0;
        slot[at] = slot[at] ? slot[at] : (uint32_t)m + 1;
    }
    return n > q->most ? n : q->most;
}

static void read_lists(const struct field_view *v, struct lists *q) {
    struct arena *a = v->arena;
    struct reading *known = ARENA_ARRAY(a, v->values->n, struct reading);
    struct fuse_member *room = ARENA_ARRAY(a, FUSE_MEMBERS, struct fuse_member);
    size_t total = 0;
    for (size_t k = 0; k < v->n; k++)
        total += v->o[k].dropped ? 0 : read_value(v, known, v->o[k].value, room)->n;
    *q = (struct lists){.first = ARENA_ARRAY(a, v->n_item + 1, uint32_t),
                        .member_start = ARENA_ARRAY(a, v->n + 1, uint32_t),
                        .all = ARENA_ARRAY(a, total, uint32_t),
                        .member = ARENA_ARRAY(a, total, struct fuse_member),
                        .verified = ARENA_ARRAY(a, total, signed char)};
    struct pool p = {.votes = ARENA_ARRAY(a, 16, uint32_t),
                     .merged = ARENA_ARRAY(a, 16, uint32_t),
                     .member = ARENA_ARRAY(a, 16, struct fuse_member),
                     .cap = 16};
    for (size_t i = 0; i < v->n_item; i++) {
        q->first[i] = (uint32_t)q->n_member;
        read_item(v, i, known, room, &p);
        write_item(v, i, known, &p, q);
    }
    q->first[v->n_item] = (uint32_t)q->n_member;
    q->n_different = count_different(a, q);
}

/* ---- the fact ---- */

/* complete: how probable it is that no true member is missing from all lists. */
static void write_fact(const struct field_view *v, const struct lists *q, size_t i, const double *p, double complete,
                       struct fuse_fact *fact) {
    const size_t from = q->first[i], k = q->first[i + 1] - from;
    str *shown = ARENA_ARRAY(v->arena, k, str);
    double sure = complete, doubt = 0, top = 0;
    size_t best = 0, n = 0;
    for (size_t m = 0; m < k; m++) {
        best = p[m] > top ? m : best;
        top = p[m] > top ? p[m] : top;
    }
    for (size_t m = 0; m < k; m++) {
        const bool in = p[m] > 0.5 || m == best;
        sure *= in ? p[m] : 1 - p[m];
        doubt = fmax(doubt, in ? 1 - p[m] : p[m]);
        if (!in)
            continue;
        shown[n++] = q->member[from + m].shown;
    }
    *fact = (struct fuse_fact){.object = v->objects->text[v->o[v->start[i]].object],
                               .attribute = v->attribute,
                               .value = str_join(v->arena, shown, n, STR("; ")),
                               .type = v->type,
                               .confidence = sure,
                               .low = NAN,
                               .high = NAN};
    for (size_t c = v->start[i]; c < v->start[i + 1]; c++) {
        size_t right = 0, wrong = 0;
        for (uint32_t b = q->member_start[c]; b < q->member_start[c + 1]; b++) {
            const bool in = p[q->all[b]] > 0.5 || q->all[b] == best;
            right += in;
            wrong += !in;
        }
        v->o[c].supports = wrong == 0 && right == n;
        fact->verified |= v->o[c].anchor && !v->o[c].dropped;
    }
    field_list_sources(v, i, fact);
    fact->contested = fact->n_against > 0 && doubt >= 0.1;
}

void field_fuse_list(const struct field_view *v, struct fuse_fact *fact, struct fuse_field *field,
                     struct fuse_source_worth *worth) {
    struct arena *a = v->arena;
    struct lists q;
    struct field_claims c;
    struct fusion_set_model m;
    read_lists(v, &q);
    field_claims_new(v, a, &c);
    q.name_start = ARENA_ARRAY(a, c.n + 1, uint32_t);
    q.named = ARENA_ARRAY(a, q.member_start[v->n], uint32_t);
    for (size_t k = 0; k < c.n; k++) {
        const uint32_t from = q.member_start[c.at[k]], n = q.member_start[c.at[k] + 1] - from;
        memcpy(q.named + q.name_start[k], q.all + from, n * sizeof *q.named);
        q.name_start[k + 1] = q.name_start[k] + n;
    }
    const struct fusion_set_data d = {.n_item = v->n_item,
                                      .n_source = v->sources->n,
                                      .n_member = q.n_different,
                                      .start = c.start,
                                      .first = q.first,
                                      .source = c.source,
                                      .name_start = q.name_start,
                                      .named = q.named,
                                      .trust = c.trust,
                                      .share = c.share,
                                      .verified = q.verified};
    fusion_set_fit(a, &d, &m);
    field->rounds = m.rounds;
    double *p = ARENA_ARRAY(a, q.most, double);
    for (size_t i = 0; i < v->n_item; i++) {
        fusion_set_infer(&m, &d, i, p);
        const double unnamed = fusion_set_unnamed(&m, &d, i),
                     others = (double)(q.n_different - (q.first[i + 1] - q.first[i]));
        write_fact(v, &q, i, p, pow(1 - unnamed, others), &fact[i]);
    }
    for (size_t s = 0; s < v->sources->n; s++)
        worth[s] = (struct fuse_source_worth){worth[s].source,
                                              worth[s].attribute,
                                              m.source[s].evidence,
                                              m.source[s].found,
                                              m.source[s].added,
                                              NAN,
                                              NAN,
                                              NAN,
                                              false};
}
