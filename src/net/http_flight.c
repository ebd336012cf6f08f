/* http_flight.c — one call of the HTTP client: what libcurl is told, and what its answer means. */
#include "net/http_client_priv.h"

#include "base/clock.h"

#include <limits.h>
#include <sys/socket.h>

enum { MAX_METHOD_BYTE = 32, MAX_URL_BYTE = 64 * 1024, MAX_ANSWER_FIELDS = 256, MAX_CHECKED_BYTE = 16 * 1024 };

static const long UPLOAD_BYTE = 16384;

static int64_t now_ns(void) { return clock_system().steady_ns(); }

static bool has_part(CURLU *url, CURLUPart part) {
    char *text = NULL;
    bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK && text && text[0] != '\0';
    curl_free(text);
    return has;
}

static bool scheme_is(CURLU *url, const char *wanted) {
    char *scheme = NULL;
    bool is = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK && strcmp(scheme, wanted) == 0;
    curl_free(scheme);
    return is;
}

/* NULL for a URL that may be called, else what is wrong with it. */
static const char *url_fault(const char *text) {
    CURLU *url = curl_url();
    const char *fault = NULL, *host = strstr(text, "://");
    /* libcurl takes "http:///host" and "http:/host" for what was meant. */
    if (!url || !host || host[3] == '/' || curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK)
        fault = "it is no URL";
    else if (!scheme_is(url, "http") && !scheme_is(url, "https"))
        fault = "it is neither http nor https";
    else if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD))
        fault = "it has a user name or password";
    else if (!has_part(url, CURLUPART_HOST))
        fault = "it names no host";
    curl_url_cleanup(url);
    return fault;
}

static err check_call(const struct http_call *call) {
    if (call->url.len > MAX_URL_BYTE || (call->url.len > 0 && memchr(call->url.ptr, '\0', call->url.len)))
        return fail(ERR_INPUT, "http_bad_url", "the URL cannot be called: it is too long or has a NUL");
    if (call->method.len > MAX_METHOD_BYTE || !http_token(call->method))
        return fail(ERR_INPUT, "http_bad_field", "the method cannot be sent");
    if (call->n_header > HTTP_MAX_CALL_FIELDS)
        return fail(ERR_INPUT, "http_bad_field", "more than %d header fields cannot be sent", HTTP_MAX_CALL_FIELDS);
    for (size_t i = 0; i < call->n_header; i++)
        if (!http_field_sendable(call->header[i]))
            return fail(ERR_INPUT, "http_bad_field",
                        "header field %zu cannot be sent: its name is no token, or its value has control characters", i + 1);
    return OK;
}

static char *put_text(char **at, str text) {
    char *start = *at;
    if (text.len > 0)
        memcpy(start, text.ptr, text.len);
    start[text.len] = '\0';
    *at = start + text.len + 1;
    return start;
}

static str put_str(char **at, str text) { return (str){put_text(at, text), text.len}; }

static size_t text_byte(const struct http_call *call) {
    size_t n = call->method.len + 1 + call->url.len + 1 + call->body.len + 1;
    for (size_t i = 0; i < call->n_header; i++)
        n += call->header[i].name.len + call->header[i].value.len + 2;
    return n;
}

static void set_limits(struct http_flight *f, const struct http_client_settings *settings, const struct http_call *call) {
    f->submitted_ns = now_ns();
    f->deadline_ns = f->submitted_ns + (call->total_ms ? call->total_ms : settings->total_ms) * 1000000;
    f->connect_ms = call->connect_ms ? call->connect_ms : settings->connect_ms;
    f->max_redirects = call->max_redirects;
    buf_init(&f->head, settings->max_header_byte);
    size_t max_body = call->max_body_byte ? call->max_body_byte : settings->max_body_byte;
    buf_init(&f->answer, max_body + 1); /* and a NUL */
}

err http_flight_new(const struct http_client_settings *settings, const struct http_call *call, struct http_flight **flight) {
    TRY(check_call(call));
    struct http_flight *f = malloc(sizeof *f + text_byte(call));
    if (!f)
        return fail(ERR_AGAIN, "http_client_start", "the HTTP client has no memory");
    memset(f, 0, sizeof *f);
    f->size = sizeof *f + text_byte(call);
    f->settings = settings;
    char *at = (char *)(f + 1);
    f->method = put_text(&at, call->method);
    f->body = put_str(&at, call->body);
    for (size_t i = 0; i < call->n_header; i++)
        f->field[i] = (struct http_field){put_str(&at, call->header[i].name), put_str(&at, call->header[i].value)};
    f->n_field = call->n_header;
    f->done = call->done;
    f->ctx = call->ctx;
    set_limits(f, settings, call);
    const char *url = put_text(&at, call->url), *fault = url_fault(url);
    f->url = fault ? NULL : strdup(url); /* of its own, as a redirection replaces it */
    if (f->url) {
        *flight = f;
        return OK;
    }
    http_flight_free(f);
    if (fault)
        return fail(ERR_INPUT, "http_bad_url", "the URL cannot be called: %s", fault);
    return fail(ERR_AGAIN, "http_client_start", "the HTTP client has no memory");
}

/* Header fields and URLs may hold credentials. */
static void free_lines(struct http_flight *f) {
    for (struct curl_slist *l = f->line; l; l = l->next)
        explicit_bzero(l->data, strlen(l->data));
    curl_slist_free_all(f->line);
    f->line = NULL;
}

void http_flight_free(struct http_flight *f) {
    free_lines(f);
    curl_slist_free_all(f->resolve);
    buf_done(&f->head);
    buf_done(&f->answer);
    if (f->url)
        explicit_bzero(f->url, strlen(f->url));
    free(f->url);
    explicit_bzero(f, f->size);
    free(f);
}

/* The one place where a connection begins: the address is the one that will be connected to, whatever the name said before.
 */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to) {
    struct http_flight *f = ctx;
    struct address address;
    if (purpose != CURLSOCKTYPE_IPCXN || !address_from_socket(&to->addr, &address) ||
        !address_allowed(&address, f->settings->allow, f->settings->n_allow)) {
        f->address_refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static size_t take_head(const char *bytes, size_t size, size_t n, void *ctx) {
    struct http_flight *f = ctx;
    str line = {bytes, size * n};
    if (str_starts(line, STR("HTTP/")))
        buf_clear(&f->head); /* after 100 Continue, or a redirection */
    else
        buf_add(&f->head, line);
    f->too_large |= f->head.over;
    return f->too_large ? 0 : line.len;
}

static size_t take_body(const char *bytes, size_t size, size_t n, void *ctx) {
    struct http_flight *f = ctx;
    size_t len = size * n;
    if (len >= f->answer.max - f->answer.len) {
        f->too_large = true;
        return 0;
    }
    buf_add(&f->answer, (str){bytes, len});
    return f->answer.over ? 0 : len;
}

static size_t give_body(char *to, size_t size, size_t n, void *ctx) {
    struct http_flight *f = ctx;
    size_t left = f->body.len - f->body_sent, len = size * n < left ? size * n : left;
    if (len > 0)
        memcpy(to, f->body.ptr + f->body_sent, len);
    f->body_sent += len;
    return len;
}

/* Doing it twice is as good as once (RFC 9110 9.2.2). */
static bool is_idempotent(const char *method) {
    static const char *const methods[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(method, methods[i]) == 0)
            return true;
    return false;
}

/* libcurl would repeat a request whose reused connection broke. What may have been done must not be done again behind the
 * caller's back. */
static int rewind_body(void *ctx, curl_off_t offset, int origin) {
    struct http_flight *f = ctx;
    if (origin != SEEK_SET || offset != 0 || (f->body_sent > 0 && !is_idempotent(f->method)))
        return CURL_SEEKFUNC_FAIL;
    f->body_sent = 0;
    return CURL_SEEKFUNC_OK;
}

/* A foreign origin gets nothing that could be a secret. */
static bool goes_along(const struct http_flight *f, str name) {
    return !f->foreign_origin || str_equal_nocase(name, STR("Accept")) || str_equal_nocase(name, STR("Accept-Language")) ||
           str_equal_nocase(name, STR("User-Agent"));
}

static bool add_line(struct http_flight *f, const char *line) {
    struct curl_slist *longer = curl_slist_append(f->line, line);
    if (longer)
        f->line = longer;
    return longer != NULL;
}

static bool add_field(struct http_flight *f, struct http_field field) {
    char small[512];
    size_t need = field.name.len + field.value.len + 3;
    char *line = need <= sizeof small ? small : malloc(need);
    if (!line)
        return false;
    /* "Name;" is libcurl's way to write a field without a value. */
    bool empty = str_empty(str_trim(field.value));
    int n = snprintf(line, need, "%.*s%s%.*s", STR_ARG(field.name), empty ? ";" : ": ", empty ? 0 : (int)field.value.len,
                     empty ? "" : field.value.ptr);
    bool added = n > 0 && add_line(f, line);
    explicit_bzero(line, need);
    if (line != small)
        free(line);
    return added;
}

static bool set_lines(struct http_flight *f) {
    free_lines(f);
    bool good = add_line(f, "Expect:"); /* or libcurl would wait for 100 Continue */
    if (!http_field_value(f->field, f->n_field, STR("Content-Type")).ptr)
        good = good && add_line(f, "Content-Type:");
    for (size_t i = 0; good && i < f->n_field; i++)
        if (goes_along(f, f->field[i].name))
            good = add_field(f, f->field[i]);
    return good && curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, f->line) == CURLE_OK;
}

static void set_method(struct http_flight *f) {
    CURL *e = f->easy;
    if (strcmp(f->method, "HEAD") == 0) {
        curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
        return;
    }
    curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
    if (f->body.len > 0 || !is_idempotent(f->method)) {
        curl_easy_setopt(e, CURLOPT_POST, 1L);
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)f->body.len);
        curl_easy_setopt(e, CURLOPT_READFUNCTION, give_body);
        curl_easy_setopt(e, CURLOPT_READDATA, f);
        curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, rewind_body);
        curl_easy_setopt(e, CURLOPT_SEEKDATA, f);
    }
    if (f->body.len == 0 && !is_idempotent(f->method)) /* no body that could refuse to be rewound */
        curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, f->method);
}

static void set_guards(struct http_flight *f) {
    CURL *e = f->easy;
    const struct http_client_settings *s = f->settings;
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_PROXY, "");
    curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, f);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (s->ca_file) {
        curl_easy_setopt(e, CURLOPT_CAINFO, s->ca_file);
        curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
    }
}

static void set_times(struct http_flight *f) {
    int64_t left_ms = (f->deadline_ns - now_ns()) / 1000000;
    left_ms = left_ms < 1 ? 1 : left_ms > INT_MAX ? INT_MAX : left_ms;
    int64_t connect_ms = f->connect_ms < left_ms ? f->connect_ms : left_ms;
    curl_easy_setopt(f->easy, CURLOPT_TIMEOUT_MS, (long)left_ms);
    curl_easy_setopt(f->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    curl_easy_setopt(f->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(f->easy, CURLOPT_QUICK_EXIT, 1L); /* a name server that does not answer must not hold the thread */
    curl_easy_setopt(f->easy, CURLOPT_MAXAGE_CONN, 60L);
    curl_easy_setopt(f->easy, CURLOPT_TCP_KEEPALIVE, 1L);
}

/* The host of a URL without brackets; NULL when there is none, else for curl_free. */
static char *host_of(CURLU *url) {
    char *host = NULL;
    if (!url || curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK || !host)
        return NULL;
    size_t n = strlen(host);
    if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
        memmove(host, host + 1, n - 2);
        host[n - 2] = '\0';
    }
    return host;
}

err http_flight_check_url(const struct http_client_settings *settings, str url) {
    char text[MAX_CHECKED_BYTE];
    struct address address;
    if (url.len >= sizeof text || (url.len > 0 && memchr(url.ptr, '\0', url.len)))
        return fail(ERR_INPUT, "http_bad_url", "the URL cannot be called: it is too long or has a NUL");
    memcpy(text, url.len > 0 ? url.ptr : "", url.len);
    text[url.len] = '\0';
    const char *fault = url_fault(text);
    if (fault)
        return fail(ERR_INPUT, "http_bad_url", "the URL cannot be called: %s", fault);
    CURLU *parts = curl_url();
    char *host = parts && curl_url_set(parts, CURLUPART_URL, text, 0) == CURLUE_OK ? host_of(parts) : NULL;
    bool refused =
        host && address_parse(str_from(host), &address) && !address_allowed(&address, settings->allow, settings->n_allow);
    curl_free(host);
    curl_url_cleanup(parts);
    if (!refused)
        return OK;
    return fail(ERR_DENIED, "http_address_refused",
                "the address is private or reserved and not on the list of those allowed");
}

/* Tells libcurl what the resolver says, if there is one. */
static void set_resolved(struct http_flight *f) {
    char line[512], text[ADDRESS_TEXT_BYTE];
    struct address address;
    if (!f->settings->resolve)
        return;
    curl_slist_free_all(f->resolve);
    f->resolve = NULL;
    CURLU *parts = curl_url();
    char *port = NULL, *host = parts && curl_url_set(parts, CURLUPART_URL, f->url, 0) == CURLUE_OK ? host_of(parts) : NULL;
    if (host && !address_parse(str_from(host), &address) &&
        curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
        f->settings->resolve(f->settings->resolve_ctx, str_from(host), &address)) {
        address_format(&address, text);
        snprintf(line, sizeof line, "%s:%s:%s%s%s", host, port, strchr(text, ':') ? "[" : "", text,
                 strchr(text, ':') ? "]" : "");
        f->resolve = curl_slist_append(NULL, line);
        curl_easy_setopt(f->easy, CURLOPT_RESOLVE, f->resolve);
    }
    curl_free(port);
    curl_free(host);
    curl_url_cleanup(parts);
}

bool http_flight_prepare(struct http_flight *f) {
    CURL *e = f->easy;
    curl_easy_reset(e);
    buf_clear(&f->head);
    buf_clear(&f->answer);
    f->body_sent = 0;
    f->fault[0] = '\0';
    curl_easy_setopt(e, CURLOPT_PRIVATE, f);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, f->fault);
    curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BYTE); /* each call that waits holds one */
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, take_head);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, f);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(e, CURLOPT_USERAGENT, f->settings->user_agent);
    set_guards(f);
    set_resolved(f);
    set_times(f);
    set_method(f);
    return set_lines(f) && curl_easy_setopt(e, CURLOPT_URL, f->url) == CURLE_OK;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part, unsigned flags) {
    char *x = NULL, *y = NULL;
    bool same = curl_url_get(a, part, &x, flags) == CURLUE_OK && curl_url_get(b, part, &y, flags) == CURLUE_OK &&
                str_equal_nocase(str_from(x), str_from(y));
    curl_free(x);
    curl_free(y);
    return same;
}

/* How the next place stands to this one. */
struct step {
    bool same_origin, downgrade;
};

static struct step compare(const char *from, const char *to) {
    struct step step = {.downgrade = true};
    CURLU *a = curl_url(), *b = curl_url();
    if (a && b && curl_url_set(a, CURLUPART_URL, from, 0) == CURLUE_OK &&
        curl_url_set(b, CURLUPART_URL, to, 0) == CURLUE_OK) {
        step.downgrade = scheme_is(a, "https") && !scheme_is(b, "https");
        step.same_origin = same_part(a, b, CURLUPART_SCHEME, 0) && same_part(a, b, CURLUPART_HOST, 0) &&
                           same_part(a, b, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    }
    curl_url_cleanup(a);
    curl_url_cleanup(b);
    return step;
}

bool http_flight_redirect(struct http_flight *f, err *rc) {
    char *to = NULL;
    *rc = OK;
    if (f->max_redirects == 0 || (strcmp(f->method, "GET") != 0 && strcmp(f->method, "HEAD") != 0))
        return false;
    if (curl_easy_getinfo(f->easy, CURLINFO_REDIRECT_URL, &to) != CURLE_OK || !to)
        return false;
    const char *fault = url_fault(to);
    struct step step = compare(f->url, to);
    if (!fault && step.downgrade)
        fault = "it leads from https to http";
    char *copy = fault ? NULL : strdup(to);
    if (fault)
        *rc = fail(ERR_DENIED, "http_redirect_refused", "the redirection is not followed: %s", fault);
    else if (f->redirects == f->max_redirects)
        *rc = fail(ERR_LIMIT, "http_too_many_redirects", "more than %u redirections", f->max_redirects);
    else if (!copy)
        *rc = fail(ERR_AGAIN, "http_client_start", "the HTTP client has no memory");
    if (*rc != OK) {
        free(copy);
        return false;
    }
    f->foreign_origin |= !step.same_origin;
    f->redirects++;
    free(f->url);
    f->url = copy;
    return true;
}

/* What libcurl says, without the URL, whose query may hold secrets. */
static const char *said(const struct http_flight *f, CURLcode code) {
    return f->fault[0] ? f->fault : curl_easy_strerror(code);
}

static bool was_sent(struct http_flight *f) {
    long bytes = 0;
    return f->body_sent > 0 || (curl_easy_getinfo(f->easy, CURLINFO_REQUEST_SIZE, &bytes) == CURLE_OK && bytes > 0);
}

static err broken(struct http_flight *f, CURLcode code, bool *ambiguous) {
    if (!was_sent(f))
        return code == CURLE_OPERATION_TIMEDOUT
                   ? fail(ERR_AGAIN, "http_timeout", "time was over before the request was sent")
                   : fail(ERR_AGAIN, "http_connect_failed", "%s", said(f, code));
    *ambiguous = true;
    return fail(ERR_AGAIN, "http_outcome_unknown", "the request may have arrived: %s", said(f, code));
}

static err tls_fault(const struct http_flight *f, CURLcode code) {
    return fail(ERR_DENIED, "http_tls_refused", "the other side's certificate is not accepted: %s", said(f, code));
}

static err strange(struct http_flight *f, CURLcode code, bool *ambiguous) {
    *ambiguous = was_sent(f);
    return fail(ERR_REMOTE, "http_bad_answer", "the answer is not understood: %s", said(f, code));
}

err http_flight_outcome(struct http_flight *f, CURLcode code, bool cancelled, bool *ambiguous) {
    *ambiguous = false;
    if (cancelled) {
        *ambiguous = f->easy && was_sent(f);
        return fail(ERR_AGAIN, "http_cancelled", "the call was cancelled");
    }
    if (f->too_large)
        return fail(ERR_LIMIT, "http_answer_too_large", "the answer is larger than its limit");
    switch ((int)code) {
    case CURLE_OK:
        return OK;
    case CURLE_COULDNT_RESOLVE_HOST:
        return fail(ERR_AGAIN, "http_host_unknown", "%s", said(f, code));
    case CURLE_COULDNT_CONNECT:
        if (f->address_refused)
            return fail(ERR_DENIED, "http_address_refused",
                        "the address is private or reserved and not on the list of those allowed");
        return fail(ERR_AGAIN, "http_connect_failed", "%s", said(f, code));
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return tls_fault(f, code);
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
        return broken(f, code, ambiguous);
    case CURLE_PARTIAL_FILE: /* with a status: the other side has decided */
        return fail(ERR_REMOTE, "http_bad_answer", "the answer is cut off: %s", said(f, code));
    case CURLE_OUT_OF_MEMORY:
        *ambiguous = was_sent(f);
        return fail(ERR_AGAIN, "http_client_start", "the HTTP client has no memory");
    default:
        return strange(f, code, ambiguous);
    }
}

static size_t split_head(str head, struct http_field *field) {
    size_t n = 0;
    str rest = head, line;
    while (n < MAX_ANSWER_FIELDS && str_split(&rest, '\n', &line)) {
        ptrdiff_t colon = str_find_byte(line, ':');
        if (colon > 0)
            field[n++] = (struct http_field){str_slice(line, 0, (size_t)colon),
                                             str_trim(str_slice(line, (size_t)colon + 1, line.len))};
    }
    return n;
}

static void copy_sentence(struct http_flight *f) {
    size_t n = strnlen(err_text(), sizeof f->text - 1);
    memcpy(f->text, err_text(), n);
    f->text[n] = '\0';
}

void http_flight_deliver(struct http_flight *f, err rc, bool ambiguous) {
    struct http_field field[MAX_ANSWER_FIELDS];
    struct http_result result = {.rc = rc, .slug = "", .text = f->text, .ambiguous = ambiguous, .redirects = f->redirects};
    if (rc != OK) {
        result.slug = err_slug();
        copy_sentence(f);
    }
    long status = 0;
    char *address = NULL;
    if (f->easy) {
        curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(f->easy, CURLINFO_PRIMARY_IP, &address);
    }
    result.status = (int)status;
    result.address = str_from(address);
    result.header = field;
    result.n_header = split_head(buf_str(&f->head), field);
    f->answer.over = false;
    buf_add_byte(&f->answer, '\0');
    result.body = f->answer.ptr ? (str){f->answer.ptr, f->answer.len - 1} : STR("");
    result.elapsed_us = (now_ns() - f->submitted_ns) / 1000;
    f->done(f->ctx, &result);
}
