/* request.c — builds requests: base URL, path, query, headers, body. */
#include "connector/template_priv.h"

/* The base URL without a slash at its end: given by the token, by the user, or the file's. */
static err find_base(struct arena *a, const struct template_values *v, const struct connector_operation *op, str token_base,
                     str *out) {
    const struct connector_binding *b = v->binding;
    const struct connector_base *own = b->base;
    for (size_t i = 0; i < b->connector->n_base && op->base.len > 0; i++)
        if (str_equal(b->connector->base[i].name, op->base))
            own = &b->connector->base[i];
    str base;
    if (b->base_url.ptr) {
        base = b->base_url;
    } else if (token_base.ptr) {
        base = token_base;
        if (!template_is_origin(base))
            return fail(ERR_INPUT, "connector_url", "the token of %.*s names no usable address",
                        STR_ARG(b->connector->name));
    } else {
        TRY(template_fill(a, v, own->url, USE_HOST, NULL, NULL, &base));
        if (!template_is_origin(base))
            return fail(ERR_INPUT, "connector_url", "the base URL of %.*s is not http(s)://host[:port][/path]",
                        STR_ARG(b->connector->name));
    }
    while (str_ends(base, STR("/")))
        base.len--;
    *out = base;
    return OK;
}

static str origin_of(str url) {
    ptrdiff_t scheme = str_find(url, STR("://"));
    if (scheme < 0)
        return (str){0};
    size_t from = (size_t)scheme + 3;
    ptrdiff_t slash = str_find_byte(str_slice(url, from, url.len), '/');
    ptrdiff_t question = str_find_byte(str_slice(url, from, url.len), '?');
    size_t end = slash >= 0 ? from + (size_t)slash : url.len;
    if (question >= 0 && from + (size_t)question < end)
        end = from + (size_t)question;
    return str_slice(url, 0, end);
}

/* The next page by URL: whole, or from the root; always on the same origin, so that no answer leads credentials away. */
static err next_url(struct arena *a, str base, str cursor, str *out) {
    str origin = origin_of(base);
    bool whole = str_find(cursor, STR("://")) >= 0;
    *out = whole ? cursor : str_format(a, "%.*s%.*s", STR_ARG(origin), STR_ARG(cursor));
    bool clean = true;
    for (size_t i = 0; i < cursor.len; i++)
        clean = clean && (unsigned char)cursor.ptr[i] > ' ' && (unsigned char)cursor.ptr[i] < 127 && cursor.ptr[i] != '\\';
    if (!clean || (!whole && (!str_starts(cursor, STR("/")) || str_starts(cursor, STR("//")))) ||
        !str_equal_nocase(origin_of(*out), origin))
        return fail(ERR_REMOTE, "connector_next_url", "the next page is not on the same host: %.*s",
                    STR_ARG(str_slice(cursor, 0, 120)));
    return OK;
}

static void add_query(struct buf *url, bool *first, str name, str value) {
    buf_add_byte(url, *first ? '?' : '&');
    *first = false;
    template_encode(url, name);
    buf_add_byte(url, '=');
    buf_add(url, value);
}

static void add_page(struct arena *a, struct buf *url, bool *first, const struct connector_pages *p,
                     const struct connector_page *page) {
    if (p->size_parameter.len > 0 && p->size > 0)
        add_query(url, first, p->size_parameter, str_format(a, "%lld", (long long)p->size));
    if (p->parameter.len == 0)
        return;
    if (p->style == PAGING_PAGE)
        add_query(url, first, p->parameter, str_format(a, "%lld", (long long)(page->number + p->first)));
    else if (p->style == PAGING_OFFSET)
        add_query(url, first, p->parameter, str_format(a, "%lld", (long long)page->offset));
    else if (p->style == PAGING_CURSOR && page->cursor.len > 0) {
        struct buf *b = buf_in(a, CONNECTOR_MAX_URL_BYTE);
        template_encode(b, page->cursor);
        add_query(url, first, p->parameter, buf_str(b));
    }
}

static err build_url(struct arena *a, const struct template_values *v, const struct connector_operation *op, str token_base,
                     struct connector_request *out) {
    str base, path, value;
    bool absent;
    struct buf *url = buf_in(a, CONNECTOR_MAX_URL_BYTE);
    bool whole = !str_starts(op->url.text, STR("/")) && op->url.text.len > 0;
    if (whole && !v->binding->base_url.ptr) {
        /* The URL is itself a credential, as those of incoming web hooks are. */
        TRY(template_fill(a, v, op->url, USE_PLAIN, NULL, &out->secret_url, &path));
        ptrdiff_t query = str_find_byte(path, '?');
        bool clean = str_find_byte(path, ' ') < 0 && str_find_byte(path, '#') < 0;
        if (!clean || !template_is_origin(query < 0 ? path : str_slice(path, 0, (size_t)query)))
            return fail(ERR_INPUT, "connector_url", "the address that %.*s is to call is no URL",
                        STR_ARG(v->binding->connector->name));
        buf_add(url, path);
    } else {
        TRY(find_base(a, v, op, token_base, &base));
        if ((op->pages.style == PAGING_LINK || op->pages.style == PAGING_NEXT_URL) && v->page && v->page->cursor.len > 0)
            return next_url(a, base, v->page->cursor, &out->url);
        buf_add(url, base);
        if (!whole) {
            TRY(template_fill(a, v, op->url, USE_URL, NULL, &out->secret_url, &path));
            buf_add(url, path);
        }
    }
    bool first = str_find_byte(buf_str(url), '?') < 0;
    for (size_t i = 0; i < op->n_query; i++) {
        TRY(template_fill(a, v, op->query[i].value, USE_URL, &absent, &out->secret_url, &value));
        /* What the file itself writes is encoded where it must be: blanks and quotes of search languages. */
        if (!absent) {
            struct buf *b = buf_in(a, CONNECTOR_MAX_URL_BYTE);
            for (size_t k = 0; k < value.len; k++)
                if (strchr(" \"<>#&+{}|\\^`", value.ptr[k]))
                    template_encode(b, str_slice(value, k, k + 1));
                else
                    buf_add_byte(b, value.ptr[k]);
            add_query(url, &first, op->query[i].name, buf_str(b));
        }
    }
    static const struct connector_page first_page;
    if (op->pages.style != PAGING_NONE)
        add_page(a, url, &first, &op->pages, v->page ? v->page : &first_page);
    out->url = buf_str(url);
    return buf_check(url) == OK
               ? OK
               : fail(ERR_LIMIT, "connector_request_size", "the URL would have more than %d bytes", CONNECTOR_MAX_URL_BYTE);
}

static err add_header(struct connector_request *r, str name, str value, bool secret) {
    if (r->n_header == CONNECTOR_REQUEST_FIELDS)
        return fail(ERR_LIMIT, "connector_request_size", "more than %d header fields", CONNECTOR_REQUEST_FIELDS);
    r->secret_header |= secret ? UINT64_C(1) << r->n_header : 0;
    r->header[r->n_header++] = (struct http_field){name, value};
    return OK;
}

static err build_headers(struct arena *a, const struct template_values *v, const struct connector_operation *op,
                         struct connector_request *out) {
    str value;
    bool absent, typed = false;
    for (size_t i = 0; i < op->n_header; i++) {
        bool secret = false;
        TRY(template_fill(a, v, op->header[i].value, USE_HEADER, &absent, &secret, &value));
        if (absent)
            continue;
        typed = typed || str_equal_nocase(op->header[i].name, STR("Content-Type"));
        TRY(add_header(out, op->header[i].name, value, secret));
    }
    return op->body_form != BODY_NONE && !typed ? add_header(out, STR("Content-Type"), op->body_type, false) : OK;
}

static err build_form(struct arena *a, const struct template_values *v, const struct connector_operation *op, str *out) {
    struct buf *b = buf_in(a, CONNECTOR_MAX_BODY_BYTE);
    str value;
    bool absent;
    for (size_t i = 0; i < op->n_form; i++) {
        TRY(template_fill(a, v, op->form[i].value, USE_PLAIN, &absent, NULL, &value));
        if (absent)
            continue;
        if (b->len > 0)
            buf_add_byte(b, '&');
        template_encode(b, op->form[i].name);
        buf_add_byte(b, '=');
        template_encode(b, value);
    }
    *out = buf_str(b);
    return buf_check(b);
}

/* Programs see the page as {cursor, number, offset}. */
static const struct json *page_value(struct arena *a, const struct connector_page *page) {
    struct json_member *m = ARENA_ARRAY(a, 3, struct json_member);
    struct json *v = ARENA_NEW(a, struct json);
    m[0].key = STR("cursor");
    m[0].value = page && page->cursor.len > 0 ? (struct json){.type = JSON_STRING, .string = page->cursor}
                                              : (struct json){.type = JSON_NULL};
    m[1].key = STR("number");
    m[1].value = (struct json){.type = JSON_INTEGER, .integer = page ? page->number : 0};
    m[2].key = STR("offset");
    m[2].value = (struct json){.type = JSON_INTEGER, .integer = page ? page->offset : 0};
    *v = (struct json){.type = JSON_OBJECT, .count = 3, .members = m};
    return v;
}

static err build_json(struct program_host *h, struct arena *a, const struct template_values *v,
                      const struct connector_operation *op, str *out) {
    const struct json *body;
    const struct program_context context = {
        .input = v->input, .setting = v->binding->setting, .page = page_value(a, v->page)};
    TRY(program_first(h, a, op->body, v->input, &context, &body));
    if (!body)
        return fail(ERR_INPUT, "connector_input", "%.*s %.*s: the program of the body gave nothing",
                    STR_ARG(v->binding->connector->name), STR_ARG(op->name));
    struct buf *b = buf_in(a, CONNECTOR_MAX_BODY_BYTE);
    struct json_writer w;
    json_write_begin(&w, b, 0);
    json_value(&w, body);
    *out = buf_str(b);
    return buf_check(b);
}

/* One of the ways in which the operation can be asked is possible with this input. */
static err check_needs(const struct connector_operation *op, const struct json *input) {
    if (!op->needs || !op->needs[0])
        return OK;
    for (size_t i = 0; op->needs[i]; i++) {
        bool all = true;
        for (const str *name = op->needs[i]; name->ptr; name++) {
            const struct json *x = json_get(input, *name);
            all = all && x && x->type != JSON_NULL && !(x->type == JSON_STRING && x->string.len == 0);
        }
        if (all)
            return OK;
    }
    return fail(ERR_INPUT, "connector_input", "%.*s needs %.*s%s, which the input does not have", STR_ARG(op->name),
                STR_ARG(op->needs[0][0]), op->needs[0][1].ptr || op->needs[1] ? " and other inputs, or others instead" : "");
}

err connector_build(struct program_host *h, struct arena *a, const struct connector_binding *b,
                    const struct connector_operation *op, const struct json *input, const struct connector_page *page,
                    str token_base, struct connector_request *out) {
    const struct template_values v = {b, input, page};
    struct connector_request r = {.method = op->method, .body = STR("")};
    TRY(check_needs(op, input));
    TRY(build_url(a, &v, op, token_base, &r));
    TRY(build_headers(a, &v, op, &r));
    if (op->body_form == BODY_JSON)
        TRY(build_json(h, a, &v, op, &r.body));
    else if (op->body_form == BODY_FORM)
        TRY(build_form(a, &v, op, &r.body));
    else if (op->body_form == BODY_TEXT)
        TRY(template_fill(a, &v, op->text, USE_PLAIN, NULL, NULL, &r.body));
    *out = r;
    return OK;
}
