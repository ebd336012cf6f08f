/* http_listen.c — from "host:port" to a listening socket. */
#include "net/http_server_priv.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HOST_BYTE = 256, PORT_BYTE = 6, BACKLOG = 1024 };

/* Host without brackets, and port. */
struct place {
    char host[HOST_BYTE], port[PORT_BYTE];
};

static err bad_address(const char *address, const char *why) {
    return fail(ERR_INPUT, "http_listen_address", "cannot listen on \"%.300s\": %s", address, why);
}

static err split_address(const char *address, struct place *p) {
    str text = str_from(address);
    const char *colon = strrchr(address, ':');
    if (!colon)
        return bad_address(address, "it must be HOST:PORT");
    str host = str_slice(text, 0, (size_t)(colon - address)), port = str_from(colon + 1);
    if (str_starts(host, STR("[")) && str_ends(host, STR("]")))
        host = str_slice(host, 1, host.len - 1);
    else if (str_find_byte(host, ':') >= 0)
        return bad_address(address, "an IPv6 address stands in brackets");
    if (host.len >= sizeof p->host || str_empty(port) || port.len >= sizeof p->port ||
        strspn(port.ptr, "0123456789") != port.len || strtol(port.ptr, NULL, 10) > 65535)
        return bad_address(address, "the port must be a number from 0 to 65535");
    if (host.len > 0)
        memcpy(p->host, host.ptr, host.len);
    p->host[host.len] = '\0';
    memcpy(p->port, port.ptr, port.len + 1);
    return OK;
}

/* -1 with errno when it cannot be bound. */
static int bind_one(const struct addrinfo *info) {
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    int on = 1, off = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (info->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int fault = errno;
    close(fd);
    errno = fault;
    return -1;
}

/* IPv6 first: "every address" then takes IPv4 as well. */
static int bind_any(const struct addrinfo *list) {
    static const int families[] = {AF_INET6, AF_INET};
    int fault = EADDRNOTAVAIL;
    for (size_t f = 0; f < sizeof families / sizeof *families; f++)
        for (const struct addrinfo *i = list; i; i = i->ai_next) {
            if (i->ai_family != families[f])
                continue;
            int fd = bind_one(i);
            if (fd >= 0)
                return fd;
            fault = errno;
            if (fault == EADDRINUSE || fault == EACCES)
                goto out; /* another family of the same name would only hide it */
        }
out:
    errno = fault;
    return -1;
}

static int port_of(int fd) {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a = {.v6 = {0}};
    socklen_t len = sizeof a;
    if (getsockname(fd, &a.any, &len) != 0)
        return 0;
    return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

err http_listen(const char *address, int *fd, int *port) {
    struct place place;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *list = NULL;
    TRY(split_address(address, &place));
    int rc = getaddrinfo(place.host[0] ? place.host : NULL, place.port, &hints, &list);
    if (rc != 0)
        return bad_address(address, gai_strerror(rc));
    *fd = bind_any(list);
    int fault = errno;
    freeaddrinfo(list);
    if (*fd >= 0) {
        *port = port_of(*fd);
        return OK;
    }
    if (fault == EADDRINUSE)
        return fail(ERR_CONFLICT, "http_listen_in_use", "cannot listen on \"%.300s\": another program does", address);
    if (fault == EACCES)
        return fail(ERR_DENIED, "http_listen_denied", "cannot listen on \"%.300s\": this user may not", address);
    return bad_address(address, strerror(fault));
}

size_t http_raise_file_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1024;
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit raised = {limit.rlim_max, limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
            limit = raised;
    }
    return limit.rlim_cur;
}
