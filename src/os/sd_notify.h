/* What the service tells the service manager: that it is ready, reloads, stops, is alive, and what
 * it is doing (sd_notify(3)). The protocol is a datagram of lines; this is all of it that the
 * service needs. */
#pragma once

/* Sends assignments, one a line. Does nothing if there is no service manager or it cannot be
 * reached. */
void sd_notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How often the manager wants to hear that the service is alive, in milliseconds; 0: not at all. */
unsigned int sd_notify_watchdog_milliseconds(void);
