/* json_schema.h — checks a tree (from JSON or YAML) against a JSON Schema, with messages for the person who wrote the
 * document.
 *
 * A stated subset of JSON Schema 2020-12:
 *   any value   type enum const oneOf anyOf allOf not $ref ("#" and "#/$defs/NAME" only)
 *   objects     properties required additionalProperties minProperties maxProperties
 *   lists       items prefixItems minItems maxItems uniqueItems
 *   numbers     minimum maximum exclusiveMinimum exclusiveMaximum
 *   text        minLength maxLength (in characters)
 *   ignored     $schema $id $comment $defs title description default examples deprecated
 * true and false are schemas too. Every other keyword, "pattern" and "format" included, is an error in the schema: a schema
 * is our own data, and what it asks for must not silently go unchecked. An integer is any number whose value is whole. */
#ifndef GALENA_BASE_JSON_SCHEMA_H
#define GALENA_BASE_JSON_SCHEMA_H

#include "base/json.h"

enum { JSON_PROBLEM_MAX = 32 };

struct json_problem {
    uint32_t line, column; /* of the value, or of a key that is unknown, as in struct json */
    str pointer;           /* JSON pointer (RFC 6901) to it */
    str text;              /* a sentence: "unknown key `weigth`; did you mean `weight`?" */
};

/* In the order of the document. */
struct json_problems {
    size_t n;
    bool more; /* there were more than fit */
    struct json_problem items[JSON_PROBLEM_MAX];
};

/* OK when `value` is as `schema` demands; *out is then empty. ERR_INPUT (slug "json_schema", the sentence is the first
 * problem with its place) when not; *out says why, in texts that live in the arena. ERR_CORRUPT (slug "json_schema_bad")
 * when the schema itself is wrong, whatever the value; ERR_LIMIT (slug "json_schema_depth") when schema and value nest
 * beyond 1,024 levels. */
err json_schema_check(struct arena *a, const struct json *schema, const struct json *value,
                      struct json_problems *out) MUST_CHECK;

#endif
