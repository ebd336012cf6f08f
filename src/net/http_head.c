/* http_head.c — request line and header fields: copied, decoded, and refused where two readers could understand them
 * differently. */
#include "net/http_server_priv.h"

#include "base/number.h"

enum { MAX_METHOD_BYTE = 32, MAX_LENGTH_DIGITS = 18 };

struct head {
    struct http_work *work;
    struct http_field field[HTTP_MAX_REQUEST_FIELDS]; /* in libmicrohttpd's memory */
    size_t n_field, n_byte;
    bool too_many;
    int status;
    int64_t length;
};

static enum MHD_Result take_field(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_byte, const char *value,
                                  size_t value_byte) {
    (void)kind;
    struct head *h = ctx;
    if (h->n_field == HTTP_MAX_REQUEST_FIELDS) {
        h->too_many = true;
        return MHD_NO;
    }
    str text = str_trim(value ? (str){value, value_byte} : STR(""));
    h->field[h->n_field++] = (struct http_field){{name, name_byte}, text};
    h->n_byte += name_byte + text.len;
    return MHD_YES;
}

/* libmicrohttpd's memory ends with the answer, a handler may look later. */
static void copy_fields(struct head *h) {
    struct http_request *r = &h->work->request;
    struct http_field *field = ARENA_ARRAY(r->arena, h->n_field, struct http_field);
    char *text = arena_alloc(r->arena, h->n_byte);
    for (size_t i = 0; i < h->n_field; i++) {
        str name = h->field[i].name, value = h->field[i].value;
        memcpy(text, name.ptr, name.len);
        if (value.len > 0)
            memcpy(text + name.len, value.ptr, value.len);
        field[i] = (struct http_field){{text, name.len}, {text + name.len, value.len}};
        text += name.len + value.len;
    }
    r->header = field;
    r->n_header = h->n_field;
}

static bool read_length(str value, int64_t *length) {
    if (str_empty(value) || value.len > MAX_LENGTH_DIGITS)
        return false;
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return false;
    return number_parse_integer(value, length);
}

/* RFC 9112 6.3, without the cases that it allows and that proxies read differently. */
static int read_framing(struct head *h) {
    size_t lengths = 0, encodings = 0, hosts = 0;
    bool chunked = false;
    h->length = 0;
    for (size_t i = 0; i < h->n_field; i++) {
        str name = h->field[i].name, value = h->field[i].value;
        if (str_equal_nocase(name, STR("Host"))) {
            hosts++;
        } else if (str_equal_nocase(name, STR("Transfer-Encoding"))) {
            encodings++;
            chunked = str_equal_nocase(value, STR("chunked"));
        } else if (str_equal_nocase(name, STR("Content-Length"))) {
            lengths++;
            if (!read_length(value, &h->length))
                return MHD_HTTP_BAD_REQUEST;
        }
    }
    if (lengths + encodings > 1 || hosts > 1)
        return MHD_HTTP_BAD_REQUEST;
    if (encodings == 0)
        return 0;
    h->length = -1;
    return chunked ? 0 : MHD_HTTP_NOT_IMPLEMENTED;
}

/* The absolute form of RFC 9112 3.2.2 is cut down to path and query. */
static str local_part(str target) {
    static const str scheme[] = {STR_INIT("http://"), STR_INIT("https://")};
    for (size_t i = 0; i < sizeof scheme / sizeof *scheme; i++) {
        if (!str_starts(target, scheme[i]))
            continue;
        str rest = str_slice(target, scheme[i].len, target.len);
        ptrdiff_t slash = str_find_byte(rest, '/');
        return slash < 0 ? STR("/") : str_slice(rest, (size_t)slash, rest.len);
    }
    return target;
}

static bool target_is_clean(str target) {
    for (size_t i = 0; i < target.len; i++) {
        unsigned char c = (unsigned char)target.ptr[i];
        if (c <= 0x20 || c == 0x7f || c == '#')
            return false;
    }
    return str_starts(target, STR("/"));
}

static int read_target(struct http_work *w) {
    struct http_request *r = &w->request;
    str target = local_part(r->target);
    if (!target_is_clean(target))
        return MHD_HTTP_BAD_REQUEST;
    ptrdiff_t mark = str_find_byte(target, '?');
    str path = mark < 0 ? target : str_slice(target, 0, (size_t)mark);
    /* Decoded it could not be told from one that separates. */
    if (str_find_nocase(path, STR("%2f")) >= 0 || http_decode(r->arena, path, &r->path) != OK)
        return MHD_HTTP_BAD_REQUEST;
    if (mark < 0)
        return 0;
    struct http_field *query = NULL;
    if (http_parse_query(r->arena, str_slice(target, (size_t)mark + 1, target.len), w->server->settings.max_query, &query,
                         &r->n_query) != OK)
        return MHD_HTTP_BAD_REQUEST;
    r->query = query;
    return 0;
}

static err read_head(void *ctx) {
    struct head *h = ctx;
    struct http_work *w = h->work;
    MHD_get_connection_values_n(w->connection, MHD_HEADER_KIND, take_field, h);
    copy_fields(h);
    h->status = h->too_many ? MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE : read_framing(h);
    if (h->status == 0)
        h->status = read_target(w);
    return OK;
}

int http_read_head(struct http_work *w, const char *method, int64_t *length) {
    struct head h;
    h.work = w;
    h.n_field = h.n_byte = 0;
    h.too_many = false;
    h.status = 0;
    str name = str_from(method);
    if (name.len > MAX_METHOD_BYTE || !http_token(name))
        return MHD_HTTP_BAD_REQUEST;
    if (arena_run(w->request.arena, read_head, &h) != OK)
        return MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
    *length = h.length;
    return h.status;
}
