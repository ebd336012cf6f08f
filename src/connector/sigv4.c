/* sigv4.c — AWS Signature Version 4. */
#include "base/hash.h"
#include "base/time.h"
#include "connector/auth.h"
#include "connector/template_priv.h"
#include "net/signature.h"

#include <stdlib.h>

/* The parts of a URL that are signed. */
struct target {
    str host, path, query;
};

static struct target split_url(str url) {
    ptrdiff_t scheme = str_find(url, STR("://"));
    str rest = str_slice(url, scheme < 0 ? 0 : (size_t)scheme + 3, url.len);
    ptrdiff_t question = str_find_byte(rest, '?');
    str query = question < 0 ? STR("") : str_slice(rest, (size_t)question + 1, rest.len);
    rest = question < 0 ? rest : str_slice(rest, 0, (size_t)question);
    ptrdiff_t slash = str_find_byte(rest, '/');
    return (struct target){slash < 0 ? rest : str_slice(rest, 0, (size_t)slash),
                           slash < 0 ? STR("/") : str_slice(rest, (size_t)slash, rest.len), query};
}

/* Each segment of the path as it stands in the URL is encoded once more (all services but S3). */
static void add_path(struct buf *out, str path) {
    str part;
    for (bool first = true; str_split(&path, '/', &part); first = false) {
        if (!first)
            buf_add_byte(out, '/');
        template_encode(out, part);
    }
}

static int by_text(const void *a, const void *b) { return str_compare(*(const str *)a, *(const str *)b); }

/* The query is encoded already; its parameters are put in order. */
static void add_query(struct arena *a, struct buf *out, str query) {
    str part;
    size_t n = 0;
    str *list = ARENA_ARRAY(a, query.len + 1, str);
    while (query.len > 0 && str_split(&query, '&', &part))
        list[n++] = str_find_byte(part, '=') < 0 ? str_format(a, "%.*s=", STR_ARG(part)) : part;
    if (n > 0)
        qsort(list, n, sizeof *list, by_text);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_byte(out, '&');
        buf_add(out, list[i]);
    }
}

static int by_name(const void *a, const void *b) {
    const struct http_field *x = a, *y = b;
    return str_compare(x->name, y->name);
}

/* Lower-case names in order, values without blanks around; the list of names goes to `names`. */
static void add_headers(struct arena *a, struct buf *out, struct buf *names, const struct connector_request *r) {
    struct http_field *list = ARENA_ARRAY(a, r->n_header, struct http_field);
    for (size_t i = 0; i < r->n_header; i++)
        list[i] = (struct http_field){str_lower(a, r->header[i].name), str_trim(r->header[i].value)};
    qsort(list, r->n_header, sizeof *list, by_name);
    for (size_t i = 0; i < r->n_header; i++) {
        buf_add(out, list[i].name);
        buf_add_byte(out, ':');
        buf_add(out, list[i].value);
        buf_add_byte(out, '\n');
        if (i > 0)
            buf_add_byte(names, ';');
        buf_add(names, list[i].name);
    }
}

static err add_field(struct connector_request *r, str name, str value, bool secret) {
    if (r->n_header == CONNECTOR_REQUEST_FIELDS)
        return fail(ERR_LIMIT, "connector_request_size", "more than %d header fields", CONNECTOR_REQUEST_FIELDS);
    r->secret_header |= secret ? UINT64_C(1) << r->n_header : 0;
    r->header[r->n_header++] = (struct http_field){name, value};
    return OK;
}

static void mac(str key, str text, unsigned char out[SIGNATURE_BYTE]) { signature_hmac(key, &text, 1, out); }

static str derive(const struct sigv4_key *k, str day, struct arena *a, unsigned char room[SIGNATURE_BYTE]) {
    str key = str_format(a, "AWS4%.*s", STR_ARG(k->secret_key));
    const str step[] = {day, k->region, k->service, STR("aws4_request")};
    for (size_t i = 0; i < 4; i++) {
        unsigned char next[SIGNATURE_BYTE];
        mac(key, step[i], next);
        memcpy(room, next, sizeof next);
        key = (str){(const char *)room, SIGNATURE_BYTE};
    }
    return key;
}

static str basic_time(struct arena *a, int64_t now_ms) {
    char text[TIME_TEXT_BYTE];
    size_t n = time_format(now_ms - now_ms % 1000, text);
    char *out = arena_alloc(a, n + 1);
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (text[i] != '-' && text[i] != ':')
            out[k++] = text[i];
    return (str){out, k};
}

err sigv4_sign(struct arena *a, const struct sigv4_key *key, int64_t now_ms, struct connector_request *request) {
    struct target t = split_url(request->url);
    str stamp = basic_time(a, now_ms), day = str_slice(stamp, 0, 8);
    if (!http_field_value(request->header, request->n_header, STR("Host")).ptr)
        TRY(add_field(request, STR("Host"), t.host, false));
    TRY(add_field(request, STR("X-Amz-Date"), stamp, false));
    if (key->session_token.len > 0)
        TRY(add_field(request, STR("X-Amz-Security-Token"), key->session_token, true));
    struct buf *text = buf_in(a, 1 << 20), *names = buf_in(a, 8192);
    buf_add(text, request->method);
    buf_add_byte(text, '\n');
    add_path(text, t.path);
    buf_add_byte(text, '\n');
    add_query(a, text, t.query);
    buf_add_byte(text, '\n');
    add_headers(a, text, names, request);
    buf_add_byte(text, '\n');
    buf_add(text, buf_str(names));
    buf_add_byte(text, '\n');
    buf_add(text, hash_hex(a, request->body));
    TRY(buf_check(text));
    str scope = str_format(a, "%.*s/%.*s/%.*s/aws4_request", STR_ARG(day), STR_ARG(key->region), STR_ARG(key->service));
    str to_sign = str_format(a, "AWS4-HMAC-SHA256\n%.*s\n%.*s\n%.*s", STR_ARG(stamp), STR_ARG(scope),
                             STR_ARG(hash_hex(a, buf_str(text))));
    unsigned char room[SIGNATURE_BYTE], signature[SIGNATURE_BYTE];
    mac(derive(key, day, a, room), to_sign, signature);
    return add_field(request, STR("Authorization"),
                     str_format(a, "AWS4-HMAC-SHA256 Credential=%.*s/%.*s, SignedHeaders=%.*s, Signature=%.*s",
                                STR_ARG(key->access_key), STR_ARG(scope), STR_ARG(buf_str(names)),
                                STR_ARG(signature_hex(a, signature))),
                     true);
}
