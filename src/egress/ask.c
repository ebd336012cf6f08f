/* ask.c — asks on their way: waiting for a token, sent, answered. All of it on the door's thread. */
#include "egress/ask.h"

#include "base/hash.h"
#include "connector/auth.h"
#include "egress/egress_priv.h"

#include <sodium.h>
#include <stdlib.h>

enum {
    SCRATCH_BYTE = 64 << 20,
    HOST_BYTE = 64 << 20,
    TOKEN_LIMIT_MS = 30000,
    FRESH_MS = 60000, /* a token that ends sooner is renewed */
    EMPTY_PART = 4    /* of the time an answer is kept, for "nothing is known" */
};

struct asking {
    struct asking *next; /* among those that wait for a token */
    struct asker *asker;
    struct ask ask;
    struct credential *credential;
    uint64_t token_used; /* which token it went out with */
    bool renewed;
};

/* The token of a binding; its texts in locked memory. */
struct credential {
    struct credential *next;
    struct asker *asker;
    const struct connector_binding *binding;
    struct connector_token token;
    void *texts;
    uint64_t number; /* counts renewals; 0: there is none */
    bool fetching;
    struct asking *waiting;
};

struct asker {
    struct egress *egress;
    struct arena *scratch, *host_arena;
    struct program_host *host; /* made on the door's thread */
    struct credential *credential;
    const struct asking *judged; /* whose verdict is in `verdict`, in the scratch arena */
    struct connector_verdict verdict;
};

err asker_new(struct egress *e, struct asker **out) {
    struct asker *a = calloc(1, sizeof *a);
    if (a) {
        a->egress = e;
        a->scratch = arena_new(SCRATCH_BYTE);
        a->host_arena = arena_new(HOST_BYTE);
    }
    if (!a || !a->scratch || !a->host_arena) {
        asker_free(a);
        return fail(ERR_LIMIT, "memory_limit", "no memory for asking");
    }
    *out = a;
    return OK;
}

void asker_free(struct asker *a) {
    if (!a)
        return;
    for (struct credential *c = a->credential, *next; c; c = next) {
        next = c->next;
        sodium_free(c->texts);
        free(c);
    }
    arena_free(a->host_arena);
    arena_free(a->scratch);
    free(a);
}

void ask_source(struct arena *a, const struct connector *c, struct egress_source *out) {
    static const unsigned sees[PERSONAL_COUNT] = {[PERSONAL_NONE] = 0,
                                                  [PERSONAL_BUSINESS_CONTACT] =
                                                      EGRESS_PERSONAL_NAME | EGRESS_PERSONAL_EMAIL | EGRESS_PERSONAL_PHONE,
                                                  [PERSONAL_FULL] = EGRESS_PERSONAL_ALL};
    out->name = str_cstr(a, c->name);
    out->may_see = sees[c->personal];
    out->max_in_flight = (unsigned)c->concurrent;
    out->n_rate = c->n_rate < EGRESS_MAX_RATE ? c->n_rate : EGRESS_MAX_RATE;
    for (size_t i = 0; i < out->n_rate; i++)
        out->rate[i] = (struct egress_rate){(double)c->rate[i].requests, c->rate[i].per_ms};
}

/* ---- the end ---- */

static void finish(struct asking *w, struct ask_answer *answer) {
    w->ask.done(w->ask.ctx, answer);
    free(w);
}

static void finish_failed(struct asking *w, const struct egress_answer *egress, err rc) {
    char text[1024];
    snprintf(text, sizeof text, "%s", err_text());
    finish(w, &(struct ask_answer){.egress = egress, .rc = rc, .slug = err_slug(), .text = text});
}

/* ---- tokens ---- */

static int64_t now_ms(const struct asker *a) { return a->egress->clock.wall_ms(); }

static struct credential *credential_of(struct asker *a, const struct connector_binding *b) {
    struct credential *c = a->credential;
    while (c && c->binding != b)
        c = c->next;
    if (c || !(c = calloc(1, sizeof *c)))
        return c;
    *c = (struct credential){.next = a->credential, .asker = a, .binding = b};
    a->credential = c;
    return c;
}

static bool is_fresh(const struct credential *c) {
    return c->number > 0 && c->token.expires_ms - FRESH_MS > now_ms(c->asker);
}

static str keep(char **at, str s) {
    if (!s.ptr)
        return s;
    char *start = *at;
    memcpy(start, s.ptr, s.len);
    *at += s.len;
    return (str){start, s.len};
}

/* Some refresh tokens are used up by use: the newest one is kept. */
static err keep_token(struct credential *c, const struct connector_token *t) {
    str refresh = t->refresh.ptr ? t->refresh : c->token.refresh;
    char *at = sodium_malloc(t->access.len + refresh.len + t->base_url.len + 1);
    if (!at)
        return fail(ERR_LIMIT, "memory_limit", "no locked memory for a token");
    void *texts = at;
    struct connector_token kept = {.access = keep(&at, t->access),
                                   .refresh = keep(&at, refresh),
                                   .base_url = keep(&at, t->base_url),
                                   .expires_ms = t->expires_ms};
    sodium_free(c->texts);
    c->texts = texts;
    c->token = kept;
    c->number++;
    return OK;
}

/* ---- asking ---- */

static void go(struct asking *w);

static enum egress_class class_of(enum connector_class class) {
    static const enum egress_class classes[CONNECTOR_CLASS_COUNT] = {
        [CONNECTOR_OK] = EGRESS_OK,
        [CONNECTOR_EMPTY] = EGRESS_EMPTY,
        [CONNECTOR_THROTTLED] = EGRESS_THROTTLED,
        [CONNECTOR_QUOTA] = EGRESS_QUOTA,
        [CONNECTOR_AUTH] = EGRESS_AUTH,
        [CONNECTOR_PERMANENT] = EGRESS_PERMANENT,
        [CONNECTOR_TRANSIENT] = EGRESS_TRANSIENT,
    };
    return classes[class];
}

struct judging {
    struct asking *w;
    struct connector_answer answer;
};

static err judge(void *ctx) {
    struct judging *j = ctx;
    struct asker *a = j->w->asker;
    return connector_classify(a->host, a->scratch, j->w->ask.binding, j->w->ask.operation, &j->answer, now_ms(a),
                              &a->verdict);
}

static err judge_answer(struct asking *w, struct connector_answer answer) {
    struct asker *a = w->asker;
    struct judging j = {w, answer};
    a->judged = NULL;
    arena_reset(a->scratch);
    TRY(arena_run(a->scratch, judge, &j));
    a->judged = w;
    return OK;
}

static void classify(void *ctx, const struct egress_response *r, struct egress_verdict *v) {
    struct asking *w = ctx;
    if (judge_answer(w, (struct connector_answer){r->status, r->header, r->n_header, r->body}) != OK) {
        v->class = EGRESS_PERMANENT;
        return;
    }
    const struct connector_verdict *said = &w->asker->verdict;
    v->class = class_of(said->class);
    if (said->retry_after_ms > 0)
        v->after_ms = said->retry_after_ms;
    if (said->remaining >= 0) {
        v->left = said->remaining;
        v->reset_ms = said->reset_ms;
    }
}

static void from_egress(const struct egress_request *r, struct connector_request *to) {
    *to = (struct connector_request){.method = r->method, .url = r->url, .body = r->body};
    for (; to->n_header < r->n_field && to->n_header < CONNECTOR_REQUEST_FIELDS; to->n_header++)
        to->header[to->n_header] = (struct http_field){r->field[to->n_header].name, r->field[to->n_header].value};
}

static void to_egress(const struct connector_request *from, struct egress_request *r) {
    r->url = from->url;
    r->body = from->body;
    for (r->n_field = 0; r->n_field < from->n_header; r->n_field++) {
        size_t i = r->n_field;
        r->field[i] =
            (struct egress_field){from->header[i].name, from->header[i].value, i < 32 && (from->secret_header >> i & 1)};
    }
}

/* The last change before it goes out: the credential, with the time of now. */
static err prepare(void *ctx, struct egress_request *r) {
    struct asking *w = ctx;
    if (r->remove)
        return fail(ERR_DENIED, "egress_personal", "the call holds personal data that the source may not see");
    struct connector_request *request = ARENA_NEW(r->arena, struct connector_request);
    from_egress(r, request);
    const struct connector_token *token = w->credential ? &w->credential->token : NULL;
    w->token_used = w->credential ? w->credential->number : 0;
    TRY(connector_authenticate(r->arena, w->ask.binding, token, now_ms(w->asker), request));
    to_egress(request, r);
    return OK;
}

struct mapping {
    struct asking *w;
    struct connector_answer answer;
    struct connector_observations found;
    struct ask_answer *out;
};

static err map(void *ctx) {
    struct mapping *m = ctx;
    struct asker *a = m->w->asker;
    const struct ask *q = &m->w->ask;
    const struct json *body = a->verdict.body;
    TRY(connector_map(a->host, a->scratch, q->binding, q->operation, q->input, &m->answer, body, &m->found));
    m->out->found = &m->found;
    if (q->operation->pages.style == PAGING_NONE)
        return OK;
    return connector_next_page(a->host, a->scratch, q->binding, q->operation, &q->page, &m->answer, body, &m->out->more,
                               &m->out->next);
}

/* A token may have ended sooner than it said: a new one is tried once. */
static bool renews(struct asking *w, const struct egress_answer *e) {
    struct credential *c = w->credential;
    if (e->class != EGRESS_AUTH || !c || w->renewed)
        return false;
    w->renewed = true;
    if (c->number == w->token_used)
        c->token.expires_ms = 0;
    go(w);
    return true;
}

static void answered(void *ctx, const struct egress_answer *e) {
    struct asking *w = ctx;
    struct asker *a = w->asker;
    struct ask_answer out = {.egress = e, .rc = e->rc, .slug = e->slug, .text = e->text};
    if (renews(w, e))
        return;
    struct mapping m = {.w = w, .answer = {e->status, e->header, e->n_header, e->body}, .out = &out};
    bool came = e->status > 0;
    err rc = came && a->judged != w ? judge_answer(w, m.answer) : OK;
    if (came && rc == OK)
        out.reason = a->verdict.reason;
    if (e->class == EGRESS_OK && rc == OK)
        rc = arena_run(a->scratch, map, &m);
    a->judged = NULL;
    if (e->class == EGRESS_OK && rc != OK)
        finish_failed(w, e, rc);
    else
        finish(w, &out);
}

/* ---- building ---- */

struct building {
    struct asking *w;
    struct connector_request request;
};

static str cache_key_of(struct arena *a, const struct ask *q, const struct connector_request *r) {
    bool shared = q->binding->connector->kind == CONNECTOR_SOURCE; /* other systems hold what is the tenant's own */
    const str parts[] = {r->method, r->url, r->body, q->call.credential, shared ? STR("") : q->call.tenant};
    return hash_hex(a, str_join(a, parts, sizeof parts / sizeof *parts, (str){"\0", 1}));
}

static void fill_call(struct arena *a, struct asking *w, const struct connector_request *r, struct egress_call *c) {
    const struct connector_operation *op = w->ask.operation;
    struct egress_field *field = ARENA_ARRAY(a, r->n_header + 1, struct egress_field);
    for (size_t i = 0; i < r->n_header; i++)
        field[i] = (struct egress_field){r->header[i].name, r->header[i].value, i < 32 && (r->secret_header >> i & 1)};
    *c = w->ask.call;
    c->source = w->ask.binding->connector->name;
    c->operation = op->name;
    c->method = r->method;
    c->url = r->url;
    c->body = r->body;
    c->field = field;
    c->n_field = r->n_header;
    c->call_micro = op->price_per == PRICE_PER_CALL ? op->price_micro : 0;
    c->hit_micro = op->price_per == PRICE_PER_HIT ? op->price_micro : 0;
    c->idempotent = !op->writes || op->idempotent;
    c->cache_key = op->writes || op->cache_ms == 0 ? STR("") : cache_key_of(a, &w->ask, r);
    c->cache_ms = op->cache_ms;
    c->empty_cache_ms = op->cache_ms / EMPTY_PART;
    c->classify = classify;
    c->prepare = prepare;
    c->done = answered;
    c->ctx = w;
}

static err build(void *ctx) {
    struct building *b = ctx;
    struct asking *w = b->w;
    struct asker *a = w->asker;
    struct egress_call call;
    str base = w->credential ? w->credential->token.base_url : (str){0};
    TRY(connector_build(a->host, a->scratch, w->ask.binding, w->ask.operation, w->ask.input, &w->ask.page, base,
                        &b->request));
    fill_call(a->scratch, w, &b->request, &call);
    return egress_submit(a->egress, &call, NULL);
}

static void send(struct asking *w) {
    struct building b = {.w = w};
    struct asker *a = w->asker;
    a->judged = NULL;
    arena_reset(a->scratch);
    err rc = arena_run(a->scratch, build, &b);
    explicit_bzero(&b.request, sizeof b.request);
    if (rc != OK)
        finish_failed(w, NULL, rc);
}

/* ---- fetching a token ---- */

struct reading {
    struct credential *c;
    struct connector_answer answer;
};

static err read_token(void *ctx) {
    struct reading *r = ctx;
    struct asker *a = r->c->asker;
    struct connector_token token;
    TRY(connector_token_read(a->scratch, r->c->binding, &r->answer, now_ms(a), &token));
    return keep_token(r->c, &token);
}

static void serve_waiting(struct credential *c, err rc) {
    char text[1024];
    const char *slug = err_slug();
    snprintf(text, sizeof text, "%s", err_text());
    struct asking *w = c->waiting;
    c->waiting = NULL;
    c->fetching = false;
    for (struct asking *next; w; w = next) {
        next = w->next;
        if (rc == OK)
            send(w);
        else
            finish(w, &(struct ask_answer){.rc = rc, .slug = slug, .text = text});
    }
}

static void token_came(void *ctx, const struct egress_answer *e) {
    struct credential *c = ctx;
    struct asker *a = c->asker;
    struct reading r = {c, {e->status, e->header, e->n_header, e->body}};
    a->judged = NULL;
    arena_reset(a->scratch);
    err rc = e->status > 0 ? arena_run(a->scratch, read_token, &r) : fail(e->rc, e->slug, "%s", e->text);
    serve_waiting(c, rc);
}

struct fetching {
    struct credential *c;
    const struct asking *w;
    struct connector_request request;
};

static err fetch(void *ctx) {
    struct fetching *f = ctx;
    struct asker *a = f->c->asker;
    TRY(connector_token_request(a->scratch, f->c->binding, f->c->token.refresh, now_ms(a), &f->request));
    struct egress_call call;
    struct asking as = *f->w;
    struct connector_operation token = {.name = STR("token"), .writes = true};
    as.ask.operation = &token;
    fill_call(a->scratch, &as, &f->request, &call);
    call.personal = 0;
    call.lead = STR("");
    call.limit_ms = TOKEN_LIMIT_MS;
    call.classify = NULL;
    call.prepare = NULL;
    call.done = token_came;
    call.ctx = f->c;
    return egress_submit(a->egress, &call, NULL);
}

static void fetch_token(struct credential *c, const struct asking *w) {
    struct asker *a = c->asker;
    struct fetching f = {.c = c, .w = w};
    c->fetching = true;
    arena_reset(a->scratch);
    err rc = arena_run(a->scratch, fetch, &f);
    explicit_bzero(&f.request, sizeof f.request);
    if (rc != OK)
        serve_waiting(c, rc);
}

static err make_host(void *ctx) {
    struct asker *a = ctx;
    return program_host_new(a->host_arena, NULL, &a->host);
}

static void go(struct asking *w) {
    struct asker *a = w->asker;
    err rc = a->host ? OK : arena_run(a->host_arena, make_host, a);
    bool tokens = rc == OK && connector_auth_has_token(w->ask.binding);
    if (tokens && !w->credential && !(w->credential = credential_of(a, w->ask.binding)))
        rc = fail(ERR_LIMIT, "memory_limit", "no memory for a credential");
    if (rc != OK) {
        finish_failed(w, NULL, rc);
    } else if (!tokens || is_fresh(w->credential)) {
        send(w);
    } else {
        w->next = w->credential->waiting;
        w->credential->waiting = w;
        if (!w->credential->fetching)
            fetch_token(w->credential, w);
    }
}

static void start(void *ctx) { go(ctx); }

err asker_ask(struct asker *a, const struct ask *ask) {
    struct asking *w = calloc(1, sizeof *w);
    if (!w)
        return fail(ERR_LIMIT, "memory_limit", "no memory for a question");
    *w = (struct asking){.asker = a, .ask = *ask};
    err rc = egress_post(a->egress, start, w);
    if (rc != OK)
        free(w);
    return rc;
}
