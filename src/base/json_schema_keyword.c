/* json_schema_keyword.c — what each keyword demands, and the sentence that says so. */
#include "base/json_priv.h"
#include "base/json_schema_priv.h"
#include "base/number.h"
#include "base/suggest.h"

#include <math.h>
#include <stdlib.h>

enum { SHOWN = 8 }; /* words a message lists at most */

#define KEYWORD(name)                                                                                                   \
    static void name(struct schema_check *c, const struct json *schema, const struct json *argument, const struct json *v, \
                     const struct schema_path *at)
