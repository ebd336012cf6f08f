/* model.c — galena model show and list: what is inside model files. */
#include "base/time.h"
#include "cmd/command.h"
#include "cmd/present.h"
#include "score/bundle.h"

#include <dirent.h>

struct model_options {
    str file;
};

struct model_list_options {
    str folder;
};

enum { SHOWN_TERMS = 15, LIST_MAX = 10000 };

static str day_of(struct arena *a, int64_t ms) {
    char text[TIME_TEXT_BYTE];
    return str_copy(a, (str){text, time_format_day(ms, text)});
}

static double metric_of(const struct bundle *b, const char *part, const char *name) {
    const struct json *v = json_get(json_get(json_get(b->lineage, STR("metrics")), str_from(part)), str_from(name));
    return json_is_number(v) ? json_number_of(v) : 0;
}

static str text_of(const struct bundle *b, const char *key) {
    const struct json *v = json_get(b->lineage, str_from(key));
    return v && v->type == JSON_STRING ? v->string : STR("?");
}

/* ---- show ---- */

static size_t rank_terms(struct arena *a, const struct bundle *b, uint32_t **out) {
    uint32_t *order = ARENA_ARRAY(a, b->n_term, uint32_t);
    size_t n = 0;
    for (size_t t = 0; t < b->n_term; t++) {
        if (!(b->importance[t] > 0))
            continue;
        size_t at = n++;
        for (; at > 0 && b->importance[order[at - 1]] < b->importance[t]; at--)
            order[at] = order[at - 1];
        order[at] = (uint32_t)t;
    }
    *out = order;
    return n;
}

static void show_terms(struct session *s, const struct bundle *b) {
    uint32_t *order;
    size_t n = rank_terms(s->arena, b, &order);
    struct present_table t = present_table_new(s->arena, "field|group|>importance|");
    for (size_t i = 0; i < n && i < SHOWN_TERMS; i++) {
        present_cell(&t, bundle_term_title(b, order[i]));
        present_cell(&t, bundle_term_group(b, order[i]));
        present_cell_format(&t, "%.3f", b->importance[order[i]]);
        present_cell(&t, present_bar(s->arena, b->importance[order[i]] / b->importance[order[0]], 20, false));
    }
    present_heading(&s->out, "What it looks at (mean absolute share of the log-odds)");
    present_table_print(&s->out, &t);
    if (n > SHOWN_TERMS)
        terminal_put(&s->out, str_format(s->arena, "  and %zu more\n", n - SHOWN_TERMS));
}

static str pair_text(struct arena *a, const struct product *p) {
    return str_equal(p->first, p->second) ? p->first : str_format(a, "%.*s × %.*s", STR_ARG(p->first), STR_ARG(p->second));
}

static void show_interactions(struct session *s, const struct bundle *b) {
    if (b->schema->n_interaction == 0)
        return;
    struct present_table t = present_table_new(s->arena, "fields|columns multiplied");
    for (size_t i = 0; i < b->schema->n_interaction; i++) {
        const struct interaction *x = &b->schema->interaction[i];
        for (size_t k = 0; k < x->n_product; k++) {
            present_cell(&t, k == 0 ? x->title : STR(""));
            present_cell(&t, pair_text(s->arena, &x->product[k]));
        }
    }
    present_heading(&s->out, "What says more together (interactions)");
    present_table_print(&s->out, &t);
}

static void show_head(struct session *s, const struct bundle *b) {
    struct arena *a = s->arena;
    present_heading(&s->out, str_cstr(a, b->name));
    present_pair(&s->out, "family", 12, b->family);
    present_pair(&s->out, "trained", 12,
                 str_format(a, "%.*s by galena %.*s", STR_ARG(day_of(a, b->created_ms)), STR_ARG(b->program)));
    present_pair(&s->out, "data", 12, text_of(b, "data"));
    present_pair(&s->out, "split", 12, text_of(b, "split"));
    present_pair(&s->out, "base rate", 12, str_format(a, "%.1f %%", 100 * b->base_rate));
    present_pair(&s->out, "calibration", 12, str_from(calibration_kind_name(b->calibration->kind)));
    present_pair(&s->out, "tiers", 12, str_format(a, "hot above %g, warm above %g", b->hot, b->warm));
    if (b->no_signal)
        present_pair(&s->out, "status", 12, STR("not enough signal: it predicts the base rate"));
    if (metric_of(b, "test", "auc") > 0)
        present_pair(&s->out, "test", 12,
                     str_format(a, "AUC %.3f, log loss %.4f, calibration error %.4f", metric_of(b, "test", "auc"),
                                metric_of(b, "test", "log_loss"), metric_of(b, "test", "ece")));
    for (size_t m = 0; m < b->n_member; m++)
        present_pair(&s->out, m == 0 ? "made of" : "", 12,
                     str_format(a, "%s, weight %.3f", b->member[m].family->name, b->member[m].weight));
}

static void write_terms(struct json_writer *w, const struct bundle *b) {
    json_key(w, STR("features"));
    json_open_array(w);
    for (size_t t = 0; t < b->n_term; t++) {
        if (!(b->importance[t] > 0))
            continue;
        json_open_object(w);
        json_put_string(w, STR("name"), bundle_term_title(b, t));
        json_put_string(w, STR("group"), bundle_term_group(b, t));
        json_put_number(w, STR("importance"), b->importance[t]);
        json_close_object(w);
    }
    json_close_array(w);
}

static void write_interactions(struct arena *a, struct json_writer *w, const struct bundle *b) {
    json_key(w, STR("interactions"));
    json_open_array(w);
    for (size_t i = 0; i < b->schema->n_interaction; i++) {
        const struct interaction *x = &b->schema->interaction[i];
        json_open_object(w);
        json_put_string(w, STR("name"), x->title);
        json_key(w, STR("products"));
        json_open_array(w);
        for (size_t k = 0; k < x->n_product; k++)
            json_string(w, pair_text(a, &x->product[k]));
        json_close_array(w);
        json_close_object(w);
    }
    json_close_array(w);
}

static void write_bundle(struct arena *a, struct json_writer *w, const struct bundle *b) {
    json_open_object(w);
    json_put_string(w, STR("name"), b->name);
    json_put_string(w, STR("family"), b->family);
    json_put_string(w, STR("program"), b->program);
    json_put_integer(w, STR("created_ms"), b->created_ms);
    json_put_bool(w, STR("no_signal"), b->no_signal);
    json_put_number(w, STR("base_rate"), b->base_rate);
    json_put_number(w, STR("hot"), b->hot);
    json_put_number(w, STR("warm"), b->warm);
    json_put_string(w, STR("calibration"), str_from(calibration_kind_name(b->calibration->kind)));
    json_key(w, STR("members"));
    json_open_array(w);
    for (size_t m = 0; m < b->n_member; m++) {
        json_open_object(w);
        json_put_string(w, STR("family"), str_from(b->member[m].family->name));
        json_put_number(w, STR("weight"), b->member[m].weight);
        json_close_object(w);
    }
    json_close_array(w);
    json_key(w, STR("lineage"));
    json_value(w, b->lineage);
    write_terms(w, b);
    write_interactions(a, w, b);
    json_close_object(w);
}

static err run_show(struct session *s, const void *options) {
    const struct model_options *o = options;
    struct bundle *b;
    TRY(bundle_load(s->arena, o->file.ptr, &b));
    if (!s->json) {
        show_head(s, b);
        show_terms(s, b);
        show_interactions(s, b);
        return OK;
    }
    struct session_document *d = session_document_new(s);
    write_bundle(s->arena, &d->w, b);
    return session_document_print(s, d);
}

/* ---- list ---- */

static int by_name(const void *x, const void *y) { return str_compare(*(const str *)x, *(const str *)y); }

static void close_folder(void *ctx) { closedir(ctx); }

static err read_names(struct arena *a, str folder, str **out, size_t *n) {
    DIR *d = opendir(folder.ptr);
    if (!d)
        return fail(ERR_ABSENT, "folder_missing", "%s: there is no such folder, or it may not be read", folder.ptr);
    arena_defer(a, close_folder, d);
    size_t cap = 0;
    *out = NULL;
    *n = 0;
    for (const struct dirent *e; (e = readdir(d)) && *n < LIST_MAX;) {
        if (e->d_name[0] == '.')
            continue;
        if (*n == cap)
            *out = arena_grow(a, *out, &cap, *n + 1, sizeof **out);
        (*out)[(*n)++] = str_copy(a, str_from(e->d_name));
    }
    if (*n > 0)
        qsort(*out, *n, sizeof **out, by_name);
    return OK;
}

/* Each file is loaded into an arena of its own, so that a folder of many models needs the memory of one. */
struct listing {
    struct session *s;
    struct arena *own;
    struct present_table *table;
    struct json_writer *w;
    const char *path;
    str name;
};

/* A figure of the test rows; a dash when there were none. */
static str metric_text(struct arena *a, const struct bundle *b, const char *name, int digits) {
    double value = metric_of(b, "test", name);
    return value > 0 ? str_format(a, "%.*f", digits, value) : STR("-");
}

static void list_cells(const struct listing *l, const struct bundle *b) {
    struct arena *a = l->s->arena;
    present_cell(l->table, l->name);
    present_cell(l->table, str_copy(a, b->family));
    present_cell(l->table, day_of(a, b->created_ms));
    present_cell(l->table, metric_text(a, b, "auc", 3));
    present_cell(l->table, metric_text(a, b, "log_loss", 4));
    present_cell(l->table, str_copy(a, text_of(b, "data")));
}

static err list_file(void *ctx) {
    struct listing *l = ctx;
    struct bundle *b;
    err rc = bundle_load(l->own, l->path, &b);
    const str slug = str_from(err_slug());
    if (rc != OK && (str_equal(slug, STR("model_not_a_model")) || str_equal(slug, STR("file_directory"))))
        return OK;
    if (rc != OK) {
        session_warn(l->s, "%s", err_text());
        return OK;
    }
    if (l->w)
        write_bundle(l->own, l->w, b);
    else
        list_cells(l, b);
    return OK;
}

static err list_files(struct listing *l, str folder, const str *name, size_t n) {
    for (size_t i = 0; i < n; i++) {
        l->name = name[i];
        l->path = str_cstr(l->s->arena, str_format(l->s->arena, "%s/%.*s", folder.ptr, STR_ARG(name[i])));
        err rc = arena_run(l->own, list_file, l);
        arena_reset(l->own);
        if (rc != OK)
            session_warn(l->s, "%s: %s", l->path, err_text());
    }
    return OK;
}

static void free_arena(void *ctx) { arena_free(ctx); }

static err run_list(struct session *s, const void *options) {
    const struct model_list_options *o = options;
    str folder = o->folder.len > 0 ? o->folder : STR("."), *name = NULL;
    size_t n = 0;
    TRY(read_names(s->arena, folder, &name, &n));
    struct present_table table = present_table_new(s->arena, "file|family|trained|>test AUC|>log loss|data");
    struct session_document *d = session_document_new(s);
    struct listing l = {.s = s, .own = arena_new((size_t)4 << 30), .table = &table, .w = s->json ? &d->w : NULL};
    if (!l.own)
        return fail(ERR_LIMIT, "memory_limit", "no memory to read a model");
    arena_defer(s->arena, free_arena, l.own);
    json_open_array(&d->w);
    TRY(list_files(&l, folder, name, n));
    json_close_array(&d->w);
    if (s->json)
        return session_document_print(s, d);
    present_table_print(&s->out, &table);
    return OK;
}

static const struct argument show_arguments[] = {
    {.name = "MODEL", .help = "a model file", .offset = offsetof(struct model_options, file)},
};

static const struct argument list_arguments[] = {
    {.name = "FOLDER",
     .help = "where to look; the current folder when left out",
     .offset = offsetof(struct model_list_options, folder),
     .optional = true},
};

const struct command command_model_show = {
    .name = "model show",
    .summary = "show what is inside a model file",
    .description = "Shows a model's family, what it was trained on, how good it was on the test rows, which fields it looks "
                   "at and which of them it multiplies.",
    COMMAND_ARGUMENTS(show_arguments),
    .options_size = sizeof(struct model_options),
    .run = run_show,
};

const struct command command_model_list = {
    .name = "model list",
    .summary = "list the models in a folder",
    .description =
        "Lists the model files in a folder with family, day of training and test figures. Other files are passed over.",
    COMMAND_ARGUMENTS(list_arguments),
    .options_size = sizeof(struct model_list_options),
    .run = run_list,
};
