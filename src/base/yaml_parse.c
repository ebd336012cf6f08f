/* yaml_parse.c — libfyaml's events turned into a JSON tree, with everything refused that a configuration file has no need
 * of. */
#include "base/json_priv.h"
#include "base/utf8.h"
#include "base/yaml.h"
#include "base/yaml_priv.h"

#include <libfyaml.h>

struct reader {
    struct arena *arena;
    struct fy_diag *diag;
    struct fy_parser *parser;
    struct buf *text;       /* of the scalar being read */
    struct fy_event *event; /* the one being looked at; freed when the next is read */
    uint32_t line, column;  /* where it starts; a value that is left out is where its key is */
    struct json_limits limits;
    size_t values;
    struct json_stack stack;
};

/* ---- the library ---- */

static void close_reader(void *ctx) {
    struct reader *r = ctx;
    if (r->event)
        fy_parser_event_free(r->parser, r->event);
    if (r->parser)
        fy_parser_destroy(r->parser);
    if (r->diag)
        fy_diag_destroy(r->diag);
    r->event = NULL;
    r->parser = NULL;
    r->diag = NULL;
}

static void print_nothing(struct fy_diag *diag, void *user, const char *text, size_t len) {
    (void)diag, (void)user, (void)text, (void)len;
}

static err open_reader(struct reader *r, str text) {
    struct fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL;
    diag_cfg.output_fn = print_nothing;
    diag_cfg.colorize = false;
    r->diag = fy_diag_create(&diag_cfg);
    if (r->diag) {
        fy_diag_set_collect_errors(r->diag, true);
        const struct fy_parse_cfg cfg = {.flags = FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE, .diag = r->diag};
        r->parser = fy_parser_create(&cfg);
    }
    if (!r->parser || fy_parser_set_string(r->parser, text.ptr, text.len) != 0)
        return fail(ERR_LIMIT, "memory_limit", "there is no memory for reading YAML");
    return OK;
}

/* ---- messages ---- */

/* Puts the place of the current event in front of the sentence that was just recorded. */
static err place(const struct reader *r, err rc) { return err_prefix(rc, "line %u, column %u", r->line, r->column); }

static err refuse(const struct reader *r, const char *slug, const char *sentence) {
    return place(r, fail(ERR_INPUT, slug, "%s", sentence));
}

static err syntax_error(const struct reader *r) {
    void *at = NULL;
    const struct fy_diag_error *e = fy_diag_errors_iterate(r->diag, &at);
    if (!e || !e->msg)
        return fail(ERR_INPUT, "yaml_syntax", "the text is not YAML");
    err rc = fail(ERR_INPUT, "yaml_syntax", "%s", e->msg);
    return e->line > 0 ? err_prefix(rc, "line %d, column %d", e->line, e->column) : rc;
}

/* ---- events ---- */

static void note_place(struct reader *r, const struct fy_mark *mark) {
    if (!mark)
        return;
    r->line = (uint32_t)mark->line + 1;
    r->column = (uint32_t)mark->column + 1;
}

static bool is_quoted(const struct reader *r) {
    if (r->event->type != FYET_SCALAR || !r->event->scalar.value)
        return false;
    const enum fy_scalar_style style = fy_token_scalar_style(r->event->scalar.value);
    return style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
}

static err next(struct reader *r) {
    if (r->event)
        fy_parser_event_free(r->parser, r->event);
    r->event = fy_parser_parse(r->parser);
    if (!r->event)
        return syntax_error(r);
    note_place(r, fy_event_start_mark(r->event));
    r->column -= is_quoted(r); /* the mark is behind the quote */
    return OK;
}

/* A value that has an anchor or tag may be left out: then only these know where it is. */
static err refuse_at(struct reader *r, struct fy_token *token, const char *slug, const char *sentence) {
    note_place(r, fy_token_start_mark(token));
    r->column -= fy_token_get_type(token) != FYTT_TAG; /* the marks of the others are behind their & or * */
    return refuse(r, slug, sentence);
}

static err refuse_anchor_or_tag(struct reader *r) {
    struct fy_token *anchor = fy_event_get_anchor_token(r->event), *tag = fy_event_get_tag_token(r->event);
    if (r->event->type == FYET_ALIAS)
        return refuse_at(r, r->event->alias.anchor, "yaml_alias", "aliases (*name) are not allowed: write the value out");
    if (anchor)
        return refuse_at(r, anchor, "yaml_anchor", "anchors (&name) are not allowed: write the value out each time");
    if (tag)
        return refuse_at(r, tag, "yaml_tag", "tags (!name) are not allowed: put quotes around text");
    return OK;
}

/* The current scalar's text, copied into the arena. It is read piece by piece because libfyaml 0.7 loses memory when asked
 * for the whole of a text with many quotes or escapes (its issue 233). */
static err scalar_text(struct reader *r, str *out) {
    struct fy_token *token = r->event->scalar.value;
    buf_clear(r->text);
    if (token) {
        struct fy_token_iter *iter = fy_token_iter_create(token);
        const struct fy_iter_chunk *piece = NULL;
        int fault = 0;
        while (iter && (piece = fy_token_iter_chunk_next(iter, piece, &fault)))
            buf_add(r->text, (str){piece->str, piece->len});
        fy_token_iter_destroy(iter);
        if (!iter || fault)
            return refuse(r, "yaml_syntax", "the text of this value cannot be read");
    }
    TRY(buf_check(r->text));
    *out = str_copy(r->arena, buf_str(r->text));
    return OK;
}

static bool is_plain(const struct reader *r) {
    return !r->event->scalar.value || fy_token_scalar_style(r->event->scalar.value) == FYSS_PLAIN;
}

/* ---- values ---- */

static err read_value(struct reader *r, uint32_t depth, struct json *out);

static err read_scalar(struct reader *r, struct json *out) {
    bool fits = true;
    str text;
    TRY(scalar_text(r, &text));
    if (!is_plain(r)) {
        out->type = JSON_STRING;
        out->string = text;
        return OK;
    }
    out->type = yaml_plain_type(text, out, &fits);
    if (!fits && out->type == JSON_INTEGER)
        return refuse(
            r, "yaml_number_range",
            "the whole number does not fit 64 bits: put quotes around it, or a decimal point if it may be rounded");
    if (!fits)
        return refuse(r, "yaml_number_range", "a number that is infinite, too large or not a number is not allowed");
    return OK;
}

static err out_of_memory(const struct reader *r) {
    return fail(ERR_LIMIT, "memory_limit", "the text holds more values than the memory limit of %zu MB allows",
                arena_limit(r->arena) >> 20);
}

static err read_items(struct reader *r, uint32_t depth, struct json *out) {
    const size_t base = r->stack.len;
    out->type = JSON_ARRAY;
    for (;; out->count++) {
        struct json item;
        TRY(next(r));
        if (r->event->type == FYET_SEQUENCE_END)
            break;
        TRY(read_value(r, depth, &item));
        struct json *slot = json_stack_push(&r->stack, sizeof item);
        if (!slot)
            return out_of_memory(r);
        *slot = item;
    }
    out->items = json_stack_take(&r->stack, base);
    return OK;
}

static err read_key(struct reader *r, struct json_member *out) {
    struct json plain;
    bool fits;
    TRY(refuse_anchor_or_tag(r));
    if (r->event->type != FYET_SCALAR)
        return refuse(r, "yaml_key", "a key must be text, not a list or an object");
    TRY(scalar_text(r, &out->key));
    out->line = r->line;
    out->column = r->column;
    str shown = json_clip(out->key);
    if (is_plain(r) && yaml_plain_type(out->key, &plain, &fits) != JSON_STRING)
        return place(r, fail(ERR_INPUT, "yaml_key", "the key `%.*s` is not text: put quotes around it", STR_ARG(shown)));
    return OK;
}

static err seal(struct reader *r, struct json *object) {
    const struct json_member *twice = json_object_seal(r->arena, object);
    if (!twice)
        return OK;
    str key = json_clip(twice->key);
    err rc = fail(ERR_INPUT, "yaml_duplicate_key", "the key `%.*s` appears twice in this object", STR_ARG(key));
    return err_prefix(rc, "line %u, column %u", twice->line, twice->column);
}

static err read_members(struct reader *r, uint32_t depth, struct json *out) {
    const size_t base = r->stack.len;
    out->type = JSON_OBJECT;
    for (;; out->count++) {
        struct json_member member;
        TRY(next(r));
        if (r->event->type == FYET_MAPPING_END)
            break;
        TRY(read_key(r, &member));
        TRY(next(r));
        TRY(read_value(r, depth, &member.value));
        struct json_member *slot = json_stack_push(&r->stack, sizeof member);
        if (!slot)
            return out_of_memory(r);
        *slot = member;
    }
    out->members = json_stack_take(&r->stack, base);
    return seal(r, out);
}

/* The value that starts with the current event. */
static err read_value(struct reader *r, uint32_t depth, struct json *out) {
    *out = (struct json){.line = r->line, .column = r->column};
    TRY(refuse_anchor_or_tag(r));
    if (r->values++ >= r->limits.max_value)
        return place(r, fail(ERR_LIMIT, "yaml_too_many", "more than %zu values", r->limits.max_value));
    if (r->event->type == FYET_SCALAR)
        return read_scalar(r, out);
    if (depth >= r->limits.max_depth)
        return place(r, fail(ERR_LIMIT, "yaml_too_deep", "more than %u levels of nesting", r->limits.max_depth));
    if (r->event->type == FYET_SEQUENCE_START)
        return read_items(r, depth + 1, out);
    if (r->event->type == FYET_MAPPING_START)
        return read_members(r, depth + 1, out);
    return refuse(r, "yaml_syntax", "a value was expected");
}

static err read_stream(struct reader *r, struct json *out) {
    TRY(next(r)); /* the stream's start */
    TRY(next(r));
    if (r->event->type == FYET_STREAM_END)
        return fail(ERR_INPUT, "yaml_empty", "the text holds no YAML document");
    TRY(next(r));
    TRY(read_value(r, 0, out));
    TRY(next(r)); /* the document's end */
    TRY(next(r));
    if (r->event->type != FYET_STREAM_END)
        return refuse(r, "yaml_documents", "a second document starts here: only one is allowed");
    return OK;
}

/* ---- the text ---- */

static bool is_control(int32_t c) { return (c >= 0 && c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f; }

/* YAML forbids control characters; a NUL byte would look like the end of the text to the library. */
static err check_characters(str s) {
    unsigned line = 1, column = 1;
    for (size_t i = 0; i < s.len;) {
        const unsigned byte = (unsigned char)s.ptr[i];
        const int32_t c = utf8_next(s, &i);
        if (c < 0 || is_control(c)) {
            const char *fault = c < 0 ? "the text is not UTF-8" : "a control character is not allowed";
            err rc = fail(ERR_INPUT, c < 0 ? "yaml_utf8" : "yaml_control", "%s: byte 0x%02X", fault, byte);
            return err_prefix(rc, "line %u, column %u", line, column);
        }
        line += c == '\n';
        column = c == '\n' ? 1 : column + 1;
    }
    return OK;
}

err yaml_parse(struct arena *a, str text, const struct json_limits *limits, const struct json **out) {
    struct reader *r = ARENA_NEW(a, struct reader);
    struct json *root = ARENA_NEW(a, struct json);
    r->arena = a;
    r->line = r->column = 1;
    r->limits = json_limits_or_default(limits, (size_t)4 << 20);
    if (text.len > r->limits.max_byte)
        return fail(ERR_LIMIT, "yaml_too_large", "the text has %zu bytes, more than the limit of %zu", text.len,
                    r->limits.max_byte);
    TRY(check_characters(text));
    if (str_starts(text, STR("\xEF\xBB\xBF")))
        text = str_slice(text, 3, text.len);
    text = str_copy(a, text); /* the library wants a text that is never NULL and stays */
    json_stack_init(&r->stack, a);
    r->text = buf_in(a, r->limits.max_byte * 4 + 16);
    arena_defer(a, close_reader, r);
    err rc = open_reader(r, text);
    if (rc == OK)
        rc = read_stream(r, root);
    json_stack_done(&r->stack);
    buf_done(r->text);
    close_reader(r);
    if (rc == OK)
        *out = root;
    return rc;
}
