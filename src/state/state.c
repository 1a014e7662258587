#include "state/state.h"

#include "os/clock.h"

#include "base/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    BUSY_MILLISECONDS = 2000,
    GLANCE_MILLISECONDS = 50,
    AGAIN_MILLISECONDS = 10,
};

/* What leads up to each version from the one before. */
static const char *const steps[] = {
    /* 1: what verify found */
    "CREATE TABLE verify_runs (ended INTEGER PRIMARY KEY, started INTEGER NOT NULL,"
    " domains INTEGER NOT NULL, ok INTEGER NOT NULL, warning INTEGER NOT NULL,"
    " error INTEGER NOT NULL) STRICT;"
    "CREATE TABLE verify_report (id INTEGER PRIMARY KEY CHECK (id = 1),"
    " report TEXT NOT NULL) STRICT;",
    /* 2: what the service published (memory.h) */
    "CREATE TABLE service (id INTEGER PRIMARY KEY CHECK (id = 1), seed INTEGER NOT NULL,"
    " ended INTEGER NOT NULL, written INTEGER NOT NULL, ahead INTEGER NOT NULL,"
    " highest INTEGER NOT NULL, notified INTEGER NOT NULL,"
    " unknown_until INTEGER NOT NULL) STRICT;"
    "CREATE TABLE catalogs (part INTEGER PRIMARY KEY, records INTEGER NOT NULL,"
    " serial INTEGER NOT NULL) STRICT;"
    "CREATE TABLE policies (id INTEGER PRIMARY KEY, domain TEXT NOT NULL UNIQUE,"
    " announced TEXT NOT NULL, body_id TEXT NOT NULL, records INTEGER NOT NULL,"
    " serial INTEGER NOT NULL, ttl INTEGER NOT NULL, max_age INTEGER NOT NULL,"
    " mode INTEGER NOT NULL, former TEXT NOT NULL, retire INTEGER NOT NULL,"
    " waits_since INTEGER) STRICT;"
    "CREATE TABLE bodies (id INTEGER PRIMARY KEY, policy TEXT NOT NULL, body TEXT NOT NULL,"
    " mode TEXT NOT NULL, max_age INTEGER NOT NULL, ttl INTEGER NOT NULL,"
    " first INTEGER NOT NULL, last INTEGER) STRICT;"
    "CREATE INDEX bodies_of ON bodies (policy, last);"
    "CREATE TABLE sums (bucket INTEGER PRIMARY KEY, sum INTEGER NOT NULL) STRICT;"
    "CREATE TABLE domains (bucket INTEGER NOT NULL, name TEXT NOT NULL, policy INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, held INTEGER NOT NULL, first_body INTEGER NOT NULL,"
    " enforced_until INTEGER NOT NULL, until INTEGER NOT NULL, serial INTEGER NOT NULL,"
    " PRIMARY KEY (bucket, name)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX domains_retiring ON domains (policy) WHERE until > 0;"
    "CREATE INDEX domains_with_serials ON domains (serial) WHERE serial > 0;"
    "CREATE TABLE notified (zone INTEGER PRIMARY KEY, serial INTEGER NOT NULL) STRICT;",
    /* 3: what sync came to */
    "CREATE TABLE sync_runs (id INTEGER PRIMARY KEY, started INTEGER NOT NULL,"
    " ended INTEGER NOT NULL, refused INTEGER NOT NULL, names INTEGER NOT NULL,"
    " members INTEGER NOT NULL, uncovered INTEGER NOT NULL, failed INTEGER NOT NULL) STRICT;",
    /* 4: which process wrote it last */
    "ALTER TABLE service ADD COLUMN writer INTEGER NOT NULL DEFAULT 1;",
    /* 5: what verify found as rows, under the number of its run, and its runs in their order */
    "DROP TABLE verify_report;"
    "ALTER TABLE verify_runs RENAME TO former_runs;"
    "CREATE TABLE verify_runs (id INTEGER PRIMARY KEY, started INTEGER NOT NULL,"
    " ended INTEGER NOT NULL, domains INTEGER NOT NULL, ok INTEGER NOT NULL,"
    " warning INTEGER NOT NULL, error INTEGER NOT NULL, causes INTEGER NOT NULL) STRICT;"
    "INSERT INTO verify_runs SELECT NULL, started, ended, domains, ok, warning, error, 0"
    " FROM former_runs ORDER BY ended;"
    "DROP TABLE former_runs;"
    "CREATE TABLE verify_checks (name TEXT PRIMARY KEY, remedy TEXT NOT NULL,"
    " command TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE findings (run INTEGER NOT NULL, number INTEGER NOT NULL,"
    " check_name TEXT NOT NULL, error INTEGER NOT NULL, found TEXT NOT NULL,"
    " expected TEXT NOT NULL, n_domains INTEGER NOT NULL, of_all INTEGER NOT NULL,"
    " PRIMARY KEY (run, number)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX findings_by_width ON findings (run, error DESC, n_domains DESC);"
    "CREATE TABLE finding_domains (run INTEGER NOT NULL, finding INTEGER NOT NULL,"
    " domain TEXT NOT NULL, PRIMARY KEY (run, finding, domain)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX findings_of_domain ON finding_domains (run, domain);"
    "CREATE TABLE verified_policies (run INTEGER NOT NULL, number INTEGER NOT NULL,"
    " policy TEXT NOT NULL, ok INTEGER NOT NULL, warning INTEGER NOT NULL,"
    " error INTEGER NOT NULL, PRIMARY KEY (run, number)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX verified_policies_by_name ON verified_policies (run, policy);"
    "CREATE TABLE verified_domains (run INTEGER NOT NULL, domain TEXT NOT NULL,"
    " policy INTEGER NOT NULL, worst INTEGER NOT NULL, ended INTEGER,"
    " PRIMARY KEY (run, domain)) STRICT, WITHOUT ROWID;",
};

/* Notes why something failed. */
static int fail(struct state *state, int code)
{
    state->damaged = (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
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

static int run_steps(struct state *state)
{
    int64_t version = 0;
    char set_version[64];
    int r = read_version(state, &version);

    if (r)
        return r;
    state->created = version == 0;
    for (; r == 0 && version < (int64_t)ARRAY_LENGTH(steps); version++)
        r = state_execute(state, steps[version]);
    if (r)
        return r;
    snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %zu", ARRAY_LENGTH(steps));
    return state_execute(state, set_version);
}

static int refuse_version(struct state *state, int64_t version, const char *what)
{
    snprintf(state->fault, sizeof(state->fault), "it has version %lld, %s %zu", (long long)version,
             what, ARRAY_LENGTH(steps));
    return STATE_FAILED;
}

static int refuse_later(struct state *state, int64_t version)
{
    return refuse_version(state, version, "this program knows up to");
}

/* Looks whether a database has this program's version, which is to read it. */
static int check_version(struct state *state)
{
    int64_t version = 0;
    int r = read_version(state, &version);

    if (r || version == (int64_t)ARRAY_LENGTH(steps))
        return r;
    if (version > (int64_t)ARRAY_LENGTH(steps) || version < 0)
        return refuse_later(state, version);
    return refuse_version(state, version, "and the service, when it starts, brings it up to");
}

/* Brings the database up to this program's version, in one transaction: another process may be
 * about to do the same. */
static int migrate(struct state *state)
{
    int64_t version = 0;
    int r = read_version(state, &version);

    if (r || version == (int64_t)ARRAY_LENGTH(steps))
        return r;
    if (version > (int64_t)ARRAY_LENGTH(steps) || version < 0)
        return refuse_later(state, version);
    r = state_begin(state);
    if (r)
        return r;
    return state_end(state, run_steps(state));
}

/* Closes a database to others that an earlier version left open to them: it gets a secret now. It
 * is not opened for that, as closing it would end locks that this process may have on it. */
static void close_to_others(const char *path)
{
    struct stat status;

    if (lstat(path, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & S_IRWXO))
        (void)chmod(path, status.st_mode & (S_IRWXU | S_IRWXG));
}

/* Makes the file of a database that is missing. Nobody else may read it, as it has the seed of the
 * hashes; and whoever makes it, it belongs to the owner of the directory, so that root can be the
 * first to write. */
static void make_file(const char *path, const char *directory)
{
    struct stat status;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        close_to_others(path);
        return;
    }
    if (geteuid() == 0 && stat(directory, &status) == 0 && status.st_uid != 0 &&
        fchown(fd, status.st_uid, status.st_gid) < 0)
        unlink(path);
    close(fd);
}

static int connect_database(struct state *state, const char *path, int flags)
{
    int code = sqlite3_open_v2(
        path, &state->database,
        flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE, NULL);

    if (code != SQLITE_OK)
        return fail(state, code);
    sqlite3_extended_result_codes(state->database, 1);
    sqlite3_busy_timeout(state->database, state->patience);
    return 0;
}

/* Whether a database has nothing in its log, so that it is all in one file. */
static bool is_at_rest(const char *path)
{
    CLEANUP(buffer_deinit) struct buffer log = BUFFER_INIT;
    struct stat status;

    buffer_printf(&log, "%s-wal", path);
    if (log.failed || access(path, R_OK) < 0)
        return false;
    return stat(buffer_string(&log), &status) < 0 ? errno == ENOENT : status.st_size == 0;
}

/* Has all reads see the state as the first of them, which is that of its version, finds it. */
static int freeze(struct state *state)
{
    int r = state_execute(state, "BEGIN");

    return r ? r : check_version(state);
}

/* Reads a database at rest as a file that nobody writes. The path is part of a URI then. */
static int open_at_rest(struct state *state, const char *path)
{
    CLEANUP(buffer_deinit) struct buffer uri = BUFFER_INIT;
    int r;

    buffer_add_string(&uri, "file:");
    for (const char *c = path; *c; c++)
        buffer_printf(&uri, *c == '/' ? "%c" : "%%%02x", (unsigned char)*c);
    buffer_add_string(&uri, "?immutable=1");
    if (uri.failed)
        return -ENOMEM;
    r = connect_database(state, buffer_string(&uri), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
    return r ? r : freeze(state);
}

/* Readers of a log need to make files beside it, which they cannot on a disk that is full or
 * read-only. */
static int open_to_read(struct state *state, const char *path)
{
    int r = connect_database(state, path, SQLITE_OPEN_READONLY);

    if (r == 0)
        r = freeze(state);
    if (r != STATE_FAILED || state->damaged || !is_at_rest(path))
        return r;
    state_close(state);
    return open_at_rest(state, path);
}

/* Has the database write a log ahead. SQLite does not wait for another process that does the same
 * at the same time, as each of the two may hold what the other one needs. */
static int write_ahead(struct state *state)
{
    int64_t end = clock_monotonic_ms() + BUSY_MILLISECONDS;

    for (;;) {
        int r = state_execute(state, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");

        if (r != STATE_FAILED || (sqlite3_errcode(state->database) & 0xff) != SQLITE_BUSY ||
            clock_monotonic_ms() >= end)
            return r;
        sqlite3_sleep(AGAIN_MILLISECONDS);
    }
}

static int open_to_write(struct state *state, const char *path)
{
    struct stat status;
    int r = connect_database(state, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

    if (r)
        return r;
    r = write_ahead(state);
    if (r)
        return r;
    r = migrate(state);
    if (r == 0 && stat(path, &status) == 0) {
        state->device = status.st_dev;
        state->inode = status.st_ino;
    }
    return r;
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
    char real[PATH_MAX];
    int r;

    *state = STATE_INIT;
    state->patience = mode == STATE_GLANCE ? GLANCE_MILLISECONDS : BUSY_MILLISECONDS;
    /* The directory may be a symbolic link, as systemd makes them; state.db may not. */
    if (!realpath(directory, real)) {
        snprintf(state->fault, sizeof(state->fault), "%s", strerror(errno));
        return STATE_FAILED;
    }
    if (snprintf(state->path, sizeof(state->path), "%s/state.db", real) >=
        (int)sizeof(state->path)) {
        snprintf(state->fault, sizeof(state->fault), "its path is too long");
        return STATE_FAILED;
    }
    if (mode != STATE_WRITE)
        return open_to_read(state, state->path);
    make_file(state->path, real);
    r = open_to_write(state, state->path);
    return r == STATE_FAILED && state->damaged ? state_replace(state) : r;
}

int state_replace(struct state *state)
{
    char directory[PATH_MAX];
    int r;

    state_close(state);
    r = set_aside(state, state->path);
    if (r)
        return r;
    snprintf(directory, sizeof(directory), "%.*s", (int)(strrchr(state->path, '/') - state->path),
             state->path);
    make_file(state->path, directory);
    state->damaged = false;
    return open_to_write(state, state->path);
}

int state_impossible(struct state *state, const char *what)
{
    snprintf(state->fault, sizeof(state->fault), "it has %s that cannot be", what);
    state->damaged = true;
    return STATE_FAILED;
}

bool state_is_there(const struct state *state)
{
    struct stat status;

    return state->database && stat(state->path, &status) == 0 && status.st_dev == state->device &&
           status.st_ino == state->inode;
}

int state_begin(struct state *state)
{
    return state_execute(state, "BEGIN IMMEDIATE");
}

int state_end(struct state *state, int r)
{
    char fault[sizeof(state->fault)];
    bool damaged = state->damaged;

    if (r == 0)
        r = state_execute(state, "COMMIT");
    if (r == 0)
        return 0;
    memcpy(fault, state->fault, sizeof(fault));
    damaged |= state->damaged;
    (void)state_execute(state, "ROLLBACK");
    memcpy(state->fault, fault, sizeof(fault));
    state->damaged = damaged;
    return r;
}

void state_close(struct state *state)
{
    sqlite3_close(state->database);
    state->database = NULL;
}
