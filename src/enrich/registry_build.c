/* registry_build.c — rows to an index: sorted, read word by word, counted, and laid out in one block. */
#include "enrich/registry_priv.h"

#include "base/hash.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>

struct registry_builder {
    struct arena *arena;
    const struct match_forms *forms;
    struct registry_row *row;
    size_t n, cap;
    /* what grows while names are read */
    struct registry_head head;
    struct registry_entity *entity;
    struct registry_name *name;
    uint32_t *token, *use; /* use: (name, term) as two numbers, names ascending */
    struct registry_term *term;
    uint32_t *slot, *last; /* last: of each term, the entity that was counted last, + 1 */
    char *heap;
    size_t entity_cap, name_cap, token_cap, term_cap, last_cap, heap_cap, use_cap, n_use, n_slot;
};

struct registry_builder *registry_new(struct arena *a, const struct match_forms *forms) {
    struct registry_builder *b = ARENA_NEW(a, struct registry_builder);
    b->arena = a;
    b->forms = forms;
    return b;
}

static str keep(struct registry_builder *b, str s) {
    s = utf8_cut(str_trim(s), REGISTRY_CELL_BYTE);
    return s.len > 0 ? str_copy(b->arena, s) : (str){0};
}

err registry_add(struct registry_builder *b, const struct registry_row *row) {
    if (str_trim(row->id).len == 0)
        return fail(ERR_INPUT, "registry_no_id", "the row has no id");
    if (str_trim(row->name).len == 0)
        return fail(ERR_INPUT, "registry_no_name", "the row has no name");
    if (b->n == REGISTRY_ROW_MAX)
        return fail(ERR_LIMIT, "registry_rows", "a registry holds at most %d rows", REGISTRY_ROW_MAX);
    if (b->n == b->cap)
        b->row = arena_grow(b->arena, b->row, &b->cap, b->n + 1, sizeof *b->row);
    b->row[b->n++] = (struct registry_row){keep(b, row->id),     keep(b, row->name),    keep(b, row->former),
                                           keep(b, row->domain), keep(b, row->country), keep(b, row->city)};
    return OK;
}

static int compare_rows(const void *x, const void *y) {
    const struct registry_row *a = x, *b = y;
    const str one[] = {a->id, a->name, a->former, a->domain, a->country, a->city};
    const str two[] = {b->id, b->name, b->former, b->domain, b->country, b->city};
    int order = 0;
    for (size_t i = 0; i < sizeof one / sizeof *one && order == 0; i++)
        order = str_compare(one[i], two[i]);
    return order;
}

/* ---- texts and terms ---- */

static struct registry_text put_text(struct registry_builder *b, str s) {
    if (b->head.heap + s.len + 1 > b->heap_cap)
        b->heap = arena_grow(b->arena, b->heap, &b->heap_cap, b->head.heap + s.len + 1, 1);
    const struct registry_text t = {(uint32_t)b->head.heap, (uint32_t)s.len};
    if (s.len > 0)
        memcpy(b->heap + b->head.heap, s.ptr, s.len);
    b->head.heap += s.len;
    return t;
}

static void place(struct registry_builder *b, uint32_t term, uint64_t hash) {
    size_t i = (size_t)hash & (b->n_slot - 1);
    while (b->slot[i])
        i = (i + 1) & (b->n_slot - 1);
    b->slot[i] = term + 1;
}

static str term_text(const struct registry_builder *b, uint32_t term) {
    return (str){b->heap + b->term[term].text.at, b->term[term].text.len};
}

static void widen(struct registry_builder *b) {
    if (b->n_slot > 0 && b->head.term * 2 < b->n_slot)
        return;
    b->n_slot = b->n_slot ? b->n_slot * 2 : 1024;
    b->slot = ARENA_ARRAY(b->arena, b->n_slot, uint32_t);
    for (uint32_t t = 0; t < b->head.term; t++)
        place(b, t, str_hash(term_text(b, t)));
}

static uint32_t term_of(struct registry_builder *b, str text) {
    widen(b);
    const uint64_t hash = str_hash(text);
    for (size_t i = (size_t)hash & (b->n_slot - 1); b->slot[i]; i = (i + 1) & (b->n_slot - 1))
        if (str_equal(term_text(b, b->slot[i] - 1), text))
            return b->slot[i] - 1;
    if (b->head.term + 1 >= b->term_cap)
        b->term = arena_grow(b->arena, b->term, &b->term_cap, b->head.term + 2, sizeof *b->term);
    if (b->head.term >= b->last_cap)
        b->last = arena_grow(b->arena, b->last, &b->last_cap, b->head.term + 1, sizeof *b->last);
    const uint32_t term = (uint32_t)b->head.term++;
    b->term[term] = (struct registry_term){.text = put_text(b, text)};
    b->last[term] = 0;
    place(b, term, hash);
    return term;
}

/* The name has the term: once for each name, counted once for each organisation. */
static uint32_t use_term(struct registry_builder *b, char mark, str text) {
    char marked[MATCH_NAME_BYTE + 1];
    if (mark) {
        marked[0] = mark;
        memcpy(marked + 1, text.ptr, text.len);
        text = (str){marked, text.len + 1};
    }
    const uint32_t term = term_of(b, text), name = (uint32_t)b->head.name - 1, entity = (uint32_t)b->head.entity - 1;
    if (b->last[term] != entity + 1)
        b->term[term].df++;
    b->last[term] = entity + 1;
    if (b->n_use + 2 > b->use_cap)
        b->use = arena_grow(b->arena, b->use, &b->use_cap, b->n_use + 2, sizeof *b->use);
    b->use[b->n_use++] = name;
    b->use[b->n_use++] = term;
    return term;
}

/* ---- names and organisations ---- */

static void put_name(struct registry_builder *b, str raw, bool former) {
    struct match_name m;
    char joined[MATCH_NAME_BYTE];
    match_name_read(b->forms, raw, &m);
    if (m.n == 0)
        return;
    if (b->head.name == b->name_cap)
        b->name = arena_grow(b->arena, b->name, &b->name_cap, b->head.name + 1, sizeof *b->name);
    struct registry_name *n = &b->name[b->head.name++];
    *n = (struct registry_name){.text = put_text(b, raw),
                                .entity = (uint32_t)b->head.entity - 1,
                                .token = (uint32_t)b->head.token,
                                .form = m.form,
                                .n_token = (uint8_t)m.n,
                                .former = former};
    for (size_t i = 0; i < m.n; i++) {
        const uint32_t term = use_term(b, 0, m.token[i]);
        if (b->head.token == b->token_cap)
            b->token = arena_grow(b->arena, b->token, &b->token_cap, b->head.token + 1, sizeof *b->token);
        b->token[b->head.token++] = term;
    }
    (void)use_term(b, REGISTRY_JOINED, (str){joined, match_name_joined(&m, joined, sizeof joined)});
    const size_t n_initial = match_name_initials(&m, joined, sizeof joined);
    if (n_initial > 0)
        (void)use_term(b, REGISTRY_INITIALS, (str){joined, n_initial});
}

static void put_former(struct registry_builder *b, str list) {
    while (list.len > 0) {
        size_t end = 0;
        while (end < list.len && list.ptr[end] != ';' && list.ptr[end] != '|')
            end++;
        const str one = str_trim(str_slice(list, 0, end));
        if (one.len > 0)
            put_name(b, one, true);
        list = str_slice(list, end + 1, list.len);
    }
}

static void first_of(struct registry_builder *b, struct registry_text *to, str cell) {
    if (to->len == 0 && cell.len > 0)
        *to = put_text(b, cell);
}

/* The rows from `i` that have its id; returns the first behind them. */
static size_t put_entity(struct registry_builder *b, size_t i) {
    const str id = b->row[i].id;
    const size_t first = i;
    char domain[REGISTRY_CELL_BYTE];
    if (b->head.entity == b->entity_cap)
        b->entity = arena_grow(b->arena, b->entity, &b->entity_cap, b->head.entity + 1, sizeof *b->entity);
    struct registry_entity *e = &b->entity[b->head.entity++];
    *e = (struct registry_entity){.id = put_text(b, id), .name = (uint32_t)b->head.name};
    for (; i < b->n && str_equal(b->row[i].id, id); i++) {
        const struct registry_row *r = &b->row[i];
        if (i == first || !str_equal(r->name, b->row[i - 1].name))
            put_name(b, r->name, i != first);
        first_of(b, &e->domain, (str){domain, registry_domain_form(r->domain, domain, sizeof domain)});
        first_of(b, &e->country, r->country);
        first_of(b, &e->city, r->city);
    }
    for (size_t k = first; k < i; k++)
        put_former(b, b->row[k].former);
    e->n_name = (uint32_t)b->head.name - e->name;
    if (e->domain.len > 0 && e->domain.len <= MATCH_NAME_BYTE && e->n_name > 0) {
        char text[MATCH_NAME_BYTE];
        memcpy(text, b->heap + e->domain.at, e->domain.len);
        const uint32_t newest = (uint32_t)b->head.name;
        b->head.name = e->name + 1; /* the domain stands for the present name */
        (void)use_term(b, REGISTRY_DOMAIN, (str){text, e->domain.len});
        b->head.name = newest;
    }
    if (e->n_name == 0)
        b->head.entity--; /* signs alone: nothing to find it by */
    return i;
}

/* ---- laying out ---- */

static bool is_word(const struct registry_builder *b, uint32_t term) {
    const char c = b->heap[b->term[term].text.at];
    return c != REGISTRY_JOINED && c != REGISTRY_INITIALS && c != REGISTRY_DOMAIN;
}

/* Counting sort of (name, term) by term; names stay ascending, and each comes once. */
static void put_postings(struct registry_builder *b, uint32_t *posting) {
    struct registry_term *t = b->term;
    const size_t n = (size_t)b->head.term;
    uint32_t *next = ARENA_ARRAY(b->arena, n + 1, uint32_t);
    uint32_t *seen = ARENA_ARRAY(b->arena, n, uint32_t);
    for (size_t i = 0; i < b->n_use; i += 2)
        next[b->use[i + 1] + 1]++;
    for (size_t k = 1; k <= n; k++)
        next[k] += next[k - 1];
    for (size_t k = 0; k < n; k++)
        t[k].posting = next[k];
    t[n] = (struct registry_term){.posting = next[n]};
    for (size_t i = 0; i < b->n_use; i += 2)
        posting[next[b->use[i + 1]]++] = b->use[i];
    /* A word twice in a name: close the gaps. */
    uint32_t to = 0;
    for (size_t k = 0; k < n; k++) {
        const uint32_t from = t[k].posting, end = t[k + 1].posting;
        t[k].posting = to;
        for (uint32_t p = from; p < end; p++)
            if (seen[k] != posting[p] + 1) {
                seen[k] = posting[p] + 1;
                posting[to++] = posting[p];
            }
    }
    t[n].posting = to;
    b->head.posting = to;
}

static void put_grams(struct registry_builder *b, uint32_t *start, uint32_t **out) {
    uint32_t gram[REGISTRY_GRAM_MAX];
    for (uint32_t k = 0; k < b->head.term; k++)
        if (is_word(b, k))
            for (size_t i = registry_grams_of(term_text(b, k), gram); i > 0; i--)
                start[gram[i - 1] + 1]++;
    for (size_t g = 1; g <= REGISTRY_GRAM_COUNT; g++)
        start[g] += start[g - 1];
    b->head.gram = start[REGISTRY_GRAM_COUNT];
    uint32_t *to = ARENA_ARRAY(b->arena, b->head.gram, uint32_t);
    uint32_t *next = arena_copy(b->arena, start, REGISTRY_GRAM_COUNT * sizeof *start);
    for (uint32_t k = 0; k < b->head.term; k++)
        if (is_word(b, k))
            for (size_t i = registry_grams_of(term_text(b, k), gram); i > 0; i--)
                to[next[gram[i - 1]]++] = k;
    *out = to;
}

static void weigh_names(struct registry_builder *b) {
    const struct registry r = {.head = &b->head};
    for (size_t k = 0; k < b->head.name; k++) {
        double mass = 0;
        for (size_t i = 0; i < b->name[k].n_token; i++)
            mass += registry_rarity(&r, b->term[b->token[b->name[k].token + i]].df);
        b->name[k].mass = (float)mass;
    }
}

static void copy_part(const void *to, const void *from, uint64_t n, size_t size) {
    if (n > 0)
        memcpy((void *)(uintptr_t)to, from, (size_t)n * size);
}

static void lay_out(struct registry_builder *b, const uint32_t *posting, const uint32_t *start, const uint32_t *gram,
                    struct registry *r) {
    const size_t size = (size_t)registry_lay_out(&b->head, NULL, NULL);
    char *file = arena_alloc(b->arena, REGISTRY_LINE_BYTE + size);
    char *content = file + REGISTRY_LINE_BYTE;
    (void)registry_lay_out(&b->head, content, r);
    memcpy(content, &b->head, sizeof b->head);
    copy_part(r->entity, b->entity, b->head.entity, sizeof *b->entity);
    copy_part(r->name, b->name, b->head.name, sizeof *b->name);
    copy_part(r->token, b->token, b->head.token, sizeof *b->token);
    copy_part(r->term, b->term, b->head.term + 1, sizeof *b->term);
    copy_part(r->posting, posting, b->head.posting, sizeof *posting);
    copy_part(r->gram_start, start, REGISTRY_GRAM_COUNT + 1, sizeof *start);
    copy_part(r->gram, gram, b->head.gram, sizeof *gram);
    copy_part(r->slot, b->slot, b->head.slot, sizeof *b->slot);
    copy_part(r->heap, b->heap, b->head.heap, 1);
    char hex[HASH_HEX_BYTE + 1], line[REGISTRY_LINE_BYTE + 1];
    memcpy(hex, hash_hex(b->arena, (str){content, size}).ptr, sizeof hex);
    const int n = snprintf(line, sizeof line, "galena-registry %d %s %zu", REGISTRY_VERSION, hex, size);
    memset(file, ' ', REGISTRY_LINE_BYTE - 1);
    memcpy(file, line, (size_t)n);
    file[REGISTRY_LINE_BYTE - 1] = '\n';
    r->bytes = (str){file, REGISTRY_LINE_BYTE + size};
}

err registry_build(struct registry_builder *b, const struct registry **out) {
    if (b->n > 1)
        qsort(b->row, b->n, sizeof *b->row, compare_rows);
    for (size_t i = 0; i < b->n;) {
        i = put_entity(b, i);
        if (b->head.heap > UINT32_MAX - (1u << 24) || b->n_use > UINT32_MAX)
            return fail(ERR_LIMIT, "registry_size", "the registry is larger than an index can hold (4 GiB of names)");
    }
    widen(b);
    if (b->head.term + 1 > b->term_cap)
        b->term = arena_grow(b->arena, b->term, &b->term_cap, b->head.term + 1, sizeof *b->term);
    struct registry *r = ARENA_NEW(b->arena, struct registry);
    uint32_t *posting = ARENA_ARRAY(b->arena, b->n_use / 2, uint32_t);
    uint32_t *start = ARENA_ARRAY(b->arena, REGISTRY_GRAM_COUNT + 1, uint32_t), *gram;
    put_postings(b, posting);
    put_grams(b, start, &gram);
    weigh_names(b);
    b->head.slot = b->n_slot;
    r->forms = b->forms;
    lay_out(b, posting, start, gram, r);
    *out = r;
    return OK;
}
