/* When a certificate ends, for people. */
#pragma once

#include "base/base.h"

#include <time.h>

enum {
    CERTIFICATE_WARNING_DAYS = 14,
    CERTIFICATE_DAYS_SIZE = 32,
};

/* Whether a certificate ends within CERTIFICATE_WARNING_DAYS of now; then says when, "on
 * 2026-12-01". ENDS is 0 where it is not known. */
bool certificate_ends_soon(time_t ends, char text[static CERTIFICATE_DAYS_SIZE]);
