/* pin.c — the text of pins, and pins made of it. */
#include "flow/pin.h"

#include "explain/reason.h"
#include "flow/pin_priv.h"

#include <math.h>
#include <stdatomic.h>

enum { PIN_ARENA_BYTE = 512 << 20, MAX_DAY = 3650 };

static const double default_interval = 0.95, default_hot = 0.85, default_warm = 0.5, max_interval = 0.9999;
enum { DEFAULT_REASONS = 3 };

struct pin_terms pin_defaults(void) {
    return (struct pin_terms){.program = STR(GALENA_VERSION),
                              .hot = default_hot,
                              .warm = default_warm,
                              .interval = default_interval,
                              .reasons = DEFAULT_REASONS};
}

/* ---- text ---- */

static bool is_id(str s) {
    bool good = s.len == 0 || s.len == HASH_HEX_BYTE;
    for (size_t i = 0; good && i < s.len; i++)
        good = (s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'f');
    return good;
}

static bool is_name(str s) {
    bool good = s.len > 0 && s.len <= PIN_NAME_BYTE;
    for (size_t i = 0; good && i < s.len; i++) {
        char c = s.ptr[i];
        good =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
    }
    return good;
}

/* What is wrong with the terms, or NULL. */
static const char *find_fault(const struct pin_terms *t) {
    if (!is_id(t->model) || !is_id(t->profile) || t->model.len + t->profile.len == 0)
        return "model and profile must be SHA-256 in hexadecimal, and one of them be there";
    if (!is_name(t->program))
        return "the program's version is missing";
    if (!(t->interval >= 0 && t->interval <= max_interval) || t->reasons > REASON_MAX)
        return "the interval must be from 0 to 0.9999, and reasons from 0 to 20";
    if (!(t->warm >= 0 && t->warm <= t->hot && t->hot <= 1))
        return "hot and warm must be from 0 to 1, and hot not below warm";
    if ((t->enrich.len > 0 && !is_name(t->enrich)) || t->n_target > PIN_MAX_TARGET)
        return "a target has a name of up to 64 letters, digits, '_', '-' or '.', and there are at most 8";
    for (size_t i = 0; i < t->n_target; i++)
        for (size_t k = 0; k <= i; k++)
            if (!is_name(t->target[i]) || (k < i && str_equal(t->target[i], t->target[k])))
                return "a target to deliver to has no good name, or is named twice";
    for (int k = 0; k < TIER_COUNT; k++)
        if (t->rescore_day[k] < 0 || t->rescore_day[k] > MAX_DAY)
            return "the days until a lead is scored again must be from 0 to 3650";
    return NULL;
}

static void write_rescore(struct json_writer *w, const struct pin_terms *t) {
    if (t->rescore_day[TIER_COLD] + t->rescore_day[TIER_WARM] + t->rescore_day[TIER_HOT] == 0)
        return;
    json_key(w, STR("rescore_day"));
    json_open_array(w);
    for (int k = 0; k < TIER_COUNT; k++)
        json_integer(w, t->rescore_day[k]);
    json_close_array(w);
}

/* In byte order of the keys. */
static void write_terms(struct json_writer *w, const struct pin_terms *t) {
    json_open_object(w);
    if (t->n_target > 0) {
        json_key(w, STR("deliver"));
        json_open_array(w);
        for (size_t i = 0; i < t->n_target; i++)
            json_string(w, t->target[i]);
        json_close_array(w);
    }
    if (t->enrich.len > 0)
        json_put_string(w, STR("enrich"), t->enrich);
    if (t->hot < default_hot || t->hot > default_hot)
        json_put_number(w, STR("hot"), t->hot);
    if (t->interval < default_interval || t->interval > default_interval)
        json_put_number(w, STR("interval"), t->interval);
    if (t->model.len > 0)
        json_put_string(w, STR("model"), t->model);
    if (t->profile.len > 0)
        json_put_string(w, STR("profile"), t->profile);
    json_put_string(w, STR("program"), t->program);
    if (t->reasons != DEFAULT_REASONS)
        json_put_integer(w, STR("reasons"), (int64_t)t->reasons);
    write_rescore(w, t);
    if (t->warm < default_warm || t->warm > default_warm)
        json_put_number(w, STR("warm"), t->warm);
    json_close_object(w);
}

err pin_write(struct arena *a, const struct pin_terms *t, str *text) {
    const char *fault = find_fault(t);
    if (fault)
        return fail(ERR_INPUT, "pin_terms", "%s", fault);
    struct buf *out = buf_in(a, PIN_TEXT_BYTE);
    struct json_writer w;
    json_write_begin(&w, out, 0);
    write_terms(&w, t);
    TRY(buf_check(out));
    *text = buf_str(out);
    return OK;
}

/* ---- reading ---- */

static bool read_text(const struct json *v, str key, str *out) {
    const struct json *m = json_get(v, key);
    if (m && m->type == JSON_STRING)
        *out = m->string;
    return !m || m->type == JSON_STRING;
}

static bool read_number(const struct json *v, str key, double *out) {
    const struct json *m = json_get(v, key);
    if (json_is_number(m))
        *out = json_number_of(m);
    return !m || json_is_number(m);
}

static bool read_targets(const struct json *v, struct pin_terms *t) {
    const struct json *m = json_get(v, STR("deliver"));
    if (!m)
        return true;
    if (m->type != JSON_ARRAY || m->count > PIN_MAX_TARGET)
        return false;
    for (uint32_t i = 0; i < m->count; i++) {
        if (m->items[i].type != JSON_STRING)
            return false;
        t->target[t->n_target++] = m->items[i].string;
    }
    return true;
}

static bool read_rescore(const struct json *v, struct pin_terms *t) {
    const struct json *m = json_get(v, STR("rescore_day"));
    if (!m)
        return true;
    if (m->type != JSON_ARRAY || m->count != TIER_COUNT)
        return false;
    for (uint32_t k = 0; k < TIER_COUNT; k++) {
        if (m->items[k].type != JSON_INTEGER)
            return false;
        t->rescore_day[k] = m->items[k].integer;
    }
    return true;
}

err pin_read(struct arena *a, str text, struct pin_terms *out) {
    const struct json_limits limits = {.max_byte = PIN_TEXT_BYTE, .max_depth = 4, .max_value = 64};
    const struct json *v;
    struct pin_terms t = pin_defaults();
    double reasons = (double)t.reasons;
    if (json_parse(a, text, &limits, &v) != OK)
        return fail(ERR_CORRUPT, "pin_text", "the pins of a run are damaged: they are no JSON");
    bool good = v->type == JSON_OBJECT && read_text(v, STR("program"), &t.program) && read_text(v, STR("model"), &t.model) &&
                read_text(v, STR("profile"), &t.profile) && read_text(v, STR("enrich"), &t.enrich) &&
                read_number(v, STR("hot"), &t.hot) && read_number(v, STR("warm"), &t.warm) &&
                read_number(v, STR("interval"), &t.interval) && read_number(v, STR("reasons"), &reasons) &&
                read_targets(v, &t) && read_rescore(v, &t) && reasons >= 0 && reasons <= REASON_MAX;
    t.reasons = good ? (size_t)reasons : 0;
    const char *fault = good ? find_fault(&t) : "a member has another type or is out of range";
    if (fault)
        return fail(ERR_CORRUPT, "pin_text", "the pins of a run are damaged: %s", fault);
    *out = t;
    return OK;
}

/* ---- loading ---- */

static err check_artifact(const struct model_pin *pin, const char *kind, str id, str bytes) {
    if (str_equal(hash_hex(pin->arena, bytes), id))
        return OK;
    return fail(ERR_CORRUPT, "pin_artifact", "the %s %.*s is damaged: its bytes have another SHA-256", kind, STR_ARG(id));
}

struct loading {
    struct model_pin *pin;
    str text, model, profile;
};

static err load_bundle(struct model_pin *pin, str bytes) {
    struct bundle *b;
    TRY(check_artifact(pin, "model", pin->terms.model, bytes));
    TRY(bundle_read(pin->arena, str_copy(pin->arena, bytes), &b));
    b->path = str_format(pin->arena, "model %.12s", pin->terms.model.ptr);
    pin->bundle = b;
    pin->settling = settling_of(pin->arena, b);
    return OK;
}

static err load_profile(struct model_pin *pin, str bytes) {
    struct profile *p;
    TRY(check_artifact(pin, "profile", pin->terms.profile, bytes));
    TRY(profile_parse(pin->arena, str_copy(pin->arena, bytes),
                      str_format(pin->arena, "profile %.12s", pin->terms.profile.ptr).ptr, &p));
    pin->profile = p;
    return OK;
}

static err load(void *ctx) {
    struct loading *l = ctx;
    struct model_pin *pin = l->pin;
    unsigned char digest[HASH_BYTE];
    struct hash h;
    pin->text = str_copy(pin->arena, l->text);
    hash_begin(&h);
    hash_add(&h, pin->text);
    hash_end(&h, digest);
    hash_to_hex(digest, pin->id);
    TRY(pin_read(pin->arena, pin->text, &pin->terms));
    if (pin->terms.model.len > 0)
        TRY(load_bundle(pin, l->model));
    if (pin->terms.profile.len > 0)
        TRY(load_profile(pin, l->profile));
    pin->hot = pin->bundle ? pin->bundle->hot : pin->terms.hot;
    pin->warm = pin->bundle ? pin->bundle->warm : pin->terms.warm;
    pin->route = (struct route_policy){.target = pin->terms.target, .n_target = pin->terms.n_target};
    memcpy(pin->route.rescore_day, pin->terms.rescore_day, sizeof pin->route.rescore_day);
    return pin_bind(pin);
}

err pin_load(str text, str model, str profile, struct model_pin **out) {
    static atomic_uint_fast64_t serial;
    struct arena *a = arena_new(PIN_ARENA_BYTE);
    if (!a)
        return fail(ERR_LIMIT, "memory_limit", "no memory for a model");
    struct model_pin *pin = ARENA_NEW(a, struct model_pin);
    *pin = (struct model_pin){.arena = a, .serial = atomic_fetch_add(&serial, 1) + 1};
    err rc = arena_run(a, load, &(struct loading){pin, text, model, profile});
    if (rc == OK)
        *out = pin;
    else
        arena_free(a);
    return rc;
}

void pin_free(struct model_pin *pin) {
    if (pin)
        arena_free(pin->arena);
}

const struct pin_terms *pin_terms(const struct model_pin *pin) { return &pin->terms; }
str pin_text(const struct model_pin *pin) { return pin->text; }
const struct bundle *pin_bundle(const struct model_pin *pin) { return pin->bundle; }
const struct profile *pin_profile(const struct model_pin *pin) { return pin->profile; }
double pin_hot(const struct model_pin *pin) { return pin->hot; }
double pin_warm(const struct model_pin *pin) { return pin->warm; }
