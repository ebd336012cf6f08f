/* net_support.h — a client of bare sockets, and a server to talk to, for tests of the network. */
#ifndef GALENA_TESTS_NET_NET_SUPPORT_H
#define GALENA_TESTS_NET_NET_SUPPORT_H

#include "base/clock.h"
#include "net/http_server.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 20000 };

static inline int64_t net_now_ms(void) { return clock_system().steady_ns() / 1000000; }

/* Waits until the condition holds, at most WAIT_MS. */
#define net_wait(condition)                                                                                                 \
    do {                                                                                                                    \
        int64_t net_until_ = net_now_ms() + WAIT_MS;                                                                        \
        while (!(condition)) {                                                                                              \
            if (net_now_ms() > net_until_)                                                                                  \
                fail_msg("waited in vain for %s", #condition);                                                              \
            poll(NULL, 0, 1);                                                                                               \
        }                                                                                                                   \
    } while (0)

static inline struct sockaddr_in net_loopback(int port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* A connection to a port of this machine. */
static inline int net_connect(int port) {
    struct sockaddr_in to = net_loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static inline void net_send(int fd, str bytes) {
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        assert_true(n > 0);
        bytes = str_slice(bytes, (size_t)n, bytes.len);
    }
}

#define net_send_text(fd, text) net_send((fd), str_from(text))

/* Bytes, 0 at the end, -1 on a reset; fails after WAIT_MS. */
static inline ssize_t net_receive(int fd, char *to, size_t max) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, WAIT_MS) != 1)
        fail_msg("nothing came for %d ms", WAIT_MS);
    return recv(fd, to, max, 0);
}

static inline bool net_closed(int fd) {
    char byte[4096];
    ssize_t n;
    while ((n = net_receive(fd, byte, sizeof byte)) > 0)
        continue;
    return true;
}

/* Everything until the other side closes. */
static inline str net_receive_all(struct arena *a, int fd) {
    size_t cap = 1 << 20, len = 0;
    char *text = arena_alloc(a, cap);
    ssize_t n;
    while (len < cap && (n = net_receive(fd, text + len, cap - len)) > 0)
        len += (size_t)n;
    return (str){text, len};
}

struct net_answer {
    int status;
    str head, body;
};

static inline str net_answer_field(const struct net_answer *answer, const char *name) {
    str rest = answer->head, line;
    while (str_split(&rest, '\n', &line)) {
        ptrdiff_t colon = str_find_byte(line, ':');
        if (colon > 0 && str_equal_nocase(str_slice(line, 0, (size_t)colon), str_from(name)))
            return str_trim(str_slice(line, (size_t)colon + 1, line.len));
    }
    return (str){0};
}

/* One answer with Content-Length (or none: no body), byte by byte in its head so that what follows stays unread. */
static inline struct net_answer net_receive_answer(struct arena *a, int fd, bool has_body) {
    char *head = arena_alloc(a, 16384);
    size_t n = 0;
    while (n < 4 || memcmp(head + n - 4, "\r\n\r\n", 4) != 0) {
        assert_true(n < 16384);
        if (net_receive(fd, head + n, 1) != 1)
            fail_msg("the connection ended within the head: \"%.*s\"", (int)n, head);
        n++;
    }
    struct net_answer answer = {.head = {head, n}};
    assert_int_equal(sscanf(head, "HTTP/1.1 %d", &answer.status), 1);
    str length = net_answer_field(&answer, "Content-Length");
    size_t want = length.ptr && has_body ? strtoul(length.ptr, NULL, 10) : 0, got = 0;
    char *body = arena_alloc(a, want + 1);
    while (got < want) {
        ssize_t more = net_receive(fd, body + got, want - got);
        assert_true(more > 0);
        got += (size_t)more;
    }
    answer.body = (str){body, want};
    return answer;
}

/* One request on a connection of its own; "Connection: close" is the caller's matter. */
static inline struct net_answer net_ask(struct arena *a, int port, const char *request) {
    int fd = net_connect(port);
    net_send_text(fd, request);
    struct net_answer answer = net_receive_answer(a, fd, strncmp(request, "HEAD", 4) != 0);
    close(fd);
    return answer;
}

#endif
