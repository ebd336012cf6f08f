/* lexicon.c — the tables, and names cut into words. */
#include "features/lexicon.h"

static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_word(char c) { return is_lower(c) || is_upper(c) || (c >= '0' && c <= '9') || (unsigned char)c >= 128; }

/* A word begins at a capital after a small letter, and at the last capital of a row of them ("CRMStage"). */
static bool begins_word(str s, size_t i) {
    if (i == 0 || !is_word(s.ptr[i - 1]))
        return true;
    if (!is_upper(s.ptr[i]))
        return false;
    return !is_upper(s.ptr[i - 1]) || (i + 1 < s.len && is_lower(s.ptr[i + 1]));
}

static void end_word(struct name_words *w, size_t from) {
    size_t n = w->len - from;
    if (n >= 5 && w->text[w->len - 1] == 's' && w->text[w->len - 2] != 's' && w->text[w->len - 2] != 'u' &&
        w->text[w->len - 2] != 'i')
        w->len--;
    if (n > 0)
        w->text[w->len++] = ' ';
}

struct name_words name_words(str name) {
    struct name_words w = {.text = " ", .len = 1};
    size_t from = 1;
    for (size_t i = 0; i < name.len && w.len + 3 < NAME_WORDS_BYTE; i++) {
        char c = name.ptr[i];
        if (!is_word(c) || (begins_word(name, i) && w.len > from)) {
            end_word(&w, from);
            from = w.len;
        }
        if (is_word(c))
            w.text[w.len++] = is_upper(c) ? (char)(c + ('a' - 'A')) : c;
    }
    end_word(&w, from);
    return w;
}

bool name_has(const struct name_words *w, const char *phrase) {
    bool begin = *phrase == '=' || *phrase == '^', end = *phrase == '=';
    str p = str_from(begin ? phrase + 1 : phrase);
    if (p.len > 0 && p.ptr[p.len - 1] == '$') {
        end = true;
        p.len--;
    }
    for (size_t i = 1; i + p.len < w->len; i++)
        if (w->text[i - 1] == ' ' && w->text[i + p.len] == ' ' && memcmp(w->text + i, p.ptr, p.len) == 0 &&
            (!begin || i == 1) && (!end || i + p.len + 1 == w->len))
            return true;
    return false;
}

bool name_has_any(const struct name_words *w, const char *const *phrases) {
    for (; *phrases; phrases++)
        if (name_has(w, *phrases))
            return true;
    return false;
}

/* The first row that fits wins. */
static const struct {
    const char *phrase, *group;
} groups[] = {
    {"operating system", "technographic"},
    {"browser", "technographic"},
    {"device", "technographic"},
    {"technology", "technographic"},
    {"tech", "technographic"},
    {"software", "technographic"},
    {"platform", "technographic"},
    {"cms", "technographic"},
    {"crm", "technographic"},
    {"stack", "technographic"},
    {"os", "technographic"},
    {"hosting", "technographic"},
    {"integration", "technographic"},
    {"time spent", "behavioural"},
    {"visit", "behavioural"},
    {"visitor", "behavioural"},
    {"page", "behavioural"},
    {"email", "behavioural"},
    {"mail", "behavioural"},
    {"click", "behavioural"},
    {"open", "behavioural"},
    {"website", "behavioural"},
    {"web", "behavioural"},
    {"session", "behavioural"},
    {"bounce", "behavioural"},
    {"bounce rate", "behavioural"},
    {"exit rate", "behavioural"},
    {"download", "behavioural"},
    {"webinar", "behavioural"},
    {"demo", "behavioural"},
    {"trial", "behavioural"},
    {"duration", "behavioural"},
    {"activity", "behavioural"},
    {"engagement", "behavioural"},
    {"login", "behavioural"},
    {"usage", "behavioural"},
    {"call", "behavioural"},
    {"contact", "behavioural"},
    {"campaign", "behavioural"},
    {"source", "behavioural"},
    {"origin", "behavioural"},
    {"channel", "behavioural"},
    {"medium", "behavioural"},
    {"traffic", "behavioural"},
    {"referrer", "behavioural"},
    {"referral", "behavioural"},
    {"search", "behavioural"},
    {"form", "behavioural"},
    {"product related", "behavioural"},
    {"administrative", "behavioural"},
    {"informational", "behavioural"},
    {"previous", "behavioural"},
    {"response", "behavioural"},
    {"date", "chronographic"},
    {"day", "chronographic"},
    {"days", "chronographic"},
    {"week", "chronographic"},
    {"weekend", "chronographic"},
    {"weekday", "chronographic"},
    {"month", "chronographic"},
    {"quarter", "chronographic"},
    {"year", "chronographic"},
    {"time", "chronographic"},
    {"last", "chronographic"},
    {"recency", "chronographic"},
    {"created", "chronographic"},
    {"since", "chronographic"},
    {"pdays", "chronographic"},
    {"tenure", "chronographic"},
    {"hour", "chronographic"},
    {"special day", "chronographic"},
    {"elapsed", "chronographic"},
    {"industry", "firmographic"},
    {"sector", "firmographic"},
    {"company", "firmographic"},
    {"account", "firmographic"},
    {"organisation", "firmographic"},
    {"organization", "firmographic"},
    {"firm", "firmographic"},
    {"employee", "firmographic"},
    {"headcount", "firmographic"},
    {"revenue", "firmographic"},
    {"turnover", "firmographic"},
    {"funding", "firmographic"},
    {"naics", "firmographic"},
    {"sic", "firmographic"},
    {"country", "firmographic"},
    {"region", "firmographic"},
    {"city", "firmographic"},
    {"state", "firmographic"},
    {"territory", "firmographic"},
    {"location", "firmographic"},
    {"zip", "firmographic"},
    {"market", "firmographic"},
    {"subsidiary", "firmographic"},
    {"client size", "firmographic"},
    {"job", "demographic"},
    {"title", "demographic"},
    {"seniority", "demographic"},
    {"role", "demographic"},
    {"department", "demographic"},
    {"occupation", "demographic"},
    {"profession", "demographic"},
    {"age", "demographic"},
    {"gender", "demographic"},
    {"sex", "demographic"},
    {"marital", "demographic"},
    {"=education", "demographic"},
    {"education level", "demographic"},
    {"income", "demographic"},
    {"salary", "demographic"},
    {"specialization", "demographic"},
    {"language", "demographic"},
    {"dependent", "demographic"},
    {"partner", "demographic"},
    {"child", "demographic"},
    {"children", "demographic"},
    {"housing", "demographic"},
    {"loan", "demographic"},
    {"balance", "demographic"},
    {"default", "demographic"},
    {"comment", "textual"},
    {"note", "textual"},
    {"notes", "textual"},
    {"description", "textual"},
    {"message", "textual"},
    {"text", "textual"},
    {"summary", "textual"},
};

str name_group(const struct name_words *w) {
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (name_has(w, groups[i].phrase))
            return str_from(groups[i].group);
    return STR("other");
}

static const char *const code_phrases[] = {
    "id$",           "code$",     "type$",        "region$",      "browser$", "operating system$",
    "zip$",          "postcode$", "category$",    "class$",       "segment$", "channel$",
    "weekday$",      "=day",      "day of week$", "month$",       "=mon",     "branch$",
    "store$",        "cluster$",  "version$",     "sic$",         "naics$",   "territory$",
    "district$",     "county$",   "state$",       "source$",      "status$",  "=plan",
    "department$",   "industry$", "sector$",      "=group",       "kind$",    "^zip",
    "day of month$", "agent$",    "company$",     "campaign id$", NULL};

static const char *const identifier_phrases[] = {
    "id$",    "^id",        "uuid$",           "guid$", "=number", "lead number$", "number$",    "key$",
    "ref$",   "reference$", "serial$",         "no$",   "=index",  "row$",         "email$",     "e mail$",
    "mail$",  "phone$",     "telephone$",      "url$",  "=name",   "full name$",   "=unnamed 0", "unnamed$",
    "token$", "hash$",      "account number$", NULL};

static const char *const quantity_phrases[] = {"^number of", "^num",   "^nr",      "^no of", "^n",      "count$",  "total",
                                               "amount",     "sum",    "average",  "avg",    "mean",    "per",     "rate$",
                                               "ratio",      "share",  "price",    "cost",   "revenue", "days",    "hour",
                                               "minute",     "second", "length",   "size",   "value$",  "score$",  "age",
                                               "year",       "tenure", "distance", "income", "salary",  "balance", NULL};

static const char *const status_phrases[] = {
    "status",      "stage$",       "=stage",        "tag",        "tags",      "outcome", "result",
    "disposition", "last notable", "current state", "conversion", "converted", "funnel",  "opportunity stage",
    "deal stage",  "sales stage$", "lifecycle",     "churned",    NULL};

/* A marital status is no state of the lead, and a credit score or price index no judgement of it. */
static const char *const personal_phrases[] = {"marital",  "employment", "civil",     "relationship", "residence",
                                               "resident", "visa",       "ownership", "home",         "credit",
                                               "price",    "smoking",    "previous",  "prev",         NULL};

static const char *const judgement_phrases[] = {"quality",     "score",        "grade",      "rating",      "rank",
                                                "ranking",     "index",        "likelihood", "probability", "propensity",
                                                "prediction",  "predicted",    "forecast",   "priority",    "lead profile",
                                                "temperature", "qualified by", "relevance",  NULL};

static const char *const contact_length_phrases[] = {"=duration",
                                                     "call duration",
                                                     "call length",
                                                     "call time",
                                                     "call second",
                                                     "call minute",
                                                     "talk time",
                                                     "talk duration",
                                                     "last call",
                                                     "contact duration",
                                                     "conversation length",
                                                     "conversation duration",
                                                     "meeting duration",
                                                     "duration sec",
                                                     "duration second",
                                                     "duration minute",
                                                     NULL};

static const char *const closing_phrases[] = {
    "closed",    "close",    "close date",   "won",    "lost",        "loss",      "reason",   "win",        "contract",
    "signed",    "invoice",  "payment",      "paid",   "purchase",    "purchased", "order",    "booked",     "cancel",
    "cancelled", "canceled", "cancellation", "refund", "termination", "exit date", "end date", "resolution", "checkout",
    "departure", NULL};

bool name_is_quantity(const struct name_words *w) { return name_has_any(w, quantity_phrases); }
bool name_is_code(const struct name_words *w) { return name_has_any(w, code_phrases) && !name_is_quantity(w); }
bool name_is_identifier(const struct name_words *w) { return name_has_any(w, identifier_phrases); }
bool name_is_status(const struct name_words *w) {
    return name_has_any(w, status_phrases) && !name_has_any(w, personal_phrases);
}
bool name_is_judgement(const struct name_words *w) {
    return name_has_any(w, judgement_phrases) && !name_has_any(w, personal_phrases);
}
bool name_is_contact_length(const struct name_words *w) { return name_has_any(w, contact_length_phrases); }
bool name_is_closing(const struct name_words *w) { return name_has_any(w, closing_phrases); }

static const str missing_texts[] = {
    STR_INIT("select"),
    STR_INIT("unknown"),
    STR_INIT("n/a"),
    STR_INIT("na"),
    STR_INIT("#n/a"),
    STR_INIT("n.a."),
    STR_INIT("null"),
    STR_INIT("nil"),
    STR_INIT("nan"),
    STR_INIT("-"),
    STR_INIT("--"),
    STR_INIT("---"),
    STR_INIT("?"),
    STR_INIT("."),
    STR_INIT("not provided"),
    STR_INIT("not specified"),
    STR_INIT("not available"),
    STR_INIT("not applicable"),
    STR_INIT("not known"),
    STR_INIT("not set"),
    STR_INIT("unspecified"),
    STR_INIT("undefined"),
    STR_INIT("missing"),
    STR_INIT("(blank)"),
    STR_INIT("blank"),
    STR_INIT("(empty)"),
    STR_INIT("empty"),
    STR_INIT("please select"),
    STR_INIT("-- select --"),
    STR_INIT("--select--"),
    STR_INIT("- select -"),
    STR_INIT("select..."),
    STR_INIT("choose"),
    STR_INIT("no answer"),
    STR_INIT("tbd"),
    STR_INIT("prefer not to say"),
    STR_INIT("not disclosed"),
    STR_INIT("<na>"),
    STR_INIT("nat"),
    STR_INIT("\xe2\x80\x94"),
    STR_INIT("\xe2\x80\x93"),
    STR_INIT("#null!"),
    STR_INIT("#value!"),
    STR_INIT("(not set)"),
    STR_INIT("(null)"),
    STR_INIT("no data"),
    STR_INIT("not given"),
    STR_INIT("select one"),
};

static const str missing_numbers[] = {STR_INIT("none"),    STR_INIT("inf"), STR_INIT("-inf"), STR_INIT("infinity"),
                                      STR_INIT("#div/0!"), STR_INIT("x"),   STR_INIT("*"),    STR_INIT("nothing")};

static bool is_among(str text, const str *list, size_t n) {
    text = str_trim(text);
    for (size_t i = 0; i < n; i++)
        if (str_equal_nocase(text, list[i]))
            return true;
    return false;
}

bool text_means_missing(str text) { return is_among(text, missing_texts, sizeof missing_texts / sizeof *missing_texts); }

bool text_means_missing_number(str text) {
    return is_among(text, missing_numbers, sizeof missing_numbers / sizeof *missing_numbers);
}

bool text_means_flag(str text, bool *out) {
    static const str yes[] = {STR_INIT("yes"), STR_INIT("true"), STR_INIT("y"),  STR_INIT("t"),
                              STR_INIT("1"),   STR_INIT("on"),   STR_INIT("1.0")};
    static const str no[] = {STR_INIT("no"), STR_INIT("false"), STR_INIT("n"),  STR_INIT("f"),
                             STR_INIT("0"),  STR_INIT("off"),   STR_INIT("0.0")};
    str s = str_trim(text);
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (str_equal_nocase(s, yes[i]) || str_equal_nocase(s, no[i])) {
            *out = str_equal_nocase(s, yes[i]);
            return true;
        }
    }
    return false;
}
