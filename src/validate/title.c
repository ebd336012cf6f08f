/* title.c — one spelling of a job title, and the area that its words say. */
#include "validate/title.h"

#include "base/utf8.h"
#include "text/fold.h"
#include "validate/letters.h"
#include "validate/title_priv.h"

const char *title_area_name(enum title_area a) {
    static const char *const names[] = {"Business", "Technical", "Sales-Marketing", "Other"};
    return names[a];
}

static const char *const technical[] = {"engineer",
                                        "engineering",
                                        "engineers",
                                        "software",
                                        "developer",
                                        "programmer",
                                        "technology",
                                        "technologies",
                                        "technical",
                                        "technique",
                                        "data",
                                        "it",
                                        "cto",
                                        "cio",
                                        "ciso",
                                        "systems",
                                        "system",
                                        "scientist",
                                        "scientific",
                                        "science",
                                        "research",
                                        "researcher",
                                        "rd",
                                        "architect",
                                        "architecture",
                                        "devops",
                                        "security",
                                        "hardware",
                                        "web",
                                        "cloud",
                                        "network",
                                        "networks",
                                        "infrastructure",
                                        "analyst",
                                        "database",
                                        "platform",
                                        "android",
                                        "ios",
                                        "java",
                                        "ai",
                                        "ml",
                                        "ux",
                                        "ui",
                                        "qa",
                                        "test",
                                        "testing",
                                        "sysadmin",
                                        "administrator",
                                        "frontend",
                                        "backend",
                                        "stack",
                                        "digital",
                                        "tech",
                                        "sre",
                                        "robotics",
                                        "mobile",
                                        "cyber",
                                        "cybersecurity",
                                        "informatics",
                                        "computer",
                                        "electrical",
                                        "electronics",
                                        "mechanical",
                                        "innovation",
                                        "entwickler",
                                        "entwicklerin",
                                        "ingenieur",
                                        "informatiker",
                                        "developpeur",
                                        "desarrollador",
                                        "ingeniero",
                                        NULL};
/* Those that make even the one at the top technical. */
static const char *const technical_heads[] = {"cto",      "ciso",        "technology", "technical", "scientific", "tech",
                                              "engineer", "engineering", "designer",   "scientist", NULL};
static const char *const selling[] = {"sales",    "marketing", "marketer",    "cmo",        "seo",
                                      "sem",      "vertrieb",  "ventas",      "vendas",     "seller",
                                      "salesman", "marketeer", "advertising", "commercial", NULL};
static const char *const business[] = {"business", "operations", "finance",  "strategy",  "general",    "owner",
                                       "ceo",      "coo",        "cfo",      "president", "investment", "investor",
                                       "founder",  "cofounder",  "chairman", NULL};

/* Relative weights of the areas at each level when no word says more: most of those who lead a company or a part of it do
 * business, most others something of their own. */
static const double usual[TITLE_LEVEL_COUNT][TITLE_AREA_COUNT] = {[TITLE_C_SUITE] = {0.85, 0.08, 0.01, 0.06},
                                                                  [TITLE_VP] = {0.88, 0.04, 0.02, 0.06},
                                                                  [TITLE_DIRECTOR] = {0.60, 0.08, 0.02, 0.30},
                                                                  [TITLE_MANAGER] = {0.08, 0.12, 0.03, 0.77},
                                                                  [TITLE_OTHER] = {0.10, 0.15, 0.03, 0.72}};

static size_t count(const struct title_words *w, const char *const *list) {
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++)
        n += title_word_is(w, i, list);
    return n;
}

/* "Software Development" is technical work, "Business Development" is none. */
static bool is_technical_development(const struct title_words *w) {
    static const char *const not_things[] = {"business", "organizational", "organisational", "corporate", "professional",
                                             "talent",   "career",         "leadership",     "staff",     "people",
                                             "sales",    "market",         "retail",         "partner",   "training",
                                             "and",      "fund",           "economic",       "community", "biz",
                                             NULL};
    static const char *const developments[] = {"development", "entwicklung", "developpement", "desarrollo", NULL};
    for (size_t i = 0; i < w->n; i++)
        if (title_word_is(w, i, developments) && i > 0 && !title_word_is(w, i - 1, not_things))
            return true;
    return false;
}

enum title_area title_area_of(str title, enum title_level level, double p[TITLE_AREA_COUNT]) {
    struct title_words w;
    double own[TITLE_AREA_COUNT];
    title_words_of(title, &w);
    memcpy(own, usual[level], sizeof own);
    if (count(&w, technical) > 0 || is_technical_development(&w))
        own[TITLE_TECHNICAL] *= level == TITLE_C_SUITE ? 3 : level == TITLE_VP ? 4 : 12;
    if (level <= TITLE_VP && count(&w, technical_heads) > 0)
        own[TITLE_TECHNICAL] *= level == TITLE_C_SUITE ? 5 : 6;
    if (count(&w, selling) > 0)
        own[TITLE_SALES_MARKETING] *= 90;
    if (count(&w, business) > 0)
        own[TITLE_BUSINESS] *= 2;
    enum title_area best = TITLE_BUSINESS;
    double sum = 0;
    for (unsigned i = 0; i < TITLE_AREA_COUNT; i++) {
        sum += own[i];
        if (own[i] > own[best])
            best = (enum title_area)i;
    }
    for (unsigned i = 0; p && i < TITLE_AREA_COUNT; i++)
        p[i] = own[i] / sum;
    return best;
}

/* Short forms that mean one thing in a title. */
static str written_out(str word) {
    static const str forms[][2] = {
        {STR_INIT("sr"), STR_INIT("Senior")},        {STR_INIT("snr"), STR_INIT("Senior")},
        {STR_INIT("jr"), STR_INIT("Junior")},        {STR_INIT("jnr"), STR_INIT("Junior")},
        {STR_INIT("mgr"), STR_INIT("Manager")},      {STR_INIT("mngr"), STR_INIT("Manager")},
        {STR_INIT("dir"), STR_INIT("Director")},     {STR_INIT("asst"), STR_INIT("Assistant")},
        {STR_INIT("assoc"), STR_INIT("Associate")},  {STR_INIT("exec"), STR_INIT("Executive")},
        {STR_INIT("eng"), STR_INIT("Engineering")},  {STR_INIT("engr"), STR_INIT("Engineer")},
        {STR_INIT("mktg"), STR_INIT("Marketing")},   {STR_INIT("mkt"), STR_INIT("Marketing")},
        {STR_INIT("ops"), STR_INIT("Operations")},   {STR_INIT("dev"), STR_INIT("Development")},
        {STR_INIT("mgmt"), STR_INIT("Management")},  {STR_INIT("admin"), STR_INIT("Administrator")},
        {STR_INIT("acct"), STR_INIT("Account")},     {STR_INIT("intl"), STR_INIT("International")},
        {STR_INIT("natl"), STR_INIT("National")},    {STR_INIT("pres"), STR_INIT("President")},
        {STR_INIT("coord"), STR_INIT("Coordinator")}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (str_equal_nocase(word, forms[i][0]))
            return forms[i][1];
    return (str){0};
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80; }

static str with_whole_words(struct arena *a, struct clean_value *v, str s) {
    struct buf *out = buf_in(a, 8 * TITLE_MAX_BYTE + 64);
    for (size_t i = 0; i < s.len;) {
        size_t end = i;
        while (end < s.len && is_letter(s.ptr[end]))
            end++;
        const str word = str_slice(s, i, end), whole = end > i ? written_out(word) : (str){0};
        if (whole.len > 0) {
            buf_add(out, whole);
            clean_apply(v, RULE_ABBREVIATION);
            end += end < s.len && s.ptr[end] == '.';
        } else if (end > i) {
            buf_add(out, word);
        } else {
            buf_add_byte(out, s.ptr[end++]);
        }
        i = end;
    }
    return buf_str(out);
}

static const char *const kept_small[] = {"of", "and", "the", "for", "in", "at", "to", "a",  "an",   "de", "du", "des",
                                         "la", "und", "für", "von", "y",  "e",  "et", "on", "with", "by", NULL};
static const char *const kept_large[] = {
    "CEO", "CFO", "CTO", "COO", "CMO", "CIO", "CSO",  "CCO",  "CPO", "CRO", "CISO", "CDO",  "CHRO", "VP",  "SVP", "EVP",
    "AVP", "IT",  "HR",  "R&D", "US",  "UK",  "EMEA", "APAC", "UX",  "UI",  "QA",   "AI",   "ML",   "SEO", "SEM", "CRM",
    "ERP", "SAP", "GM",  "MD",  "PR",  "BI",  "IOS",  "EU",   "USA", "M&A", "B2B",  "SAAS", "PMO",  NULL};

void title_clean(struct arena *a, str original, struct clean_value *v) {
    if (!clean_begin(v, original, TITLE_MAX_BYTE))
        return;
    str s = clean_spaces(a, v, v->value);
    if (letters_count(s) == 0) {
        clean_refuse(v, RULE_NO_LETTERS);
        return;
    }
    const bool one_case = letters_are_one_case(s);
    s = with_whole_words(a, v, s);
    const struct letters_words words = {.small = kept_small, .large = kept_large};
    const str heading = one_case ? letters_heading(a, s, &words) : s;
    if (!str_equal(heading, s))
        clean_apply(v, RULE_CASE);
    v->value = heading;
    clean_end(v, original);
}
