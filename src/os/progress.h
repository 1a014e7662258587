/* A line on a terminal: how many are done, of how many, how fast, and for how long it goes on. */
#pragma once

#include "base/base.h"

struct progress {
    bool on;               /* stderr is a terminal */
    int64_t started, next; /* monotonic milliseconds: since when, and when the line changes next */
};

/* Begins to measure; nothing is shown if stderr is no terminal. */
void progress_begin(struct progress *progress);

/* Shows the line, two or three times a second at most. WHAT is done, in the plural. */
void progress_show(struct progress *progress, size_t done, size_t total, const char *what);

/* Takes the line off the terminal; one that has not begun is allowed. */
void progress_end(struct progress *progress);
