/* What the main thread does: it takes the orders of signals, begins and ends loads, looks after the
 * threads that answer, and tells the service manager of all this. It never waits for anything else,
 * so it obeys SIGTERM at any time, the first load included. */
#pragma once

#include "service/service.h"

/* Runs a new service until SIGTERM or SIGINT comes. Returns 0; or if the service could not start
 * REPORTED, after an error was logged, or -ENOMEM. */
int main_loop_run(struct service *service);
