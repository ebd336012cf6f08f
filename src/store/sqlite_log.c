/* sqlite_log.c — the file system that gathers what SQLite writes to its log. */
#include "store/sqlite_log.h"

#include <sqlite3.h>
#include <string.h>

enum { GATHER_BYTE = 120 << 10 }; /* SQLite's own writes less than 128 KiB in one call */

/* A log. SQLite's own file stands behind it, in the same piece of memory. */
struct log_file {
    sqlite3_file file; /* first: SQLite's handle */
    char *byte;        /* what was written and not handed on: `len` bytes that belong at `at` */
    int len;
    sqlite3_int64 at;
};

enum { LOG_FILE_BYTE = (sizeof(struct log_file) + 15) / 16 * 16 };

static struct log_file *self(sqlite3_file *f) { return (struct log_file *)f; }
static sqlite3_file *below(sqlite3_file *f) { return (sqlite3_file *)((char *)f + LOG_FILE_BYTE); }

/* What could not be written is given up: SQLite takes the transaction back, and writes over it later. */
static int hand_on(sqlite3_file *f) {
    struct log_file *l = self(f);
    int n = l->len;
    l->len = 0;
    return n == 0 ? SQLITE_OK : below(f)->pMethods->xWrite(below(f), l->byte, n, l->at);
}

static int write_log(sqlite3_file *f, const void *from, int n, sqlite3_int64 at) {
    struct log_file *l = self(f);
    if (l->len > 0 && (at != l->at + l->len || n > GATHER_BYTE - l->len)) {
        int rc = hand_on(f);
        if (rc != SQLITE_OK)
            return rc;
    }
    if (n > GATHER_BYTE)
        return below(f)->pMethods->xWrite(below(f), from, n, at);
    if (l->len == 0)
        l->at = at;
    memcpy(l->byte + l->len, from, (size_t)n);
    l->len += n;
    return SQLITE_OK;
}

static int read_log(sqlite3_file *f, void *to, int n, sqlite3_int64 at) {
    int rc = hand_on(f);
    return rc == SQLITE_OK ? below(f)->pMethods->xRead(below(f), to, n, at) : rc;
}

static int truncate_log(sqlite3_file *f, sqlite3_int64 size) {
    int rc = hand_on(f);
    return rc == SQLITE_OK ? below(f)->pMethods->xTruncate(below(f), size) : rc;
}

static int sync_log(sqlite3_file *f, int flags) {
    int rc = hand_on(f);
    return rc == SQLITE_OK ? below(f)->pMethods->xSync(below(f), flags) : rc;
}

static int size_of_log(sqlite3_file *f, sqlite3_int64 *size) {
    int rc = hand_on(f);
    return rc == SQLITE_OK ? below(f)->pMethods->xFileSize(below(f), size) : rc;
}

static int close_log(sqlite3_file *f) {
    int rc = hand_on(f), closed = below(f)->pMethods->xClose(below(f));
    sqlite3_free(self(f)->byte);
    self(f)->byte = NULL;
    return rc == SQLITE_OK ? closed : rc;
}

static int lock_log(sqlite3_file *f, int how) { return below(f)->pMethods->xLock(below(f), how); }
static int unlock_log(sqlite3_file *f, int how) { return below(f)->pMethods->xUnlock(below(f), how); }
static int reserved_log(sqlite3_file *f, int *out) { return below(f)->pMethods->xCheckReservedLock(below(f), out); }
static int control_log(sqlite3_file *f, int op, void *arg) { return below(f)->pMethods->xFileControl(below(f), op, arg); }
static int sector_of_log(sqlite3_file *f) { return below(f)->pMethods->xSectorSize(below(f)); }
static int nature_of_log(sqlite3_file *f) { return below(f)->pMethods->xDeviceCharacteristics(below(f)); }

/* Version 1: a log is never shared memory nor mapped. */
static const sqlite3_io_methods log_methods = {.iVersion = 1,
                                               .xClose = close_log,
                                               .xRead = read_log,
                                               .xWrite = write_log,
                                               .xTruncate = truncate_log,
                                               .xSync = sync_log,
                                               .xFileSize = size_of_log,
                                               .xLock = lock_log,
                                               .xUnlock = unlock_log,
                                               .xCheckReservedLock = reserved_log,
                                               .xFileControl = control_log,
                                               .xSectorSize = sector_of_log,
                                               .xDeviceCharacteristics = nature_of_log};

static int open_file(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *f, int flags, int *flags_out) {
    sqlite3_vfs *system = vfs->pAppData;
    if (!(flags & SQLITE_OPEN_WAL))
        return system->xOpen(system, name, f, flags, flags_out);
    struct log_file *l = self(f);
    *l = (struct log_file){.byte = sqlite3_malloc(GATHER_BYTE)};
    if (!l->byte)
        return SQLITE_NOMEM;
    below(f)->pMethods = NULL;
    int rc = system->xOpen(system, name, below(f), flags, flags_out);
    if (rc == SQLITE_OK) {
        l->file.pMethods = &log_methods;
        return SQLITE_OK;
    }
    if (below(f)->pMethods) /* SQLite would close what failed to open when it has methods: here nobody else knows of it */
        (void)below(f)->pMethods->xClose(below(f));
    sqlite3_free(l->byte);
    return rc;
}

static int delete_file(sqlite3_vfs *vfs, const char *name, int sync) {
    sqlite3_vfs *system = vfs->pAppData;
    return system->xDelete(system, name, sync);
}

static int access_file(sqlite3_vfs *vfs, const char *name, int flags, int *out) {
    sqlite3_vfs *system = vfs->pAppData;
    return system->xAccess(system, name, flags, out);
}

static int full_name(sqlite3_vfs *vfs, const char *name, int n, char *out) {
    sqlite3_vfs *system = vfs->pAppData;
    return system->xFullPathname(system, name, n, out);
}

static int randomness(sqlite3_vfs *vfs, int n, char *out) {
    sqlite3_vfs *system = vfs->pAppData;
    return system->xRandomness(system, n, out);
}

static int sleep_us(sqlite3_vfs *vfs, int us) {
    sqlite3_vfs *system = vfs->pAppData;
    return system->xSleep(system, us);
}

static int current_time(sqlite3_vfs *vfs, double *day) {
    sqlite3_vfs *system = vfs->pAppData;
    return system->xCurrentTime(system, day);
}

static int last_error(sqlite3_vfs *vfs, int n, char *out) {
    sqlite3_vfs *system = vfs->pAppData;
    return system->xGetLastError(system, n, out);
}

static int current_time_ms(sqlite3_vfs *vfs, sqlite3_int64 *ms) {
    sqlite3_vfs *system = vfs->pAppData;
    return system->xCurrentTimeInt64(system, ms);
}

/* SQLite keeps what is registered for as long as the process lives; registered twice by two threads it is there twice. */
const char *sqlite_log_vfs(void) {
    static const char name[] = "galena";
    if (sqlite3_initialize() != SQLITE_OK)
        return NULL;
    sqlite3_vfs *system = sqlite3_vfs_find(NULL);
    if (sqlite3_vfs_find(name))
        return name;
    sqlite3_vfs *vfs = system && system->iVersion >= 2 ? sqlite3_malloc(sizeof *vfs) : NULL;
    if (!vfs)
        return NULL;
    *vfs = (sqlite3_vfs){.iVersion = 2,
                         .szOsFile = LOG_FILE_BYTE + system->szOsFile,
                         .mxPathname = system->mxPathname,
                         .zName = name,
                         .pAppData = system,
                         .xOpen = open_file,
                         .xDelete = delete_file,
                         .xAccess = access_file,
                         .xFullPathname = full_name,
                         .xRandomness = randomness,
                         .xSleep = sleep_us,
                         .xCurrentTime = current_time,
                         .xGetLastError = last_error,
                         .xCurrentTimeInt64 = current_time_ms};
    if (sqlite3_vfs_register(vfs, 0) == SQLITE_OK)
        return name;
    sqlite3_free(vfs);
    return NULL;
}
