/* program.c — reads a jq program's words: what it may call, which values it uses, whether it is a plain path. */
#include "connector/program_priv.h"

#include <stdlib.h>

/* What may be called: each ends by itself or is interrupted by the watchdog, and reaches nothing outside. Byte order. */
static const char *const allowed[] = {"add",
                                      "all",
                                      "any",
                                      "arrays",
                                      "ascii_downcase",
                                      "ascii_upcase",
                                      "booleans",
                                      "ceil",
                                      "contains",
                                      "empty",
                                      "endswith",
                                      "error",
                                      "fabs",
                                      "first",
                                      "flatten",
                                      "floor",
                                      "from_entries",
                                      "fromdate",
                                      "fromdateiso8601",
                                      "fromjson",
                                      "getpath",
                                      "group_by",
                                      "has",
                                      "in",
                                      "infinite",
                                      "inside",
                                      "isinfinite",
                                      "isnan",
                                      "isnormal",
                                      "iterables",
                                      "join",
                                      "keys",
                                      "keys_unsorted",
                                      "last",
                                      "length",
                                      "limit",
                                      "log",
                                      "log10",
                                      "ltrimstr",
                                      "map",
                                      "map_values",
                                      "max",
                                      "max_by",
                                      "min",
                                      "min_by",
                                      "mktime",
                                      "not",
                                      "nth",
                                      "nulls",
                                      "numbers",
                                      "objects",
                                      "pow",
                                      "range",
                                      "recurse",
                                      "repeat",
                                      "reverse",
                                      "round",
                                      "rtrimstr",
                                      "scalars",
                                      "select",
                                      "sort",
                                      "sort_by",
                                      "split",
                                      "sqrt",
                                      "startswith",
                                      "strings",
                                      "to_entries",
                                      "todate",
                                      "tojson",
                                      "tonumber",
                                      "tostring",
                                      "trunc",
                                      "type",
                                      "unique",
                                      "unique_by",
                                      "until",
                                      "utf8bytelength",
                                      "values",
                                      "while",
                                      "with_entries"};

/* jq's other functions: they may not be called, nor may a program's own function be called so. Byte order. */
static const char *const denied[] = {"ascii",         "builtins", "bsearch",        "capture",
                                     "combinations",  "date",     "dateadd",        "datesub",
                                     "debug",         "del",      "delpaths",       "env",
                                     "explode",       "finites",  "fromstream",     "get_search_list",
                                     "gmtime",        "gsub",     "halt",           "halt_error",
                                     "implode",       "import",   "include",        "index",
                                     "indices",       "input",    "input_filename", "input_line_number",
                                     "inputs",        "isvalid",  "label",          "leaf_paths",
                                     "localtime",     "match",    "modulemeta",     "normals",
                                     "now",           "path",     "paths",          "rindex",
                                     "scan",          "setpath",  "splits",         "stderr",
                                     "strflocaltime", "strftime", "strptime",       "sub",
                                     "test",          "tostream", "transpose",      "truncate_stream",
                                     "walk"};

static const char *const keywords[] = {"and",     "as", "catch", "def", "elif",   "else", "end",  "false",
                                       "foreach", "if", "null",  "or",  "reduce", "then", "true", "try"};
static const char *const formats[] = {"@base64", "@base64d", "@csv", "@html", "@json", "@sh", "@text", "@tsv", "@uri"};
static const char *const variable_names[VAR_COUNT] = {"$input", "$setting", "$status", "$headers", "$page"};

enum { MAX_NEST = 256, MAX_OWN = 64 };

struct reader {
    struct arena *arena;
    struct program *program;
    str text;
    size_t at;
    char nest[MAX_NEST]; /* open brackets; 's' is a string that an interpolation interrupts */
    size_t n_nest;
    str own[MAX_OWN]; /* functions that the program defines */
    size_t n_own;
    str before; /* the last word or sign */
};

static bool in_list(const char *const *list, size_t n, str word) {
    for (size_t i = 0; i < n; i++)
        if (str_equal(word, str_from(list[i])))
            return true;
    return false;
}
#define IN(list, word) in_list((list), sizeof(list) / sizeof *(list), (word))

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static char peek(const struct reader *r, size_t ahead) {
    return r->at + ahead < r->text.len ? r->text.ptr[r->at + ahead] : 0;
}

static err refuse(const struct reader *r, const char *what, str word) {
    const struct program *p = r->program;
    return fail(ERR_INPUT, "program_forbidden", "%s:%u:%u: %s \"%.*s\" in `%.*s`", p->file, p->line, p->column, what,
                STR_ARG(str_slice(word, 0, 40)), STR_ARG(str_slice(p->text, 0, 200)));
}

static err nest(struct reader *r, char open) {
    if (r->n_nest == MAX_NEST)
        return refuse(r, "nested too deeply at", (str){&open, 1});
    r->nest[r->n_nest++] = open;
    return OK;
}

/* The rest of a string, up to its quote or to an interpolation. */
static err read_string(struct reader *r) {
    while (r->at < r->text.len) {
        char c = r->text.ptr[r->at++];
        if (c == '"') {
            r->before = STR("\"");
            return OK;
        }
        if (c != '\\')
            continue;
        if (peek(r, 0) == '(') {
            r->at++;
            r->before = STR("(");
            return nest(r, 's');
        }
        r->at++;
    }
    return refuse(r, "no end of a text at", r->text);
}

static str read_while(struct reader *r, size_t from) {
    while (r->at < r->text.len && (is_letter(r->text.ptr[r->at]) || is_digit(r->text.ptr[r->at])))
        r->at++;
    return str_slice(r->text, from, r->at);
}

static char next_sign(const struct reader *r) {
    size_t i = r->at;
    while (i < r->text.len && strchr(" \t\r\n", r->text.ptr[i]))
        i++;
    return i < r->text.len ? r->text.ptr[i] : 0;
}

/* {name} and {name: value} are members and call nothing. */
static bool is_member(const struct reader *r) {
    if (r->n_nest == 0 || r->nest[r->n_nest - 1] != '{' ||
        !(str_equal(r->before, STR("{")) || str_equal(r->before, STR(","))))
        return false;
    char next = next_sign(r);
    return next == ':' || next == ',' || next == '}';
}

static bool is_own(const struct reader *r, str word) {
    for (size_t i = 0; i < r->n_own; i++)
        if (str_equal(r->own[i], word))
            return true;
    return false;
}

static err add_own(struct reader *r, str word) {
    if (IN(denied, word) || IN(allowed, word) || word.ptr[0] == '_')
        return refuse(r, "a function of jq's own cannot be defined anew:", word);
    if (r->n_own == MAX_OWN)
        return refuse(r, "too many functions at", word);
    r->own[r->n_own++] = word;
    return OK;
}

/* The head of a definition: "f(a; $b):" after def. */
static err read_head(struct reader *r) {
    while (next_sign(r) && !is_letter(peek(r, 0)))
        r->at++;
    size_t from = r->at;
    TRY(add_own(r, read_while(r, from)));
    if (next_sign(r) != '(')
        return OK;
    while (r->at < r->text.len && peek(r, 0) != ')') {
        bool variable = peek(r, 0) == '$';
        r->at += variable ? 1 : 0;
        if (is_letter(peek(r, 0))) {
            from = r->at;
            str word = read_while(r, from);
            if (!variable)
                TRY(add_own(r, word));
        } else {
            r->at++;
        }
    }
    r->at++;
    return OK;
}

static err read_word(struct reader *r) {
    size_t from = r->at;
    bool field = str_equal(r->before, STR(".")) || (from > 0 && r->text.ptr[from - 1] == '.');
    str word = read_while(r, from);
    bool member = is_member(r);
    if (str_equal(word, STR("def")) && !field && !member) {
        r->before = word;
        return read_head(r);
    }
    if (!field && !member && !IN(keywords, word) && !is_own(r, word) && (!IN(allowed, word)))
        return refuse(r, "a connector's program cannot call", word);
    r->before = word;
    return OK;
}

static err read_variable(struct reader *r) {
    size_t from = r->at++;
    str word = read_while(r, from);
    if (str_equal(word, STR("$ENV")) || str_starts(word, STR("$__")))
        return refuse(r, "a connector's program cannot use", word);
    for (int v = 0; v < VAR_COUNT; v++)
        if (str_equal(word, str_from(variable_names[v])))
            r->program->variables |= 1u << v;
    r->before = word;
    return OK;
}

static err read_close(struct reader *r, char c) {
    char open = c == ')' ? '(' : c == ']' ? '[' : '{';
    if (r->n_nest == 0 || (r->nest[r->n_nest - 1] != open && !(c == ')' && r->nest[r->n_nest - 1] == 's')))
        return refuse(r, "nothing is open before", str_slice(r->text, r->at, r->text.len));
    char was = r->nest[--r->n_nest];
    r->at++;
    r->before = str_slice(r->text, r->at - 1, r->at);
    return was == 's' ? read_string(r) : OK;
}

/* "=", "|=", "+=" … change a value in place; "==", "!=", "<=", ">=" compare. */
static err read_sign(struct reader *r) {
    char c = peek(r, 0), next = peek(r, 1);
    if (c == '=' && next != '=')
        return refuse(r, "assignments are not possible:", str_slice(r->text, r->at, r->text.len));
    if (next == '=' && strchr("|+-*/%", c))
        return refuse(r, "assignments are not possible:", str_slice(r->text, r->at, r->text.len));
    size_t n = (next == '=' && strchr("=!<>", c)) || (c == '/' && next == '/') ? 2 : 1;
    if (n == 2 && c == '/' && peek(r, 2) == '=')
        return refuse(r, "assignments are not possible:", str_slice(r->text, r->at, r->text.len));
    r->before = str_slice(r->text, r->at, r->at + n);
    r->at += n;
    return OK;
}

static err read_number(struct reader *r) {
    while (is_digit(peek(r, 0)) || peek(r, 0) == '.' ||
           ((peek(r, 0) | 32) == 'e' && (is_digit(peek(r, 1)) || peek(r, 1) == '-')))
        r->at += (peek(r, 0) | 32) == 'e' ? 2 : 1;
    r->before = STR("0");
    return OK;
}

static err read_one(struct reader *r) {
    char c = peek(r, 0);
    if (strchr(" \t\r\n", c)) {
        r->at++;
        return OK;
    }
    if (c == '#') {
        while (r->at < r->text.len && peek(r, 0) != '\n')
            r->at++;
        return OK;
    }
    if (c == '"') {
        r->at++;
        return read_string(r);
    }
    if (c == '@') {
        size_t from = r->at++;
        str word = read_while(r, from);
        r->before = word;
        return IN(formats, word) ? OK : refuse(r, "no such format:", word);
    }
    if (c == '$')
        return read_variable(r);
    if (is_letter(c))
        return read_word(r);
    if (is_digit(c))
        return read_number(r);
    if (c == '(' || c == '[' || c == '{') {
        r->before = str_slice(r->text, r->at, r->at + 1);
        r->at++;
        return nest(r, c);
    }
    if (c == ')' || c == ']' || c == '}')
        return read_close(r, c);
    if ((unsigned char)c < ' ' || (unsigned char)c > 126)
        return refuse(r, "a sign that jq does not have:", str_slice(r->text, r->at, r->at + 1));
    return read_sign(r);
}

static err vet(struct arena *a, struct program *p) {
    struct reader *r = ARENA_NEW(a, struct reader);
    *r = (struct reader){.arena = a, .program = p, .text = p->text};
    while (r->at < r->text.len)
        TRY(read_one(r));
    return r->n_nest == 0 ? OK : refuse(r, "a bracket is not closed:", (str){&r->nest[r->n_nest - 1], 1});
}

struct program_group *program_group_new(struct arena *a) {
    struct program_group *g = ARENA_NEW(a, struct program_group);
    *g = (struct program_group){.arena = a};
    return g;
}

err program_parse(struct arena *a, struct program_group *group, str text, const char *file, uint32_t line, uint32_t column,
                  const struct program **out) {
    struct program *p = ARENA_NEW(a, struct program);
    *p = (struct program){.text = str_copy(a, str_trim(text)), .file = file, .line = line, .column = column, .group = group};
    if (p->text.len > PROGRAM_MAX_BYTE)
        return fail(ERR_LIMIT, "program_size", "%s:%u:%u: a program has at most %d bytes", file, line, column,
                    PROGRAM_MAX_BYTE);
    if (p->text.len == 0 || memchr(p->text.ptr, 0, p->text.len))
        return fail(ERR_INPUT, "program_form", "%s:%u:%u: a program is not empty and has no NUL", file, line, column);
    p->path = path_parse(a, p->text);
    if (!p->path) {
        TRY(vet(a, p));
        if (group->n == group->cap)
            group->item = arena_grow(group->arena, group->item, &group->cap, group->n + 1, sizeof *group->item);
        p->number = (uint32_t)group->n;
        group->item[group->n++] = p;
    }
    *out = p;
    return OK;
}

bool program_is_path(const struct program *p) { return p->path != NULL; }
str program_text(const struct program *p) { return p->text; }

err program_fault(const struct program *p, const char *what, const struct json *given) {
    struct buf text;
    buf_init(&text, 2048);
    struct json_writer w;
    json_write_begin(&w, &text, 0);
    if (given)
        json_value(&w, given);
    else
        json_null(&w);
    /* An answer is shown by its beginning: enough to find it, too little to spill it. */
    str shown = str_slice(buf_str(&text), 0, 160);
    err rc = fail(ERR_INPUT, "program_failed", "%s:%u:%u: %s in `%.*s`, given %.*s%s", p->file, p->line, p->column, what,
                  STR_ARG(str_slice(p->text, 0, 200)), STR_ARG(shown), text.len > shown.len || text.over ? "..." : "");
    buf_done(&text);
    return rc;
}
