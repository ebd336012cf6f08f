/* tech_dom.c — which selectors of the rules match an element of a page: by an index from names and literals to selectors. */
#include "text/tech_priv.h"

/* ---- the index ---- */

/* The name's entry, a new one when there is none yet. */
static struct tech_dom_name *name_entry(struct arena *a, struct tech_dom_name **list, size_t *n, size_t *cap, str name) {
    for (size_t i = 0; i < *n; i++)
        if (str_equal((*list)[i].name, name))
            return &(*list)[i];
    if (*n == *cap)
        *list = arena_grow(a, *list, cap, *n + 1, sizeof **list);
    (*list)[*n] = (struct tech_dom_name){.name = name};
    return &(*list)[(*n)++];
}

static void add_number(struct arena *a, uint32_t **list, size_t *n, size_t *cap, uint32_t number) {
    if (*n == *cap)
        *list = arena_grow(a, *list, cap, *n + 1, sizeof **list);
    (*list)[(*n)++] = number;
}

/* The attribute test of an element by which it is found soonest: the longest literal, else any. */
static const struct selector_test *best_test(const struct selector_compound *c) {
    const struct selector_test *best = NULL;
    for (size_t i = 0; i < c->n_test; i++)
        if (!best || c->test[i].value.len > best->value.len)
            best = &c->test[i];
    return best;
}

void tech_dom_add(struct tech_rules *r, const struct tech_selector *s, const struct tech_check *check, size_t n_check) {
    struct tech_dom *d = &r->dom;
    struct arena *a = r->arena;
    if (d->n_rule == d->cap_rule)
        d->rule = arena_grow(a, d->rule, &d->cap_rule, d->n_rule + 1, sizeof *d->rule);
    const uint32_t rule = (uint32_t)d->n_rule++;
    d->rule[rule] = (struct tech_dom_rule){s, check, n_check};
    const struct selector_compound *c = &s->compound[0];
    const struct selector_test *t = best_test(c);
    if (t) {
        struct tech_dom_name *n = name_entry(a, &d->attribute, &d->n_attribute, &d->cap_attribute, t->name);
        if (t->value.len == 0) {
            add_number(a, &n->rule, &n->n_rule, &n->cap_rule, rule);
            return;
        }
        if (d->n_literal == d->cap_literal)
            d->literal = arena_grow(a, d->literal, &d->cap_literal, d->n_literal + 1, sizeof *d->literal);
        add_number(a, &n->literal, &n->n_literal, &n->cap_literal, (uint32_t)d->n_literal);
        d->literal[d->n_literal++] = (struct tech_dom_literal){.text = t->value,
                                                               .tag = c->tag,
                                                               .name = (uint32_t)(n - d->attribute),
                                                               .rule = rule,
                                                               .whole = t->op == SELECT_EQUAL};
    } else if (c->tag.len > 0) {
        struct tech_dom_name *n = name_entry(a, &d->tag, &d->n_tag, &d->cap_tag, c->tag);
        add_number(a, &n->rule, &n->n_rule, &n->cap_rule, rule);
    } else {
        add_number(a, &d->any, &d->n_any, &d->cap_any, rule);
    }
}

static void index_names(struct arena *a, struct tech_names *names, const struct tech_dom_name *list, size_t n) {
    size_t size = 16;
    while (size < 4 * n)
        size *= 2;
    names->slot = ARENA_ARRAY(a, size, uint32_t);
    names->mask = size - 1;
    for (size_t i = 0; i < n; i++) {
        size_t at = str_hash(list[i].name) & names->mask;
        while (names->slot[at] != 0)
            at = (at + 1) & names->mask;
        names->slot[at] = (uint32_t)i + 1;
    }
}

void tech_dom_index(struct tech_rules *r) {
    index_names(r->arena, &r->dom.attribute_names, r->dom.attribute, r->dom.n_attribute);
    index_names(r->arena, &r->dom.tag_names, r->dom.tag, r->dom.n_tag);
}

uint32_t tech_dom_find(const struct tech_names *names, const struct tech_dom_name *list, str name) {
    for (size_t at = str_hash(name) & names->mask; names->slot[at] != 0; at = (at + 1) & names->mask)
        if (str_equal(list[names->slot[at] - 1].name, name))
            return names->slot[at] - 1;
    return TECH_NONE;
}

/* ---- matching ---- */

static void add_candidate(struct tech_worker *w, uint32_t element, uint32_t rule) {
    const struct tech_candidate *last = w->n_candidate > 0 ? &w->candidate[w->n_candidate - 1] : NULL;
    if (last && last->element == element && last->rule == rule)
        return;
    if (w->n_candidate == TECH_CANDIDATE_MAX) {
        w->incomplete = true;
        return;
    }
    w->candidate[w->n_candidate++] = (struct tech_candidate){element, rule};
}

static void add_rules(struct tech_worker *w, uint32_t element, const uint32_t *rule, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (w->rule_page[rule[i]] != w->page_number)
            add_candidate(w, element, rule[i]);
}

/* Without Hyperscan: each literal of the attribute's name. */
static void find_literals(struct tech_worker *w, uint32_t element, const struct tech_dom_name *name, str value) {
    const struct tech_dom *d = &w->rules->dom;
    for (size_t i = 0; i < name->n_literal; i++) {
        const struct tech_dom_literal *l = &d->literal[name->literal[i]];
        if (w->rule_page[l->rule] != w->page_number && str_find_nocase(value, l->text) >= 0)
            add_candidate(w, element, l->rule);
    }
}

static void add_value(struct tech_worker *w, uint32_t element, uint32_t name, str value) {
    if (w->n_span == w->cap_span)
        w->span = arena_grow(w->arena, w->span, &w->cap_span, w->n_span + 1, sizeof *w->span);
    buf_add(&w->values, value);
    buf_add_byte(&w->values, '\n');
    w->span[w->n_span++] = (struct tech_span){(uint32_t)w->values.len, element, name};
}

/* A literal ends before byte `to`. Nothing may be allocated here. */
static int literal_found(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx) {
    struct tech_worker *w = ctx;
    const struct tech_dom_literal *l = &w->rules->dom.literal[id];
    size_t low = 0, high = w->n_span;
    (void)from;
    (void)flags;
    if (w->rule_page[l->rule] == w->page_number)
        return 0;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (w->span[middle].end < to)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == w->n_span || w->span[low].name != l->name)
        return 0;
    const struct tech_span *s = &w->span[low];
    const uint32_t begin = low > 0 ? w->span[low - 1].end : 0;
    const bool fits = !l->whole || s->end - begin == l->text.len + 1;
    if (fits && (l->tag.len == 0 || str_equal(l->tag, w->page->element[s->element].name)))
        add_candidate(w, s->element, l->rule);
    return w->incomplete;
}

/* Evaluates the checks of a rule on an element it matches. */
static void check_element(struct tech_worker *w, struct arena *a, uint32_t rule, uint32_t element) {
    const struct tech_dom_rule *d = &w->rules->dom.rule[rule];
    const struct tech_element *e = &w->page->element[element];
    bool enough = true;
    for (size_t i = 0; i < d->n_check; i++) {
        const struct tech_check *c = &d->check[i];
        str value = {"", 0};
        if (c->kind == CHECK_TEXT)
            value = str_trim(str_slice(buf_str(&w->page->content), e->text_from, e->text_to));
        else if (c->kind == CHECK_ATTRIBUTE)
            value = tech_page_attribute(w->page, e, c->attribute);
        const bool there = c->kind == CHECK_EXISTS || (c->kind == CHECK_TEXT ? value.len > 0 : value.ptr != NULL);
        if (there)
            (void)tech_try(w, a, c->pattern, value);
        enough &= c->kind == CHECK_EXISTS;
    }
    if (enough)
        w->rule_page[rule] = w->page_number;
}

static int by_rule(const void *x, const void *y) {
    const struct tech_candidate *a = x, *b = y;
    if (a->rule != b->rule)
        return a->rule < b->rule ? -1 : 1;
    return a->element < b->element ? -1 : a->element > b->element;
}

static void check_candidates(struct tech_worker *w, struct arena *a) {
    const struct tech_candidate *c = w->candidate;
    qsort(w->candidate, w->n_candidate, sizeof *w->candidate, by_rule);
    for (size_t i = 0; i < w->n_candidate; i++) {
        if ((i > 0 && by_rule(&c[i - 1], &c[i]) == 0) || w->rule_page[c[i].rule] == w->page_number)
            continue;
        if (tech_selector_match(w->rules->dom.rule[c[i].rule].selector, w->page, c[i].element, &w->steps))
            check_element(w, a, c[i].rule, c[i].element);
        if (w->steps == 0 || (i % 256 == 255 && tech_late(w))) {
            w->incomplete = true;
            break;
        }
    }
}

static void collect_element(struct tech_worker *w, uint32_t id) {
    const struct tech_dom *d = &w->rules->dom;
    const struct tech_element *e = &w->page->element[id];
    const uint32_t tag = tech_dom_find(&d->tag_names, d->tag, e->name);
    if (tag != TECH_NONE)
        add_rules(w, id, d->tag[tag].rule, d->tag[tag].n_rule);
    add_rules(w, id, d->any, d->n_any);
    for (uint32_t i = 0; i < e->n_attribute; i++) {
        const struct tech_attribute *t = &w->page->attribute[e->attribute + i];
        const uint32_t number = tech_dom_find(&d->attribute_names, d->attribute, t->name);
        if (number == TECH_NONE)
            continue;
        const struct tech_dom_name *name = &d->attribute[number];
        add_rules(w, id, name->rule, name->n_rule);
        if (name->n_literal == 0 || t->value.len == 0)
            continue;
        if (d->database)
            add_value(w, id, number, t->value);
        else
            find_literals(w, id, name, t->value);
    }
}

void tech_detect_dom(struct tech_worker *w, struct arena *a) {
    const struct tech_dom *d = &w->rules->dom;
    w->n_candidate = w->n_span = 0;
    buf_clear(&w->values);
    for (uint32_t i = 0; i < w->page->n_element && !w->incomplete; i++) {
        collect_element(w, i);
        if (i % 256 == 255 && tech_late(w))
            break;
    }
    if (d->database && w->values.len > 0)
        (void)hs_scan(d->database, w->values.ptr, (unsigned)w->values.len, 0, w->scratch, literal_found, w);
    check_candidates(w, a);
}
