/* What the programs are told: the service, where it listens and with how many threads, which
 * changes only by a restart; and sync, where the members that it finds come from. */
#pragma once

#include "os/listen_address.h"

enum { CONFIG_THREADS_MAX = 64 };

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

struct settings {
    struct listener_settings listeners[LISTENER_COUNT];
    struct http_settings http;
    uint32_t threads;
    const char *state; /* what the key says: a directory or "none"; NULL if it is absent */
};

/* PowerDNS's API. */
struct sync_powerdns {
    bool present;             /* there is such a section */
    const char *url;          /* without a final slash */
    const char *api_key_file; /* an absolute path */
    const char *server;       /* as the API calls it */
};

struct sync_settings {
    bool present; /* there is such a section */
    struct sync_powerdns powerdns;
    char *const *command; /* instead of it: a program and its arguments, NULL ends them */
    struct listen_address nameserver; /* is asked for MX records */
    uint32_t limit;                   /* percent */
};

/* The name of a listener for users: its key below "listen", of its socket with the service manager,
 * and in the metrics. "http", "unix", "policy" or "admin". */
const char *config_listener_name(enum listener listener);
