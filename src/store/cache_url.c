/* cache_url.c — takes the URL of a Redis server apart. */
#include "store/cache_url.h"

enum { PORT = 6379, DB_MAX = 9999, PORT_MAX = 65535 };

static err bad(const char *why) { return fail(ERR_INPUT, "cache_url", "the URL of the cache %s", why); }

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Writes `s` with %XX decoded and a NUL behind it. */
static err decode(str s, char *to, size_t room, const char *why) {
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        int c = (unsigned char)s.ptr[i];
        if (c == '%') {
            int high = i + 2 < s.len ? hex_digit(s.ptr[i + 1]) : -1;
            int low = i + 2 < s.len ? hex_digit(s.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return bad("has a % that two hexadecimal digits do not follow");
            c = high * 16 + low;
            i += 2;
        }
        if (c == 0 || n + 1 >= room)
            return bad(why);
        to[n++] = (char)c;
    }
    to[n] = '\0';
    return OK;
}

static err read_number(str s, int max, int *out, const char *why) {
    int x = 0;
    if (s.len == 0 || s.len > 5)
        return bad(why);
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return bad(why);
        x = x * 10 + (s.ptr[i] - '0');
    }
    if (x > max)
        return bad(why);
    *out = x;
    return OK;
}

/* Takes "[user][:password]@" off the front of *rest, which ends where the path begins. */
static err read_user(str *rest, struct cache_url *u) {
    ptrdiff_t slash = str_find_byte(*rest, '/'), at = -1;
    for (size_t i = 0; i < (slash < 0 ? rest->len : (size_t)slash); i++)
        if (rest->ptr[i] == '@')
            at = (ptrdiff_t)i;
    if (at < 0)
        return OK;
    str who = str_slice(*rest, 0, (size_t)at), password = {0};
    *rest = str_slice(*rest, (size_t)at + 1, rest->len);
    ptrdiff_t colon = str_find_byte(who, ':');
    if (colon >= 0) {
        password = str_slice(who, (size_t)colon + 1, who.len);
        who = str_slice(who, 0, (size_t)colon);
    }
    TRY(decode(who, u->user, sizeof u->user, "has too long a user"));
    TRY(decode(password, u->password, sizeof u->password, "has too long a password"));
    return u->user[0] && !u->password[0] ? bad("has a user without a password") : OK;
}

static err read_host(str host, struct cache_url *u) {
    ptrdiff_t end = str_starts(host, STR("[")) ? str_find_byte(host, ']') : -1;
    ptrdiff_t colon = str_find_byte(end < 0 ? host : str_slice(host, (size_t)end, host.len), ':');
    str name = colon < 0 ? host : str_slice(host, 0, (size_t)(colon + (end < 0 ? 0 : end)));
    if (colon >= 0)
        TRY(read_number(str_slice(host, name.len + 1, host.len), PORT_MAX, &u->port, "has no port number behind the colon"));
    if (end >= 0)
        name = str_slice(name, 1, (size_t)end);
    TRY(decode(name, u->host, sizeof u->host, "has too long a host"));
    return u->host[0] && u->port > 0 ? OK : bad("names no host");
}

static err read_tcp(str rest, struct cache_url *u) {
    TRY(read_user(&rest, u));
    ptrdiff_t slash = str_find_byte(rest, '/');
    str db = slash < 0 ? (str){0} : str_slice(rest, (size_t)slash + 1, rest.len);
    TRY(read_host(slash < 0 ? rest : str_slice(rest, 0, (size_t)slash), u));
    return db.len > 0 ? read_number(db, DB_MAX, &u->db, "has something else than a database number behind the slash") : OK;
}

static err read_unix(str rest, struct cache_url *u) {
    TRY(read_user(&rest, u));
    ptrdiff_t mark = str_find_byte(rest, '?');
    str query = mark < 0 ? (str){0} : str_slice(rest, (size_t)mark + 1, rest.len);
    str path = mark < 0 ? rest : str_slice(rest, 0, (size_t)mark);
    if (!str_starts(path, STR("/")))
        return bad("names no socket by its whole path");
    TRY(decode(path, u->path, sizeof u->path, "has too long a path (107 bytes at most)"));
    if (mark < 0)
        return OK;
    if (!str_starts(query, STR("db=")))
        return bad("has something else than db=N behind the question mark");
    return read_number(str_slice(query, 3, query.len), DB_MAX, &u->db, "has no number behind db=");
}

err cache_url_parse(str url, struct cache_url *out) {
    struct cache_url u = {.port = PORT};
    const str tcp = STR("redis://"), local = STR("redis+unix://");
    if (str_starts(url, STR("rediss://")))
        return bad("asks for TLS, which is not supported; use redis:// on a network you trust, or a local proxy");
    if (str_starts(url, tcp))
        TRY(read_tcp(str_slice(url, tcp.len, url.len), &u));
    else if (str_starts(url, local))
        TRY(read_unix(str_slice(url, local.len, url.len), &u));
    else
        return bad("begins with neither redis:// nor redis+unix://");
    *out = u;
    return OK;
}
