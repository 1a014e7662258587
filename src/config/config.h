/* The configuration: from a file to typed settings and a snapshot, or to a list of errors.
 *
 *   file -> bounded read (file.h) -> nodes with positions (node.h) -> option table (schema.h,
 *        options.h) -> settings -> builder, with the list files (list_file.h) -> frozen snapshot
 *
 * Nothing is applied while reading: the caller gets a whole configuration or none.
 */
#pragma once

#include "base/arena.h"
#include "config/diagnostics.h"
#include "os/listen_address.h"
#include "snapshot/snapshot.h"

#define CONFIG_DEFAULT_PATH "/etc/pdns-mta-sts/config.yaml"

enum {
    CONFIG_YAML_SIZE_MAX = 64 << 20,  /* bytes of one YAML file */
    CONFIG_LIST_SIZE_MAX = 512 << 20, /* bytes of one list file */
    CONFIG_THREADS_MAX = 64,
    CONFIG_CLOCKS_DIFFER = 300, /* seconds that a file's time may be ahead of the clock */
};

/* The listeners. All but LISTENER_UNIX are TCP and speak HTTP. */
enum listener {
    LISTENER_REMOTE, /* PowerDNS's remote backend over HTTP */
    LISTENER_UNIX,   /* the same over a unix socket */
    LISTENER_POLICY, /* policy bodies */
    LISTENER_ADMIN,  /* metrics and status */
    LISTENER_COUNT,
};

struct listener_settings {
    bool enabled;
    union {
        struct listen_address address;    /* of a TCP listener */
        struct unix_address unix_address; /* of LISTENER_UNIX */
    };
};

/* What LISTENER_REMOTE has besides. */
struct http_settings {
    const char *path; /* "/dns", without a final slash; "" for the root */
    bool keepalive;
};

/* What can change only by a restart. */
struct settings {
    struct listener_settings listeners[LISTENER_COUNT];
    struct http_settings http;
    uint32_t threads;
};

struct config {
    struct settings settings;
    uint32_t newest;           /* when what was read has changed last, in seconds since 1970 */
    struct snapshot *snapshot; /* one reference */
    struct arena arena;        /* what the settings point at */
};

/* The name of a listener for users: its key below "listen", of its socket with the service manager,
 * and in the metrics. "http", "unix", "policy" or "admin". */
const char *config_listener_name(enum listener listener);

/* Reads a configuration file and all that it names.
 *
 * SEED goes to builder_new. Errors and warnings are added to DIAGNOSTICS; other files than PATH are
 * named in them by the directory of PATH and what the configuration says. Returns 0 and a
 * configuration that the caller frees; REPORTED if there is any error; -ENOMEM. */
int config_load(const char *path, uint64_t seed, struct diagnostics *diagnostics,
                struct config **out);

/* Frees a configuration and drops its snapshot; NULL is allowed. */
void config_free(struct config *config);
DEFINE_CLEANUP(struct config *, config_free)
