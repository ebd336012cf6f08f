/* lead_json.c — a lead as JSON. */
#include "api/api_priv.h"
#include "flow/stages.h"

const char *api_state_name(int state) { return lead_state_name((enum lead_state)state); }
const char *api_outcome_name(int outcome) { return run_outcome_name((enum run_outcome)outcome); }
const char *api_tier_name(int tier) { return tier_name((enum tier)tier); }
const char *api_run_name(int status) { return run_status_name((enum run_status)status); }

str api_stage_name(int64_t stage) {
    return stage >= 0 && (size_t)stage < n_stages ? str_from(stages[stage].name) : STR("end");
}

static void put_number(struct json_writer *w, str key, bool there, double value) {
    json_key(w, key);
    if (there)
        json_number(w, value);
    else
        json_null(w);
}

static void put_run(struct json_writer *w, const struct lead_view *v) {
    json_key(w, STR("run"));
    if (!v->live) {
        json_null(w);
        return;
    }
    json_open_object(w);
    json_put_string(w, STR("status"), str_from(run_status_name(v->run_status)));
    json_put_string(w, STR("stage"), api_stage_name(v->stage));
    json_put_integer(w, STR("generation"), v->run_gen);
    json_put_integer(w, STR("attempt"), v->attempt);
    api_put_time(w, STR("run_at"), v->run_ms);
    api_put_text(w, STR("worker"), v->worker);
    api_put_text(w, STR("code"), v->slug);
    api_put_text(w, STR("reason"), v->reason);
    json_close_object(w);
}

void api_put_lead(struct json_writer *w, const struct lead_view *v, bool whole) {
    json_put_string(w, STR("id"), v->lead);
    json_put_string(w, STR("source"), v->source);
    json_put_string(w, STR("state"), str_from(lead_state_name(v->state)));
    json_put_string(w, STR("outcome"), str_from(run_outcome_name(v->outcome)));
    api_put_text(w, STR("tier"), v->scored ? str_from(tier_name(v->tier)) : (str){0});
    put_number(w, STR("score"), v->scored, v->probability);
    put_number(w, STR("low"), v->scored, v->low);
    put_number(w, STR("high"), v->scored, v->high);
    json_put_integer(w, STR("generation"), v->gen);
    api_put_time(w, STR("received_at"), v->received_ms);
    api_put_time(w, STR("state_at"), v->state_ms);
    api_put_time(w, STR("scored_at"), v->scored_ms);
    json_key(w, STR("erased"));
    if (whole)
        json_bool(w, v->erased);
    else
        json_null(w);
    put_run(w, v);
}

void api_put_leads(struct json_writer *w, str key, const struct lead_view *v, size_t n, bool tenants) {
    json_key(w, key);
    json_open_array(w);
    for (size_t i = 0; i < n; i++) {
        json_open_object(w);
        if (tenants)
            json_put_string(w, STR("tenant"), v[i].tenant);
        api_put_lead(w, &v[i], false);
        json_close_object(w);
    }
    json_close_array(w);
}
