/* source.c — read(2), and zlib when the first bytes are gzip's. */
#include "intake/source_priv.h"

#include "base/file.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { PACKED_BYTE = 128 * 1024, PEEK_BYTE = 4096 };

struct source {
    const char *name;
    int fd;
    bool owned, gzip, in_member, damaged, eof;
    z_stream z;
    uint64_t taken, total;         /* bytes read from fd */
    unsigned char in[PACKED_BYTE]; /* read, not yet used: [from, to) */
    size_t from, to;
    char peek[PEEK_BYTE]; /* unpacked ahead: [peek_at, peek_len) */
    size_t peek_at, peek_len;
};

static void close_source(void *ctx) {
    struct source *s = ctx;
    if (s->gzip)
        inflateEnd(&s->z);
    if (s->owned)
        close(s->fd);
}

static err read_fd(struct source *s, void *to, size_t cap, size_t *got) {
    ssize_t n;
    do
        n = read(s->fd, to, cap);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return fail(ERR_AGAIN, "file_read", "%s: reading failed at byte %llu: %s", s->name, (unsigned long long)s->taken,
                    strerror(errno));
    *got = (size_t)n;
    s->taken += *got;
    s->eof = *got == 0;
    return OK;
}

/* Makes at least `need` bytes lie in s->in, if the file has them. */
static err fill(struct source *s, size_t need) {
    if (s->to - s->from >= need)
        return OK;
    memmove(s->in, s->in + s->from, s->to - s->from);
    s->to -= s->from;
    s->from = 0;
    while (s->to < need && !s->eof) {
        size_t got = 0;
        TRY(read_fd(s, s->in + s->to, sizeof s->in - s->to, &got));
        s->to += got;
    }
    return OK;
}

static bool at_magic(const struct source *s) {
    return s->to - s->from >= 2 && s->in[s->from] == 0x1F && s->in[s->from + 1] == 0x8B;
}

static err gzip_fault(const struct source *s, const char *slug, const char *what) {
    return fail(ERR_INPUT, slug, "%s: the gzip data %s at byte %llu of the file", s->name, what,
                (unsigned long long)(s->taken - (s->to - s->from)));
}

/* Between members: another one, zero padding, or the end. */
static err next_member(struct source *s, bool *end) {
    TRY(fill(s, 2));
    while (s->from < s->to && s->in[s->from] == 0) {
        s->from++;
        TRY(fill(s, 2));
    }
    *end = s->from == s->to;
    if (*end)
        return OK;
    if (!at_magic(s))
        return gzip_fault(s, "gzip_corrupt", "is followed by something else");
    inflateReset(&s->z);
    s->in_member = true;
    return OK;
}

static err inflate_some(struct source *s, char *to, size_t cap, size_t *got) {
    for (*got = 0; *got == 0;) {
        bool end = false;
        if (!s->in_member)
            TRY(next_member(s, &end));
        if (end)
            return OK;
        TRY(fill(s, 1));
        if (s->from == s->to && !s->damaged)
            return gzip_fault(s, "gzip_truncated", "is cut off");
        s->z.next_in = s->in + s->from;
        s->z.avail_in = (uInt)(s->to - s->from);
        s->z.next_out = (Bytef *)to;
        s->z.avail_out = (uInt)(cap < (size_t)1 << 30 ? cap : (size_t)1 << 30);
        int rc = s->damaged ? Z_DATA_ERROR : inflate(&s->z, Z_NO_FLUSH);
        s->damaged = rc != Z_OK && rc != Z_STREAM_END;
        s->from = s->to - s->z.avail_in;
        *got = (size_t)((char *)s->z.next_out - to);
        s->in_member = rc != Z_STREAM_END;
        if (s->damaged && *got == 0)
            return gzip_fault(s, "gzip_corrupt", "is damaged");
    }
    return OK;
}

static err read_unpacked(struct source *s, char *to, size_t cap, size_t *got) {
    if (s->gzip)
        return inflate_some(s, to, cap, got);
    if (s->from == s->to)
        return read_fd(s, to, cap, got);
    *got = s->to - s->from < cap ? s->to - s->from : cap;
    memcpy(to, s->in + s->from, *got);
    s->from += *got;
    return OK;
}

err source_read(void *source, char *to, size_t cap, size_t *got) {
    struct source *s = source;
    if (s->peek_at == s->peek_len)
        return read_unpacked(s, to, cap, got);
    *got = s->peek_len - s->peek_at < cap ? s->peek_len - s->peek_at : cap;
    memcpy(to, s->peek + s->peek_at, *got);
    s->peek_at += *got;
    return OK;
}

str source_peek(struct source *s) {
    while (s->peek_len < PEEK_BYTE) {
        size_t got = 0;
        if (read_unpacked(s, s->peek + s->peek_len, PEEK_BYTE - s->peek_len, &got) != OK || got == 0)
            break;
        s->peek_len += got;
    }
    return (str){s->peek + s->peek_at, s->peek_len - s->peek_at};
}

err source_open(struct arena *a, const char *path, struct source **out) {
    struct source *s = ARENA_NEW(a, struct source);
    bool standard = strcmp(path, "-") == 0;
    s->name = standard ? "standard input" : str_cstr(a, str_from(path));
    s->fd = STDIN_FILENO;
    if (!standard)
        TRY(file_open(path, &s->fd));
    s->owned = !standard;
    arena_defer(a, close_source, s);
    struct stat st;
    if (fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode))
        s->total = (uint64_t)st.st_size;
    TRY(fill(s, 2));
    if (at_magic(s)) {
        if (inflateInit2(&s->z, 15 + 16) != Z_OK)
            return fail(ERR_LIMIT, "memory_limit", "no memory for unpacking %s", s->name);
        s->gzip = s->in_member = true;
    }
    *out = s;
    return OK;
}

uint64_t source_bytes_read(const struct source *s) { return s->taken - (s->to - s->from); }

uint64_t source_bytes_total(const struct source *s) { return s->total; }

bool source_is_packed(const struct source *s) { return s->gzip; }
