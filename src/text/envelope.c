/* envelope.c — first line with version, checksum and length, so that cut, altered and newer files are told apart. */
#include "text/envelope_priv.h"

#include "base/hash.h"
#include "base/number.h"

static void checksum(str body, char hex[HASH_HEX_BYTE + 1]) {
    struct hash h;
    unsigned char digest[HASH_BYTE];
    hash_begin(&h);
    hash_add(&h, body);
    hash_end(&h, digest);
    hash_to_hex(digest, hex);
}

err envelope_write(struct buf *out, str magic, int version, str body) {
    char hex[HASH_HEX_BYTE + 1];
    checksum(body, hex);
    buf_add_format(out, "%.*s %d %s %zu\n", STR_ARG(magic), version, hex, body.len);
    buf_add(out, body);
    return buf_check(out);
}

static err read_line(str line, int64_t *version, str *sum, int64_t *length) {
    str word[3] = {{0}};
    size_t n = 0;
    while (n < 3 && str_split(&line, ' ', &word[n]))
        n++;
    if (n < 3 || !number_parse_integer(word[0], version) || !number_parse_integer(word[2], length) || *version < 1)
        return fail(ERR_CORRUPT, "model_corrupt", "stored model: the first line cannot be right");
    *sum = word[1];
    return OK;
}

err envelope_open(str bytes, str magic, int version, str *body) {
    str line, sum = {0}, rest = bytes;
    if (!str_starts(bytes, magic) || bytes.len == magic.len || bytes.ptr[magic.len] != ' ')
        return fail(ERR_INPUT, "model_not_a_model", "this is not such a model: it does not begin with \"%.*s\"",
                    STR_ARG(magic));
    rest = str_slice(bytes, magic.len + 1, bytes.len);
    if (!str_split(&rest, '\n', &line) || !rest.ptr)
        return fail(ERR_CORRUPT, "model_cut", "the model file ends within its first line");
    int64_t found = 0, length = 0;
    TRY(read_line(line, &found, &sum, &length));
    if (found > version)
        return fail(ERR_INPUT, "model_newer",
                    "this model has format version %lld, made by a later galena; this one reads up to %d", (long long)found,
                    version);
    if (length < 0 || rest.len < (size_t)length)
        return fail(ERR_CORRUPT, "model_cut", "the model file is cut: it holds %zu of %lld bytes", rest.len,
                    (long long)length);
    char hex[HASH_HEX_BYTE + 1];
    checksum(rest, hex);
    if (rest.len != (size_t)length || !str_equal(sum, str_from(hex)))
        return fail(ERR_CORRUPT, "model_checksum",
                    "the model file was altered: its checksum does not match; use the original file");
    *body = rest;
    return OK;
}
