/* json_priv.h — what the JSON and YAML readers and writers share: collecting values, sealing objects, escaping. */
#ifndef GALENA_BASE_JSON_PRIV_H
#define GALENA_BASE_JSON_PRIV_H

#include "base/json.h"

/* Values of containers that are still open, innermost on top. A small first block lives in the owner's frame; beyond that
 * the stack moves to memory that is given back when reading ends, or with the arena when the arena gives up. */
struct json_stack {
    struct arena *arena;
    struct buf *heap; /* NULL while `first` is enough */
    char *ptr;
    size_t len, cap;
    _Alignas(16) char first[4096];
};

void json_stack_init(struct json_stack *s, struct arena *a);
void json_stack_done(struct json_stack *s);

/* Room for one more value of `size` bytes (a multiple of 8); NULL when memory is out. */
void *json_stack_push(struct json_stack *s, size_t size);

/* Moves everything above `base` into a new block of the arena. */
void *json_stack_take(struct json_stack *s, size_t base);

/* Completes an object whose members are set: makes by_key for a large one. Returns the first member whose key came before,
 * or NULL when the keys are distinct. */
const struct json_member *json_object_seal(struct arena *a, struct json *object);

/* The limits with their defaults filled in. */
struct json_limits json_limits_or_default(const struct json_limits *limits, size_t max_byte);

/* Number of bytes at the start of `s` that need no second look in a JSON string: printable ASCII but '"' and '\'. */
size_t json_plain_run(str s);

/* A key or text for a message: at most about 60 bytes, cut on a character boundary. */
str json_clip(str s);

/* The writers' form of a finite number: number_format, but a real number beyond 2^53 keeps a point or an exponent, so that
 * it is read back as a real number. Returns the length. */
size_t json_real_text(double value, char text[40]);

/* Writes a quoted, escaped JSON string; also valid YAML when `yaml` asks that what YAML does not print be escaped as well.
 */
void json_quote(struct buf *out, str s, bool yaml);

#endif
