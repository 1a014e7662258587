/* Where what must outlive a restart is kept. */
#pragma once

#define STATE_DIRECTORY "/var/lib/pdns-mta-sts"

/* Where the state is: what the configuration says ("none": nowhere), or without it $STATE_DIRECTORY
 * (systemd.exec(5)), or STATE_DIRECTORY if that directory exists. Returns NULL for nowhere; the
 * text is the configuration's, the environment's or a constant. */
const char *state_directory(const char *configured);

/* What to do where own zones have no state. */
extern const char state_needed[];
