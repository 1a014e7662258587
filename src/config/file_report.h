/* Why a file of the configuration cannot be used. */
#pragma once

#include "config/diagnostics.h"
#include "os/file.h"

/* Reports why the file was refused, at PLACE. PATH is what the message calls the file, or NULL if
 * the place is in the file itself. */
void file_report(const struct file *file, const char *path, struct place place,
                 struct diagnostics *diagnostics);
