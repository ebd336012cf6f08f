/* profile.h — the Ideal Customer Profile: whom we want to win, and how much each thing about them counts.
 *
 * A profile is a versioned YAML or JSON document (docs/formats/profile.md) in five sections. Each section is a list of
 * criteria; a criterion reads one field of a lead and gives a credit, 0 (not at all) to 1 (exactly what we look for).
 * subscore.h turns a row into credits and sub-scores, prior.h turns those into a probability and into the prior of a model.
 */
#ifndef GALENA_PROFILE_PROFILE_H
#define GALENA_PROFILE_PROFILE_H

#include "base/json.h"

enum { PROFILE_FORMAT = 1 };

/* Bounds on a document, so that a row's cost is bounded as well. */
enum { PROFILE_MAX_BYTE = 1 << 20, PROFILE_MAX_CRITERIA = 512, PROFILE_MAX_ITEMS = 2000, PROFILE_MAX_PROBLEMS = 50 };

/* If you change this: section_table in profile.c, share/schemas/profile.json, docs/formats/profile.md. */
enum profile_section {
    SECTION_FIRMOGRAPHICS,
    SECTION_TECHNOGRAPHICS,
    SECTION_DEMOGRAPHICS,
    SECTION_CHRONOGRAPHICS,
    SECTION_BEHAVIOUR,
    SECTION_COUNT
};

enum criterion_kind {
    CRITERION_RANGE,      /* a quantity near a range (Eq. 6) */
    CRITERION_VALUES,     /* one or several of a list of values (Eq. 7) */
    CRITERION_CODES,      /* an industry code, with part credit along the hierarchy */
    CRITERION_KEYWORDS,   /* words in a text such as a job title */
    CRITERION_SENIORITY,  /* the level that a job title or level name stands for */
    CRITERION_COMPARISON, /* a condition that holds or not */
    CRITERION_TECHNOLOGY, /* one technology in a list (Eq. 9, 10) */
    CRITERION_EVENT,      /* events that fade (Eq. 11-13, 37) */
    CRITERION_KIND_COUNT
};

enum compare_op {
    COMPARE_ABOVE,
    COMPARE_AT_LEAST,
    COMPARE_BELOW,
    COMPARE_AT_MOST,
    COMPARE_IS, /* equal to one of the texts, ASCII case aside; or to one of them as a number */
    COMPARE_IS_NOT,
    COMPARE_CONTAINS, /* one of the texts occurs as whole words */
    COMPARE_KNOWN,    /* filled in (threshold 1) or not (threshold 0) */
    COMPARE_COUNT
};

enum technology_role { TECHNOLOGY_REQUIRED, TECHNOLOGY_DESIRED, TECHNOLOGY_NEGATIVE };

enum seniority {
    SENIORITY_INTERN,
    SENIORITY_JUNIOR,
    SENIORITY_INDIVIDUAL, /* nothing in the title says otherwise */
    SENIORITY_SENIOR,
    SENIORITY_MANAGER,
    SENIORITY_HEAD,
    SENIORITY_DIRECTOR,
    SENIORITY_VP,
    SENIORITY_C_LEVEL,
    SENIORITY_OWNER,
    SENIORITY_COUNT
};

/* A text with how much it is worth. */
struct profile_item {
    str text;
    double worth; /* above 0, at most 1 */
    str words;    /* keywords: the words in lower case, one space before, between and behind */
};

struct profile_condition {
    str field;
    enum compare_op op;
    double threshold; /* above, at_least, below, at_most, known */
    const str *text;  /* is, is_not: as written; contains: the words in lower case, one space before, between and behind */
    size_t n_text;
};

struct profile_criterion {
    enum profile_section section;
    enum criterion_kind kind;
    str name;       /* for people; the field when not given */
    str field;      /* profile term, mapped to a column by `fields` */
    double weight;  /* finite, not 0; negative only in behaviour, for negative technologies and for bad events */
    double typical; /* credit of an average lead, 0..1: where the criterion moves nothing */

    /* range: low may be -inf, high +inf, not both; `width` is in transformed units, 0 when not given */
    double low, high, width;
    bool log_scale; /* compare log(x + 1) (Eq. 4); a negative x counts as 0 */

    /* values, codes, keywords; seniority: worth of each level in `level` */
    const struct profile_item *item;
    size_t n_item;
    double norm;    /* values with cosine: length of the vector of worths */
    bool cosine;    /* Eq. 7 against the whole list, not only against what the lead has of it */
    char separator; /* splits a cell into several values; 0: one value. Technologies: 0 means any of ; | , */
    bool naics;     /* codes: NAICS (2-6 digits), else SIC (2-4) */
    double level[SENIORITY_COUNT];

    struct profile_condition when; /* comparison */

    enum technology_role role; /* technology; its name is item[0].text */

    /* event: `weight` is the impact I of Eq. 11 */
    str event;              /* the kind before a colon in the cell ("funding:2026-01-31"); "" when cells are plain dates */
    double decay_per_day;   /* lambda of Eq. 11, 37; >= 0 */
    double same_within_day; /* dates closer than this to the one counted before are the same event told twice */
    double undated;         /* credit of an event without a date */
    double future;          /* factor of an event d days ahead, which then counts future * exp(-lambda d) */
};

/* A rule that disqualifies: a negative persona. Fires when every condition is known and holds. */
struct profile_rule {
    str name;
    const struct profile_condition *when;
    size_t n_when;
};

/* A profile term and the columns it may be found in; the first that a file has is taken. */
struct profile_field {
    str term;
    const str *column;
    size_t n_column;
};

struct profile_section_weight {
    bool present;    /* the document has this section with at least one criterion */
    double weight;   /* W of Eq. 34's starting point; >= 0, default 1 */
    size_t from, to; /* its criteria: criterion[from..to) */
};

struct profile {
    str name, version, description;
    double base_rate; /* share of leads that convert when nothing else is known; in (0, 1), default 0.1 */
    double strength;  /* how many outcomes the profile is worth; > 0, default 40 */
    double effect;    /* log-odds between a lead that meets nothing and one that meets everything; >= 0, default 4 */
    str as_of;        /* term of the day on which a row was known, from which the age of events counts; "" when none */
    const struct profile_field *field;
    size_t n_field;
    const str *missing; /* texts that mean "not known", besides the empty cell */
    size_t n_missing;
    struct profile_section_weight section[SECTION_COUNT];
    const struct profile_criterion *criterion; /* by section, in the order of the document */
    size_t n_criterion;
    const struct profile_rule *rule;
    size_t n_rule;
    const struct json *document; /* what was read */
};

/* Something wrong in a document. */
struct profile_problem {
    const char *slug;      /* "profile_unknown_key", "profile_bad_value", "profile_empty" */
    uint32_t line, column; /* 1-based; 0 when it belongs to the document as a whole */
    str path;              /* "firmographics[1].range" */
    str message;           /* a sentence */
};

/* Reads a profile: JSON when the first byte that is not space is "{", else YAML. `text` must stay alive as long as the
 * profile. ERR_INPUT with file, line and column: "profile_unknown_key" (with a suggestion), "profile_bad_value",
 * "profile_empty", or what the JSON or YAML reader says; ERR_LIMIT for more than PROFILE_MAX_BYTE and beyond the other
 * bounds. The message is about the first problem and says how many more there are. `file_name` is for messages. */
err profile_parse(struct arena *a, str text, const char *file_name, struct profile **out) MUST_CHECK;

/* All problems of a document at once (at most PROFILE_MAX_PROBLEMS), in the order of the document. OK with *n == 0 for a
 * good one; an error only when the text is not YAML or JSON at all, or is too large. */
err profile_check(struct arena *a, str text, const char *file_name, const struct profile_problem **out,
                  size_t *n) MUST_CHECK;

/* The same from a tree, as it is stored inside a model; the tree must stay alive as long as the profile. */
err profile_from_json(struct arena *a, const struct json *v, struct profile **out) MUST_CHECK;

/* Writes the document as it was read (one value), which profile_from_json reads back to an equal profile. */
void profile_to_json(struct json_writer *w, const struct profile *p);

/* SHA-256 of the document with its keys in byte order, in hexadecimal: equal for equal contents, whatever the file's layout.
 */
str profile_hash(struct arena *a, const struct profile *p);

/* The name of a section: "firmographics", ... And of a level: "c_level", ... */
const char *profile_section_name(enum profile_section section);
const char *profile_seniority_name(enum seniority level);
const char *profile_comparison_name(enum compare_op op); /* "at_least", ... */

/* The words of a text in lower case (ASCII), one space before, between and behind: "VP, Sales" → " vp sales ". Letters,
 * digits and bytes above 127 make words. Writes at most `max` bytes, whole words only, and returns how many. */
size_t profile_words(str text, char *to, size_t max);

/* The level that a title or a level's name stands for ("SVP, Sales" → SENIORITY_VP). Any other text: SENIORITY_INDIVIDUAL.
 */
enum seniority profile_seniority_of(str title);

/* ---- diff ---- */

/* One difference between two profiles. `before` or `after` is "" with the flag unset when it is not there at all. */
struct profile_change {
    str path;          /* "firmographics › employees › range" */
    str before, after; /* for people: "50 to 500", "weight 3" */
    bool added, removed;
};

/* What changed from `before` to `after`, in the order of the document, key by key. Criteria, rules and weighted lists are
 * matched by name, not by place, so that a criterion put in the middle is one change. Nothing for equal documents. */
void profile_diff(struct arena *a, const struct profile *before, const struct profile *after,
                  const struct profile_change **out, size_t *n);

#endif
