#include "config/synced.h"

#include "base/array.h"
#include "config/config.h"
#include "config/files.h"
#include "config/members.h"
#include "os/fd.h"
#include "os/state_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum {
    LOCK_TRIES = 200,
    LOCK_NAP = 10000000, /* nanoseconds */
};

int synced_lock(const char *state, bool alone)
{
    CLEANUP(free_pointer) char *path = NULL;
    int how = (alone ? LOCK_EX : LOCK_SH) | LOCK_NB, fd;

    if (asprintf(&path, "%s/synced", state) < 0) {
        path = NULL;
        return -1;
    }
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < LOCK_TRIES && fd >= 0 && flock(fd, how) < 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = LOCK_NAP}, NULL);
    return fd;
}

char *synced_path(const char *state, const char *primary)
{
    char *path;

    return asprintf(&path, "%s/synced/%s.list", state, primary) < 0 ? NULL : path;
}

/* Adds the members that a policy had from its list at the last load. */
static int keep_members(struct loader *loader, const struct loaded_policy *policy,
                        const struct membership *as, size_t *n)
{
    struct domain domain;
    size_t cursor = 0;

    while (loader->before && snapshot_next_domain(loader->before, &cursor, &domain)) {
        int r;

        if (!domain.synced || !text_equals(domain.policy->primary, text_from(policy->name)))
            continue;
        r = members_add_name(loader, as, domain.name, node_pack_place(policy->synced));
        if (r)
            return r;
        ++*n;
    }
    return 0;
}

/* Goes on without a list. */
static int miss_list(struct loader *loader, const struct loaded_policy *policy,
                     const struct membership *as, const char *path)
{
    struct quoted name = quote_text(text_from(path));
    size_t n = 0;
    int r = keep_members(loader, policy, as, &n);

    if (r)
        return r;
    if (n)
        NODE_WARNING(&loader->context, policy->synced,
                     "%s is missing: the %zu members from it stay until the service stops; run "
                     "pdns-mta-sts sync",
                     name.text, n);
    else
        NODE_WARNING(&loader->context, policy->synced,
                     "%s is missing, so the policy has no members from it: run pdns-mta-sts sync",
                     name.text);
    return 0;
}

/* Adds the members of one policy. CHANGED is when its list was written. */
static int add_list(struct loader *loader, uint32_t number, const char *path, time_t *changed)
{
    const struct loaded_policy *policy = &loader->policies[number];
    const struct membership as = {.policy = number, .kind = policy->kind};
    CLEANUP(file_deinit) struct file file = FILE_INIT;
    uint16_t source;
    int r;

    if (access(path, F_OK) < 0 && errno == ENOENT)
        return miss_list(loader, policy, &as, path);
    r = files_open(loader, path, policy->synced, FILES_LIST(number), &file, &source);
    if (r)
        return r < 0 ? r : 0;
    *changed = file.modified;
    return members_add_lines(loader, &as, &file, source);
}

/* Adds the members of one policy, and notes its list in the configuration. */
static int add_policy(struct loader *loader, const char *state, uint32_t number)
{
    const struct loaded_policy *policy = &loader->policies[number];
    CLEANUP(free_pointer) char *path = synced_path(state, policy->name);
    struct config *config = loader->config;
    struct synced_list list = {.policy = number};
    int r;

    if (!path || ARRAY_RESERVE(config->lists, config->n_lists, loader->lists_capacity))
        return -ENOMEM;
    certificates_begin(&loader->certificates, policy->certificates);
    loader->acme_challenge = policy->acme_challenge;
    r = add_list(loader, number, path, &list.changed);
    if (r)
        return r;
    members_report_certificates(loader, policy->synced);
    config->lists[config->n_lists++] = list;
    return 0;
}

int synced_add(struct loader *loader)
{
    const char *state = state_directory(loader->config->settings.state);
    CLEANUP(fd_close) int lock = -1;

    builder_begin_synced(loader->builder);
    for (size_t i = 0; i < loader->n_policies && state && !loader->full; i++) {
        int r;

        if (!loader->policies[i].synced)
            continue;
        if (lock < 0)
            lock = synced_lock(state, false);
        r = add_policy(loader, state, (uint32_t)i);
        if (r)
            return r;
    }
    return 0;
}
