/* Where what must outlive a restart is kept. */
#pragma once

#define STATE_DIRECTORY "/var/lib/pdns-mta-sts"

/* Where the state is: what the configuration says ("none": nowhere), or without it $STATE_DIRECTORY
 * (systemd.exec(5)), or STATE_DIRECTORY if that directory exists. Returns NULL for nowhere; the
 * text is the configuration's, the environment's or a constant. */
const char *state_directory(const char *configured);

/* Goes on as the owner of a state directory, for good, if root runs this and is not that owner:
 * what it leaves there can then be written by the service's user, and root follows no link that
 * this user has made. Returns 0 or -errno. */
int state_directory_become_owner(const char *directory);

/* What to do where own zones have no state. */
extern const char state_needed[];
