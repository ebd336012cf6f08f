/* fuzz_clean.c — any bytes as any value of a lead: cleaning ends, keeps its word about statuses, and is stable. */
#include "target.h"

#include "base/utf8.h"
#include "validate/clean.h"

/* What was cleaned once is not changed again. Not so where one writing has two readings: a name in speaking order without
 * its comma, a form behind a name without its trade name, a domain in ASCII, words that look like a title. */
static bool is_stable(enum clean_kind k) {
    return k == CLEAN_PHONE || k == CLEAN_COUNTRY || k == CLEAN_REGION || k == CLEAN_LANGUAGE || k == CLEAN_DOMAIN ||
           k == CLEAN_INDUSTRY || k == CLEAN_DATE;
}

static void check_value(const struct clean_value *v, str original) {
    FUZZ_CHECK(v->status <= CLEAN_INVALID && (v->rules >> CLEAN_RULE_COUNT) == 0);
    if (v->status == CLEAN_EMPTY || v->status == CLEAN_INVALID) {
        FUZZ_CHECK(v->value.len == 0);
        FUZZ_CHECK(v->status == CLEAN_EMPTY || v->rules != 0);
        return;
    }
    FUZZ_CHECK(v->value.len > 0 && utf8_valid(v->value) && v->confidence > 0 && v->confidence <= 1);
    FUZZ_CHECK((v->status == CLEAN_OK) == str_equal(v->value, original));
    FUZZ_CHECK(v->status == CLEAN_OK || v->rules != 0);
}

static void check_again(const struct cleaner *c, struct arena *a, enum clean_kind k, const struct clean_value *v) {
    struct clean_input in = {0};
    struct clean_output out;
    in.cell[k] = v->value;
    clean_lead(c, a, &in, &out);
    FUZZ_CHECK(out.value[k].status == CLEAN_OK && str_equal(out.value[k].value, v->value));
}

/* The lists are the same for every input and take longer to load than an input to clean: they are loaded once. */
struct loading {
    struct arena *arena;
    struct cleaner **out;
};

static err load(void *ctx) {
    const struct loading *l = ctx;
    return cleaner_new(l->arena, &(struct cleaner_options){0}, l->out);
}

static const struct cleaner *loaded(void) {
    static struct cleaner *c;
    static struct loading l; /* holds the arena until the process ends */
    if (!c) {
        l = (struct loading){arena_new((size_t)64 << 20), &c};
        FUZZ_CHECK(l.arena && arena_run(l.arena, load, &l) == OK);
    }
    return c;
}

/* Lines are the values of kinds in order; where lines are missing the last one is taken. */
static err run(void *ctx) {
    const struct fuzz_work *w = ctx;
    const struct cleaner *c = loaded();
    struct clean_input in = {0};
    struct clean_output out;
    str rest = w->input, line = {"", 0};
    for (unsigned k = 0; k < CLEAN_KIND_COUNT; k++) {
        str next;
        if (rest.len > 0 && str_split(&rest, '\n', &next))
            line = next;
        in.cell[k] = line;
    }
    clean_lead(c, w->arena, &in, &out);
    for (unsigned k = 0; k < CLEAN_KIND_COUNT; k++) {
        const struct clean_value *v = &out.value[k];
        check_value(v, in.cell[k]);
        clean_rule_text(w->arena, v);
        if (v->value.len > 0 && is_stable((enum clean_kind)k))
            check_again(c, w->arena, (enum clean_kind)k, v);
    }
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_in_arena(data, size, (size_t)256 << 20, run); }
