/* A configuration as text: what a case folder of tests/data/config expects of it. */
#pragma once

#include "base/buffer.h"
#include "config/config.h"

/* Writes the settings, each policy with what it publishes, and every domain, a line each. */
void config_summary(const struct config *config, struct buffer *out);

/* Writes every error and warning, a line each. */
void config_messages(const struct diagnostics *diagnostics, struct buffer *out);
