/* snapshot.c — a finished run as JSON, and made again from it. */
#include "flow/snapshot.h"

#include "enrich/enrich.h"
#include "flow/pin_priv.h"
#include "lead/column.h"

#include <math.h>

enum { MAX_DEPTH = 8, MAX_VALUE = 4 * RUN_MAX_COLUMN };

/* Contributions are for people: to a ten-thousandth of the odds. Exact ones come from snapshot_replay. */
static double short_share(double share) { return round(share * 1e4) / 1e4; }

/* ---- facts ---- */

/* Marks the columns that some cell was read from: 1, or 2 where a blank one counts because another name would be read in
 * its place. */
static unsigned char *mark_columns(const struct run *run) {
    const struct model_pin *pin = run->pin;
    const struct scratch *s = run->scratch;
    unsigned char *mark = ARENA_ARRAY(run->arena, run->n_column, unsigned char);
    for (size_t i = 0; i < pin->n_cell; i++)
        if (s->column[i] != NO_COLUMN)
            mark[s->column[i]] |= pin->several[i] ? 2 : 1;
    return mark;
}

static void write_list(struct json_writer *w, str cell) {
    str rest = cell.len > 0 ? cell : (str){0}, part;
    json_open_array(w);
    while (str_split(&rest, ';', &part))
        json_string(w, part);
    json_close_array(w);
}

/* In the order of the pin's cells, so that the order of the body does not show. */
static void write_facts(struct json_writer *w, const struct run *run, unsigned char *mark) {
    const struct scratch *s = run->scratch;
    json_key(w, STR("facts"));
    json_open_object(w);
    for (size_t i = 0; i < run->pin->n_cell; i++) {
        const struct run_column *c = s->column[i] == NO_COLUMN ? NULL : &run->column[s->column[i]];
        if (!c || mark[s->column[i]] == 0 || (c->cell.len == 0 && mark[s->column[i]] == 1))
            continue;
        mark[s->column[i]] = 0;
        json_key(w, c->name);
        if (c->list)
            write_list(w, c->cell);
        else
            json_string(w, c->cell);
    }
    json_close_object(w);
}

/* What came of the question, and the names of the facts that are its answer's. */
static void write_enrichment(struct json_writer *w, const struct run *run) {
    enum enrich_end end = enrich_end_of(run);
    if (end == ENRICH_NOT_ASKED)
        return;
    size_t k = 0;
    while (!str_equal(run->ask[k].name, STR(ENRICH_ASK)))
        k++;
    json_key(w, STR("enrichment"));
    json_open_object(w);
    if (run->ask[k].answered)
        json_put_integer(w, STR("at_ms"), run->ask[k].at_ms);
    json_put_string(w, STR("end"), str_from(enrich_end_name(end)));
    if (end == ENRICH_ANSWERED) {
        json_key(w, STR("fields"));
        json_open_array(w);
        for (size_t i = 0; i < run->n_column; i++)
            if (run->column[i].from == k + 1)
                json_string(w, run->column[i].name);
        json_close_array(w);
        json_put_integer(w, STR("price_micro"), run->ask[k].price_micro);
    }
    json_close_object(w);
}

/* ---- score ---- */

static void write_contributions(struct json_writer *w, const struct run *run) {
    json_key(w, STR("contributions"));
    json_open_array(w);
    for (size_t t = 0; t < run->n_share; t++) {
        double share = short_share(run->share[t]);
        if (!(fabs(share) > 0))
            continue;
        json_open_array(w);
        json_string(w, pin_term_name(run->pin, run->arena, t));
        json_number(w, share);
        json_close_array(w);
    }
    json_close_array(w);
}

static void write_reasons(struct json_writer *w, const struct run *run) {
    json_key(w, STR("reasons"));
    json_open_array(w);
    for (size_t k = 0; k < run->n_reason; k++) {
        json_open_object(w);
        json_put_number(w, STR("share"), short_share(run->reason[k].share));
        json_put_string(w, STR("text"), run->reason[k].text);
        json_close_object(w);
    }
    json_close_array(w);
}

static str external_of(const struct run *run) {
    static const str names[] = {STR_INIT("lead_id"), STR_INIT("crm_id"), STR_INIT("external_id")};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (run_cell(run, names[i]).len > 0)
            return run_cell(run, names[i]);
    return (str){0};
}

/* Keys in byte order. */
void snapshot_write(const struct run *run, struct buf *out) {
    const bool scored = run->outcome == RUN_SCORED;
    struct json_writer w;
    json_write_begin(&w, out, 0);
    json_open_object(&w);
    json_put_integer(&w, STR("at_ms"), run->now_ms);
    if (scored) {
        json_put_number(&w, STR("base"), run->base);
        write_contributions(&w, run);
    }
    write_enrichment(&w, run);
    str external = external_of(run);
    if (external.len > 0)
        json_put_string(&w, STR("external"), external);
    if (scored || run->outcome == RUN_INSUFFICIENT || run->outcome == RUN_DISQUALIFIED)
        write_facts(&w, run, mark_columns(run));
    if (scored) {
        json_put_number(&w, STR("high"), run->score.high);
        json_put_number(&w, STR("log_odds"), run->score.logit);
        json_put_number(&w, STR("low"), run->score.low);
    }
    if (run->note.len > 0 && !scored)
        json_put_string(&w, STR("note"), run->note);
    json_put_string(&w, STR("outcome"), str_from(run_outcome_name(run->outcome)));
    if (run->pin)
        json_put_string(&w, STR("pins"), str_from(run->pin->id));
    if (scored) {
        json_put_number(&w, STR("probability"), run->score.probability);
        write_reasons(&w, run);
        json_put_string(&w, STR("tier"), str_from(tier_name(run->tier)));
    }
    json_put_integer(&w, STR("v"), SNAPSHOT_VERSION);
    json_close_object(&w);
}

/* ---- again ---- */

static err damaged(const char *what) { return fail(ERR_CORRUPT, "snapshot_damaged", "a snapshot is damaged: %s", what); }

err snapshot_read(struct arena *a, str text, const struct json **out) {
    const struct json_limits limits = {.max_byte = SNAPSHOT_MAX_BYTE, .max_depth = MAX_DEPTH, .max_value = MAX_VALUE};
    const struct json *v;
    int64_t version;
    if (json_parse(a, text, &limits, &v) != OK)
        return damaged("it is no JSON");
    if (json_get_integer(v, STR("v"), &version) != OK || version < 1)
        return damaged("it has no version");
    if (version > SNAPSHOT_VERSION)
        return fail(ERR_CORRUPT, "snapshot_newer", "a snapshot was made by a later galena");
    *out = v;
    return OK;
}

static bool same_bits(const struct json *v, str key, double value) {
    double was;
    uint64_t x, y;
    if (json_get_number(v, key, &was) != OK)
        return false;
    memcpy(&x, &was, sizeof x);
    memcpy(&y, &value, sizeof y);
    return x == y;
}

static bool is_same(const struct json *v, const struct run *run) {
    str outcome;
    if (json_get_string(v, STR("outcome"), &outcome) != OK || !str_equal(outcome, str_from(run_outcome_name(run->outcome))))
        return false;
    return run->outcome != RUN_SCORED ||
           (same_bits(v, STR("probability"), run->score.probability) && same_bits(v, STR("low"), run->score.low) &&
            same_bits(v, STR("high"), run->score.high) && same_bits(v, STR("log_odds"), run->score.logit));
}

err snapshot_replay(str snapshot, const struct model_pin *pin, struct run *run, bool *same) {
    const struct json *v, *facts;
    int64_t at_ms;
    TRY(snapshot_read(run->arena, snapshot, &v));
    if (json_get_integer(v, STR("at_ms"), &at_ms) != OK || !(facts = json_get(v, STR("facts"))) ||
        facts->type != JSON_OBJECT)
        return damaged("it has no facts");
    struct columns c = {.arena = run->arena};
    if (columns_add(&c, (str){0}, facts, 0) != OK)
        return damaged("its facts cannot be read");
    run->pin = pin;
    run->now_ms = at_ms;
    run->neutral = facts;
    run->column = c.column;
    run->n_column = c.n;
    TRY(stage_vectorise(run));
    TRY(stage_score(run));
    TRY(stage_explain(run));
    *same = is_same(v, run);
    return OK;
}
