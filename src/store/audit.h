/* audit.h — the arithmetic of an append-only log: each entry's hash covers the entry and the hash before it.
 *
 * Every tenant has a chain of its own, with entries 1, 2, 3, … The hash is SHA-256, or HMAC-SHA-256 (RFC 2104) with
 * a key from the vault: then somebody who can write to the database, and no more, cannot make a chain that fits. What is
 * hashed are the bytes as stored: `detail` may be sealed, and erasing its key leaves the chain whole. Nothing here touches
 * a database: the store appends and reads.
 *
 * hash(n) = H("galena audit 1" NUL · hash(n-1) · seq · at_ms · tenant · actor · action · subject · detail), numbers as 8
 * bytes, texts with their length before them as 8 bytes, least significant byte first; hash(0) is 32 zero bytes. */
#ifndef GALENA_STORE_AUDIT_H
#define GALENA_STORE_AUDIT_H

#include "base/str.h"

enum { AUDIT_HASH_BYTE = 32, AUDIT_KEY_BYTE = 32 };

struct audit_entry {
    uint64_t seq;  /* 1, 2, 3, … in the tenant's chain */
    int64_t at_ms; /* when, UTC */
    str tenant;
    str actor;   /* who: "key:gk_ab12cd", "system", "cli:root" */
    str action;  /* what: "lead.erase" */
    str subject; /* to whom or what: "lead:0192…" */
    str detail;  /* JSON, or its sealed bytes; stored as bytes or text, never in a type that rewrites JSON */
    unsigned char hash[AUDIT_HASH_BYTE];
};

/* The end of a chain. All zeros: the empty chain. Kept in another place it is an anchor: a chain cut short or made anew
 * no longer contains it. */
struct audit_head {
    uint64_t seq;
    unsigned char hash[AUDIT_HASH_BYTE];
};

/* Gives `e` its seq and hash, and moves *head on to it. `key` has AUDIT_KEY_BYTE bytes; NULL: plain SHA-256. */
void audit_append(const unsigned char *key, struct audit_head *head, struct audit_entry *e);

/* Entries in the order in which they are stored (by seq). next() gives the next one, or NULL at the end; what it gives need
 * live only until the next call. */
struct audit_source {
    err (*next)(void *ctx, const struct audit_entry **out);
    void *ctx;
};

enum audit_fault {
    AUDIT_GOOD,
    AUDIT_ALTERED,   /* entry seq is not what was written */
    AUDIT_MISSING,   /* entry seq is not there */
    AUDIT_REORDERED, /* entry seq is there, but not in its place, or twice */
    AUDIT_TRUNCATED, /* the chain ends before the anchor: seq is the first entry that is not there */
    AUDIT_REBUILT,   /* a chain that fits in itself, but at seq not the one that the anchor was taken from */
    AUDIT_FOREIGN,   /* entry seq belongs to another tenant */
    AUDIT_FAULT_COUNT
};

struct audit_report {
    enum audit_fault fault;
    uint64_t seq;           /* of the first broken entry; 0 when all is good */
    uint64_t count;         /* entries that were found right before it */
    struct audit_head head; /* the last entry that was found right */
};

/* Checks a tenant's chain. `from`: a head verified earlier, after which the source begins (NULL: the beginning). `anchor`:
 * a head that must be part of the chain and not before `from` (NULL: none); without one, entries cut off at the end are not
 * noticed. Returns OK whatever it finds, or the failure of source.next. */
err audit_verify(const unsigned char *key, str tenant, struct audit_source source, const struct audit_head *from,
                 const struct audit_head *anchor, struct audit_report *out) MUST_CHECK;

/* A phrase that goes on after "entry 17 ": "was altered after it was written". */
const char *audit_fault_text(enum audit_fault fault);

#endif
