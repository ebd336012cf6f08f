/* leads.c — reading files of leads for commands. */
#include "cmd/leads.h"

#include "base/file.h"
#include "base/yaml.h"
#include "cmd/progress.h"
#include "intake/reject.h"
#include "learn/report.h"

#include <sys/stat.h>

enum { SCHEMA_MAX_BYTE = 64 << 20, REPORT_MAX_BYTE = 64 << 20, WARNED_ROWS = 3 };

str leads_base_name(str path) {
    for (size_t i = path.len; i > 0; i--)
        if (path.ptr[i - 1] == '/')
            return str_slice(path, i, path.len);
    return path;
}

static err read_delimiter(str text, char *out) {
    *out = 0;
    if (text.len == 0)
        return OK;
    if (str_equal(text, STR("tab")) || str_equal(text, STR("\\t")))
        *out = '\t';
    else if (text.len == 1)
        *out = text.ptr[0];
    else
        return session_usage("usage_bad_value", "--delimiter takes one character, or tab, not \"%.*s\"", STR_ARG(text));
    return OK;
}

err leads_open(struct session *s, const struct leads_options *o, struct table **out) {
    struct table_options t = {.path = o->file.ptr, .latin1 = o->latin1};
    TRY(read_delimiter(o->delimiter, &t.delimiter));
    return table_open(s->arena, &t, out);
}

struct loading {
    struct session *s;
    const char *path;
    struct reject *reject;
    struct leads_faults *faults;
};

static err note_bad_row(void *ctx, const struct table_row *row) {
    struct loading *l = ctx;
    if (l->faults->rows < WARNED_ROWS)
        session_warn(l->s, "%s: line %llu: %.*s", l->path, (unsigned long long)row->line, STR_ARG(row->reason));
    if (l->faults->rows++ == 0)
        l->faults->first = str_format(l->s->arena, "line %llu: %.*s", (unsigned long long)row->line, STR_ARG(row->reason));
    return l->reject ? reject_row(l->reject, row) : OK;
}

err leads_load(struct session *s, const struct leads_options *o, struct frame **out, struct leads_faults *faults) {
    struct table *t;
    *faults = (struct leads_faults){0};
    struct loading l = {.s = s, .path = o->file.ptr, .faults = faults};
    TRY(leads_open(s, o, &t));
    if (o->rejects.len > 0)
        TRY(reject_open(s->arena, o->rejects.ptr, &l.reject));
    TRY(table_load(t, s->arena, out, note_bad_row, &l));
    return l.reject ? reject_commit(l.reject) : OK;
}

void leads_add_fault_warning(struct arena *a, const struct leads_faults *faults, struct evaluation *e) {
    if (faults->rows == 0)
        return;
    struct evaluation_warning *w = ARENA_ARRAY(a, e->n_warning + 1, struct evaluation_warning);
    w[0] = (struct evaluation_warning){.code = STR("rows_rejected"),
                                       .message =
                                           str_format(a, "%llu rows could not be read and were left out; the first: %.*s",
                                                      (unsigned long long)faults->rows, STR_ARG(faults->first))};
    for (size_t i = 0; i < e->n_warning; i++)
        w[i + 1] = e->warning[i];
    e->warning = w;
    e->n_warning++;
}

err leads_load_schema(struct arena *a, const char *path, struct schema **out) {
    str text;
    const struct json *v;
    TRY(file_read_all(a, path, SCHEMA_MAX_BYTE, &text));
    const struct json_limits limits = {.max_byte = SCHEMA_MAX_BYTE};
    str head = str_trim(str_slice(text, 0, 256));
    bool json = head.len > 0 && head.ptr[0] == '{';
    err rc = json ? json_parse(a, text, &limits, &v) : yaml_parse(a, text, &limits, &v);
    if (rc == OK)
        rc = schema_from_json(a, v, out);
    return rc == OK ? OK : err_prefix(rc, "%s", path);
}

err leads_load_profile(struct arena *a, const char *path, struct profile **out) {
    str text;
    TRY(file_read_all(a, path, PROFILE_MAX_BYTE, &text));
    return profile_parse(a, text, path, out);
}

err leads_refuse_same(const char *option, str path, const char *other, str other_path) {
    struct stat a, b;
    if (path.len == 0 || other_path.len == 0 || str_equal(path, STR("-")) || str_equal(other_path, STR("-")))
        return OK;
    bool one = stat(path.ptr, &a) == 0 && stat(other_path.ptr, &b) == 0 && S_ISREG(a.st_mode) && a.st_dev == b.st_dev &&
               a.st_ino == b.st_ino;
    if (!one && !str_equal(path, other_path))
        return OK;
    return session_usage("usage_same_file", "%s and %s are the same file, %.*s: one would overwrite the other", option,
                         other, STR_ARG(path));
}

err leads_open_report(struct session *s, str path, struct file_out **out) {
    *out = NULL;
    return path.len > 0 ? file_create(s->arena, path.ptr, out) : OK;
}

err leads_write_report(struct session *s, str path, struct file_out *to, const struct evaluation *e) {
    if (!to)
        return OK;
    struct buf *out = buf_in(s->arena, REPORT_MAX_BYTE);
    if (str_ends(path, STR(".json"))) {
        struct json_writer w;
        json_write_begin(&w, out, 2);
        report_write_json(e, true, &w);
        buf_add_byte(out, '\n');
    } else {
        report_write_html(s->arena, e, out);
    }
    TRY(buf_check(out));
    TRY(file_write(to, buf_str(out)));
    return file_commit(to);
}
