/* vault_token.c — new master key files, and tokens for the API. */
#include "store/vault_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- key files ---- */

enum { PATH_BYTE = 4096, KEY_TEXT_BYTE = 2 * KEY_BYTE + 1 };

static err make_fault(const char *path, int why) {
    switch (why) {
    case EEXIST:
        return fail(ERR_CONFLICT, "vault_master_exists", "%s exists already; it was not touched", path);
    case ENOENT:
    case ENOTDIR:
        return fail(ERR_ABSENT, "file_missing", "%s: there is no such directory", path);
    case ENAMETOOLONG:
        return fail(ERR_INPUT, "file_name", "%s: %s", path, strerror(why));
    case ENOSPC:
    case EDQUOT:
        return fail(ERR_AGAIN, "disk_full", "%s: the disk is full, or a quota is reached", path);
    case EACCES:
    case EPERM:
    case EROFS:
        return fail(ERR_DENIED, "file_denied", "%s: %s", path, strerror(why));
    default:
        return fail(ERR_AGAIN, "file_write", "%s: writing failed: %s", path, strerror(why));
    }
}

/* 0, or errno. */
static int write_key(int fd) {
    char *text = sodium_malloc(KEY_TEXT_BYTE + 1);
    unsigned char *key = sodium_malloc(KEY_BYTE);
    int why = ENOMEM;
    if (text && key) {
        randombytes_buf(key, KEY_BYTE);
        sodium_bin2hex(text, KEY_TEXT_BYTE, key, KEY_BYTE);
        text[KEY_TEXT_BYTE - 1] = '\n';
        ssize_t n;
        do
            n = write(fd, text, KEY_TEXT_BYTE);
        while (n < 0 && errno == EINTR);
        why = n == KEY_TEXT_BYTE ? 0 : n < 0 ? errno : ENOSPC;
    }
    sodium_free(key);
    sodium_free(text);
    return why == 0 && fsync(fd) != 0 ? errno : why;
}

/* A key that a crash could take back must not be used: the name is made durable too. */
static int sync_folder(const char *path) {
    char folder[PATH_BYTE];
    const char *slash = strrchr(path, '/');
    int len = slash == path ? 1 : slash ? (int)(slash - path) : 1;
    snprintf(folder, sizeof folder, "%.*s", len, slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int why = fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
    close(fd);
    return why;
}

err vault_master_new(const char *path) {
    char temporary[PATH_BYTE];
    if (sodium_init() < 0)
        return fail(ERR_AGAIN, "vault_random", "the system gives no random numbers");
    int n = snprintf(temporary, sizeof temporary, "%s.tmp-%ld-%08x", path, (long)getpid(), (unsigned)randombytes_random());
    if (n < 0 || (size_t)n >= sizeof temporary)
        return make_fault(path, ENAMETOOLONG);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return make_fault(path, errno);
    int why = fchmod(fd, 0600) == 0 ? write_key(fd) : errno;
    /* link() and not rename(): it refuses to replace a key. */
    if (why == 0 && link(temporary, path) != 0)
        why = errno;
    unlink(temporary);
    close(fd);
    if (why == 0)
        why = sync_folder(path);
    return why == 0 ? OK : make_fault(path, why);
}

/* ---- tokens ---- */

static const char token_start[] = "gk_";
enum { TOKEN_START_BYTE = sizeof token_start - 1, TOKEN_RANDOM_BYTE = 32 };

_Static_assert(VAULT_TOKEN_HASH_BYTE == crypto_hash_sha256_BYTES, "a token's hash is SHA-256");

void vault_token_new(struct vault_token *out) {
    unsigned char random[TOKEN_RANDOM_BYTE];
    randombytes_buf(random, sizeof random);
    memcpy(out->text, token_start, TOKEN_START_BYTE);
    sodium_bin2base64(out->text + TOKEN_START_BYTE, sizeof out->text - TOKEN_START_BYTE, random, sizeof random,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    memcpy(out->shown, out->text, VAULT_TOKEN_SHOWN_BYTE);
    out->shown[VAULT_TOKEN_SHOWN_BYTE] = '\0';
    crypto_hash_sha256(out->hash, (const unsigned char *)out->text, VAULT_TOKEN_BYTE);
    sodium_memzero(random, sizeof random);
}

static bool is_base64url(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool vault_token_hash(str text, unsigned char hash[VAULT_TOKEN_HASH_BYTE]) {
    if (text.len != VAULT_TOKEN_BYTE || !str_starts(text, str_from(token_start)))
        return false;
    for (size_t i = TOKEN_START_BYTE; i < text.len; i++)
        if (!is_base64url(text.ptr[i]))
            return false;
    crypto_hash_sha256(hash, (const unsigned char *)text.ptr, text.len);
    return true;
}

bool vault_equal(const void *a, const void *b, size_t n) { return sodium_memcmp(a, b, n) == 0; }
