/* source_priv.h — the bytes of a file or of standard input, unpacked when they are gzip. */
#ifndef GALENA_INTAKE_SOURCE_PRIV_H
#define GALENA_INTAKE_SOURCE_PRIV_H

#include "base/str.h"

struct source;

/* Opens `path` ("-": standard input) until the arena is reset. ERR_ABSENT "file_missing", ERR_INPUT "file_directory",
 * ERR_DENIED "file_denied", ERR_AGAIN "file_read". */
err source_open(struct arena *a, const char *path, struct source **out) MUST_CHECK;

/* A csv_source_fn: up to `cap` unpacked bytes. ERR_INPUT "gzip_truncated" or "gzip_corrupt" with the byte of the file that
 * was reached, after everything good before it. */
err source_read(void *source, char *to, size_t cap, size_t *got) MUST_CHECK;

/* The first bytes that source_read will give, at most 4096; fewer only when there are no more or reading fails, which is
 * then said by source_read. */
str source_peek(struct source *s);

bool source_is_packed(const struct source *s);

/* Bytes of the file taken so far (packed ones if it is packed), and its size, 0 when not known. */
uint64_t source_bytes_read(const struct source *s);
uint64_t source_bytes_total(const struct source *s);

#endif
