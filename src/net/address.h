/* address.h — which network addresses a program that follows other people's URLs may call: public ones, and those on a list.
 *
 * What counts as public follows IANA's special-purpose address registries (RFC 6890 and its updates). An IPv6 address that
 * carries an IPv4 address (mapped, NAT64, 6to4) is as public as the one it carries. */
#ifndef GALENA_NET_ADDRESS_H
#define GALENA_NET_ADDRESS_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* An address in 16 bytes, IPv4 as ::ffff:a.b.c.d. */
struct address {
    unsigned char byte[16];
};

/* The addresses that share the first `prefix` bits of `base` (0..128; IPv4 prefixes are 96 larger). */
struct address_range {
    struct address base;
    unsigned prefix;
};

enum { ADDRESS_TEXT_BYTE = 64 };

/* "192.0.2.1" or "2001:db8::1", without zone, brackets or port. False, with *out untouched, for anything else. */
bool address_parse(str text, struct address *out);

/* "10.0.0.0/8", "fd00::/8", or one address. ERR_INPUT ("address_bad_range"), also when bits behind the prefix are set. */
err address_parse_range(str text, struct address_range *out) MUST_CHECK;

/* From a struct sockaddr_in or _in6. False for other families. */
struct sockaddr;
bool address_from_socket(const struct sockaddr *from, struct address *out);

/* Writes the usual text with a NUL and returns its length. */
size_t address_format(const struct address *address, char text[ADDRESS_TEXT_BYTE]);

/* True for IPv4, which is kept as ::ffff:a.b.c.d. */
bool address_is_v4(const struct address *address);

bool address_in_range(const struct address *address, const struct address_range *range);

/* What kind of address it is when it is not public ("loopback", "private", "link-local", ...), else NULL. */
const char *address_special(const struct address *address);

/* True when the address is public or in one of the ranges. */
bool address_allowed(const struct address *address, const struct address_range *allow, size_t n_allow);

#endif
