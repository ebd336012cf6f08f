/* secret.h — secrets out of files, the environment and commands, in memory that is locked, guarded and zeroed after use.
 *
 * A secret is named by a reference, never by its value: "file:/run/secrets/crm", "env:CRM_TOKEN", "command:pass show crm".
 * A file must be a regular file of this user or of root that neither group nor others can read or write. A variable is wiped
 * and removed from the environment once read, so that it must be read before any thread starts. A command is run without a
 * shell, its words separated by blanks, with nothing on its standard input, in a process group that is killed when the time
 * is over; it prints the secret. */
#ifndef GALENA_STORE_SECRET_H
#define GALENA_STORE_SECRET_H

#include "base/str.h"

#include <stdint.h>

enum { SECRET_COMMAND_MS = 10000, SECRET_BYTE = 16384, SECRET_WORDS = 32 };

enum secret_kind { SECRET_FILE, SECRET_ENVIRONMENT, SECRET_COMMAND };

struct secret_source {
    enum secret_kind kind;
    const char *name;        /* path of the file, name of the variable */
    const char *const *argv; /* the command; ends in NULL; argv[0] is looked up in PATH unless it has a slash */
    int64_t limit_ms;        /* for the command; 0: SECRET_COMMAND_MS */
};

/* What a source said, in locked memory, byte for byte. */
struct secret_text {
    char *ptr;
    size_t len;
};

/* ERR_ABSENT "secret_absent" (no such file or variable), ERR_DENIED "secret_mode" (not a regular file, or open to others) or
 * "secret_command_failed", ERR_INPUT "secret_command_missing", ERR_AGAIN "secret_command_late" or "file_read", ERR_LIMIT
 * "secret_large" or "memory_limit". Messages never hold what was read. */
err secret_read(const struct secret_source *source, struct secret_text *out) MUST_CHECK;
void secret_text_free(struct secret_text *t); /* zeroes */

/* Reads a reference into `out`, whose texts live in the arena. ERR_INPUT "secret_reference": it is none of the three. The
 * message does not hold the reference, as people write the secret itself in its place. */
err secret_parse(struct arena *a, str reference, struct secret_source *out) MUST_CHECK;

/* ---- the secrets of a process, each read once ---- */

struct secret_ring;

/* ERR_LIMIT "memory_limit". */
err secret_ring_new(struct secret_ring **out) MUST_CHECK;
void secret_ring_free(struct secret_ring *r); /* zeroes all; NULL is allowed */

/* The secret behind a reference, without white space at its ends. It stays valid until the ring is freed, also when it is
 * renewed. ERR_INPUT "secret_empty" when nothing is left of it, else as secret_parse and secret_read. From any thread (but
 * see above for variables). */
err secret_ring_get(struct secret_ring *r, str reference, str *out) MUST_CHECK;

/* Reads files and commands again and says whether the secret differs from the last. A variable stays as it was. */
err secret_ring_renew(struct secret_ring *r, str reference, bool *changed, str *out) MUST_CHECK;

#endif
