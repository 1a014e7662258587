#include "state/state.h"

#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { BUSY_MILLISECONDS = 2000 };

/* What leads up to each version from the one before. */
static const char *const steps[] = {
    /* 1: what verify found */
    "CREATE TABLE verify_runs (ended INTEGER PRIMARY KEY, started INTEGER NOT NULL,"
    " domains INTEGER NOT NULL, ok INTEGER NOT NULL, warning INTEGER NOT NULL,"
    " error INTEGER NOT NULL) STRICT;"
    "CREATE TABLE verify_report (id INTEGER PRIMARY KEY CHECK (id = 1),"
    " report TEXT NOT NULL) STRICT;",
};

/* Notes why something failed. */
static int fail(struct state *state, int code)
{
    if (code == SQLITE_NOMEM)
        return -ENOMEM;
    snprintf(state->fault, sizeof(state->fault), "%s",
             state->database ? sqlite3_errmsg(state->database) : sqlite3_errstr(code));
    return STATE_FAILED;
}

int state_execute(struct state *state, const char *sql)
{
    int code = sqlite3_exec(state->database, sql, NULL, NULL, NULL);

    return code == SQLITE_OK ? 0 : fail(state, code);
}

int state_prepare(struct state *state, const char *sql, struct sqlite3_stmt **out)
{
    int code = sqlite3_prepare_v2(state->database, sql, -1, out, NULL);

    return code == SQLITE_OK ? 0 : fail(state, code);
}

int state_step(struct state *state, struct sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);

    if (code == SQLITE_ROW)
        return 0;
    return code == SQLITE_DONE ? STATE_END : fail(state, code);
}

int state_run(struct state *state, struct sqlite3_stmt *statement)
{
    int r = state_step(state, statement);

    sqlite3_reset(statement);
    return r == STATE_END ? 0 : r;
}

void state_finish(struct sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}

void state_bind_number(struct sqlite3_stmt *statement, int parameter, int64_t number)
{
    sqlite3_bind_int64(statement, parameter, number);
}

void state_bind_text(struct sqlite3_stmt *statement, int parameter, struct text text)
{
    sqlite3_bind_text64(statement, parameter, text.data ? text.data : "", text.length,
                        SQLITE_STATIC, SQLITE_UTF8);
}

int64_t state_number(struct sqlite3_stmt *statement, int column)
{
    return sqlite3_column_int64(statement, column);
}

struct text state_text(struct sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);

    return text_of(text ? text : "", (size_t)sqlite3_column_bytes(statement, column));
}

static int read_version(struct state *state, int64_t *out)
{
    CLEANUP(state_finish) struct sqlite3_stmt *statement = NULL;
    int r = state_prepare(state, "PRAGMA user_version", &statement);

    if (r)
        return r;
    r = state_step(state, statement);
    if (r == 0)
        *out = state_number(statement, 0);
    return r;
}

/* Brings the database up to this program's version, in one transaction. */
static int migrate(struct state *state)
{
    int64_t version = 0;
    int r = read_version(state, &version);
    char set_version[64];

    if (r)
        return r;
    if (version == (int64_t)ARRAY_LENGTH(steps))
        return 0;
    if (version > (int64_t)ARRAY_LENGTH(steps) || version < 0) {
        snprintf(state->fault, sizeof(state->fault),
                 "it has version %lld, this program knows up to %zu", (long long)version,
                 ARRAY_LENGTH(steps));
        return STATE_FAILED;
    }
    state->created = version == 0;
    r = state_execute(state, "BEGIN IMMEDIATE");
    for (; r == 0 && version < (int64_t)ARRAY_LENGTH(steps); version++)
        r = state_execute(state, steps[version]);
    snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %zu; COMMIT",
             ARRAY_LENGTH(steps));
    return r ? r : state_execute(state, set_version);
}

static int open_database(struct state *state, const char *path, enum state_mode mode)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE;
    int code, r;

    flags |= mode == STATE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    code = sqlite3_open_v2(path, &state->database, flags, NULL);
    if (code != SQLITE_OK)
        return fail(state, code);
    sqlite3_extended_result_codes(state->database, 1);
    sqlite3_busy_timeout(state->database, BUSY_MILLISECONDS);
    if (mode == STATE_READ)
        return 0;
    r = state_execute(state, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    if (r)
        return r;
    return migrate(state);
}

/* Whether the last failure means that the file is no database that can be used. */
static bool is_damaged(const struct state *state)
{
    int code = state->database ? sqlite3_errcode(state->database) & 0xff : SQLITE_OK;

    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

/* Gives a damaged database another name, together with what belongs to it. */
static int set_aside(struct state *state, const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char from[PATH_MAX], to[PATH_MAX];

    snprintf(state->set_aside, sizeof(state->set_aside), "state.db.damaged-%lld",
             (long long)time(NULL));
    for (size_t i = 0; i < ARRAY_LENGTH(suffixes); i++) {
        int n = (int)(strlen(path) - strlen("state.db"));

        snprintf(from, sizeof(from), "%s%s", path, suffixes[i]);
        snprintf(to, sizeof(to), "%.*s%s%s", n, path, state->set_aside, suffixes[i]);
        if (rename(from, to) < 0 && i == 0) {
            snprintf(state->fault, sizeof(state->fault), "cannot rename the damaged state.db: %s",
                     strerror(errno));
            state->set_aside[0] = '\0';
            return STATE_FAILED;
        }
    }
    return 0;
}

int state_open(struct state *state, const char *directory, enum state_mode mode)
{
    char path[PATH_MAX], real[PATH_MAX];
    int r;

    *state = STATE_INIT;
    /* The directory may be a symbolic link, as systemd makes them; state.db may not. */
    if (!realpath(directory, real)) {
        snprintf(state->fault, sizeof(state->fault), "%s", strerror(errno));
        return STATE_FAILED;
    }
    if (snprintf(path, sizeof(path), "%s/state.db", real) >= (int)sizeof(path)) {
        snprintf(state->fault, sizeof(state->fault), "its path is too long");
        return STATE_FAILED;
    }
    r = open_database(state, path, mode);
    if (r != STATE_FAILED || mode == STATE_READ || !is_damaged(state))
        return r;
    state_close(state);
    r = set_aside(state, path);
    return r ? r : open_database(state, path, mode);
}

void state_close(struct state *state)
{
    sqlite3_close(state->database);
    state->database = NULL;
}
