/* registry_load.h — a registry for commands: from a file of organisations, or an index that was built before. */
#ifndef GALENA_CMD_REGISTRY_LOAD_H
#define GALENA_CMD_REGISTRY_LOAD_H

#include "cmd/append.h"
#include "enrich/match.h"

/* The columns of a file of organisations; empty: it has none. */
struct registry_columns {
    str id, name, former, domain, country, city;
};

struct registry_counts {
    uint64_t rows, bad;
};

/* Reads the file (CSV, CSV.gz, JSON lines) and builds the index in memory. Rows that cannot be read, or have no id or no
 * name, are counted, and the first few warned about. */
err registry_load_table(struct session *s, const struct leads_options *o, const struct registry_columns *c,
                        const struct match_forms *forms, struct registry_counts *counts,
                        const struct registry **out) MUST_CHECK;

#endif
