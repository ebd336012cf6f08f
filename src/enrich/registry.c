/* registry.c — the index read: laid out, checked to the last number, and asked for terms. */
#include "enrich/registry_priv.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/number.h"

#include <fcntl.h>
#include <math.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t part(uint64_t *at, uint64_t n, uint64_t size) {
    const uint64_t from = *at;
    *at += (n * size + 7) & ~UINT64_C(7);
    return from;
}

uint64_t registry_lay_out(const struct registry_head *h, const char *content, struct registry *r) {
    const uint64_t count[] = {h->entity, h->name, h->token, h->term, h->posting, h->gram, h->slot, h->heap};
    for (size_t i = 0; i < sizeof count / sizeof *count; i++)
        if (count[i] > UINT32_MAX)
            return 0;
    uint64_t at = sizeof *h;
    const uint64_t entity = part(&at, h->entity, sizeof *r->entity), name = part(&at, h->name, sizeof *r->name),
                   token = part(&at, h->token, sizeof *r->token), term = part(&at, h->term + 1, sizeof *r->term),
                   posting = part(&at, h->posting, sizeof *r->posting),
                   gram_start = part(&at, REGISTRY_GRAM_COUNT + 1, sizeof *r->gram_start),
                   gram = part(&at, h->gram, sizeof *r->gram), slot = part(&at, h->slot, sizeof *r->slot),
                   heap = part(&at, h->heap, 1);
    if (!r)
        return at;
    r->head = (const void *)content;
    r->entity = (const void *)(content + entity);
    r->name = (const void *)(content + name);
    r->token = (const void *)(content + token);
    r->term = (const void *)(content + term);
    r->posting = (const void *)(content + posting);
    r->gram_start = (const void *)(content + gram_start);
    r->gram = (const void *)(content + gram);
    r->slot = (const void *)(content + slot);
    r->heap = content + heap;
    return at;
}

/* ---- checking ---- */

static bool is_text(const struct registry *r, struct registry_text t) {
    return t.len <= r->head->heap && t.at <= r->head->heap - t.len;
}

static bool below(const uint32_t *x, uint64_t n, uint64_t limit) {
    uint32_t most = 0;
    for (uint64_t i = 0; i < n; i++)
        most = x[i] > most ? x[i] : most;
    return n == 0 || most < limit;
}

static bool entities_hold(const struct registry *r) {
    uint64_t next = 0;
    for (uint64_t i = 0; i < r->head->entity; i++) {
        const struct registry_entity *e = &r->entity[i];
        if (!is_text(r, e->id) || !is_text(r, e->domain) || !is_text(r, e->country) || !is_text(r, e->city))
            return false;
        if (e->name != next || e->n_name == 0)
            return false;
        next += e->n_name;
    }
    return next == r->head->name;
}

static bool names_hold(const struct registry *r) {
    for (uint64_t i = 0; i < r->head->name; i++) {
        const struct registry_name *n = &r->name[i];
        if (!is_text(r, n->text) || n->entity >= r->head->entity || n->n_token > MATCH_TOKEN_MAX)
            return false;
        if (n->token > r->head->token || n->n_token > r->head->token - n->token || !isfinite(n->mass) || n->mass < 0)
            return false;
    }
    return true;
}

static bool terms_hold(const struct registry *r) {
    const uint64_t n = r->head->term;
    for (uint64_t i = 0; i < n; i++)
        if (!is_text(r, r->term[i].text) || r->term[i].posting > r->term[i + 1].posting || r->term[i].text.len == 0)
            return false;
    for (size_t g = 0; g < REGISTRY_GRAM_COUNT; g++)
        if (r->gram_start[g] > r->gram_start[g + 1])
            return false;
    return r->term[n].posting == r->head->posting && r->gram_start[REGISTRY_GRAM_COUNT] == r->head->gram;
}

/* A power of two with a free place, so that a search ends. */
static bool slots_hold(const struct registry *r) {
    const uint64_t n = r->head->slot;
    bool space = false;
    if (n == 0 || (n & (n - 1)) != 0)
        return false;
    for (uint64_t i = 0; i < n; i++) {
        space |= r->slot[i] == 0;
        if (r->slot[i] > r->head->term)
            return false;
    }
    return space;
}

static bool content_holds(const struct registry *r) {
    const struct registry_head *h = r->head;
    return entities_hold(r) && names_hold(r) && terms_hold(r) && slots_hold(r) && below(r->token, h->token, h->term) &&
           below(r->posting, h->posting, h->name) && below(r->gram, h->gram, h->term);
}

/* ---- the file ---- */

static const str magic = STR_INIT("galena-registry ");

static bool has_checksum(struct arena *a, str content, str hex) { return str_equal(hash_hex(a, content), hex); }

err registry_read(struct arena *a, str bytes, const struct match_forms *forms, const struct registry **out) {
    int64_t version, size;
    str line = str_slice(bytes, 0, REGISTRY_LINE_BYTE), word[4], rest = str_trim(line);
    if (!str_starts(bytes, magic))
        return fail(ERR_INPUT, "registry_format", "it is no registry index; \"galena registry build\" writes one");
    for (size_t i = 0; i < 4; i++)
        if (!str_split(&rest, ' ', &word[i]))
            return fail(ERR_INPUT, "registry_format", "its first line is not that of a registry index");
    if (!number_parse_integer(word[1], &version) || !number_parse_integer(word[3], &size))
        return fail(ERR_INPUT, "registry_format", "its first line is not that of a registry index");
    if (version > REGISTRY_VERSION)
        return fail(ERR_INPUT, "registry_version", "it is of version %lld, this program reads up to %d; build it again",
                    (long long)version, REGISTRY_VERSION);
    if (version != REGISTRY_VERSION)
        return fail(ERR_INPUT, "registry_format", "its first line is not that of a registry index");
    const str content = str_slice(bytes, REGISTRY_LINE_BYTE, bytes.len);
    if (line.len < REGISTRY_LINE_BYTE || size < (int64_t)sizeof(struct registry_head) || (uint64_t)size != content.len)
        return fail(ERR_CORRUPT, "registry_truncated", "it has %zu bytes of content, its first line says %lld", content.len,
                    (long long)size);
    if (!has_checksum(a, content, word[2]))
        return fail(ERR_CORRUPT, "registry_checksum", "its checksum is wrong: it was altered or damaged; build it again");
    struct registry *r = ARENA_NEW(a, struct registry);
    r->forms = forms;
    r->bytes = bytes;
    const struct registry_head *head = (const void *)content.ptr;
    if (registry_lay_out(head, NULL, NULL) != content.len || registry_lay_out(head, content.ptr, r) == 0 ||
        !content_holds(r))
        return fail(ERR_CORRUPT, "registry_content", "what it holds does not fit together; build it again");
    *out = r;
    return OK;
}

struct mapping {
    void *at;
    size_t len;
};

static void unmap(void *ctx) {
    const struct mapping *m = ctx;
    (void)munmap(m->at, m->len);
}

err registry_open(struct arena *a, const char *path, const struct match_forms *forms, const struct registry **out) {
    int fd;
    struct stat st;
    TRY(file_open(path, &fd));
    void *at = MAP_FAILED;
    if (fstat(fd, &st) == 0 && st.st_size > 0)
        at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    (void)close(fd);
    if (at == MAP_FAILED)
        return fail(ERR_INPUT, "registry_format", "%s: it cannot be mapped: it is empty, or no file on a disk", path);
    struct mapping *m = ARENA_NEW(a, struct mapping);
    *m = (struct mapping){at, (size_t)st.st_size};
    arena_defer(a, unmap, m);
    const err rc = registry_read(a, (str){at, m->len}, forms, out);
    return rc == OK ? OK : err_prefix(rc, "%s", path);
}

bool registry_is_index(const char *path) {
    char head[32];
    int fd;
    if (str_equal(str_from(path), STR("-")) || file_open(path, &fd) != OK)
        return false;
    const ssize_t n = read(fd, head, magic.len);
    (void)close(fd);
    return n == (ssize_t)magic.len && memcmp(head, magic.ptr, magic.len) == 0;
}

err registry_write(struct arena *a, const struct registry *r, const char *path) { return file_write_all(a, path, r->bytes); }

/* ---- asking ---- */

struct registry_size registry_size_of(const struct registry *r) {
    return (struct registry_size){r->head->entity, r->head->name, r->head->term, r->bytes.len};
}

struct registry_entry registry_entry_of(const struct registry *r, uint32_t organisation) {
    const struct registry_entity *e = &r->entity[organisation];
    return (struct registry_entry){registry_text_of(r, e->id), registry_text_of(r, r->name[e->name].text),
                                   registry_text_of(r, e->domain), registry_text_of(r, e->country),
                                   registry_text_of(r, e->city)};
}

int64_t registry_find_term(const struct registry *r, char mark, str text) {
    char marked[MATCH_NAME_BYTE + 1];
    if (mark && text.len > MATCH_NAME_BYTE)
        return REGISTRY_NONE;
    if (mark) {
        marked[0] = mark;
        memcpy(marked + 1, text.ptr, text.len);
        text = (str){marked, text.len + 1};
    }
    const uint64_t last = r->head->slot - 1;
    for (uint64_t i = str_hash(text) & last; r->slot[i]; i = (i + 1) & last)
        if (str_equal(registry_text_of(r, r->term[r->slot[i] - 1].text), text))
            return r->slot[i] - 1;
    return REGISTRY_NONE;
}

double registry_rarity(const struct registry *r, uint32_t df) {
    const double rarity = log(((double)r->head->entity + 1) / (df + 0.5));
    return rarity > 0 ? rarity : 0;
}

size_t registry_grams_of(str word, uint32_t gram[REGISTRY_GRAM_MAX]) {
    size_t n = 0;
    if (word.len == 0)
        return 0;
    for (size_t i = 0; i < word.len && n < REGISTRY_GRAM_MAX; i++) {
        const char three[3] = {i > 0 ? word.ptr[i - 1] : ' ', word.ptr[i], i + 1 < word.len ? word.ptr[i + 1] : ' '};
        const uint32_t g = (uint32_t)(str_hash((str){three, 3}) >> 48);
        size_t k = n;
        while (k > 0 && gram[k - 1] > g)
            k--;
        if (k > 0 && gram[k - 1] == g)
            continue;
        memmove(&gram[k + 1], &gram[k], (n - k) * sizeof *gram);
        gram[k] = g;
        n++;
    }
    return n;
}

size_t registry_domain_form(str raw, char *to, size_t cap) {
    raw = str_trim(raw);
    const ptrdiff_t scheme = str_find(raw, STR("://"));
    if (scheme >= 0)
        raw = str_slice(raw, (size_t)scheme + 3, raw.len);
    size_t end = 0;
    while (end < raw.len && raw.ptr[end] != '/' && raw.ptr[end] != '?' && raw.ptr[end] != '#')
        end++;
    raw = str_slice(raw, 0, end);
    const ptrdiff_t at = str_find_byte(raw, '@');
    if (at >= 0)
        raw = str_slice(raw, (size_t)at + 1, raw.len);
    const ptrdiff_t port = str_find_byte(raw, ':');
    if (port >= 0)
        raw = str_slice(raw, 0, (size_t)port);
    if (str_find_nocase(raw, STR("www.")) == 0)
        raw = str_slice(raw, 4, raw.len);
    if (raw.len > cap || str_find_byte(raw, '.') < 0)
        return 0;
    for (size_t i = 0; i < raw.len; i++)
        to[i] = (char)(raw.ptr[i] >= 'A' && raw.ptr[i] <= 'Z' ? raw.ptr[i] + 32 : raw.ptr[i]);
    return raw.len;
}
