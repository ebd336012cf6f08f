/* fuzz_registry.c — any bytes as a registry index; any bytes as the content of one under a right checksum: read or refused,
 * and what is read is searched without harm; a sound index altered in some places, under a right checksum; and any lines as
 * the rows of one, which is then built, read back and searched. */
#include "target.h"

#include "base/hash.h"
#include "enrich/match.h"
#include "enrich/registry_priv.h"

enum { ROW_MAX = 200 };

static void search(struct arena *a, const struct registry *r, str name) {
    struct match_finder *f = match_finder_new(a, r, 0);
    const str names[] = {STR("zephyrine robotics"), STR("blue harbor foods"), STR("ibm"), STR(""), name};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct match_result m;
        match_find(f, &(struct match_query){names[i], STR("a.example"), STR("x"), STR("y")}, &m);
        FUZZ_CHECK(m.confidence >= 0 && m.confidence <= 1 + 1e-9);
        for (size_t k = 0; k < m.n; k++)
            (void)registry_entry_of(r, m.candidate[k].organisation);
    }
}

static err read_content(struct arena *a, const struct match_forms *forms, str content) {
    const struct registry *r;
    const str line = str_format(a, "galena-registry 1 %s %zu", hash_hex(a, content).ptr, content.len);
    char *bytes = arena_alloc(a, REGISTRY_LINE_BYTE + content.len);
    memset(bytes, ' ', REGISTRY_LINE_BYTE);
    memcpy(bytes, line.ptr, line.len);
    if (content.len > 0)
        memcpy(bytes + REGISTRY_LINE_BYTE, content.ptr, content.len);
    TRY(registry_read(a, (str){bytes, REGISTRY_LINE_BYTE + content.len}, forms, &r));
    search(a, r, STR("blue"));
    return OK;
}

/* Each line a row: id, name, former names and domain, with tabs between them. */
static err read_rows(struct arena *a, const struct match_forms *forms, str rest) {
    struct registry_builder *b = registry_new(a, forms);
    const struct registry *r, *again;
    str line, cell[4] = {{0}};
    for (size_t n = 0; n < ROW_MAX && str_split(&rest, '\n', &line); n++) {
        for (size_t i = 0; i < 4; i++)
            if (!str_split(&line, '\t', &cell[i]))
                cell[i] = (str){0};
        err rc =
            registry_add(b, &(struct registry_row){.id = cell[0], .name = cell[1], .former = cell[2], .domain = cell[3]});
        FUZZ_CHECK(rc == OK || rc == ERR_INPUT);
    }
    TRY(registry_build(b, &r));
    FUZZ_CHECK(registry_read(a, r->bytes, forms, &again) == OK);
    search(a, again, cell[1]);
    return OK;
}

/* A small index with four bytes altered at each of the places that the input names: three bytes where, four bytes what. */
static err read_altered(struct arena *a, const struct match_forms *forms, str patches) {
    enum { PATCH = 7 };
    struct registry_builder *b = registry_new(a, forms);
    const struct registry *r;
    TRY(registry_add(b,
                     &(struct registry_row){.id = STR("1"), .name = STR("Zephyrine Robotics"), .domain = STR("a.example")}));
    TRY(registry_add(b,
                     &(struct registry_row){.id = STR("2"), .name = STR("Blue Harbor Foods"), .former = STR("Blue; Old")}));
    TRY(registry_build(b, &r));
    const size_t n = r->bytes.len - REGISTRY_LINE_BYTE;
    char *content = arena_copy(a, r->bytes.ptr + REGISTRY_LINE_BYTE, n);
    for (size_t i = 0; i + PATCH <= patches.len; i += PATCH) {
        const unsigned char *p = (const unsigned char *)patches.ptr + i;
        const size_t at = ((size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16) % (n - 3);
        memcpy(content + at, p + 3, 4);
    }
    return read_content(a, forms, (str){content, n});
}

/* The lists of words, read once: they take longer than an input. */
static err load_forms(void *ctx) {
    struct fuzz_work *w = ctx;
    const struct match_forms *forms;
    TRY(match_forms_load(w->arena, &forms));
    w->input.ptr = (const char *)forms;
    return OK;
}

static const struct match_forms *the_forms(void) {
    static struct fuzz_work once;
    if (!once.arena) {
        once.arena = arena_new((size_t)64 << 20);
        FUZZ_CHECK(once.arena && arena_run(once.arena, load_forms, &once) == OK);
    }
    return (const void *)once.input.ptr;
}

static err run(void *ctx) {
    const struct fuzz_work *w = ctx;
    const struct match_forms *forms = the_forms();
    const struct registry *r;
    if (w->input.len == 0)
        return OK;
    const char how = w->input.ptr[0];
    const str rest = str_slice(w->input, 1, w->input.len);
    if (how == 'c')
        return read_content(w->arena, forms, rest);
    if (how == 'm')
        return read_altered(w->arena, forms, rest);
    if (how == 'r')
        return read_rows(w->arena, forms, rest);
    const str aligned = {arena_copy(w->arena, w->input.ptr, w->input.len), w->input.len};
    return registry_read(w->arena, aligned, forms, &r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_in_arena(data, size, (size_t)256 << 20, run); }
