/* match.c — galena match: which known organisation each name means, or whether two names are those of one thing. */
#include "base/csv.h"
#include "base/number.h"
#include "cmd/present.h"
#include "cmd/registry_load.h"

#include <math.h>
#include <time.h>

enum { SPENT = 1280, SPENT_STEP = 32 };

struct match_settings {
    struct leads_options leads;
    str registry, query, query_domain, query_country, query_city, out;
    struct registry_columns column;
    double threshold;
    str pairs, a, b, kind;
};

/* ---- names and a registry ---- */

/* How many look-ups took so long: by SPENT_STEP-ths of the binary logarithm of nanoseconds. */
struct spent {
    uint64_t count[SPENT];
};

struct linking {
    struct match_finder *finder;
    const struct registry *registry;
    size_t at[4];
    bool has[4];
    uint64_t count[3];
    struct clock clock;
    struct spent wall, cpu;
};

static void note_spent(struct spent *s, int64_t ns) {
    const double place = ns > 1 ? log2((double)ns) * SPENT_STEP : 0;
    s->count[place < SPENT - 1 ? (size_t)place : SPENT - 1]++;
}

/* The time in milliseconds that a share of the look-ups does not exceed. */
static double spent_ms(const struct spent *s, double share) {
    uint64_t all = 0, sum = 0;
    for (size_t i = 0; i < SPENT; i++)
        all += s->count[i];
    for (size_t i = 0; i < SPENT; i++) {
        sum += s->count[i];
        if (sum > 0 && (double)sum >= share * (double)all)
            return exp2((double)(i + 1) / SPENT_STEP) / 1e6;
    }
    return 0;
}

static int64_t cpu_ns(void) {
    struct timespec t;
    return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0 ? (int64_t)t.tv_sec * 1000000000 + t.tv_nsec : 0;
}

static void put_spent(struct json_writer *w, str name, const struct spent *s) {
    json_key(w, name);
    json_open_object(w);
    json_put_number(w, STR("p50"), spent_ms(s, 0.5));
    json_put_number(w, STR("p99"), spent_ms(s, 0.99));
    json_close_object(w);
}

static err load_registry(struct session *s, const struct match_settings *o, const struct registry **out) {
    const struct match_forms *forms;
    const struct leads_options file = {.file = o->registry};
    struct registry_counts counts;
    TRY(match_forms_load(s->arena, &forms));
    if (registry_is_index(o->registry.ptr))
        return registry_open(s->arena, o->registry.ptr, forms, out);
    if (o->column.id.len == 0 || o->column.name.len == 0)
        return session_usage("usage_missing_option",
                             "%s is no index of galena registry build: say with --registry-id and --registry-name which of "
                             "its columns are which",
                             o->registry.ptr);
    return registry_load_table(s, &file, &o->column, forms, &counts, out);
}

static str cell(const struct linking *l, const struct table_row *row, size_t i) {
    return l->has[i] ? row->cell[l->at[i]] : (str){0};
}

static void put_number(struct append *to, double x) { buf_add_format(to->text, "%c%.4f", to->delimiter, x); }

static err link_row(void *ctx, const struct table_row *row, struct append *to) {
    struct linking *l = ctx;
    const struct match_query q = {cell(l, row, 0), cell(l, row, 1), cell(l, row, 2), cell(l, row, 3)};
    struct match_result r;
    struct registry_entry e = {0};
    const int64_t began = l->clock.steady_ns(), cpu = cpu_ns();
    match_find(l->finder, &q, &r);
    note_spent(&l->cpu, cpu_ns() - cpu);
    note_spent(&l->wall, l->clock.steady_ns() - began);
    l->count[r.status]++;
    if (r.n > 0)
        e = registry_entry_of(l->registry, r.candidate[0].organisation);
    const str text[] = {r.status == MATCH_FOUND ? e.id : (str){0}, r.status != MATCH_NONE ? e.name : (str){0}};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        buf_add_byte(to->text, to->delimiter);
        csv_write_cell_guarded(to->text, text[i], to->delimiter);
    }
    put_number(to, r.confidence);
    put_number(to, r.margin);
    buf_add_format(to->text, "%c%s", to->delimiter, match_status_name(r.status));
    return OK;
}

static err find_columns(struct linking *l, const struct table *t, const struct match_settings *o) {
    const str name[] = {o->query, o->query_domain, o->query_country, o->query_city};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        l->has[i] = name[i].len > 0;
        if (l->has[i])
            TRY(append_find(t, name[i], &l->at[i]));
    }
    return OK;
}

static err link_show(struct session *s, const struct match_settings *o, const struct linking *l, const struct append *a,
                     double load_s, double second) {
    static const enum match_status order[] = {MATCH_FOUND, MATCH_AMBIGUOUS, MATCH_NONE};
    const struct registry_size n = registry_size_of(l->registry);
    if (s->json) {
        struct session_document *d = session_document_new(s);
        json_open_object(&d->w);
        json_put_integer(&d->w, STR("rows"), (int64_t)a->rows);
        json_put_integer(&d->w, STR("bad_rows"), (int64_t)a->bad);
        for (size_t i = 0; i < 3; i++)
            json_put_integer(&d->w, str_from(match_status_name(order[i])), (int64_t)l->count[order[i]]);
        json_put_integer(&d->w, STR("organisations"), (int64_t)n.organisations);
        json_put_number(&d->w, STR("threshold"), o->threshold > 0 ? o->threshold : MATCH_THRESHOLD);
        put_spent(&d->w, STR("lookup_ms"), &l->wall);
        put_spent(&d->w, STR("lookup_cpu_ms"), &l->cpu);
        json_put_number(&d->w, STR("registry_seconds"), load_s);
        json_put_number(&d->w, STR("seconds"), second);
        json_close_object(&d->w);
        return session_document_print(s, d);
    }
    if (s->quiet)
        return OK;
    const struct terminal *t = session_summary(s);
    present_heading(t, str_cstr(s->arena, str_format(s->arena, "%s names looked up among %s organisations",
                                                     number_for_people(s->arena, (double)a->rows).ptr,
                                                     number_for_people(s->arena, (double)n.organisations).ptr)));
    for (size_t i = 0; i < 3; i++)
        present_pair(t, match_status_name(order[i]), 14, number_for_people(s->arena, (double)l->count[order[i]]));
    return OK;
}

static err run_link(struct session *s, const struct match_settings *o) {
    static const str column[] = {STR_INIT("match_id"), STR_INIT("match_name"), STR_INIT("match_confidence"),
                                 STR_INIT("match_margin"), STR_INIT("match_status")};
    const int64_t began = s->clock.steady_ns();
    struct linking l = {.clock = s->clock};
    struct append a;
    if (o->registry.len == 0 || o->query.len == 0 || o->leads.file.len == 0)
        return session_usage("usage_missing_option", "give QUERIES, --registry and --query-column; or --pairs, --a and --b");
    TRY(leads_refuse_same("--out", o->out, "--registry", o->registry));
    TRY(append_open(s, &o->leads, o->out, column, sizeof column / sizeof *column, &a));
    TRY(find_columns(&l, a.table, o));
    TRY(load_registry(s, o, &l.registry));
    const double load_s = clock_second_since(&s->clock, began);
    l.finder = match_finder_new(s->arena, l.registry, o->threshold);
    TRY(append_run(&a, link_row, &l));
    TRY(append_commit(&a));
    return link_show(s, o, &l, &a, load_s, clock_second_since(&s->clock, began));
}

/* ---- pairs of names ---- */

struct pairing {
    struct match_pairs *pairs;
    size_t at[3];
    bool has_kind;
    double threshold;
    uint64_t matches;
};

static enum match_kind kind_of(const struct pairing *p, const struct table_row *row) {
    const str kind = p->has_kind ? str_trim(row->cell[p->at[2]]) : (str){0};
    return str_equal_nocase(kind, STR("person")) || str_equal_nocase(kind, STR("people")) ? MATCH_PERSON
                                                                                          : MATCH_ORGANISATION;
}

static err count_names(struct session *s, const struct leads_options *o, struct pairing *p) {
    struct table *t;
    struct arena *batch = arena_new((size_t)256 << 20);
    if (!batch)
        return fail(ERR_LIMIT, "memory_limit", "no memory for reading");
    err rc = leads_open(s, o, &t);
    for (size_t n = 1; rc == OK && n > 0;) {
        struct table_row *row;
        arena_reset(batch);
        rc = table_read(t, batch, 4096, &row, &n);
        for (size_t i = 0; rc == OK && i < n; i++)
            for (size_t k = 0; row[i].status == OK && k < 2; k++)
                match_pairs_count(p->pairs, kind_of(p, &row[i]), row[i].cell[p->at[k]]);
    }
    arena_free(batch);
    return rc;
}

static err pair_row(void *ctx, const struct table_row *row, struct append *to) {
    struct pairing *p = ctx;
    const double probability = match_pair(p->pairs, kind_of(p, row), row->cell[p->at[0]], row->cell[p->at[1]]);
    const bool match = probability >= p->threshold;
    p->matches += match;
    put_number(to, probability);
    buf_add_format(to->text, "%c%s", to->delimiter, match ? "true" : "false");
    return OK;
}

static err pair_show(struct session *s, const struct pairing *p, const struct append *a, double second) {
    if (s->json) {
        struct session_document *d = session_document_new(s);
        json_open_object(&d->w);
        json_put_integer(&d->w, STR("rows"), (int64_t)a->rows);
        json_put_integer(&d->w, STR("bad_rows"), (int64_t)a->bad);
        json_put_integer(&d->w, STR("matches"), (int64_t)p->matches);
        json_put_number(&d->w, STR("seconds"), second);
        json_close_object(&d->w);
        return session_document_print(s, d);
    }
    if (s->quiet)
        return OK;
    const struct terminal *t = session_summary(s);
    present_pair(t, "pairs", 14, number_for_people(s->arena, (double)a->rows));
    present_pair(t, "matches", 14, number_for_people(s->arena, (double)p->matches));
    return OK;
}

static err run_pairs(struct session *s, const struct match_settings *o) {
    static const str column[] = {STR_INIT("pair_probability"), STR_INIT("pair_match")};
    const int64_t began = s->clock.steady_ns();
    const struct match_forms *forms;
    struct leads_options file = o->leads;
    struct pairing p = {.threshold = o->threshold > 0 ? o->threshold : 0.5, .has_kind = o->kind.len > 0};
    struct append a;
    if (o->leads.file.len > 0 || o->registry.len > 0)
        return session_usage("usage_bad_value", "--pairs does not go with QUERIES or --registry");
    if (o->a.len == 0 || o->b.len == 0)
        return session_usage("usage_missing_option", "--pairs also takes --a and --b: the columns with the two names");
    if (str_equal(o->pairs, STR("-")))
        return session_usage("usage_bad_value", "--pairs takes a file that can be read twice, not standard input");
    file.file = o->pairs;
    TRY(append_open(s, &file, o->out, column, sizeof column / sizeof *column, &a));
    TRY(append_find(a.table, o->a, &p.at[0]));
    TRY(append_find(a.table, o->b, &p.at[1]));
    if (p.has_kind)
        TRY(append_find(a.table, o->kind, &p.at[2]));
    TRY(match_forms_load(s->arena, &forms));
    p.pairs = match_pairs_new(s->arena, forms);
    TRY(count_names(s, &file, &p));
    TRY(append_run(&a, pair_row, &p));
    TRY(append_commit(&a));
    return pair_show(s, &p, &a, clock_second_since(&s->clock, began));
}

static err run_match(struct session *s, const void *options) {
    const struct match_settings *o = options;
    s->data_on_stdout = str_equal(o->out, STR("-"));
    return o->pairs.len > 0 ? run_pairs(s, o) : run_link(s, o);
}

static const struct argument match_arguments[] = {
    {.name = "QUERIES",
     .help = "names to look up: CSV, CSV.gz or JSON lines; - is standard input",
     .offset = offsetof(struct match_settings, leads.file),
     .optional = true},
};

#define AT(member)     .offset = offsetof(struct match_settings, member)
#define COLUMN(member) .type = SETTING_STRING, AT(member), .arg = "COLUMN"

static const struct setting match_table[] = {
    {.name = "registry",
     .type = SETTING_PATH,
     AT(registry),
     .arg = "FILE",
     .help = "the known organisations: an index of galena registry build, or a file to index on the fly"},
    {.name = "query-column", COLUMN(query), .help = "the column of QUERIES with the name"},
    {.name = "query-domain", COLUMN(query_domain), .help = "the column of QUERIES with a domain, URL or e-mail address"},
    {.name = "query-country", COLUMN(query_country), .help = "the column of QUERIES with the country"},
    {.name = "query-city", COLUMN(query_city), .help = "the column of QUERIES with the city"},
    {.name = "registry-name", COLUMN(column.name), .help = "the column of the registry file with the name"},
    {.name = "registry-id", COLUMN(column.id), .help = "the column of the registry file that names an organisation"},
    {.name = "registry-former",
     COLUMN(column.former),
     .help = "the column of the registry file with earlier or other names, separated by ; or |"},
    {.name = "registry-domain", COLUMN(column.domain), .help = "the column of the registry file with the web domain"},
    {.name = "registry-country", COLUMN(column.country), .help = "the column of the registry file with the country"},
    {.name = "registry-city", COLUMN(column.city), .help = "the column of the registry file with the city"},
    {.name = "pairs",
     .type = SETTING_PATH,
     AT(pairs),
     .arg = "FILE",
     .help = "compare two names in each row of this file instead"},
    {.name = "a", COLUMN(a), .help = "the column of the pairs with the one name"},
    {.name = "b", COLUMN(b), .help = "the column of the pairs with the other name"},
    {.name = "kind-column",
     COLUMN(kind),
     .help = "the column of the pairs that says what they are: Person for people, else organisations"},
    {.name = "threshold",
     .type = SETTING_FRACTION,
     AT(threshold),
     .min = 0,
     .max = 0.999999,
     .help = "least probability of a match; 0.65 when left out, 0.5 for pairs"},
    {.name = "out", .letter = 'o', .type = SETTING_PATH, AT(out), .fallback = "-", .help = "where the rows go"},
    LEADS_SETTINGS(struct match_settings, leads),
};

const struct command command_match = {
    .name = "match",
    .summary = "find the organisation a name means, or say that nobody knows",
    .description =
        "Looks each name up in a registry of organisations and writes the input columns and match_id, match_name, "
        "match_confidence, match_margin and match_status. The status is matched; ambiguous when one of several is meant "
        "(match_name is then the likeliest); or none. Only a match has a match_id. The confidence is the probability that "
        "the likeliest organisation is the right one, the margin what it has more than the next.\n\n"
        "Words count by how rare they are in the registry itself; legal forms, abbreviations, slips, the order of words, "
        "numbers, initials, earlier names, and domain, country and city where both sides have them are taken into "
        "account.\n\n"
        "With --pairs, two names of each row are compared: pair_probability and pair_match are added.",
    .examples =
        "# which company of the list is it?\n"
        "galena match leads.csv --query-column company --query-domain email --registry companies.registry --out linked.csv\n"
        "# a list that is not indexed yet\n"
        "galena match leads.csv --query-column company --registry companies.csv --registry-id number --registry-name name\n"
        "# are both names of one thing?\n"
        "galena match --pairs pairs.csv --a left --b right --out compared.csv\n",
    COMMAND_ARGUMENTS(match_arguments),
    COMMAND_SETTINGS(match_table),
    .options_size = sizeof(struct match_settings),
    .run = run_match,
};
