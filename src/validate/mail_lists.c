/* mail_lists.c — who gives addresses to anybody, which domains are for throwing away, and names that are no person's. */
#include "base/asset.h"
#include "base/number.h"
#include "validate/mail_priv.h"

#include <stdlib.h>
#include <zstd.h>

enum { DOMAINS_MAX_BYTE = 16 << 20 };

static int by_text(const void *a, const void *b) { return str_compare(*(const str *)a, *(const str *)b); }

/* The words of a text of lines; lines that begin with # are left out. Sorted. */
static str *words_of(struct arena *a, str text, size_t *n) {
    size_t cap = 0;
    str *word = NULL, rest = text, line, w;
    *n = 0;
    while (str_split(&rest, '\n', &line))
        while (line.len > 0 && line.ptr[0] != '#' && str_split(&line, ' ', &w)) {
            if (w.len == 0)
                continue;
            if (*n == cap)
                word = arena_grow(a, word, &cap, *n + 1, sizeof *word);
            word[(*n)++] = w;
        }
    if (*n > 0)
        qsort(word, *n, sizeof *word, by_text);
    return word;
}

static bool has_word(const str *word, size_t n, str w) { return n > 0 && bsearch(&w, word, n, sizeof w, by_text); }

static void load_providers(struct mail_lists *l, struct arena *a, str text) {
    size_t cap = 0;
    str rest = text, line, domain;
    while (str_split(&rest, '\n', &line)) {
        double people;
        if (line.len == 0 || line.ptr[0] == '#' || !str_split(&line, '\t', &domain) || !number_parse(line, &people))
            continue;
        if (l->n_provider == cap)
            l->provider = arena_grow(a, l->provider, &cap, l->n_provider + 1, sizeof *l->provider);
        l->provider[l->n_provider++] = (struct mail_provider){domain, people};
    }
}

/* An embedded file that does not unpack is a fault of the build; the lists are empty then. */
static str unpack(struct arena *a, str packed) {
    const unsigned long long size = ZSTD_getFrameContentSize(packed.ptr, packed.len);
    if (packed.len == 0 || size > DOMAINS_MAX_BYTE)
        return (str){0};
    char *to = arena_alloc(a, (size_t)size + 1);
    const size_t n = ZSTD_decompress(to, (size_t)size, packed.ptr, packed.len);
    return ZSTD_isError(n) ? (str){0} : (str){to, n};
}

struct mail_lists *mail_lists_load(struct arena *a) {
    struct mail_lists *l = ARENA_NEW(a, struct mail_lists);
    load_providers(l, a, asset_get(STR("lists/mail-providers.tsv")));
    l->role = words_of(a, asset_get(STR("lists/mail-roles.txt")), &l->n_role);
    l->company = words_of(a, asset_get(STR("lists/companies-short.txt")), &l->n_company);
    l->domains = unpack(a, asset_get(STR("lists/mail-domains.txt.zst")));
    return l;
}

/* The kind letter of the line whose name is `name`, or 0. Bisection over the bytes of sorted lines. */
static char line_kind(str text, str name) {
    size_t from = 0, to = text.len;
    while (from < to) {
        size_t start = from + (to - from) / 2;
        while (start > from && text.ptr[start - 1] != '\n')
            start--;
        size_t end = start;
        while (end < text.len && text.ptr[end] != '\n')
            end++;
        const str line = str_slice(text, start, end);
        if (line.len < 2)
            return 0;
        const str key = str_slice(line, 0, line.len - 2);
        const int order = str_compare(name, key);
        if (order == 0)
            return line.ptr[line.len - 1];
        if (order < 0)
            to = start;
        else
            from = end + 1;
    }
    return 0;
}

static char wildcard_kind(str text, str domain) {
    char name[256] = "*.";
    for (size_t i = 0; i < domain.len; i++) {
        if (domain.ptr[i] != '.' || domain.len - i - 1 > sizeof name - 2)
            continue;
        memcpy(name + 2, domain.ptr + i + 1, domain.len - i - 1);
        const char kind = line_kind(text, (str){name, domain.len - i + 1});
        if (kind)
            return kind;
    }
    return 0;
}

bool mail_is_provider(const struct mail_lists *l, str domain) {
    for (size_t i = 0; i < l->n_provider; i++)
        if (str_equal(l->provider[i].domain, domain))
            return true;
    return false;
}

char mail_domain_kind(const struct mail_lists *l, str domain) {
    if (mail_is_provider(l, domain))
        return 'f';
    const char kind = line_kind(l->domains, domain);
    return kind ? kind : wildcard_kind(l->domains, domain);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool mail_is_role(const struct mail_lists *l, str local) {
    const ptrdiff_t tag = str_find_byte(local, '+');
    if (tag > 0)
        local = str_slice(local, 0, (size_t)tag);
    while (local.len > 1 && is_digit(local.ptr[local.len - 1]))
        local.len--;
    if (has_word(l->role, l->n_role, local))
        return true;
    /* "sales.emea", "info-de", "support_eu" */
    for (size_t i = 1; i < local.len; i++)
        if (strchr(".-_", local.ptr[i]))
            return local.len - i <= 6 && has_word(l->role, l->n_role, str_slice(local, 0, i));
    return false;
}
