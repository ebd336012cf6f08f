/* names.c — countries and languages: from any of their names and codes to the ISO code. */
#include "validate/names.h"

#include "base/asset.h"
#include "text/fold.h"

enum { NAME_BYTE = 160, SLOT_COUNT = 1 << 14 };

struct name {
    str folded, code;
    bool is_code;
};

struct names {
    struct name *slot;
    str (*english)[2];
    size_t n, n_slot;
};

static struct name *find(const struct names *t, str folded) {
    size_t at = str_hash(folded) & (SLOT_COUNT - 1);
    while (t->slot[at].folded.len > 0 && !str_equal(t->slot[at].folded, folded))
        at = (at + 1) & (SLOT_COUNT - 1);
    return &t->slot[at];
}

/* The first meaning of a name stays. */
static void add(struct names *t, struct arena *a, str name, str code, bool is_code) {
    char folded[NAME_BYTE];
    const str f = {folded, text_fold(name, folded, sizeof folded)};
    struct name *slot = find(t, f);
    if (f.len == 0 || slot->folded.len > 0 || t->n_slot > SLOT_COUNT / 2)
        return;
    *slot = (struct name){str_copy(a, f), code, is_code};
    t->n_slot++;
}

/* Lines: code, tab, `extra` more codes each with a tab, English name, tab, other names with "|" between them. Codes of all
 * lines go in before the names, so that no name hides one. */
static struct names *load(struct arena *a, str text, unsigned extra) {
    struct names *t = ARENA_NEW(a, struct names);
    t->slot = ARENA_ARRAY(a, SLOT_COUNT, struct name);
    t->english = arena_array(a, 512, sizeof *t->english);
    for (int pass = 0; pass < 2; pass++) {
        str rest = text, line;
        while (str_split(&rest, '\n', &line)) {
            str code, cell, name;
            if (line.len == 0 || line.ptr[0] == '#' || !str_split(&line, '\t', &code))
                continue;
            if (pass == 0)
                add(t, a, code, code, true);
            for (unsigned i = 0; i < extra && str_split(&line, '\t', &cell); i++)
                if (pass == 0)
                    add(t, a, cell, code, true);
            if (pass == 0 || !str_split(&line, '\t', &cell))
                continue;
            add(t, a, cell, code, false);
            if (t->n < 512) {
                t->english[t->n][0] = code;
                t->english[t->n++][1] = cell;
            }
            while (str_split(&line, '|', &name))
                add(t, a, name, code, false);
        }
    }
    return t;
}

struct names *names_countries(struct arena *a) {
    return load(a, asset_get(STR("lists/countries.tsv")), 1);
}
struct names *names_languages(struct arena *a) {
    return load(a, asset_get(STR("lists/languages.tsv")), 0);
}

static const struct name *look_up(const struct names *t, str text) {
    char folded[NAME_BYTE];
    const str f = {folded, text_fold(text, folded, sizeof folded)};
    if (f.len == 0)
        return NULL;
    const struct name *n = find(t, f);
    if (n->folded.len == 0 && str_starts(f, STR("the ")))
        n = find(t, str_slice(f, 4, f.len));
    return n->folded.len > 0 ? n : NULL;
}

str names_code(const struct names *t, str text) {
    const struct name *n = look_up(t, text);
    return n ? n->code : (str){0};
}

str names_english(const struct names *t, str code) {
    for (size_t i = 0; i < t->n; i++)
        if (str_equal(t->english[i][0], code))
            return t->english[i][1];
    return (str){0};
}

/* "de-AT", "pt_BR": the language in front. */
static str without_variant(str s) {
    return s.len > 3 && s.len <= 10 && (s.ptr[2] == '-' || s.ptr[2] == '_') ? str_slice(s, 0, 2) : s;
}

void names_clean(const struct names *t, struct arena *a, str original, bool language, struct clean_value *v) {
    if (!clean_begin(v, original, NAME_BYTE))
        return;
    const str s = clean_spaces(a, v, v->value);
    const struct name *n = look_up(t, language ? without_variant(s) : s);
    if (!n) {
        clean_refuse(v, RULE_UNKNOWN);
        return;
    }
    v->value = n->code;
    if (!str_equal(s, n->code))
        clean_apply(v, n->is_code && language ? RULE_LANGUAGE_CODE
                       : n->is_code           ? RULE_COUNTRY_CODE
                       : language             ? RULE_LANGUAGE_NAME
                                              : RULE_COUNTRY_NAME);
    clean_end(v, original);
}
