/* The sockets that the service listens at: for each listener that the settings enable, those that
 * the service manager holds under its name, or else ones that are opened here. */
#pragma once

#include "config/config.h"
#include "service/handover.h"

struct listeners;

/* How many listeners are enabled. */
size_t listeners_count(const struct settings *settings);

/* Tells what keeps this system from serving settings that are right in themselves: an address that
 * it does not have, a unix socket without a directory, fewer descriptors than the threads need.
 * What other processes listen at shows only when the service starts. Each fault goes to REPORT, in
 * one line. Returns whether there is any. listeners_new judges so, too. */
bool listeners_judge(const struct settings *settings,
                     void (*report)(const char *text, void *context), void *context);

/* Opens or takes over a socket for every enabled listener of the settings, which outlive it; logs
 * where each listens, and what is wrong. Sockets of the service manager that no listener can use
 * are closed. Returns 0; REPORTED, after an error was logged; or -ENOMEM. */
int listeners_new(const struct settings *settings, struct listeners **out);

/* The socket of an enabled listener for a thread that answers, by its number from 0. The unix
 * socket, which all threads share, and the admin listener have one alone, of the number 0. */
int listeners_socket(const struct listeners *listeners, enum listener listener, size_t thread);

/* The connections to the unix socket that the process before has left. Who takes them leaves none
 * there. */
struct handover *listeners_handover(struct listeners *listeners);

/* Closes the sockets and the connections that nobody has taken, and removes the file of the unix
 * socket unless it is the service manager's; NULL is allowed. */
void listeners_free(struct listeners *listeners);
