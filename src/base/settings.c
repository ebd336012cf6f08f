/* settings.c — tables of settings: values from the command line and other sources into plain structs. */
#include "base/settings.h"

#include "base/number.h"

#include <assert.h>
#include <math.h>

static const char *const type_args[] = {
    [SETTING_FLAG] = "",         [SETTING_STRING] = "TEXT",    [SETTING_PATH] = "FILE",     [SETTING_INTEGER] = "N",
    [SETTING_NUMBER] = "NUMBER", [SETTING_FRACTION] = "SHARE", [SETTING_CHOICE] = "CHOICE", [SETTING_LIST] = "A,B,...",
};

enum { NEAREST_MAX_BYTE = 64 };

const char *setting_arg(const struct setting *x) { return x->arg ? x->arg : type_args[x->type]; }

/* ---- nearest name ---- */

static size_t min3(size_t a, size_t b, size_t c) {
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* Optimal string alignment distance: insertions, deletions, replacements, swaps of neighbours. */
static size_t distance(str a, str b) {
    size_t row[3][NEAREST_MAX_BYTE + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t cost = a.ptr[i - 1] != b.ptr[j - 1];
            now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + cost);
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1] && before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
    }
    return row[a.len % 3][b.len];
}

const char *settings_nearest(struct arena *a, str word, const char *const *names, size_t n) {
    if (word.len == 0 || word.len > NEAREST_MAX_BYTE)
        return NULL;
    str lower = str_lower(a, word);
    size_t best = word.len < 4 ? 2 : word.len < 8 ? 3 : 4; /* one more than the largest distance proposed */
    const char *nearest = NULL;
    for (size_t i = 0; i < n; i++) {
        str name = str_from(names[i]);
        if (name.len > NEAREST_MAX_BYTE)
            continue;
        size_t d = distance(lower, name);
        if (d < best) {
            best = d;
            nearest = names[i];
        }
    }
    return nearest;
}

/* ---- setting one value ---- */

/* A setting together with where it is. */
struct place {
    struct settings_part *part;
    const struct setting *setting;
};

static void *member(struct place p) { return (char *)p.part->values + p.setting->offset; }

static const char **origin_of(struct place p) { return &p.part->origin[p.setting - p.part->setting]; }

static err bad_value(const struct setting *x, str text, const char *wanted) {
    return fail(ERR_INPUT, "usage_bad_value", "--%s cannot be \"%.*s\": it must be %s", x->name, STR_ARG(text), wanted);
}

static bool bounded(const struct setting *x) { return x->max > x->min; }

static bool in_bounds(const struct setting *x, double v) { return !bounded(x) || (v >= x->min && v <= x->max); }

static err out_of_bounds(struct arena *a, const struct setting *x, str text, const char *what) {
    return bad_value(x, text, str_format(a, "%s from %.15g to %.15g", what, x->min, x->max).ptr);
}

static err set_flag(struct place p, str text) {
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (str_equal_nocase(text, str_from(words[i]))) {
            *(bool *)member(p) = i % 2 == 1;
            return OK;
        }
    }
    return bad_value(p.setting, text, "yes or no");
}

static err set_integer(struct arena *a, struct place p, str text) {
    int64_t v;
    if (!number_parse_integer(text, &v) || v == SETTING_UNSET)
        return bounded(p.setting) ? out_of_bounds(a, p.setting, text, "a whole number")
                                  : bad_value(p.setting, text, "a whole number");
    if (!in_bounds(p.setting, (double)v))
        return out_of_bounds(a, p.setting, text, "a whole number");
    *(int64_t *)member(p) = v;
    return OK;
}

static err set_number(struct arena *a, struct place p, str text) {
    double v;
    if (!number_parse(text, &v))
        return bad_value(p.setting, text, "a number");
    if (!in_bounds(p.setting, v))
        return out_of_bounds(a, p.setting, text, "a number");
    *(double *)member(p) = v;
    return OK;
}

static err set_fraction(struct arena *a, struct place p, str text) {
    bool percent = str_ends(text, STR("%"));
    str digits = percent ? str_copy(a, str_slice(text, 0, text.len - 1)) : text;
    double v;
    if (!number_parse(digits, &v))
        return bad_value(p.setting, text, "a number from 0 to 1");
    v = percent ? v / 100 : v;
    if (!(v >= 0 && v <= 1))
        return bad_value(p.setting, text, "a number from 0 to 1");
    if (!in_bounds(p.setting, v))
        return out_of_bounds(a, p.setting, text, "a number");
    *(double *)member(p) = v;
    return OK;
}

static err set_choice(struct arena *a, struct place p, str text) {
    const char *const *choices = p.setting->choices;
    size_t n = 0;
    str all[64];
    for (; choices[n]; n++) {
        assert(n < sizeof all / sizeof *all);
        all[n] = str_from(choices[n]);
        if (str_equal(text, all[n])) {
            int index = (int)n;
            memcpy(member(p), &index, sizeof index); /* the member may be an enum */
            return OK;
        }
    }
    const char *near = settings_nearest(a, text, choices, n);
    return bad_value(p.setting, text,
                     str_format(a, "one of %s%s%s%s", str_join(a, all, n, STR(", ")).ptr, near ? "; did you mean " : "",
                                near ? near : "", near ? "?" : "")
                         .ptr);
}

/* The next item of a list: up to a comma that no backslash protects. */
static str list_item(struct arena *a, str *rest) {
    char *to = arena_alloc(a, rest->len + 1);
    size_t len = 0, i = 0;
    for (; i < rest->len && rest->ptr[i] != ','; i++) {
        if (rest->ptr[i] == '\\' && i + 1 < rest->len && rest->ptr[i + 1] == ',')
            i++;
        to[len++] = rest->ptr[i];
    }
    *rest = i < rest->len ? (str){rest->ptr + i + 1, rest->len - i - 1} : (str){0};
    return str_copy(a, str_trim((str){to, len}));
}

static void set_list(struct arena *a, struct place p, str text, bool append) {
    struct setting_list *list = member(p);
    size_t n = append ? list->n : 0, cap = n;
    const str *old = n > 0 ? list->item : NULL;
    size_t room = n + 1;
    for (size_t i = 0; i < text.len; i++)
        room += text.ptr[i] == ',';
    str *item = arena_grow(a, old, &cap, room, sizeof *item);
    while (text.ptr) {
        str next = list_item(a, &text);
        if (next.len > 0)
            item[n++] = next;
    }
    *list = (struct setting_list){item, n};
}

static err set_value(struct settings *s, struct place p, const char *origin, str text) {
    struct arena *a = s->arena;
    text = str_copy(a, text);
    const char **from = origin_of(p);
    switch (p.setting->type) {
    case SETTING_FLAG:
        TRY(set_flag(p, text));
        break;
    case SETTING_STRING:
    case SETTING_PATH:
        if (text.len == 0)
            return bad_value(p.setting, text, "something");
        *(str *)member(p) = text;
        break;
    case SETTING_INTEGER:
        TRY(set_integer(a, p, text));
        break;
    case SETTING_NUMBER:
        TRY(set_number(a, p, text));
        break;
    case SETTING_FRACTION:
        TRY(set_fraction(a, p, text));
        break;
    case SETTING_CHOICE:
        TRY(set_choice(a, p, text));
        break;
    case SETTING_LIST:
        set_list(a, p, text, *from && strcmp(*from, origin) == 0);
        break;
    }
    *from = origin;
    return OK;
}

/* ---- tables ---- */

void settings_init(struct settings *s, struct arena *a, const struct argument *argument, size_t n_argument,
                   void *argument_values) {
    *s = (struct settings){.arena = a, .argument = argument, .n_argument = n_argument, .argument_values = argument_values};
}

static void set_unset(struct place p) {
    const int none = -1;
    switch (p.setting->type) {
    case SETTING_INTEGER:
        *(int64_t *)member(p) = SETTING_UNSET;
        break;
    case SETTING_NUMBER:
    case SETTING_FRACTION:
        *(double *)member(p) = NAN;
        break;
    case SETTING_CHOICE:
        memcpy(member(p), &none, sizeof none);
        break;
    default:
        break;
    }
}

void settings_add(struct settings *s, const struct setting *setting, size_t n_setting, void *values) {
    assert(s->n_part < sizeof s->part / sizeof *s->part);
    struct settings_part *part = &s->part[s->n_part++];
    *part = (struct settings_part){setting, n_setting, values, ARENA_ARRAY(s->arena, n_setting, const char *)};
    for (size_t i = 0; i < n_setting; i++) {
        struct place p = {part, &setting[i]};
        set_unset(p);
        if (!setting[i].fallback)
            continue;
        err rc = set_value(s, p, "default", str_from(setting[i].fallback));
        assert(rc == OK);
        (void)rc;
    }
}

static bool find_name(struct settings *s, str name, struct place *out) {
    for (size_t i = 0; i < s->n_part; i++) {
        for (size_t j = 0; j < s->part[i].n_setting; j++) {
            if (str_equal(name, str_from(s->part[i].setting[j].name))) {
                *out = (struct place){&s->part[i], &s->part[i].setting[j]};
                return true;
            }
        }
    }
    return false;
}

static bool find_letter(struct settings *s, char letter, struct place *out) {
    for (size_t i = 0; i < s->n_part; i++) {
        for (size_t j = 0; j < s->part[i].n_setting; j++) {
            if (s->part[i].setting[j].letter == letter) {
                *out = (struct place){&s->part[i], &s->part[i].setting[j]};
                return true;
            }
        }
    }
    return false;
}

static err unknown_option(struct settings *s, str name) {
    const char *names[256];
    size_t n = 0;
    for (size_t i = 0; i < s->n_part; i++)
        for (size_t j = 0; j < s->part[i].n_setting && n < sizeof names / sizeof *names; j++)
            names[n++] = s->part[i].setting[j].name;
    const char *near = settings_nearest(s->arena, name, names, n);
    if (near)
        return fail(ERR_INPUT, "usage_unknown_option", "unknown option --%.*s; did you mean --%s?", STR_ARG(name), near);
    return fail(ERR_INPUT, "usage_unknown_option", "unknown option --%.*s", STR_ARG(name));
}

err settings_apply(struct settings *s, const char *origin, str name, str value) {
    struct place p;
    if (!find_name(s, name, &p))
        return err_prefix(unknown_option(s, name), "%s", origin);
    err rc = set_value(s, p, origin, value);
    return rc == OK ? OK : err_prefix(rc, "%s", origin);
}

const char *settings_origin(const struct settings *s, str name) {
    struct place p;
    struct settings copy = *s;
    return find_name(&copy, name, &p) ? *origin_of(p) : NULL;
}

/* ---- the command line ---- */

static const char from_command_line[] = "the command line";

struct reader {
    struct settings *settings;
    int argc, at;
    char *const *argv;
    size_t n_word; /* arguments met so far */
};

/* A forgotten value must not swallow the next option. */
static bool is_known_option(struct settings *s, const char *word) {
    struct place p;
    if (word[0] != '-' || word[1] == '\0')
        return false;
    if (word[1] != '-')
        return word[2] == '\0' && find_letter(s, word[1], &p);
    return find_name(s, str_slice(str_from(word + 2), 0, strcspn(word + 2, "=")), &p);
}

static err next_value(struct reader *r, const struct setting *x, str *out) {
    if (r->at >= r->argc)
        return fail(ERR_INPUT, "usage_missing_value", "--%s needs a value: --%s %s", x->name, x->name, setting_arg(x));
    if (is_known_option(r->settings, r->argv[r->at]))
        return fail(ERR_INPUT, "usage_missing_value",
                    "--%s needs a value, but %s follows (write --%s=%s if that is the value)", x->name, r->argv[r->at],
                    x->name, r->argv[r->at]);
    *out = str_from(r->argv[r->at++]);
    return OK;
}

static err read_long(struct reader *r, str word) {
    ptrdiff_t equals = str_find_byte(word, '=');
    str name = equals < 0 ? word : str_slice(word, 0, (size_t)equals);
    str value = equals < 0 ? (str){0} : (str){word.ptr + equals + 1, word.len - (size_t)equals - 1};
    struct place p;
    if (!find_name(r->settings, name, &p))
        return unknown_option(r->settings, name);
    if (p.setting->type == SETTING_FLAG) {
        if (equals >= 0)
            return fail(ERR_INPUT, "usage_unwanted_value", "--%s takes no value", p.setting->name);
        value = STR("yes");
    } else if (equals < 0) {
        TRY(next_value(r, p.setting, &value));
    }
    return set_value(r->settings, p, from_command_line, value);
}

static err read_letters(struct reader *r, const char *word) {
    for (const char *c = word; *c; c++) {
        struct place p;
        if (!find_letter(r->settings, *c, &p))
            return fail(ERR_INPUT, "usage_unknown_option", "unknown option -%c%s", *c,
                        word[1] ? " (long options begin with two hyphens)" : "");
        if (p.setting->type != SETTING_FLAG) {
            str value = str_from(c + 1);
            if (value.len == 0)
                TRY(next_value(r, p.setting, &value));
            return set_value(r->settings, p, from_command_line, value);
        }
        TRY(set_value(r->settings, p, from_command_line, STR("yes")));
    }
    return OK;
}

static err read_word(struct reader *r, const char *word) {
    struct settings *s = r->settings;
    size_t i = r->n_word < s->n_argument ? r->n_word : s->n_argument - 1;
    if (s->n_argument == 0 || (r->n_word >= s->n_argument && !s->argument[i].many))
        return fail(ERR_INPUT, "usage_unexpected_argument", "\"%s\" is one word too many", word);
    r->n_word++;
    void *to = (char *)s->argument_values + s->argument[i].offset;
    str value = str_copy(s->arena, str_from(word));
    if (!s->argument[i].many) {
        *(str *)to = value;
        return OK;
    }
    struct setting_list *list = to;
    size_t cap = list->n;
    str *item = arena_grow(s->arena, list->item, &cap, list->n + 1, sizeof *item);
    item[list->n] = value;
    *list = (struct setting_list){item, list->n + 1};
    return OK;
}

err settings_parse(struct settings *s, int argc, char *const *argv) {
    struct reader r = {.settings = s, .argc = argc, .argv = argv};
    bool options = true;
    while (r.at < argc) {
        const char *word = argv[r.at++];
        if (!options || word[0] != '-' || word[1] == '\0')
            TRY(read_word(&r, word));
        else if (strcmp(word, "--") == 0)
            options = false;
        else if (word[1] == '-')
            TRY(read_long(&r, str_from(word + 2)));
        else
            TRY(read_letters(&r, word + 1));
    }
    return OK;
}

err settings_check(const struct settings *s) {
    for (size_t i = 0; i < s->n_argument; i++) {
        const struct argument *x = &s->argument[i];
        const void *at = (const char *)s->argument_values + x->offset;
        bool there = x->many ? ((const struct setting_list *)at)->n > 0 : ((const str *)at)->ptr != NULL;
        if (!there && !x->optional)
            return fail(ERR_INPUT, "usage_missing_argument", "%s is missing: %s", x->name, x->help);
    }
    for (size_t i = 0; i < s->n_part; i++) {
        for (size_t j = 0; j < s->part[i].n_setting; j++) {
            const struct setting *x = &s->part[i].setting[j];
            if (x->required && !s->part[i].origin[j])
                return fail(ERR_INPUT, "usage_missing_option", "--%s %s is missing: %s", x->name, setting_arg(x), x->help);
        }
    }
    return OK;
}
