/* peer_jansson.c — libjansson behind two functions. */
#include "base/peer_jansson.h"

#include <dlfcn.h>
#include <jansson.h>
#include <stdlib.h>

struct peer {
    void *library;
    json_t *(*load)(const char *text, size_t len, size_t flags, json_error_t *error);
    char *(*dump)(const json_t *value, size_t flags);
    void (*delete)(json_t *value);
};

static void close_library(void *library) { dlclose(library); }

/* C has no cast from an object pointer to a function pointer. */
static bool find(void *library, const char *name, void *function) {
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

struct peer *peer_open(struct arena *a) {
    struct peer *p = ARENA_NEW(a, struct peer);
    p->library = dlopen("libjansson.so.4", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!p->library)
        return NULL;
    arena_defer(a, close_library, p->library);
    bool found = find(p->library, "json_loadb", &p->load) && find(p->library, "json_dumps", &p->dump) &&
                 find(p->library, "json_delete", &p->delete);
    return found ? p : NULL;
}

bool peer_rewrite(const struct peer *p, struct arena *a, str text, str *out) {
    json_error_t error;
    json_t *value =
        p->load(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (!value)
        return false;
    char *again = p->dump(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    if (value->refcount != (size_t)-1) /* true, false and null are shared */
        p->delete (value);
    *out = str_copy(a, str_from(again));
    free(again);
    return true;
}
