/* fuse_category.c — fields of one value: claims become candidates, the posterior becomes a fact. */
#include "enrich/fuse_priv.h"

#include "ml/fusion_category.h"

#include <math.h>

static const double contest_least = 0.1, tie = 1e-9;

/* Claims as candidates of their items. candidate: number of the normal form behind each of them. */
struct candidates {
    struct names forms;
    str *written;                                              /* of each form: its first text */
    uint32_t *form;                                            /* of each observation */
    uint32_t *local;                                           /* of each observation: its candidate within the item */
    uint32_t *first, *class_of, *verified, *near_start, *near; /* near: NULL unless texts */
};

static void read_forms(const struct field_view *v, struct arena *a, struct candidates *q) {
    uint32_t *known = ARENA_ARRAY(a, v->values->n, uint32_t);
    names_init(&q->forms, a);
    q->form = ARENA_ARRAY(a, v->n, uint32_t);
    q->written = ARENA_ARRAY(a, v->n, str);
    for (size_t k = 0; k < v->n; k++) {
        uint32_t *form = &known[v->o[k].value];
        if (*form == 0)
            *form = 1 + names_add(&q->forms, a, fuse_value_normal(a, v->type, v->values->text[v->o[k].value]));
        q->form[k] = *form - 1;
        str *written = &q->written[*form - 1];
        if (written->len == 0 || str_compare(v->values->text[v->o[k].value], *written) < 0)
            *written = v->values->text[v->o[k].value];
    }
}

/* Every form that an item's observations have is a candidate, those of replaced claims as well. */
static void number_candidates(const struct field_view *v, struct arena *a, struct candidates *q) {
    uint32_t *seen = ARENA_ARRAY(a, q->forms.n, uint32_t), *at = ARENA_ARRAY(a, q->forms.n, uint32_t);
    q->first = ARENA_ARRAY(a, v->n_item + 1, uint32_t);
    q->local = ARENA_ARRAY(a, v->n, uint32_t);
    q->class_of = ARENA_ARRAY(a, v->n, uint32_t);
    q->verified = ARENA_ARRAY(a, v->n_item, uint32_t);
    uint32_t n = 0;
    for (size_t i = 0; i < v->n_item; i++) {
        q->first[i] = n;
        q->verified[i] = FUSION_NONE;
        for (size_t k = v->start[i]; k < v->start[i + 1]; k++) {
            if (v->o[k].dropped)
                continue;
            const uint32_t form = q->form[k];
            if (seen[form] != i + 1) {
                seen[form] = (uint32_t)i + 1;
                at[form] = n - q->first[i];
                q->class_of[n++] = form;
            }
            q->local[k] = at[form];
            if (v->o[k].anchor)
                q->verified[i] = at[form];
        }
    }
    q->first[v->n_item] = n;
}

/* Few values that come again and again are classes with shares of their own. */
static size_t classes_of(const struct field_view *v, const struct candidates *q) {
    return q->forms.n * 4 <= v->n_item && q->forms.n <= 4096 ? q->forms.n : 0;
}

static bool is_word_byte(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80);
}

/* Whole words of one text at either end of the other: "75" and "Terminal 3 - 75", "Acme" and "Acme Corp", not "1" and "11".
 */
static bool is_near(str a, str b) {
    const str s = a.len < b.len ? a : b, l = a.len < b.len ? b : a;
    if (s.len < 2 || s.len >= l.len)
        return false;
    const bool begins = str_equal_nocase(str_slice(l, 0, s.len), s) && !is_word_byte(l.ptr[s.len]);
    const bool ends = str_equal_nocase(str_slice(l, l.len - s.len, l.len), s) && !is_word_byte(l.ptr[l.len - s.len - 1]);
    return begins || ends;
}

static void find_near(const struct field_view *v, struct arena *a, struct candidates *q) {
    enum { COMPARED = 24 };
    if (v->type != FUSE_TEXT || classes_of(v, q) > 0)
        return;
    const size_t n = q->first[v->n_item];
    size_t cap = n + 16, found = 0;
    q->near_start = ARENA_ARRAY(a, n + 1, uint32_t);
    q->near = ARENA_ARRAY(a, cap, uint32_t);
    for (size_t i = 0; i < v->n_item; i++) {
        const size_t from = q->first[i], to = q->first[i + 1], compared = to < from + COMPARED ? to : from + COMPARED;
        for (size_t k = from; k < to; k++) {
            q->near_start[k] = (uint32_t)found;
            for (size_t j = from; k < compared && j < compared; j++) {
                if (j == k || !is_near(q->written[q->class_of[k]], q->written[q->class_of[j]]))
                    continue;
                if (found == cap)
                    q->near = arena_grow(a, q->near, &cap, found + 1, sizeof *q->near);
                q->near[found++] = (uint32_t)(j - from);
            }
        }
    }
    q->near_start[n] = (uint32_t)found;
}

/* The spelling that most claims of the winner use; of equals the first in byte order. */
static str spelling(const struct field_view *v, const struct candidates *q, size_t i, uint32_t winner) {
    size_t best = SIZE_MAX, most = 0;
    for (size_t k = v->start[i]; k < v->start[i + 1]; k++) {
        if (v->o[k].dropped || q->local[k] != winner)
            continue;
        size_t n = 0;
        for (size_t j = v->start[i]; j < v->start[i + 1] && j < v->start[i] + 256; j++)
            n += !v->o[j].dropped && v->o[j].value == v->o[k].value;
        if (n > most || (n == most && best != SIZE_MAX && v->o[k].value < v->o[best].value)) {
            most = n;
            best = k;
        }
        if (k > v->start[i] + 256)
            break;
    }
    return best == SIZE_MAX ? STR("") : v->values->text[v->o[best].value];
}

/* When a candidate was first claimed: of equally probable ones the first holds. */
static uint64_t first_order(const struct field_view *v, const struct candidates *q, size_t i, uint32_t candidate) {
    uint64_t first = UINT64_MAX;
    for (size_t k = v->start[i]; k < v->start[i + 1]; k++)
        if (!v->o[k].dropped && q->local[k] == candidate && v->o[k].order < first)
            first = v->o[k].order;
    return first;
}

static void write_fact(const struct field_view *v, const struct candidates *q, size_t i, const double *p,
                       struct fuse_fact *fact) {
    const size_t k = q->first[i + 1] - q->first[i];
    uint32_t best = 0;
    double second = p[k];
    for (uint32_t c = 1; c < k; c++)
        if (p[c] > p[best] + tie || (p[c] > p[best] - tie && first_order(v, q, i, c) < first_order(v, q, i, best)))
            best = c;
    for (uint32_t c = 0; c < k; c++)
        if (c != best && p[c] > second)
            second = p[c];
    *fact = (struct fuse_fact){.object = v->objects->text[v->o[v->start[i]].object],
                               .attribute = v->attribute,
                               .value = spelling(v, q, i, best),
                               .type = v->type,
                               .confidence = p[best],
                               .low = NAN,
                               .high = NAN,
                               .verified = q->verified[i] != FUSION_NONE};
    for (size_t c = v->start[i]; c < v->start[i + 1]; c++)
        v->o[c].supports = !v->o[c].dropped && q->local[c] == best;
    field_list_sources(v, i, fact);
    fact->contested = fact->n_against > 0 && (second >= contest_least || fact->n_against >= fact->n_for);
}

void field_fuse_category(const struct field_view *v, const double *prior, struct fuse_fact *fact, struct fuse_field *field,
                         struct field_accuracy *learned) {
    struct arena *a = v->arena;
    struct field_claims c;
    struct candidates q = {.near = NULL};
    struct fusion_category_model m;
    field_claims_new(v, a, &c);
    read_forms(v, a, &q);
    number_candidates(v, a, &q);
    find_near(v, a, &q);
    uint32_t *value = ARENA_ARRAY(a, c.n, uint32_t);
    for (size_t k = 0; k < c.n; k++)
        value[k] = q.local[c.at[k]];
    const struct fusion_category_data d = {.n_item = v->n_item,
                                           .n_source = v->sources->n,
                                           .n_class = classes_of(v, &q),
                                           .start = c.start,
                                           .first = q.first,
                                           .source = c.source,
                                           .value = value,
                                           .age_year = c.age_year,
                                           .trust = c.trust,
                                           .share = c.share,
                                           .class_of = q.class_of,
                                           .verified = q.verified,
                                           .prior_accuracy = prior,
                                           .family = v->family,
                                           .n_family = v->n_family,
                                           .near_start = q.near_start,
                                           .near = q.near};
    fusion_category_fit(a, &d, &m);
    *learned = (struct field_accuracy){true, m.mean_accuracy, m.accuracy, m.evidence};
    field->rounds = m.rounds;
    if (!fact)
        return;
    size_t most = 1;
    for (size_t i = 0; i < v->n_item; i++) {
        most = q.first[i + 1] - q.first[i] > most ? q.first[i + 1] - q.first[i] : most;
        most = c.start[i + 1] - c.start[i] > most ? c.start[i + 1] - c.start[i] : most;
    }
    float *weight = ARENA_ARRAY(a, most, float);
    double *p = ARENA_ARRAY(a, most + 1, double);
    for (size_t i = 0; i < v->n_item; i++) {
        fusion_category_infer(&m, &d, i, weight, p);
        write_fact(v, &q, i, p, &fact[i]);
    }
}
