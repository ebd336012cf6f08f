/* pg_proxy.c — a thread that copies bytes between unix sockets. */
#include "pg_proxy.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { WIRES = 16, CHUNK = 65536 };

struct wire {
    int client, server;
    bool deaf; /* COMMIT has passed: answers are swallowed, then the wire is cut */
};

struct pg_proxy {
    char directory[64], path[96], target[104], url[160];
    int listener, stop[2];
    struct wire wire[WIRES];
    atomic_int cut;
    pthread_t id;
};

static int connect_to(const char *path) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

static void cut_wire(struct wire *w) {
    close(w->client);
    close(w->server);
    *w = (struct wire){.client = -1, .server = -1};
}

static void accept_wire(struct pg_proxy *p) {
    int client = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
    int server = connect_to(p->target);
    for (int i = 0; client >= 0 && server >= 0 && i < WIRES; i++)
        if (p->wire[i].client < 0) {
            p->wire[i] = (struct wire){.client = client, .server = server};
            return;
        }
    close(client);
    close(server);
}

static bool send_all(int fd, const char *from, ssize_t n) {
    while (n > 0) {
        ssize_t k = send(fd, from, (size_t)n, MSG_NOSIGNAL);
        if (k <= 0)
            return false;
        from += k;
        n -= k;
    }
    return true;
}

static void from_client(struct pg_proxy *p, struct wire *w, char *chunk) {
    ssize_t n = read(w->client, chunk, CHUNK);
    bool commit = n > 0 && memmem(chunk, (size_t)n, "COMMIT", 7);
    int cut = atomic_load(&p->cut);
    if (commit && cut == PG_CUT_AFTER_COMMIT)
        w->deaf = true;
    if (commit && cut != PG_CUT_NEVER)
        atomic_store(&p->cut, PG_CUT_NEVER);
    if (n <= 0 || (commit && cut == PG_CUT_BEFORE_COMMIT) || !send_all(w->server, chunk, n))
        cut_wire(w);
}

static void from_server(struct wire *w, char *chunk) {
    ssize_t n = read(w->server, chunk, CHUNK);
    bool over = n > 0 && w->deaf && memmem(chunk, (size_t)n, "COMMIT", 7);
    if (n <= 0 || over || (!w->deaf && !send_all(w->client, chunk, n)))
        cut_wire(w);
}

static void *run(void *ctx) {
    struct pg_proxy *p = ctx;
    char *chunk = malloc(CHUNK);
    struct pollfd fd[2 * WIRES + 2];
    for (;;) {
        fd[0] = (struct pollfd){p->stop[0], POLLIN, 0};
        fd[1] = (struct pollfd){p->listener, POLLIN, 0};
        for (int i = 0; i < WIRES; i++) {
            fd[2 + 2 * i] = (struct pollfd){p->wire[i].client, POLLIN, 0};
            fd[3 + 2 * i] = (struct pollfd){p->wire[i].server, POLLIN, 0};
        }
        if (poll(fd, 2 * WIRES + 2, -1) < 0 || fd[0].revents)
            break;
        if (fd[1].revents)
            accept_wire(p);
        for (int i = 0; i < WIRES; i++) {
            struct wire *w = &p->wire[i];
            if (w->client >= 0 && w->client == fd[2 + 2 * i].fd && fd[2 + 2 * i].revents)
                from_client(p, w, chunk);
            if (w->server >= 0 && w->server == fd[3 + 2 * i].fd && fd[3 + 2 * i].revents)
                from_server(w, chunk);
        }
    }
    free(chunk);
    return NULL;
}

static void stop(void *ctx) {
    struct pg_proxy *p = ctx;
    if (write(p->stop[1], "x", 1) == 1)
        pthread_join(p->id, NULL);
    for (int i = 0; i < WIRES; i++)
        if (p->wire[i].client >= 0)
            cut_wire(&p->wire[i]);
    close(p->listener);
    close(p->stop[0]);
    close(p->stop[1]);
    unlink(p->path);
    rmdir(p->directory);
}

struct pg_proxy *pg_proxy_start(struct arena *a, const struct pg_server *s) {
    struct pg_proxy *p = ARENA_NEW(a, struct pg_proxy);
    const char *host = strstr(pg_server_url(s), "host=") + 5;
    for (int i = 0; i < WIRES; i++)
        p->wire[i] = (struct wire){.client = -1, .server = -1};
    snprintf(p->directory, sizeof p->directory, "/tmp/galena-px-XXXXXX");
    if (!mkdtemp(p->directory))
        return NULL;
    snprintf(p->path, sizeof p->path, "%s/.s.PGSQL.5432", p->directory);
    snprintf(p->target, sizeof p->target, "%.*s/.s.PGSQL.5432", (int)strcspn(host, "&"), host);
    snprintf(p->url, sizeof p->url, "postgresql:///postgres?host=%s&user=postgres", p->directory);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", p->path);
    p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(p->listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(p->listener, 16) != 0 || pipe(p->stop) != 0 ||
        pthread_create(&p->id, NULL, run, p) != 0)
        return NULL;
    arena_defer(a, stop, p);
    return p;
}

const char *pg_proxy_url(const struct pg_proxy *p) { return p->url; }

void pg_proxy_cut(struct pg_proxy *p, enum pg_cut cut) { atomic_store(&p->cut, cut); }
