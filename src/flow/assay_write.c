/* assay_write.c — scored rows as CSV or JSON lines, with their reasons. */
#include "base/csv.h"
#include "base/number.h"
#include "explain/reason.h"
#include "flow/assay_priv.h"
#include "score/scorer.h"

#include <math.h>

enum { REASON_MAX_BYTE = 4096 };

static const str score_columns[] = {STR_INIT("galena_score"), STR_INIT("galena_low"), STR_INIT("galena_high"),
                                    STR_INIT("galena_tier"), STR_INIT("galena_status")};
static const str reason_column = STR_INIT("galena_reason_");

enum { SCORE_COLUMNS = sizeof score_columns / sizeof *score_columns };

static bool is_own_column(str name) {
    for (size_t i = 0; i < SCORE_COLUMNS; i++)
        if (str_equal(name, score_columns[i]))
            return true;
    int64_t k;
    return str_starts(name, reason_column) && number_parse_integer(str_slice(name, reason_column.len, name.len), &k);
}

void assay_write_head(struct assay *w, struct buf *out) {
    w->own = ARENA_ARRAY(w->a, w->n_column, bool);
    for (size_t c = 0; c < w->n_column; c++)
        w->any_own |= w->own[c] = is_own_column(w->column[c]);
    if (w->o->json_lines)
        return;
    for (size_t c = 0; c < w->n_column; c++) {
        if (w->own[c])
            continue;
        csv_write_cell(out, w->column[c], w->delimiter);
        buf_add_byte(out, w->delimiter);
    }
    for (size_t i = 0; i < SCORE_COLUMNS; i++) {
        if (i > 0)
            buf_add_byte(out, w->delimiter);
        buf_add(out, score_columns[i]);
    }
    for (size_t k = 1; k <= w->o->reasons; k++)
        buf_add_format(out, "%c%.*s%zu", w->delimiter, STR_ARG(reason_column), k);
    buf_add_byte(out, '\n');
}

/* ---- reasons ---- */

struct explaining {
    const struct assay *w;
    struct extra_term *extra; /* sections of the bundle's profile; or the criteria of the profile that scores alone */
    size_t n_extra;
    struct buf text; /* the sentences of one row, one behind the other */
    str sentence[REASON_MAX];
    size_t n;
};

static const struct schema no_fields;

static void prepare_extra(struct explaining *x, const struct assay *w, struct arena *a) {
    x->n_extra = w->bundle ? bundle_first_interaction(w->bundle) - w->bundle->schema->n_field : w->profile->n_criterion;
    x->extra = ARENA_ARRAY(a, x->n_extra, struct extra_term);
    for (size_t k = 0; k < x->n_extra; k++)
        x->extra[k].title =
            w->bundle ? bundle_term_title(w->bundle, w->bundle->schema->n_field + k) : w->profile->criterion[k].name;
}

static struct explaining *explaining_new(const struct assay *w, struct arena *a) {
    struct explaining *x = ARENA_NEW(a, struct explaining);
    const size_t room = (size_t)REASON_MAX_BYTE * (w->o->reasons + 1);
    x->w = w;
    prepare_extra(x, w, a);
    x->text = (struct buf){.ptr = arena_alloc(a, room), .cap = room, .max = room};
    return x;
}

/* What the row holds beyond its fields. */
static void fill_extra(struct explaining *x, const struct assay_row *r) {
    for (size_t k = 0; k < x->n_extra; k++) {
        x->extra[k].value = x->w->bundle ? r->section[k] : 0;
        x->extra[k].text = x->w->bundle ? (str){0} : r->credit_value[k];
    }
}

static void explain(struct explaining *x, const struct assay_row *r) {
    const struct bundle *b = x->w->bundle;
    uint32_t rank[REASON_MAX];
    size_t end[REASON_MAX];
    fill_extra(x, r);
    const struct reason_input in = {.schema = b ? b->schema : &no_fields,
                                    .value = r->value,
                                    .extra = x->extra,
                                    .n_extra = x->n_extra,
                                    .share = r->share,
                                    .base_rate = b ? b->base_rate : (double)NAN};
    buf_clear(&x->text);
    x->n = reason_rank(in.share, in.schema->n_field + x->n_extra + in.schema->n_interaction, x->w->o->reasons, rank);
    for (size_t k = 0; k < x->n; k++) {
        reason_write(&x->text, &in, rank[k]);
        end[k] = x->text.len;
    }
    for (size_t k = 0; k < x->n; k++)
        x->sentence[k] = str_slice(buf_str(&x->text), k > 0 ? end[k - 1] : 0, end[k]);
}

/* Sentences of a row: its reasons, or why it has no score. */
static void find_sentences(struct explaining *x, const struct assay_row *r) {
    x->n = 0;
    if (x->w->o->reasons == 0)
        return;
    if (r->status == RECORD_SCORED) {
        explain(x, r);
    } else {
        x->sentence[0] = r->status == RECORD_FAILED ? r->in->reason : r->note;
        x->n = 1;
    }
}

/* ---- rows ---- */

static void add_number(struct buf *out, double v) {
    char text[NUMBER_TEXT_BYTE];
    buf_add(out, (str){text, number_format(v, text)});
}

/* The input columns, each with a delimiter behind it. A row that is CSV already is passed on as it stands. */
static void write_input(const struct assay *w, const struct assay_row *r, struct buf *out) {
    if (r->in->csv.len > 0 && !w->any_own) {
        buf_add(out, r->in->csv);
        buf_add_byte(out, w->delimiter);
        return;
    }
    for (size_t c = 0; c < w->n_column; c++) {
        if (w->own[c])
            continue;
        if (r->in->cell)
            csv_write_cell(out, r->in->cell[c], w->delimiter);
        buf_add_byte(out, w->delimiter);
    }
}

static void write_csv(const struct assay *w, const struct assay_row *r, const struct explaining *x, struct buf *out) {
    write_input(w, r, out);
    if (r->status == RECORD_SCORED) {
        add_number(out, r->score.probability);
        buf_add_byte(out, w->delimiter);
        add_number(out, r->score.low);
        buf_add_byte(out, w->delimiter);
        add_number(out, r->score.high);
        buf_add_byte(out, w->delimiter);
        buf_add(out, str_from(tier_name(tier_of(r->score.probability, w->hot, w->warm))));
    } else {
        for (int k = 0; k < 3; k++)
            buf_add_byte(out, w->delimiter);
    }
    buf_add_byte(out, w->delimiter);
    buf_add(out, str_from(record_status_name(r->status)));
    for (size_t k = 0; k < w->o->reasons; k++) {
        buf_add_byte(out, w->delimiter);
        if (k < x->n)
            csv_write_cell_guarded(out, x->sentence[k], w->delimiter);
    }
    buf_add_byte(out, '\n');
}

static void write_json_line(const struct assay *w, const struct assay_row *r, const struct explaining *x, struct buf *out) {
    struct json_writer j;
    json_write_begin(&j, out, 0);
    json_open_object(&j);
    for (size_t c = 0; c < w->n_column && r->in->cell; c++)
        if (!w->own[c])
            json_put_string(&j, w->column[c], r->in->cell[c]);
    if (r->status == RECORD_SCORED) {
        json_put_number(&j, score_columns[0], r->score.probability);
        json_put_number(&j, score_columns[1], r->score.low);
        json_put_number(&j, score_columns[2], r->score.high);
        json_put_string(&j, score_columns[3], str_from(tier_name(tier_of(r->score.probability, w->hot, w->warm))));
    }
    json_put_string(&j, score_columns[4], str_from(record_status_name(r->status)));
    for (size_t k = 0; k < x->n; k++) {
        char name[40];
        int n = snprintf(name, sizeof name, "%.*s%zu", STR_ARG(reason_column), k + 1);
        json_put_string(&j, (str){name, (size_t)n}, x->sentence[k]);
    }
    json_close_object(&j);
    buf_add_byte(out, '\n');
}

/* ---- counting ---- */

static void count_row(const struct assay *w, struct assay_batch *b, const struct assay_row *r) {
    b->status[r->status]++;
    if (r->status != RECORD_SCORED)
        return;
    const double p = r->score.probability;
    size_t bin = (size_t)(p * ASSAY_HISTOGRAM);
    b->tier[tier_of(p, w->hot, w->warm)]++;
    b->histogram[bin < ASSAY_HISTOGRAM ? bin : ASSAY_HISTOGRAM - 1]++;
    b->probability_sum += p;
    b->width_sum += r->score.high - r->score.low;
}

static uint32_t position_of(const struct assay *w, str name) {
    for (size_t c = 0; c < w->n_column; c++)
        if (str_equal(w->column[c], name))
            return (uint32_t)c + 1;
    return 0;
}

static void list_invalid(const struct assay *w, struct assay_batch *b, size_t row) {
    const struct schema *s = w->bundle->schema;
    for (size_t f = 0; f < s->n_field; f++) {
        if (!field_is_used(&s->field[f]) || b->row[row].value[f].state != VALUE_INVALID)
            continue;
        b->n_invalid_all++;
        if (b->n_invalid >= ASSAY_SHOWN_FAULTS && !w->keep_invalid)
            continue;
        if (b->n_invalid == b->cap_invalid)
            b->invalid = arena_grow(b->arena, b->invalid, &b->cap_invalid, b->n_invalid + 1, sizeof *b->invalid);
        b->invalid[b->n_invalid++] = (struct assay_invalid){
            .row = row,
            .position = position_of(w, s->field[f].name),
            .column = s->field[f].name,
            .reason = encode_explain(b->arena, vectoriser_encoder(w->vectoriser), (uint32_t)f, &b->row[row].value[f])};
    }
}

void assay_write_batch(const struct assay *w, struct assay_batch *b, struct arena *scratch) {
    struct explaining *x = explaining_new(w, scratch);
    for (size_t i = 0; i < b->n; i++) {
        const struct assay_row *r = &b->row[i];
        find_sentences(x, r);
        if (w->o->json_lines)
            write_json_line(w, r, x, &b->out);
        else
            write_csv(w, r, x, &b->out);
        count_row(w, b, r);
        if (r->n_invalid > 0)
            list_invalid(w, b, i);
    }
}
