#include "config/file_report.h"

#include <errno.h>
#include <sys/stat.h>

static const char *kind_of(mode_t mode)
{
    if (S_ISDIR(mode))
        return "a directory";
    if (S_ISFIFO(mode))
        return "a FIFO";
    return "a device";
}

void file_report(const struct file *file, const char *path, struct place place,
                 struct diagnostics *diagnostics)
{
    const char *at = path ? " at " : "";
    struct quoted quoted = path ? quote_text(text_from(path)) : (struct quoted){""};

    if (file->error)
        diagnostics_error(diagnostics, place,
                          "found a file that cannot be read (%s)%s%s, expected a readable file",
                          strerror(file->error), at, quoted.text);
    else if (!S_ISREG(file->mode))
        diagnostics_error(diagnostics, place, "found %s%s%s, expected a regular file",
                          kind_of(file->mode), at, quoted.text);
    else
        diagnostics_error(diagnostics, place,
                          "found a file that is too large%s%s, expected at most %zu bytes", at,
                          quoted.text, file->limit);
}
