/* catalog.c — the connectors that are shipped inside the program, and those of a user's folder. */
#include "base/asset.h"
#include "base/file.h"
#include "base/settings.h"
#include "connector/connector.h"

#include <dirent.h>
#include <stdlib.h>

enum { MAX_CONNECTOR = 500 };

#define FOLDER "connectors/"
#define SUFFIX ".yaml"

struct names {
    struct arena *arena;
    const char **name; /* without folder and suffix */
    bool *user;
    size_t n;
};

static bool add_name(struct names *l, str file, bool user) {
    if (!str_ends(file, STR(SUFFIX)) || file.ptr[0] == '.')
        return true;
    str name = str_slice(file, 0, file.len - (sizeof SUFFIX - 1));
    for (size_t i = 0; i < l->n; i++)
        if (str_equal(str_from(l->name[i]), name)) {
            l->user[i] = l->user[i] || user;
            return true;
        }
    if (l->n == MAX_CONNECTOR)
        return false;
    l->user[l->n] = user;
    l->name[l->n++] = str_cstr(l->arena, name);
    return true;
}

static void close_folder(void *folder) { closedir(folder); }

static err read_folder(struct names *l, const char *folder) {
    DIR *d = opendir(folder);
    if (!d)
        return fail(ERR_ABSENT, "connector_folder", "%s: the folder of connectors cannot be read", folder);
    arena_defer(l->arena, close_folder, d);
    for (const struct dirent *e = readdir(d); e; e = readdir(d))
        if (!add_name(l, str_from(e->d_name), true))
            return fail(ERR_LIMIT, "connector_count", "%s: more than %d connectors", folder, MAX_CONNECTOR);
    return OK;
}

static err list_names(struct arena *a, const char *folder, struct names *l) {
    *l = (struct names){
        .arena = a, .name = ARENA_ARRAY(a, MAX_CONNECTOR, const char *), .user = ARENA_ARRAY(a, MAX_CONNECTOR, bool)};
    for (size_t i = 0; asset_name(i); i++)
        if (str_starts(str_from(asset_name(i)), STR(FOLDER)))
            (void)add_name(l, str_slice(str_from(asset_name(i)), sizeof FOLDER - 1, SIZE_MAX), false);
    return folder ? read_folder(l, folder) : OK;
}

static err parse_one(struct arena *a, const char *folder, const char *name, bool user, const struct connector **out) {
    str text, path = user ? str_format(a, "%s/%s" SUFFIX, folder, name) : str_format(a, FOLDER "%s" SUFFIX, name);
    const struct connector *c;
    if (user)
        TRY(file_read_all(a, path.ptr, CONNECTOR_MAX_BYTE, &text));
    else
        text = asset_get(path);
    err rc = connector_parse(a, text, path.ptr, &c);
    if (rc != OK)
        return user ? rc : err_prefix(ERR_CORRUPT, "a shipped connector");
    if (!str_equal(c->name, str_from(name)))
        return fail(ERR_INPUT, "connector_name", "%s: it is named %.*s; file and name must agree", path.ptr,
                    STR_ARG(c->name));
    struct connector *own = ARENA_NEW(a, struct connector);
    *own = *c;
    own->user = user;
    *out = own;
    return OK;
}

static int by_name(const void *a, const void *b) {
    const struct connector *const *x = a, *const *y = b;
    return str_compare((*x)->name, (*y)->name);
}

err connector_load_all(struct arena *a, const char *folder, struct connector_set *out) {
    struct names l;
    TRY(list_names(a, folder, &l));
    const struct connector **list = ARENA_ARRAY(a, l.n, const struct connector *);
    for (size_t i = 0; i < l.n; i++)
        TRY(parse_one(a, folder, l.name[i], l.user[i], &list[i]));
    if (l.n > 0)
        qsort(list, l.n, sizeof *list, by_name);
    *out = (struct connector_set){list, l.n};
    return OK;
}

err connector_load(struct arena *a, const char *folder, str name, const struct connector **out) {
    struct names l;
    TRY(list_names(a, folder, &l));
    for (size_t i = 0; i < l.n; i++)
        if (str_equal(str_from(l.name[i]), name))
            return parse_one(a, folder, l.name[i], l.user[i], out);
    const char *near = settings_nearest(a, name, l.name, l.n);
    return fail(ERR_ABSENT, "connector_unknown", "there is no connector \"%.*s\"%s%s%s", STR_ARG(name),
                near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}
