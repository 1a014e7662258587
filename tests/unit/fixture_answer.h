/* Whole answers of the protocol, for tests. */
#pragma once

#include "protocol/method.h"

/* Answers a request with the whole reply, its rest included. */
enum outcome fixture_answer(const struct request *request, struct snapshot *snapshot,
                            struct buffer *reply);

/* The same, with notes about what was notified. */
enum outcome fixture_answer_in(const struct request *request, const struct method_context *context,
                               struct buffer *reply);
