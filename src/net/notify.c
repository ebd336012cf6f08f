/* notify.c — datagrams to the service manager. */
#include "net/notify.h"

#include "base/clock.h"
#include "base/number.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static err fill_address(const char *path, struct sockaddr_un *to, socklen_t *len) {
    size_t n = strlen(path);
    *to = (struct sockaddr_un){.sun_family = AF_UNIX};
    if ((path[0] != '/' && path[0] != '@') || path[1] == '\0' || n >= sizeof to->sun_path)
        return fail(ERR_INPUT, "notify_bad_socket", "NOTIFY_SOCKET is \"%.100s\": neither a path nor '@' and a name", path);
    memcpy(to->sun_path, path, n);
    if (path[0] == '@')
        to->sun_path[0] = '\0';
    *len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (path[0] == '/'));
    return OK;
}

err notify_send(str message) {
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to;
    socklen_t len = 0;
    if (!path || path[0] == '\0')
        return OK;
    TRY(fill_address(path, &to, &len));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ssize_t sent = fd < 0 ? -1 : sendto(fd, message.ptr, message.len, MSG_NOSIGNAL, (const struct sockaddr *)&to, len);
    int fault = errno;
    if (fd >= 0)
        close(fd);
    if (sent != (ssize_t)message.len)
        return fail(ERR_AGAIN, "notify_failed", "the service manager cannot be told: %s", strerror(fault));
    return OK;
}

err notify_ready(void) { return notify_send(STR("READY=1")); }

err notify_reloading(void) {
    char text[64];
    int n = snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)(clock_system().steady_ns() / 1000));
    return notify_send((str){text, (size_t)n});
}

err notify_stopping(void) { return notify_send(STR("STOPPING=1")); }

err notify_alive(void) { return notify_send(STR("WATCHDOG=1")); }

/* The variable as a positive number; false when it is not set or none. */
static bool read_number(const char *name, int64_t *out) {
    const char *text = getenv(name);
    return text && number_parse_integer(str_from(text), out) && *out > 0;
}

int64_t notify_watchdog_ms(void) {
    int64_t period_us, pid;
    if (!read_number("WATCHDOG_USEC", &period_us))
        return 0;
    if (getenv("WATCHDOG_PID") && (!read_number("WATCHDOG_PID", &pid) || pid != (int64_t)getpid()))
        return 0;
    return period_us < 2000 ? 1 : period_us / 2000;
}
