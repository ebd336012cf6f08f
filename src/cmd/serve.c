/* serve.c — galena serve and galena worker: run until told to stop. */
#include "cmd/service.h"
#include "net/notify.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

/* ---- signals ---- */

static sigset_t handled_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    return set;
}

/* Waits for a signal, at most `ms` (0: for ever). 0 when the time was over. */
static int next_signal(const sigset_t *set, int64_t ms) {
    const struct timespec limit = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    for (;;) {
        int number = ms > 0 ? sigtimedwait(set, NULL, &limit) : sigwaitinfo(set, NULL);
        if (number > 0)
            return number;
        if (errno == EAGAIN)
            return 0;
    }
}

static void tell_manager(struct session *s, err rc) {
    if (rc != OK)
        log_event(&s->log, LOG_WARN, "notify_failed", LOG_FIELDS(log_text("slug", str_from(err_slug()))));
}

/* ---- reload ---- */

/* A reload that fails changes nothing: the service goes on as it was. */
static void reload(struct session *s, struct service *v) {
    struct service_options o = {0};
    tell_manager(s, notify_reloading());
    err rc = command_options(s, &o);
    if (rc == OK)
        rc = service_reload(v, s, &o);
    if (rc == OK)
        log_event(&s->log, LOG_INFO, "reloaded", NULL, 0);
    else {
        log_event(&s->log, LOG_ERROR, "reload_failed", LOG_FIELDS(log_text("slug", str_from(err_slug()))));
        session_warn(s, "the new configuration was not taken over: %s", err_text());
    }
    tell_manager(s, notify_ready());
}

/* ---- running ---- */

static void run_until_stopped(struct session *s, struct service *v, const sigset_t *set) {
    int64_t watchdog_ms = notify_watchdog_ms();
    for (;;) {
        int number = next_signal(set, watchdog_ms);
        if (number == SIGHUP)
            reload(s, v);
        else if (number != 0)
            return;
        else if (service_alive(v))
            tell_manager(s, notify_alive());
    }
}

static void announce(struct session *s, const struct service *v, enum service_role role) {
    if (s->json) {
        struct session_document *d = session_document_new(s);
        json_open_object(&d->w);
        json_put_string(&d->w, STR("event"), STR("ready"));
        if (role == SERVICE_SERVE)
            json_put_string(&d->w, STR("address"), service_address(v));
        json_close_object(&d->w);
        if (session_document_print(s, d) != OK)
            return;
    } else if (role == SERVICE_SERVE) {
        fprintf(s->out.file, "galena is listening on %.*s\n", STR_ARG(service_address(v)));
    } else {
        fprintf(s->out.file, "galena works\n");
    }
    fflush(s->out.file);
}

static err run_service(struct session *s, const struct service_options *o, enum service_role role) {
    struct service *v;
    sigset_t set = handled_signals();
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* before any thread is there to take them */
    if (s->log.fd < 0 && !s->quiet)
        s->log.fd = STDERR_FILENO;
    TRY(service_start(s, o, role, &v));
    announce(s, v, role);
    tell_manager(s, notify_ready());
    log_event(&s->log, LOG_INFO, "ready", LOG_FIELDS(log_text("address", service_address(v))));
    run_until_stopped(s, v, &set);
    tell_manager(s, notify_stopping());
    log_event(&s->log, LOG_INFO, "stopping", NULL, 0);
    service_stop(v, (int64_t)(o->drain * 1000));
    log_event(&s->log, LOG_INFO, "stopped", NULL, 0);
    return OK;
}

static err run_serve(struct session *s, const void *options) { return run_service(s, options, SERVICE_SERVE); }
static err run_worker(struct session *s, const void *options) { return run_service(s, options, SERVICE_WORKER); }

const struct command command_serve = {
    .name = "serve",
    .summary = "run: take leads in over HTTP, score them, deliver, durably",
    .description =
        "Listens for leads, takes each through validation, enrichment, scoring, explanation and routing, and delivers the "
        "result. A lead that was answered with 202 is on disk and ends in exactly one of scored, insufficient_data, "
        "disqualified or failed, whatever happens to this process.\n\n"
        "Everything is kept in the data directory (SQLite) or in a PostgreSQL database, where any number of galena worker "
        "processes may share the work. Settings come from --config FILE, then the environment (GALENA_LISTEN for "
        "--listen), then the command line. SIGHUP reads them anew and takes over model, profile and targets for new leads; "
        "SIGTERM stops cleanly.\n\n"
        "Make a key for the API with galena key create. Metrics are at /metrics, health at /healthz and /readyz, the "
        "description of the API at /openapi.json.",
    .examples = "# score with a model, on one machine\ngalena serve --data leads --model leads.model\n"
                "# a key, and a lead\nKEY=$(galena key create website --data leads --scopes ingest)\n"
                "curl -H \"Authorization: Bearer $KEY\" --json @lead.json http://127.0.0.1:8080/v1/leads\n",
    .settings = service_settings,
    .n_setting = SERVICE_SETTING_COUNT,
    .options_size = sizeof(struct service_options),
    .configured = true,
    .run = run_serve,
};

const struct command command_worker = {
    .name = "worker",
    .summary = "run workers alone, on a database that is shared",
    .description =
        "Takes leads that other processes have accepted through the stages. Any number of workers on any hosts share one "
        "PostgreSQL database. A worker that dies or hangs loses its leases after --lease seconds, and what it had begun is "
        "done by another; its own late results are refused. All need the same master key.",
    .examples =
        "galena worker --database postgresql://galena@db/galena --master-key /etc/galena/master.key --model leads.model\n",
    .settings = service_settings,
    .n_setting = SERVICE_SETTING_COUNT,
    .options_size = sizeof(struct service_options),
    .configured = true,
    .run = run_worker,
};
