#include "config/certificates.h"

#include "base/template.h"

#include <errno.h>
#include <sys/stat.h>

enum { NAMED = 5 }; /* domains that are held back; the others are counted */

void certificates_deinit(struct certificates *certificates)
{
    buffer_deinit(&certificates->path);
    buffer_deinit(&certificates->first);
    *certificates = CERTIFICATES_INIT;
}

void certificates_begin(struct certificates *certificates, const char *pattern)
{
    certificates->pattern = pattern;
    certificates->n_unknown = 0;
    certificates->error = 0;
    buffer_clear(&certificates->first);
}

int certificates_look(struct certificates *certificates, struct text domain, bool *held)
{
    struct stat status;
    const char *path;
    int error = 0;

    *held = false;
    if (!certificates->pattern)
        return 0;
    buffer_clear(&certificates->path);
    template_write(&certificates->path, text_from(certificates->pattern), domain);
    path = buffer_string(&certificates->path);
    if (!path)
        return -ENOMEM;
    if (stat(path, &status) < 0)
        error = errno;
    else if (S_ISDIR(status.st_mode))
        error = EISDIR;
    *held = error;
    if (error && error != ENOENT && error != ENOTDIR && certificates->n_unknown++ == 0) {
        certificates->error = error;
        buffer_add_string(&certificates->first, path);
    }
    return certificates->first.failed ? -ENOMEM : 0;
}

void certificates_name_held(const struct snapshot *snapshot, struct buffer *out)
{
    struct domain domain;
    size_t total = snapshot_n_held(snapshot), n = 0, cursor = 0;

    while (n < total && n < NAMED && snapshot_next_domain(snapshot, &cursor, &domain)) {
        if (!domain.held)
            continue;
        buffer_printf(out, "%s%.*s", n ? ", " : "", (int)domain.name.length, domain.name.data);
        n++;
    }
    if (total > n)
        buffer_printf(out, " and %zu more", total - n);
}
