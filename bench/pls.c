/* pls.c — what predictive lead scoring as a CRM suite does it (ml/pls.h) gets on a table, on the rows of the fixed split.
 *
 *   pls TABLE.csv TARGET POSITIVE EXCLUDED,COLUMNS
 *
 * It is given every field that the suite could use, which are those that have one of several values: levels known from the
 * training rows, one team, and one stage before "won". Prints one JSON object with the test figures. */
#include "base/number.h"
#include "features/encode.h"
#include "features/infer.h"
#include "intake/table.h"
#include "learn/label.h"
#include "learn/split.h"
#include "ml/metrics.h"
#include "ml/pls.h"

#include <math.h>
#include <stdio.h>

enum { MAX_EXCLUDED = 64, OPEN_STAGE = 0, WON_STAGE = 1, STAGE_COUNT = 2 };

struct command {
    struct arena *a;
    const char *const *arg;
};

struct bench {
    struct arena *a;
    struct frame *f;
    struct label label;
    struct split_rows rows;
    const struct schema *schema;
    struct encoder *encoder;
};

static err load(struct bench *b, const char *const *arg) {
    const struct table_options o = {.path = arg[1]};
    struct table *t;
    struct split split;
    struct schema *schema;
    str excluded[MAX_EXCLUDED], rest = str_from(arg[4]);
    size_t n = 0;
    TRY(table_open(b->a, &o, &t));
    TRY(table_load(t, b->a, &b->f, NULL, NULL));
    TRY(label_read(b->a, b->f, str_from(arg[2]), str_from(arg[3]), false, &b->label));
    TRY(split_parse(STR("hash:0.3"), &split));
    TRY(split_frame(b->a, split, b->f, NULL, 1, &b->rows));
    while (n < MAX_EXCLUDED && str_split(&rest, ',', &excluded[n]))
        n++;
    double *y = ARENA_ARRAY(b->a, b->rows.n_train, double);
    for (size_t i = 0; i < b->rows.n_train; i++)
        y[i] = b->label.y[b->rows.train[i]];
    const struct infer_opts infer = {.target = b->label.target, .exclude = excluded, .n_exclude = n};
    TRY(schema_infer(b->a, b->f, b->rows.train, b->rows.n_train, y, &infer, &schema));
    b->schema = schema;
    return encoder_new(b->a, schema, b->f->name, b->f->n_col, &b->encoder);
}

static bool has_one_value(const struct field *f) { return f->type == FIELD_CATEGORY || f->type == FIELD_FLAG; }

/* The given rows as leads: won or lost where they train, open where they test. */
static struct pls_lead *leads_of(const struct bench *b, const uint32_t *rows, size_t n, bool open) {
    struct pls_lead *lead = ARENA_ARRAY(b->a, n, struct pls_lead);
    struct encoded *x = encoded_new(b->a, b->encoder);
    str *cell = ARENA_ARRAY(b->a, b->f->n_col, str);
    for (size_t i = 0; i < n; i++) {
        struct pls_value *value = ARENA_ARRAY(b->a, b->schema->n_field, struct pls_value);
        const bool won = !open && b->label.y[rows[i]] > 0;
        size_t k = 0;
        for (size_t c = 0; c < b->f->n_col; c++)
            cell[c] = b->f->cell[c][rows[i]];
        encode_row(b->encoder, cell, x);
        for (uint32_t f = 0; f < b->schema->n_field; f++)
            if (has_one_value(&b->schema->field[f]) && x->value[f].state == VALUE_KNOWN)
                value[k++] = (struct pls_value){f, x->value[f].slot};
        lead[i] = (struct pls_lead){.team = PLS_NO_TEAM,
                                    .stage = won ? WON_STAGE : OPEN_STAGE,
                                    .outcome = open  ? PLS_OPEN
                                               : won ? PLS_WON
                                                     : PLS_LOST,
                                    .value = value,
                                    .n_value = k};
    }
    return lead;
}

static err run(void *ctx) {
    const struct command *c = ctx;
    struct bench b = {.a = c->a};
    struct pls *p;
    struct metrics m;
    TRY(load(&b, c->arg));
    uint32_t *n_value = ARENA_ARRAY(c->a, b.schema->n_field, uint32_t);
    for (size_t f = 0; f < b.schema->n_field; f++)
        n_value[f] = (uint32_t)b.schema->field[f].n_level + 1;
    const struct pls_shape shape = {
        .n_field = (uint32_t)b.schema->n_field, .n_stage = STAGE_COUNT, .n_value = n_value, .won_stage = WON_STAGE};
    const size_t n = b.rows.n_test;
    TRY(pls_new(c->a, &shape, leads_of(&b, b.rows.train, b.rows.n_train, false), b.rows.n_train, &p));
    const struct pls_lead *test = leads_of(&b, b.rows.test, n, true);
    double *probability = ARENA_ARRAY(c->a, n, double), *y = ARENA_ARRAY(c->a, n, double);
    for (size_t i = 0; i < n; i++) {
        TRY(pls_score(p, &test[i], &probability[i]));
        probability[i] /= 100;
        y[i] = b.label.y[b.rows.test[i]];
    }
    metrics_compute(c->a, probability, y, n, NULL, &m);
    printf("{\"auc\": %.6f, \"log_loss\": %.6f, \"brier\": %.6f, \"ece\": %.6f}\n", m.of[METRIC_AUC].value,
           m.of[METRIC_LOG_LOSS].value, m.of[METRIC_BRIER].value, m.of[METRIC_ECE].value);
    return OK;
}

int main(int n, char **arg) {
    if (n != 5) {
        fprintf(stderr, "usage: pls TABLE TARGET POSITIVE EXCLUDED\n");
        return 1;
    }
    struct arena *a = arena_new((size_t)4 << 30);
    struct command c = {a, (const char *const *)arg};
    err rc = arena_run(a, run, &c);
    if (rc != OK)
        fprintf(stderr, "pls: %s\n", err_text());
    arena_free(a);
    return err_exit_code(rc);
}
