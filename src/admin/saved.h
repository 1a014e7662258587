/* The state, read for one request: what verify and sync came to, and which bodies were served. It
 * is opened each time, for the admin thread alone, and read as it is at one moment. */
#pragma once

#include "config/settings.h"
#include "state/state.h"

struct saved {
    struct state state;
    bool is_kept;      /* the service keeps one, */
    bool is_open;      /* and it can be read */
    const char *fault; /* why it cannot, though there is one; else NULL */
};

/* Opens it. Returns 0, also if there is none or it cannot be read, or -ENOMEM. It is to be closed
 * in any case. */
int saved_open(struct saved *saved, const struct settings *settings);

/* Judges what came of reading it: a failure is noted. Returns 0 or -ENOMEM. */
int saved_judge(struct saved *saved, int r);

/* Closes it; one that was zeroed only is allowed. */
void saved_close(struct saved *saved);
