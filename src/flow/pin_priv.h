/* pin_priv.h — a pin from inside, and the room of a thread: what the stages of flow/ work with. */
#ifndef GALENA_FLOW_PIN_PRIV_H
#define GALENA_FLOW_PIN_PRIV_H

#include "flow/pin.h"
#include "flow/sentences.h"

enum { NO_COLUMN = UINT16_MAX };

/* A name under which a cell of the model may be found among a lead's columns. */
struct wish {
    str name;
    uint32_t cell;
    uint16_t rank; /* smaller is taken first; exactly spelled goes before other case within a rank */
    bool exact;    /* no other case will do */
};

/* Wishes for names that are equal but for case: wish[from..to). */
struct wish_group {
    uint32_t from, to; /* from == to: a free place */
    uint32_t hash;
};

/* A model and a profile look at the same lead each in its own way: a profile's term may be found under several names. So
 * the vectoriser is bound to cells: first one for each field of the model, then one for each term of the profiles. */
struct model_pin {
    struct arena *arena;
    uint64_t serial; /* no two pins have the same, unlike addresses */
    str text;
    char id[HASH_HEX_BYTE + 1]; /* of the text */
    struct pin_terms terms;
    const struct bundle *bundle;
    const struct profile *profile;
    struct vectoriser *vectoriser;         /* NULL without a bundle */
    const struct profile_binding *binding; /* of `profile` */
    struct settling settling;
    struct route_policy route;
    double hot, warm;
    /* cells */
    size_t n_cell, n_wish;
    char *separator; /* n_cell: of a list, 0 where one value is meant */
    bool *several;   /* n_cell: it may be found under several names or spellings */
    struct wish *wish;
    struct wish_group *group; /* by hash, open addressing */
    size_t n_group;           /* a power of two */
    /* of the cache */
    size_t users;
    uint64_t last_used;
    struct model_pin *next;
};

struct scratch {
    struct arena *arena;
    bool own; /* the arena is the scratch's, to be emptied for another pin */
    uint64_t serial;
    str *cell;        /* n_cell */
    uint16_t *column; /* n_cell: the run's column it was read from, or NO_COLUMN */
    uint16_t *rank;
    struct vector *vector;       /* NULL without a bundle */
    struct subscores *subscores; /* of the pin's profile; NULL without */
    double *share;
    double section[SECTION_COUNT];
    struct sentences *sentences;
};

/* pin_bind.c: ties the pin's model and profile to cells. */
err pin_bind(struct model_pin *pin) MUST_CHECK;

/* The run's columns as cells of its pin; returns how many of them hold something. Lists get the separator that is read
 * there: new texts live in the run's arena. */
size_t pin_fill(const struct model_pin *pin, const struct run *run, struct scratch *s);

/* stage_model.c: makes the room for the run's pin where there is none, in the run's arena when it has no scratch. ERR_LIMIT.
 */
err scratch_ready(struct run *run) MUST_CHECK;

/* The stages that are flow's own. */
err stage_vectorise(struct run *run) MUST_CHECK;
err stage_score(struct run *run) MUST_CHECK;
err stage_explain(struct run *run) MUST_CHECK;

/* The term's stable name in a snapshot, in the arena or the pin. */
str pin_term_name(const struct model_pin *pin, struct arena *a, size_t term);

#endif
