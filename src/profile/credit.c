/* credit.c — how much one cell is worth to one criterion. */
#include "base/time.h"
#include "base/number.h"
#include "profile/profile_priv.h"
#include "profile/subscore.h"

#include <math.h>

static const double ln_2 = 0.69314718055994530942;

/* ---- formulas ---- */

double range_width(double low, double high, bool log_scale) {
    if (isfinite(low) && isfinite(high) && high > low)
        return high - low;
    double bound = isfinite(low) ? low : high;
    if (log_scale)
        return ln_2;
    return bound != 0 ? fabs(bound) / 4 : 1;
}

double range_similarity(double x, double low, double high, double width) {
    double gap;
    if (isfinite(low) && isfinite(high))
        gap = x - (low + (high - low) / 2);
    else
        gap = fmax(isfinite(low) ? low - x : x - high, 0);
    double z = gap / (width > 0 ? width : high - low);
    return exp(-z * z);
}

/* The name of a NAICS sector that is spread over several two-digit codes is its first code. */
static int sector_of(str code, bool naics) {
    int sector = (code.ptr[0] - '0') * 10 + (code.ptr[1] - '0');
    if (!naics)
        return sector;
    switch (sector) {
    case 32:
    case 33:
        return 31;
    case 45:
        return 44;
    case 49:
        return 48;
    default:
        return sector;
    }
}

double code_similarity(str lead, str wanted, bool naics) {
    if (lead.len < 2 || wanted.len < 2 || sector_of(lead, naics) != sector_of(wanted, naics))
        return 0;
    size_t same = 0;
    while (same < lead.len && same < wanted.len && lead.ptr[same] == wanted.ptr[same])
        same++;
    size_t level = same > 2 ? same - 1 : 1;
    return (double)level / (double)(wanted.len - 1);
}

double event_decay(double age_day, double decay_per_day, double future) {
    return age_day >= 0 ? exp(-decay_per_day * age_day) : future * exp(decay_per_day * age_day);
}

/* ---- reading a cell, once ---- */

static bool cell_quantity(struct cell *cell) {
    if (cell->number == CELL_UNREAD)
        cell->number = quantity_read(cell->text, '.', &cell->quantity) ? CELL_QUANTITY : CELL_NO_QUANTITY;
    return cell->number == CELL_QUANTITY;
}

static str cell_words(struct cell *cell) {
    if (!cell->has_words) {
        cell->n_words = profile_words(cell->text, cell->words, CELL_WORDS_BYTE);
        cell->has_words = true;
    }
    return (str){cell->words, cell->n_words};
}

static bool next_part(str *rest, char separator, str *part) {
    if (separator)
        return str_split(rest, separator, part);
    if (!rest->ptr)
        return false;
    size_t i = 0;
    while (i < rest->len && rest->ptr[i] != ';' && rest->ptr[i] != '|' && rest->ptr[i] != ',')
        i++;
    *part = str_slice(*rest, 0, i);
    *rest = i < rest->len ? (str){rest->ptr + i + 1, rest->len - i - 1} : (str){0};
    return true;
}

static void cell_split(struct cell *cell, char separator) {
    if (cell->has_parts && cell->separator == separator)
        return;
    cell->has_parts = true;
    cell->separator = separator;
    cell->n_part = 0;
    str rest = cell->text, part;
    while (cell->n_part < CELL_MAX_PARTS && next_part(&rest, separator, &part)) {
        part = str_trim(part);
        bool seen = part.len == 0;
        for (size_t i = 0; i < cell->n_part && !seen; i++)
            seen = str_equal_nocase(cell->part[i], part);
        if (!seen)
            cell->part[cell->n_part++] = part;
    }
}

/* ---- credits ---- */

static double range_credit(const struct profile_criterion *c, struct cell *cell) {
    if (!cell_quantity(cell))
        return NAN;
    double x = quantity_middle(cell->quantity, c->log_scale), low = c->low, high = c->high;
    if (c->log_scale) {
        x = log1p(fmax(x, 0));
        low = isfinite(low) ? log1p(low) : low;
        high = isfinite(high) ? log1p(high) : high;
    }
    return range_similarity(x, low, high, c->width > 0 ? c->width : range_width(low, high, c->log_scale));
}

static double item_worth(const struct profile_criterion *c, str text) {
    for (size_t i = 0; i < c->n_item; i++)
        if (str_equal_nocase(c->item[i].text, text))
            return c->item[i].worth;
    return 0;
}

/* Eq. 7. Against the whole list ("cosine"), or against what the lead has of it, times the best worth ("any"): being in one
 * of five accepted countries is then as good as it can be. */
static double values_credit(const struct profile_criterion *c, struct cell *cell) {
    if (!c->separator) {
        double worth = item_worth(c, cell->text);
        return c->cosine ? worth / c->norm : worth;
    }
    cell_split(cell, c->separator);
    double dot = 0, square = 0, best = 0;
    for (size_t i = 0; i < cell->n_part; i++) {
        double worth = item_worth(c, cell->part[i]);
        dot += worth;
        square += worth * worth;
        best = fmax(best, worth);
    }
    if (dot <= 0)
        return 0;
    double length = sqrt((double)cell->n_part);
    return fmin(c->cosine ? dot / (length * c->norm) : best * dot / (length * sqrt(square)), 1);
}

static double codes_credit(const struct profile_criterion *c, str text) {
    double best = NAN;
    for (size_t i = 0; i < text.len;) {
        size_t from = i;
        while (i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9')
            i++;
        str code = str_slice(text, from, i);
        if (code.len >= 2 && code.len <= (c->naics ? 6 : 4))
            for (size_t k = 0; k < c->n_item; k++)
                best = fmax(best, c->item[k].worth * code_similarity(code, c->item[k].text, c->naics));
        if (i == from)
            i++;
    }
    return best;
}

/* Every word of the keyword occurs, in any order. */
static bool has_words(str have, str wanted) {
    while (wanted.len > 2) {
        size_t end = 1;
        while (wanted.ptr[end] != ' ')
            end++;
        if (str_find(have, str_slice(wanted, 0, end + 1)) < 0)
            return false;
        wanted = str_slice(wanted, end, wanted.len);
    }
    return true;
}

static double keywords_credit(const struct profile_criterion *c, struct cell *cell) {
    double best = 0;
    str have = cell_words(cell);
    for (size_t i = 0; i < c->n_item; i++)
        if (c->item[i].worth > best && has_words(have, c->item[i].words))
            best = c->item[i].worth;
    return best;
}

static double technology_credit(const struct profile_criterion *c, struct cell *cell) {
    cell_split(cell, c->separator);
    for (size_t i = 0; i < cell->n_part; i++)
        if (str_equal_nocase(cell->part[i], c->item[0].text))
            return 1;
    return 0;
}

/* "funding: 2026-01-31" → "2026-01-31" for the kind "funding". False for an entry of another kind. */
static bool event_entry(const struct profile_criterion *c, str *entry) {
    if (c->event.len == 0)
        return true;
    ptrdiff_t colon = str_find_byte(*entry, ':');
    if (colon < 0 || !str_equal_nocase(str_trim(str_slice(*entry, 0, (size_t)colon)), c->event))
        return false;
    *entry = str_trim(str_slice(*entry, (size_t)colon + 1, entry->len));
    return true;
}

static bool says_no(str text) {
    return str_equal_nocase(text, STR("no")) || str_equal_nocase(text, STR("false")) || str_equal(text, STR("0")) ||
           str_equal_nocase(text, STR("n"));
}

/* The moments of one kind of event, ascending; *undated is set when it happened at an unknown time. */
static size_t event_dates(const struct profile_criterion *c, struct cell *cell, int64_t *date, bool *undated) {
    size_t n = 0;
    str rest = cell->text, part;
    for (size_t count = 0; count < CELL_MAX_PARTS && next_part(&rest, 0, &part); count++) {
        struct moment moment;
        part = str_trim(part);
        if (part.len == 0 || !event_entry(c, &part))
            continue;
        if (time_read(part, TIME_ORDER_UNKNOWN, &moment) != TIME_GOOD) {
            *undated = *undated || !says_no(part);
            continue;
        }
        size_t at = n++;
        for (; at > 0 && date[at - 1] > moment.ms; at--)
            date[at] = date[at - 1];
        date[at] = moment.ms;
    }
    return n;
}

/* Eq. 11-13, 37 without the impact: an event told twice counts once, at its first date. */
static double event_credit(const struct profile_criterion *c, struct cell *cell, int64_t now_ms, double *sum) {
    int64_t date[CELL_MAX_PARTS], counted = 0;
    bool undated = false;
    double total = 0;
    size_t n = event_dates(c, cell, date, &undated);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && (double)(date[i] - counted) < c->same_within_day * (double)TIME_DAY_MS)
            continue;
        counted = date[i];
        double age_day = ((double)now_ms - (double)date[i]) / (double)TIME_DAY_MS;
        total += event_decay(age_day, c->decay_per_day, c->future);
    }
    if (n == 0 && undated)
        total = c->undated;
    if (sum)
        *sum = total;
    return fmin(total, 1);
}

/* ---- conditions ---- */

static bool equal_value(str text, str wanted) {
    double a, b;
    if (str_equal_nocase(text, wanted))
        return true;
    return wanted.len > 0 && wanted.ptr[0] <= '9' && number_parse(wanted, &b) && number_parse(text, &a) && a == b;
}

static bool any_equal(const struct profile_condition *when, str text) {
    for (size_t i = 0; i < when->n_text; i++)
        if (equal_value(text, str_trim(when->text[i])))
            return true;
    return false;
}

static bool any_contained(const struct profile_condition *when, struct cell *cell) {
    str have = cell_words(cell);
    for (size_t i = 0; i < when->n_text; i++)
        if (str_find(have, when->text[i]) >= 0)
            return true;
    return false;
}

int condition_holds(const struct profile_condition *when, struct cell *cell) {
    if (when->op == COMPARE_KNOWN)
        return cell->known == (when->threshold > 0);
    if (!cell->known)
        return -1;
    if (when->op == COMPARE_IS || when->op == COMPARE_IS_NOT)
        return any_equal(when, cell->text) == (when->op == COMPARE_IS);
    if (when->op == COMPARE_CONTAINS)
        return any_contained(when, cell);
    if (!cell_quantity(cell))
        return -1;
    double x = quantity_middle(cell->quantity, false);
    switch (when->op) {
    case COMPARE_ABOVE:
        return x > when->threshold;
    case COMPARE_AT_LEAST:
        return x >= when->threshold;
    case COMPARE_BELOW:
        return x < when->threshold;
    default:
        return x <= when->threshold;
    }
}

double criterion_credit(const struct profile_criterion *c, struct cell *cell, int64_t now_ms, double *sum) {
    switch (c->kind) {
    case CRITERION_RANGE:
        return range_credit(c, cell);
    case CRITERION_VALUES:
        return values_credit(c, cell);
    case CRITERION_CODES:
        return codes_credit(c, cell->text);
    case CRITERION_KEYWORDS:
        return keywords_credit(c, cell);
    case CRITERION_SENIORITY:
        return c->level[profile_seniority_of_words(cell_words(cell))];
    case CRITERION_TECHNOLOGY:
        return technology_credit(c, cell);
    case CRITERION_EVENT:
        return event_credit(c, cell, now_ms, sum);
    default: {
        int holds = condition_holds(&c->when, cell);
        return holds < 0 ? (double)NAN : (double)holds;
    }
    }
}
