/* answer_form.c — an answer as bytes in the cache, read with distrust: others can write there. */
#include "egress/answer_form.h"

/* If you change this: ANSWER_FORM, so that older bytes are not read as newer ones. */
enum { ANSWER_FORM = 'A' };

static const str kept_fields[] = {STR_INIT("Content-Type"), STR_INIT("Link"), STR_INIT("ETag"), STR_INIT("Last-Modified")};

static void put(struct buf *to, uint64_t x, unsigned byte) {
    for (unsigned i = 0; i < byte; i++)
        buf_add_byte(to, (char)(x >> (8 * i)));
}

static bool get(str *from, unsigned byte, uint64_t *x) {
    if (from->len < byte)
        return false;
    *x = 0;
    for (unsigned i = byte; i > 0; i--)
        *x = *x << 8 | (unsigned char)from->ptr[i - 1];
    *from = str_slice(*from, byte, from->len);
    return true;
}

static void put_text(struct buf *to, str s) {
    put(to, s.len, 4);
    buf_add(to, s);
}

static bool get_text(str *from, str *s) {
    uint64_t len;
    if (!get(from, 4, &len) || len > from->len)
        return false;
    *s = str_slice(*from, 0, len);
    *from = str_slice(*from, len, from->len);
    return true;
}

void answer_write(struct buf *to, const struct egress_answer *a, int64_t now_ms) {
    const size_t n_kept = sizeof kept_fields / sizeof *kept_fields;
    str value[sizeof kept_fields / sizeof *kept_fields];
    size_t n = 0;
    for (size_t i = 0; i < n_kept; i++) {
        value[i] = http_field_value(a->header, a->n_header, kept_fields[i]);
        n += value[i].ptr != NULL;
    }
    put(to, ANSWER_FORM, 1);
    put(to, (uint64_t)a->class, 1);
    put(to, (uint64_t)a->status, 2);
    put(to, (uint64_t)now_ms, 8);
    put(to, n, 1);
    for (size_t i = 0; i < n_kept; i++)
        if (value[i].ptr) {
            put(to, i, 1);
            put_text(to, value[i]);
        }
    buf_add(to, a->body);
}

bool answer_read(str bytes, struct kept_answer *out) {
    uint64_t form, class, status, stored, n, which;
    if (!get(&bytes, 1, &form) || form != ANSWER_FORM || !get(&bytes, 1, &class) ||
        (class != EGRESS_OK && class != EGRESS_EMPTY) || !get(&bytes, 2, &status) || status > 999 ||
        !get(&bytes, 8, &stored) || stored > INT64_MAX || !get(&bytes, 1, &n) || n > ANSWER_MAX_FIELD)
        return false;
    *out = (struct kept_answer){.class = (enum egress_class) class, .status = (int)status, .stored_ms = (int64_t)stored};
    for (size_t i = 0; i < n; i++) {
        struct http_field f = {0};
        if (!get(&bytes, 1, &which) || which >= sizeof kept_fields / sizeof *kept_fields || !get_text(&bytes, &f.value))
            return false;
        f.name = kept_fields[which];
        out->header[out->n_header++] = f;
    }
    out->body = bytes;
    return true;
}
