/* tech_read.c — the rule files of a directory. */
#include "text/tech.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { FILE_MAX = 200, FILE_BYTE = 32 << 20 };

struct listing {
    struct arena *arena;
    str *path;
    size_t n, cap;
};

static void close_directory(void *ctx) { (void)closedir(ctx); }

static err open_directory(struct arena *a, const char *path, DIR **out) {
    DIR *d = opendir(path);
    if (!d && errno == EACCES)
        return fail(ERR_DENIED, "file_denied", "%s may not be read", path);
    if (!d)
        return fail(ERR_ABSENT, "file_missing", "%s is no directory of rules", path);
    arena_defer(a, close_directory, d);
    *out = d;
    return OK;
}

/* Two levels: recursion ends there. */
static err list_directory(struct listing *l, const char *path, bool deeper) {
    DIR *d = NULL;
    TRY(open_directory(l->arena, path, &d));
    for (const struct dirent *e; (e = readdir(d));) {
        const str name = str_from(e->d_name);
        struct stat s;
        if (name.ptr[0] == '.')
            continue;
        const str full = str_format(l->arena, "%s/%s", path, e->d_name);
        if (stat(full.ptr, &s) != 0)
            continue;
        if (S_ISDIR(s.st_mode) && deeper)
            TRY(list_directory(l, full.ptr, false));
        if (!S_ISREG(s.st_mode) || !str_ends(name, STR(".json")))
            continue;
        if (l->n == FILE_MAX)
            return fail(ERR_LIMIT, "tech_rules_many", "%s has more than %d JSON files", path, FILE_MAX);
        if (l->n == l->cap)
            l->path = arena_grow(l->arena, l->path, &l->cap, l->n + 1, sizeof *l->path);
        l->path[l->n++] = full;
    }
    return OK;
}

static int by_path(const void *x, const void *y) { return str_compare(*(const str *)x, *(const str *)y); }

err tech_rules_read(struct arena *a, const char *directory, struct tech_source **out, size_t *n) {
    struct listing l = {.arena = a};
    TRY(list_directory(&l, directory, true));
    if (l.n == 0)
        return fail(ERR_ABSENT, "file_missing", "%s has no JSON files", directory);
    qsort(l.path, l.n, sizeof *l.path, by_path);
    struct tech_source *source = ARENA_ARRAY(a, l.n, struct tech_source);
    for (size_t i = 0; i < l.n; i++) {
        source[i].name = l.path[i];
        TRY(file_read_all(a, l.path[i].ptr, FILE_BYTE, &source[i].json));
    }
    *out = source;
    *n = l.n;
    return OK;
}
