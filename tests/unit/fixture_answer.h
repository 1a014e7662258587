/* Whole answers of the protocol, for tests. */
#pragma once

#include "protocol/request.h"

/* Answers a request with the whole reply, its rest included. NOTIFY says what was notified, and may
 * be NULL. Returns as method_answer does. */
int fixture_answer(const struct request *request, struct snapshot *snapshot, struct notify *notify,
                   struct buffer *reply);
