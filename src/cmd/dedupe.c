/* dedupe.c — galena dedupe: which rows of a file, or of two, are the same person or company. */
#include "base/csv.h"
#include "base/file.h"
#include "base/number.h"
#include "cmd/common_settings.h"
#include "cmd/command.h"
#include "cmd/present.h"
#include "cmd/progress.h"
#include "intake/table.h"
#include "validate/dedupe.h"

#include <math.h>
#include <sys/resource.h>

enum { BATCH_ROW = 4096, BATCH_BYTE = 256 << 20, FLUSH_BYTE = 1 << 16, OUT_BYTE = 8 << 20 };

struct dedupe_settings {
    str file, link, id, out, clusters;
    struct setting_list column;
    double threshold;
    int64_t threads;
};

/* A column as asked for: "email=E-mail". */
struct wanted {
    enum dedupe_kind kind;
    str name;
};

struct work {
    struct session *session;
    const struct dedupe_settings *o;
    struct wanted *wanted;
    size_t n_wanted;
    struct dedupe *dedupe;
    str *id;
    size_t n_row, cap;
    uint64_t n_bad;
    struct dedupe_result result;
    double read_s, search_s, write_s;
};

static str kind_names(struct arena *a) {
    str name[DEDUPE_KIND_COUNT];
    for (unsigned k = 0; k < DEDUPE_KIND_COUNT; k++)
        name[k] = str_from(dedupe_kind_name((enum dedupe_kind)k));
    return str_join(a, name, DEDUPE_KIND_COUNT, STR(", "));
}

static err read_columns(struct work *w) {
    struct arena *a = w->session->arena;
    const struct setting_list *list = &w->o->column;
    w->wanted = ARENA_ARRAY(a, list->n, struct wanted);
    for (size_t i = 0; i < list->n; i++) {
        str kind, rest = list->item[i];
        const bool given = str_split(&rest, '=', &kind) && rest.ptr;
        if (!given || rest.len == 0)
            return session_usage("usage_bad_value", "--column %.*s: write KIND=COLUMN, as email=E-mail",
                                 STR_ARG(list->item[i]));
        if (!dedupe_kind_of(kind, &w->wanted[i].kind))
            return session_usage("usage_bad_value", "--column %.*s: there is no kind \"%.*s\"; the kinds are %.*s",
                                 STR_ARG(list->item[i]), STR_ARG(kind), STR_ARG(kind_names(a)));
        w->wanted[i].name = rest;
    }
    w->n_wanted = list->n;
    return OK;
}

static err find_column(const struct table *t, str name, size_t *out) {
    size_t n;
    const str *columns = table_columns(t, &n);
    for (size_t i = 0; i < n; i++)
        if (str_equal(columns[i], name)) {
            *out = i;
            return OK;
        }
    return fail(ERR_INPUT, "dedupe_no_column", "%s has no column \"%.*s\"", table_name(t), STR_ARG(name));
}

/* Adds the rows of one batch. */
static err add_rows(struct work *w, int file, const struct table_row *row, size_t n, const size_t *at) {
    struct arena *a = w->session->arena;
    str cell[LINKAGE_FIELD_MAX];
    for (size_t i = 0; i < n; i++) {
        if (row[i].status != OK) {
            w->n_bad++;
            continue;
        }
        for (size_t k = 0; k < w->n_wanted; k++)
            cell[k] = row[i].cell[at[k + 1]];
        TRY(dedupe_add(w->dedupe, file, cell));
        if (w->n_row == w->cap)
            w->id = arena_grow(a, w->id, &w->cap, w->n_row + 1, sizeof *w->id);
        w->id[w->n_row++] = str_copy(a, row[i].cell[at[0]]);
    }
    return OK;
}

static err add_batches(struct work *w, int file, struct table *t, struct arena *batch, const size_t *at) {
    struct progress progress;
    progress_begin(&progress, w->session, table_name(t), "bytes", (double)table_bytes_total(t));
    err rc = OK;
    for (size_t n = 1; n > 0 && rc == OK;) {
        struct table_row *row;
        arena_reset(batch);
        rc = table_read(t, batch, BATCH_ROW, &row, &n);
        if (rc == OK)
            rc = add_rows(w, file, row, n, at);
        progress_at(&progress, (double)table_bytes_read(t));
    }
    progress_end(&progress);
    return rc;
}

static void free_arena(void *ctx) { arena_free(ctx); }

struct reading {
    struct work *w;
    int file;
    struct table *t;
    struct arena *batch;
    size_t at[LINKAGE_FIELD_MAX + 1];
};

static err read_guarded(void *ctx) {
    struct reading *r = ctx;
    return add_batches(r->w, r->file, r->t, r->batch, r->at);
}

static err read_file(struct work *w, int file, str path) {
    struct reading r = {.w = w, .file = file};
    TRY(table_open(w->session->arena, &(struct table_options){.path = path.ptr}, &r.t));
    TRY(find_column(r.t, w->o->id, &r.at[0]));
    for (size_t k = 0; k < w->n_wanted; k++)
        TRY(find_column(r.t, w->wanted[k].name, &r.at[k + 1]));
    r.batch = arena_new(BATCH_BYTE);
    if (!r.batch)
        return fail(ERR_LIMIT, "memory_limit", "no memory to read %s", path.ptr);
    arena_defer(w->session->arena, free_arena, r.batch);
    return arena_run(r.batch, read_guarded, &r);
}

static err flush(struct file_out *f, struct buf *b, size_t least) {
    TRY(buf_check(b));
    if (b->len < least)
        return OK;
    TRY(file_write(f, buf_str(b)));
    buf_clear(b);
    return OK;
}

static err write_pairs(struct work *w, struct file_out *f) {
    struct buf *b = buf_in(w->session->arena, OUT_BYTE);
    buf_add(b, STR("id_a,id_b,probability\n"));
    for (size_t i = 0; i < w->result.n_pair; i++) {
        const struct dedupe_pair *p = &w->result.pair[i];
        csv_write_cell_guarded(b, w->id[p->a], ',');
        buf_add_byte(b, ',');
        csv_write_cell_guarded(b, w->id[p->b], ',');
        buf_add_format(b, ",%.6f\n", p->probability);
        TRY(flush(f, b, FLUSH_BYTE));
    }
    return flush(f, b, 0);
}

/* A cluster is named by the id of its first row. */
static err write_clusters(struct work *w, struct file_out *f) {
    struct buf *b = buf_in(w->session->arena, OUT_BYTE);
    buf_add(b, STR("id,cluster\n"));
    for (size_t i = 0; i < w->result.n_row; i++) {
        csv_write_cell_guarded(b, w->id[i], ',');
        buf_add_byte(b, ',');
        csv_write_cell_guarded(b, w->id[w->result.cluster[i]], ',');
        buf_add_byte(b, '\n');
        TRY(flush(f, b, FLUSH_BYTE));
    }
    return flush(f, b, 0);
}

static void put_field(struct json_writer *w, const struct wanted *column, const struct linkage_field *f) {
    json_open_object(w);
    json_put_string(w, STR("column"), column->name);
    json_put_string(w, STR("kind"), str_from(dedupe_kind_name(column->kind)));
    json_key(w, STR("levels"));
    json_open_array(w);
    for (unsigned l = 1; l < f->n_level; l++) {
        json_open_object(w);
        json_put_string(w, STR("level"), str_from(dedupe_level_name(column->kind, l)));
        json_put_number(w, STR("m"), f->m[l]);
        json_put_number(w, STR("u"), f->u[l]);
        json_put_number(w, STR("related"), f->r[l]);
        json_put_number(w, STR("weight"), log2(f->m[l] / f->u[l]));
        json_close_object(w);
    }
    json_close_array(w);
    json_close_object(w);
}

static double cpu_second(void) {
    struct rusage u;
    if (getrusage(RUSAGE_SELF, &u) != 0)
        return NAN;
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static err show_json(const struct work *w) {
    const struct dedupe_result *r = &w->result;
    struct session_document *d = session_document_new(w->session);
    struct json_writer *j = &d->w;
    json_open_object(j);
    json_put_integer(j, STR("rows"), (int64_t)r->n_row);
    if (w->o->link.len > 0) {
        json_put_integer(j, STR("rows_first"), (int64_t)r->n_file[0]);
        json_put_integer(j, STR("rows_second"), (int64_t)r->n_file[1]);
    }
    json_put_integer(j, STR("rows_bad"), (int64_t)w->n_bad);
    json_put_integer(j, STR("pairs"), (int64_t)r->n_pair);
    json_put_integer(j, STR("pairs_implied"), (int64_t)r->n_implied);
    json_put_integer(j, STR("pairs_refused"), (int64_t)r->n_refused);
    json_put_integer(j, STR("clusters"), (int64_t)r->n_cluster);
    json_put_integer(j, STR("compared"), (int64_t)r->n_compared);
    json_put_integer(j, STR("passes"), (int64_t)r->n_pass);
    json_put_integer(j, STR("window"), (int64_t)r->window);
    json_put_number(j, STR("threshold"), w->o->threshold);
    json_key(j, STR("model"));
    json_open_object(j);
    json_put_number(j, STR("match"), r->model->match);
    json_put_number(j, STR("related"), r->model->related);
    json_put_integer(j, STR("iterations"), r->model->iterations);
    json_put_bool(j, STR("converged"), r->model->converged);
    json_key(j, STR("columns"));
    json_open_array(j);
    for (size_t f = 0; f < r->model->n_field; f++)
        put_field(j, &w->wanted[f], &r->model->field[f]);
    json_close_array(j);
    json_close_object(j);
    json_key(j, STR("seconds"));
    json_open_object(j);
    json_put_number(j, STR("read"), w->read_s);
    json_put_number(j, STR("search"), w->search_s);
    json_put_number(j, STR("write"), w->write_s);
    json_put_number(j, STR("cpu"), cpu_second());
    json_close_object(j);
    json_close_object(j);
    return session_document_print(w->session, d);
}

static void show_text(const struct work *w) {
    struct arena *a = w->session->arena;
    const struct terminal *t = session_summary(w->session);
    const struct dedupe_result *r = &w->result;
    present_pair(t, "rows", 10, number_for_people(a, (double)r->n_row));
    present_pair(t, "pairs", 10, number_for_people(a, (double)r->n_pair));
    present_pair(t, "clusters", 10, number_for_people(a, (double)r->n_cluster));
    if (w->n_bad > 0)
        session_warn(w->session, "%s rows could not be read and were left out", number_for_people(a, (double)w->n_bad).ptr);
}

static err search(struct work *w) {
    const struct dedupe_settings *o = w->o;
    struct arena *a = w->session->arena;
    enum dedupe_kind *kind = ARENA_ARRAY(a, w->n_wanted, enum dedupe_kind);
    for (size_t k = 0; k < w->n_wanted; k++)
        kind[k] = w->wanted[k].kind;
    const struct dedupe_options options = {.kind = kind,
                                           .n_column = w->n_wanted,
                                           .link = o->link.len > 0,
                                           .threshold = o->threshold,
                                           .threads = (unsigned)o->threads};
    const int64_t began = w->session->clock.steady_ns();
    TRY(dedupe_new(a, &options, &w->dedupe));
    TRY(read_file(w, 0, o->file));
    if (o->link.len > 0)
        TRY(read_file(w, 1, o->link));
    w->read_s = clock_second_since(&w->session->clock, began);
    TRY(dedupe_run(w->dedupe, &w->result));
    w->search_s = clock_second_since(&w->session->clock, began) - w->read_s;
    return OK;
}

static err run_dedupe(struct session *s, const void *options) {
    struct work w = {.session = s, .o = options};
    struct file_out *pairs, *clusters = NULL;
    TRY(read_columns(&w));
    s->data_on_stdout = str_equal(w.o->out, STR("-")) || str_equal(w.o->clusters, STR("-"));
    if (str_equal(w.o->out, w.o->clusters))
        return session_usage("usage_bad_value", "--out and --clusters are the same file");
    TRY(file_create(s->arena, w.o->out.ptr, &pairs));
    if (w.o->clusters.len > 0)
        TRY(file_create(s->arena, w.o->clusters.ptr, &clusters));
    TRY(search(&w));
    const int64_t began = s->clock.steady_ns();
    TRY(write_pairs(&w, pairs));
    if (clusters) {
        TRY(write_clusters(&w, clusters));
        TRY(file_commit(clusters));
    }
    TRY(file_commit(pairs));
    w.write_s = clock_second_since(&s->clock, began);
    if (s->json)
        return show_json(&w);
    if (!s->quiet)
        show_text(&w);
    return OK;
}

static const struct argument dedupe_arguments[] = {
    {.name = "FILE", .help = "rows to search: CSV, CSV.gz or JSON lines", .offset = offsetof(struct dedupe_settings, file)},
};

#define AT(member) .offset = offsetof(struct dedupe_settings, member)

static const struct setting dedupe_table[] = {
    {.name = "link",
     .type = SETTING_PATH,
     AT(link),
     .arg = "FILE2",
     .help = "look for pairs of a row of FILE and a row of FILE2 instead; both have the same columns"},
    {.name = "id", .type = SETTING_STRING, AT(id), .required = true, .arg = "COLUMN", .help = "the column that names a row"},
    {.name = "column",
     .letter = 'c',
     .type = SETTING_LIST,
     AT(column),
     .required = true,
     .arg = "KIND=COLUMN",
     .help =
         "a column to compare and what it holds; once for each. Kinds: given_name, surname, name, email, phone, company, "
         "domain, street_number, street, city, postcode, state, country, birth_date, identifier"},
    {.name = "out",
     .letter = 'o',
     .type = SETTING_PATH,
     AT(out),
     .required = true,
     .arg = "PAIRS",
     .help = "where to write the pairs: id_a, id_b, probability"},
    {.name = "clusters",
     .type = SETTING_PATH,
     AT(clusters),
     .arg = "FILE",
     .help = "also write each row's cluster: id, cluster"},
    {.name = "threshold",
     .type = SETTING_FRACTION,
     AT(threshold),
     .fallback = "0.5",
     .min = 0.001,
     .max = 0.999999,
     .help = "least probability of a pair"},
    THREADS_SETTING(struct dedupe_settings, threads),
};

const struct command command_dedupe = {
    .name = "dedupe",
    .summary = "find rows that are the same person or company",
    .description =
        "Compares rows column by column and learns from the rows themselves how often columns of one person differ and how "
        "often columns of different people agree (Fellegi and Sunter's model, by expectation and maximisation): no labels "
        "and no thresholds for single columns are needed. Sharing a rare name counts for more than sharing a common one; "
        "slips of the keyboard, names in the wrong order and swapped days and months are recognised; an empty cell says "
        "nothing.\n\n"
        "Rows are joined to clusters where the evidence between all their rows outweighs what speaks against it, so that a "
        "chain of near misses does not grow into one person. The pairs written are those within clusters.\n\n"
        "No row is changed or merged.",
    .examples =
        "# duplicates in one file\n"
        "galena dedupe leads.csv --id lead_id --column name=Name --column email=Email --column company=Company --out "
        "pairs.csv --clusters clusters.csv\n"
        "# which new leads are in the customer list already?\n"
        "galena dedupe leads.csv --link customers.csv --id id --column email=email --column phone=phone --column name=name "
        "--out pairs.csv\n",
    COMMAND_ARGUMENTS(dedupe_arguments),
    COMMAND_SETTINGS(dedupe_table),
    .options_size = sizeof(struct dedupe_settings),
    .run = run_dedupe,
};
