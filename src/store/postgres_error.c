/* postgres_error.c — what the server and the client library report, as our errors; never with the values of parameters. */
#include "store/postgres_priv.h"

struct state_code {
    const char *state; /* SQLSTATE, or the beginning of it */
    err code;
    const char *slug, *phrase;
    bool told; /* the server's sentence holds no values and may be shown */
};

/* The first line that fits counts. */
static const struct state_code codes[] = {
    {"23505", ERR_CONFLICT, "db_unique", "a key is taken", false},
    {"23", ERR_INPUT, "db_constraint", "a value that the tables refuse", false},
    {"22", ERR_INPUT, "db_value", "a value that the server refuses", false},
    {"40001", ERR_CONFLICT, "db_serialization", "somebody changed the data first", true},
    {"40P01", ERR_CONFLICT, "db_serialization", "a deadlock", true},
    {"55P03", ERR_AGAIN, "db_busy", "locked for too long by another connection", true},
    {"55006", ERR_AGAIN, "db_busy", "in use", true},
    {"53100", ERR_AGAIN, "disk_full", "the server's disk is full", true},
    {"53", ERR_AGAIN, "db_busy", "the server has too little of something", true},
    {"57014", ERR_AGAIN, "db_timeout", "the statement took too long", true},
    {"57", ERR_AGAIN, "db_lost", "the server ended the connection", true},
    {"08", ERR_AGAIN, "db_lost", "the connection broke", true},
    {"25006", ERR_AGAIN, "db_lost", "the server takes no changes now", true},
    {"25P03", ERR_AGAIN, "db_lost", "the transaction was idle for too long", true},
    {"0A000", ERR_AGAIN, "db_lost", "the tables changed under a prepared statement", true},
    {"26000", ERR_AGAIN, "db_lost", "the prepared statements are gone", true},
    {"28", ERR_DENIED, "db_denied", "the server refuses us", true},
    {"42501", ERR_DENIED, "db_denied", "not allowed", true},
    {"3D000", ERR_ABSENT, "db_missing", "no such database", true},
    {"42", ERR_CORRUPT, "db_schema", "the tables are not what this program expects", true},
    {"3F000", ERR_CORRUPT, "db_schema", "the tables are not what this program expects", true},
    {"XX", ERR_CORRUPT, "db_corrupt", "the server found its data damaged", true},
    {"58", ERR_AGAIN, "db_io", "the server could not read or write", true},
};

static const struct state_code *find(const char *state) {
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strncmp(state, codes[i].state, strlen(codes[i].state)) == 0)
            return &codes[i];
    return NULL;
}

static const char *field(const PGresult *result, int which) {
    const char *text = PQresultErrorField(result, which);
    return text ? text : "";
}

err postgres_result_fault(const struct db *db, const PGresult *result, const char *name) {
    const char *state = field(result, PG_DIAG_SQLSTATE);
    const struct state_code *c = find(state);
    if (!*state)
        return fail(ERR_AGAIN, "db_lost", "%s: %s: the connection to the database broke", db->name, name);
    if (!c)
        return fail(ERR_REMOTE, "db_remote", "%s: %s: the server reports SQLSTATE %s", db->name, name, state);
    if (c->told)
        return (fail)(c->code, c->slug, "%s: %s: %s (SQLSTATE %s: %s)", db->name, name, c->phrase, state,
                      field(result, PG_DIAG_MESSAGE_PRIMARY));
    return (fail)(c->code, c->slug, "%s: %s: %s (SQLSTATE %s, table \"%s\", column \"%s\", constraint \"%s\")", db->name,
                  name, c->phrase, state, field(result, PG_DIAG_TABLE_NAME), field(result, PG_DIAG_COLUMN_NAME),
                  field(result, PG_DIAG_CONSTRAINT_NAME));
}

/* A refused connection has no result, so its kind is read from the sentence, which the server may translate: what is not
 * understood counts as passing. */
static err connect_code(const char *text, const char **slug) {
    static const struct {
        const char *part, *slug;
        err code;
    } parts[] = {
        {"password authentication failed", "db_denied", ERR_DENIED},
        {"authentication failed", "db_denied", ERR_DENIED},
        {"no password supplied", "db_denied", ERR_DENIED},
        {"no pg_hba.conf entry", "db_denied", ERR_DENIED},
        {"permission denied for database", "db_denied", ERR_DENIED},
        {"certificate", "db_denied", ERR_DENIED},
        {"role \"", "db_denied", ERR_DENIED},
        {"database \"", "db_missing", ERR_ABSENT},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(text, parts[i].part)) {
            *slug = parts[i].slug;
            return parts[i].code;
        }
    *slug = "db_lost";
    return ERR_AGAIN;
}

/* The library's sentence on one line, without the password. */
static void clean(char *to, size_t cap, const char *text, str password) {
    size_t n = 0;
    while (*text && n + 4 < cap) {
        if (password.len && strncmp(text, password.ptr, password.len) == 0) {
            memcpy(to + n, "***", 3);
            n += 3;
            text += password.len;
            continue;
        }
        char c = *text++;
        if (c == '\n' || c == '\t')
            c = ' ';
        if (c != ' ' || (n > 0 && to[n - 1] != ' '))
            to[n++] = c;
    }
    while (n > 0 && to[n - 1] == ' ')
        n--;
    to[n] = '\0';
}

err postgres_connect_fault(const struct db *db, PGconn *conn) {
    const char *text = conn ? PQerrorMessage(conn) : "no memory", *slug = NULL;
    char line[512];
    clean(line, sizeof line, text, postgres_state(db)->password);
    err code = connect_code(text, &slug);
    return (fail)(code, slug, "%s: no connection: %s", db->name, line);
}
