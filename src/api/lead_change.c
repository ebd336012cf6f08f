/* lead_change.c — what people and programs do to leads: score again, cancel, erase, wake the dead, say what became of them.
 */
#include "api/api_priv.h"

enum { DETAIL_BYTE = 16 << 10, KIND_BYTE = 64, MOST_REDRIVE = 10000 };

static struct store *store_of(const struct call *c) { return c->api->c.store; }

static err read_nothing(struct call *c) {
    const struct json *v;
    TRY(api_check_query(c, NULL, 0));
    return api_read_object(c, NULL, 0, &v);
}

static err answer_id(struct call *c, int status, int64_t generation) {
    struct document *d = document_new(c);
    json_open_object(&d->w);
    json_put_string(&d->w, STR("id"), c->id);
    if (generation > 0)
        json_put_integer(&d->w, STR("generation"), generation);
    json_close_object(&d->w);
    return document_send(c, status, d);
}

/* ---- one lead ---- */

err lead_rescore(struct call *c) {
    int64_t generation = 0;
    TRY(read_nothing(c));
    TRY(api_check_lead_id(c));
    TRY(store_rescore(store_of(c), c->tenant, c->id, STR("by hand"), c->actor, engine_pins(c->api->c.engine),
                      RUN_INTERACTIVE, &generation));
    engine_nudge(c->api->c.engine);
    return answer_id(c, 202, generation);
}

err lead_cancel(struct call *c) {
    struct lead_view v;
    TRY(read_nothing(c));
    TRY(api_check_lead_id(c));
    TRY(store_lead(c->reader, c->arena, c->tenant, c->id, &v));
    err rc = store_cancel(store_of(c), c->tenant, c->id, c->actor);
    if (rc == ERR_ABSENT)
        return fail(ERR_CONFLICT, "run_ended", "this lead has no run that could be cancelled");
    return rc == OK ? answer_id(c, 200, 0) : rc;
}

/* ---- erasure ---- */

static err erase(struct call *c, str lead, str email) {
    size_t n = 0;
    TRY(store_erase(store_of(c), c->tenant, lead, email, c->actor, &n));
    return api_answer_one(c, 200, STR("erased"), (int64_t)n);
}

err lead_erase(struct call *c) {
    struct lead_view v;
    TRY(read_nothing(c));
    TRY(api_check_lead_id(c));
    TRY(store_lead(c->reader, c->arena, c->tenant, c->id, &v));
    return erase(c, c->id, (str){0});
}

err erase_post(struct call *c) {
    static const char *const member[] = {"email"};
    const struct json *v;
    str email = {0};
    TRY(api_check_query(c, NULL, 0));
    TRY(api_read_object(c, member, 1, &v));
    TRY(api_member_text(v, "email", 320, &email));
    if (str_trim(email).len == 0)
        return fail(ERR_INPUT, "body_member", "\"email\" says whose leads are to be erased");
    return erase(c, (str){0}, str_trim(email));
}

/* ---- the dead ---- */

err redrive_post(struct call *c) {
    static const char *const member[] = {"lead", "code", "most"};
    const struct json *v;
    str lead = {0}, code = {0};
    int64_t most = 1000;
    size_t n = 0;
    TRY(api_check_query(c, NULL, 0));
    TRY(api_read_object(c, member, 3, &v));
    TRY(api_member_text(v, "lead", RUN_ID_BYTE, &lead));
    TRY(api_member_text(v, "code", 128, &code));
    TRY(api_member_integer(v, "most", 1, MOST_REDRIVE, &most));
    if (lead.len > 0) {
        struct lead_view view;
        c->id = lead;
        TRY(api_check_lead_id(c));
        TRY(store_lead(c->reader, c->arena, c->tenant, lead, &view));
    }
    TRY(store_redrive(store_of(c), c->tenant, lead, code, (size_t)most, c->actor, &n));
    if (n > 0)
        engine_nudge(c->api->c.engine);
    return api_answer_one(c, 200, STR("redriven"), (int64_t)n);
}

/* ---- outcomes ---- */

static bool is_word(str s) {
    for (size_t i = 0; i < s.len; i++)
        if (!((s.ptr[i] >= 'a' && s.ptr[i] <= 'z') || (s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == '_'))
            return false;
    return s.len > 0;
}

static err read_detail(struct call *c, const struct json *v, str *out) {
    const struct json *detail = json_get(v, STR("detail"));
    if (!detail || detail->type == JSON_NULL)
        return OK;
    struct buf *b = buf_in(c->arena, DETAIL_BYTE);
    struct json_writer w;
    json_write_begin(&w, b, 0);
    json_value(&w, detail);
    *out = buf_str(b);
    return b->over ? fail(ERR_LIMIT, "outcome_detail", "\"detail\" may have %d bytes", (int)DETAIL_BYTE) : OK;
}

err api_read_outcome(struct call *c, const struct json *v, int64_t now_ms, struct api_outcome *out) {
    static const char *const member[] = {"lead", "kind", "at", "detail"};
    if (v->type != JSON_OBJECT)
        return fail(ERR_INPUT, "outcome_form", "an outcome is an object with \"lead\" and \"kind\"");
    for (uint32_t i = 0, k; i < v->count; i++) {
        for (k = 0; k < 4 && !str_equal(v->members[i].key, str_from(member[k])); k++)
            continue;
        if (k == 4)
            return fail(ERR_INPUT, "body_member", "member %u of the outcome is none that is known here", i + 1);
    }
    *out = (struct api_outcome){.at_ms = now_ms};
    TRY(api_member_text(v, "lead", RUN_ID_BYTE, &out->lead));
    TRY(api_member_text(v, "kind", KIND_BYTE, &out->kind));
    TRY(api_member_time(v, "at", &out->at_ms));
    if (out->at_ms > now_ms + 24 * 3600 * 1000ll)
        return fail(ERR_INPUT, "body_member", "\"at\" is in the future");
    if (!is_word(out->kind))
        return fail(ERR_INPUT, "body_member", "\"kind\" is a word of small letters, digits and '_'");
    if (!api_is_id(out->lead))
        return fail(ERR_ABSENT, "lead_unknown", "there is no lead of that name");
    return read_detail(c, v, &out->detail);
}

static err keep_outcome(struct call *c, const struct json *v) {
    struct api_outcome o;
    TRY(api_read_outcome(c, v, c->api->c.clock.wall_ms(), &o));
    return store_outcome(store_of(c), c->tenant, o.lead, o.at_ms, o.kind, c->actor, o.detail);
}

/* One after the other, each with its own verdict: that of one does not undo the others. */
static err keep_outcomes(struct call *c, const struct json *list) {
    struct document *d = document_new(c);
    int64_t kept = 0;
    if (list->type != JSON_ARRAY || list->count == 0 || list->count > API_BATCH_OUTCOMES)
        return fail(ERR_INPUT, "outcomes_form", "\"outcomes\" is a list of 1 to %d outcomes", (int)API_BATCH_OUTCOMES);
    json_open_object(&d->w);
    json_key(&d->w, STR("refused"));
    json_open_array(&d->w);
    for (uint32_t i = 0; i < list->count; i++) {
        err rc = keep_outcome(c, &list->items[i]);
        if (rc == ERR_AGAIN || rc == ERR_CORRUPT)
            return rc;
        kept += rc == OK;
        if (rc == OK)
            continue;
        json_open_object(&d->w);
        json_put_integer(&d->w, STR("index"), i);
        json_put_string(&d->w, STR("code"), str_from(err_slug()));
        json_put_string(&d->w, STR("detail"), str_from(err_text()));
        json_put_string(&d->w, STR("pointer"), str_format(c->arena, "/outcomes/%u", i));
        json_close_object(&d->w);
    }
    json_close_array(&d->w);
    json_put_integer(&d->w, STR("kept"), kept);
    json_close_object(&d->w);
    return document_send(c, 200, d);
}

err outcomes_post(struct call *c) {
    const struct json_limits limits = {.max_byte = 32 << 20, .max_depth = 16, .max_value = 200000};
    const struct json *v;
    TRY(api_check_query(c, NULL, 0));
    TRY(api_read_body(c, &limits, &v));
    const struct json *list = json_get(v, STR("outcomes"));
    if (list)
        return keep_outcomes(c, list);
    TRY(keep_outcome(c, v));
    return api_answer_one(c, 200, STR("kept"), 1);
}
