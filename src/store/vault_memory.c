/* vault_memory.c — tenants' secrets in locked memory, found by name and version. */
#include "store/vault_priv.h"

#include <sodium.h>
#include <stdlib.h>

/* A block of this many secrets is one sodium_malloc: guard pages for each secret would cost 16 KiB a tenant. */
enum { SLAB_SECRET = 64, BUCKET_FIRST = 64, SECRET_MAX = 65536 };

static err no_memory(void) { return fail(ERR_LIMIT, "memory_limit", "no memory for tenants' keys"); }

static err add_slab(struct vault *v) {
    size_t cap = v->cap_spare + SLAB_SECRET;
    struct tenant_secret **spare = realloc(v->spare, cap * sizeof *spare);
    if (!spare)
        return no_memory();
    v->spare = spare;
    struct tenant_secret **slab = realloc(v->slab, (v->n_slab + 1) * sizeof *slab);
    if (!slab)
        return no_memory();
    v->slab = slab;
    struct tenant_secret *block = sodium_allocarray(SLAB_SECRET, sizeof *block);
    if (!block)
        return no_memory();
    v->cap_spare = cap;
    v->slab[v->n_slab++] = block;
    for (size_t i = 0; i < SLAB_SECRET; i++)
        v->spare[v->n_spare++] = &block[i];
    return OK;
}

err secret_take(struct vault *v, struct tenant_secret **out) {
    /* A cache, not a register: what was forgotten is loaded again by those who need it. */
    if (v->n_secret >= SECRET_MAX)
        secret_forget_all(v);
    if (v->n_spare == 0)
        TRY(add_slab(v));
    *out = v->spare[--v->n_spare];
    v->n_secret++;
    sodium_memzero(*out, sizeof **out);
    return OK;
}

void secret_give_back(struct vault *v, struct tenant_secret *secret) {
    sodium_memzero(secret, sizeof *secret);
    v->spare[v->n_spare++] = secret;
    v->n_secret--;
}

static struct tenant **place_of(const struct vault *v, str name) {
    struct tenant **at = &v->bucket[str_hash(name) & (v->n_bucket - 1)];
    while (*at && !str_equal((str){(*at)->name, (*at)->len}, name))
        at = &(*at)->next;
    return at;
}

const struct tenant_secret *secret_find(const struct vault *v, str tenant, uint32_t version, uint32_t *found) {
    if (v->n_bucket == 0)
        return NULL;
    const struct tenant *t = *place_of(v, tenant);
    for (size_t i = t ? t->n_version : 0; i > 0; i--)
        if (version == 0 || t->version[i - 1].version == version) {
            *found = t->version[i - 1].version;
            return t->version[i - 1].secret;
        }
    return NULL;
}

static bool grow_table(struct vault *v) {
    size_t n = v->n_bucket ? v->n_bucket * 2 : BUCKET_FIRST;
    struct tenant **bucket = calloc(n, sizeof *bucket);
    if (!bucket)
        return false;
    for (size_t b = 0; b < v->n_bucket; b++)
        for (struct tenant *t = v->bucket[b], *next; t; t = next) {
            next = t->next;
            struct tenant **at = &bucket[str_hash((str){t->name, t->len}) & (n - 1)];
            t->next = *at;
            *at = t;
        }
    free(v->bucket);
    v->bucket = bucket;
    v->n_bucket = n;
    return true;
}

/* Makes it when it is not there; NULL when there is no memory. */
static struct tenant *tenant_of(struct vault *v, str name) {
    if (v->n_tenant >= v->n_bucket && !grow_table(v))
        return NULL;
    struct tenant **at = place_of(v, name);
    if (!*at) {
        struct tenant *t = calloc(1, sizeof *t + name.len);
        if (!t)
            return NULL;
        t->len = name.len;
        memcpy(t->name, name.ptr, name.len);
        *at = t;
        v->n_tenant++;
    }
    return *at;
}

err secret_enter(struct vault *v, str tenant, uint32_t version, struct tenant_secret *secret) {
    struct tenant *t = tenant_of(v, tenant);
    if (!t)
        return no_memory();
    if (t->n_version == t->cap_version) {
        size_t cap = t->cap_version ? t->cap_version * 2 : 2;
        struct tenant_version *grown = realloc(t->version, cap * sizeof *grown);
        if (!grown)
            return no_memory();
        t->version = grown;
        t->cap_version = cap;
    }
    size_t at = t->n_version++;
    for (; at > 0 && t->version[at - 1].version > version; at--)
        t->version[at] = t->version[at - 1];
    t->version[at] = (struct tenant_version){version, secret};
    return OK;
}

static void free_tenant(struct vault *v, struct tenant *t) {
    for (size_t i = 0; i < t->n_version; i++)
        secret_give_back(v, t->version[i].secret);
    free(t->version);
    free(t);
    v->n_tenant--;
}

void secret_forget(struct vault *v, str tenant) {
    struct tenant **at = v->n_bucket ? place_of(v, tenant) : NULL;
    if (!at || !*at)
        return;
    struct tenant *t = *at;
    *at = t->next;
    free_tenant(v, t);
}

void secret_forget_all(struct vault *v) {
    for (size_t b = 0; b < v->n_bucket; b++) {
        for (struct tenant *t = v->bucket[b], *next; t; t = next) {
            next = t->next;
            free_tenant(v, t);
        }
        v->bucket[b] = NULL;
    }
}
