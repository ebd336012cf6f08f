/* seal.c — cells compressed and encrypted under a lead's data key. */
#include "store/seal.h"

#include "base/asset.h"
#include "store/vault_priv.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

/* If you change this: the layout in seal.h, SEAL_VERSION, and read the old form too. */
enum {
    COMPRESSION_AT = 1,
    KEY_TAG_AT = 2,
    CELL_TAG_AT = 6,
    SEAL_NONCE_AT = 10,
    SEAL_BOX_AT = SEAL_NONCE_AT + NONCE_BYTE,
    HINT_BYTE = 4
};
_Static_assert(SEAL_BOX_AT + TAG_BYTE == SEAL_OVERHEAD_BYTE, "what sealing adds");

enum { AS_IT_IS = 0, ZSTD_PLAIN = 1, ZSTD_LEADS_1 = 2, COMPRESS_LEVEL = 1, COMPRESS_FROM_BYTE = 32 };

/* Beyond this length a text brings its own repetitions. */
enum { DICTIONARY_TO_BYTE = 64 * 1024 };

/* Random bytes drawn ahead: a system call for each nonce would cost more than the encryption. The page is wiped in a child
 * after fork, so that `left` is 0 there and no two processes ever use the same bytes. */
enum { POOL_BYTE = 2048 };
struct pool {
    size_t left;
    unsigned char byte[POOL_BYTE];
};

struct secrets {
    unsigned char key[KEY_BYTE];
};

struct sealer {
    struct vault *vault;
    struct secrets *secrets; /* locked memory */
    struct pool *pool;       /* pages of its own */
    bool pool_wiped_on_fork;
    bool open;                        /* a data key is current */
    unsigned char key_tag[HINT_BYTE]; /* tells this data key from others */
    struct binding binding;           /* tenant and lead; the cell is put behind them */
    size_t lead_len;                  /* of the binding */
    ZSTD_CCtx *compress;
    ZSTD_DCtx *decompress;
    unsigned char *scratch; /* compressed plaintext; zeroed after use */
    size_t cap_scratch;
};

/* ---- the dictionary ---- */

err seal_dictionary_open(struct vault *v) {
    str bytes = asset_get(STR("vault/leads-1.zdict"));
    v->dictionary_in = ZSTD_createCDict(bytes.ptr, bytes.len, COMPRESS_LEVEL);
    v->dictionary_out = ZSTD_createDDict(bytes.ptr, bytes.len);
    return bytes.ptr && v->dictionary_in && v->dictionary_out
               ? OK
               : fail(ERR_LIMIT, "memory_limit", "no memory for the dictionary of compression");
}

void seal_dictionary_close(struct vault *v) {
    ZSTD_freeCDict(v->dictionary_in);
    ZSTD_freeDDict(v->dictionary_out);
}

/* ---- random bytes ---- */

static void take_random(struct sealer *s, unsigned char *to, size_t n) {
    if (!s->pool_wiped_on_fork) {
        randombytes_buf(to, n);
        return;
    }
    if (s->pool->left < n) {
        randombytes_buf(s->pool->byte, POOL_BYTE);
        s->pool->left = POOL_BYTE;
    }
    unsigned char *from = s->pool->byte + POOL_BYTE - s->pool->left;
    memcpy(to, from, n);
    sodium_memzero(from, n);
    s->pool->left -= n;
}

/* ---- the sealer ---- */

static size_t pool_size(void) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (sizeof(struct pool) + page - 1) / page * page;
}

static bool open_pool(struct sealer *s) {
    void *pages = mmap(NULL, pool_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return false;
    s->pool = pages;
    s->pool_wiped_on_fork = madvise(pages, pool_size(), MADV_WIPEONFORK) == 0;
    (void)sodium_mlock(pages, pool_size()); /* where the limit on locked memory allows */
    return true;
}

static bool open_compression(struct sealer *s) {
    s->compress = ZSTD_createCCtx();
    s->decompress = ZSTD_createDCtx();
    return s->compress && s->decompress &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(s->compress, ZSTD_c_compressionLevel, COMPRESS_LEVEL)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(s->compress, ZSTD_c_checksumFlag, 0)) && /* the seal has one */
           !ZSTD_isError(ZSTD_CCtx_setParameter(s->compress, ZSTD_c_dictIDFlag, 0));     /* it is in the header */
}

err sealer_new(struct vault *v, struct sealer **out) {
    struct sealer *s = calloc(1, sizeof *s);
    if (!s)
        return fail(ERR_LIMIT, "memory_limit", "no memory for sealing");
    s->vault = v;
    s->secrets = sodium_malloc(sizeof *s->secrets);
    if (!s->secrets || !open_pool(s) || !open_compression(s)) {
        sealer_free(s);
        return fail(ERR_LIMIT, "memory_limit", "no memory for sealing");
    }
    *out = s;
    return OK;
}

void sealer_free(struct sealer *s) {
    if (!s)
        return;
    sodium_free(s->secrets);
    if (s->pool) {
        sodium_munlock(s->pool, pool_size()); /* zeroes */
        munmap(s->pool, pool_size());
    }
    ZSTD_freeCCtx(s->compress);
    ZSTD_freeDCtx(s->decompress);
    free(s->scratch);
    free(s);
}

static err reserve(struct sealer *s, size_t n) {
    if (n <= s->cap_scratch)
        return OK;
    unsigned char *grown = malloc(n); /* not realloc: the old block was zeroed after use, and stays so */
    if (!grown)
        return fail(ERR_LIMIT, "memory_limit", "no memory for compressing");
    free(s->scratch);
    s->scratch = grown;
    s->cap_scratch = n;
    return OK;
}

/* ---- the data key ---- */

static err begin_lead(struct sealer *s, str tenant, str lead) {
    sealer_lead_close(s);
    TRY(vault_check_name("tenant", tenant, false));
    TRY(vault_check_name("lead", lead, false));
    s->binding.len = 0;
    bind_text(&s->binding, STR("galena cell"));
    bind_text(&s->binding, tenant);
    bind_text(&s->binding, lead);
    s->lead_len = s->binding.len;
    return OK;
}

static void finish_lead(struct sealer *s) {
    static const char text[] = "galena data key id";
    unsigned char hash[crypto_generichash_BYTES_MIN];
    crypto_generichash(hash, sizeof hash, (const unsigned char *)text, sizeof text - 1, s->secrets->key, KEY_BYTE);
    memcpy(s->key_tag, hash, HINT_BYTE);
    s->open = true;
}

err sealer_lead_new(struct sealer *s, str tenant, str lead, unsigned char wrapped[VAULT_LEAD_WRAPPED_BYTE]) {
    unsigned char nonce[NONCE_BYTE];
    TRY(begin_lead(s, tenant, lead));
    take_random(s, s->secrets->key, KEY_BYTE);
    take_random(s, nonce, sizeof nonce);
    TRY(vault_lead_wrap(s->vault, tenant, lead, s->secrets->key, nonce, wrapped));
    finish_lead(s);
    return OK;
}

err sealer_lead_open(struct sealer *s, str tenant, str lead, str wrapped) {
    TRY(begin_lead(s, tenant, lead));
    TRY(vault_lead_unwrap(s->vault, tenant, lead, wrapped, s->secrets->key));
    finish_lead(s);
    return OK;
}

void sealer_lead_close(struct sealer *s) {
    s->open = false;
    sodium_memzero(s->secrets, sizeof *s->secrets);
}

/* ---- cells ---- */

/* No secret: SipHash serves here as a hash that stays the same in every version. */
static const unsigned char hint_key[crypto_shorthash_KEYBYTES] = {0};

/* Puts the cell's names behind tenant and lead, and writes the hint that tells this cell from others. */
static err bind_cell(struct sealer *s, struct seal_cell cell, unsigned char hint[HINT_BYTE]) {
    assert(s->open);
    TRY(vault_check_name("table", cell.table, false));
    TRY(vault_check_name("column", cell.column, false));
    TRY(vault_check_name("row", cell.row, true));
    s->binding.len = s->lead_len;
    bind_text(&s->binding, cell.table);
    bind_text(&s->binding, cell.column);
    bind_text(&s->binding, cell.row);
    unsigned char hash[crypto_shorthash_BYTES];
    crypto_shorthash(hash, s->binding.byte, s->binding.len, hint_key);
    memcpy(hint, hash, HINT_BYTE);
    return OK;
}

/* The bytes to encrypt and how they were made: the plaintext itself where compressing does not make it shorter. */
static err compress(struct sealer *s, str plain, str *body, unsigned char *how) {
    *body = plain;
    *how = AS_IT_IS;
    if (plain.len < COMPRESS_FROM_BYTE)
        return OK;
    TRY(reserve(s, ZSTD_compressBound(plain.len)));
    const bool dictionary = plain.len <= DICTIONARY_TO_BYTE;
    size_t n = ZSTD_CCtx_refCDict(s->compress, dictionary ? s->vault->dictionary_in : NULL);
    if (!ZSTD_isError(n))
        n = ZSTD_compress2(s->compress, s->scratch, s->cap_scratch, plain.ptr, plain.len);
    if (ZSTD_isError(n))
        return fail(ERR_LIMIT, "memory_limit", "compressing failed: %s", ZSTD_getErrorName(n));
    if (n < plain.len) {
        *body = (str){(const char *)s->scratch, n};
        *how = dictionary ? ZSTD_LEADS_1 : ZSTD_PLAIN;
    }
    return OK;
}

static err encrypt(struct sealer *s, const unsigned char *head, str body, struct buf *out) {
    if (!buf_reserve(out, body.len + SEAL_OVERHEAD_BYTE)) {
        out->over = true;
        return buf_check(out);
    }
    unsigned char *to = (unsigned char *)out->ptr + out->len;
    memcpy(to, head, SEAL_NONCE_AT);
    take_random(s, to + SEAL_NONCE_AT, NONCE_BYTE);
    bind_bytes(&s->binding, head, SEAL_NONCE_AT);
    crypto_aead_xchacha20poly1305_ietf_encrypt(to + SEAL_BOX_AT, NULL, (const unsigned char *)body.ptr, body.len,
                                               s->binding.byte, s->binding.len, NULL, to + SEAL_NONCE_AT, s->secrets->key);
    out->len += body.len + SEAL_OVERHEAD_BYTE;
    return OK;
}

err sealer_seal(struct sealer *s, struct seal_cell cell, str plain, struct buf *out) {
    unsigned char head[SEAL_NONCE_AT] = {SEAL_VERSION};
    str body;
    if (plain.len > SEAL_PLAIN_BYTE)
        return fail(ERR_LIMIT, "seal_large", "%zu bytes are too many to seal; the limit is %d", plain.len, SEAL_PLAIN_BYTE);
    TRY(bind_cell(s, cell, head + CELL_TAG_AT));
    memcpy(head + KEY_TAG_AT, s->key_tag, HINT_BYTE);
    TRY(compress(s, plain, &body, &head[COMPRESSION_AT]));
    err rc = encrypt(s, head, body, out);
    if (head[COMPRESSION_AT] != AS_IT_IS)
        sodium_memzero(s->scratch, body.len);
    return rc;
}

static err check_head(const struct sealer *s, struct seal_cell cell, const unsigned char *head, size_t n,
                      const unsigned char *hint) {
    if (n < SEAL_OVERHEAD_BYTE || head[0] == 0)
        return fail(ERR_CORRUPT, "seal_form", "%.*s.%.*s: %zu bytes are no sealed cell", STR_ARG(cell.table),
                    STR_ARG(cell.column), n);
    if (head[0] > SEAL_VERSION || head[COMPRESSION_AT] > ZSTD_LEADS_1)
        return fail(ERR_CORRUPT, "seal_version", "%.*s.%.*s: sealed in form %d.%d, which this program does not know",
                    STR_ARG(cell.table), STR_ARG(cell.column), head[0], head[COMPRESSION_AT]);
    if (memcmp(head + KEY_TAG_AT, s->key_tag, HINT_BYTE) != 0)
        return fail(ERR_CORRUPT, "seal_key", "%.*s.%.*s: sealed with another data key", STR_ARG(cell.table),
                    STR_ARG(cell.column));
    if (memcmp(head + CELL_TAG_AT, hint, HINT_BYTE) != 0)
        return fail(ERR_CORRUPT, "seal_moved", "%.*s.%.*s: sealed for another cell", STR_ARG(cell.table),
                    STR_ARG(cell.column));
    return OK;
}

static err too_large(struct seal_cell cell, unsigned long long n, size_t max_byte) {
    return fail(ERR_LIMIT, "seal_large", "%.*s.%.*s: %llu bytes are more than the limit of %zu", STR_ARG(cell.table),
                STR_ARG(cell.column), n, max_byte);
}

static err decompress(struct sealer *s, struct seal_cell cell, str body, unsigned char how, size_t max_byte, struct arena *a,
                      str *out) {
    unsigned long long n = ZSTD_getFrameContentSize(body.ptr, body.len);
    if (n == ZSTD_CONTENTSIZE_ERROR || n == ZSTD_CONTENTSIZE_UNKNOWN)
        return fail(ERR_CORRUPT, "seal_frame", "%.*s.%.*s: the compressed bytes do not tell their length",
                    STR_ARG(cell.table), STR_ARG(cell.column));
    if (n > max_byte)
        return too_large(cell, n, max_byte);
    char *to = arena_alloc(a, (size_t)n + 1);
    size_t got = ZSTD_decompress_usingDDict(s->decompress, to, (size_t)n, body.ptr, body.len,
                                            how == ZSTD_LEADS_1 ? s->vault->dictionary_out : NULL);
    if (ZSTD_isError(got) || got != n)
        return fail(ERR_CORRUPT, "seal_frame", "%.*s.%.*s: the compressed bytes are wrong", STR_ARG(cell.table),
                    STR_ARG(cell.column));
    to[n] = '\0';
    *out = (str){to, (size_t)n};
    return OK;
}

/* Into the scratch block: the body, decrypted. */
static err decrypt(struct sealer *s, struct seal_cell cell, str sealed, size_t n) {
    const unsigned char *from = (const unsigned char *)sealed.ptr;
    TRY(reserve(s, n + 1));
    bind_bytes(&s->binding, from, SEAL_NONCE_AT);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(s->scratch, NULL, NULL, from + SEAL_BOX_AT, n + TAG_BYTE, s->binding.byte,
                                                   s->binding.len, from + SEAL_NONCE_AT, s->secrets->key) != 0)
        return fail(ERR_CORRUPT, "seal_altered", "%.*s.%.*s: the sealed bytes were altered", STR_ARG(cell.table),
                    STR_ARG(cell.column));
    return OK;
}

struct opening {
    struct sealer *s;
    struct seal_cell cell;
    str body;
    unsigned char how;
    size_t max_byte;
    struct arena *a;
    str *out;
};

static err open_body(void *ctx) {
    struct opening *o = ctx;
    if (o->how != AS_IT_IS)
        return decompress(o->s, o->cell, o->body, o->how, o->max_byte, o->a, o->out);
    *o->out = str_copy(o->a, o->body);
    return OK;
}

err sealer_unseal(struct sealer *s, struct seal_cell cell, str sealed, size_t max_byte, struct arena *a, str *out) {
    unsigned char hint[HINT_BYTE];
    if (max_byte == 0 || max_byte > SEAL_PLAIN_BYTE)
        max_byte = SEAL_PLAIN_BYTE;
    TRY(bind_cell(s, cell, hint));
    TRY(check_head(s, cell, (const unsigned char *)sealed.ptr, sealed.len, hint));
    size_t n = sealed.len - SEAL_OVERHEAD_BYTE;
    /* A cell is never longer than what was sealed. */
    if (n > max_byte && ((const unsigned char *)sealed.ptr)[COMPRESSION_AT] == AS_IT_IS)
        return too_large(cell, n, max_byte);
    if (n > SEAL_PLAIN_BYTE)
        return too_large(cell, n, SEAL_PLAIN_BYTE);
    TRY(decrypt(s, cell, sealed, n));
    struct opening o = {
        .s = s, .cell = cell, .body = {(const char *)s->scratch, n}, .max_byte = max_byte, .a = a, .out = out};
    o.how = ((const unsigned char *)sealed.ptr)[COMPRESSION_AT];
    /* Guarded here, so that the scratch block is zeroed even when the arena is full. */
    err rc = arena_run(a, open_body, &o);
    sodium_memzero(s->scratch, n);
    return rc;
}
