/* audit.c — hashes of a chain, and what is wrong with one. */
#include "store/audit.h"

#include <sodium.h>

_Static_assert(AUDIT_HASH_BYTE == crypto_hash_sha256_BYTES, "the plain hash has this length");
_Static_assert(AUDIT_HASH_BYTE == crypto_auth_hmacsha256_BYTES, "the keyed hash has this length");

static const char label[] = "galena audit 1"; /* its NUL is hashed too */

struct state {
    bool keyed;
    union {
        crypto_hash_sha256_state plain;
        crypto_auth_hmacsha256_state keyed;
    } in;
};

static void add(struct state *s, const void *bytes, size_t n) {
    if (n == 0)
        return;
    if (s->keyed)
        crypto_auth_hmacsha256_update(&s->in.keyed, bytes, n);
    else
        crypto_hash_sha256_update(&s->in.plain, bytes, n);
}

static void add_number(struct state *s, uint64_t x) {
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(x >> (8 * i));
    add(s, bytes, sizeof bytes);
}

static void add_text(struct state *s, str text) {
    add_number(s, text.len);
    add(s, text.ptr, text.len);
}

static void hash_entry(const unsigned char *key, const unsigned char *before, const struct audit_entry *e,
                       unsigned char *out) {
    struct state s = {.keyed = key != NULL};
    if (s.keyed)
        crypto_auth_hmacsha256_init(&s.in.keyed, key, AUDIT_KEY_BYTE);
    else
        crypto_hash_sha256_init(&s.in.plain);
    add(&s, label, sizeof label);
    add(&s, before, AUDIT_HASH_BYTE);
    add_number(&s, e->seq);
    add_number(&s, (uint64_t)e->at_ms);
    const str *const texts[] = {&e->tenant, &e->actor, &e->action, &e->subject, &e->detail};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        add_text(&s, *texts[i]);
    if (s.keyed)
        crypto_auth_hmacsha256_final(&s.in.keyed, out);
    else
        crypto_hash_sha256_final(&s.in.plain, out);
    sodium_memzero(&s, sizeof s);
}

void audit_append(const unsigned char *key, struct audit_head *head, struct audit_entry *e) {
    e->seq = head->seq + 1;
    hash_entry(key, head->hash, e, e->hash);
    head->seq = e->seq;
    memcpy(head->hash, e->hash, AUDIT_HASH_BYTE);
}

static bool same(const unsigned char *a, const unsigned char *b) { return sodium_memcmp(a, b, AUDIT_HASH_BYTE) == 0; }

/* The entry after the head: AUDIT_GOOD moves the head on. */
static enum audit_fault check(const unsigned char *key, str tenant, const struct audit_head *anchor,
                              const struct audit_entry *e, struct audit_head *head) {
    unsigned char hash[AUDIT_HASH_BYTE];
    if (!str_equal(e->tenant, tenant))
        return AUDIT_FOREIGN;
    if (e->seq <= head->seq)
        return AUDIT_REORDERED;
    if (e->seq != head->seq + 1)
        return AUDIT_MISSING;
    hash_entry(key, head->hash, e, hash);
    if (!same(hash, e->hash))
        return AUDIT_ALTERED;
    if (anchor && anchor->seq == e->seq && !same(hash, anchor->hash))
        return AUDIT_REBUILT;
    head->seq = e->seq;
    memcpy(head->hash, hash, AUDIT_HASH_BYTE);
    return AUDIT_GOOD;
}

/* A gap: is the missing entry further on? */
static err look_ahead(struct audit_source source, uint64_t wanted, bool *found) {
    const struct audit_entry *e;
    for (*found = false; !*found;) {
        TRY(source.next(source.ctx, &e));
        if (!e)
            return OK;
        *found = e->seq == wanted;
    }
    return OK;
}

err audit_verify(const unsigned char *key, str tenant, struct audit_source source, const struct audit_head *from,
                 const struct audit_head *anchor, struct audit_report *out) {
    struct audit_report r = {.fault = AUDIT_GOOD};
    if (from)
        r.head = *from;
    if (anchor && anchor->seq == r.head.seq && !same(anchor->hash, r.head.hash)) {
        *out = (struct audit_report){.fault = AUDIT_REBUILT, .seq = anchor->seq, .head = r.head};
        return OK;
    }
    const struct audit_entry *e;
    for (;;) {
        TRY(source.next(source.ctx, &e));
        if (!e || (r.fault = check(key, tenant, anchor, e, &r.head)) != AUDIT_GOOD)
            break;
        r.count++;
    }
    if (r.fault == AUDIT_MISSING) {
        bool later;
        r.seq = r.head.seq + 1;
        TRY(look_ahead(source, r.seq, &later));
        r.fault = later ? AUDIT_REORDERED : AUDIT_MISSING;
    } else if (r.fault != AUDIT_GOOD) {
        r.seq = e ? e->seq : 0;
    } else if (anchor && anchor->seq > r.head.seq) {
        r.fault = AUDIT_TRUNCATED;
        r.seq = r.head.seq + 1;
    }
    *out = r;
    return OK;
}

const char *audit_fault_text(enum audit_fault fault) {
    static const char *const texts[AUDIT_FAULT_COUNT] = {
        [AUDIT_GOOD] = "is good",
        [AUDIT_ALTERED] = "was altered after it was written",
        [AUDIT_MISSING] = "is missing",
        [AUDIT_REORDERED] = "is not in its place",
        [AUDIT_TRUNCATED] = "and all after it were cut off",
        [AUDIT_REBUILT] = "is not the one the anchor was taken from: the chain was made anew",
        [AUDIT_FOREIGN] = "belongs to another tenant",
    };
    return texts[fault];
}
