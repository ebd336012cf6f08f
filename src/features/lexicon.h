/* lexicon.h — what column names and cell texts usually mean: data tables, consulted as hints and never as proof. */
#ifndef GALENA_FEATURES_LEXICON_H
#define GALENA_FEATURES_LEXICON_H

#include "base/str.h"

enum { NAME_WORDS_BYTE = 256 };

/* The words of a column name in lower case with a space before, between and behind: "TotalVisits" and "total_visits" give
 * " total visits ". A plural "s" of words of five or more letters is cut off. Names are cut to what fits. */
struct name_words {
    char text[NAME_WORDS_BYTE];
    size_t len;
};
struct name_words name_words(str name);

/* True when `phrase` ("last contact") is among the words; "=phrase" must be the whole name, "phrase$" its end, "^phrase" its
 * beginning. */
bool name_has(const struct name_words *w, const char *phrase);

/* True when one of the phrases of a NULL-terminated list is there. */
bool name_has_any(const struct name_words *w, const char *const *phrases);

/* A group for the field: "firmographic", "demographic", "behavioural", "chronographic", "technographic", "textual" or
 * "other". */
str name_group(const struct name_words *w);

/* The name is that of a code whose whole numbers are labels (Region, Browser, ZipCode), of an identifier (Lead Number,
 * uuid), of a count or amount (which outweighs the two), or of a day of the month. */
bool name_is_code(const struct name_words *w);
bool name_is_identifier(const struct name_words *w);
bool name_is_quantity(const struct name_words *w);

/* Hints of the leakage sentinel: a status kept up to date after intake; a person's or product's judgement of the lead; the
 * length of a contact; something known once the deal is closed. */
bool name_is_status(const struct name_words *w);
bool name_is_judgement(const struct name_words *w);
bool name_is_contact_length(const struct name_words *w);
bool name_is_closing(const struct name_words *w);

/* True when the cell's text usually means "not known" ("Select", "N/A", "unknown", "-"): case and surrounding space do not
 * matter. */
bool text_means_missing(str text);

/* True for texts such as "none" that mean "not known" only in a column of numbers or dates. */
bool text_means_missing_number(str text);

/* True for yes/no, true/false, y/n, t/f, on/off, 1/0, in any case; *out then says which. */
bool text_means_flag(str text, bool *out);

#endif
