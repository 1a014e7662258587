/* What the service tells the service manager: that it is ready, reloads, stops, is alive, what it
 * is doing, and which descriptors to keep for it (sd_notify(3)). The protocol is a datagram of
 * lines; this is all of it that the service needs. A manager that does not take its messages is
 * waited for a second each time. */
#pragma once

#include "base/base.h"

/* Whether there is a service manager. */
bool sd_notify_has_manager(void);

/* Sends assignments, one a line. Does nothing if there is no service manager or it cannot be
 * reached. */
void sd_notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Has the manager keep N descriptors, which also stay the caller's, under a name until the service
 * says FDSTOREREMOVE=1 of that name or what they lead to ends; the next process of the service gets
 * them (socket_activation.h). Whether the manager really keeps them it does not say: it closes
 * those that it will not keep. Returns 0; or -errno if it cannot be reached, and then it may have a
 * part of them. */
int sd_notify_store(const char *name, const int *fds, size_t n);

/* How often the manager wants to hear that the service is alive, in milliseconds; 0: not at all. */
unsigned int sd_notify_watchdog_milliseconds(void);
