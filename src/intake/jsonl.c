/* jsonl.c — the JSON lines side of a table. */
#include "intake/table_priv.h"

err table_open_jsonl(struct arena *a, struct table *t) {
    (void)a;
    return fail(ERR_INPUT, "table_format", "%s: JSON lines are not read yet", t->name);
}

err table_next_jsonl(struct table *t, struct batch *b, struct table_row *row, bool *end) {
    (void)t, (void)b, (void)row;
    *end = true;
    return OK;
}

uint64_t table_unknown_keys(const struct table *t, str *example) {
    (void)t;
    *example = (str){0};
    return 0;
}
