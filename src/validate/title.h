/* title.h — job titles: one spelling, and the level and area that the words themselves say. */
#ifndef GALENA_VALIDATE_TITLE_H
#define GALENA_VALIDATE_TITLE_H

#include "validate/clean_value.h"

enum title_level { TITLE_C_SUITE, TITLE_VP, TITLE_DIRECTOR, TITLE_MANAGER, TITLE_OTHER, TITLE_LEVEL_COUNT };
enum title_area { TITLE_BUSINESS, TITLE_TECHNICAL, TITLE_SALES_MARKETING, TITLE_NO_AREA, TITLE_AREA_COUNT };

const char *title_level_name(enum title_level l); /* "C-Suite", "VP", "Director", "Manager", "Other" */
const char *title_area_name(enum title_area a);   /* "Business", "Technical", "Sales-Marketing", "Other" */

/* The level by an ordered list of words and their places: founders, boards and chief officers before vice presidents,
 * those before directors and heads, those before managers, leads and supervisors. Of an officer and a vice president in one
 * title the one named first counts. "Assistant to the CEO" is no CEO. English, with the common words of German, French,
 * Spanish, Italian, Portuguese and Dutch. */
enum title_level title_level_of(str title);

/* The area by words alone, and how likely each is (`p` may be NULL; sums to 1): technical words, words of selling, and what
 * is usual at the level. */
enum title_area title_area_of(str title, enum title_level level, double p[TITLE_AREA_COUNT]);

/* *v becomes the title with single blanks, common short forms written out ("Sr." "Mgr"), and capitals as in a heading when
 * it was all capitals or all small letters. */
void title_clean(struct arena *a, str original, struct clean_value *v);

#endif
