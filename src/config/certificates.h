/* Certificates first: a domain's policy is announced once its web server has a certificate.
 *
 * Whether there is one is asked of the file system by name alone. No file is opened, so the service
 * needs to search the directories on the way and may not even be allowed to read the file.
 */
#pragma once

#include "base/buffer.h"
#include "snapshot/snapshot.h"

/* The certificates of one policy's domains. */
struct certificates {
    const char *pattern; /* NULL: nothing is held back */
    struct buffer path;  /* the last that was looked at */
    size_t n_unknown;    /* domains of which it cannot be told, which are held back */
    int error;           /* why the first of them cannot, an errno code */
    struct buffer first; /* its path */
};

#define CERTIFICATES_INIT ((struct certificates){0})

void certificates_deinit(struct certificates *certificates);

/* Begins with the pattern of another policy: a template (base/template.h); NULL if nothing is held
 * back. It must live until the next one. */
void certificates_begin(struct certificates *certificates, const char *pattern);

/* Says whether a domain, by its canonical name, is to be held back: no file is there, or it cannot
 * be told. Returns 0 or -ENOMEM. */
int certificates_look(struct certificates *certificates, struct text domain, bool *held);

/* Names the domains of a snapshot that are held back, the first few of them. */
void certificates_name_held(const struct snapshot *snapshot, struct buffer *out);
