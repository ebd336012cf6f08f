/* file.c — reading whole files, and writing files that are renamed into place. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OUT_BYTE = 256 * 1024, NAME_BYTE = 4096 };

struct file_out {
    const char *name;        /* for messages */
    char *path;              /* final name */
    struct pending *pending; /* NULL when written directly */
    int fd;
    bool owned, failed, done;
    mode_t mode; /* of the file that is replaced; 0 when there is none */
    char *buffer;
    size_t len;
};

/* The one piece of state of the process here: a signal handler has no arena to look in. A slot is free, being filled, or
 * names a file to remove; a handler reads only slots in the last state. */
enum { SLOT_FREE, SLOT_FILLING, SLOT_NAMED };
struct pending {
    atomic_int state;
    char name[NAME_BYTE];
};
static struct pending pendings[FILE_OUT_COUNT];

void file_discard_all(void) {
    int saved = errno;
    for (size_t i = 0; i < FILE_OUT_COUNT; i++)
        if (atomic_load(&pendings[i].state) == SLOT_NAMED)
            unlink(pendings[i].name);
    errno = saved;
}

static struct pending *pending_take(void) {
    for (size_t i = 0; i < FILE_OUT_COUNT; i++) {
        int free_slot = SLOT_FREE;
        if (atomic_compare_exchange_strong(&pendings[i].state, &free_slot, SLOT_FILLING))
            return &pendings[i];
    }
    return NULL;
}

/* ---- errors ---- */

static err open_fault(const char *name, int why) {
    switch (why) {
    case ENOENT:
    case ENOTDIR:
        return fail(ERR_ABSENT, "file_missing", "%s: there is no such file or directory", name);
    case EISDIR:
        return fail(ERR_INPUT, "file_directory", "%s is a directory", name);
    case EACCES:
    case EPERM:
    case EROFS:
        return fail(ERR_DENIED, "file_denied", "%s: %s", name, strerror(why));
    case ENAMETOOLONG:
    case ELOOP:
        return fail(ERR_INPUT, "file_name", "%s: %s", name, strerror(why));
    default:
        return fail(ERR_AGAIN, "file_read", "%s cannot be opened: %s", name, strerror(why));
    }
}

static err write_fault(const char *name, int why) {
    switch (why) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return fail(ERR_AGAIN, "disk_full", "%s: the disk is full, or a quota or size limit is reached (%s)", name,
                    strerror(why));
    case EPIPE:
        return fail(ERR_AGAIN, "pipe_closed", "%s: the program that reads it has gone away", name);
    default:
        return fail(ERR_AGAIN, "file_write", "%s: writing failed: %s", name, strerror(why));
    }
}

/* ---- reading ---- */

err file_open(const char *path, int *fd) {
    int opened = open(path, O_RDONLY | O_CLOEXEC);
    if (opened < 0)
        return open_fault(path, errno);
    struct stat st;
    if (fstat(opened, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(opened);
        return open_fault(path, EISDIR);
    }
    *fd = opened;
    return OK;
}

struct reading {
    const char *name;
    int fd;
    bool owned;
    char *text;
    size_t len, cap;
};

static void close_reading(void *ctx) {
    struct reading *r = ctx;
    if (r->owned && r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    free(r->text);
    r->text = NULL;
}

/* One read; *more is false at the end. */
static err read_some(struct reading *r, size_t max_byte, bool *more) {
    if (r->cap - r->len < 2) {
        size_t cap = r->cap < 32768 ? 65536 : r->cap * 2;
        char *text = realloc(r->text, cap);
        if (!text)
            return fail(ERR_LIMIT, "memory_limit", "no memory for reading %s", r->name);
        r->text = text;
        r->cap = cap;
    }
    ssize_t n = read(r->fd, r->text + r->len, r->cap - r->len - 1);
    if (n < 0 && errno == EINTR)
        return OK;
    if (n < 0)
        return fail(ERR_AGAIN, "file_read", "%s: reading failed at byte %zu: %s", r->name, r->len, strerror(errno));
    r->len += (size_t)n;
    *more = n > 0;
    if (r->len > max_byte)
        return fail(ERR_LIMIT, "file_too_large", "%s is larger than the limit of %zu bytes", r->name, max_byte);
    return OK;
}

err file_read_all(struct arena *a, const char *path, size_t max_byte, str *out) {
    bool standard = strcmp(path, "-") == 0;
    int fd = STDIN_FILENO;
    if (!standard)
        TRY(file_open(path, &fd));
    struct reading *r = ARENA_NEW(a, struct reading);
    *r = (struct reading){.name = standard ? "standard input" : path, .fd = fd, .owned = !standard};
    arena_defer(a, close_reading, r);
    err rc = OK;
    for (bool more = true; more && rc == OK;)
        rc = read_some(r, max_byte, &more);
    if (rc == OK)
        *out = str_copy(a, (str){r->text, r->len});
    close_reading(r);
    return rc;
}

/* ---- writing ---- */

void file_discard(struct file_out *f) {
    if (f->done)
        return;
    f->done = true;
    if (f->owned && f->fd >= 0)
        close(f->fd);
    f->fd = -1;
    if (f->pending) {
        unlink(f->pending->name);
        atomic_store(&f->pending->state, SLOT_FREE);
    }
    free(f->buffer);
    f->buffer = NULL;
}

static void discard_deferred(void *ctx) { file_discard(ctx); }

/* Opens the temporary file and enters its name where file_discard_all looks. */
static err open_temporary(struct file_out *f) {
    struct pending *p = pending_take();
    if (!p)
        return fail(ERR_LIMIT, "file_count", "%s: more than %d files are being written", f->name, FILE_OUT_COUNT);
    int why = EEXIST;
    for (int attempt = 0; attempt < 16 && f->fd < 0 && why == EEXIST; attempt++) {
        uint64_t random = 0;
        if (getrandom(&random, sizeof random, 0) < 0)
            random = (uint64_t)attempt;
        int n = snprintf(p->name, sizeof p->name, "%s.tmp-%ld-%016llx", f->path, (long)getpid(), (unsigned long long)random);
        if (n < 0 || (size_t)n >= sizeof p->name) {
            why = ENAMETOOLONG;
            break;
        }
        /* Named before it exists: a signal in between finds nothing to remove, one right after it finds the file. */
        atomic_store(&p->state, SLOT_NAMED);
        if ((f->fd = open(p->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) < 0) {
            why = errno;
            atomic_store(&p->state, SLOT_FILLING);
        }
    }
    if (f->fd < 0) {
        atomic_store(&p->state, SLOT_FREE);
        return why == ENOSPC || why == EDQUOT ? write_fault(f->name, why) : open_fault(f->name, why);
    }
    f->pending = p;
    if (f->mode != 0)
        (void)!fchmod(f->fd, f->mode & 07777); /* best effort: the contents matter more */
    return OK;
}

static err open_direct(struct file_out *f, const char *path) {
    f->fd = open(path, O_WRONLY | O_CLOEXEC);
    return f->fd < 0 ? open_fault(f->name, errno) : OK;
}

err file_create(struct arena *a, const char *path, struct file_out **out) {
    struct file_out *f = ARENA_NEW(a, struct file_out);
    *f = (struct file_out){.name = str_cstr(a, str_from(path)), .fd = -1, .owned = true};
    f->path = str_cstr(a, str_from(path));
    char *buffer = malloc(OUT_BYTE);
    if (!buffer)
        return fail(ERR_LIMIT, "memory_limit", "no memory for writing %s", path);
    f->buffer = buffer;
    arena_defer(a, discard_deferred, f);
    struct stat st;
    bool exists = stat(path, &st) == 0;
    if (strcmp(path, "-") == 0) {
        f->name = "standard output";
        f->fd = STDOUT_FILENO;
        f->owned = false;
    } else if (exists && S_ISDIR(st.st_mode)) {
        return open_fault(path, EISDIR);
    } else if (exists && !S_ISREG(st.st_mode)) {
        TRY(open_direct(f, path));
    } else {
        char *real = exists ? realpath(path, NULL) : NULL;
        if (real)
            f->path = str_cstr(a, str_from(real));
        free(real);
        f->mode = exists ? st.st_mode : 0;
        TRY(open_temporary(f));
    }
    *out = f;
    return OK;
}

static err write_out(struct file_out *f, str bytes) {
    while (bytes.len > 0) {
        ssize_t n = write(f->fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            f->failed = true;
            return write_fault(f->name, errno);
        }
        bytes = (str){bytes.ptr + n, bytes.len - (size_t)n};
    }
    return OK;
}

static err flush(struct file_out *f) {
    TRY(write_out(f, (str){f->buffer, f->len}));
    f->len = 0;
    return OK;
}

err file_write(struct file_out *f, str bytes) {
    if (f->failed || f->done)
        return fail(ERR_AGAIN, "file_write", "%s: writing failed before", f->name);
    if (bytes.len > OUT_BYTE - f->len)
        TRY(flush(f));
    if (bytes.len >= OUT_BYTE)
        return write_out(f, bytes);
    if (bytes.len > 0)
        memcpy(f->buffer + f->len, bytes.ptr, bytes.len);
    f->len += bytes.len;
    return OK;
}

/* The new name is on the disk only when its directory is. Not every file system can do that, so its failure is no fault. */
static void sync_directory(const char *path) {
    const char *slash = strrchr(path, '/');
    char directory[NAME_BYTE] = ".";
    if (slash && (size_t)(slash - path) < sizeof directory)
        snprintf(directory, sizeof directory, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)!fsync(fd);
    close(fd);
}

static err put_in_place(struct file_out *f) {
    if (f->pending && fsync(f->fd) != 0)
        return write_fault(f->name, errno);
    int fd = f->fd;
    f->fd = -1;
    if (f->owned && close(fd) != 0)
        return write_fault(f->name, errno);
    if (!f->pending)
        return OK;
    if (rename(f->pending->name, f->path) != 0)
        return write_fault(f->name, errno);
    atomic_store(&f->pending->state, SLOT_FREE);
    f->pending = NULL;
    sync_directory(f->path);
    return OK;
}

err file_commit(struct file_out *f) {
    err rc = f->failed || f->done ? fail(ERR_AGAIN, "file_write", "%s: writing failed before", f->name) : flush(f);
    if (rc == OK)
        rc = put_in_place(f);
    file_discard(f);
    return rc;
}

err file_write_all(struct arena *a, const char *path, str bytes) {
    struct file_out *f = NULL;
    TRY(file_create(a, path, &f));
    err rc = file_write(f, bytes);
    if (rc == OK)
        return file_commit(f);
    file_discard(f);
    return rc;
}
