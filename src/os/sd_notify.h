/* What the service tells its service manager: that it is ready, reloads, stops, still lives, and
 * what it is doing (sd_notify(3)). The protocol is a datagram of lines; this is all of it that the
 * service needs. */
#pragma once

/* Sends assignments, one a line, if there is a service manager that listens. A manager that cannot
 * be reached is left alone. */
void sd_notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How often the manager wants to hear of the service, in milliseconds; 0 if it does not. */
unsigned int sd_notify_watchdog_milliseconds(void);
