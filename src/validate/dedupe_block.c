/* dedupe_block.c — which rows are compared: many passes, each with a key of its own; rows of one key stand in an order that
 * brings similar ones together, and each is compared with those up to a window after it. A block larger than the window is
 * so cut down to sorted neighbourhoods, and the number of candidates is known before the first is looked at. */
#include "base/parallel.h"
#include "validate/dedupe_priv.h"

/* What keys are made of. */
enum atom {
    NO_ATOM,
    GIVEN,
    GIVEN_INITIAL,
    SURNAME,
    BOTH_NAMES, /* in either order */
    BIRTH,
    BIRTH_YEAR,
    BIRTH_DAY,
    EMAIL,
    EMAIL_LOCAL,
    PHONE,
    ID,
    ID_HEAD,
    ID_TAIL,
    COMPANY,
    DOMAIN,
    STREET,
    NUMBER,
    CITY,
    POSTCODE,
    ATOM_COUNT
};

/* The most telling first: a pair is counted for the first pass that finds it. */
static const struct pass {
    unsigned char first, second;
} passes[] = {
    {EMAIL, NO_ATOM},    {PHONE, NO_ATOM},       {ID, NO_ATOM},       {BOTH_NAMES, NO_ATOM}, {EMAIL_LOCAL, NO_ATOM},
    {ID_HEAD, NO_ATOM},  {ID_TAIL, NO_ATOM},     {BIRTH, NO_ATOM},    {SURNAME, BIRTH_YEAR}, {SURNAME, BIRTH_DAY},
    {GIVEN, BIRTH_YEAR}, {GIVEN, BIRTH_DAY},     {SURNAME, POSTCODE}, {GIVEN, POSTCODE},     {SURNAME, GIVEN_INITIAL},
    {SURNAME, COMPANY},  {GIVEN, COMPANY},       {SURNAME, DOMAIN},   {GIVEN, DOMAIN},       {SURNAME, CITY},
    {GIVEN, CITY},       {STREET, NUMBER},       {STREET, POSTCODE},  {SURNAME, STREET},     {GIVEN, STREET},
    {NUMBER, POSTCODE},  {POSTCODE, BIRTH_YEAR}, {CITY, BIRTH_DAY},   {COMPANY, CITY},
};
_Static_assert(sizeof passes / sizeof *passes <= DEDUPE_PASS_MAX, "DEDUPE_PASS_MAX is too small");

enum {
    EVERYTHING_PAIR = 1000000,
    LEAST_PAIR = 2000000,
    PAIR_PER_ROW = 40,
    WINDOW_MAX = 1024,
    WINDOW_MIN = 2,
    PART_ROW = 1 << 14
};

static uint64_t mix(uint64_t x) {
    x ^= x >> 31;
    x *= 0x9E3779B97F4A7C15ull;
    x ^= x >> 29;
    x *= 0xBF58476D1CE4E5B9ull;
    return x ^ x >> 32;
}

/* The value of the first field of a kind that the row has, or NULL. */
static const struct value *find(const struct dedupe *d, enum dedupe_kind kind, uint32_t row) {
    for (size_t f = 0; f < d->n_field; f++)
        if (d->field[f].kind == kind && d->field[f].id[row])
            return value_at(&d->field[f], row);
    return NULL;
}

static uint64_t hash_part(const struct value *v, size_t from, size_t to) {
    return v && v->len > from ? str_hash(str_slice(value_str(v), from, to)) | 1 : 0;
}

static uint64_t sound_of(const struct value *v) { return v ? v->sound : 0; }

/* The word of a full name that stands for the given name (the first) or the surname (the last). */
static uint64_t name_word(const struct value *v, bool last) {
    if (!v)
        return 0;
    size_t from = 0, to = v->len;
    for (size_t i = 0; i < v->len; i++)
        if (v->text[i] == ' ') {
            if (last)
                from = i + 1;
            else if (to == v->len)
                to = i;
        }
    const struct value *word = v;
    return hash_part(word, from, to);
}

static uint64_t given_of(const struct dedupe *d, uint32_t row) {
    const struct value *v = find(d, DEDUPE_GIVEN_NAME, row);
    return v ? v->sound : name_word(find(d, DEDUPE_NAME, row), false);
}

static uint64_t surname_of(const struct dedupe *d, uint32_t row) {
    const struct value *v = find(d, DEDUPE_SURNAME, row);
    return v ? v->sound : name_word(find(d, DEDUPE_NAME, row), true);
}

static uint64_t names_of(const struct dedupe *d, uint32_t row) {
    const uint64_t g = given_of(d, row), s = surname_of(d, row);
    return g && s ? mix(g) + mix(s) : 0;
}

static uint64_t initial_of(const struct dedupe *d, uint32_t row) {
    const struct value *v = find(d, DEDUPE_GIVEN_NAME, row);
    if (!v)
        v = find(d, DEDUPE_NAME, row);
    return hash_part(v, 0, 1);
}

static uint64_t domain_of(const struct dedupe *d, uint32_t row) {
    const struct value *v = find(d, DEDUPE_DOMAIN, row);
    if (v)
        return hash_part(v, 0, v->len);
    v = find(d, DEDUPE_EMAIL, row);
    return v && v->local + 1u < v->len ? hash_part(v, v->local + 1u, v->len) : 0;
}

static uint64_t atom_of(const struct dedupe *d, enum atom atom, uint32_t row) {
    const struct value *v;
    switch (atom) {
    case GIVEN:
        return given_of(d, row);
    case GIVEN_INITIAL:
        return initial_of(d, row);
    case SURNAME:
        return surname_of(d, row);
    case BOTH_NAMES:
        return names_of(d, row);
    case BIRTH:
        return hash_part(find(d, DEDUPE_BIRTH_DATE, row), 0, SIZE_MAX);
    case BIRTH_YEAR:
        return hash_part(find(d, DEDUPE_BIRTH_DATE, row), 0, 4);
    case BIRTH_DAY:
        return hash_part(find(d, DEDUPE_BIRTH_DATE, row), 4, 8);
    case EMAIL:
        return hash_part(find(d, DEDUPE_EMAIL, row), 0, SIZE_MAX);
    case EMAIL_LOCAL:
        return sound_of(find(d, DEDUPE_EMAIL, row));
    case PHONE:
        return hash_part(find(d, DEDUPE_PHONE, row), 0, SIZE_MAX);
    case ID:
        return hash_part(find(d, DEDUPE_IDENTIFIER, row), 0, SIZE_MAX);
    case ID_HEAD:
        v = find(d, DEDUPE_IDENTIFIER, row);
        return v ? hash_part(v, 0, (v->len + 1u) / 2) : 0;
    case ID_TAIL:
        v = find(d, DEDUPE_IDENTIFIER, row);
        return v ? hash_part(v, v->len / 2, v->len) : 0;
    case COMPANY:
        return sound_of(find(d, DEDUPE_COMPANY, row));
    case DOMAIN:
        return domain_of(d, row);
    case STREET:
        return sound_of(find(d, DEDUPE_STREET, row));
    case NUMBER:
        return hash_part(find(d, DEDUPE_STREET_NUMBER, row), 0, SIZE_MAX);
    case CITY:
        return sound_of(find(d, DEDUPE_CITY, row));
    case POSTCODE:
        return hash_part(find(d, DEDUPE_POSTCODE, row), 0, SIZE_MAX);
    case NO_ATOM:
    case ATOM_COUNT:
    default:
        return 1;
    }
}

static uint32_t key_of(const struct dedupe *d, const struct pass *pass, uint32_t row) {
    if (d->everything)
        return 1;
    const uint64_t x = atom_of(d, (enum atom)pass->first, row), y = x ? atom_of(d, (enum atom)pass->second, row) : 0;
    return x && y ? (uint32_t)(mix(x * 31 + mix(y)) >> 32) | 1u : 0;
}

/* A stable radix sort of rows by the lowest `bits` bits of their keys. */
static void sort_rows(uint32_t *row, uint32_t *room, size_t n, const uint64_t *key, unsigned bits) {
    for (unsigned shift = 0; shift < bits; shift += 8) {
        size_t start[257] = {0};
        for (size_t i = 0; i < n; i++)
            start[(key[row[i]] >> shift & 255) + 1]++;
        for (size_t b = 0; b < 256; b++)
            start[b + 1] += start[b];
        for (size_t i = 0; i < n; i++)
            room[start[key[row[i]] >> shift & 255]++] = row[i];
        memcpy(row, room, n * sizeof *row);
    }
}

/* The first characters of a value as a number that sorts as they do. */
static uint64_t head(const struct value *v, size_t n) {
    uint64_t x = 0;
    for (size_t i = 0; i < n; i++)
        x = x << 8 | (v && i < v->len ? (unsigned char)v->text[i] : 0);
    return x;
}

static uint64_t name_order(const struct dedupe *d, uint32_t row) {
    const struct value *s = find(d, DEDUPE_SURNAME, row), *g = find(d, DEDUPE_GIVEN_NAME, row);
    if (!s && !g)
        return head(find(d, DEDUPE_NAME, row), 8);
    return head(s, 5) << 24 | head(g, 3);
}

static uint64_t other_order(const struct dedupe *d, uint32_t row) {
    static const enum dedupe_kind kinds[] = {DEDUPE_BIRTH_DATE, DEDUPE_EMAIL,    DEDUPE_IDENTIFIER,
                                             DEDUPE_PHONE,      DEDUPE_POSTCODE, DEDUPE_STREET};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct value *v = find(d, kinds[i], row);
        if (v)
            return head(v, 8);
    }
    return name_order(d, row);
}

struct ordering {
    struct dedupe *d;
    uint32_t *by_name, *by_other;
    struct pass pass[DEDUPE_PASS_MAX];
};

static uint32_t *order_all(struct dedupe *d, uint64_t (*order)(const struct dedupe *, uint32_t), struct arena *scratch) {
    uint32_t *row = ARENA_ARRAY(d->arena, d->n_row, uint32_t), *room = ARENA_ARRAY(scratch, d->n_row, uint32_t);
    uint64_t *key = ARENA_ARRAY(scratch, d->n_row, uint64_t);
    for (size_t i = 0; i < d->n_row; i++) {
        row[i] = (uint32_t)i;
        key[i] = order(d, (uint32_t)i);
    }
    sort_rows(row, room, d->n_row, key, 64);
    return row;
}

static bool is_name(unsigned atom) { return atom == GIVEN || atom == SURNAME || atom == BOTH_NAMES; }

static err order_pass(void *ctx, size_t pass, struct arena *scratch) {
    struct ordering *o = ctx;
    struct dedupe *d = o->d;
    const uint32_t *base = is_name(o->pass[pass].first) ? o->by_other : o->by_name;
    uint32_t *room = ARENA_ARRAY(scratch, d->n_row, uint32_t), *row = d->blocks.order[pass];
    uint64_t *key = ARENA_ARRAY(scratch, d->n_row, uint64_t);
    size_t n = 0;
    for (size_t i = 0; i < d->n_row; i++) {
        key[base[i]] = key_of(d, &o->pass[pass], base[i]);
        if (key[base[i]])
            row[n++] = base[i];
    }
    sort_rows(row, room, n, key, 32);
    d->blocks.n_order[pass] = n;
    for (size_t i = 0; i < n; i++)
        d->blocks.place[row[i] * d->blocks.n_pass + pass] = (struct place){(uint32_t)key[row[i]], (uint32_t)i};
    return OK;
}

static uint32_t key_at(const struct blocks *b, size_t pass, size_t at) {
    return b->place[b->order[pass][at] * b->n_pass + pass].key;
}

/* How many candidates there are at most with each window of the powers of two. */
static void count_pairs(const struct blocks *b, uint64_t by_window[16]) {
    for (size_t p = 0; p < b->n_pass; p++)
        for (size_t from = 0, to; from < b->n_order[p]; from = to) {
            for (to = from + 1; to < b->n_order[p] && key_at(b, p, to) == key_at(b, p, from);)
                to++;
            const uint64_t n = to - from;
            for (unsigned k = 0; k < 16; k++) {
                const uint64_t w = 1ull << k;
                by_window[k] += n <= w + 1 ? n * (n - 1) / 2 : w * n - w * (w + 1) / 2;
            }
        }
}

static void choose_window(struct dedupe *d) {
    uint64_t by_window[16] = {0};
    const uint64_t most = d->options.max_pair                              ? d->options.max_pair
                          : d->n_row * (uint64_t)PAIR_PER_ROW > LEAST_PAIR ? d->n_row * (uint64_t)PAIR_PER_ROW
                                                                           : LEAST_PAIR;
    count_pairs(&d->blocks, by_window);
    unsigned k = 10;
    while (k > 1 && by_window[k] > most)
        k--;
    d->blocks.window = 1u << k;
    d->blocks.bound = by_window[k];
}

/* Does any row have what the pass needs? */
static bool is_possible(const struct dedupe *d, const struct pass *pass) {
    const size_t step = d->n_row / 4096 + 1;
    for (size_t i = 0; i < d->n_row; i += step)
        if (key_of(d, pass, (uint32_t)i))
            return true;
    return false;
}

err dedupe_block(struct dedupe *d) {
    struct blocks *b = &d->blocks;
    struct ordering o = {.d = d};
    const uint64_t n = d->n_row, all = d->file ? (uint64_t)d->n_file[0] * d->n_file[1] : n * (n - 1) / 2;
    d->everything = all <= EVERYTHING_PAIR && (!d->options.max_pair || all <= d->options.max_pair);
    for (size_t p = 0; p < sizeof passes / sizeof *passes && (p == 0 || !d->everything); p++)
        if (is_possible(d, &passes[p]))
            o.pass[b->n_pass++] = passes[p];
    b->place = ARENA_ARRAY(d->arena, n * b->n_pass, struct place);
    for (size_t p = 0; p < b->n_pass; p++)
        b->order[p] = ARENA_ARRAY(d->arena, n, uint32_t);
    const size_t scratch_byte = n * (sizeof(uint64_t) + sizeof(uint32_t)) + (1 << 20);
    struct arena_mark mark = arena_mark(d->arena);
    o.by_name = order_all(d, name_order, d->arena);
    o.by_other = order_all(d, other_order, d->arena);
    TRY(parallel_for(b->n_pass, d->options.threads, 2 * scratch_byte, order_pass, &o));
    arena_rewind(d->arena, mark);
    choose_window(d);
    if (d->everything) {
        b->window = (uint32_t)n;
        b->bound = all;
    }
    return OK;
}

size_t dedupe_part_count(const struct dedupe *d) { return d->blocks.n_pass * ((d->n_row + PART_ROW - 1) / PART_ROW); }

/* Was the pair found by an earlier pass? */
static bool is_known(const struct blocks *b, size_t pass, uint32_t x, uint32_t y) {
    const struct place *p = &b->place[x * b->n_pass], *q = &b->place[y * b->n_pass];
    for (size_t k = 0; k < pass; k++)
        if (p[k].key && p[k].key == q[k].key && (p[k].at > q[k].at ? p[k].at - q[k].at : q[k].at - p[k].at) <= b->window)
            return true;
    return false;
}

void dedupe_visit(const struct dedupe *d, size_t part, dedupe_visit_fn *visit, void *ctx) {
    const struct blocks *b = &d->blocks;
    const size_t per_pass = (d->n_row + PART_ROW - 1) / PART_ROW, pass = part / per_pass, from = part % per_pass * PART_ROW;
    const size_t n = b->n_order[pass], to = from + PART_ROW < n ? from + PART_ROW : n;
    for (size_t i = from; i < to; i++) {
        const uint32_t x = b->order[pass][i], key = key_at(b, pass, i);
        for (size_t j = i + 1; j < n && j - i <= b->window && key_at(b, pass, j) == key; j++) {
            const uint32_t y = b->order[pass][j];
            if (can_pair(d, x, y) && !is_known(b, pass, x, y))
                visit(ctx, x < y ? x : y, x < y ? y : x);
        }
    }
}
