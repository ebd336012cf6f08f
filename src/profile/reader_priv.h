/* reader_priv.h — reading values out of a document while noting every problem by its place. */
#ifndef GALENA_PROFILE_READER_PRIV_H
#define GALENA_PROFILE_READER_PRIV_H

#include "profile/profile_priv.h"

/* The way to a value, for messages: built only when there is something to say. */
struct place {
    const struct place *up;
    str key;     /* of an object; "" for an item of a list */
    size_t item; /* of a list */
};

struct reader {
    struct arena *a;
    struct profile *p;
    struct profile_problem *problem;
    size_t n_problem;
    struct profile_criterion *criterion;
    size_t n_criterion, cap_criterion;
};

/* Keeps problems in the order of the document. */
void reader_note(struct reader *r, const char *slug, const struct json *v, const struct place *at, str message);

/* "WANTED is needed here". */
void reader_bad(struct reader *r, const struct json *v, const struct place *at, const char *wanted);

/* "WHAT "word" is not known; did you mean ...?" */
void reader_unknown_word(struct reader *r, const char *slug, const struct json *v, const struct place *at, const char *what,
                         str word, const char *const *known, size_t n_known);

/* Notes every key of v that is not among the known ones; returns how many. */
size_t reader_check_keys(struct reader *r, const struct json *v, const struct place *at, const char *const *known,
                         size_t n_known);

/* A number in [low, high]; `fallback` when there is no such key. */
double reader_number(struct reader *r, const struct json *object, const struct place *at, const char *key, double low,
                     double high, double fallback);

/* The text at a key, without space around it; empty when there is none. */
str reader_text(struct reader *r, const struct json *object, const struct place *at, const char *key);

/* One text or a list of them. */
str *reader_texts(struct reader *r, const struct json *v, const struct place *at, size_t *n);

/* profile_words of a text. */
str reader_words(struct reader *r, str text);

/* A list of texts, worth 1 each, or an object of text and worth, above 0 and at most `top`. Texts that are equal but for
 * case are refused. */
void reader_items(struct reader *r, const struct json *v, const struct place *at, double top, struct profile_item **out,
                  size_t *n);

#endif
