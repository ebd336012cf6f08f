/* pg_server.h — a private PostgreSQL for tests: its own directory, a unix socket, no network, gone with the test. */
#ifndef GALENA_TESTS_STORE_PG_SERVER_H
#define GALENA_TESTS_STORE_PG_SERVER_H

#include "base/arena.h"
#include "base/str.h"

struct pg_server;

/* Starts a server. NULL when no PostgreSQL is installed or it cannot run here; *why says which. It is fsync'ing and has 40
 * connections; as root it runs as the user postgres or nobody. Stopped and removed with the arena. */
struct pg_server *pg_server_start(struct arena *a, const char **why);

/* postgresql://… of the database "postgres" (a superuser, no password over the socket). */
const char *pg_server_url(const struct pg_server *s);

/* Ends the server at once, as `pg_ctl stop -m immediate` does; and starts it again. False when that fails. */
void pg_server_kill(struct pg_server *s);
bool pg_server_resume(struct pg_server *s);

/* Runs SQL text with psql, as the superuser; false when it fails. */
bool pg_server_sql(const struct pg_server *s, const char *sql);

#endif
