/* person.h — names of people: case, order, titles and particles. */
#ifndef GALENA_VALIDATE_PERSON_H
#define GALENA_VALIDATE_PERSON_H

#include "validate/clean_value.h"

/* The parts of a name. */
struct person_name {
    str given, family; /* family has its particles ("van der Berg"); either may be empty */
};

/* *v becomes "Given Family" in its usual writing: single blanks; capitals as names have them when the whole was in large or
 * in small letters ("MCDONALD" "van der berg" "O'NEIL"; a name with both kinds of letters keeps them); "Family, Given" in
 * speaking order; titles in front ("Dr.", "Frau"), degrees behind ("PhD", "MBA") and nicknames in quotes or brackets taken
 * off. Names in scripts without case stay as they are; one of two to four Chinese characters is one name. Invalid: what has
 * no letters, and what is an e-mail address, a phone number or a company (by its legal form or words such as "Group"). */
void person_clean(struct arena *a, str original, struct clean_value *v, struct person_name *out);

#endif
