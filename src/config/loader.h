/* What the parts of config_load share while one configuration is read. */
#pragma once

#include "config/certificates.h"
#include "config/config.h"
#include "config/schema.h"

/* What is remembered of a policy, by its number in the builder. */
struct loaded_policy {
    const char *name;    /* the primary for messages; NULL if it is missing */
    uint64_t host_where; /* of policy_host */
    struct text follows; /* the domain whose policy host this one is an alias of, or empty */
    uint32_t walk;       /* the search for loops that saw it first */
};

struct loader {
    struct option_context context; /* its arena is the one below */
    struct arena arena;            /* nodes, and what settings of policies point at */
    struct sources sources;
    struct builder *builder;
    bool zones;                 /* there is what zones of the service's own need */
    const struct node *catalog; /* the name of the catalog zone, or NULL */
    uint32_t newest; /* when the files read so far have changed last, in seconds since 1970 */
    struct buffer newest_path; /* the one that has changed then, terminated */
    bool full;                 /* the builder takes no more domains; said once */
    struct policy_settings defaults;
    struct option_marks default_marks;
    struct certificates certificates; /* of the policy that is being read */
    struct loaded_policy *policies;
    size_t n_policies, policies_capacity;
};

/* Opens and numbers a file that is named at a node of another one (NULL: by the user). Reports what
 * is wrong with it. Returns 0, REPORTED or -ENOMEM; FILE is to be deinitialized in any case.
 */
int loader_open(struct loader *loader, const char *path, const struct node *named_at, size_t limit,
                struct file *file, uint16_t *source);

/* Notes when something that the configuration consists of has changed. A time that leaves no room
 * for later serials, from half a year before 32 bits are used up in 2106, is left out. */
void loader_note_time(struct loader *loader, const char *path, time_t modified);

/* Expands the file names and globs of a node, and hands every file's path to a function until it
 * returns negative. Reports what is wrong with them. Returns 0 or a negative value. */
int loader_each_file(struct loader *loader, const struct node *names,
                     int (*use)(struct loader *loader, const char *path, const struct node *name,
                                void *context),
                     void *context);

/* Reports an error or a warning at a node. */
#define LOADER_ERROR(LOADER, NODE, ...)                                                            \
    diagnostics_error((LOADER)->context.diagnostics, node_place(NODE, &(LOADER)->sources),         \
                      __VA_ARGS__)
#define LOADER_WARNING(LOADER, NODE, ...)                                                          \
    diagnostics_warning((LOADER)->context.diagnostics, node_place(NODE, &(LOADER)->sources),       \
                        __VA_ARGS__)

/* Reads what stands under defaults, if anything, and the defaults of the option table. Returns 0 or
 * -ENOMEM. */
int policies_read_defaults(struct loader *loader, const struct node *defaults);

/* Reads a list of policies and adds them, with all their domains, to the builder. Returns 0 or
 * -ENOMEM. */
int policies_read(struct loader *loader, const struct node *policies);

/* Reports policy hosts that are aliases of one another in a loop, in the snapshot of all that was
 * loaded. */
void policies_check_aliases(const struct loader *loader, const struct snapshot *snapshot);

/* Adds the members of a policy, which is the last one that was added. Returns 0 or -ENOMEM. */
int members_add(struct loader *loader, const struct policy_settings *settings);

/* Adds a policy with its primary to the builder. Returns 0, REPORTED if there is no room,
 * which is reported, or -ENOMEM. */
int members_add_policy(struct loader *loader, const struct policy_spec *spec, uint64_t where);

/* Reports a domain that is listed twice, for builder_freeze; CONTEXT is the loader. In the same
 * policy that does no harm. */
void members_report_clash(const struct builder_clash *clash, void *context);
