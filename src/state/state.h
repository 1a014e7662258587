/* What outlives a restart: an SQLite database, state.db, in a directory of its own.
 *
 * It is written in one process at a time and in one thread of it, outside of everything that
 * answers; others read it through connections of their own (WAL). Losing it loses memory, never
 * correctness of what is published now, so nothing here stops anybody: a missing database is made
 * anew, one that is damaged is set aside under another name, and what cannot be read or written is
 * a fault that the caller tells of and goes on.
 *
 * The database has a version; each version has the statements that lead up to it from the one
 * before. A database of a later version than this program's is left alone. */
#pragma once

#include "base/base.h"

#include <limits.h>
#include <sys/types.h>

struct sqlite3;

/* The positive result of everything here: it failed, and state_fault says why. */
enum { STATE_FAILED = 1 };

enum state_mode {
    STATE_READ,   /* an existing database alone, as it is when it is opened */
    STATE_GLANCE, /* the same, for who cannot wait long for others who have it locked */
    STATE_WRITE,  /* made if it is missing, brought up to this version */
};

struct state {
    struct sqlite3 *database;
    int patience;       /* how long to wait for locks, in milliseconds */
    bool created;       /* there was none */
    char set_aside[64]; /* what a damaged one is called now, or empty */
    char fault[256];    /* of the last failure */
    bool damaged;       /* it was that the file is no database, or not whole */
    dev_t device;       /* which file it is, */
    ino_t inode;
    char path[PATH_MAX]; /* and where */
};

#define STATE_INIT ((struct state){0})

/* Opens the database in a directory. Returns 0, STATE_FAILED or -ENOMEM; the state is to be closed
 * in any case. */
int state_open(struct state *state, const char *directory, enum state_mode mode);

/* Sets a database that is damaged aside and makes a new one. Returns as state_open does. */
int state_replace(struct state *state);

/* Notes that the database has something that it never was given, which is damage, too. Returns
 * STATE_FAILED. */
int state_impossible(struct state *state, const char *what);

/* Whether the open database still is the one in its directory: neither may have gone. */
bool state_is_there(const struct state *state);

/* Begins a transaction, and ends it: with R of 0 it counts, with another R it is as if it had never
 * been. state_end returns R, or if that is 0, whether it succeeded, as state_execute does. */
int state_begin(struct state *state);
int state_end(struct state *state, int r);

/* Closes it; one that was never opened is allowed. */
void state_close(struct state *state);

/* Runs statements that give no rows. Returns 0, STATE_FAILED or -ENOMEM. */
int state_execute(struct state *state, const char *sql);

struct sqlite3_stmt;

/* Prepares a statement, which state_finish ends. Returns 0, STATE_FAILED or -ENOMEM. */
int state_prepare(struct state *state, const char *sql, struct sqlite3_stmt **out);

/* Goes on to the next row. Returns 0, STATE_END past the last, STATE_FAILED or -ENOMEM. */
int state_step(struct state *state, struct sqlite3_stmt *statement);

enum { STATE_END = 2 };

/* Runs a prepared statement that gives no rows, and makes it ready for the next values. Returns 0,
 * STATE_FAILED or -ENOMEM. */
int state_run(struct state *state, struct sqlite3_stmt *statement);

/* For CLEANUP: ends a statement. */
void state_finish(struct sqlite3_stmt **statement);

/* Binds a number or a text, which must live until the statement ran, to a parameter, from 1. */
void state_bind_number(struct sqlite3_stmt *statement, int parameter, int64_t number);
void state_bind_text(struct sqlite3_stmt *statement, int parameter, struct text text);

/* The value of a column, from 0, of the current row; the text lives until the next step. */
int64_t state_number(struct sqlite3_stmt *statement, int column);
struct text state_text(struct sqlite3_stmt *statement, int column);
