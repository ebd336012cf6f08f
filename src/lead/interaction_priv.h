/* interaction_priv.h — the interactions of a schema as part of its file. */
#ifndef GALENA_LEAD_INTERACTION_PRIV_H
#define GALENA_LEAD_INTERACTION_PRIV_H

#include "lead/schema.h"

/* Writes the key "interactions" with its list. */
void interactions_write(struct json_writer *w, const struct schema *s);

/* Reads the list into s, whose fields are read. ERR_INPUT "schema_interaction", or the slugs of schema_from_json. */
err interactions_read(struct arena *a, const struct json *v, struct schema *s) MUST_CHECK;

#endif
