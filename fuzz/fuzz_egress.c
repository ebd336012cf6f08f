/* fuzz_egress.c — any bytes as Retry-After, as rate limit headers, as a Link header, and as an answer in a shared cache. */
#include "target.h"

#include "egress/answer_form.h"
#include "egress/rate_header.h"

enum { MAX_FIELDS = 64 };

static const int64_t now_ms = 1767225600000;

static bool in_range(int64_t ms) { return ms >= -1 && ms <= RATE_HEADER_MAX_MS; }

static err read_after(str text) {
    FUZZ_CHECK(in_range(rate_header_after_ms(text, now_ms)));
    return OK;
}

/* Lines of "Name: value". */
static err read_headers(str text) {
    struct http_field field[MAX_FIELDS];
    size_t n = 0;
    str line;
    while (n < MAX_FIELDS && str_split(&text, '\n', &line)) {
        ptrdiff_t colon = str_find_byte(line, ':');
        if (colon >= 0)
            field[n++] =
                (struct http_field){str_slice(line, 0, (size_t)colon), str_slice(line, (size_t)colon + 1, line.len)};
    }
    struct rate_header said = rate_header_read(field, n, now_ms);
    FUZZ_CHECK(in_range(said.after_ms) && in_range(said.reset_ms));
    FUZZ_CHECK(said.left >= -1 && said.limit >= -1);
    return OK;
}

static err read_link(str text) {
    str target;
    if (rate_header_link(text, STR("next"), &target))
        FUZZ_CHECK(target.len == 0 || (target.ptr > text.ptr && target.ptr + target.len < text.ptr + text.len));
    return OK;
}

/* What was read is written and read again as the same. */
static err read_answer(struct arena *a, str text) {
    struct kept_answer kept, again;
    if (!answer_read(text, &kept))
        return OK;
    FUZZ_CHECK(kept.n_header <= ANSWER_MAX_FIELD && kept.body.len <= text.len);
    struct buf *b = buf_in(a, 1 << 24);
    struct egress_answer answer = {
        .class = kept.class, .status = kept.status, .header = kept.header, .n_header = kept.n_header, .body = kept.body};
    answer_write(b, &answer, kept.stored_ms);
    FUZZ_CHECK(!b->over && answer_read(buf_str(b), &again));
    FUZZ_CHECK(again.status == kept.status && again.class == kept.class && again.stored_ms == kept.stored_ms);
    FUZZ_CHECK(str_equal(again.body, kept.body));
    return OK;
}

/* The first byte chooses the reader. */
static err run(void *ctx) {
    const struct fuzz_work *w = ctx;
    if (w->input.len == 0)
        return OK;
    str text = str_slice(w->input, 1, w->input.len);
    switch (w->input.ptr[0]) {
    case 'a':
        return read_after(text);
    case 'h':
        return read_headers(text);
    case 'l':
        return read_link(text);
    default:
        return read_answer(w->arena, text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_in_arena(data, size, 1 << 25, run); }
