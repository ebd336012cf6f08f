/* registry.h — a list of known organisations as an index: which of them bear a name like this one?
 *
 *   registry_new, registry_add for each row, registry_build     from rows to an index in memory
 *   registry_write, registry_open                               to a file (docs/formats/registry.md) and back, mapped
 *   match.h                                                     looks organisations up in it
 *
 * The index is the same bytes for the same rows in any order. */
#ifndef GALENA_ENRICH_REGISTRY_H
#define GALENA_ENRICH_REGISTRY_H

#include "enrich/match_name.h"

/* What is known of an organisation; any but id and name may be empty. */
struct registry_row {
    str id, name;
    str former; /* earlier or other names, separated by ';' or '|' */
    str domain, country, city;
};

struct registry_builder;
struct registry;

enum { REGISTRY_ROW_MAX = 50000000, REGISTRY_CELL_BYTE = 1024 };

/* `forms` and the arena live as long as the registry. */
struct registry_builder *registry_new(struct arena *a, const struct match_forms *forms);

/* Rows with the same id are one organisation with several names: the first in byte order is its name, the others count as
 * former names, and so do those in `former`; of the other cells the first that is not empty in byte order of the rows
 * counts. Texts are kept to REGISTRY_CELL_BYTE bytes. ERR_INPUT: "registry_no_id", "registry_no_name". ERR_LIMIT
 * "registry_rows". */
err registry_add(struct registry_builder *b, const struct registry_row *row) MUST_CHECK;

/* The index of all rows added; the builder is used up. ERR_LIMIT "registry_size" when its texts are more than 4 GiB. */
err registry_build(struct registry_builder *b, const struct registry **out) MUST_CHECK;

/* Writes the index as a file. Errors as file.h. */
err registry_write(struct arena *a, const struct registry *r, const char *path) MUST_CHECK;

/* Does the file begin as an index does? False also when it cannot be read. */
bool registry_is_index(const char *path);

/* Maps the file and checks every byte of it. As file_open; ERR_INPUT: "registry_format" (no such file), "registry_version"
 * (written by a later program); ERR_CORRUPT: "registry_truncated", "registry_checksum", "registry_content". */
err registry_open(struct arena *a, const char *path, const struct match_forms *forms,
                  const struct registry **out) MUST_CHECK;

/* The same of a file's bytes in memory, 8-byte aligned, which must stay there. */
err registry_read(struct arena *a, str bytes, const struct match_forms *forms, const struct registry **out) MUST_CHECK;

struct registry_size {
    uint64_t organisations, names, words, bytes;
};
struct registry_size registry_size_of(const struct registry *r);

/* Organisation number i: texts within the index. */
struct registry_entry {
    str id, name, domain, country, city;
};
struct registry_entry registry_entry_of(const struct registry *r, uint32_t organisation);

#endif
