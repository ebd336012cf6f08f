/* reason.c — sentences that say why a score is what it is. */
#include "explain/reason.h"

#include "base/number.h"
#include "base/utf8.h"

#include <math.h>

size_t reason_rank(const double *share, size_t n, size_t most, uint32_t *out) {
    size_t k = 0;
    for (size_t i = 0; i < n && most > 0; i++) {
        double size = fabs(share[i]);
        if (!(size >= REASON_LEAST_SHARE) || (k == most && size <= fabs(share[out[k - 1]])))
            continue;
        size_t at = k < most ? k++ : k - 1;
        for (; at > 0 && size > fabs(share[out[at - 1]]); at--)
            out[at] = out[at - 1];
        out[at] = (uint32_t)i;
    }
    return k;
}

/* units / 10^decimals, without zeros that end its fraction. */
static void add_decimal(struct buf *out, unsigned units, unsigned decimals) {
    char text[12];
    size_t at = sizeof text;
    for (; decimals > 0 && units % 10 == 0; decimals--)
        units /= 10;
    const size_t point = sizeof text - decimals;
    for (; units > 0 || at + 1 > point; units /= 10) {
        if (at == point && decimals > 0)
            text[--at] = '.';
        text[--at] = (char)('0' + units % 10);
    }
    buf_add(out, (str){text + at, sizeof text - at});
}

/* At most three significant digits, thousands separated; written without an allocation since every scored row passes here.
 */
static void add_number(struct buf *out, double v) {
    char text[NUMBER_TEXT_BYTE];
    if (v < 0) {
        buf_add_byte(out, '-');
        v = -v;
    }
    if (v >= 1000) {
        size_t n = number_format_integer(v < 9e15 ? (int64_t)llround(v) : INT64_MAX, text);
        for (size_t i = 0; i < n; i++) {
            if (i > 0 && (n - i) % 3 == 0)
                buf_add_byte(out, ',');
            buf_add_byte(out, text[i]);
        }
        return;
    }
    static const double unit[] = {1, 10, 100, 1000};
    const unsigned decimals = v >= 100 ? 0 : v >= 10 ? 1 : v >= 1 ? 2 : 3;
    if (v * unit[decimals] >= 0.5 || v == 0)
        add_decimal(out, (unsigned)(v * unit[decimals] + 0.5), decimals);
    else /* tiny, or not a number */
        buf_add(out, (str){text, number_format(v, text)});
}

static void add_percent(struct buf *out, double p) {
    add_number(out, p < 0.1 ? round(p * 1000) / 10 : round(p * 100));
    buf_add(out, STR(" %"));
}

static str title_of(const struct field *f) { return f->title.len > 0 ? f->title : f->name; }

/* The part of the sentence that compares with other leads may not speak against the share. */
static void add_typical_level(struct buf *out, const struct reason_input *in, const struct field *f, size_t slot,
                              bool raises) {
    if (!f->level_rate || isnan(in->base_rate))
        return;
    double rate = f->level_rate[slot];
    if (raises ? rate <= in->base_rate : rate >= in->base_rate)
        return;
    buf_add(out, STR(" ("));
    add_percent(out, rate);
    buf_add(out, STR(" of such leads convert, "));
    add_percent(out, in->base_rate);
    buf_add(out, STR(" of all)"));
}

static void add_typical_number(struct buf *out, const struct field *f, double v, bool raises) {
    double won = f->typical_converted, lost = f->typical_other;
    if (isnan(won) || isnan(lost) || won == lost || (fabs(v - won) < fabs(v - lost)) != raises)
        return;
    buf_add(out, STR(" (typical of converted leads: "));
    add_number(out, won);
    buf_add(out, STR(", of the others: "));
    add_number(out, lost);
    buf_add_byte(out, ')');
}

static void add_known(struct buf *out, const struct reason_input *in, const struct field *f, const struct field_value *v,
                      bool raises) {
    buf_add(out, STR(" is "));
    if (f->type == FIELD_NUMERIC) {
        add_number(out, v->number);
        if (f->unit.len > 0) {
            buf_add_byte(out, ' ');
            buf_add(out, f->unit);
        }
        add_typical_number(out, f, v->number, raises);
        return;
    }
    buf_add(out, utf8_cut(v->text, 80));
    if (f->type == FIELD_CATEGORY || f->type == FIELD_FLAG)
        add_typical_level(out, in, f, v->slot, raises);
}

static void add_field(struct buf *out, const struct reason_input *in, uint32_t term, bool raises) {
    const struct field *f = &in->schema->field[term];
    const struct field_value *v = &in->value[term];
    buf_add(out, title_of(f));
    switch (v->state) {
    case VALUE_KNOWN:
        add_known(out, in, f, v, raises);
        break;
    case VALUE_UNSEEN:
        buf_add(out, STR(" is "));
        buf_add(out, utf8_cut(v->text, 80));
        buf_add(out, STR(", which is rare"));
        add_typical_level(out, in, f, v->slot, raises);
        break;
    case VALUE_MISSING:
    case VALUE_INVALID:
        buf_add(out, v->state == VALUE_MISSING ? STR(" is not known") : STR(" cannot be read"));
        add_typical_level(out, in, f, v->slot, raises);
        break;
    }
}

/* A field and its value alone. */
static void add_plain(struct buf *out, const struct reason_input *in, uint32_t field) {
    const struct field *f = &in->schema->field[field];
    const struct field_value *v = &in->value[field];
    buf_add(out, utf8_cut(title_of(f), 200));
    if (v->state == VALUE_MISSING || v->state == VALUE_INVALID) {
        buf_add(out, STR(" is not known"));
        return;
    }
    buf_add(out, STR(" is "));
    if (f->type == FIELD_NUMERIC)
        add_number(out, v->number);
    else
        buf_add(out, utf8_cut(v->text, 80));
}

static void add_interaction(struct buf *out, const struct reason_input *in, const struct interaction *x) {
    add_plain(out, in, x->first);
    buf_add(out, STR(" and "));
    add_plain(out, in, x->second);
    buf_add(out, STR(", beyond each alone"));
}

static void add_extra(struct buf *out, const struct extra_term *e) {
    buf_add(out, e->title);
    buf_add(out, STR(" is "));
    if (e->text.len > 0)
        buf_add(out, utf8_cut(e->text, 80));
    else
        add_number(out, round(e->value * 100) / 100);
}

void reason_write(struct buf *out, const struct reason_input *in, uint32_t term) {
    const size_t first_interaction = in->schema->n_field + in->n_extra;
    double share = in->share[term];
    if (term < in->schema->n_field)
        add_field(out, in, term, share > 0);
    else if (term < first_interaction)
        add_extra(out, &in->extra[term - in->schema->n_field]);
    else
        add_interaction(out, in, &in->schema->interaction[term - first_interaction]);
    buf_add(out, share > 0 ? STR(": multiplies the odds by ") : STR(": divides the odds by "));
    double factor = exp(fabs(share));
    add_number(out, factor < 10 ? round(factor * 100) / 100 : factor);
}
