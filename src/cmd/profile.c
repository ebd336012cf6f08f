/* profile.c — galena profile check, show and diff: the ideal customer profile as a document. */
#include "base/file.h"
#include "cmd/command.h"
#include "cmd/present.h"
#include "profile/profile.h"

struct profile_options {
    str file;
};

struct profile_diff_options {
    str before, after;
};

static err load_profile(struct session *s, str path, struct profile **out) {
    str text;
    TRY(file_read_all(s->arena, path.ptr, PROFILE_MAX_BYTE, &text));
    return profile_parse(s->arena, text, path.ptr, out);
}

/* ---- check ---- */

static err write_problems(struct session *s, const struct profile_problem *p, size_t n) {
    struct session_document *d = session_document_new(s);
    json_open_object(&d->w);
    json_put_bool(&d->w, STR("ok"), n == 0);
    json_key(&d->w, STR("problems"));
    json_open_array(&d->w);
    for (size_t i = 0; i < n; i++) {
        json_open_object(&d->w);
        json_put_integer(&d->w, STR("line"), p[i].line);
        json_put_integer(&d->w, STR("column"), p[i].column);
        json_put_string(&d->w, STR("path"), p[i].path);
        json_put_string(&d->w, STR("message"), p[i].message);
        json_close_object(&d->w);
    }
    json_close_array(&d->w);
    json_close_object(&d->w);
    return session_document_print(s, d);
}

static err run_check(struct session *s, const void *options) {
    const struct profile_options *o = options;
    const struct profile_problem *p;
    size_t n;
    str text;
    TRY(file_read_all(s->arena, o->file.ptr, PROFILE_MAX_BYTE, &text));
    TRY(profile_check(s->arena, text, o->file.ptr, &p, &n));
    if (s->json)
        TRY(write_problems(s, p, n));
    for (size_t i = 0; i < n && !s->json; i++)
        terminal_put(&s->out, str_format(s->arena, "%s:%u:%u: %.*s%s%.*s\n", o->file.ptr, p[i].line, p[i].column,
                                         STR_ARG(p[i].path), p[i].path.len > 0 ? ": " : "", STR_ARG(p[i].message)));
    s->failure_shown = s->json;
    if (n > 0)
        return fail(ERR_INPUT, "profile_problems", "%s: %zu problem%s", o->file.ptr, n, n == 1 ? "" : "s");
    if (!s->json)
        terminal_put(&s->out, str_format(s->arena, "%s: a good profile\n", o->file.ptr));
    return OK;
}

/* ---- show ---- */

static void show_section(struct session *s, const struct profile *p, enum profile_section k) {
    const struct profile_section_weight *section = &p->section[k];
    struct present_table t = present_table_new(s->arena, "criterion|field|>weight|>typical credit");
    for (size_t i = section->from; i < section->to; i++) {
        present_cell(&t, p->criterion[i].name);
        present_cell(&t, p->criterion[i].field);
        present_cell_format(&t, "%g", p->criterion[i].weight);
        present_cell_format(&t, "%g", p->criterion[i].typical);
    }
    present_heading(&s->out,
                    str_cstr(s->arena, str_format(s->arena, "%s (weight %g)", profile_section_name(k), section->weight)));
    present_table_print(&s->out, &t);
}

static err run_show(struct session *s, const void *options) {
    const struct profile_options *o = options;
    struct profile *p;
    TRY(load_profile(s, o->file, &p));
    if (s->json) {
        struct session_document *d = session_document_new(s);
        profile_to_json(&d->w, p);
        return session_document_print(s, d);
    }
    present_heading(&s->out, str_cstr(s->arena, str_format(s->arena, "%.*s %.*s", STR_ARG(p->name), STR_ARG(p->version))));
    if (p->description.len > 0)
        present_wrap(&s->out, p->description, 0, 0, s->out.width);
    present_pair(&s->out, "base rate", 12, str_format(s->arena, "%g", p->base_rate));
    present_pair(&s->out, "strength", 12, str_format(s->arena, "worth %g outcomes", p->strength));
    present_pair(&s->out, "effect", 12, str_format(s->arena, "%g log-odds from nothing met to everything met", p->effect));
    for (enum profile_section k = 0; k < SECTION_COUNT; k++)
        if (p->section[k].present)
            show_section(s, p, k);
    if (p->n_rule > 0)
        present_heading(&s->out, "disqualified when");
    for (size_t i = 0; i < p->n_rule; i++)
        terminal_put(&s->out, str_format(s->arena, "  %.*s\n", STR_ARG(p->rule[i].name)));
    return OK;
}

/* ---- diff ---- */

static err write_diff(struct session *s, const struct profile_change *c, size_t n) {
    struct session_document *d = session_document_new(s);
    json_open_object(&d->w);
    json_key(&d->w, STR("changes"));
    json_open_array(&d->w);
    for (size_t i = 0; i < n; i++) {
        json_open_object(&d->w);
        json_put_string(&d->w, STR("path"), c[i].path);
        json_key(&d->w, STR("before"));
        if (c[i].added)
            json_null(&d->w);
        else
            json_string(&d->w, c[i].before);
        json_key(&d->w, STR("after"));
        if (c[i].removed)
            json_null(&d->w);
        else
            json_string(&d->w, c[i].after);
        json_close_object(&d->w);
    }
    json_close_array(&d->w);
    json_close_object(&d->w);
    return session_document_print(s, d);
}

static void show_change(struct session *s, const struct profile_change *c) {
    const struct terminal *t = &s->out;
    terminal_put_style(t, STYLE_BOLD, c->path);
    if (c->added)
        terminal_put_style(t, STYLE_GOOD, str_format(s->arena, "  new: %.*s", STR_ARG(c->after)));
    else if (c->removed)
        terminal_put_style(t, STYLE_BAD, str_format(s->arena, "  gone: %.*s", STR_ARG(c->before)));
    else
        terminal_put(t, str_format(s->arena, "  %.*s -> %.*s", STR_ARG(c->before), STR_ARG(c->after)));
    terminal_put(t, STR("\n"));
}

static err run_diff(struct session *s, const void *options) {
    const struct profile_diff_options *o = options;
    struct profile *before, *after;
    TRY(load_profile(s, o->before, &before));
    TRY(load_profile(s, o->after, &after));
    const struct profile_change *change;
    size_t n;
    profile_diff(s->arena, before, after, &change, &n);
    if (s->json)
        return write_diff(s, change, n);
    for (size_t i = 0; i < n; i++)
        show_change(s, &change[i]);
    if (n == 0)
        terminal_put(&s->out, STR("the two profiles say the same\n"));
    return OK;
}

static const struct argument profile_arguments[] = {
    {.name = "FILE",
     .help = "the profile, YAML or JSON; - is standard input",
     .offset = offsetof(struct profile_options, file)},
};

static const struct argument diff_arguments[] = {
    {.name = "BEFORE", .help = "the older profile", .offset = offsetof(struct profile_diff_options, before)},
    {.name = "AFTER", .help = "the newer profile", .offset = offsetof(struct profile_diff_options, after)},
};

const struct command command_profile_check = {
    .name = "profile check",
    .summary = "say what is wrong with a profile",
    .description =
        "Reads an ideal customer profile and lists every problem with line and column. Ends with exit code 0 when "
        "there is none.",
    COMMAND_ARGUMENTS(profile_arguments),
    .options_size = sizeof(struct profile_options),
    .run = run_check,
};

const struct command command_profile_show = {
    .name = "profile show",
    .summary = "show a profile for reading",
    .description = "Shows what an ideal customer profile looks for and how much each criterion counts. With --json, the "
                   "document as it was read.",
    COMMAND_ARGUMENTS(profile_arguments),
    .options_size = sizeof(struct profile_options),
    .run = run_show,
};

const struct command command_profile_diff = {
    .name = "profile diff",
    .summary = "say what changed between two profiles",
    .description =
        "Lists the differences of two profiles in words. Criteria and rules are matched by name, so that one put in "
        "the middle is one change.",
    .examples = "# what the new version changes\ngalena profile diff icp-v3.yaml icp-v4.yaml\n",
    COMMAND_ARGUMENTS(diff_arguments),
    .options_size = sizeof(struct profile_diff_options),
    .run = run_diff,
};
