/* seal.h — seals and unseals cells: compressed (zstd), then encrypted under the data key of the lead they belong to.
 *
 * A sealer belongs to one thread and works on one lead at a time: sealer_lead_new or sealer_lead_open makes a data key
 * current, and the cells that follow are bound to that tenant and lead. A lead here is whatever has a data key of its own:
 * an account, or a raw request that has not become a lead yet, may be one. Destroying every copy of the wrapped data key
 * erases all that was sealed with it.
 *
 * A sealed cell (If you change this: SEAL_VERSION, and read the old form too):
 *
 *   byte  0      SEAL_VERSION
 *   byte  1      compression: 0 as it is; 1 zstd; 2 zstd with share/vault/leads-1.zdict
 *   bytes 2-5    tag of the data key  \  these two only tell what is wrong in a message;
 *   bytes 6-9    tag of the cell      /  the seal itself covers the whole key and names
 *   bytes 10-33  nonce, random
 *   then         ciphertext, and 16 bytes of authentication
 *
 * Bytes 0-9, tenant, lead, table, column and row are associated data: a cell opens only where it was sealed. The length of
 * the ciphertext tells how well the contents compress: do not seal a secret together with text of somebody else. */
#ifndef GALENA_STORE_SEAL_H
#define GALENA_STORE_SEAL_H

#include "base/buf.h"
#include "store/vault.h"

enum { SEAL_VERSION = 1, SEAL_OVERHEAD_BYTE = 50, SEAL_PLAIN_BYTE = 16 << 20 /* the longest plaintext */ };

/* Where the bytes are kept. `row` tells rows of one lead in one table apart; empty when there is only one. Each at most
 * VAULT_NAME_BYTE. */
struct seal_cell {
    str table, column, row;
};

struct sealer;

/* ERR_LIMIT "memory_limit" when the system has no memory. The vault must outlive it. */
err sealer_new(struct vault *v, struct sealer **out) MUST_CHECK;
void sealer_free(struct sealer *s); /* NULL is allowed */

/* Makes a data key for a new lead, current from now on, and writes it as it is to be stored. ERR_ABSENT
 * "vault_tenant_unknown" when no key of the tenant is in memory: vault_tenant_load it and repeat; ERR_INPUT "vault_name"
 * when a name is empty or too long. After a failure no lead is current. */
err sealer_lead_new(struct sealer *s, str tenant, str lead, unsigned char wrapped[VAULT_LEAD_WRAPPED_BYTE]) MUST_CHECK;

/* Makes a stored data key current. As sealer_lead_new, and the errors of vault.h for what is wrapped. */
err sealer_lead_open(struct sealer *s, str tenant, str lead, str wrapped) MUST_CHECK;

/* Zeroes the current data key; sealing then asserts. */
void sealer_lead_close(struct sealer *s);

/* Appends the sealed bytes to `out`: at most plain.len + SEAL_OVERHEAD_BYTE. ERR_LIMIT "seal_large" (longer than
 * SEAL_PLAIN_BYTE) or "buffer_limit"; ERR_INPUT "vault_name". */
err sealer_seal(struct sealer *s, struct seal_cell cell, str plain, struct buf *out) MUST_CHECK;

/* The plaintext, in the arena, with a NUL behind it. At most max_byte (0: SEAL_PLAIN_BYTE): ERR_LIMIT "seal_large", before
 * anything is allocated. ERR_CORRUPT: "seal_form" (too short), "seal_version" (written by a later program, or altered),
 * "seal_key" (sealed with another data key), "seal_moved" (sealed for another cell), "seal_altered", "seal_frame" (the
 * compressed bytes are wrong, though the seal is right). */
err sealer_unseal(struct sealer *s, struct seal_cell cell, str sealed, size_t max_byte, struct arena *a,
                  str *out) MUST_CHECK;

#endif
