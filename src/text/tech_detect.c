/* tech_detect.c — one page through all kinds of patterns: Hyperscan names them, PCRE2 decides. */
#include "text/tech_priv.h"

#include "text/tech_pattern.h"

#include <time.h>

enum {
    SLICE_BYTE = 8192, /* a longer text is searched in pieces, so that time can be told between them */
    GROUP_MAX = 16,    /* groups of a match that are looked at */
    STACK_BYTE = 256 << 10,
    SCRIPT_SRC_MAX = 4096, /* script addresses, meta values, headers of a page that are looked at */
    FIELD_MAX = 4096,
    VERSION_ROOM = 256
};

struct tech_limits tech_limits_default(void) {
    return (struct tech_limits){.page_byte = 4 << 20, .page_us = 500000, .match_step = 5000, .select_step = 2000000};
}

static uint64_t cpu_us(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

bool tech_late(struct tech_worker *w) {
    if (!w->incomplete && cpu_us() - w->began_us > w->limits.page_us)
        w->incomplete = true;
    return w->incomplete;
}

/* ---- one pattern ---- */

/* The result of pcre2_match over the whole value, found piece by piece. */
static int match_code(struct tech_worker *w, const struct tech_pattern *p, str value) {
    const bool pieces = p->piecewise && value.len > SLICE_BYTE;
    size_t at = 0;
    if (!pieces)
        return pcre2_match(p->code, (PCRE2_SPTR)value.ptr, value.len, 0, 0, w->match, w->context);
    for (;;) {
        (void)pcre2_set_offset_limit(w->context, at + SLICE_BYTE - 1);
        const int rc = pcre2_match(p->code, (PCRE2_SPTR)value.ptr, value.len, at, 0, w->match, w->context);
        at += SLICE_BYTE;
        if (rc != PCRE2_ERROR_NOMATCH || at > value.len || tech_late(w)) {
            (void)pcre2_set_offset_limit(w->context, PCRE2_UNSET);
            return rc;
        }
    }
}

static str read_version(struct tech_worker *w, struct arena *a, const struct tech_pattern *p, str value, int n) {
    str group[GROUP_MAX];
    char room[VERSION_ROOM];
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(w->match);
    const uint32_t all = pcre2_get_ovector_count(w->match);
    size_t n_group = 0;
    for (uint32_t i = 0; i < all && i < GROUP_MAX; i++) {
        const bool set = i < (uint32_t)n && at[2 * i] != PCRE2_UNSET && at[2 * i] <= at[2 * i + 1];
        group[n_group++] = set ? (str){value.ptr + at[2 * i], at[2 * i + 1] - at[2 * i]} : (str){NULL, 0};
    }
    return str_copy(a, tech_version_fill(p->version, group, n_group, room, sizeof room));
}

static void keep_hit(struct tech_worker *w, uint32_t pattern, str match, str version) {
    if (w->n_hit == TECH_HIT_MAX) {
        w->incomplete = true;
        return;
    }
    if (w->n_hit == w->cap_hit)
        w->hit = arena_grow(w->arena, w->hit, &w->cap_hit, w->n_hit + 1, sizeof *w->hit);
    w->hit[w->n_hit] = (struct tech_hit){.pattern = pattern, .match = match, .version = version, .order = w->n_hit};
    w->n_hit++;
    w->hit_page[pattern] = w->page_number;
}

bool tech_try(struct tech_worker *w, struct arena *a, uint32_t pattern, str value) {
    const struct tech_pattern *p = &w->rules->pattern[pattern];
    /* A second match says nothing new, unless it tells a version. */
    if (w->hit_page[pattern] == w->page_number && p->version.len == 0)
        return true;
    if (++w->n_match % 256 == 0 && tech_late(w))
        return false;
    if (!value.ptr)
        value = (str){"", 0};
    int n = 1;
    str match = {"", 0};
    if (p->code) {
        n = match_code(w, p, value);
        if (n < 0) /* no match, or too costly here, which counts as none */
            return false;
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(w->match);
        if (at[0] <= at[1])
            match = (str){value.ptr + at[0], at[1] - at[0]};
        n = n == 0 ? (int)pcre2_get_ovector_count(w->match) : n;
    }
    str version = {"", 0};
    if (p->version.len > 0 && p->code) {
        version = read_version(w, a, p, value, n);
    } else if (p->version.len > 0) {
        char room[VERSION_ROOM];
        const str whole = {"", 0};
        version = str_copy(a, tech_version_fill(p->version, &whole, 1, room, sizeof room));
    }
    keep_hit(w, pattern, match, version);
    return true;
}

/* ---- one text ---- */

/* Called by Hyperscan, which names a pattern at most once a scan. */
static int pattern_found(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx) {
    struct tech_worker *w = ctx;
    (void)from;
    (void)to;
    (void)flags;
    w->collected[w->n_collected++] = id;
    return w->n_collected == w->rules->n_pattern;
}

static int by_number(const void *x, const void *y) {
    const uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return a < b ? -1 : a > b;
}

/* The patterns that can match in `text`, in their order: in w->collected, or all of the set. */
static const uint32_t *find_patterns(struct tech_worker *w, const struct tech_set *s, str text, size_t *n) {
    if (!w->rules->prefilter) {
        *n = s->n;
        return s->pattern;
    }
    w->n_collected = 0;
    if (s->database)
        (void)hs_scan(s->database, text.ptr, (unsigned)text.len, 0, w->scratch, pattern_found, w);
    memcpy(w->collected + w->n_collected, s->always, s->n_always * sizeof *s->always);
    w->n_collected += s->n_always;
    qsort(w->collected, w->n_collected, sizeof *w->collected, by_number);
    *n = w->n_collected;
    return w->collected;
}

static void detect_text(struct tech_worker *w, struct arena *a, enum tech_kind kind, str text) {
    size_t n;
    if (text.len == 0)
        return;
    const uint32_t *pattern = find_patterns(w, &w->rules->set[kind], text, &n);
    for (size_t i = 0; i < n && !w->incomplete; i++)
        (void)tech_try(w, a, pattern[i], text);
}

static void detect_script_src(struct tech_worker *w, struct arena *a) {
    const struct tech_page *p = w->page;
    const size_t n_src = p->n_script_src < SCRIPT_SRC_MAX ? p->n_script_src : SCRIPT_SRC_MAX;
    size_t n;
    buf_clear(&w->values);
    for (size_t i = 0; i < n_src; i++) {
        buf_add(&w->values, p->script_src[i]);
        buf_add_byte(&w->values, '\n');
    }
    w->incomplete |= n_src < p->n_script_src;
    if (n_src == 0)
        return;
    const uint32_t *pattern = find_patterns(w, &w->rules->set[TECH_SCRIPT_SRC], buf_str(&w->values), &n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n_src && !w->incomplete; k++)
            (void)tech_try(w, a, pattern[i], p->script_src[k]);
}

/* ---- named values ---- */

/* The first entry whose key is not below `key`. */
static size_t first_keyed(const struct tech_keyed *list, size_t n, str key) {
    size_t low = 0;
    while (low < n) {
        const size_t middle = low + (n - low) / 2;
        if (str_compare(list[middle].key, key) < 0)
            low = middle + 1;
        else
            n = middle;
    }
    return low;
}

static void detect_named(struct tech_worker *w, struct arena *a, enum tech_kind kind, str name, str value) {
    const struct tech_keyed *list = w->rules->keyed[kind];
    const size_t n = w->rules->n_keyed[kind];
    for (size_t i = first_keyed(list, n, name); i < n && str_equal(list[i].key, name) && !w->incomplete; i++)
        (void)tech_try(w, a, list[i].pattern, value);
}

/* The name and value at the beginning of a set-cookie header. */
static void detect_cookie(struct tech_worker *w, struct arena *a, str header) {
    const str pair =
        str_slice(header, 0, (size_t)(str_find_byte(header, ';') < 0 ? (ptrdiff_t)header.len : str_find_byte(header, ';')));
    const ptrdiff_t equal = str_find_byte(pair, '=');
    if (equal <= 0)
        return;
    const str name = str_lower(a, str_trim(str_slice(pair, 0, (size_t)equal)));
    detect_named(w, a, TECH_COOKIES, name, str_slice(pair, (size_t)equal + 1, pair.len));
}

static void detect_fields(struct tech_worker *w, struct arena *a, const struct tech_input *in) {
    for (size_t i = 0; i < in->n_header && i < FIELD_MAX; i++) {
        const str name = str_lower(a, in->header[i].name);
        detect_named(w, a, TECH_HEADERS, name, in->header[i].value);
        if (str_equal(name, STR("set-cookie")))
            detect_cookie(w, a, in->header[i].value);
    }
    for (size_t i = 0; i < in->n_dns && i < FIELD_MAX; i++)
        detect_named(w, a, TECH_DNS, str_lower(a, in->dns[i].name), in->dns[i].value);
    for (size_t i = 0; i < w->page->n_meta && i < FIELD_MAX; i++)
        detect_named(w, a, TECH_META, w->page->meta[i].name, w->page->meta[i].value);
}

/* ---- a thread ---- */

static void free_worker(void *ctx) {
    struct tech_worker *w = ctx;
    hs_free_scratch(w->scratch);
    pcre2_match_data_free(w->match);
    pcre2_match_context_free(w->context);
    pcre2_jit_stack_free(w->stack);
    buf_done(&w->values);
}

static bool make_scratch(struct tech_worker *w) {
    const struct tech_rules *r = w->rules;
    for (size_t k = 0; k < TECH_SCANNED; k++)
        if (r->set[k].database && hs_alloc_scratch(r->set[k].database, &w->scratch) != HS_SUCCESS)
            return false;
    return !r->dom.database || hs_alloc_scratch(r->dom.database, &w->scratch) == HS_SUCCESS;
}

err tech_worker_new(struct arena *a, const struct tech_rules *r, const struct tech_limits *limits,
                    struct tech_worker **out) {
    struct tech_worker *w = ARENA_NEW(a, struct tech_worker);
    *w = (struct tech_worker){.rules = r, .limits = *limits, .arena = a};
    buf_init(&w->values, (size_t)3 * TECH_PAGE_BYTE);
    arena_defer(a, free_worker, w);
    w->match = pcre2_match_data_create(GROUP_MAX, NULL);
    w->context = pcre2_match_context_create(NULL);
    w->stack = pcre2_jit_stack_create(32 << 10, STACK_BYTE, NULL);
    if (!w->match || !w->context || !w->stack || !make_scratch(w))
        return fail(ERR_LIMIT, "tech_memory", "no memory to look for technologies");
    (void)pcre2_set_match_limit(w->context, limits->match_step);
    pcre2_jit_stack_assign(w->context, NULL, w->stack);
    w->page = tech_page_new(a);
    w->collected = ARENA_ARRAY(a, r->n_pattern + 1, uint32_t);
    w->hit_page = ARENA_ARRAY(a, r->n_pattern + 1, uint32_t);
    w->rule_page = ARENA_ARRAY(a, r->dom.n_rule + 1, uint32_t);
    w->slot = ARENA_ARRAY(a, r->n_tech + 1, uint32_t);
    w->candidate = ARENA_ARRAY(a, TECH_CANDIDATE_MAX, struct tech_candidate);
    *out = w;
    return OK;
}

/* Numbers mark what hit on a page; when they run out, the marks begin anew. */
static void begin_page(struct tech_worker *w) {
    if (++w->page_number == UINT32_MAX) {
        memset(w->hit_page, 0, w->rules->n_pattern * sizeof *w->hit_page);
        memset(w->rule_page, 0, w->rules->dom.n_rule * sizeof *w->rule_page);
        w->page_number = 1;
    }
    w->n_hit = 0;
    w->n_match = 0;
    w->steps = w->limits.select_step;
    w->began_us = cpu_us();
    w->incomplete = false;
}

void tech_detect(struct tech_worker *w, struct arena *a, const struct tech_input *in, struct tech_result *out) {
    const str html = str_slice(in->html, 0, w->limits.page_byte < TECH_PAGE_BYTE ? w->limits.page_byte : TECH_PAGE_BYTE);
    begin_page(w);
    tech_page_parse(w->page, html);
    const bool cut = w->page->cut || html.len < in->html.len;
    detect_fields(w, a, in);
    detect_text(w, a, TECH_URL, in->url);
    detect_script_src(w, a);
    detect_text(w, a, TECH_HTML, html);
    detect_text(w, a, TECH_SCRIPTS, buf_str(&w->page->scripts));
    detect_text(w, a, TECH_TEXT, buf_str(&w->page->text));
    detect_text(w, a, TECH_CSS, buf_str(&w->page->css));
    tech_detect_dom(w, a);
    tech_resolve(w, a, out);
    out->incomplete = w->incomplete || cut;
}
