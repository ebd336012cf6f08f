/* leakage.c — the rules of the sentinel, from strongest to weakest evidence. */
#include "features/leakage.h"

#include "base/rng.h"
#include "base/time.h"
#include "features/lexicon.h"
#include "features/signal_priv.h"

#include <math.h>
#include <stdlib.h>

/* The rules' constants, with the reason for each.
 *   certain_auc     no field known before the outcome ranks 98.5 % of all pairs rightly
 *   named_auc       with a name that says "filled in afterwards", 95 % is enough
 *   spike_auc       a field this strong, and far above the others, deserves a look
 *   held_*          shares of all positives (negatives) that sit in nearly settled levels */
static const double certain_auc = 0.985, named_auc = 0.95, spike_auc = 0.9, relative_auc = 0.8, weak_auc = 0.6;
static const double held_both = 0.25, held_rows = 0.3, held_alone = 0.5, held_suspect = 0.1, held_never_suspect = 0.15;
static const double known_certain = 0.95, known_suspect = 0.8;
enum { LEAST_CLASS = 20 }; /* rows of each class below which nothing is certain */

static const char *const code_names[LEAK_CODE_COUNT] = {"identifier",
                                                        "constant",
                                                        "target_copy",
                                                        "filled_after_outcome",
                                                        "near_deterministic_level",
                                                        "auc_spike",
                                                        "duration_after_contact",
                                                        "status_like_name",
                                                        "judgement_like",
                                                        "future_date"};
static const char *const severity_names[LEAK_SEVERITY_COUNT] = {"note", "suspect", "certain"};

const char *leak_code_name(enum leak_code code) { return code_names[code]; }
const char *leak_severity_name(enum leak_severity severity) { return severity_names[severity]; }

struct scan {
    struct arena *a, *scratch;
    const struct frame *frame;
    const struct schema *schema;
    const uint32_t *rows;
    size_t n;
    const struct leak_opts *o;
    struct outcome outcome;
    struct signal *signal; /* one a used field */
    size_t n_signal;
    struct leak_finding *leak;
    size_t n_leak, cap;
};

static void report(struct scan *s, enum leak_code code, enum leak_severity severity, const struct field *f, str level,
                   double auc, str evidence) {
    if (s->n_leak == s->cap)
        s->leak = arena_grow(s->a, s->leak, &s->cap, s->n_leak + 1, sizeof *s->leak);
    s->leak[s->n_leak++] = (struct leak_finding){.code = code,
                                                 .severity = severity,
                                                 .field = f->name,
                                                 .level = str_copy(s->a, str_slice(level, 0, 80)),
                                                 .evidence = evidence,
                                                 .auc = auc};
}

static str shown(str level) { return level.len > 0 ? str_slice(level, 0, 60) : STR("(empty)"); }

/* What the name says about when the column is filled. */
struct hint {
    bool status, judgement, contact, closing, activity;
};

static struct hint hint_of(const struct field *f) {
    struct name_words w = name_words(f->name);
    return (struct hint){.status = name_is_status(&w) && field_has_levels(f), /* days in a stage are no stage */
                         .judgement = name_is_judgement(&w),
                         .contact = name_is_contact_length(&w) && f->type == FIELD_NUMERIC,
                         .closing = name_is_closing(&w),
                         .activity = name_has(&w, "last activity")};
}

static bool enough_rows(const struct scan *s) {
    return s->outcome.positives >= LEAST_CLASS && (double)s->n - s->outcome.positives >= LEAST_CLASS;
}

/* ---- the fill of a column ---- */

/* "Filled" nearly always converts and holds most conversions, or the like: the column is filled because of the outcome. */
static bool judge_fill(struct scan *s, const struct signal *g, struct hint h) {
    bool later = h.status || h.judgement || h.closing;
    if (g->missing_n < 30 || g->known_n < 30)
        return false;
    double base = s->outcome.base, known_positive = g->known_n * g->known_rate;
    bool always = wilson_low(known_positive, g->known_n) >= settled_always(base);
    double held = known_positive / s->outcome.positives;
    bool certain = enough_rows(s) && (g->known_auc >= known_certain || (always && held >= held_alone) ||
                                      (later && g->known_auc >= known_suspect && always));
    bool suspect = g->known_auc >= known_suspect || (always && held >= held_suspect) || (later && g->known_auc >= 0.65);
    if (!certain && !suspect)
        return false;
    report(s, LEAK_FILLED_AFTER_OUTCOME, certain ? LEAK_CERTAIN : LEAK_SUSPECT, g->field, (str){0}, g->auc,
           str_format(
               s->a,
               "%.1f %% of the %.0f rows in which it is filled convert, and %.1f %% of the %.0f in which it is empty: it "
               "seems to be filled because of the outcome",
               100 * g->known_rate, g->known_n, 100 * g->missing_rate, g->missing_n));
    return certain;
}

/* ---- levels ---- */

static str settled_sentence(struct scan *s, const struct settled *t) {
    str always = STR(""), never = STR("");
    if (t->n_always > 0)
        always = str_format(s->a, "\"%.*s\" converts in %.1f %% of %.0f rows", STR_ARG(shown(t->always_level)),
                            100 * t->always_level_rate, t->always_level_n);
    if (t->n_never > 0)
        never = str_format(s->a, "\"%.*s\" in %.1f %% of %.0f rows", STR_ARG(shown(t->never_level)),
                           100 * t->never_level_rate, t->never_level_n);
    return str_format(
        s->a,
        "%.*s%s%.*s%s; such levels hold %.0f %% of all conversions and %.0f %% of the rest, while %.1f %% of all "
        "rows convert",
        STR_ARG(always), t->n_always > 0 && t->n_never > 0 ? ", " : "", STR_ARG(never), t->n_always > 0 ? "" : " convert",
        100 * t->positives, 100 * t->negatives, 100 * s->outcome.base);
}

static bool levels_are_certain(const struct scan *s, const struct signal *g, struct hint h) {
    const struct settled *t = &g->settled;
    bool later = h.status || h.judgement || h.closing;
    double ask = later ? 0.5 : 1; /* a telling name halves the evidence asked for */
    bool both = t->positives >= ask * held_both && t->negatives >= ask * held_both && t->rows >= ask * held_rows &&
                g->auc >= (later ? 0.8 : 0.85);
    bool alone = t->positives >= (later ? 0.2 : held_alone) && t->n_always > 0;
    return enough_rows(s) && (both || alone);
}

static bool judge_levels(struct scan *s, const struct signal *g, struct hint h) {
    const struct settled *t = &g->settled;
    bool certain = levels_are_certain(s, g, h);
    if (!certain && t->positives < held_suspect && t->negatives < held_never_suspect)
        return false;
    report(s, LEAK_NEAR_DETERMINISTIC, certain ? LEAK_CERTAIN : LEAK_SUSPECT, g->field,
           t->n_always > 0 ? t->always_level : t->never_level, g->auc, settled_sentence(s, t));
    return certain;
}

/* ---- the field as a whole ---- */

/* The strongest single field besides g that is not beyond belief itself. */
static double next_auc(const struct scan *s, const struct signal *g) {
    double best = 0.5;
    for (size_t i = 0; i < s->n_signal; i++)
        if (&s->signal[i] != g && s->signal[i].auc < certain_auc && s->signal[i].auc <= g->auc)
            best = fmax(best, s->signal[i].auc);
    return best;
}

static bool judge_whole(struct scan *s, const struct signal *g, struct hint h) {
    double next = next_auc(s, g);
    bool later = h.status || h.judgement || h.closing;
    bool beyond = g->auc >= certain_auc || (later && g->auc >= named_auc);
    if (beyond && enough_rows(s)) {
        bool copy = g->agree >= 0.99;
        report(
            s, copy ? LEAK_TARGET_COPY : LEAK_AUC_SPIKE, LEAK_CERTAIN, g->field, (str){0}, g->auc,
            copy ? str_format(s->a, "it tells the outcome of %.1f %% of the rows: it is the outcome in other words",
                              100 * g->agree)
                 : str_format(s->a, "alone it ranks leads with an AUC of %.3f; the next field reaches %.3f", g->auc, next));
        return true;
    }
    bool absolute = g->auc >= spike_auc && g->auc - next >= 0.05;
    bool relative = g->auc >= relative_auc && g->auc - 0.5 >= 2 * (next - 0.5) && s->n_signal >= 4;
    if (beyond || absolute || relative || g->auc >= named_auc)
        report(s, LEAK_AUC_SPIKE, LEAK_SUSPECT, g->field, (str){0}, g->auc,
               str_format(s->a, "alone it ranks leads with an AUC of %.3f; the next field reaches %.3f", g->auc, next));
    return false;
}

static void judge_name(struct scan *s, const struct signal *g, struct hint h) {
    enum leak_severity severity = g->auc >= weak_auc ? LEAK_SUSPECT : LEAK_NOTE;
    if (h.contact) {
        str low = STR("");
        if (g->low_n > 0)
            low = str_format(s->a, "; up to %.3g only %.1f %% of %.0f rows convert", g->low_value, 100 * g->low_rate,
                             g->low_n);
        report(s, LEAK_DURATION_AFTER_CONTACT, severity, g->field, (str){0}, g->auc,
               str_format(
                   s->a,
                   "by its name the length of a contact, which is known only when the contact is over; AUC alone %.3f%.*s",
                   g->auc, STR_ARG(low)));
    }
    if (h.status || h.activity)
        report(
            s, LEAK_STATUS_LIKE_NAME, h.status ? severity : LEAK_NOTE, g->field, (str){0}, g->auc,
            str_format(s->a,
                       "by its name a state that changes after intake; AUC alone %.3f. Was it the same when the lead came?",
                       g->auc));
    if (h.judgement)
        report(s, LEAK_JUDGEMENT_LIKE_NAME, severity, g->field, (str){0}, g->auc,
               str_format(s->a,
                          "by its name a judgement of the lead, perhaps made with knowledge of the outcome; AUC alone %.3f",
                          g->auc));
}

/* ---- dates ---- */

static bool date_at(const struct scan *s, size_t column, size_t i, enum time_order order, int64_t *ms) {
    struct moment m;
    if (time_read(str_trim(s->frame->cell[column][s->rows[i]]), order, &m) != TIME_GOOD)
        return false;
    *ms = m.ms;
    return true;
}

static void judge_dates(struct scan *s, const struct signal *g) {
    ptrdiff_t column = frame_find(s->frame, g->field->name), clock = -1, time_field = schema_find(s->schema, s->o->time);
    if (s->o->time.len > 0 && !str_equal(s->o->time, g->field->name) && time_field >= 0)
        clock = frame_find(s->frame, s->o->time);
    double after = 0, positive = 0, seen = 0;
    for (size_t i = 0; i < s->n; i++) {
        int64_t ms, at = s->o->now_ms;
        if (!date_at(s, (size_t)column, i, g->field->date_order, &ms))
            continue;
        if (clock >= 0 && !date_at(s, (size_t)clock, i, s->schema->field[time_field].date_order, &at))
            continue;
        bool later = at != 0 && ms > at + TIME_DAY_MS;
        seen++;
        after += later;
        positive += later ? s->outcome.y[i] : 0;
    }
    if (after <= 0)
        return;
    double base = s->outcome.base, rate = positive / after;
    bool telling = after >= 30 && (wilson_low(positive, after) > base * 1.25 || wilson_high(positive, after) < base * 0.8);
    report(s, LEAK_FUTURE_DATE, telling ? LEAK_SUSPECT : LEAK_NOTE, g->field, (str){0}, g->auc,
           str_format(s->a, "%.0f of %.0f dates lie after %s; %.1f %% of those rows convert, and %.1f %% of all", after,
                      seen, clock >= 0 ? "the row's own time" : "now", 100 * rate, 100 * base));
}

/* ---- all fields ---- */

struct measure {
    struct scan *s;
    const struct field *f;
    struct signal *to;
};

static err measure_one(void *ctx) {
    struct measure *m = ctx;
    struct scan *s = m->s;
    struct column c;
    ptrdiff_t at = frame_find(s->frame, m->f->name);
    if (at < 0)
        return OK;
    column_count(s->scratch, s->frame->cell[at], s->rows, s->n, s->outcome.y, &c);
    signal_measure(s->scratch, &c, m->f, &s->outcome, m->to);
    m->to->settled.always_level = str_copy(s->a, m->to->settled.always_level);
    m->to->settled.never_level = str_copy(s->a, m->to->settled.never_level);
    return OK;
}

static err measure_all(struct scan *s) {
    for (size_t i = 0; i < s->schema->n_field; i++) {
        const struct field *f = &s->schema->field[i];
        if (!field_is_used(f))
            continue;
        struct signal g = {0};
        struct measure m = {s, f, &g};
        err rc = arena_run(s->scratch, measure_one, &m);
        arena_reset(s->scratch);
        if (rc != OK)
            return rc;
        if (g.field)
            s->signal[s->n_signal++] = g;
    }
    return OK;
}

static void judge(struct scan *s, const struct signal *g) {
    struct hint h = hint_of(g->field);
    bool settled = judge_whole(s, g, h);
    settled |= judge_levels(s, g, h);
    settled |= judge_fill(s, g, h);
    if (!settled || h.contact)
        judge_name(s, g, h);
    if (g->field->type == FIELD_DATE)
        judge_dates(s, g);
}

static void note_unused(struct scan *s) {
    for (size_t i = 0; i < s->schema->n_field; i++) {
        const struct field *f = &s->schema->field[i];
        if (f->type != FIELD_IDENTIFIER && f->type != FIELD_CONSTANT)
            continue;
        bool constant = f->type == FIELD_CONSTANT;
        report(s, constant ? LEAK_CONSTANT : LEAK_IDENTIFIER, LEAK_NOTE, f, (str){0}, (double)NAN,
               str_format(s->a, "not used as a feature: %.*s", STR_ARG(f->note.len ? f->note : STR("by the schema"))));
    }
}

static int by_severity(const void *x, const void *y) {
    const struct leak_finding *a = *(const struct leak_finding *const *)x, *b = *(const struct leak_finding *const *)y;
    if (a->severity != b->severity)
        return (int)b->severity - (int)a->severity;
    return (a > b) - (a < b);
}

static void close_report(struct scan *s, struct leak_report **out) {
    const struct leak_finding **order = ARENA_ARRAY(s->a, s->n_leak, const struct leak_finding *);
    struct leak_finding *sorted = ARENA_ARRAY(s->a, s->n_leak, struct leak_finding);
    struct leak_report *r = ARENA_NEW(s->a, struct leak_report);
    for (size_t i = 0; i < s->n_leak; i++)
        order[i] = &s->leak[i];
    qsort(order, s->n_leak, sizeof(const struct leak_finding *), by_severity);
    for (size_t i = 0; i < s->n_leak; i++) {
        sorted[i] = *order[i];
        r->n_certain += sorted[i].severity == LEAK_CERTAIN;
        r->n_suspect += sorted[i].severity == LEAK_SUSPECT;
    }
    r->finding = sorted;
    r->n = s->n_leak;
    *out = r;
}

static void free_arena(void *ctx) { arena_free(ctx); }

static err begin(struct scan *s, const double *y) {
    unsigned char *fold = ARENA_ARRAY(s->a, s->n, unsigned char);
    struct rng r = rng_from_seed(s->o->seed);
    double positives = 0;
    for (size_t i = 0; i < s->n; i++) {
        fold[i] = (unsigned char)rng_below(&r, 5);
        positives += y[i];
    }
    s->outcome = (struct outcome){.y = y, .fold = fold, .n = s->n, .positives = positives, .base = positives / (double)s->n};
    s->signal = ARENA_ARRAY(s->a, s->schema->n_field, struct signal);
    s->scratch = arena_new(arena_limit(s->a));
    if (!s->scratch)
        return fail(ERR_AGAIN, "no_memory", "the system has no memory left");
    arena_defer(s->a, free_arena, s->scratch);
    return OK;
}

err leak_find(struct arena *a, const struct frame *f, const struct schema *s, const uint32_t *rows, size_t n,
              const double *y, const struct leak_opts *o, struct leak_report **out) {
    struct scan scan = {.a = a, .frame = f, .schema = s, .rows = rows, .n = n, .o = o};
    if (n > 0) {
        TRY(begin(&scan, y));
        if (scan.outcome.positives > 0 && scan.outcome.positives < (double)n) {
            TRY(measure_all(&scan));
            for (size_t i = 0; i < scan.n_signal; i++)
                judge(&scan, &scan.signal[i]);
        }
    }
    note_unused(&scan);
    close_report(&scan, out);
    return OK;
}
