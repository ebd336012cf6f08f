/* sqlite_log.h — SQLite's write-ahead log, written in large pieces.
 *
 * SQLite writes a page to its log in two calls of the system, and a commit writes dozens of pages. This file system (a thin
 * layer on the one that SQLite has) gathers what is written one behind the other and hands it on as one piece, before SQLite
 * asks for it to be on disk or to read it back. With synchronous=FULL other connections look at nothing before that. Only
 * for the connection that writes, and only its log: all other files are those of SQLite's own file system. */
#ifndef GALENA_STORE_SQLITE_LOG_H
#define GALENA_STORE_SQLITE_LOG_H

/* The name for sqlite3_open_v2, registered on first use; NULL when there is no memory: then SQLite's own will do. */
const char *sqlite_log_vfs(void);

#endif
