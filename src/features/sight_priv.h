/* sight_priv.h — one column under inference: what its cells look like, and what it is taken to be. */
#ifndef GALENA_FEATURES_SIGHT_PRIV_H
#define GALENA_FEATURES_SIGHT_PRIV_H

#include "features/fit_priv.h"
#include "features/infer.h"
#include "features/lexicon.h"

/* What the known cells of a column look like; counts are rows unless they say distinct. */
struct look {
    double known, empty;
    size_t distinct; /* known spellings */
    size_t folded;   /* known levels when case and space do not matter */
    double number, range, integer, zero_led, ambiguous, date, flag, word, byte, email;
    double day_first, month_first, either; /* dates that prove their order, and dates that do not */
    double plus, minus;                    /* votes for a decimal comma, a decimal point */
    double percent, money;
    double supported; /* rows in levels frequent enough to be learnt */
    bool yes, no;     /* flag values seen */
    size_t odd;       /* distinct cells that are no numbers */
    double odd_rows;
};

struct work {
    struct arena *a;   /* scratch, for one column */
    struct arena *out; /* what stays */
    const struct frame *frame;
    const uint32_t *rows;
    size_t n;
    const double *y;
    struct infer_opts o;
    struct fit_opts_field fit;
    struct schema *schema;
    struct schema_warning *warning;
    size_t warning_cap;
};

/* One column under inference. */
struct sight {
    struct work *w;
    struct column c;
    struct spellings s;
    struct look look;
    struct name_words words;
    unsigned char *missing; /* of c.value */
    struct field f;
    str title;  /* for messages */
    bool noted; /* the file has a note already, which stays */
};

/* Records a warning about a column; both texts are copied. */
void sight_warn(struct sight *x, str code, str message);

/* The first 60 bytes, for messages; and "12 %". */
str sight_brief(str s);
str sight_percent(struct sight *x, double part, double whole);

/* Decides missing tokens, type, decimal mark, date order and separator of x->f, keeping every choice that is given. x->c,
 * x->s, x->words and x->f are set; x->missing is made. */
void sight_decide(struct sight *x);

#endif
