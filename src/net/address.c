/* address.c — addresses as 16 bytes, ranges of them, and the table of those that are not public. */
#include "net/address.h"

#include "base/number.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

enum { V4_BIT = 96, ADDRESS_BIT = 128 };

static const unsigned char V4_MAPPED[12] = {[10] = 0xff, [11] = 0xff};

static struct address from_v4(const unsigned char byte[4]) {
    struct address a;
    memcpy(a.byte, V4_MAPPED, sizeof V4_MAPPED);
    memcpy(a.byte + 12, byte, 4);
    return a;
}

bool address_is_v4(const struct address *address) { return memcmp(address->byte, V4_MAPPED, sizeof V4_MAPPED) == 0; }

bool address_parse(str text, struct address *out) {
    char copy[INET6_ADDRSTRLEN];
    unsigned char v4[4], v6[16];
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET, copy, v4) == 1) {
        *out = from_v4(v4);
        return true;
    }
    if (inet_pton(AF_INET6, copy, v6) != 1)
        return false;
    memcpy(out->byte, v6, sizeof v6);
    return true;
}

/* The bits of byte `i` that a prefix covers. */
static unsigned prefix_mask(unsigned prefix, unsigned i) {
    if (prefix >= (i + 1) * 8)
        return 0xff;
    return prefix <= i * 8 ? 0 : (0xffU << (8 - (prefix - i * 8))) & 0xff;
}

bool address_in_range(const struct address *address, const struct address_range *range) {
    for (unsigned i = 0; i < sizeof address->byte; i++)
        if ((address->byte[i] ^ range->base.byte[i]) & prefix_mask(range->prefix, i))
            return false;
    return true;
}

static bool has_bits_behind(const struct address_range *range) {
    for (unsigned i = 0; i < sizeof range->base.byte; i++)
        if (range->base.byte[i] & ~prefix_mask(range->prefix, i) & 0xff)
            return true;
    return false;
}

static err bad_range(str text, const char *why) {
    return fail(ERR_INPUT, "address_bad_range", "\"%.*s\" is not a range of addresses such as 10.0.0.0/8: %s",
                text.len > 80 ? 80 : (int)text.len, text.ptr, why);
}

err address_parse_range(str text, struct address_range *out) {
    ptrdiff_t slash = str_find_byte(text, '/');
    str head = slash < 0 ? text : str_slice(text, 0, (size_t)slash);
    struct address_range range = {.prefix = ADDRESS_BIT};
    if (!address_parse(head, &range.base))
        return bad_range(text, "no address");
    if (slash >= 0) {
        /* "::ffff:10.0.0.0/8" would silently mean nearly everything: the length counts as the text is written. */
        unsigned offset = str_find_byte(head, ':') < 0 ? V4_BIT : 0;
        str digits = str_slice(text, (size_t)slash + 1, text.len);
        int64_t prefix;
        if (digits.len > 3 || str_empty(digits) || digits.ptr[0] < '0' || digits.ptr[0] > '9' ||
            !number_parse_integer(digits, &prefix) || prefix > (int64_t)(ADDRESS_BIT - offset))
            return bad_range(text, "the length behind '/' is wrong");
        range.prefix = (unsigned)prefix + offset;
    }
    if (has_bits_behind(&range))
        return bad_range(text, "bits behind the prefix are set");
    *out = range;
    return OK;
}

bool address_from_socket(const struct sockaddr *from, struct address *out) {
    if (from->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, from, sizeof in);
        unsigned char v4[4];
        memcpy(v4, &in.sin_addr, sizeof v4);
        *out = from_v4(v4);
        return true;
    }
    if (from->sa_family != AF_INET6)
        return false;
    struct sockaddr_in6 in6;
    memcpy(&in6, from, sizeof in6);
    memcpy(out->byte, &in6.sin6_addr, sizeof out->byte);
    return true;
}

size_t address_format(const struct address *address, char text[ADDRESS_TEXT_BYTE]) {
    bool v4 = address_is_v4(address);
    const void *bytes = v4 ? address->byte + 12 : address->byte;
    if (!inet_ntop(v4 ? AF_INET : AF_INET6, bytes, text, ADDRESS_TEXT_BYTE))
        text[0] = '\0'; /* cannot be: the buffer is large enough */
    return strlen(text);
}

struct special {
    unsigned char byte[16];
    unsigned prefix;
    const char *kind;
};

/* IANA IPv4 Special-Purpose Address Registry, with what is globally reachable by mistake only (6to4 relays), and the address
 * at which one cloud's hosts answer their guests. */
static const struct special V4_SPECIAL[] = {
    {{0}, 8, "of this network"},
    {{10}, 8, "private"},
    {{100, 64}, 10, "shared by a carrier"},
    {{127}, 8, "loopback"},
    {{168, 63, 129, 16}, 32, "a cloud host's own"},
    {{169, 254}, 16, "link-local"},
    {{172, 16}, 12, "private"},
    {{192, 0, 0}, 24, "reserved"},
    {{192, 0, 2}, 24, "for documentation"},
    {{192, 88, 99}, 24, "reserved"},
    {{192, 168}, 16, "private"},
    {{198, 18}, 15, "for benchmarks"},
    {{198, 51, 100}, 24, "for documentation"},
    {{203, 0, 113}, 24, "for documentation"},
    {{224}, 4, "multicast"},
    {{240}, 4, "reserved"},
};

/* IANA IPv6 Special-Purpose Address Registry. What is neither here nor in 2000::/3 is not assigned. */
static const struct special V6_SPECIAL[] = {
    {{[15] = 1}, 128, "loopback"},
    {{0}, 128, "unspecified"},
    {{0xfc}, 7, "private"},
    {{0xfe, 0x80}, 10, "link-local"},
    {{0xfe, 0xc0}, 10, "private"},
    {{0xff}, 8, "multicast"},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, "for documentation"},
    {{0x20, 0x01}, 23, "reserved"},
    {{0x3f, 0xff}, 20, "for documentation"},
};

static const char *find_special(const struct special *table, size_t n, const unsigned char *byte, unsigned n_byte) {
    for (size_t i = 0; i < n; i++) {
        unsigned differ = 0;
        for (unsigned b = 0; b < n_byte; b++)
            differ |= (unsigned)(table[i].byte[b] ^ byte[b]) & prefix_mask(table[i].prefix, b);
        if (differ == 0)
            return table[i].kind;
    }
    return NULL;
}

static const char *special_v4(const unsigned char byte[4]) {
    return find_special(V4_SPECIAL, sizeof V4_SPECIAL / sizeof *V4_SPECIAL, byte, 4);
}

const char *address_special(const struct address *address) {
    static const unsigned char nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    const unsigned char *b = address->byte;
    if (address_is_v4(address) || memcmp(b, nat64, sizeof nat64) == 0)
        return special_v4(b + 12);
    if (b[0] == 0x20 && b[1] == 0x02) /* 6to4: 2002:AABB:CCDD::/48 */
        return special_v4(b + 2);
    const char *kind = find_special(V6_SPECIAL, sizeof V6_SPECIAL / sizeof *V6_SPECIAL, b, 16);
    if (!kind && (b[0] & 0xe0) != 0x20)
        kind = "reserved";
    return kind;
}

bool address_allowed(const struct address *address, const struct address_range *allow, size_t n_allow) {
    for (size_t i = 0; i < n_allow; i++)
        if (address_in_range(address, &allow[i]))
            return true;
    return address_special(address) == NULL;
}
