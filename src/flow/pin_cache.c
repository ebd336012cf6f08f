/* pin_cache.c — pins by their text, counted. */
#include "flow/pin_priv.h"

#include <pthread.h>

enum { FETCH_BYTE = 256 << 20 };

/* A text that some thread is loading. */
struct loading {
    str text;
    struct loading *next;
};

struct pin_cache {
    struct pin_source source;
    size_t idle;
    pthread_mutex_t lock;
    pthread_cond_t loaded;
    struct model_pin *first;
    struct loading *loading;
    uint64_t clock;
};

static void close_cache(void *ctx) {
    struct pin_cache *c = ctx;
    while (c->first) {
        struct model_pin *next = c->first->next;
        pin_free(c->first);
        c->first = next;
    }
    pthread_cond_destroy(&c->loaded);
    pthread_mutex_destroy(&c->lock);
}

err pin_cache_new(struct arena *a, struct pin_source source, size_t idle, struct pin_cache **out) {
    struct pin_cache *c = ARENA_NEW(a, struct pin_cache);
    *c = (struct pin_cache){.source = source, .idle = idle};
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->loaded, NULL);
    arena_defer(a, close_cache, c);
    *out = c;
    return OK;
}

static struct model_pin *find(const struct pin_cache *c, str text) {
    struct model_pin *pin = c->first;
    while (pin && !str_equal(pin->text, text))
        pin = pin->next;
    return pin;
}

static bool is_loading(const struct pin_cache *c, str text) {
    const struct loading *l = c->loading;
    while (l && !str_equal(l->text, text))
        l = l->next;
    return l != NULL;
}

static void end_loading(struct pin_cache *c, const struct loading *mine) {
    struct loading **at = &c->loading;
    while (*at != mine)
        at = &(*at)->next;
    *at = mine->next;
}

/* Takes the pin that nobody has used for longest out of the list, when there are more such than may be; NULL when not. */
static struct model_pin *take_idle(struct pin_cache *c) {
    struct model_pin **oldest = NULL;
    size_t n = 0;
    for (struct model_pin **at = &c->first; *at; at = &(*at)->next) {
        if ((*at)->users > 0)
            continue;
        n++;
        if (!oldest || (*at)->last_used < (*oldest)->last_used)
            oldest = at;
    }
    if (n <= c->idle || !oldest)
        return NULL;
    struct model_pin *pin = *oldest;
    *oldest = pin->next;
    return pin;
}

/* ---- loading, without the lock ---- */

struct fetching {
    struct pin_cache *c;
    struct arena *arena;
    str text;
    struct model_pin *pin;
};

static err fetch_and_load(void *ctx) {
    struct fetching *f = ctx;
    const struct pin_source *s = &f->c->source;
    struct pin_terms t;
    str model = {0}, profile = {0};
    TRY(pin_read(f->arena, f->text, &t));
    if (t.model.len > 0)
        TRY(s->fetch(s->ctx, f->arena, STR("model"), t.model, &model));
    if (t.profile.len > 0)
        TRY(s->fetch(s->ctx, f->arena, STR("profile"), t.profile, &profile));
    return pin_load(f->text, model, profile, &f->pin);
}

static err load(struct pin_cache *c, str text, struct model_pin **out) {
    struct arena *a = arena_new(FETCH_BYTE);
    if (!a)
        return fail(ERR_LIMIT, "memory_limit", "no memory for a model");
    struct fetching f = {.c = c, .arena = a, .text = text};
    err rc = arena_run(a, fetch_and_load, &f);
    arena_free(a);
    *out = f.pin;
    return rc;
}

err pin_cache_get(struct pin_cache *c, str text, const struct model_pin **out) {
    pthread_mutex_lock(&c->lock);
    struct model_pin *pin = find(c, text);
    while (!pin && is_loading(c, text)) {
        pthread_cond_wait(&c->loaded, &c->lock);
        pin = find(c, text);
    }
    err rc = OK;
    if (!pin) {
        struct loading mine = {text, c->loading};
        c->loading = &mine;
        pthread_mutex_unlock(&c->lock);
        rc = load(c, text, &pin);
        pthread_mutex_lock(&c->lock);
        end_loading(c, &mine);
        if (rc == OK) {
            pin->next = c->first;
            c->first = pin;
        }
        pthread_cond_broadcast(&c->loaded);
    }
    if (rc == OK) {
        pin->users++;
        pin->last_used = ++c->clock;
        *out = pin;
    }
    pthread_mutex_unlock(&c->lock);
    return rc;
}

void pin_cache_release(struct pin_cache *c, const struct model_pin *pin) {
    pthread_mutex_lock(&c->lock);
    struct model_pin *own = c->first;
    while (own && own != pin)
        own = own->next;
    if (own && own->users > 0)
        own->users--;
    struct model_pin *idle = take_idle(c);
    pthread_mutex_unlock(&c->lock);
    pin_free(idle);
}
