/* What the main thread does while the service runs: it takes the orders of signals, looks after the
 * threads that answer, and tells the service manager of both. */
#pragma once

#include "service/service.h"

/* Runs until SIGTERM or SIGINT comes. */
void main_loop_run(struct service *service);
