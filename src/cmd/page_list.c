/* page_list.c — finding saved pages and reading their index. */
#include "cmd/page_list.h"

#include "base/file.h"
#include "base/json.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { LEVEL_MAX = 8, INDEX_BYTE = 1 << 30, LINE_BYTE = 4 << 20, HEADERS_BYTE = 1 << 20, FIELD_MAX = 10000 };

/* ---- fields ---- */

static bool add_field(struct tech_field *list, size_t *n, str name, const struct json *v) {
    if (v->type != JSON_STRING || *n == FIELD_MAX)
        return false;
    list[(*n)++] = (struct tech_field){name, v->string};
    return true;
}

/* {"name": "value", "name": ["value", …]} */
static const struct tech_field *fields_of(struct arena *a, const struct json *v, size_t *n) {
    size_t room = 0;
    *n = 0;
    if (!v || v->type != JSON_OBJECT)
        return NULL;
    for (uint32_t i = 0; i < v->count; i++)
        room += v->members[i].value.type == JSON_ARRAY ? v->members[i].value.count : 1;
    struct tech_field *list = ARENA_ARRAY(a, room, struct tech_field);
    for (uint32_t i = 0; i < v->count; i++) {
        const struct json *value = &v->members[i].value;
        if (value->type != JSON_ARRAY)
            (void)add_field(list, n, v->members[i].key, value);
        for (uint32_t k = 0; value->type == JSON_ARRAY && k < value->count; k++)
            (void)add_field(list, n, v->members[i].key, &value->items[k]);
    }
    return list;
}

static void headers_of_text(struct arena *a, str text, struct page_entry *out) {
    struct tech_field *list = NULL;
    size_t cap = 0;
    str line;
    while (str_split(&text, '\n', &line) && out->n_header < FIELD_MAX) {
        const ptrdiff_t colon = str_find_byte(line, ':');
        if (colon <= 0)
            continue;
        if (out->n_header == cap)
            list = arena_grow(a, list, &cap, out->n_header + 1, sizeof *list);
        list[out->n_header++] = (struct tech_field){str_trim(str_slice(line, 0, (size_t)colon)),
                                                    str_trim(str_slice(line, (size_t)colon + 1, line.len))};
    }
    out->header = list;
}

err page_headers_read(struct arena *a, const char *path, struct page_entry *out) {
    str text;
    TRY(file_read_all(a, path, HEADERS_BYTE, &text));
    *out = (struct page_entry){.n_header = 0};
    if (!str_starts(str_trim(text), STR("{"))) {
        headers_of_text(a, text, out);
        return OK;
    }
    const struct json *v;
    const err rc = json_parse(a, text, NULL, &v);
    if (rc != OK)
        return err_prefix(rc, "%s", path);
    out->header = fields_of(a, v, &out->n_header);
    return OK;
}

/* ---- pages ---- */

static err add_page(struct arena *a, struct page_list *l, struct page_entry e) {
    if (l->n == PAGE_LIST_MAX)
        return fail(ERR_LIMIT, "pages_many", "more than %d pages", PAGE_LIST_MAX);
    if (l->n == l->cap)
        l->page = arena_grow(a, l->page, &l->cap, l->n + 1, sizeof *l->page);
    l->page[l->n++] = e;
    return OK;
}

static bool is_page_name(str name) {
    if (str_ends(name, STR(".gz")))
        name = str_slice(name, 0, name.len - 3);
    return str_ends(name, STR(".html")) || str_ends(name, STR(".htm")) || str_ends(name, STR(".xhtml"));
}

static void close_directory(void *ctx) { (void)closedir(ctx); }

static int by_text(const void *x, const void *y) { return str_compare(*(const str *)x, *(const str *)y); }

/* The names in a directory, in order. */
static err directory_names(struct arena *a, const char *path, str **out, size_t *n) {
    size_t cap = 0;
    DIR *d = opendir(path);
    *out = NULL;
    *n = 0;
    if (!d)
        return fail(ERR_DENIED, "file_denied", "the directory %s cannot be read", path);
    arena_defer(a, close_directory, d);
    for (const struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        if (*n == PAGE_LIST_MAX)
            return fail(ERR_LIMIT, "pages_many", "%s has more than %d files", path, PAGE_LIST_MAX);
        if (*n == cap)
            *out = arena_grow(a, *out, &cap, *n + 1, sizeof **out);
        (*out)[(*n)++] = str_copy(a, str_from(e->d_name));
    }
    if (*n > 0)
        qsort(*out, *n, sizeof **out, by_text);
    return OK;
}

/* `below`: the directory's name below the one that was given, with a slash, or empty. */
static err add_directory(struct arena *a, struct page_list *l, const char *path, str below, int level) {
    str *name;
    size_t n;
    TRY(directory_names(a, path, &name, &n));
    for (size_t i = 0; i < n; i++) {
        struct stat s;
        const str full = str_format(a, "%s/%.*s", path, STR_ARG(name[i]));
        const str file = str_format(a, "%.*s%.*s", STR_ARG(below), STR_ARG(name[i]));
        if (stat(full.ptr, &s) != 0)
            continue;
        if (S_ISDIR(s.st_mode) && level < LEVEL_MAX)
            TRY(add_directory(a, l, full.ptr, str_format(a, "%.*s/", STR_ARG(file)), level + 1));
        else if (S_ISREG(s.st_mode) && is_page_name(name[i]))
            TRY(add_page(a, l, (struct page_entry){.path = full, .file = file}));
    }
    return OK;
}

static err add_name(struct arena *a, struct page_list *l, str name) {
    struct stat s;
    if (stat(name.ptr, &s) != 0)
        return fail(ERR_ABSENT, "file_missing", "%s does not exist", name.ptr);
    if (S_ISDIR(s.st_mode))
        return add_directory(a, l, name.ptr, STR(""), 0);
    return add_page(a, l, (struct page_entry){.path = name, .file = name});
}

/* ---- the index ---- */

static str string_at(struct arena *a, const struct json *v, str key) {
    const struct json *x = json_get(v, key);
    if (x && x->type == JSON_STRING)
        return x->string;
    return x && x->type == JSON_INTEGER ? str_format(a, "%lld", (long long)x->integer) : (str){"", 0};
}

static err read_index(struct arena *a, const char *path, struct page_list *out) {
    str text, line;
    const char *slash = strrchr(path, '/');
    const str folder = slash ? (str){path, (size_t)(slash - path) + 1} : (str){"", 0};
    const struct json_limits limits = {.max_byte = LINE_BYTE};
    TRY(file_read_all(a, path, INDEX_BYTE, &text));
    for (size_t number = 1; str_split(&text, '\n', &line); number++) {
        const struct json *v;
        if (str_trim(line).len == 0)
            continue;
        const err rc = json_parse(a, line, &limits, &v);
        if (rc != OK)
            return err_prefix(rc, "%s, line %zu", path, number);
        struct page_entry e = {
            .file = string_at(a, v, STR("file")), .id = string_at(a, v, STR("id")), .url = string_at(a, v, STR("url"))};
        if (e.file.len == 0)
            return fail(ERR_INPUT, "pages_index", "%s, line %zu: no file is named", path, number);
        e.path = e.file.ptr[0] == '/' ? e.file : str_format(a, "%.*s%.*s", STR_ARG(folder), STR_ARG(e.file));
        e.header = fields_of(a, json_get(v, STR("headers")), &e.n_header);
        e.dns = fields_of(a, json_get(v, STR("dns")), &e.n_dns);
        TRY(add_page(a, out, e));
    }
    return OK;
}

static str base_name(str path) {
    size_t i = path.len;
    while (i > 0 && path.ptr[i - 1] != '/')
        i--;
    return str_slice(path, i, path.len);
}

static int by_base(const void *x, const void *y) {
    const struct page_entry *a = x, *b = y;
    return str_compare(base_name(a->file), base_name(b->file));
}

/* An index entry is that of a page when one's path ends in the other's name; among files of one name, the same path. */
static const struct page_entry *index_entry(const struct page_list *index, const struct page_entry *page) {
    const struct page_entry key = {.file = page->path};
    const struct page_entry *first = index->n > 0 ? bsearch(&key, index->page, index->n, sizeof key, by_base) : NULL;
    if (!first)
        return NULL;
    while (first > index->page && by_base(first - 1, &key) == 0)
        first--;
    const struct page_entry *end = index->page + index->n;
    const bool only = first + 1 == end || by_base(first + 1, &key) != 0;
    for (const struct page_entry *e = first; e < end && by_base(e, &key) == 0; e++)
        if (only || str_equal(e->path, page->path) || str_ends(page->path, e->file))
            return e;
    return NULL;
}

static void take_index(struct page_list *l, struct page_list *index) {
    if (index->n > 0)
        qsort(index->page, index->n, sizeof *index->page, by_base);
    for (size_t i = 0; i < l->n; i++) {
        struct page_entry *p = &l->page[i];
        const struct page_entry *e = index_entry(index, p);
        if (!e)
            continue;
        const str path = p->path;
        *p = *e;
        p->path = path;
    }
}

err page_list_read(struct arena *a, const struct setting_list *names, const char *index, const struct page_entry *shared,
                   struct page_list *out) {
    struct page_list known = {.n = 0};
    *out = (struct page_list){.n = 0};
    if (index)
        TRY(read_index(a, index, &known));
    for (size_t i = 0; i < names->n; i++)
        TRY(add_name(a, out, names->item[i]));
    if (names->n == 0)
        *out = known;
    else
        take_index(out, &known);
    if (out->n == 0)
        return fail(ERR_INPUT, "pages_none", "there are no pages: files, or directories with files ending in .html");
    for (size_t i = 0; i < out->n; i++) {
        struct page_entry *p = &out->page[i];
        if (p->n_header == 0) {
            p->header = shared->header;
            p->n_header = shared->n_header;
        }
        if (p->url.len == 0)
            p->url = shared->url;
    }
    return OK;
}
