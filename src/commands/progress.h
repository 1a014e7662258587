/* A line on a terminal that shows that something goes on, and for how long already. */
#pragma once

#include "base/base.h"

#include <pthread.h>

struct progress {
    bool shown;
    const char *what;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool ending;
};

/* Shows "WHAT" on stderr if that is a terminal, with the seconds once it takes some. WHAT must live
 * until progress_end. Where it cannot be shown, it is not: nothing depends on it. */
void progress_begin(struct progress *progress, const char *what);

/* Takes the line off the terminal. */
void progress_end(struct progress *progress);
