/* dedupe_compare.c — two rows, field by field: which level of likeness. */
#include "text/similarity.h"
#include "validate/dedupe_priv.h"

#include <math.h>

enum { DIFFERENT = 1, ALIKE = 2, SIMILAR = 3, EQUAL = 4, CROSSED = 5 };

/* Texts with fewer than half of their letters in common cannot be near each other; to see that costs no look at the texts.
 */
static bool is_far(const struct value *a, const struct value *b) {
    return 2 * __builtin_popcountll(a->letters & b->letters) < __builtin_popcountll(a->letters | b->letters);
}

static bool is_initial(const struct value *a, const struct value *b) {
    return (a->len == 1 || b->len == 1) && a->text[0] == b->text[0];
}

static bool has_word_break(const struct value *v) { return memchr(v->text, ' ', v->len) != NULL; }

static uint8_t word_level(const struct value *a, const struct value *b) {
    if (is_initial(a, b))
        return ALIKE;
    if (is_far(a, b))
        return DIFFERENT;
    const double s = text_alike(value_str(a), value_str(b));
    return s >= 0.92 || (s >= 0.7 && text_edits(value_str(a), value_str(b)) == 1) ? SIMILAR : s >= 0.78 ? ALIKE : DIFFERENT;
}

static uint8_t words_level(const struct value *a, const struct value *b) {
    const uint8_t level = word_level(a, b);
    if (level >= SIMILAR || !(has_word_break(a) || has_word_break(b)))
        return level;
    const double s = text_words_alike(value_str(a), value_str(b));
    /* Two texts of words that begin with the same one are not alike for that. */
    const bool alike = s >= 0.65 || (level == ALIKE && !(has_word_break(a) && has_word_break(b)));
    return s >= 0.85 ? SIMILAR : alike ? ALIKE : DIFFERENT;
}

static uint8_t code_level(const struct value *a, const struct value *b) {
    const size_t longer = a->len > b->len ? a->len : b->len;
    if (longer < 2 || is_far(a, b))
        return DIFFERENT;
    const size_t edits = text_edits(value_str(a), value_str(b));
    return edits == 1 ? SIMILAR : edits == 2 && longer >= 4 ? ALIKE : DIFFERENT;
}

static bool swapped(const char *a, const char *b) {
    return memcmp(a, b, 4) == 0 && memcmp(a + 4, b + 6, 2) == 0 && memcmp(a + 6, b + 4, 2) == 0;
}

/* 5 equal, 4 one slip or month and day swapped, 3 two parts equal or two slips, 2 one part of month and day or the year. */
static uint8_t date_level(const struct value *a, const struct value *b) {
    if (a->len != 8 || b->len != 8)
        return code_level(a, b);
    const int parts = (memcmp(a->text, b->text, 4) == 0) + (memcmp(a->text + 4, b->text + 4, 2) == 0) +
                      (memcmp(a->text + 6, b->text + 6, 2) == 0);
    const size_t edits = text_edits(value_str(a), value_str(b));
    if (edits == 1 || swapped(a->text, b->text))
        return 4;
    return edits == 2 || parts == 2 ? 3 : edits == 3 || parts == 1 ? 2 : 1;
}

static size_t longer_of(str a, str b) { return a.len > b.len ? a.len : b.len; }

/* Up to eight digits of a text. */
static str digits_of(str s, char to[8]) {
    size_t n = 0;
    for (size_t i = 0; i < s.len && n < 8; i++)
        if (s.ptr[i] >= '0' && s.ptr[i] <= '9')
            to[n++] = s.ptr[i];
    return (str){to, n};
}

/* Parts before the @ of one domain: 4 one slip of a letter, 3 near, else 2. A short one is soon near another; and a number
 * that differs tells people of one name apart. */
static uint8_t local_level(str a, str b) {
    char x_digits[8], y_digits[8];
    if (text_edits(digits_of(a, x_digits), digits_of(b, y_digits)) > 1)
        return 2;
    const size_t edits = text_edits(a, b), longer = longer_of(a, b);
    if (edits == 1 && longer >= 5 && a.len > 0 && b.len > 0) {
        const char x = a.ptr[a.len - 1], y = b.ptr[b.len - 1];
        return x != y && ((x >= '0' && x <= '9') || (y >= '0' && y <= '9')) ? 3 : 4;
    }
    return edits <= longer / 5 ? 3 : 2;
}

/* Whether two domains may be one that was mistyped: what they share behind the last dot says nothing. */
static bool is_domain_slip(str x, str y) {
    size_t dot_x = x.len, dot_y = y.len;
    while (dot_x > 0 && x.ptr[dot_x - 1] != '.')
        dot_x--;
    while (dot_y > 0 && y.ptr[dot_y - 1] != '.')
        dot_y--;
    const str name_x = str_slice(x, 0, dot_x), name_y = str_slice(y, 0, dot_y);
    return text_edits(name_x, name_y) <= longer_of(name_x, name_y) / 4;
}

/* 5 equal, 4 a slip, 3 near, 2 same domain. The same name before another domain is what people of that name have anyway: it
 * must not count beside the name. Nor must a name that differs before the same domain. */
static uint8_t email_level(const struct value *a, const struct value *b) {
    const str x = value_str(a), y = value_str(b), local_x = str_slice(x, 0, a->local), local_y = str_slice(y, 0, b->local);
    const str domain_x = str_slice(x, a->local, x.len), domain_y = str_slice(y, b->local, y.len);
    if (domain_x.len > 1 && str_equal(domain_x, domain_y))
        return local_level(local_x, local_y);
    if (is_far(a, b) || !is_domain_slip(domain_x, domain_y))
        return 1;
    const size_t edits = text_edits(local_x, local_y), longer = longer_of(local_x, local_y);
    return edits == 0 ? 4 : edits <= longer / 5 ? 3 : 1;
}

typedef uint8_t level_fn(const struct value *a, const struct value *b);
static level_fn *const levels[FORM_COUNT] = {[FORM_WORD] = word_level,
                                             [FORM_WORDS] = words_level,
                                             [FORM_CODE] = code_level,
                                             [FORM_DATE] = date_level,
                                             [FORM_EMAIL] = email_level};

static uint8_t level_of(const struct field *f, uint32_t x, uint32_t y) {
    if (x == 0 || y == 0)
        return 0;
    return x == y ? f->exact : levels[f->form](&f->dict->value[x], &f->dict->value[y]);
}

/* Were the values of twin fields put in each other's place? Then that is what is said of both; a value whose partner is
 * missing says nothing. The rows may come in either order. */
static void cross(const struct field *f, const struct field *g, uint32_t a, uint32_t b, uint8_t *level_f, uint8_t *level_g) {
    if (*level_f > ALIKE || *level_g > ALIKE)
        return;
    const uint8_t x = level_of(f, f->id[a], g->id[b]), y = level_of(f, g->id[a], f->id[b]);
    if ((x == EQUAL && y != DIFFERENT) || (y == EQUAL && x != DIFFERENT) || (x == SIMILAR && y == SIMILAR)) {
        *level_f = CROSSED;
        *level_g = x > 0 && y > 0 ? CROSSED : 0;
    }
}

/* The levels of a field and, when it is the first of twins, of its twin. */
static void compare_field(const struct dedupe *d, size_t f, uint32_t a, uint32_t b, uint8_t *level) {
    const struct field *x = &d->field[f];
    if (x->twin >= 0 && !x->first_twin)
        return;
    level[f] = level_of(x, x->id[a], x->id[b]);
    if (x->twin < 0)
        return;
    const struct field *y = &d->field[x->twin];
    level[x->twin] = level_of(y, y->id[a], y->id[b]);
    cross(x, y, a, b, &level[f], &level[x->twin]);
}

void dedupe_weigh(const struct dedupe *d, uint32_t a, struct linkage_pair *p) {
    p->rarity = p->shared_rarity = 0;
    for (size_t f = 0; f < d->n_field; f++) {
        const struct field *x = &d->field[f];
        if (p->level[f] != x->exact || !x->rarity)
            continue;
        const float r = x->rarity[x->id[a]];
        p->rarity += r;
        if (!dedupe_is_personal(x->kind, x->exact))
            p->shared_rarity += r;
    }
}

void dedupe_compare(const struct dedupe *d, uint32_t a, uint32_t b, struct linkage_pair *p) {
    memset(p, 0, sizeof *p);
    for (size_t f = 0; f < d->n_field; f++)
        compare_field(d, f, a, b, p->level);
    dedupe_weigh(d, a, p);
}

double dedupe_log_odds(const struct dedupe *d, uint32_t a, uint32_t b, double floor) {
    struct linkage_pair p = {0};
    double best = d->prior;
    for (size_t f = 0; f < d->n_field; f++) {
        const struct field *x = &d->field[f];
        const uint32_t i = x->id[a], j = x->id[b];
        if (i && i == j)
            best += d->model.match_ratio[f][x->exact] + (double)x->rarity[i];
        else if ((i && j) || x->twin >= 0)
            best += d->bound[f];
    }
    if (best < floor)
        return -INFINITY;
    for (size_t f = 0; f < d->n_field; f++) {
        const struct field *x = &d->field[f];
        compare_field(d, f, a, b, p.level);
        if (x->twin < 0 && x->id[a] && x->id[b] && x->id[a] != x->id[b]) {
            best += d->model.match_ratio[f][p.level[f]] - d->bound[f];
            if (best < floor)
                return -INFINITY;
        }
    }
    dedupe_weigh(d, a, &p);
    return linkage_log_odds(&d->model, &p);
}
