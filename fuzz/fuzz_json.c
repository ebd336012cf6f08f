/* fuzz_json.c — any bytes as JSON: read or refused as jansson does, and what is read survives being written. */
#include "target.h"

#include "base/json.h"
#include "base/peer_jansson.h"

static void survives(struct arena *a, const struct json *v, uint32_t indent) {
    struct buf *out = buf_in(a, (size_t)64 << 20);
    struct json_writer w;
    const struct json *back = NULL;
    json_write_begin(&w, out, indent);
    json_value(&w, v);
    FUZZ_CHECK(!out->over && json_parse(a, buf_str(out), NULL, &back) == OK && json_equal(v, back));
}

static void canonical_is_a_fixed_point(struct arena *a, const struct json *v) {
    struct buf *once = buf_in(a, (size_t)64 << 20), *twice = buf_in(a, (size_t)64 << 20);
    const struct json *back = NULL;
    json_write_canonical(once, v);
    FUZZ_CHECK(json_parse(a, buf_str(once), NULL, &back) == OK);
    json_write_canonical(twice, back);
    FUZZ_CHECK(str_equal(buf_str(once), buf_str(twice)));
}

static err run(void *ctx) {
    const struct fuzz_work *w = ctx;
    const struct json *v = NULL;
    const struct peer *peer = peer_open(w->arena);
    FUZZ_CHECK(!peer || !peer_difference(peer, w->arena, w->input));
    TRY(json_parse(w->arena, w->input, NULL, &v));
    survives(w->arena, v, 0);
    survives(w->arena, v, 2);
    canonical_is_a_fixed_point(w->arena, v);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_in_arena(data, size, (size_t)256 << 20, run); }
