/* A text as a file that is read. */
#pragma once

#include "os/file.h"

/* Opens a file with these bytes, which no directory has; the caller deinitializes it. */
void open_text(struct text text, struct file *file);
