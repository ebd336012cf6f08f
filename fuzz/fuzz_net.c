/* fuzz_net.c — any bytes as a query, an escaped path, a range of addresses and the header of a signed web hook. */
#include "target.h"

#include "net/address.h"
#include "net/http.h"
#include "net/signature.h"

enum { MAX_PARAMETERS = 16 };

static err read_query(struct arena *a, str text) {
    struct http_field *field = NULL;
    size_t n = 0, total = 0;
    TRY(http_parse_query(a, text, MAX_PARAMETERS, &field, &n));
    FUZZ_CHECK(n <= MAX_PARAMETERS);
    for (size_t i = 0; i < n; i++)
        total += field[i].name.len + field[i].value.len;
    FUZZ_CHECK(total <= text.len);
    return OK;
}

static err read_path(struct arena *a, str text) {
    str out = {0};
    TRY(http_decode(a, text, &out));
    FUZZ_CHECK(out.len <= text.len);
    FUZZ_CHECK(str_find_byte(text, '%') >= 0 || str_equal(out, text));
    return OK;
}

/* What was read is written and read again as the same. */
static err read_range(str text) {
    struct address_range range, again;
    char written[ADDRESS_TEXT_BYTE], whole[2 * ADDRESS_TEXT_BYTE];
    TRY(address_parse_range(text, &range));
    FUZZ_CHECK(range.prefix <= 128 && address_in_range(&range.base, &range));
    address_format(&range.base, written);
    unsigned offset = address_is_v4(&range.base) ? 96 : 0;
    if (range.prefix < offset) /* ::ffff:0.0.0.0/90 has no IPv4 form */
        return OK;
    snprintf(whole, sizeof whole, "%s/%u", written, range.prefix - offset);
    FUZZ_CHECK(address_parse_range(str_from(whole), &again) == OK);
    FUZZ_CHECK(again.prefix == range.prefix && memcmp(&again.base, &range.base, sizeof again.base) == 0);
    return OK;
}

/* Nobody signed this. */
static err read_signature(str text) {
    static const str secret[] = {STR_INIT("one secret"), STR_INIT("")};
    err rc = signature_check(text, secret, 2, 1764000000, 300, STR("body"), NULL);
    FUZZ_CHECK(rc == ERR_INPUT || rc == ERR_DENIED);
    return rc;
}

/* The first byte chooses the reader. */
static err run(void *ctx) {
    const struct fuzz_work *w = ctx;
    if (w->input.len == 0)
        return OK;
    str text = str_slice(w->input, 1, w->input.len);
    switch (w->input.ptr[0]) {
    case 'q':
        return read_query(w->arena, text);
    case 'p':
        return read_path(w->arena, text);
    case 'r':
        return read_range(text);
    default:
        return read_signature(text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_in_arena(data, size, 1 << 24, run); }
