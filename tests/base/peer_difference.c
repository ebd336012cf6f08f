/* peer_difference.c — our reading of a JSON text beside jansson's. */
#include "base/json.h"
#include "base/peer_jansson.h"

static bool has_nul_key(const struct json *v) {
    for (uint32_t i = 0; i < v->count; i++) {
        const struct json *child = v->type == JSON_OBJECT ? &v->members[i].value : &v->items[i];
        if (has_nul_key(child) || (v->type == JSON_OBJECT && str_find_byte(v->members[i].key, '\0') >= 0))
            return true;
    }
    return false;
}

const char *peer_difference(const struct peer *p, struct arena *a, str text) {
    const struct json *v = NULL, *other = NULL;
    str again;
    const err ours = json_parse(a, text, NULL, &v);
    if (ours == ERR_LIMIT)
        return NULL;
    if (!peer_rewrite(p, a, text, &again))
        return ours != OK || has_nul_key(v) ? NULL : "read by galena only";
    if (ours != OK)
        return str_find_byte(text, '\0') >= 0 ? NULL : "read by jansson only";
    if (json_parse(a, again, NULL, &other) != OK)
        return "what jansson wrote cannot be read";
    return json_equal(v, other) ? NULL : "read differently";
}
