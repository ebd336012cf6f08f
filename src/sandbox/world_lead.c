/* world_lead.c — draws leads as they arrive: who they are, what the form shows of it, and what becomes of them. */
#include "sandbox/world_priv.h"

#include "base/time.h"

#include <math.h>

const char *const world_outcome_names[] = {"open", "won", "lost", "disqualified"};

enum { MOST_A_DAY = 1000000, OWNERS = 6, PEOPLE = 25 };

static const char *const owners[OWNERS] = {"anna", "bilal", "carla", "dmitri", "elif", "femi"};
/* In log-odds: what they see in a lead that is not in it. */
static const double owner_bias[OWNERS] = {0.4, -0.5, 0.0, 0.2, -0.2, 0.1};

void world_walk_begin(struct world_walk *walk, const struct world *w) {
    *walk = (struct world_walk){.world = w, .day = -1};
    for (size_t i = 0; i < WORLD_RECENT; i++)
        walk->recent[i] = WORLD_NO_COMPANY;
}

/* A week has five busy days; one day in 25 brings a burst. */
static void begin_day(struct world_walk *walk) {
    const struct world *w = walk->world;
    struct rng r = world_stream(w, WORLD_STREAM_DAY, (uint64_t)walk->day);
    int64_t weekday = (w->first_day + walk->day + 3) % 7; /* 0: Monday */
    double mean = w->leads_per_day * (weekday >= 5 ? 0.3 : 1.22) * (draw_chance(&r, 0.04) ? 5 : 0.86);
    walk->n_in_day = (uint64_t)draw_poisson(&r, mean, MOST_A_DAY);
    walk->in_day = 0;
    walk->passed = 0;
}

/* Arrivals of a day are uniform in it: each is the next order statistic of what is left. */
static int64_t next_moment(struct world_walk *walk, struct rng *r) {
    double left = (double)(walk->n_in_day - walk->in_day);
    walk->passed = 1 - (1 - walk->passed) * pow(1 - rng_uniform(r), 1 / left);
    return (walk->world->first_day + walk->day) * TIME_DAY_MS + (int64_t)(walk->passed * (double)(TIME_DAY_MS - 1));
}

/* ---- who ---- */

static void choose(struct world_walk *walk, struct rng *r, struct world_lead *l, uint64_t *company, uint64_t *person) {
    size_t k = (size_t)rng_below(r, WORLD_RECENT);
    double kind = rng_uniform(r);
    *company = rng_below(r, walk->world->n_companies);
    *person = rng_below(r, PEOPLE);
    l->same_as = WORLD_NO_COMPANY;
    if (kind < 0.025)
        l->same_as = WORLD_JUNK;
    else if (kind < 0.28 && walk->recent[k] >= 0)
        *company = walk->recent_company[k]; /* a colleague */
    if (kind >= 0.025 && kind < 0.085 && walk->recent[k] >= 0) {
        *person = walk->recent_person[k];
        l->same_as = walk->recent[k];
    }
    if (l->same_as != WORLD_JUNK) {
        size_t at = l->number % WORLD_RECENT;
        walk->recent[at] = (int64_t)l->number;
        walk->recent_company[at] = *company;
        walk->recent_person[at] = *person;
    }
}

/* ---- what is shown ---- */

/* Two neighbours swapped, one left out, or one doubled. */
static str mistype(struct arena *a, struct rng *r, str s) {
    if (s.len < 4)
        return s;
    size_t at = 1 + (size_t)rng_below(r, s.len - 3), kind = (size_t)rng_below(r, 3);
    if ((unsigned char)s.ptr[at] >= 0x80 || (unsigned char)s.ptr[at + 1] >= 0x80)
        return s;
    str before = str_slice(s, 0, at), after = str_slice(s, at + 2, s.len);
    if (kind == 0)
        return str_format(a, "%.*s%c%c%.*s", STR_ARG(before), s.ptr[at + 1], s.ptr[at], STR_ARG(after));
    if (kind == 1)
        return str_format(a, "%.*s%c%.*s", STR_ARG(before), s.ptr[at + 1], STR_ARG(after));
    return str_format(a, "%.*s%c%c%c%.*s", STR_ARG(before), s.ptr[at], s.ptr[at], s.ptr[at + 1], STR_ARG(after));
}

static str upper(struct arena *a, str s) {
    char *out = arena_alloc(a, s.len + 1);
    for (size_t i = 0; i < s.len; i++)
        out[i] = s.ptr[i] >= 'a' && s.ptr[i] <= 'z' ? (char)(s.ptr[i] - 'a' + 'A') : s.ptr[i];
    return (str){out, s.len};
}

static str shown_name(struct arena *a, struct rng *r, const struct world_person *p) {
    str name = str_format(a, "%.*s %.*s", STR_ARG(p->given), STR_ARG(p->surname));
    double kind = rng_uniform(r);
    if (kind < 0.06)
        return str_lower(a, name);
    if (kind < 0.10)
        return upper(a, name);
    if (kind < 0.13)
        return str_format(a, "%.*s, %.*s", STR_ARG(p->surname), STR_ARG(p->given));
    return kind < 0.16 ? p->given : name;
}

static str shown_email(struct arena *a, struct rng *r, const struct world_person *p) {
    str email = draw_chance(r, 0.15) ? p->private_email : p->email;
    double kind = rng_uniform(r);
    if (kind < 0.03)
        return STR("");
    if (kind > 0.06)
        return email;
    size_t at = (size_t)str_find_byte(email, '@');
    str user = str_slice(email, 0, at + 1), host = str_slice(email, at + 1, email.len);
    return str_format(a, "%.*s%.*s", STR_ARG(user), STR_ARG(mistype(a, r, host)));
}

static str shown_phone(struct arena *a, struct rng *r, const struct world_person *p) {
    double kind = rng_uniform(r);
    if (kind < 0.25)
        return STR("");
    size_t n = p->phone.len - 9;
    str dial = str_slice(p->phone, 0, n), rest = str_slice(p->phone, n, p->phone.len);
    if (kind < 0.45)
        return str_format(a, "0%.3s-%.6s", rest.ptr, rest.ptr + 3);
    return kind < 0.75 ? str_format(a, "%.*s %.3s %.6s", STR_ARG(dial), rest.ptr, rest.ptr + 3) : p->phone;
}

static str shown_company(struct arena *a, struct rng *r, const struct world_company *c, int64_t day) {
    double kind = rng_uniform(r);
    if (!str_empty(c->former_name) && (day < c->renamed_day || kind < 0.15))
        return c->former_name;
    if (kind < 0.20)
        return c->name;
    if (kind < 0.25)
        return upper(a, c->short_name);
    if (kind < 0.30)
        return mistype(a, r, c->short_name);
    return kind < 0.36 ? STR("") : kind < 0.42 ? str_lower(a, c->short_name) : c->short_name;
}

static str shown_employees(struct arena *a, struct rng *r, double n) {
    static const double bounds[] = {1, 11, 51, 201, 501, 1001, 5001, 10001};
    if (draw_chance(r, 0.45))
        return STR("");
    size_t i = 0;
    while (i + 1 < DRAW_COUNT(bounds) && n >= bounds[i + 1])
        i++;
    return i + 1 < DRAW_COUNT(bounds) ? str_format(a, "%.0f-%.0f", bounds[i], bounds[i + 1] - 1) : STR("10001+");
}

static void show(struct arena *a, struct rng *r, const struct world *w, struct world_lead *l, int64_t day) {
    const struct world_company *c = &l->company;
    l->name = shown_name(a, r, &l->person);
    l->email = shown_email(a, r, &l->person);
    l->phone = shown_phone(a, r, &l->person);
    l->title = draw_chance(r, 0.18) ? STR("") : l->person.title;
    l->company_name = shown_company(a, r, c, day);
    l->country = draw_chance(r, 0.12) ? STR("") : draw_chance(r, 0.3) ? c->country_code : c->country;
    l->employees = shown_employees(a, r, world_employees(w, c, day));
    l->industry = draw_chance(r, 0.5) ? STR("") : c->industry;
    l->website = draw_chance(r, 0.5) ? STR("") : str_format(a, "https://www.%.*s/", STR_ARG(c->domain));
}

static void show_junk(struct rng *r, struct world_lead *l) {
    static const char *const names[] = {"test test", "asdf", "Mickey Mouse", "x y", "Max Mustermann"};
    static const char *const emails[] = {"test@test.com", "asdf@asdf.com", "a@b.c", "noreply@example.com",
                                         "test@mailinator.com"};
    size_t k = (size_t)rng_below(r, 5);
    l->name = str_from(names[k]);
    l->email = str_from(emails[k]);
    l->company_name = draw_chance(r, 0.5) ? STR("test") : STR("");
    l->phone = l->title = l->country = l->employees = l->industry = l->website = STR("");
}

/* ---- what becomes of it ---- */

static void draw_outcome(struct rng *r, const struct world *w, struct world_lead *l) {
    size_t owner = (size_t)rng_below(r, OWNERS);
    l->owner = str_from(owners[owner]);
    double odds = l->probability / (1 - l->probability) * exp(owner_bias[owner]), days = 0;
    if (l->same_as == WORLD_JUNK || draw_chance(r, 0.05 * (1 - l->probability))) {
        l->outcome = WORLD_DISQUALIFIED;
        days = 1 + 3 * rng_uniform(r);
    } else if (draw_chance(r, odds / (1 + odds))) {
        l->outcome = WORLD_WON;
        days = exp(3.4 + 0.6 * rng_normal(r));
    } else {
        l->outcome = WORLD_LOST;
        days = exp(2.9 + 0.8 * rng_normal(r));
    }
    l->outcome_ms = l->received_ms + (int64_t)(days * (double)TIME_DAY_MS);
    if (l->outcome_ms >= (w->first_day + w->n_days) * TIME_DAY_MS) {
        l->outcome = WORLD_OPEN;
        l->outcome_ms = 0;
    }
}

bool world_walk_next(struct world_walk *walk, struct arena *a, struct world_lead *l) {
    const struct world *w = walk->world;
    while (walk->day < 0 || walk->in_day >= walk->n_in_day) {
        if (++walk->day >= w->n_days)
            return false;
        begin_day(walk);
    }
    struct rng r = world_stream(w, WORLD_STREAM_LEAD, walk->number);
    int64_t day = w->first_day + walk->day;
    uint64_t company, person;
    *l = (struct world_lead){.number = walk->number++};
    l->id = str_format(a, "L%07llu", (unsigned long long)l->number);
    l->received_ms = next_moment(walk, &r);
    walk->in_day++;
    choose(walk, &r, l, &company, &person);
    world_company(a, w, company, &l->company);
    world_person(a, w, &l->company, person, &l->person);
    world_draw_engagement(&r, day, &l->did);
    l->probability = l->same_as == WORLD_JUNK ? 0 : world_probability(w, &l->company, &l->person, &l->did, day);
    if (l->same_as == WORLD_JUNK)
        show_junk(&r, l);
    else
        show(a, &r, w, l, day);
    draw_outcome(&r, w, l);
    return true;
}
