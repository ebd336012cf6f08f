/* notify.h — tells the service manager how the program fares (the protocol of sd_notify(3)), or does nothing without one. */
#ifndef GALENA_NET_NOTIFY_H
#define GALENA_NET_NOTIFY_H

#include "base/str.h"

#include <stdint.h>

/* Sends one message, lines of NAME=VALUE, to the socket that NOTIFY_SOCKET names: a path, or '@' and an abstract name. OK
 * also when the variable is not set. ERR_INPUT ("notify_bad_socket"), ERR_AGAIN ("notify_failed"). */
err notify_send(str message) MUST_CHECK;

err notify_ready(void) MUST_CHECK;     /* start or reload is complete */
err notify_reloading(void) MUST_CHECK; /* with MONOTONIC_USEC, as Type=notify-reload wants it */
err notify_stopping(void) MUST_CHECK;
err notify_alive(void) MUST_CHECK; /* feeds the watchdog */

/* Milliseconds between two calls of notify_alive (half of WATCHDOG_USEC), or 0 when no watchdog waits for this process. */
int64_t notify_watchdog_ms(void);

#endif
