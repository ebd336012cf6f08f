/* pii.c — runs the scanners over a text piece by piece; masks and unmasks. */
#include "text/pii_priv.h"

static const char *const type_name[PII_TYPES] = {
    "PERSON",       "STREET_ADDRESS",   "GPE",           "ORGANIZATION", "CREDIT_CARD",
    "PHONE_NUMBER", "DATE_TIME",        "EMAIL_ADDRESS", "TITLE",        "ZIP_CODE",
    "NRP",          "IBAN_CODE",        "DOMAIN_NAME",   "AGE",          "IP_ADDRESS",
    "US_SSN",       "US_DRIVER_LICENSE"};

const char *pii_type_name(enum pii_type type) { return type_name[type]; }

struct pii_finder *pii_finder_new(struct arena *a, const struct pii_words *words) {
    struct pii_finder *f = ARENA_NEW(a, struct pii_finder);
    f->words = words;
    f->recent = ARENA_ARRAY(a, PII_RECENT, struct pii_recent);
    f->token = ARENA_ARRAY(a, PII_TOKEN_MAX, struct pii_token);
    f->span = ARENA_ARRAY(a, PII_SPAN_MAX, struct pii_span);
    return f;
}

static void put_span(struct pii_finder *f, enum pii_type type, size_t begin, size_t end, double confidence) {
    if (f->n_span == PII_SPAN_MAX) {
        f->more = true;
        return;
    }
    f->span[f->n_span++] =
        (struct pii_span){.type = type, .begin = f->base + begin, .end = f->base + end, .confidence = confidence};
}

bool pii_add(struct pii_finder *f, enum pii_type type, size_t from, size_t to, double confidence) {
    for (size_t i = from; i < to; i++)
        if (f->token[i].taken)
            return false;
    for (size_t i = from; i < to; i++)
        f->token[i].taken = true;
    put_span(f, type, f->token[from].begin, f->token[to - 1].end, confidence);
    return true;
}

bool pii_add_bytes(struct pii_finder *f, enum pii_type type, size_t near, size_t begin, size_t end, double confidence) {
    size_t from = near, to = near;
    while (from > 0 && f->token[from - 1].end > begin)
        from--;
    while (to < f->n && f->token[to].begin < end)
        to++;
    for (size_t i = from; i < to; i++)
        if (f->token[i].taken)
            return false;
    for (size_t i = from; i < to; i++)
        f->token[i].taken = true;
    put_span(f, type, begin, end, confidence);
    return true;
}

/* How much of the text to look at: up to a line end or a blank near the limit. */
static size_t chunk_end(str text, size_t from) {
    if (text.len - from <= PII_CHUNK_BYTE)
        return text.len;
    const size_t end = from + PII_CHUNK_BYTE;
    for (size_t k = 0; k < PII_CHUNK_BYTE / 4; k++)
        if (text.ptr[end - k - 1] == '\n')
            return end - k;
    for (size_t k = 0; k < PII_CHUNK_BYTE / 2; k++)
        if (text.ptr[end - k - 1] == ' ')
            return end - k;
    return end;
}

static int by_place(const void *a, const void *b) {
    const struct pii_span *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

static void count_characters(struct pii_finder *f, str text) {
    size_t at = 0, n = 0;
    for (size_t i = 0; i < f->n_span; i++) {
        struct pii_span *s = &f->span[i];
        for (; at < s->begin; at++)
            n += (text.ptr[at] & 0xC0) != 0x80;
        s->begin_char = n;
        for (; at < s->end; at++)
            n += (text.ptr[at] & 0xC0) != 0x80;
        s->end_char = n;
    }
}

size_t pii_find(struct pii_finder *f, str text, const struct pii_span **span, bool *more) {
    f->n_span = 0;
    f->more = false;
    for (f->base = 0; f->base < text.len;) {
        const size_t end = chunk_end(text, f->base);
        f->text = str_slice(text, f->base, end);
        pii_tokens(f);
        pii_scan_forms(f);
        pii_scan_postal(f);
        pii_scan_addresses(f);
        pii_scan_numbers(f);
        pii_scan_names(f);
        f->base = end;
    }
    qsort(f->span, f->n_span, sizeof *f->span, by_place);
    count_characters(f, text);
    *span = f->span;
    *more = f->more;
    return f->n_span;
}

/* ---- masks ---- */

static str mask_of(struct arena *a, enum pii_type type, unsigned number) {
    return str_format(a, "[%s_%u]", type_name[type], number);
}

/* The secret of equal type and text, or a new one. */
static struct pii_secret *secret_of(struct arena *a, struct pii_masked *m, str whole, enum pii_type type, str text,
                                    unsigned next[PII_TYPES]) {
    for (size_t i = 0; i < m->n; i++)
        if (m->secret[i].type == type && str_equal(m->secret[i].text, text))
            return &m->secret[i];
    do
        next[type]++;
    while (str_find(whole, mask_of(a, type, next[type])) >= 0);
    m->secret[m->n] = (struct pii_secret){type, next[type], str_copy(a, text)};
    return &m->secret[m->n++];
}

struct pii_masked pii_mask(struct arena *a, str text, const struct pii_span *span, size_t n) {
    struct pii_masked m = {.secret = ARENA_ARRAY(a, n, struct pii_secret)};
    unsigned next[PII_TYPES] = {0};
    str *part = ARENA_ARRAY(a, 2 * n + 1, str);
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const struct pii_secret *s = secret_of(a, &m, text, span[i].type, str_slice(text, span[i].begin, span[i].end), next);
        part[2 * i] = str_slice(text, at, span[i].begin);
        part[2 * i + 1] = mask_of(a, s->type, s->number);
        at = span[i].end;
    }
    part[2 * n] = str_slice(text, at, text.len);
    m.text = str_join(a, part, 2 * n + 1, (str){0});
    return m;
}

str pii_unmask(struct arena *a, str text, const struct pii_secret *secret, size_t n) {
    size_t cap = 16, parts = 0, at = 0;
    str *part = ARENA_ARRAY(a, cap, str), *mask = ARENA_ARRAY(a, n, str);
    for (size_t i = 0; i < n; i++)
        mask[i] = mask_of(a, secret[i].type, secret[i].number);
    for (size_t i = 0; i < text.len; i++)
        for (size_t k = 0; text.ptr[i] == '[' && k < n; k++) {
            if (!str_starts(str_slice(text, i, text.len), mask[k]))
                continue;
            if (parts + 3 > cap)
                part = arena_grow(a, part, &cap, parts + 3, sizeof *part);
            part[parts++] = str_slice(text, at, i);
            part[parts++] = secret[k].text;
            at = i + mask[k].len;
            i = at - 1;
            break;
        }
    if (parts + 1 > cap)
        part = arena_grow(a, part, &cap, parts + 1, sizeof *part);
    part[parts++] = str_slice(text, at, text.len);
    return str_join(a, part, parts, (str){0});
}
