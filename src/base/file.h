/* file.h — whole files in, and files out that appear under their name complete or not at all. */
#ifndef GALENA_BASE_FILE_H
#define GALENA_BASE_FILE_H

#include "base/str.h"

/* Opens for reading. ERR_ABSENT "file_missing", ERR_INPUT "file_directory", ERR_DENIED "file_denied", ERR_AGAIN "file_read".
 * The caller closes. */
err file_open(const char *path, int *fd) MUST_CHECK;

/* The contents of `path` ("-": standard input) into the arena, with a NUL behind them. As file_open, and ERR_LIMIT
 * "file_too_large" when there are more than max_byte. */
err file_read_all(struct arena *a, const char *path, size_t max_byte, str *out) MUST_CHECK;

/* A file being written. */
struct file_out;

/* Begins PATH: writes go to PATH.tmp-PID-RANDOM in the same directory, which file_commit renames. A reset of the arena
 * before that removes it, and whatever was under PATH stays. A symbolic link is followed. "-" is standard output, and what
 * exists and is no regular file (/dev/null, a pipe) is written directly: neither can be taken back. ERR_ABSENT
 * "file_missing" (no such directory), ERR_INPUT "file_directory", ERR_DENIED "file_denied", ERR_AGAIN "disk_full" or
 * "file_write". At most FILE_OUT_COUNT may be open at a time in a process: ERR_LIMIT "file_count". */
enum { FILE_OUT_COUNT = 32 };
err file_create(struct arena *a, const char *path, struct file_out **out) MUST_CHECK;

/* Appends, by a buffer of 256 KiB. ERR_AGAIN: "disk_full"; "pipe_closed" when the reader went away (the program must ignore
 * SIGPIPE to get that far); "file_write" else. After a failure every later call fails alike. */
err file_write(struct file_out *f, str bytes) MUST_CHECK;

/* Writes what is buffered; then, for a regular file, fsync, rename, fsync of the directory. Errors as file_write; then
 * nothing appears under the name. */
err file_commit(struct file_out *f) MUST_CHECK;

/* Gives up a file that is not committed: removes it. Harmless afterwards and twice. */
void file_discard(struct file_out *f);

/* Removes every file begun and not committed in this process. Async-signal-safe: for the handlers of SIGINT and SIGTERM,
 * just before the process ends. */
void file_discard_all(void);

/* file_create, one file_write, file_commit. */
err file_write_all(struct arena *a, const char *path, str bytes) MUST_CHECK;

#endif
