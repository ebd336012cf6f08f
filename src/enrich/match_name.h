/* match_name.h — an organisation's name as the words that tell which one it is, apart from its legal form. */
#ifndef GALENA_ENRICH_MATCH_NAME_H
#define GALENA_ENRICH_MATCH_NAME_H

#include "base/str.h"

enum { MATCH_TOKEN_MAX = 16, MATCH_NAME_BYTE = 256 };

/* Legal forms and common words, read from share/data; const afterwards. */
struct match_forms;

/* The lists in the program. ERR_CORRUPT "legal_forms", "common_words" when they cannot be read. */
err match_forms_load(struct arena *a, const struct match_forms **out) MUST_CHECK;

/* Points into itself: not to be copied. */
struct match_name {
    char text[MATCH_NAME_BYTE]; /* the words, one after the other, each followed by a NUL */
    str token[MATCH_TOKEN_MAX];
    size_t n;
    uint16_t form; /* class of the legal form, 1 and up; 0 when none is written */
};

/* Reads a name: folds it (text/fold.h); writes "L.L.C." as "llc"; leaves out a registry's mark at the end
 * ("/DE/", "/ADR"), a class of shares ("Class A"), articles and "and"; writes common abbreviations, British spellings,
 * English plurals and Cyrillic letters in one way; takes legal forms off the end and the beginning, as long as a word
 * remains. What is longer than MATCH_TOKEN_MAX words or MATCH_NAME_BYTE bytes is cut. A name without letters and digits has
 * no words. */
void match_name_read(const struct match_forms *forms, str raw, struct match_name *out);

/* The words without blanks between them, at most `cap` bytes; returns their number. */
size_t match_name_joined(const struct match_name *name, char *to, size_t cap);

/* The first letters of three words or more; returns their number, 0 when there are fewer words. */
size_t match_name_initials(const struct match_name *name, char *to, size_t cap);

/* A number in digits or in Roman digits up to 39: what tells "Fund IV" from "Fund V". 0 when it is none. */
unsigned match_token_number(str token);

/* No number, no common English word (share/data/common-words.txt), and four bytes or more: a name that somebody made up. It
 * is seldom shared by chance. */
bool match_is_coined(const struct match_forms *forms, str token);

#endif
