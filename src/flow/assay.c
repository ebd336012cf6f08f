/* assay.c — batches of rows on threads: vectorise, score, explain, write. */
#include "flow/assay.h"

#include "base/parallel.h"
#include "features/vectorise.h"
#include "flow/assay_priv.h"
#include "learn/predict.h"
#include "score/scorer.h"

#include <math.h>

enum { BATCH_ROWS = 1024, SCRATCH_BYTE = 256 << 20, MAX_BATCHES = 64 };

static void copy_row(struct arena *a, struct assay_row *r, const struct vector *v, size_t n_term, size_t n_field) {
    const struct row x = v->row;
    r->x = (struct row){x.n, arena_copy(a, x.col, x.n * sizeof *x.col), arena_copy(a, x.val, x.n * sizeof *x.val)};
    memcpy(r->missing, v->missing, n_term);
    r->value = arena_copy(a, v->encoded->value, n_field * sizeof *r->value);
    r->n_invalid = v->encoded->n_invalid;
    if (v->subscores)
        for (size_t k = 0; k < SECTION_COUNT; k++)
            r->section[k] = v->subscores->section[k].score;
}

static void vectorise(const struct assay *w, struct assay_batch *b, struct arena *a) {
    struct vector *v = vector_new(a, w->vectoriser);
    struct subscores *rules = w->binding ? subscores_new(a, w->binding) : NULL;
    const size_t n_term = w->bundle->n_term, n_field = w->bundle->schema->n_field;
    for (size_t i = 0; i < b->n; i++) {
        struct assay_row *r = &b->row[i];
        r->missing = b->missing + i * n_term;
        if (r->in->status != OK) {
            r->status = RECORD_FAILED;
            continue;
        }
        vectorise_row(w->vectoriser, r->in->cell, w->o->now_ms, v);
        copy_row(a, r, v, n_term, n_field);
        if (rules)
            subscores_compute(w->binding, r->in->cell, w->o->now_ms, rules);
        r->status = settle_vector(&w->settling, v, rules, a, &r->note);
    }
}

/* ---- one batch ---- */

/* Scores and explains the rows that are to be scored; they stand together for the families' sake. */
static void score(const struct assay *w, struct assay_batch *b, struct arena *a) {
    const size_t n_term = w->bundle->n_term;
    struct row *x = ARENA_ARRAY(a, b->n, struct row);
    struct score *s = ARENA_ARRAY(a, b->n, struct score);
    unsigned char *missing = ARENA_ARRAY(a, b->n * n_term, unsigned char);
    double *share = w->o->reasons > 0 ? ARENA_ARRAY(a, b->n * n_term, double) : NULL;
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++)
        if (b->row[i].status == RECORD_SCORED) {
            memcpy(missing + n * n_term, b->row[i].missing, n_term);
            x[n++] = b->row[i].x;
        }
    scorer_score(w->bundle, x, n, missing, w->o->interval, a, s);
    if (share)
        scorer_explain(w->bundle, x, n, a, share);
    for (size_t i = 0, k = 0; i < b->n; i++) {
        if (b->row[i].status != RECORD_SCORED)
            continue;
        b->row[i].score = s[k];
        b->row[i].share = share ? share + k * n_term : NULL;
        k++;
    }
}

/* Runs inside the guards of both arenas: that of the rows read, which also keeps what the writer needs after the thread has
 * gone on, and the thread's scratch. */
static err process(void *ctx) {
    struct assay_batch *b = ctx;
    const struct assay *w = b->owner;
    b->row = ARENA_ARRAY(b->scratch, b->n, struct assay_row);
    for (size_t r = 0; r < b->n; r++)
        b->row[r].in = &b->in[r];
    if (w->bundle) {
        b->missing = ARENA_ARRAY(b->scratch, b->n * w->bundle->n_term, unsigned char);
        vectorise(w, b, b->scratch);
        score(w, b, b->scratch);
    } else {
        assay_score_by_profile(w, b, b->scratch);
    }
    assay_write_batch(w, b, b->scratch);
    return buf_check(&b->out);
}

static err process_part(void *ctx, size_t i, struct arena *scratch) {
    struct assay *w = ctx;
    w->batch[i].scratch = scratch;
    w->batch[i].owner = w;
    return arena_run(w->batch[i].arena, process, &w->batch[i]);
}

/* ---- the file ---- */

static void note_fault(struct assay *w, const struct assay_fault *f) {
    if (w->result->n_fault == ASSAY_SHOWN_FAULTS)
        return;
    w->result->fault[w->result->n_fault++] =
        (struct assay_fault){.line = f->line, .column = str_copy(w->a, f->column), .reason = str_copy(w->a, f->reason)};
}

static err reject_failed(struct assay *w, const struct assay_batch *b, struct reject *reject) {
    for (size_t i = 0; i < b->n; i++) {
        if (b->in[i].status == OK)
            continue;
        note_fault(w, &(struct assay_fault){.line = b->in[i].line, .reason = b->in[i].reason});
        if (reject)
            TRY(reject_row(reject, &b->in[i]));
    }
    for (size_t i = 0; i < b->n_invalid; i++) {
        const struct assay_invalid *v = &b->invalid[i];
        note_fault(w, &(struct assay_fault){.line = b->in[v->row].line, .column = v->column, .reason = v->reason});
        struct table_row row = b->in[v->row];
        row.slug = "cell_invalid";
        row.reason = v->reason;
        row.column = v->position;
        if (reject)
            TRY(reject_row(reject, &row));
    }
    return OK;
}

static err finish_batch(struct assay *w, struct assay_batch *b, struct file_out *out, struct reject *reject) {
    struct assay_result *r = w->result;
    TRY(file_write(out, buf_str(&b->out)));
    TRY(reject_failed(w, b, reject));
    r->rows += b->n;
    for (int k = 0; k < RECORD_STATUS_COUNT; k++)
        r->status[k] += b->status[k];
    for (int k = 0; k < TIER_COUNT; k++)
        r->tier[k] += b->tier[k];
    for (int k = 0; k < ASSAY_HISTOGRAM; k++)
        r->histogram[k] += b->histogram[k];
    r->invalid_cells += b->n_invalid_all;
    r->probability_sum += b->probability_sum;
    r->width_sum += b->width_sum;
    return OK;
}

static void free_batches(void *ctx) {
    struct assay *w = ctx;
    for (size_t i = 0; i < w->n_batch; i++) {
        buf_done(&w->batch[i].out);
        arena_free(w->batch[i].arena);
    }
}

static err make_batches(struct assay *w) {
    unsigned threads = w->o->threads ? w->o->threads : parallel_cores();
    size_t n = threads < MAX_BATCHES ? threads : MAX_BATCHES;
    w->batch = ARENA_ARRAY(w->a, n, struct assay_batch);
    arena_defer(w->a, free_batches, w);
    for (; w->n_batch < n; w->n_batch++) {
        buf_init(&w->batch[w->n_batch].out, (size_t)1 << 30);
        if (!(w->batch[w->n_batch].arena = arena_new((size_t)1 << 30)))
            return fail(ERR_LIMIT, "memory_limit", "no memory for a batch of rows");
    }
    return OK;
}

struct reading {
    struct table *table;
    struct assay_batch *batch;
};

static err read_batch(void *ctx) {
    struct reading *r = ctx;
    return table_read(r->table, r->batch->arena, BATCH_ROWS, &r->batch->in, &r->batch->n);
}

/* Reads as many batches as there are threads; *n of them got rows. */
static err read_round(struct assay *w, struct table *table, size_t *n) {
    for (*n = 0; *n < w->n_batch; ++*n) {
        struct assay_batch *b = &w->batch[*n];
        struct arena *arena = b->arena;
        struct buf out = b->out;
        arena_reset(arena);
        buf_clear(&out);
        *b = (struct assay_batch){.arena = arena, .out = out};
        TRY(arena_run(arena, read_batch, &(struct reading){table, b}));
        if (b->n == 0)
            break;
    }
    return OK;
}

/* Names the fields that the file lacks, most important first. */
static void list_absent(struct assay *w) {
    struct assay_result *r = w->result;
    size_t n;
    const uint32_t *absent = encoder_absent(vectoriser_encoder(w->vectoriser), &n);
    r->absent = ARENA_ARRAY(w->a, n, str);
    for (size_t k = 0; k < w->settling.n_ranked; k++)
        for (size_t i = 0; i < n; i++)
            if (absent[i] == w->settling.ranked[k])
                r->absent[r->n_absent++] = w->bundle->schema->field[absent[i]].name;
}

static err bind(struct assay *w, struct table *table) {
    w->column = table_columns(table, &w->n_column);
    w->delimiter = table_delimiter(table);
    if (w->bundle) {
        TRY(predict_bind(w->a, w->bundle, str_from(table_name(table)), w->column, w->n_column, &w->vectoriser));
        w->settling = settling_of(w->a, w->bundle);
        list_absent(w);
    }
    err rc = w->profile ? profile_bind(w->a, w->profile, w->column, w->n_column, &w->binding) : OK;
    if (rc != OK)
        return err_prefix(rc, "%s", table_name(table));
    return make_batches(w);
}

err assay_run(struct arena *a, struct table *table, const struct assay_options *o, struct file_out *out,
              struct reject *reject, struct assay_result *result) {
    struct assay *w = ARENA_NEW(a, struct assay);
    *w = (struct assay){
        .a = a, .o = o, .bundle = o->bundle, .profile = o->profile, .result = result, .keep_invalid = reject != NULL};
    w->hot = o->bundle ? o->bundle->hot : o->hot;
    w->warm = o->bundle ? o->bundle->warm : o->warm;
    *result = (struct assay_result){0};
    TRY(bind(w, table));
    struct buf *head = buf_in(a, 1 << 24);
    assay_write_head(w, head);
    TRY(buf_check(head));
    TRY(file_write(out, buf_str(head)));
    for (size_t n = 1; n > 0;) {
        err rc = read_round(w, table, &n);
        if (rc != OK && n == 0)
            return rc;
        TRY(parallel_for(n, (unsigned)w->n_batch, SCRATCH_BYTE, process_part, w));
        for (size_t i = 0; i < n; i++)
            TRY(finish_batch(w, &w->batch[i], out, reject));
        TRY(rc); /* the rows before the fault are written and counted; the file as a whole is not */
        if (o->progress)
            o->progress(o->progress_ctx, result->rows, table_bytes_read(table), table_bytes_total(table));
    }
    return OK;
}
