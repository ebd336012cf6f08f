/* profile.c — names, words and levels: what reading a profile and scoring a row share. */
#include "profile/profile_priv.h"

#include "base/hash.h"

static const char *const section_names[SECTION_COUNT] = {"firmographics", "technographics", "demographics", "chronographics",
                                                         "behaviour"};

static const char *const seniority_names[SENIORITY_COUNT] = {"intern", "junior",   "individual", "senior",  "manager",
                                                             "head",   "director", "vp",         "c_level", "owner"};

static const char *const comparison_names[COMPARE_COUNT] = {"above", "at_least", "below",    "at_most",
                                                            "is",    "is_not",   "contains", "known"};

/* Titles by the words that decide them; the first that occurs wins. The exceptions come first, then ranks from high to low,
 * with a vice president before a president. */
static const struct {
    enum seniority level;
    str words;
} titles[] = {
    {SENIORITY_INDIVIDUAL, STR_INIT(" assistant to ")},
    {SENIORITY_INDIVIDUAL, STR_INIT(" executive assistant ")},
    {SENIORITY_INDIVIDUAL, STR_INIT(" product owner ")},
    {SENIORITY_INDIVIDUAL, STR_INIT(" lead generation ")},
    {SENIORITY_HEAD, STR_INIT(" chief of staff ")},
    {SENIORITY_INTERN, STR_INIT(" intern ")},
    {SENIORITY_INTERN, STR_INIT(" internship ")},
    {SENIORITY_INTERN, STR_INIT(" trainee ")},
    {SENIORITY_INTERN, STR_INIT(" apprentice ")},
    {SENIORITY_INTERN, STR_INIT(" student ")},
    {SENIORITY_OWNER, STR_INIT(" owner ")},
    {SENIORITY_OWNER, STR_INIT(" founder ")},
    {SENIORITY_OWNER, STR_INIT(" cofounder ")},
    {SENIORITY_OWNER, STR_INIT(" proprietor ")},
    {SENIORITY_OWNER, STR_INIT(" managing partner ")},
    {SENIORITY_OWNER, STR_INIT(" founding partner ")},
    {SENIORITY_OWNER, STR_INIT(" general partner ")},
    {SENIORITY_C_LEVEL, STR_INIT(" ceo ")},
    {SENIORITY_C_LEVEL, STR_INIT(" cfo ")},
    {SENIORITY_C_LEVEL, STR_INIT(" cto ")},
    {SENIORITY_C_LEVEL, STR_INIT(" cio ")},
    {SENIORITY_C_LEVEL, STR_INIT(" cmo ")},
    {SENIORITY_C_LEVEL, STR_INIT(" coo ")},
    {SENIORITY_C_LEVEL, STR_INIT(" cro ")},
    {SENIORITY_C_LEVEL, STR_INIT(" cpo ")},
    {SENIORITY_C_LEVEL, STR_INIT(" cso ")},
    {SENIORITY_C_LEVEL, STR_INIT(" cdo ")},
    {SENIORITY_C_LEVEL, STR_INIT(" ciso ")},
    {SENIORITY_C_LEVEL, STR_INIT(" chro ")},
    {SENIORITY_C_LEVEL, STR_INIT(" cxo ")},
    {SENIORITY_C_LEVEL, STR_INIT(" chief ")},
    {SENIORITY_C_LEVEL, STR_INIT(" c level ")},
    {SENIORITY_C_LEVEL, STR_INIT(" c suite ")},
    {SENIORITY_C_LEVEL, STR_INIT(" managing director ")},
    {SENIORITY_VP, STR_INIT(" vp ")},
    {SENIORITY_VP, STR_INIT(" svp ")},
    {SENIORITY_VP, STR_INIT(" evp ")},
    {SENIORITY_VP, STR_INIT(" avp ")},
    {SENIORITY_VP, STR_INIT(" vice president ")},
    {SENIORITY_C_LEVEL, STR_INIT(" president ")},
    {SENIORITY_DIRECTOR, STR_INIT(" director ")},
    {SENIORITY_HEAD, STR_INIT(" head ")},
    {SENIORITY_MANAGER, STR_INIT(" manager ")},
    {SENIORITY_MANAGER, STR_INIT(" mgr ")},
    {SENIORITY_MANAGER, STR_INIT(" supervisor ")},
    {SENIORITY_MANAGER, STR_INIT(" team lead ")},
    {SENIORITY_MANAGER, STR_INIT(" team leader ")},
    {SENIORITY_SENIOR, STR_INIT(" senior ")},
    {SENIORITY_SENIOR, STR_INIT(" sr ")},
    {SENIORITY_SENIOR, STR_INIT(" lead ")},
    {SENIORITY_SENIOR, STR_INIT(" principal ")},
    {SENIORITY_SENIOR, STR_INIT(" staff ")},
    {SENIORITY_JUNIOR, STR_INIT(" junior ")},
    {SENIORITY_JUNIOR, STR_INIT(" jr ")},
    {SENIORITY_JUNIOR, STR_INIT(" entry ")},
    {SENIORITY_JUNIOR, STR_INIT(" assistant ")},
};

const char *profile_section_name(enum profile_section section) { return section_names[section]; }

const char *profile_seniority_name(enum seniority level) { return seniority_names[level]; }

const char *profile_comparison_name(enum compare_op op) { return comparison_names[op]; }

void profile_to_json(struct json_writer *w, const struct profile *p) { json_value(w, p->document); }

str profile_hash(struct arena *a, const struct profile *p) {
    struct buf *text = buf_in(a, (size_t)64 << 20);
    json_write_canonical(text, p->document);
    return hash_hex(a, buf_str(text));
}

/* The byte in lower case when it belongs to a word, else 0. */
static char word_byte(char c) {
    if (c >= 'A' && c <= 'Z')
        return (char)(c + ('a' - 'A'));
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c > 127 ? c : 0;
}

size_t profile_words(str text, char *to, size_t max) {
    size_t n = 0, whole = 0;
    for (size_t i = 0; i <= text.len && n < max; i++) {
        char c = i < text.len ? word_byte(text.ptr[i]) : 0;
        if (c) {
            if (n == 0)
                to[n++] = ' ';
            if (n < max)
                to[n++] = c;
        } else if (n > 0 && to[n - 1] != ' ') {
            to[n++] = ' ';
            whole = n;
        }
    }
    return whole;
}

/* Which letters words begin with. Most titles can be passed over by it. */
static uint32_t first_letters(str words) {
    uint32_t mask = 0;
    for (size_t i = 1; i < words.len; i++)
        if (words.ptr[i - 1] == ' ' && words.ptr[i] >= 'a' && words.ptr[i] <= 'z')
            mask |= 1u << (words.ptr[i] - 'a');
    return mask;
}

enum seniority profile_seniority_of_words(str words) {
    uint32_t letters = first_letters(words);
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if ((letters & 1u << (titles[i].words.ptr[1] - 'a')) && str_find(words, titles[i].words) >= 0)
            return titles[i].level;
    return SENIORITY_INDIVIDUAL;
}

enum seniority profile_seniority_of(str title) {
    char words[256];
    return profile_seniority_of_words((str){words, profile_words(title, words, sizeof words)});
}
