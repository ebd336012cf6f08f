/* secret_ring.c — references to secrets, and the secrets that were read. */
#include "store/secret.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

enum { PARSE_BYTE = 64 * 1024 };

struct kept {
    struct kept *next; /* the newest of a reference stands before its older ones */
    struct secret_text text;
    str secret, reference;
    char bytes[];
};

struct secret_ring {
    pthread_mutex_t lock; /* guards the list */
    struct kept *first;
};

/* ---- references ---- */

static err bad_reference(void) {
    return fail(
        ERR_INPUT, "secret_reference",
        "a secret is named by file:PATH, env:NAME or command:PROGRAM ARGUMENTS, never written where its name stands");
}

static err split_words(struct arena *a, str text, struct secret_source *out) {
    const char **argv = ARENA_ARRAY(a, SECRET_WORDS + 1, const char *);
    size_t n = 0;
    str word;
    while (str_split(&text, ' ', &word)) {
        if (str_empty(word))
            continue;
        if (n == SECRET_WORDS)
            return bad_reference();
        argv[n++] = str_cstr(a, word);
    }
    if (n == 0)
        return bad_reference();
    out->argv = argv;
    return OK;
}

err secret_parse(struct arena *a, str reference, struct secret_source *out) {
    static const str scheme[] = {
        [SECRET_FILE] = STR_INIT("file:"), [SECRET_ENVIRONMENT] = STR_INIT("env:"), [SECRET_COMMAND] = STR_INIT("command:")};
    if (reference.len > 0 && memchr(reference.ptr, '\0', reference.len))
        return bad_reference();
    for (size_t k = 0; k < sizeof scheme / sizeof *scheme; k++) {
        str rest = str_slice(reference, scheme[k].len, reference.len);
        if (!str_starts(reference, scheme[k]) || str_empty(rest))
            continue;
        struct secret_source source = {.kind = (enum secret_kind)k};
        if (source.kind == SECRET_COMMAND)
            TRY(split_words(a, rest, &source));
        else
            source.name = str_cstr(a, rest);
        *out = source;
        return OK;
    }
    return bad_reference();
}

/* ---- the ring ---- */

err secret_ring_new(struct secret_ring **out) {
    struct secret_ring *r = calloc(1, sizeof *r);
    if (!r)
        return fail(ERR_LIMIT, "memory_limit", "no memory for secrets");
    pthread_mutex_init(&r->lock, NULL);
    *out = r;
    return OK;
}

void secret_ring_free(struct secret_ring *r) {
    if (!r)
        return;
    for (struct kept *k = r->first, *next; k; k = next) {
        next = k->next;
        secret_text_free(&k->text);
        free(k);
    }
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static struct kept *find(struct secret_ring *r, str reference) {
    pthread_mutex_lock(&r->lock);
    struct kept *k = r->first;
    while (k && !str_equal(k->reference, reference))
        k = k->next;
    pthread_mutex_unlock(&r->lock);
    return k;
}

struct loading {
    struct arena *arena;
    str reference;
    struct secret_source source;
};

static err parse(void *ctx) {
    struct loading *l = ctx;
    return secret_parse(l->arena, l->reference, &l->source);
}

static err keep(struct secret_ring *r, str reference, struct secret_text text, struct kept **out) {
    str secret = str_trim((str){text.ptr, text.len});
    struct kept *k = str_empty(secret) ? NULL : malloc(sizeof *k + reference.len);
    if (!k) {
        secret_text_free(&text);
        return str_empty(secret) ? fail(ERR_INPUT, "secret_empty", "the secret is empty")
                                 : fail(ERR_LIMIT, "memory_limit", "no memory for a secret");
    }
    *k = (struct kept){.text = text, .secret = secret};
    memcpy(k->bytes, reference.ptr, reference.len);
    k->reference = (str){k->bytes, reference.len};
    pthread_mutex_lock(&r->lock);
    k->next = r->first;
    r->first = k;
    pthread_mutex_unlock(&r->lock);
    *out = k;
    return OK;
}

static err load(struct secret_ring *r, str reference, const struct kept *old, struct kept **out) {
    struct loading l = {.arena = arena_new(PARSE_BYTE), .reference = reference};
    struct secret_text text = {0};
    if (!l.arena)
        return fail(ERR_LIMIT, "memory_limit", "no memory for a secret");
    err rc = arena_run(l.arena, parse, &l);
    bool again = rc == OK && !(old && l.source.kind == SECRET_ENVIRONMENT);
    if (again)
        rc = secret_read(&l.source, &text);
    arena_free(l.arena);
    if (rc != OK || !again)
        return rc;
    str secret = str_trim((str){text.ptr, text.len});
    if (old && old->secret.len == secret.len && sodium_memcmp(old->secret.ptr, secret.ptr, secret.len) == 0) {
        secret_text_free(&text);
        return OK;
    }
    return keep(r, reference, text, out);
}

err secret_ring_get(struct secret_ring *r, str reference, str *out) {
    struct kept *k = find(r, reference);
    if (!k)
        TRY(load(r, reference, NULL, &k));
    *out = k->secret;
    return OK;
}

err secret_ring_renew(struct secret_ring *r, str reference, bool *changed, str *out) {
    struct kept *old = find(r, reference), *k = old;
    TRY(load(r, reference, old, &k));
    *changed = k != old;
    *out = k->secret;
    return OK;
}
