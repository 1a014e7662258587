/* What the overview of the page shows. */
#pragma once

#include "admin/status.h"

#include <jansson.h>

/* Makes the data of the overview, with the policies from a number on; page_data_begin was called.
 * What `verify` and `sync` came to is read from the state, so this is for the admin thread alone.
 */
json_t *overview_new(const struct status_view *view, const struct settings *settings, size_t from);
