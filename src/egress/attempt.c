/* attempt.c — one attempt: what is sent, what came, what it means, and whether there is another. */
#include "egress/egress_priv.h"

#include "egress/rate_header.h"
#include "egress/retry.h"

#include <stdlib.h>

enum { LEAST_MS = 1, THROTTLED_MOST = 20 };

/* ---- what came, on the HTTP client's thread ---- */

static size_t arrival_byte(const struct http_result *r) {
    size_t n = strlen(r->text) + 1 + r->body.len + 1 + r->n_header * sizeof *r->header;
    for (size_t i = 0; i < r->n_header; i++)
        n += r->header[i].name.len + r->header[i].value.len;
    return n;
}

static str put(char **at, str s) {
    char *start = *at;
    if (s.len > 0)
        memcpy(start, s.ptr, s.len);
    *at += s.len;
    return (str){start, s.len};
}

static void copy_result(struct arrival *a, const struct http_result *r) {
    struct http_field *field = a->block;
    char *at = (char *)(field + r->n_header);
    for (size_t i = 0; i < r->n_header; i++)
        field[i] = (struct http_field){put(&at, r->header[i].name), put(&at, r->header[i].value)};
    a->header = field;
    a->n_header = r->n_header;
    a->body = put(&at, r->body);
    *at++ = '\0';
    a->text = at;
    put(&at, str_from(r->text));
    *at = '\0';
}

static void came(void *ctx, const struct http_result *r) {
    struct call *c = ctx;
    struct egress *e = c->egress;
    struct arrival *a = &c->arrival;
    *a = (struct arrival){.block = malloc(arrival_byte(r)),
                          .rc = r->rc,
                          .slug = r->slug,
                          .text = "",
                          .ambiguous = r->ambiguous,
                          .status = r->status,
                          .elapsed_us = r->elapsed_us};
    if (a->block) {
        copy_result(a, r);
    } else {
        a->rc = ERR_AGAIN;
        a->slug = "memory_limit";
        a->text = "no memory for the answer";
        a->ambiguous = true;
    }
    pthread_mutex_lock(&e->lock);
    c->arrived = NULL;
    if (e->arrivals_last)
        e->arrivals_last->arrived = c;
    else
        e->arrivals = c;
    e->arrivals_last = c;
    pthread_cond_signal(&e->changed);
    pthread_mutex_unlock(&e->lock);
}

/* ---- sending ---- */

struct sending {
    struct call *call;
    struct egress_request r;
};

static void fill_request(struct sending *s) {
    struct call *c = s->call;
    s->r = (struct egress_request){.remove = c->c.personal & ~c->config->s.may_see,
                                   .attempt = c->attempt + 1,
                                   .arena = c->egress->send_arena,
                                   .method = c->c.method,
                                   .url = c->c.url,
                                   .body = c->c.body,
                                   .n_field = c->c.n_field};
    memcpy(s->r.field, c->field, c->c.n_field * sizeof *c->field);
}

static err send_guarded(void *ctx) {
    struct sending *s = ctx;
    struct call *c = s->call;
    const struct egress_source *o = &c->config->s;
    struct http_field field[EGRESS_MAX_FIELD];
    fill_request(s);
    if (c->c.prepare)
        TRY(c->c.prepare(c->c.ctx, &s->r));
    else if (s->r.remove)
        return fail(ERR_DENIED, "egress_personal", "the call holds personal data that the source may not see");
    size_t n = s->r.n_field < EGRESS_MAX_FIELD ? s->r.n_field : EGRESS_MAX_FIELD;
    for (size_t i = 0; i < n; i++)
        field[i] = (struct http_field){s->r.field[i].name, s->r.field[i].value};
    int64_t left_ms = (c->deadline_ns - c->egress->clock.steady_ns()) / 1000000;
    if (left_ms < LEAST_MS)
        return fail(ERR_AGAIN, "egress_deadline", "time was over before the call went out");
    c->out_byte = s->r.url.len + s->r.body.len;
    const struct http_call call = {.method = s->r.method,
                                   .url = s->r.url,
                                   .header = field,
                                   .n_header = n,
                                   .body = s->r.body,
                                   .connect_ms = o->connect_ms,
                                   .total_ms = o->timeout_ms < left_ms ? o->timeout_ms : left_ms,
                                   .max_body_byte = o->max_body_byte,
                                   .max_redirects = c->c.max_redirects,
                                   .done = came,
                                   .ctx = c};
    return http_client_send(c->egress->http, &call, &c->http_id);
}

bool attempt_send(struct call *c) {
    struct egress *e = c->egress;
    struct lane *l = c->lane;
    struct sending s = {.call = c};
    c->begun_wall_ms = e->clock.wall_ms();
    c->begun_ns = e->clock.steady_ns();
    arena_reset(e->send_arena);
    err rc = arena_run(e->send_arena, send_guarded, &s);
    explicit_bzero(&s.r, sizeof s.r);
    if (rc != OK) {
        call_refuse(c, rc, true);
        return false;
    }
    c->stage = STAGE_FLYING;
    c->in_http = true;
    c->attempt++;
    c->tries++;
    l->in_flight++;
    if (c->attempt == 1)
        (void)source_may_retry(c->source, steady_ms(e), false);
    struct stats *const both[] = {&l->stats, &l->source->stats};
    for (size_t i = 0; i < 2; i++) {
        bump(&both[i]->attempts);
        bump(&both[i]->in_flight);
        atomic_store(&both[i]->last_ms, steady_ms(e));
    }
    timer_set(c, INT64_MAX);
    return true;
}

/* ---- what it means ---- */

static enum egress_class class_of_status(int status, bool says_when) {
    if (status == 204 || status == 404 || status == 410)
        return EGRESS_EMPTY;
    if (status >= 200 && status < 300)
        return EGRESS_OK;
    if (status == 401 || status == 403)
        return EGRESS_AUTH;
    if (status == 402)
        return EGRESS_QUOTA;
    if (status == 429 || (status == 503 && says_when))
        return EGRESS_THROTTLED;
    if (status == 408 || status == 423 || status == 425 || status >= 500)
        return EGRESS_TRANSIENT;
    return EGRESS_PERMANENT;
}

static enum egress_class class_of_fault(const struct arrival *a) {
    if (a->ambiguous)
        return EGRESS_UNKNOWN;
    if (strcmp(a->slug, "http_address_refused") == 0 || a->rc == ERR_INPUT)
        return EGRESS_REFUSED;
    return a->rc == ERR_AGAIN || a->rc == ERR_REMOTE ? EGRESS_TRANSIENT : EGRESS_PERMANENT;
}

static struct egress_verdict judge(struct call *c) {
    const struct arrival *a = &c->arrival;
    struct rate_header said = rate_header_read(a->header, a->n_header, c->egress->clock.wall_ms());
    struct egress_verdict v = {.class = a->rc == OK ? class_of_status(a->status, said.after_ms >= 0) : class_of_fault(a),
                               .after_ms = said.after_ms > 0 ? said.after_ms : 0,
                               .left = said.left,
                               .reset_ms = said.reset_ms,
                               .cost = {-1, -1}};
    const struct egress_response response = {a->status, a->header, a->n_header, a->body};
    if (a->rc == OK && c->c.classify)
        c->c.classify(c->c.ctx, &response, &v);
    if (v.class == EGRESS_THROTTLED && v.after_ms == 0 && v.left == 0 && v.reset_ms > 0)
        v.after_ms = v.reset_ms;
    return v;
}

/* What is not known to be free is counted as bought. */
static bool is_uncertain(const struct call *c, enum egress_class class) {
    return class == EGRESS_UNKNOWN || c->arrival.rc == ERR_REMOTE || c->arrival.rc == ERR_LIMIT;
}

static struct budget_amount cost_of(const struct call *c, const struct egress_verdict *v) {
    struct budget_amount cost = {0, 0};
    if (v->class == EGRESS_OK || v->class == EGRESS_EMPTY)
        cost = (struct budget_amount){c->c.call_micro + (v->class == EGRESS_OK ? c->c.hit_micro : 0), c->c.max_token};
    else if (is_uncertain(c, v->class))
        cost = c->most;
    if (v->cost.micro >= 0)
        cost.micro = v->cost.micro;
    if (v->cost.token >= 0)
        cost.token = v->cost.token;
    return cost;
}

/* ---- again? ---- */

static bool is_idempotent(const struct call *c) {
    static const str methods[] = {STR_INIT("GET"), STR_INIT("HEAD"), STR_INIT("PUT"), STR_INIT("DELETE"),
                                  STR_INIT("OPTIONS")};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (str_equal(c->c.method, methods[i]))
            return true;
    return c->c.idempotent;
}

/* The request did nothing over there. */
static bool was_without_effect(const struct arrival *a) {
    return a->rc == OK ? a->status == 408 || a->status == 425 || a->status == 429 || a->status == 503
                       : a->rc == ERR_AGAIN && !a->ambiguous;
}

/* When the next attempt begins, in ms; -1: there is none. */
static int64_t next_attempt_ms(struct call *c, const struct egress_verdict *v) {
    struct egress *e = c->egress;
    const struct egress_source *s = &c->config->s;
    int64_t left_ms = (c->deadline_ns - e->clock.steady_ns()) / 1000000;
    if (v->class == EGRESS_THROTTLED) { /* the lane holds it; not counted */
        c->tries--;
        return c->lane->hold_ms - steady_ms(e) < left_ms && c->attempt < THROTTLED_MOST ? 0 : -1;
    }
    bool passing = v->class == EGRESS_TRANSIENT || v->class == EGRESS_UNKNOWN;
    if (!passing || c->tries >= s->max_attempt || !(is_idempotent(c) || was_without_effect(&c->arrival)))
        return -1;
    const struct retry_policy policy = {.base_ms = s->base_ms, .cap_ms = s->cap_ms, .max_attempt = INT64_MAX};
    int64_t delay = retry_decide(&policy, ERR_AGAIN, c->tries, v->after_ms, &e->rng).delay_ms;
    return delay < left_ms && source_may_retry(c->source, steady_ms(e), true) ? delay : -1;
}

static void again(struct call *c, const struct egress_verdict *v, int64_t delay_ms) {
    struct egress *e = c->egress;
    free(c->arrival.block);
    c->arrival = (struct arrival){0};
    bump(&c->lane->stats.retries);
    bump(&c->source->stats.retries);
    c->stage = STAGE_PAUSING;
    if (v->class == EGRESS_THROTTLED)
        ready_add(e, c);
    else
        timer_set(c, e->clock.steady_ns() + delay_ms * 1000000);
}

/* ---- the end of an attempt ---- */

static void end_with(struct call *c, const struct egress_verdict *v) {
    static const struct {
        err rc;
        const char *slug, *text;
    } words[EGRESS_CLASS_COUNT] = {
        [EGRESS_OK] = {OK, "", ""},
        [EGRESS_EMPTY] = {ERR_ABSENT, "egress_empty", "the other side knows nothing about it"},
        [EGRESS_THROTTLED] = {ERR_LIMIT, "egress_throttled", "the other side asks to come later than the deadline"},
        [EGRESS_QUOTA] = {ERR_LIMIT, "egress_quota", "the quota of this credential is used up"},
        [EGRESS_AUTH] = {ERR_DENIED, "egress_auth", "the credential is not accepted"},
        [EGRESS_PERMANENT] = {ERR_INPUT, "egress_permanent", "the other side refuses the request, and will again"},
        [EGRESS_TRANSIENT] = {ERR_AGAIN, "egress_transient", "the other side has a passing fault"},
        [EGRESS_UNKNOWN] = {ERR_AGAIN, "egress_unknown", "the request may have arrived, and no answer came"},
        [EGRESS_REFUSED] = {ERR_INPUT, "egress_refused", "the request was not accepted"},
    };
    const struct arrival *a = &c->arrival;
    bool fault = a->rc != OK;
    struct egress_answer answer = {.class = v->class,
                                   .rc = fault ? a->rc : words[v->class].rc,
                                   .slug = fault ? a->slug : words[v->class].slug,
                                   .text = fault ? a->text : words[v->class].text,
                                   .status = a->status,
                                   .header = a->header,
                                   .n_header = a->n_header,
                                   .body = a->body,
                                   .after_ms = v->after_ms};
    call_answer(c, &answer, false);
}

static void count_attempt(struct call *c, bool failed, struct budget_amount cost, bool uncertain) {
    struct stats *const both[] = {&c->lane->stats, &c->source->stats};
    for (size_t i = 0; i < 2; i++) {
        struct stats *s = both[i];
        atomic_fetch_sub(&s->in_flight, 1);
        int64_t was = s->failing_ppm;
        atomic_store(&s->failing_ppm, was + ((failed ? 1000000 : 0) - was) / 16);
        histogram_add_us(&s->latency, c->arrival.elapsed_us);
        atomic_fetch_add(&s->micro, cost.micro);
        atomic_fetch_add(&s->token, cost.token);
        atomic_fetch_add(&s->uncertain_micro, uncertain ? cost.micro : 0);
        atomic_fetch_add(&s->uncertain_token, uncertain ? cost.token : 0);
    }
}

static void end_trial(struct call *c, enum egress_class class) {
    struct lane *l = c->lane;
    int64_t now = steady_ms(c->egress);
    c->allowed = false;
    if (class == EGRESS_REFUSED)
        breaker_withdrawn(&l->breaker);
    else
        breaker_ended(&l->breaker, class == EGRESS_TRANSIENT || class == EGRESS_UNKNOWN, now, &c->egress->rng);
    lane_show(l);
}

/* The call has ended without waiting for this. */
static void arrived_late(struct call *c) {
    struct budget_amount none = {0, 0}; /* call_end has counted it */
    end_trial(c, c->late ? EGRESS_UNKNOWN : EGRESS_REFUSED);
    count_attempt(c, c->late, none, false);
    c->lane->wake_ms = 0;
    call_free(c);
}

void attempt_arrived(struct call *c) {
    c->in_http = false;
    c->lane->in_flight--;
    c->lane->wake_ms = 0;
    if (c->stage == STAGE_ENDED) {
        arrived_late(c);
        return;
    }
    struct egress_verdict v = judge(c);
    struct budget_amount cost = cost_of(c, &v);
    bool uncertain = is_uncertain(c, v.class) && (cost.micro > 0 || cost.token > 0);
    end_trial(c, v.class);
    count_attempt(c, v.class == EGRESS_TRANSIENT || v.class == EGRESS_UNKNOWN, cost, uncertain);
    lane_judge(c->lane, c, v.class, &v);
    budget_release(c, cost);
    c->cost.micro += cost.micro;
    c->cost.token += cost.token;
    int64_t delay_ms = next_attempt_ms(c, &v);
    const char *slug = c->arrival.rc == OK ? egress_class_name(v.class) : c->arrival.slug;
    record_attempt(c, v.class, slug, cost, uncertain, delay_ms < 0, false);
    if (delay_ms < 0)
        end_with(c, &v);
    else
        again(c, &v, delay_ms);
}
