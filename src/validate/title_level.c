/* title_level.c — the level that the words of a job title say. */
#include "validate/title_priv.h"

#include "base/utf8.h"
#include "text/fold.h"

const char *title_level_name(enum title_level l) {
    static const char *const names[] = {"C-Suite", "VP", "Director", "Manager", "Other"};
    return names[l];
}

/* Signs that end a part of a title; a hyphen only with a blank beside it. */
static bool ends_part(str s, size_t i) {
    const char c = s.ptr[i];
    if (strchr(",;|/():\n\t[]", c))
        return true;
    if (c == '-')
        return (i > 0 && s.ptr[i - 1] == ' ') || (i + 1 < s.len && s.ptr[i + 1] == ' ');
    /* dashes and dots of U+2010 to U+2027 */
    return (unsigned char)c == 0xE2 && i + 2 < s.len && (unsigned char)s.ptr[i + 1] == 0x80 &&
           (unsigned char)s.ptr[i + 2] >= 0x90 && (unsigned char)s.ptr[i + 2] <= 0xA7 && (unsigned char)s.ptr[i + 2] != 0x99;
}

static void add_word(struct title_words *w, str word, unsigned part) {
    if (w->n == TITLE_WORD_MAX)
        return;
    /* "C.E.O." is folded to "c e o", "R&D" to "r d". */
    if (word.len == 1 && w->n > 0 && w->part[w->n - 1] == part && w->letters) {
        w->word[w->n - 1].len++;
        char *to = w->text + w->used - 1;
        memcpy(to, word.ptr, 1);
        w->text[w->used++] = ' ';
        return;
    }
    char *to = w->text + w->used;
    memcpy(to, word.ptr, word.len);
    to[word.len] = ' ';
    w->used += word.len + 1;
    w->letters = word.len == 1;
    w->part[w->n] = part;
    w->word[w->n++] = (str){to, word.len};
}

static void add_part(struct title_words *w, str s) {
    char folded[TITLE_MAX_BYTE];
    str rest = {folded, text_fold(s, folded, sizeof folded)}, word;
    const size_t before = w->n;
    w->letters = false;
    while (rest.len > 0 && str_split(&rest, ' ', &word))
        if (word.len > 0)
            add_word(w, word, w->n_part);
    w->n_part += w->n > before;
}

/* "A & B" as "A and B"; "R&D" as it is. */
static str with_and(str s, char to[TITLE_MAX_BYTE]) {
    size_t n = 0;
    for (size_t i = 0; i < s.len && n + 3 <= TITLE_MAX_BYTE; i++) {
        const bool blank = (i > 0 && s.ptr[i - 1] == ' ') || (i + 1 < s.len && s.ptr[i + 1] == ' ');
        const bool and = s.ptr[i] == '&' && blank;
        memcpy(to + n, and? "and" : s.ptr + i, and? 3 : 1);
        n += and? 3 : 1;
    }
    return utf8_cut((str){to, n}, TITLE_MAX_BYTE);
}

void title_words_of(str title, struct title_words *w) {
    char text[TITLE_MAX_BYTE];
    w->n = w->used = w->n_part = 0;
    title = with_and(utf8_cut(title, TITLE_MAX_BYTE), text);
    size_t from = 0;
    for (size_t i = 0; i < title.len; i++)
        if (ends_part(title, i)) {
            add_part(w, str_slice(title, from, i));
            from = i + ((unsigned char)title.ptr[i] == 0xE2 ? 3 : 1);
        }
    if (from < title.len)
        add_part(w, str_slice(title, from, title.len));
}

bool title_word_is(const struct title_words *w, size_t i, const char *const *list) {
    for (; i < w->n && *list; list++)
        if (str_equal(w->word[i], str_from(*list)))
            return true;
    return false;
}

static bool word_at(const struct title_words *w, size_t i, const char *word) {
    return i < w->n && str_equal(w->word[i], str_from(word));
}

static const char *const officers[] = {"ceo",
                                       "cfo",
                                       "cto",
                                       "coo",
                                       "cmo",
                                       "cio",
                                       "cso",
                                       "cco",
                                       "cpo",
                                       "cro",
                                       "ciso",
                                       "cdo",
                                       "chro",
                                       "clo",
                                       "cbo",
                                       "cxo",
                                       "cgo",
                                       "cao",
                                       "pdg",
                                       "dg",
                                       "cvo",
                                       "cko",
                                       "cae",
                                       "ceoin",
                                       "geschaftsfuhrer",
                                       "geschaeftsfuhrer",
                                       "geschaftsfuhrerin",
                                       "vorstand",
                                       "chairman",
                                       "chairwoman",
                                       "chairperson",
                                       "founder",
                                       "founders",
                                       "cofounder",
                                       "cofounders",
                                       "fondateur",
                                       "fondatrice",
                                       "grunder",
                                       "fundador",
                                       "fundadora",
                                       "fondatore",
                                       "oprichter",
                                       NULL};
/* What of these outranks whatever else the title says, wherever it stands. */
static const char *const owners[] = {"chairman",   "chairwoman", "chairperson", "founder",  "founders", "cofounder",
                                     "cofounders", "fondateur",  "fondatrice",  "grunder",  "fundador", "fundadora",
                                     "fondatore",  "oprichter",  "board",       "vorstand", NULL};
static const char *const vices[] = {"vp",   "svp", "evp", "avp", "rvp", "gvp", "vicepresident", "vicepresidente",
                                    "sevp", NULL};
static const char *const directors[] = {
    "director", "directors",        "head",           "directeur", "directrice", "direktor", "leiter",
    "leiterin", "abteilungsleiter", "bereichsleiter", "direttore", "diretor",    "diretora", "directora",
    "directo",  "direttrice",       "hoofd",          "dir",       NULL};
static const char *const managers[] = {"manager",
                                       "managers",
                                       "mgr",
                                       "lead",
                                       "leader",
                                       "supervisor",
                                       "gerente",
                                       "gm",
                                       "responsable",
                                       "teamleiter",
                                       "teamleiterin",
                                       "projektleiter",
                                       "projektleiterin",
                                       "superintendent",
                                       "leads",
                                       "teamlead",
                                       "jefe",
                                       "jefa",
                                       "mngr",
                                       NULL};
static const char *const helpers[] = {"assistant", "secretary", "advisor",     "adviser",   "aide",       "pa",        "ea",
                                      "office",    "assistenz", "assistentin", "asistente", "consultant", "reporting", NULL};
static const char *const bodies[] = {"office",    "group",   "team",      "staff",    "network", "club",    "forum",
                                     "community", "program", "programme", "practice", "summit",  "council", NULL};
static const char *const small[] = {"to", "of", "the", "for", NULL};

/* "Assistant to the CEO", "Office of the CTO", "CTO Group": the title is somebody else's. */
static bool is_somebody_elses(const struct title_words *w, size_t i) {
    if (i + 1 < w->n && w->part[i + 1] == w->part[i] && title_word_is(w, i + 1, bodies))
        return true;
    size_t before = i;
    bool linked = false;
    while (before > 0 && title_word_is(w, before - 1, small)) {
        linked |= word_at(w, before - 1, "to") || word_at(w, before - 1, "the");
        before--;
    }
    return linked && before > 0 && title_word_is(w, before - 1, helpers);
}

/* "Chief … Officer" and most other chiefs are officers; these chiefs are heads of a craft. */
static bool is_chief_of_craft(const struct title_words *w, size_t i) {
    static const char *const crafts[] = {"architect", "engineer",  "accountant", "nurse", "resident",
                                         "director",  "inspector", "clerk",      "pilot", "surgeon",
                                         "chemist",   "designer",  NULL};
    bool craft = word_at(w, i + 1, "of") && word_at(w, i + 2, "staff");
    for (size_t k = i + 1; k < w->n && w->part[k] == w->part[i]; k++) {
        if (word_at(w, k, "officer") || word_at(w, k, "executive"))
            return false;
        craft |= title_word_is(w, k, crafts);
    }
    return craft;
}

/* "Board certified" and "board operator" are no seats on a board. */
static bool is_seat(const struct title_words *w, size_t i) {
    static const char *const not_seats[] = {"certified", "operator", "eligible", "assistant", "secretary", "designer", NULL};
    return !title_word_is(w, i + 1, not_seats);
}

static bool is_chair(const struct title_words *w, size_t i) {
    static const char *const schools[] = {"department", "dept",    "sciences", "science",
                                          "professor",  "faculty", "studies",  NULL};
    if (!word_at(w, i, "chair") || (word_at(w, i + 1, "of") && !word_at(w, i + 2, "the")))
        return false;
    for (size_t k = 0; k < w->n; k++)
        if (title_word_is(w, k, schools))
            return false;
    return i == 0 || word_at(w, i - 1, "co") || word_at(w, i - 1, "vice") || word_at(w, i - 1, "board") ||
           word_at(w, i - 1, "executive") || w->part[i - 1] != w->part[i];
}

static bool is_founding(const struct title_words *w, size_t i) {
    return word_at(w, i, "founding") &&
           (word_at(w, i + 1, "partner") || word_at(w, i + 1, "ceo") || (i > 0 && word_at(w, i - 1, "co")));
}

static bool is_vice(const struct title_words *w, size_t i) {
    return title_word_is(w, i, vices) ||
           (word_at(w, i, "vice") && (word_at(w, i + 1, "president") || word_at(w, i + 1, "pres")));
}

static bool is_head(const struct title_words *w, size_t i) {
    static const char *const crafts[] = {"coach",  "chef",    "nurse",  "teacher", "start",
                                         "waiter", "barista", "hunter", "count",   NULL};
    return title_word_is(w, i, directors) && !(word_at(w, i, "head") && title_word_is(w, i + 1, crafts)) &&
           !(i > 0 && word_at(w, i - 1, "board") && !word_at(w, i, "head"));
}

static bool is_manager(const struct title_words *w, size_t i) {
    static const char *const sales[] = {"generation", "gen", "management", "nurturing", "qualification", "qualifier", NULL};
    return title_word_is(w, i, managers) && !(word_at(w, i, "lead") && title_word_is(w, i + 1, sales));
}

static bool has_rank(const struct title_words *w, size_t i) {
    return title_word_is(w, i, officers) || is_vice(w, i) || word_at(w, i, "chief") || word_at(w, i, "owner") ||
           word_at(w, i, "partner") || word_at(w, i, "board");
}

/* "Brand President" and "President, National Accounts" lead a part of a company, as a head does. */
static bool is_president_of_part(const struct title_words *w, size_t i) {
    static const char *const whole[] = {"co",     "the",       "former", "past",  "founding", "acting", "interim", "and",
                                        "senior", "executive", "deputy", "group", "company",  "ex",     "owner",   NULL};
    if (i > 0 && w->part[i - 1] == w->part[i] && !title_word_is(w, i - 1, whole) && !has_rank(w, i - 1))
        return true;
    for (size_t k = 0; k < w->n; k++)
        if (k != i && has_rank(w, k))
            return false;
    return w->part[w->n - 1] > w->part[i];
}

struct found {
    bool owner, officer, craft, vice, president, part, director, manager;
    size_t officer_at, vice_at;
};

static void look_at(const struct title_words *w, size_t i, struct found *f) {
    if (is_somebody_elses(w, i))
        return;
    if (is_vice(w, i) && !f->vice) {
        f->vice = true;
        f->vice_at = i;
    }
    f->owner |=
        (title_word_is(w, i, owners) && (!word_at(w, i, "board") || is_seat(w, i))) || is_chair(w, i) || is_founding(w, i);
    const bool chief = word_at(w, i, "chief") || word_at(w, i, "chiefs");
    if ((title_word_is(w, i, officers) || (chief && !is_chief_of_craft(w, i))) && !f->officer) {
        f->officer = true;
        f->officer_at = i;
    }
    f->craft |= chief && is_chief_of_craft(w, i);
    if (word_at(w, i, "president") && !(i > 0 && word_at(w, i - 1, "vice"))) {
        f->president = true;
        f->part |= is_president_of_part(w, i);
    }
    f->director |= is_head(w, i);
    f->manager |= is_manager(w, i);
}

enum title_level title_level_of_words(const struct title_words *w) {
    struct found f = {0};
    for (size_t i = 0; i < w->n; i++)
        look_at(w, i, &f);
    if (f.owner || (f.officer && (!f.vice || f.officer_at < f.vice_at)))
        return TITLE_C_SUITE;
    if (f.vice)
        return TITLE_VP;
    if (f.president)
        return f.part ? TITLE_DIRECTOR : TITLE_C_SUITE;
    if (f.director || f.craft)
        return TITLE_DIRECTOR;
    return f.manager ? TITLE_MANAGER : TITLE_OTHER;
}

enum title_level title_level_of(str title) {
    struct title_words w;
    title_words_of(title, &w);
    return title_level_of_words(&w);
}
