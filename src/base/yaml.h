/* yaml.h — YAML 1.2 configuration files, read into the same tree as JSON (json.h), and written.
 *
 * Duplicate keys, anchors, aliases, tags, several documents and keys that are not text are refused, and so are what a JSON
 * tree cannot hold: infinite numbers, not-a-number, and whole numbers beyond int64. Plain scalars are typed by the YAML 1.2
 * core schema (yes and no stay text). A byte order mark is skipped. Errors say line and column. */
#ifndef GALENA_BASE_YAML_H
#define GALENA_BASE_YAML_H

#include "base/json.h"

/* Parses `text` into a tree that does not point into it; `limits` as for JSON (default max_byte here: 4 MiB; may be NULL).
 * ERR_INPUT (slugs "yaml_…") or ERR_LIMIT. */
err yaml_parse(struct arena *a, str text, const struct json_limits *limits, const struct json **out) MUST_CHECK;

/* Writes the tree as block-style YAML that yaml_parse reads back to an equal tree; short arrays of scalars on one line. What
 * no text can hold is changed: NaN and infinities become null, bytes that are not UTF-8 become U+FFFD. */
void yaml_write(struct buf *out, const struct json *v);

#endif
