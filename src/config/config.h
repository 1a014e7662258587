/* The configuration: from a file to settings and a snapshot, or to a list of errors.
 *
 *   bytes -> nodes -> typed values -> policies -> builder -> snapshot
 *
 * A load reads the main file and those that it includes (files.h), each into nodes that know their
 * place (node.h). The option tables (options.h, schema.h) turn nodes into values. Policies
 * (policies.h) are what their keys mean together; they go to the builder with their domains
 * (members.h), of which most come from list files, line by line (list_file.h). Each step reports
 * all that it finds and hands on what is sound, so one load finds every error of all files. What
 * only the whole shows is checked last: domains that are listed twice, aliases that lead in a
 * circle.
 *
 * Nothing is applied meanwhile: the caller gets a whole configuration or none.
 */
#pragma once

#include "base/arena.h"
#include "config/cancel.h"
#include "config/diagnostics.h"
#include "config/glob.h"
#include "config/settings.h"
#include "snapshot/snapshot.h"

#include <time.h>

#define CONFIG_DEFAULT_PATH "/etc/pdns-mta-sts/config.yaml"

/* The list of the members that sync found for a policy. */
struct synced_list {
    size_t policy;  /* its number */
    time_t changed; /* when sync has written it last; 0: it is missing */
};

struct config {
    struct settings settings;
    struct sync_settings sync;
    struct synced_list *lists; /* of the policies with members that sync finds, in their order */
    size_t n_lists;
    struct snapshot *snapshot; /* one reference; own zones have no serials yet */
    uint32_t removal_limit;    /* percent of the domains that a reload may remove */
    struct arena arena;        /* what the settings and the next point at */
    struct glob_set matched;   /* for the next load */
};

/* What to load. */
struct config_request {
    const char *path;
    struct cancel cancel; /* may end the load before its time */

    /* Gives the seed for builder_new, once the settings are known; NULL: 0. */
    uint64_t (*seed)(const struct settings *settings, void *context);
    void *context;

    /* What matched in the configuration that is in use, NULL if there is none: a glob of these that
     * matches no file now is an error, as its directory may not be mounted. */
    const struct glob_set *matched_before;

    /* What the configuration in use has, NULL if there is none: if a list that sync has written is
     * missing now, the policy keeps the members that it had by it. */
    const struct snapshot *before;
};

/* Reads a configuration file and all that it names.
 *
 * Errors and warnings are added to DIAGNOSTICS; other files than PATH are named in them by the
 * directory of PATH and what the configuration says. Returns 0 and a configuration that the caller
 * frees; REPORTED if there is any error; -ECANCELED; -ENOMEM. */
int config_load(const struct config_request *request, struct diagnostics *diagnostics,
                struct config **out);

/* Frees a configuration and drops its snapshot; NULL is allowed. */
void config_free(struct config *config);
DEFINE_CLEANUP(struct config *, config_free)

/* Whether sync has something to do: it is told where names come from, and a policy takes members
 * that it finds. */
bool config_has_sync(const struct config *config);

/* Names the keys that differ in two settings, which all take a restart: "listen.http.path,
 * threads", or nothing. A listener that only one of them has is named by its section alone. */
void config_name_restart(const struct settings *before, const struct settings *after,
                         struct buffer *out);
