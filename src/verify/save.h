/* Putting what a run found into the state. */
#pragma once

#include "config/settings.h"
#include "verify/run.h"

/* Saves what a run found that was set up so. If it looked at all domains of the snapshot, or
 * nothing was saved before, it becomes the last run of the state; otherwise it corrects the last
 * one. Returns 0, or SAVE_FAILED after stderr said why. */
int save_run(const struct run *run, const struct run_setup *setup, const struct settings *settings);

enum { SAVE_FAILED = 1 };
