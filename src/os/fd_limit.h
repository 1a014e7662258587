/* The descriptors of the process, which its listeners share: peers of one must not take what the
 * others, or a reload, need. */
#pragma once

#include "config/config.h"

/* Raises the limit as far as it goes: the usual default of 1,024 would be less than the connections
 * that one listener may hold. */
void descriptors_raise_limit(void);

/* How many connections each listener may hold, so that all of them together leave what threads and
 * the reading of files need; at least one a thread, and never more than DESCRIPTORS_SHARE_MAX. */
size_t descriptors_share(const struct settings *settings);

enum { DESCRIPTORS_SHARE_MAX = 1024 };
