/* tech_compile.c — patterns into PCRE2 code, and sets of them into Hyperscan databases. */
#include "text/tech_priv.h"

#include "text/tech_pattern.h"

/* ---- PCRE2 ---- */

static pcre2_compile_context *compile_context(void) {
    pcre2_compile_context *c = pcre2_compile_context_create(NULL);
    if (c)
        pcre2_set_newline(c, PCRE2_NEWLINE_ANYCRLF);
    return c;
}

static err compile_code(const struct buf *exact, bool utf, pcre2_code **out) {
    /* USE_OFFSET_LIMIT: a long text is searched in pieces (tech_try). */
    uint32_t options = PCRE2_CASELESS | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C;
    options |= utf ? PCRE2_UTF | PCRE2_MATCH_INVALID_UTF : PCRE2_USE_OFFSET_LIMIT;
    pcre2_compile_context *c = compile_context();
    int code = 0;
    size_t at = 0;
    *out = pcre2_compile((PCRE2_SPTR)exact->ptr, exact->len - 1, options, &code, &at, c);
    pcre2_compile_context_free(c);
    if (*out) {
        (void)pcre2_jit_compile(*out, PCRE2_JIT_COMPLETE); /* without it the interpreter does the same */
        return OK;
    }
    char text[160] = "";
    (void)pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof text);
    return fail(ERR_INPUT, "tech_pattern", "%s at character %zu of \"%s\"", text, at + 1, exact->ptr);
}

static bool inexact(const char *rough) {
    return strstr(rough, "(?=") || strstr(rough, "(?!") || strstr(rough, "(?<") || strstr(rough, "(?:\\1") ||
           strstr(rough, "(?:\\2") || strstr(rough, "(?:\\3") || strstr(rough, "(?:\\4") || strstr(rough, "(?:\\5");
}

err tech_pattern_add(struct tech_rules *r, struct tech_pattern pattern, str text, struct buf *exact, struct buf *rough,
                     uint32_t *out) {
    const struct tech_parts parts = tech_pattern_split(text);
    pattern.regex = parts.regex;
    pattern.version = parts.version;
    pattern.confidence = (uint8_t)parts.confidence;
    pcre2_code *code = NULL;
    bool utf = false;
    if (parts.regex.len > 0) {
        TRY(tech_pattern_translate(parts.regex, exact, rough, &utf));
        TRY(compile_code(exact, utf, &code));
    }
    if (r->n_pattern == r->cap_pattern) {
        struct tech_pattern *old = r->pattern;
        pattern.code = NULL;
        r->pattern = arena_grow(r->arena, old, &r->cap_pattern, r->n_pattern + 1, sizeof *old);
    }
    *out = (uint32_t)r->n_pattern;
    struct tech_pattern *p = &r->pattern[r->n_pattern++];
    *p = pattern;
    p->code = code;
    p->piecewise = code && !utf;
    if (code && pattern.kind < (enum tech_kind)TECH_SCANNED) {
        tech_rough_reduce((str){rough->ptr, rough->len - 1}, exact);
        TRY(buf_check(exact));
        p->rough = str_cstr(r->arena, buf_str(exact));
        p->inexact = inexact(p->rough);
    }
    return OK;
}

/* ---- Hyperscan ---- */

struct expressions {
    const char **text;
    unsigned *flags, *id;
    size_t n;
};

static void expressions_remove(struct expressions *e, size_t i) {
    for (e->n--; i < e->n; i++) {
        e->text[i] = e->text[i + 1];
        e->flags[i] = e->flags[i + 1];
        e->id[i] = e->id[i + 1];
    }
}

static void list_set(struct tech_rules *r, enum tech_kind kind) {
    struct tech_set *s = &r->set[kind];
    for (size_t i = 0; i < r->n_pattern; i++)
        s->n += r->pattern[i].kind == kind;
    s->pattern = ARENA_ARRAY(r->arena, s->n, uint32_t);
    s->always = ARENA_ARRAY(r->arena, s->n, uint32_t);
    s->n = 0;
    for (size_t i = 0; i < r->n_pattern; i++)
        if (r->pattern[i].kind == kind)
            s->pattern[s->n++] = (uint32_t)i;
}

static err hs_failure(int rc, const hs_compile_error_t *e) {
    if (rc == HS_NOMEM)
        return fail(ERR_LIMIT, "tech_memory", "no memory to compile the rules");
    return fail(ERR_CORRUPT, "tech_hyperscan", "Hyperscan cannot compile the rules: %s (%d)", e ? e->message : "?", rc);
}

/* Compiles the patterns of a set; what Hyperscan does not take goes to the list of those that are always tried. */
static err build_set(struct tech_rules *r, enum tech_kind kind) {
    struct tech_set *s = &r->set[kind];
    struct expressions e = {.text = ARENA_ARRAY(r->arena, s->n, const char *),
                            .flags = ARENA_ARRAY(r->arena, s->n, unsigned),
                            .id = ARENA_ARRAY(r->arena, s->n, unsigned)};
    /* Several script addresses are scanned as one text, a line each. */
    const unsigned lines = kind == TECH_SCRIPT_SRC ? HS_FLAG_MULTILINE : 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct tech_pattern *p = &r->pattern[s->pattern[i]];
        if (!p->rough) {
            s->always[s->n_always++] = s->pattern[i];
            continue;
        }
        e.text[e.n] = p->rough;
        e.flags[e.n] =
            HS_FLAG_CASELESS | HS_FLAG_SINGLEMATCH | lines | (p->inexact ? HS_FLAG_PREFILTER : HS_FLAG_ALLOWEMPTY);
        e.id[e.n++] = s->pattern[i];
    }
    while (e.n > 0) {
        hs_compile_error_t *failure = NULL;
        const int rc = hs_compile_multi(e.text, e.flags, e.id, (unsigned)e.n, HS_MODE_BLOCK, NULL, &s->database, &failure);
        if (rc == HS_SUCCESS)
            return OK;
        s->database = NULL;
        const int at = failure ? failure->expression : -1;
        const err why = at < 0 ? hs_failure(rc, failure) : OK;
        hs_free_compile_error(failure);
        if (at < 0)
            return why;
        s->always[s->n_always++] = e.id[at];
        expressions_remove(&e, (size_t)at);
    }
    return OK;
}

static err build_literals(struct tech_rules *r) {
    struct tech_dom *d = &r->dom;
    const char **text = ARENA_ARRAY(r->arena, d->n_literal, const char *);
    size_t *len = ARENA_ARRAY(r->arena, d->n_literal, size_t);
    unsigned *flags = ARENA_ARRAY(r->arena, d->n_literal, unsigned), *id = ARENA_ARRAY(r->arena, d->n_literal, unsigned);
    for (size_t i = 0; i < d->n_literal; i++) {
        text[i] = d->literal[i].text.ptr;
        len[i] = d->literal[i].text.len;
        flags[i] = HS_FLAG_CASELESS;
        id[i] = (unsigned)i;
    }
    if (d->n_literal == 0)
        return OK;
    hs_compile_error_t *failure = NULL;
    const int rc =
        hs_compile_lit_multi(text, flags, id, len, (unsigned)d->n_literal, HS_MODE_BLOCK, NULL, &d->database, &failure);
    const err why = rc == HS_SUCCESS ? OK : hs_failure(rc, failure);
    hs_free_compile_error(failure);
    return why;
}

err tech_sets_build(struct tech_rules *r) {
    for (enum tech_kind k = 0; k < (enum tech_kind)TECH_SCANNED; k++) {
        list_set(r, k);
        if (r->prefilter)
            TRY(build_set(r, k));
    }
    return r->prefilter ? build_literals(r) : OK;
}

static void free_compiled(void *ctx) {
    struct tech_rules *r = ctx;
    for (size_t i = 0; i < r->n_pattern; i++)
        pcre2_code_free(r->pattern[i].code);
    for (size_t k = 0; k < TECH_SCANNED; k++)
        hs_free_database(r->set[k].database);
    hs_free_database(r->dom.database);
}

void tech_rules_defer(struct tech_rules *r) { arena_defer(r->arena, free_compiled, r); }
