/* mail_typo.c — slips of the keyboard in the names of mail providers. */
#include "text/similarity.h"
#include "validate/host.h"
#include "validate/mail_priv.h"

#include <math.h>
#include <stdlib.h>

/* What one character more or less, or another one, looks like. */
enum slip { SLIP_SWAP, SLIP_DOUBLE, SLIP_DROP, SLIP_KEY, SLIP_DOT, SLIP_OTHER, SLIP_TWO, SLIP_FAR };

/* How likely such a slip is beside the others: people miss a key, hit its neighbour, hit twice and swap about equally often;
 * another letter in place of one is rarely a slip of the finger. */
static const double slip_weight[] = {[SLIP_SWAP] = 1, [SLIP_DOUBLE] = 0.9, [SLIP_DROP] = 1,  [SLIP_KEY] = 0.9,
                                     [SLIP_DOT] = 1,  [SLIP_OTHER] = 0.12, [SLIP_TWO] = 0.06};

static bool are_neighbours(char a, char b) {
    static const char *const rows[] = {"1234567890-", "qwertyuiop", "asdfghjkl", "zxcvbnm"};
    int row[2] = {-1, -1}, column[2] = {0, 0};
    const char key[2] = {a, b};
    for (int k = 0; k < 2; k++)
        for (int r = 0; r < 4 && row[k] < 0; r++) {
            const char *at = key[k] ? strchr(rows[r], key[k]) : NULL;
            if (at) {
                row[k] = r;
                column[k] = (int)(at - rows[r]);
            }
        }
    if (row[0] < 0 || row[1] < 0)
        return false;
    const int dr = row[1] - row[0], dc = column[1] - column[0];
    /* Rows are staggered: below and left of a key are two keys, above and right of it two. */
    return (dr == 0 && abs(dc) == 1) || (dr == 1 && (dc == 0 || dc == -1)) || (dr == -1 && (dc == 0 || dc == 1));
}

/* `typed` has one character more than `meant`. */
static enum slip one_more(str meant, str typed) {
    size_t i = 0;
    while (i < meant.len && meant.ptr[i] == typed.ptr[i])
        i++;
    if (memcmp(meant.ptr + i, typed.ptr + i + 1, meant.len - i) != 0)
        return SLIP_FAR;
    const char c = typed.ptr[i];
    if (c == '.')
        return SLIP_DOT;
    if ((i > 0 && typed.ptr[i - 1] == c) || (i + 1 < typed.len && typed.ptr[i + 1] == c))
        return SLIP_DOUBLE;
    return SLIP_OTHER;
}

static enum slip one_less(str meant, str typed) {
    size_t i = 0;
    while (i < typed.len && meant.ptr[i] == typed.ptr[i])
        i++;
    if (memcmp(typed.ptr + i, meant.ptr + i + 1, typed.len - i) != 0)
        return SLIP_FAR;
    return meant.ptr[i] == '.' ? SLIP_DOT : SLIP_DROP;
}

static enum slip same_length(str meant, str typed) {
    size_t i = 0, rest = meant.len;
    while (i < meant.len && meant.ptr[i] == typed.ptr[i])
        i++;
    while (rest > i && meant.ptr[rest - 1] == typed.ptr[rest - 1])
        rest--;
    if (rest - i == 1)
        return are_neighbours(meant.ptr[i], typed.ptr[i]) ? SLIP_KEY : SLIP_OTHER;
    if (rest - i == 2 && meant.ptr[i] == typed.ptr[i + 1] && meant.ptr[i + 1] == typed.ptr[i])
        return SLIP_SWAP;
    return SLIP_FAR;
}

static size_t name_length(str domain) {
    const ptrdiff_t dot = str_find_byte(domain, '.');
    return dot < 0 ? domain.len : (size_t)dot;
}

/* Two slips only in a long name, or where one of them must be in the ending, which does not exist as it stands. */
static enum slip slip_between(str meant, str typed, bool known_suffix) {
    enum slip s = SLIP_FAR;
    if (typed.len == meant.len + 1)
        s = one_more(meant, typed);
    else if (typed.len + 1 == meant.len)
        s = one_less(meant, typed);
    else if (typed.len == meant.len)
        s = same_length(meant, typed);
    if (s == SLIP_FAR && name_length(meant) >= (known_suffix ? 7 : 5) && typed.len + 2 >= meant.len &&
        typed.len <= meant.len + 2 && text_edits(meant, typed) == 2)
        s = SLIP_TWO;
    return s;
}

/* How often a name that is one slip away from a provider's is that slip, by the number of letters in the provider's name:
 * nearly all names of two to four letters belong to somebody. */
static double share_by_length(size_t n) {
    static const double share[] = {0, 0, 0.6, 0.68, 0.8, 0.92, 0.95};
    return n < 7 ? share[n] : 0.97;
}

/* Both end in a top-level domain of two letters that exists, and not in the same: "free.fr" and "free.rw" are both
 * somebody's. "co" and the like are what is left of "com". */
static bool is_other_country(str meant, str typed) {
    if (typed.len < 4 || meant.len < 4)
        return false;
    const str a = str_slice(meant, meant.len - 3, meant.len), b = str_slice(typed, typed.len - 3, typed.len);
    return a.ptr[0] == '.' && b.ptr[0] == '.' && !str_equal(a, b) && host_suffix_is_known(typed);
}

/* A slip in the ending alone that makes another ending that exists ("mail.co", "att.bet"). */
static bool is_other_ending(str meant, str typed, bool known_suffix) {
    const size_t n = name_length(meant);
    return known_suffix && n == name_length(typed) && memcmp(meant.ptr, typed.ptr, n) == 0;
}

/* Squatters register slips of providers and give addresses there, so that lists of free and disposable domains have them
 * ("gmial.com"); of the others in the lists only the name is alike ("yopmail.com"). */
static bool is_plain_slip(str meant, str typed, enum slip s) {
    return s != SLIP_OTHER && s != SLIP_TWO && name_length(meant) >= 5 && !is_other_ending(meant, typed, true);
}

static double likelihood(const struct mail_provider *p, str typed, enum slip s, bool known_suffix) {
    const size_t n = name_length(p->domain);
    if (!known_suffix)
        return s == SLIP_TWO ? 0.9 : s == SLIP_OTHER ? 0.93 : 0.985;
    /* Few people, few slips: the name is somebody's own the more often, the smaller the provider is. */
    const double known = p->people / (p->people + 1);
    if (s == SLIP_TWO)
        return known * (n < 8 ? 0.3 : n < 10 ? 0.6 : 0.8);
    if (s == SLIP_OTHER)
        return known * (n < 6 ? 0.3 : n < 8 ? 0.65 : 0.9);
    const double share = is_other_ending(p->domain, typed, known_suffix) ? 0.8 : share_by_length(n);
    return known * (s == SLIP_DOUBLE || s == SLIP_SWAP || n > 4 ? share : share - 0.03);
}

bool mail_suffix_typo(struct arena *a, str domain, str *meant, double *confidence) {
    static const struct {
        str suffix;
        double share; /* of the companies' domains, roughly */
    } common[] = {{STR_INIT("com"), 0.6},   {STR_INIT("net"), 0.06},  {STR_INIT("org"), 0.06}, {STR_INIT("edu"), 0.02},
                  {STR_INIT("info"), 0.01}, {STR_INIT("gov"), 0.005}, {STR_INIT("biz"), 0.005}};
    size_t dot = domain.len;
    while (dot > 0 && domain.ptr[dot - 1] != '.')
        dot--;
    const str typed = str_slice(domain, dot, domain.len);
    if (dot < 2 || typed.len < 3 || host_suffix_is_known(domain))
        return false;
    double best = 0, sum = 0;
    for (size_t i = 0; i < sizeof common / sizeof *common; i++) {
        const enum slip s = slip_between(common[i].suffix, typed, true);
        if (s == SLIP_FAR)
            continue;
        const double weight = common[i].share * slip_weight[s];
        sum += weight;
        if (weight <= best)
            continue;
        best = weight;
        *confidence = s == SLIP_OTHER ? 0.75 : 0.93;
        *meant = str_format(a, "%.*s%.*s", (int)dot, domain.ptr, STR_ARG(common[i].suffix));
    }
    if (best > 0)
        *confidence *= best / sum;
    return best > 0;
}

bool mail_typo(const struct mail_lists *l, str domain, str *provider, double *confidence) {
    if (domain.len < 3 || domain.len > 40 || mail_is_provider(l, domain))
        return false;
    for (size_t i = 0; i < l->n_company; i++)
        if (str_equal(l->company[i], domain))
            return false;
    const bool listed = mail_domain_kind(l, domain) != 0;
    const bool known_suffix = str_find_byte(domain, '.') >= 0 && host_suffix_is_known(domain);
    double best = 0, sum = 0, sure = 0;
    for (size_t i = 0; i < l->n_provider; i++) {
        const struct mail_provider *p = &l->provider[i];
        const enum slip s = slip_between(p->domain, domain, known_suffix);
        if (s == SLIP_FAR || is_other_country(p->domain, domain) || (listed && !is_plain_slip(p->domain, domain, s)))
            continue;
        const double weight = sqrt(p->people) * slip_weight[s];
        sum += weight;
        if (weight > best) {
            best = weight;
            sure = likelihood(p, domain, s, known_suffix);
            *provider = p->domain;
        }
    }
    if (best == 0)
        return false;
    *confidence = sure * (best / sum);
    return true;
}
