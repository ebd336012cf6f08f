/* service.h — the running program: store, engine, API and listeners, put together from options.
 *
 * `galena serve` has all of it, `galena worker` no API, and the commands that look at leads a service of their own for the
 * moment, without workers, when none is running. */
#ifndef GALENA_CMD_SERVICE_H
#define GALENA_CMD_SERVICE_H

#include "cmd/place.h"

struct service_options {
    struct place_options place;
    str listen, tls_cert, tls_key;
    int64_t workers, writers, max_backlog, max_running, max_connections, max_connections_per_address, max_body, max_jobs;
    double poll, lease, drain, tick, sweep;
    int64_t max_attempts, max_crashes;
    double retry_base, retry_cap;
    str model, profile;
    double hot, warm, interval;
    int64_t reasons;
    int64_t rescore_hot, rescore_warm, rescore_cold;
    str deliver_url, deliver_status_url, deliver_secret, deliver_old_secret;
    str lookup_url, lookup_secret;
    double lookup_wait, deliver_timeout, lookup_timeout;
    int64_t deliver_parallel, lookup_parallel;
    struct setting_list hook_secret, allow_address;
    str redis, ca_file;
    bool open_metrics, deliver_hold;
};

enum { SERVICE_SETTING_COUNT = 51 };
extern const struct setting service_settings[SERVICE_SETTING_COUNT];

/* Options for a service that only answers its own command: the tables' fallbacks, with `place`. */
struct service_options service_defaults(struct session *s, const struct place_options *place);

enum service_role { SERVICE_SERVE, SERVICE_WORKER, SERVICE_CONTROL };

struct service;

/* Opens everything and starts it; nothing runs when it fails. Messages name what could not be had. */
err service_start(struct session *s, const struct service_options *o, enum service_role role,
                  struct service **out) MUST_CHECK;

/* Takes over what may change while it runs: model, profile, thresholds, targets of new runs. On failure all stays as it was.
 */
err service_reload(struct service *v, struct session *s, const struct service_options *o) MUST_CHECK;

/* Stops accepting, drains for at most drain_ms, closes. */
void service_stop(struct service *v, int64_t drain_ms);

/* Where the API listens ("http://127.0.0.1:8080"), where the control listener does, and its token. */
str service_address(const struct service *v);
str service_control_address(const struct service *v);
str service_control_token(const struct service *v);

/* New leads can be pinned: to the model and profile of the options, or, in SERVICE_CONTROL, to those of the service that
 * ran here last. */
bool service_knows_pins(const struct service *v);

/* Something went wrong that a service manager should see: the heart has stopped. */
bool service_alive(const struct service *v);

#endif
