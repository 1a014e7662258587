#include "config/certificates.h"

#include <errno.h>
#include <sys/stat.h>

enum { NAMED = 5 }; /* domains that are held back; the others are counted */

void certificates_deinit(struct certificates *certificates)
{
    buffer_deinit(&certificates->path);
    buffer_deinit(&certificates->newest_path);
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

/* Writes the path of a domain's certificate, terminated. */
static void write_path(struct buffer *path, const char *pattern, struct text domain)
{
    const char *sign;

    buffer_clear(path);
    while ((sign = strchr(pattern, '%'))) {
        buffer_add(path, pattern, (size_t)(sign - pattern));
        if (sign[1] == 'd')
            buffer_add_text(path, domain);
        else
            buffer_add(path, sign, 1);
        pattern = sign + 2;
    }
    buffer_add(path, pattern, strlen(pattern) + 1);
}

/* Looks for a file. Returns 0 and when it has changed, or an errno code that says why there is
 * none.
 */
static int look_for(const char *path, time_t *modified)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return errno;
    *modified = status.st_mtime;
    return S_ISDIR(status.st_mode) ? EISDIR : 0;
}

int certificates_look(struct certificates *certificates, struct text domain, bool *held)
{
    struct buffer *path = &certificates->path;
    time_t modified = 0;
    int error;

    if (!certificates->pattern) {
        *held = false;
        return 0;
    }
    write_path(path, certificates->pattern, domain);
    if (path->failed)
        return -ENOMEM;
    error = look_for(path->data, &modified);
    if (error == 0 && modified > certificates->newest) {
        certificates->newest = modified;
        buffer_clear(&certificates->newest_path);
        buffer_add(&certificates->newest_path, path->data, path->length);
    }
    *held = error;
    if (error && error != ENOENT && error != ENOTDIR && certificates->n_unknown++ == 0) {
        certificates->error = error;
        buffer_add(&certificates->first, path->data, path->length);
    }
    return certificates->first.failed || certificates->newest_path.failed ? -ENOMEM : 0;
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
