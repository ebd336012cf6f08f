/* technologies.c — galena technologies: which technologies saved web pages show, by rules the user has installed. */
#include "base/asset.h"
#include "base/file.h"
#include "base/number.h"
#include "base/parallel.h"
#include "cmd/command.h"
#include "cmd/page_list.h"
#include "cmd/present.h"
#include "cmd/progress.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

enum {
    BATCH_PAGE = 512,
    LINE_BYTE = 8 << 20,
    WORKER_BYTE = 1 << 30,
    PAGE_ARENA_BYTE = 64 << 20,
    THREAD_MAX = 64,
    SHOWN_FAULT = 3
};

struct technologies_settings {
    struct setting_list page, rules;
    str index, headers, url, out;
    int engine;
    int64_t threads, page_byte, page_ms;
};

/* What one thread has. Its buffers are kept from page to page. */
struct desk {
    struct arena *arena;
    struct tech_worker *worker;
    struct buf raw, html;
    z_stream zip;
};

struct slot {
    struct buf line;
    double cpu_ms;
    uint64_t byte;
    size_t found;
    bool incomplete, bad;
    str reason;
};

struct work {
    struct session *session;
    const struct technologies_settings *o;
    struct tech_rules *rules;
    struct tech_limits limits;
    struct page_list pages;
    struct desk desk[THREAD_MAX];
    unsigned threads;
    struct slot *slot; /* BATCH_PAGE */
    size_t from, to;   /* pages of this batch */
    atomic_size_t next;
    double *cpu_ms; /* by page */
    uint64_t byte, found, incomplete, bad;
    double compile_s, detect_s, cpu_s, compile_cpu_s;
};

static double cpu_of(clockid_t clock) {
    struct timespec t;
    if (clock_gettime(clock, &t) != 0)
        return 0;
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- rules ---- */

static err read_own_rules(struct arena *a, struct tech_source **out, size_t *n) {
    struct tech_source *s = ARENA_ARRAY(a, 2, struct tech_source);
    s[0] = (struct tech_source){STR("share/technologies/categories.json"), asset_get(STR("technologies/categories.json"))};
    s[1] =
        (struct tech_source){STR("share/technologies/technologies.json"), asset_get(STR("technologies/technologies.json"))};
    *out = s;
    *n = 2;
    return OK;
}

static err read_rules(struct work *w, struct tech_source **out, size_t *n) {
    struct arena *a = w->session->arena;
    const struct setting_list *list = &w->o->rules;
    if (list->n == 0)
        return read_own_rules(a, out, n);
    size_t cap = 0;
    *n = 0;
    *out = NULL;
    for (size_t i = 0; i < list->n; i++) {
        struct tech_source *one;
        size_t n_one;
        if (str_equal(list->item[i], STR("own")))
            TRY(read_own_rules(a, &one, &n_one));
        else
            TRY(tech_rules_read(a, list->item[i].ptr, &one, &n_one));
        *out = arena_grow(a, *out, &cap, *n + n_one, sizeof **out);
        memcpy(*out + *n, one, n_one * sizeof *one);
        *n += n_one;
    }
    return OK;
}

static err load_rules(struct work *w) {
    struct tech_source *source;
    size_t n, n_fault;
    const int64_t began = w->session->clock.steady_ns();
    const double cpu = cpu_of(CLOCK_PROCESS_CPUTIME_ID);
    TRY(read_rules(w, &source, &n));
    TRY(tech_rules_compile(w->session->arena, source, n, w->o->engine == 0, &w->rules));
    w->compile_s = clock_second_since(&w->session->clock, began);
    w->compile_cpu_s = cpu_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    const struct tech_fault *f = tech_rules_faults(w->rules, &n_fault);
    for (size_t i = 0; i < n_fault && i < SHOWN_FAULT; i++)
        session_warn(w->session, "%.*s: %.*s, %.*s: %.*s", STR_ARG(f[i].file), STR_ARG(f[i].technology), STR_ARG(f[i].kind),
                     STR_ARG(f[i].reason));
    if (n_fault > SHOWN_FAULT)
        session_warn(w->session, "and %zu more rules that cannot be used; --json lists them", n_fault - SHOWN_FAULT);
    return OK;
}

/* ---- a page ---- */

static err read_raw(struct desk *d, const char *path, size_t max_byte) {
    int fd;
    buf_clear(&d->raw);
    TRY(file_open(path, &fd));
    err rc = OK;
    while (d->raw.len < max_byte) {
        const size_t ask = 64 << 10;
        if (!buf_reserve(&d->raw, ask)) {
            rc = buf_check(&d->raw);
            break;
        }
        const ssize_t got = read(fd, d->raw.ptr + d->raw.len, ask);
        if (got < 0)
            rc = fail(ERR_AGAIN, "file_read", "%s cannot be read", path);
        if (got <= 0)
            break;
        d->raw.len += (size_t)got;
    }
    (void)close(fd);
    return rc;
}

/* Unpacks d->raw into d->html, at most max_byte: a small file may unpack to a very large one. */
static err unpack(struct desk *d, const char *path, size_t max_byte) {
    buf_clear(&d->html);
    if (inflateReset(&d->zip) != Z_OK || !buf_reserve(&d->html, max_byte + 1))
        return fail(ERR_LIMIT, "memory_limit", "no memory to unpack %s", path);
    d->zip.next_in = (Bytef *)d->raw.ptr;
    d->zip.avail_in = (uInt)d->raw.len;
    d->zip.next_out = (Bytef *)d->html.ptr;
    d->zip.avail_out = (uInt)max_byte + 1;
    const int rc = inflate(&d->zip, Z_FINISH);
    d->html.len = max_byte + 1 - d->zip.avail_out;
    const bool ended_early = rc != Z_STREAM_END && d->zip.avail_out > 0 && d->raw.len <= max_byte;
    if ((rc != Z_STREAM_END && rc != Z_OK && rc != Z_BUF_ERROR) || ended_early)
        return fail(ERR_INPUT, "gzip_corrupt", "%s is damaged: its packed bytes cannot be read to the end", path);
    return OK;
}

static err read_page(struct work *w, struct desk *d, const char *path, str *html) {
    const size_t max_byte = w->limits.page_byte;
    TRY(read_raw(d, path, max_byte + 1));
    *html = buf_str(&d->raw);
    if (html->len > 2 && (unsigned char)html->ptr[0] == 0x1F && (unsigned char)html->ptr[1] == 0x8B) {
        TRY(unpack(d, path, max_byte));
        *html = buf_str(&d->html);
    }
    return OK;
}

static void put_text(struct json_writer *j, str key, str value) {
    if (value.len > 0)
        json_put_string(j, key, value);
}

static void put_evidence(struct json_writer *j, const struct tech_found *f) {
    json_key(j, STR("evidence"));
    json_open_array(j);
    for (size_t i = 0; i < f->n_evidence; i++) {
        const struct tech_evidence *e = &f->evidence[i];
        json_open_object(j);
        json_put_string(j, STR("kind"), str_from(tech_kind_name(e->kind)));
        put_text(j, STR("key"), e->key);
        put_text(j, STR("pattern"), e->pattern);
        put_text(j, STR("match"), e->match);
        put_text(j, STR("version"), e->version);
        json_put_integer(j, STR("confidence"), e->confidence);
        json_close_object(j);
    }
    if (f->implied_by.len > 0) {
        json_open_object(j);
        json_put_string(j, STR("kind"), STR("implies"));
        json_put_string(j, STR("key"), f->implied_by);
        json_put_integer(j, STR("confidence"), f->confidence);
        json_close_object(j);
    }
    json_close_array(j);
}

static void put_found(struct json_writer *j, const struct tech_found *f) {
    json_open_object(j);
    json_put_string(j, STR("name"), f->name);
    json_put_string(j, STR("version"), f->version);
    json_put_integer(j, STR("confidence"), f->confidence);
    json_key(j, STR("categories"));
    json_open_array(j);
    for (size_t i = 0; i < f->n_category; i++)
        json_string(j, f->category[i]);
    json_close_array(j);
    put_evidence(j, f);
    json_close_object(j);
}

static void put_page(struct slot *s, const struct page_entry *p, const struct tech_result *r) {
    struct json_writer j;
    json_write_begin(&j, &s->line, 0);
    json_open_object(&j);
    json_put_string(&j, STR("file"), p->file);
    put_text(&j, STR("id"), p->id);
    put_text(&j, STR("url"), p->url);
    json_key(&j, STR("technologies"));
    json_open_array(&j);
    for (size_t i = 0; i < r->n; i++)
        put_found(&j, &r->found[i]);
    json_close_array(&j);
    if (r->incomplete)
        json_put_bool(&j, STR("incomplete"), true);
    if (s->bad)
        json_put_string(&j, STR("error"), s->reason);
    json_close_object(&j);
    buf_add_byte(&s->line, '\n');
}

static err detect_page(struct work *w, struct desk *d, struct arena *a, size_t i) {
    struct slot *s = &w->slot[i - w->from];
    const struct page_entry *p = &w->pages.page[i];
    struct tech_result r = {.n = 0};
    str html = {"", 0};
    const double began = cpu_of(CLOCK_THREAD_CPUTIME_ID);
    buf_clear(&s->line);
    s->bad = read_page(w, d, p->path.ptr, &html) != OK;
    s->reason = s->bad ? str_copy(a, str_from(err_text())) : (str){"", 0};
    if (!s->bad)
        tech_detect(
            d->worker, a,
            &(struct tech_input){
                .html = html, .url = p->url, .header = p->header, .n_header = p->n_header, .dns = p->dns, .n_dns = p->n_dns},
            &r);
    s->byte = html.len;
    s->found = r.n;
    s->incomplete = r.incomplete;
    put_page(s, p, &r);
    s->cpu_ms = (cpu_of(CLOCK_THREAD_CPUTIME_ID) - began) * 1e3;
    return buf_check(&s->line);
}

struct turn {
    struct work *w;
    struct desk *d;
    struct arena *scratch;
};

/* Pages of the batch until there are none, as one of several threads. */
static err detect_turn(void *ctx) {
    const struct turn *t = ctx;
    for (size_t i; (i = atomic_fetch_add(&t->w->next, 1)) < t->w->to;) {
        const struct arena_mark mark = arena_mark(t->scratch);
        TRY(detect_page(t->w, t->d, t->scratch, i));
        arena_rewind(t->scratch, mark);
    }
    return OK;
}

static err detect_part(void *ctx, size_t i, struct arena *scratch) {
    struct work *w = ctx;
    struct turn t = {w, &w->desk[i], scratch};
    return arena_run(w->desk[i].arena, detect_turn, &t);
}

/* ---- all pages ---- */

static void free_desk(void *ctx) {
    struct desk *d = ctx;
    buf_done(&d->raw);
    buf_done(&d->html);
    (void)inflateEnd(&d->zip);
    arena_free(d->arena);
}

struct making {
    struct work *w;
    struct desk *d;
};

static err make_worker(void *ctx) {
    const struct making *m = ctx;
    return tech_worker_new(m->d->arena, m->w->rules, &m->w->limits, &m->d->worker);
}

static err make_desks(struct work *w) {
    w->threads = w->o->threads > 0 ? (unsigned)w->o->threads : parallel_cores();
    if (w->threads > THREAD_MAX)
        w->threads = THREAD_MAX;
    if (w->threads > w->pages.n)
        w->threads = (unsigned)w->pages.n;
    for (unsigned i = 0; i < w->threads; i++) {
        struct desk *d = &w->desk[i];
        buf_init(&d->raw, w->limits.page_byte + (1 << 20));
        buf_init(&d->html, w->limits.page_byte + (1 << 20));
        d->arena = arena_new(WORKER_BYTE);
        const bool ready = inflateInit2(&d->zip, 16 + MAX_WBITS) == Z_OK;
        arena_defer(w->session->arena, free_desk, d);
        if (!d->arena || !ready)
            return fail(ERR_LIMIT, "memory_limit", "no memory to read pages");
        TRY(arena_run(d->arena, make_worker, &(struct making){w, d}));
    }
    return OK;
}

static void free_slots(void *ctx) {
    struct slot *s = ctx;
    for (size_t i = 0; i < BATCH_PAGE; i++)
        buf_done(&s[i].line);
}

static void make_slots(struct work *w) {
    w->slot = ARENA_ARRAY(w->session->arena, BATCH_PAGE, struct slot);
    for (size_t i = 0; i < BATCH_PAGE; i++)
        buf_init(&w->slot[i].line, LINE_BYTE);
    arena_defer(w->session->arena, free_slots, w->slot);
    w->cpu_ms = ARENA_ARRAY(w->session->arena, w->pages.n, double);
}

static err take_batch(struct work *w, struct file_out *f) {
    for (size_t i = w->from; i < w->to; i++) {
        const struct slot *s = &w->slot[i - w->from];
        w->cpu_ms[i] = s->cpu_ms;
        w->cpu_s += s->cpu_ms / 1e3;
        w->byte += s->byte;
        w->found += s->found;
        w->incomplete += s->incomplete;
        w->bad += s->bad;
        TRY(file_write(f, buf_str(&s->line)));
    }
    return OK;
}

static err detect_all(struct work *w, struct file_out *f) {
    struct progress progress;
    const int64_t began = w->session->clock.steady_ns();
    TRY(make_desks(w));
    make_slots(w);
    progress_begin(&progress, w->session, "reading pages", "pages", (double)w->pages.n);
    err rc = OK;
    for (w->from = 0; w->from < w->pages.n && rc == OK; w->from = w->to) {
        w->to = w->from + BATCH_PAGE < w->pages.n ? w->from + BATCH_PAGE : w->pages.n;
        atomic_store(&w->next, w->from);
        rc = parallel_for(w->threads, w->threads, PAGE_ARENA_BYTE, detect_part, w);
        if (rc == OK)
            rc = take_batch(w, f);
        progress_at(&progress, (double)w->to);
    }
    progress_end(&progress);
    w->detect_s = clock_second_since(&w->session->clock, began);
    return rc;
}

/* ---- the summary ---- */

static int by_number(const void *x, const void *y) {
    const double a = *(const double *)x, b = *(const double *)y;
    return a < b ? -1 : a > b;
}

static double at_share(const struct work *w, double share) {
    const size_t i = (size_t)(share * (double)w->pages.n);
    return w->cpu_ms[i < w->pages.n ? i : w->pages.n - 1];
}

static void put_rules(struct json_writer *j, const struct work *w) {
    const struct tech_rules_size size = tech_rules_size(w->rules);
    size_t n;
    const struct tech_fault *f = tech_rules_faults(w->rules, &n);
    json_key(j, STR("rules"));
    json_open_object(j);
    json_put_integer(j, STR("technologies"), (int64_t)size.technologies);
    json_put_integer(j, STR("categories"), (int64_t)size.categories);
    json_put_integer(j, STR("patterns"), (int64_t)size.patterns);
    json_put_integer(j, STR("selectors"), (int64_t)size.selectors);
    json_key(j, STR("faults"));
    json_open_array(j);
    for (size_t i = 0; i < n; i++) {
        json_open_object(j);
        json_put_string(j, STR("file"), f[i].file);
        json_put_string(j, STR("technology"), f[i].technology);
        json_put_string(j, STR("kind"), f[i].kind);
        json_put_string(j, STR("reason"), f[i].reason);
        json_close_object(j);
    }
    json_close_array(j);
    json_close_object(j);
}

static err show_json(const struct work *w) {
    struct session_document *d = session_document_new(w->session);
    struct json_writer *j = &d->w;
    json_open_object(j);
    json_put_integer(j, STR("pages"), (int64_t)w->pages.n);
    json_put_integer(j, STR("pages_bad"), (int64_t)w->bad);
    json_put_integer(j, STR("pages_incomplete"), (int64_t)w->incomplete);
    json_put_integer(j, STR("bytes"), (int64_t)w->byte);
    json_put_integer(j, STR("technologies"), (int64_t)w->found);
    json_put_integer(j, STR("threads"), w->threads);
    put_rules(j, w);
    json_key(j, STR("seconds"));
    json_open_object(j);
    json_put_number(j, STR("compile"), w->compile_s);
    json_put_number(j, STR("compile_cpu"), w->compile_cpu_s);
    json_put_number(j, STR("detect"), w->detect_s);
    json_put_number(j, STR("detect_cpu"), w->cpu_s);
    json_close_object(j);
    json_put_number(j, STR("pages_per_cpu_second"), w->cpu_s > 0 ? (double)w->pages.n / w->cpu_s : 0);
    json_key(j, STR("page_cpu_ms"));
    json_open_object(j);
    json_put_number(j, STR("p50"), at_share(w, 0.5));
    json_put_number(j, STR("p95"), at_share(w, 0.95));
    json_put_number(j, STR("p99"), at_share(w, 0.99));
    json_put_number(j, STR("max"), at_share(w, 1));
    json_close_object(j);
    json_close_object(j);
    return session_document_print(w->session, d);
}

static void show_text(const struct work *w) {
    struct arena *a = w->session->arena;
    const struct terminal *t = session_summary(w->session);
    present_pair(t, "pages", 14, number_for_people(a, (double)w->pages.n));
    present_pair(t, "technologies", 14, number_for_people(a, (double)w->found));
    if (!str_equal(w->o->out, STR("-")))
        present_pair(t, "written to", 14, w->o->out);
    if (w->incomplete > 0)
        session_warn(w->session, "%llu pages reached a limit and were not looked at in full",
                     (unsigned long long)w->incomplete);
}

static err run_technologies(struct session *s, const void *options) {
    struct work w = {.session = s, .o = options, .limits = tech_limits_default()};
    struct page_entry shared = {.n_header = 0};
    struct file_out *f;
    const struct technologies_settings *o = options;
    s->data_on_stdout = str_equal(o->out, STR("-"));
    w.limits.page_byte = (size_t)o->page_byte;
    w.limits.page_us = (uint64_t)o->page_ms * 1000;
    if (o->page.n == 0 && o->index.len == 0)
        return session_usage("usage_missing_argument", "name pages or directories of pages, or an --index of them");
    if (o->headers.len > 0)
        TRY(page_headers_read(s->arena, o->headers.ptr, &shared));
    shared.url = o->url;
    TRY(page_list_read(s->arena, &o->page, o->index.ptr, &shared, &w.pages));
    TRY(load_rules(&w));
    TRY(file_create(s->arena, o->out.ptr, &f));
    TRY(detect_all(&w, f));
    TRY(file_commit(f));
    qsort(w.cpu_ms, w.pages.n, sizeof *w.cpu_ms, by_number);
    if (w.bad > 0)
        session_warn(s, "%llu pages could not be read; their lines say why", (unsigned long long)w.bad);
    if (s->json)
        return show_json(&w);
    if (!s->quiet)
        show_text(&w);
    return OK;
}

static const struct argument technologies_arguments[] = {
    {.name = "PAGE",
     .help = "saved pages, packed with gzip or not, and directories of them (what ends in .html, .htm or .xhtml); with "
             "--index none is needed",
     .offset = offsetof(struct technologies_settings, page),
     .optional = true,
     .many = true},
};

static const char *const engine_names[] = {"hyperscan", "pcre2", NULL};

#define AT(member) .offset = offsetof(struct technologies_settings, member)

static const struct setting technologies_table[] = {
    {.name = "rules",
     .letter = 'r',
     .type = SETTING_LIST,
     AT(rules),
     .arg = "DIR",
     .help =
         "directories of rules in the Wappalyzer format (\"galena rules fetch\" says where to get them); \"own\" is the "
         "small set that comes with the program, which is used when nothing is given. Of a technology that several have, "
         "the first counts"},
    {.name = "index",
     .type = SETTING_PATH,
     AT(index),
     .help = "JSON lines that know the pages: file (from the folder of the index), id, url, headers, dns"},
    {.name = "headers",
     .type = SETTING_PATH,
     AT(headers),
     .help = "headers of the answer, for pages of which the index has none: \"Name: value\" lines or a JSON object"},
    {.name = "url", .type = SETTING_STRING, AT(url), .help = "address of the page, when the index does not tell it"},
    {.name = "out",
     .letter = 'o',
     .type = SETTING_PATH,
     AT(out),
     .fallback = "-",
     .help = "where to write a JSON object for each page: file, technologies"},
    {.name = "engine",
     .type = SETTING_CHOICE,
     AT(engine),
     .fallback = "hyperscan",
     .choices = engine_names,
     .help = "what finds the patterns to try: pcre2 tries all of them, with the same result, more slowly"},
    {.name = "threads",
     .type = SETTING_INTEGER,
     AT(threads),
     .fallback = "0",
     .min = 0,
     .max = THREAD_MAX,
     .help = "threads to work on; 0: as many as there are cores. The result is the same"},
    {.name = "page-bytes",
     .type = SETTING_INTEGER,
     AT(page_byte),
     .fallback = "4194304",
     .min = 1024,
     .max = 16777216,
     .help = "what a page has beyond is not looked at, and its line says incomplete"},
    {.name = "page-ms",
     .type = SETTING_INTEGER,
     AT(page_ms),
     .fallback = "500",
     .min = 1,
     .max = 60000,
     .help = "processor time for one page; then its line says incomplete"},
};

const struct command command_technologies = {
    .name = "technologies",
    .summary = "find the technologies that web pages show",
    .description =
        "Reads saved web pages and writes for each which technologies it shows: content management, shops, analytics, "
        "advertising, chat, payment, hosting; with version, confidence, categories and the evidence, so that each can be "
        "checked.\n\n"
        "The rules are files in the Wappalyzer format, from a directory of yours; all kinds are used that need no running "
        "page: url, html, text, scripts, scriptSrc, css, headers, cookies, meta, dns, dom, with requires, excludes, "
        "implies, "
        "versions and confidences. A rule that cannot be used is named, and the others go on.\n\n"
        "Nothing is fetched and no script of a page is run. A page that reaches a limit of size, work or time is marked "
        "incomplete and does not hold up the others.",
    .examples = "# with rules installed in /opt/rules\n"
                "galena technologies pages/ --index index.jsonl --rules /opt/rules --out technologies.jsonl\n"
                "# one page as curl saved it, with the rules that come with the program\n"
                "curl -sD headers.txt https://example.com -o page.html\n"
                "galena technologies page.html --headers headers.txt --url https://example.com\n",
    COMMAND_ARGUMENTS(technologies_arguments),
    COMMAND_SETTINGS(technologies_table),
    .options_size = sizeof(struct technologies_settings),
    .run = run_technologies,
};
