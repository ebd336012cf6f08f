/* infer.c — a schema from the columns of a file, or from what an edited schema leaves open. */
#include "features/infer.h"

#include "features/sight_priv.h"

#include <math.h>

enum { MAX_WARNING = 10000 };

static void warn(struct work *w, str code, str field, str message) {
    struct schema *s = w->schema;
    if (s->n_warning >= MAX_WARNING)
        return;
    if (s->n_warning == w->warning_cap)
        w->warning = arena_grow(w->out, w->warning, &w->warning_cap, s->n_warning + 1, sizeof *w->warning);
    w->warning[s->n_warning++] = (struct schema_warning){code, str_copy(w->out, field), str_copy(w->out, message)};
    s->warning = w->warning;
}

void sight_warn(struct sight *x, str code, str message) { warn(x->w, code, x->f.name, message); }

str sight_brief(str s) { return str_slice(s, 0, 60); }

str sight_percent(struct sight *x, double part, double whole) {
    double p = whole > 0 ? 100 * part / whole : 0;
    return p >= 10 || p <= 0 ? str_format(x->w->a, "%.0f %%", p) : str_format(x->w->a, "%.2g %%", p);
}

/* ---- warnings about the settled column ---- */

static void warn_variants(struct sight *x) {
    str first = {0};
    size_t groups = 0;
    for (size_t i = 0; i < x->f.n_level; i++) {
        const struct level *l = &x->f.level[i];
        if (l->n_variant > 0 && groups++ == 0)
            first = str_format(x->w->a, "\"%.*s\" is read as \"%.*s\"", STR_ARG(sight_brief(l->variant[0])),
                               STR_ARG(sight_brief(l->text)));
    }
    if (groups > 0 && x->f.type != FIELD_FLAG)
        sight_warn(x, STR("case_variants"),
                   str_format(x->w->a, "column %.*s: spellings that differ only in case or space are merged: %.*s%s",
                              STR_ARG(x->title), STR_ARG(first), groups > 1 ? ", and others" : ""));
}

/* The first cell in file order that cannot be read; there is one. */
static str first_unreadable(const struct sight *x, uint64_t *line) {
    size_t i = 0;
    double number;
    while (x->missing[x->c.value_of[i]] || column_read(x->c.value[x->c.value_of[i]].text, &x->f, &number))
        i++;
    *line = x->w->frame->line[x->w->rows[i]];
    return x->c.value[x->c.value_of[i]].text;
}

static void warn_unreadable(struct sight *x) {
    if (x->f.type != FIELD_NUMERIC && x->f.type != FIELD_DATE)
        return;
    size_t n, invalid;
    str example = {0};
    fit_mark_missing(&x->c, &x->f, x->missing);
    column_tally(x->w->a, &x->c, &x->f, x->missing, &n, &invalid, &example);
    if (invalid == 0)
        return;
    uint64_t line;
    example = first_unreadable(x, &line);
    const str source = x->w->frame->source;
    sight_warn(
        x, STR("unparsable_values"),
        str_format(x->w->a,
                   "%.*s%sline %llu, column %.*s (%s): \"%.*s\" cannot be read; %zu cell%s of the column %s as not known",
                   STR_ARG(source), source.len > 0 ? ", " : "", (unsigned long long)line, STR_ARG(x->title),
                   field_type_name(x->f.type), STR_ARG(sight_brief(example)), invalid, invalid == 1 ? "" : "s",
                   invalid == 1 ? "counts" : "count"));
}

static void note_missing(struct sight *x) {
    double empty = 0, all = (double)x->c.n_row;
    str note = x->f.note;
    for (size_t v = 0; v < x->c.n_value; v++) {
        const struct distinct *d = &x->c.value[v];
        if (!x->missing[v])
            continue;
        empty += d->n;
        if (d->text.len > 0)
            note = str_format(x->w->a, "%.*s%s\"%.*s\" in %.*s of the rows means missing", STR_ARG(note),
                              note.len ? "; " : "", STR_ARG(sight_brief(d->text)), STR_ARG(sight_percent(x, d->n, all)));
    }
    x->f.note = x->noted ? x->f.note : note;
    if (empty > 0.6 * all)
        sight_warn(x, STR("many_missing"),
                   str_format(x->w->a, "column %.*s: %.*s of the rows have no value", STR_ARG(x->title),
                              STR_ARG(sight_percent(x, empty, all))));
}

/* ---- one field, all fields ---- */

static bool is_excluded(const struct work *w, str name) {
    for (size_t i = 0; i < w->o.n_exclude; i++)
        if (str_equal(w->o.exclude[i], name))
            return true;
    return false;
}

/* What decides before the cells are looked at. */
static bool settled_by_options(struct work *w, struct field *f) {
    if (is_excluded(w, f->name)) {
        f->type = FIELD_IGNORED;
        f->note = STR("excluded by request");
        return true;
    }
    if (f->name.len > 0 && str_equal(f->name, w->o.id)) {
        f->type = FIELD_IDENTIFIER;
        f->note = STR("named as the identifier of the row");
        return true;
    }
    return (f->given & GIVEN_TYPE) && !field_is_used(f);
}

static void settle_group(struct sight *x) {
    if (x->f.given & GIVEN_GROUP)
        return;
    x->f.group = name_group(&x->words);
    if (x->f.type == FIELD_DATE)
        x->f.group = STR("chronographic");
    if (x->f.type == FIELD_TEXT && str_equal(x->f.group, STR("other")))
        x->f.group = STR("textual");
}

static str *copy_strings(struct arena *a, const str *from, size_t n) {
    str *to = ARENA_ARRAY(a, n, str);
    for (size_t i = 0; i < n; i++)
        to[i] = str_copy(a, from[i]);
    return to;
}

static const double *copy_numbers(struct arena *a, const double *from, size_t n) {
    return from ? arena_copy(a, from, n * sizeof *from) : NULL;
}

/* The field with everything it points to, so that neither the scratch nor the frame need to live on. */
static struct field copy_field(struct arena *a, const struct field *f) {
    struct field to = *f;
    size_t n_bin = f->n_edge + 1, n_slot = field_slots(f);
    struct level *levels = ARENA_ARRAY(a, f->n_level, struct level);
    for (size_t i = 0; i < f->n_level; i++) {
        const struct level *l = &f->level[i];
        levels[i] = (struct level){str_copy(a, l->text), copy_strings(a, l->variant, l->n_variant), l->n_variant};
    }
    to.level = levels;
    to.missing = copy_strings(a, f->missing, f->n_missing);
    to.edge = copy_numbers(a, f->edge, f->n_edge);
    to.level_rate = copy_numbers(a, f->level_rate, n_slot);
    to.level_share = copy_numbers(a, f->level_share, n_slot);
    to.bin_rate = copy_numbers(a, f->bin_rate, n_bin);
    to.bin_share = copy_numbers(a, f->bin_share, n_bin);
    to.quantile = copy_numbers(a, f->quantile, SCHEMA_N_QUANTILE);
    str *const texts[] = {&to.name, &to.title, &to.unit, &to.group, &to.note};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = str_copy(a, *texts[i]);
    return to;
}

/* One column, with a scratch that is given back after it: the distinct cells of one column can be as large as the column. */
struct task {
    struct work *w;
    size_t column;
    const struct field *start;
    struct field *to;
};

static err infer_one(void *ctx) {
    struct task *t = ctx;
    struct work *w = t->w;
    struct sight *x = ARENA_NEW(w->a, struct sight);
    *x = (struct sight){.w = w,
                        .f = *t->start,
                        .words = name_words(t->start->name),
                        .title = sight_brief(t->start->name),
                        .noted = t->start->note.len > 0};
    if (!settled_by_options(w, &x->f)) {
        column_count(w->a, w->frame->cell[t->column], w->rows, w->n, w->y, &x->c);
        column_fold(w->a, &x->c, &x->s);
        sight_decide(x);
        if (field_is_used(&x->f)) {
            fit_field(w->a, &x->c, &w->fit, &x->f);
            warn_variants(x);
            warn_unreadable(x);
            note_missing(x);
        }
    }
    settle_group(x);
    *t->to = copy_field(w->out, &x->f);
    return OK;
}

static err infer_field(struct work *w, size_t column, const struct field *start, struct field *to) {
    struct task t = {w, column, start, to};
    err rc = arena_run(w->a, infer_one, &t);
    arena_reset(w->a);
    return rc;
}

static err require_column(const struct frame *f, str name, const char *what) {
    if (name.len == 0 || frame_find(f, name) >= 0)
        return OK;
    return fail(ERR_INPUT, "column_unknown", "%.*s: there is no column \"%.*s\" (%s)", STR_ARG(f->source),
                STR_ARG(str_slice(name, 0, 80)), what);
}

static void set_fit_opts(struct work *w) {
    uint32_t rare = w->o.rare, n = (uint32_t)w->n;
    if (rare == 0)
        rare = n / 200 < 5 ? 5 : n / 200 > 10 ? 10 : n / 200;
    if (w->o.rare == 0 && n / 20000 > rare)
        rare = n / 20000;
    double positive = 0;
    for (size_t i = 0; w->y && i < w->n; i++)
        positive += w->y[i];
    w->fit = (struct fit_opts_field){.has_y = w->y != NULL,
                                     .base_rate = positive / (double)w->n,
                                     .rare = rare,
                                     .max_level = w->o.max_level ? w->o.max_level : 2000,
                                     .n_bin = w->o.n_bin ? w->o.n_bin : 14};
}

static void free_arena(void *ctx) { arena_free(ctx); }

static err begin(struct work *w) {
    if (w->n == 0)
        return fail(ERR_INPUT, "no_rows", "%.*s: there are no training rows", STR_ARG(w->frame->source));
    TRY(require_column(w->frame, w->o.target, "the target"));
    TRY(require_column(w->frame, w->o.id, "the identifier"));
    TRY(require_column(w->frame, w->o.time, "the time"));
    for (size_t i = 0; i < w->o.n_exclude; i++)
        TRY(require_column(w->frame, w->o.exclude[i], "to be excluded"));
    set_fit_opts(w);
    w->a = arena_new(arena_limit(w->out));
    if (!w->a)
        return fail(ERR_AGAIN, "no_memory", "the system has no memory left");
    arena_defer(w->out, free_arena, w->a);
    w->schema = ARENA_NEW(w->out, struct schema);
    *w->schema = (struct schema){.version = SCHEMA_VERSION,
                                 .target = str_copy(w->out, w->o.target),
                                 .positive = str_copy(w->out, w->o.positive),
                                 .id = str_copy(w->out, w->o.id),
                                 .time = str_copy(w->out, w->o.time)};
    return OK;
}

static struct field blank_field(str name) {
    return (struct field){.name = name,
                          .decimal = '.',
                          .minimum = -INFINITY,
                          .scale = 1,
                          .typical_converted = (double)NAN,
                          .typical_other = (double)NAN};
}

err schema_infer(struct arena *a, const struct frame *f, const uint32_t *train_rows, size_t n_train, const double *y,
                 const struct infer_opts *o, struct schema **out) {
    struct work w = {.out = a, .frame = f, .rows = train_rows, .n = n_train, .y = y, .o = *o};
    TRY(begin(&w));
    struct field *fields = ARENA_ARRAY(a, f->n_col, struct field);
    size_t n = 0;
    for (size_t c = 0; c < f->n_col; c++) {
        if (o->target.len > 0 && str_equal(f->name[c], o->target))
            continue;
        struct field start = blank_field(f->name[c]);
        TRY(infer_field(&w, c, &start, &fields[n++]));
    }
    w.schema->field = fields;
    w.schema->n_field = n;
    *out = w.schema;
    return OK;
}

static void warn_unlisted(struct work *w, const struct schema *given) {
    for (size_t c = 0; c < w->frame->n_col; c++) {
        str name = w->frame->name[c];
        if (!str_equal(name, w->schema->target) && schema_find(given, name) < 0)
            warn(w, STR("column_unlisted"), name,
                 str_format(w->a, "column %.*s is not in the schema and is left out", STR_ARG(sight_brief(name))));
    }
}

/* Fields are numbered anew: the target, for one, is none. */
static void keep_interactions(struct arena *a, const struct schema *given, struct schema *s) {
    struct interaction *list = ARENA_ARRAY(a, given->n_interaction, struct interaction);
    s->interaction = list;
    s->interaction_given = given->interaction_given;
    for (size_t i = 0; i < given->n_interaction; i++) {
        const struct interaction *x = &given->interaction[i];
        const ptrdiff_t first = schema_find(s, given->field[x->first].name),
                        second = schema_find(s, given->field[x->second].name);
        if (first >= 0 && second >= 0)
            list[s->n_interaction++] = schema_interaction(a, s, (uint32_t)first, (uint32_t)second, x->product, x->n_product);
    }
}

err schema_complete(struct arena *a, const struct schema *given, const struct frame *f, const uint32_t *train_rows,
                    size_t n_train, const double *y, const struct infer_opts *o, struct schema **out) {
    struct work w = {.out = a, .frame = f, .rows = train_rows, .n = n_train, .y = y, .o = *o};
    w.o.target = o->target.len ? o->target : given->target;
    w.o.positive = o->positive.len ? o->positive : given->positive;
    w.o.id = o->id.len ? o->id : given->id;
    w.o.time = o->time.len ? o->time : given->time;
    TRY(begin(&w));
    struct field *fields = ARENA_ARRAY(a, given->n_field, struct field);
    size_t n = 0;
    for (size_t i = 0; i < given->n_field; i++) {
        struct field start = given->field[i];
        if (str_equal(start.name, w.o.target))
            continue;
        ptrdiff_t c = frame_find(f, start.name);
        if (c < 0 && (!(start.given & GIVEN_TYPE) || field_is_used(&start)))
            return require_column(f, start.name, "a field of the schema");
        if (c < 0) {
            fields[n++] = copy_field(a, &start);
            continue;
        }
        TRY(infer_field(&w, (size_t)c, &start, &fields[n++]));
    }
    w.schema->field = fields;
    w.schema->n_field = n;
    keep_interactions(a, given, w.schema);
    warn_unlisted(&w, given);
    *out = w.schema;
    return OK;
}
