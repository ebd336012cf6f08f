/* map.c — what an answer says, as observations. */
#include "base/time.h"
#include "connector/exchange.h"

#include <math.h>

struct mapping {
    struct program_host *host;
    struct arena *arena;
    const struct connector_operation *op;
    struct program_context context;
    struct connector_observation *item;
    struct connector_fault *fault;
    size_t n, cap, n_fault, cap_fault;
};

static void note(struct mapping *m, str field) {
    if (m->n_fault == m->cap_fault)
        m->fault = arena_grow(m->arena, m->fault, &m->cap_fault, m->n_fault + 1, sizeof *m->fault);
    m->fault[m->n_fault++] = (struct connector_fault){field, str_copy(m->arena, str_from(err_text()))};
}

/* Programs are allowed to fail, limits on memory are not. */
static const struct json *ask(struct mapping *m, const struct program *p, const struct json *v, str field) {
    const struct json *out = NULL;
    if (p && program_first(m->host, m->arena, p, v, &m->context, &out) != OK) {
        note(m, field);
        return NULL;
    }
    return out;
}

static str text_of(struct mapping *m, const struct program *p, const struct json *v, str what) {
    const struct json *said = ask(m, p, v, what);
    if (!said)
        return STR("");
    if (said->type == JSON_STRING)
        return said->string;
    if (said->type == JSON_INTEGER)
        return str_format(m->arena, "%lld", (long long)said->integer);
    return STR("");
}

/* ISO 8601 text, or a number: seconds, or milliseconds when it is too large for those. 20260110T081500Z is read as well. */
static int64_t time_of(struct mapping *m, const struct json *v) {
    struct moment t;
    if (!v)
        return CONNECTOR_UNKNOWN_TIME;
    if (json_is_number(v)) {
        double x = json_number_of(v);
        x = fabs(x) < 1e11 ? x * 1000 : x;
        return fabs(x) < 253402300800000.0 ? (int64_t)x : CONNECTOR_UNKNOWN_TIME;
    }
    if (v->type != JSON_STRING)
        return CONNECTOR_UNKNOWN_TIME;
    str s = str_trim(v->string);
    if (s.len >= 15 && s.ptr[8] == 'T' && str_find_byte(s, '-') < 0)
        s = str_format(m->arena, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", s.ptr, s.ptr + 4, s.ptr + 6, s.ptr + 9, s.ptr + 11,
                       s.ptr + 13);
    return time_read(s, TIME_ORDER_UNKNOWN, &t) == TIME_GOOD ? t.ms : CONNECTOR_UNKNOWN_TIME;
}

static double confidence_of(struct mapping *m, const struct connector_mapping *x, const struct json *v) {
    const struct json *said = x->certain ? ask(m, x->certain, v, x->field) : NULL;
    if (!json_is_number(said))
        return x->confidence;
    double p = json_number_of(said);
    return p < 0 ? 0 : p > 1 ? 1 : p;
}

/* Nothing is said by null, empty texts, lists and objects. */
static bool says_something(const struct json *v) {
    return v && v->type != JSON_NULL && !(v->type == JSON_STRING && str_trim(v->string).len == 0) &&
           !((v->type == JSON_ARRAY || v->type == JSON_OBJECT) && v->count == 0);
}

static err map_field(struct mapping *m, const struct connector_mapping *x, const struct json *v, int64_t observed_ms,
                     uint32_t entity) {
    const struct json *value = ask(m, x->value, v, x->field);
    if (!says_something(value))
        return OK;
    if (m->n == CONNECTOR_MAX_OBSERVATION)
        return fail(ERR_LIMIT, "connector_observations", "an answer gives more than %d observations",
                    CONNECTOR_MAX_OBSERVATION);
    int64_t own_ms = x->observed ? time_of(m, ask(m, x->observed, v, x->field)) : CONNECTOR_UNKNOWN_TIME;
    if (m->n == m->cap)
        m->item = arena_grow(m->arena, m->item, &m->cap, m->n + 1, sizeof *m->item);
    m->item[m->n++] = (struct connector_observation){.field = x->field,
                                                     .unit = x->unit,
                                                     .value = value,
                                                     .observed_ms = own_ms != CONNECTOR_UNKNOWN_TIME ? own_ms : observed_ms,
                                                     .confidence = confidence_of(m, x, v),
                                                     .entity = entity};
    return OK;
}

static err map_one(struct mapping *m, const struct json *v, uint32_t number, struct connector_entity *who) {
    const struct connector_identity *id = &m->op->identity;
    program_hold(m->host, v);
    *who = (struct connector_entity){.name = text_of(m, id->name, v, STR("identity")),
                                     .domain = text_of(m, id->domain, v, STR("identity")),
                                     .country = text_of(m, id->country, v, STR("identity")),
                                     .email = text_of(m, id->email, v, STR("identity")),
                                     .id = text_of(m, id->id, v, STR("identity"))};
    int64_t observed_ms = m->op->observed ? time_of(m, ask(m, m->op->observed, v, STR("observed"))) : CONNECTOR_UNKNOWN_TIME;
    for (size_t i = 0; i < m->op->n_mapping; i++)
        TRY(map_field(m, &m->op->mapping[i], v, observed_ms, number));
    return OK;
}

static err map_all(struct mapping *m, const struct json *body, struct connector_observations *out) {
    const struct json **part = NULL;
    size_t n = 0;
    if (m->op->n_mapping == 0)
        return OK;
    if (!m->op->each) {
        part = ARENA_NEW(m->arena, const struct json *);
        part[n++] = body;
    } else if (program_run(m->host, m->arena, m->op->each, body, &m->context, &part, &n) != OK) {
        note(m, STR("each"));
        return OK;
    }
    struct connector_entity *who = ARENA_ARRAY(m->arena, n, struct connector_entity);
    for (size_t i = 0; i < n; i++)
        TRY(map_one(m, part[i], (uint32_t)i, &who[i]));
    out->entity = who;
    out->n_entity = n;
    return OK;
}

err connector_map(struct program_host *h, struct arena *a, const struct connector_binding *b,
                  const struct connector_operation *op, const struct json *input, const struct connector_answer *answer,
                  const struct json *body, struct connector_observations *out) {
    static const struct json nothing = {.type = JSON_NULL};
    struct mapping m = {.host = h, .arena = a, .op = op};
    struct connector_observations all = {.result = body ? body : &nothing};
    m.context = (struct program_context){.input = input, .setting = b->setting, .status = answer->status};
    err rc = map_all(&m, body, &all);
    if (rc == OK && op->result) {
        program_hold(h, body);
        all.result = ask(&m, op->result, body, STR("result"));
        all.result = all.result ? all.result : &nothing;
    }
    program_release(h);
    TRY(rc);
    all.item = m.item;
    all.n = m.n;
    all.fault = m.fault;
    all.n_fault = m.n_fault;
    *out = all;
    return OK;
}
