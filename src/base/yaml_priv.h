/* yaml_priv.h — the typing of plain scalars, which reader and writer must agree on. */
#ifndef GALENA_BASE_YAML_PRIV_H
#define GALENA_BASE_YAML_PRIV_H

#include "base/json.h"

/* The type of the plain scalar `s`; its value goes to *out. *fits is false when it is a number that the tree cannot hold
 * (too large, infinite, not a number). */
enum json_type yaml_plain_type(str s, struct json *out, bool *fits);

#endif
