/* A protocol at one end of a conversation, as a connection has it there (stream.h). */
#pragma once

#include "net/stream.h"

/* Begins a conversation, and lets the protocol read a stream in pieces (take_piece) until it ends
 * the conversation or all is read. Returns whether it has ended it. */
bool feed(const struct stream_protocol *protocol, void *context, struct text stream,
          struct text lengths, struct buffer *replies);
