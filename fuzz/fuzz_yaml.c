/* fuzz_yaml.c — any bytes as YAML: read or refused in silence, and what is read survives being written. */
#include "target.h"

#include "base/yaml.h"

static err run(void *ctx) {
    const struct fuzz_work *w = ctx;
    struct buf *out = buf_in(w->arena, (size_t)64 << 20);
    const struct json *v = NULL, *back = NULL;
    TRY(yaml_parse(w->arena, w->input, NULL, &v));
    yaml_write(out, v);
    FUZZ_CHECK(!out->over &&
               yaml_parse(w->arena, buf_str(out), &(struct json_limits){.max_byte = (size_t)64 << 20}, &back) == OK);
    FUZZ_CHECK(json_equal(v, back));
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_in_arena(data, size, (size_t)256 << 20, run); }
