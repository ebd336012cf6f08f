/* fuse_value.h — when two texts claim the same value: what type a field is, and the normal form of a text under it. */
#ifndef GALENA_ENRICH_FUSE_VALUE_H
#define GALENA_ENRICH_FUSE_VALUE_H

#include "base/str.h"

/* How the values of a field are compared and fused. If you change this: fuse_type_name. */
enum fuse_type {
    FUSE_AUTO,   /* told from the values */
    FUSE_TEXT,   /* one of several texts; case, accents, punctuation and spaces do not count */
    FUSE_CLOCK,  /* a time of day, with or without a date beside it; the minute counts */
    FUSE_DATE,   /* what time_read reads; the moment counts */
    FUSE_NUMBER, /* a number that sources copy down exactly: one of the claimed ones is right */
    FUSE_AMOUNT, /* a quantity that sources measure or estimate: the truth lies between */
    FUSE_LIST,   /* several members; separated by ; or |, or by commas when there is neither */
    FUSE_PEOPLE, /* a list of names of people, "Last, First" or "First Last", by surname */
    FUSE_TYPE_COUNT
};

/* "text", "clock", ...; and back: FUSE_TYPE_COUNT for another word. */
const char *fuse_type_name(enum fuse_type type);
enum fuse_type fuse_type_of(str name);

/* True for a text that says nothing: "", "-", "n/a", "null", "unknown", "none". */
bool fuse_value_is_empty(str text);

/* What the texts of a field look like, counted. */
struct fuse_look {
    size_t texts, clocks, dates, numbers, lists, members, inverted;
};
void fuse_look_add(struct fuse_look *l, str text);

/* The type that the counts speak for: never FUSE_AUTO. repeats: of pairs of claims of one item, the share that are the same
 * text: numbers that sources copy down repeat, measured ones do not. */
enum fuse_type fuse_look_type(const struct fuse_look *l, double repeats);

/* The normal form of a text: equal forms are the same value. Text that the type cannot read falls back to FUSE_TEXT. Not for
 * lists. Lives in the arena. */
str fuse_value_normal(struct arena *a, enum fuse_type type, str text);

/* Letters and digits without case and accents ("Zoé" and "Zo&eacute;" are "zoe"); the point of a number and its sign stay,
 * and of an address (with an @ or a scheme) everything but case. */
str fuse_value_fold(struct arena *a, str text);

/* One member of a list: its normal form, and how it is written. */
struct fuse_member {
    str key, shown;
};

/* The members of a text, each key once, at most FUSE_MEMBERS. Returns how many. */
enum { FUSE_MEMBERS = 64 };
size_t fuse_value_members(struct arena *a, enum fuse_type type, str text, struct fuse_member *out);

/* The people named in a text (FUSE_PEOPLE); for fuse_value_members. */
size_t fuse_people(struct arena *a, str text, struct fuse_member *out);

#endif
