/* fuzz_seal.c — any bytes as a sealed cell and as wrapped keys: refused; and any bytes behind a right seal: opened within
 * limits or refused. The first byte says which: the compression of the cell, or above 2 the bytes as they are. */
#include "target.h"

#include "store/seal.h"
#include "store/vault_priv.h"

#include <sodium.h>

enum { HEAD_BYTE = 10, LIMIT_BYTE = 1 << 20 };

static const struct seal_cell cell = {STR_INIT("lead"), STR_INIT("body"), STR_INIT("")};
static const unsigned char key[KEY_BYTE] = "the data key, known to this file";

struct parts {
    const struct fuzz_work *w;
    struct vault *vault;
    struct sealer *sealer;
};

static str tenant(void) { return STR("t"); }
static str lead(void) { return STR("l"); }

/* Opens the cell; what opens must be within the limit and end in NUL. */
static err open_cell(const struct parts *p, str sealed, size_t limit_byte) {
    str plain;
    err rc = sealer_unseal(p->sealer, cell, sealed, limit_byte, p->w->arena, &plain);
    FUZZ_CHECK(rc == OK || rc == ERR_CORRUPT || rc == ERR_LIMIT);
    FUZZ_CHECK(rc != OK || (plain.len <= limit_byte && plain.ptr[plain.len] == '\0'));
    return rc;
}

static void as_it_is(const struct parts *p, str bytes) {
    unsigned char out[VAULT_TENANT_WRAPPED_BYTE];
    FUZZ_CHECK(open_cell(p, bytes, LIMIT_BYTE) != OK);
    FUZZ_CHECK(vault_tenant_load(p->vault, STR("other"), bytes) != OK);
    FUZZ_CHECK(vault_tenant_rewrap(p->vault, tenant(), bytes, out) != OK);
    FUZZ_CHECK(sealer_lead_open(p->sealer, tenant(), lead(), bytes) != OK);
}

/* Seals the bytes by hand as the body of a cell with this compression. */
static str seal_body(const struct parts *p, unsigned char how, str body) {
    struct buf *model = buf_in(p->w->arena, 4096);
    FUZZ_CHECK(sealer_seal(p->sealer, cell, STR("x"), model) == OK);
    unsigned char *to = arena_alloc(p->w->arena, body.len + SEAL_OVERHEAD_BYTE);
    memcpy(to, model->ptr, HEAD_BYTE);
    to[1] = how;
    struct binding b = {.len = 0};
    const str names[] = {STR("galena cell"), tenant(), lead(), cell.table, cell.column, cell.row};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        bind_text(&b, names[i]);
    bind_bytes(&b, to, HEAD_BYTE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(to + HEAD_BYTE + NONCE_BYTE, NULL, (const unsigned char *)body.ptr, body.len,
                                               b.byte, b.len, NULL, to + HEAD_BYTE, key);
    return (str){(const char *)to, body.len + SEAL_OVERHEAD_BYTE};
}

static void open_vault(struct parts *p) {
    unsigned char wrapped[VAULT_TENANT_WRAPPED_BYTE], lead_wrapped[VAULT_LEAD_WRAPPED_BYTE];
    const unsigned char nonce[NONCE_BYTE] = {0};
    const struct vault_source source = {.kind = VAULT_ENVIRONMENT, .name = "GALENA_FUZZ_KEY"};
    setenv(source.name, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 1);
    FUZZ_CHECK(vault_open(&source, 1, &p->vault) == OK && sealer_new(p->vault, &p->sealer) == OK);
    FUZZ_CHECK(vault_tenant_new(p->vault, tenant(), wrapped) == OK);
    FUZZ_CHECK(vault_lead_wrap(p->vault, tenant(), lead(), key, nonce, lead_wrapped) == OK);
    FUZZ_CHECK(sealer_lead_open(p->sealer, tenant(), lead(), (str){(const char *)lead_wrapped, sizeof lead_wrapped}) == OK);
}

static err run(void *ctx) {
    struct parts p = {.w = ctx};
    if (p.w->input.len == 0)
        return OK;
    open_vault(&p);
    unsigned char how = (unsigned char)p.w->input.ptr[0];
    str bytes = str_slice(p.w->input, 1, p.w->input.len);
    if (how > 2) {
        as_it_is(&p, bytes);
    } else {
        str sealed = seal_body(&p, how, bytes);
        err rc = open_cell(&p, sealed, LIMIT_BYTE);
        FUZZ_CHECK(how != 0 || rc == OK || bytes.len > LIMIT_BYTE);
        (void)open_cell(&p, sealed, 16);
    }
    sealer_free(p.sealer);
    vault_close(p.vault);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_in_arena(data, size, (size_t)64 << 20, run); }
