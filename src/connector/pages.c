/* pages.c — where the next page of an answer is. */
#include "connector/exchange.h"

/* The target of rel="next" in a Link field (RFC 8288); ptr NULL when there is none. */
static str next_link(str field) {
    str part;
    while (field.ptr && field.len > 0) {
        ptrdiff_t open = str_find_byte(field, '<'), close = str_find_byte(field, '>');
        if (open < 0 || close < open)
            break;
        str target = str_slice(field, (size_t)open + 1, (size_t)close);
        field = str_slice(field, (size_t)close + 1, field.len);
        ptrdiff_t end = str_find_byte(field, '<');
        part = str_slice(field, 0, end < 0 ? field.len : (size_t)end);
        if (str_find_nocase(part, STR("rel=\"next\"")) >= 0 || str_find_nocase(part, STR("rel=next")) >= 0)
            return target;
    }
    return (str){0};
}

static err ask(struct program_host *h, struct arena *a, const struct program *p, const struct json *body,
               const struct json **out) {
    *out = NULL;
    return p ? program_first(h, a, p, body, NULL, out) : OK;
}

static err read_cursor(struct program_host *h, struct arena *a, const struct connector_operation *op,
                       const struct json *body, str *out) {
    const struct json *v;
    TRY(ask(h, a, op->pages.cursor, body, &v));
    *out = (str){0};
    if (v && v->type == JSON_STRING && v->string.len > 0)
        *out = v->string;
    else if (v && v->type == JSON_INTEGER)
        *out = str_format(a, "%lld", (long long)v->integer);
    return OK;
}

/* Whether a numbered page has a successor, and how many records it had. */
static err read_count(struct program_host *h, struct arena *a, const struct connector_operation *op, const struct json *body,
                      bool *more, int64_t *count) {
    const struct json *items, *said;
    TRY(ask(h, a, op->pages.items, body, &items));
    TRY(ask(h, a, op->pages.more, body, &said));
    *count = items && items->type == JSON_ARRAY ? items->count : 0;
    *more = op->pages.more ? said && !(said->type == JSON_BOOL && !said->boolean) : *count > 0 && *count >= op->pages.size;
    /* An empty page is the last, whatever it says: else there is no end. */
    *more = *more && (!op->pages.items || *count > 0);
    return OK;
}

err connector_next_page(struct program_host *h, struct arena *a, const struct connector_binding *b,
                        const struct connector_operation *op, const struct connector_page *page,
                        const struct connector_answer *answer, const struct json *body, bool *more,
                        struct connector_page *next) {
    static const struct connector_page first;
    const struct connector_page *now = page ? page : &first;
    struct connector_page n = {.number = now->number + 1, .offset = now->offset};
    int64_t count = 0;
    *more = false;
    if (op->pages.style == PAGING_NONE)
        return OK;
    if (op->pages.style == PAGING_LINK) {
        n.cursor = next_link(http_field_value(answer->header, answer->n_header, STR("Link")));
        *more = n.cursor.len > 0;
    } else if (op->pages.style == PAGING_CURSOR || op->pages.style == PAGING_NEXT_URL) {
        TRY(read_cursor(h, a, op, body, &n.cursor));
        *more = n.cursor.len > 0;
    } else {
        TRY(read_count(h, a, op, body, more, &count));
        n.offset = now->offset + (count > 0 ? count : op->pages.size);
    }
    if (*more && n.cursor.len > 0 && str_equal(n.cursor, now->cursor))
        return fail(ERR_REMOTE, "connector_page", "%.*s: the next page is the same page", STR_ARG(b->connector->name));
    if (*more && n.number >= op->pages.max_page)
        return fail(ERR_REMOTE, "connector_page", "%.*s: more than %lld pages", STR_ARG(b->connector->name),
                    (long long)op->pages.max_page);
    if (*more)
        *next = n;
    return OK;
}
