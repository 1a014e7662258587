#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 8192 };

static size_t minimum(size_t a, size_t b)
{
    return a < b ? a : b;
}

void log_write(enum log_level level, const char *format, ...)
{
    static const char *const names[] = {
        [LOG_LEVEL_ERROR] = "error",
        [LOG_LEVEL_WARNING] = "warning",
        [LOG_LEVEL_INFO] = "info",
    };
    char line[LINE_MAX_BYTES];
    size_t length, room = sizeof(line) - 1; /* the newline */
    va_list arguments;
    int n;

    length = (size_t)snprintf(line, room, "%s: ", names[level]);
    va_start(arguments, format);
    n = vsnprintf(line + length, room - length, format, arguments);
    va_end(arguments);
    if (n < 0)
        return;
    length = minimum(length + (size_t)n, room - 1);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    line[length++] = '\n';
    /* A log that cannot be written has nobody to be told of it. */
    if (write(STDERR_FILENO, line, length) < 0)
        return;
}
