/* json_schema_priv.h — the table of keywords, which says how each is written and how it is checked. */
#ifndef GALENA_BASE_JSON_SCHEMA_PRIV_H
#define GALENA_BASE_JSON_SCHEMA_PRIV_H

#include "base/json_schema.h"

/* What a keyword's argument must be. */
enum schema_form {
    FORM_ANY,
    FORM_BOOL,
    FORM_NUMBER,
    FORM_COUNT,       /* a whole number from 0 on */
    FORM_LIST,        /* a list of at least one value */
    FORM_KEYS,        /* a list of texts */
    FORM_TYPES,       /* a type's name or a list of them */
    FORM_REFERENCE,   /* text: a pointer into the schema */
    FORM_SCHEMA,      /* a schema */
    FORM_SCHEMA_LIST, /* a list of at least one schema */
    FORM_SCHEMA_MAP,  /* an object whose values are schemas */
};

/* Where a value stands, from the inside out. */
struct schema_path {
    const struct schema_path *up; /* NULL at the root */
    str key;                      /* in an object; ptr NULL in a list */
    uint32_t index;
};

struct schema_check {
    struct arena *arena;
    const struct json *root;
    struct json_problems *out;
    uint32_t depth;
    bool too_deep;
};

struct schema_keyword {
    const char *name;
    enum schema_form form;
    /* NULL for what is not checked by itself. `schema` is the object the keyword stands in, `argument` its value there. */
    void (*check)(struct schema_check *c, const struct json *schema, const struct json *argument, const struct json *v,
                  const struct schema_path *at);
};

/* NULL for an unknown name. */
const struct schema_keyword *schema_keyword_find(str name);

/* Every keyword of the schema, and of the schemas in it, is known and has an argument of its form. ERR_CORRUPT. */
err schema_verify(const struct json *schema) MUST_CHECK;

/* The schema that "#" or "#/$defs/NAME" names, or NULL. */
const struct json *schema_resolve(const struct json *root, str reference);

/* Checks `v` against one schema, adding what is wrong to c->out. */
void schema_check_value(struct schema_check *c, const struct json *schema, const struct json *v,
                        const struct schema_path *at);

/* Records that `v` is wrong. `text` begins with a small letter and has no full stop. */
void schema_problem(struct schema_check *c, const struct json *v, const struct schema_path *at, str text);

/* How messages call the place: "`weight`", "item 3", "the document". */
str schema_place_name(const struct schema_check *c, const struct schema_path *at);

bool schema_type_matches(str type, const struct json *v);

#endif
