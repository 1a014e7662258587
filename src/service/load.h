/* Reading the configuration for the service. */
#pragma once

#include "config/config.h"

/* Reads the configuration with a random seed, and logs every error and warning. A configuration
 * with own zones whose files change within the second of its reading is read again: serials are
 * times of files, so a later change in the same second would not show. Returns as config_load
 * does. */
int load_config(const char *path, struct diagnostics *diagnostics, struct config **out);
