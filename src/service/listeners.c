#include "service/listeners.h"

#include "net/listener.h"
#include "net/socket_activation.h"
#include "os/log.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

struct listeners {
    const struct settings *settings;
    int tcp[TCP_COUNT][CONFIG_THREADS_MAX];
    size_t n_tcp[TCP_COUNT];
    int unix_socket;       /* -1: not open */
    bool unix_is_managers; /* the service manager's, who keeps its file */
};

/* Where a TCP listener answers, for the log. */
static const char *path_of(enum tcp_listener listener, const struct settings *settings)
{
    static const char *const paths[] = {[TCP_POLICY] = POLICY_PATH, [TCP_ADMIN] = "/metrics"};

    return listener == TCP_HTTP ? settings->http.path : paths[listener];
}

/* How many sockets a TCP listener has: one for each thread that serves it. */
static size_t count_sockets(enum tcp_listener listener, const struct settings *settings)
{
    return listener == TCP_ADMIN ? 1 : settings->threads;
}

/* Takes a socket of the service manager's for a TCP listener, whatever its address. */
static int adopt_tcp(struct listeners *listeners, enum tcp_listener listener, int fd)
{
    const char *name = config_tcp_key(listener);
    size_t n = count_sockets(listener, listeners->settings);
    int r = listener_adopt_tcp(fd, n, listeners->tcp[listener]);
    char address[LISTENER_TEXT_MAX];

    if (r < 0) {
        log_error("cannot use the socket named %s of the service manager: %s", name,
                  r == -EINVAL ? "it is no listening TCP socket" : strerror(-r));
        close(fd);
        return LISTENERS_FAILED;
    }
    listeners->n_tcp[listener] = n;
    listener_describe_tcp(fd, address);
    log_info("listening on http://%s%s, the socket named %s of the service manager", address,
             path_of(listener, listeners->settings), name);
    return 0;
}

static int open_tcp(struct listeners *listeners, enum tcp_listener listener)
{
    const struct settings *settings = listeners->settings;
    const struct listen_address *address = &settings->tcp[listener].address;
    size_t n = count_sockets(listener, settings);
    int r = listener_open_tcp(address, n, listeners->tcp[listener]);

    if (r < 0) {
        log_error("cannot listen on %s: %s", address->text, strerror(-r));
        return LISTENERS_FAILED;
    }
    listeners->n_tcp[listener] = n;
    log_info("listening on http://%s%s", address->text, path_of(listener, settings));
    return 0;
}

static int adopt_unix(struct listeners *listeners, int fd)
{
    int r = listener_adopt_unix(fd);

    if (r < 0) {
        log_error("cannot use the socket named unix of the service manager: %s",
                  r == -EINVAL ? "it is no listening unix socket" : strerror(-r));
        close(fd);
        return LISTENERS_FAILED;
    }
    listeners->unix_socket = fd;
    listeners->unix_is_managers = true;
    log_info("listening on the socket named unix of the service manager");
    return 0;
}

static int open_unix(struct listeners *listeners)
{
    const struct unix_address *address = &listeners->settings->unix_socket.address;
    int r = listener_open_unix(address, &listeners->unix_socket);

    if (r < 0) {
        log_error("cannot listen on %s: %s", address->path,
                  r == -EADDRINUSE ? "another process listens there"
                  : r == -EEXIST   ? "the file is no socket"
                                   : strerror(-r));
        return LISTENERS_FAILED;
    }
    log_info("listening on %s", address->path);
    return 0;
}

/* Opens all that the settings enable, those of the service manager's first. */
static int open_all(struct listeners *listeners, struct socket_activation *activation)
{
    const struct settings *settings = listeners->settings;
    int fd, r = 0;

    for (enum tcp_listener listener = 0; listener < TCP_COUNT && r == 0; listener++) {
        if (!settings->tcp[listener].enabled)
            continue;
        fd = socket_activation_take(activation, config_tcp_key(listener));
        r = fd >= 0 ? adopt_tcp(listeners, listener, fd) : open_tcp(listeners, listener);
    }
    if (r == 0 && settings->unix_socket.enabled) {
        fd = socket_activation_take(activation, "unix");
        r = fd >= 0 ? adopt_unix(listeners, fd) : open_unix(listeners);
    }
    return r;
}

int listeners_new(const struct settings *settings, struct listeners **out)
{
    CLEANUP(socket_activation_deinit) struct socket_activation activation;
    struct listeners *listeners = calloc(1, sizeof(*listeners));
    const char *left;
    int r;

    socket_activation_init(&activation);
    if (!listeners)
        return -ENOMEM;
    listeners->settings = settings;
    listeners->unix_socket = -1;
    r = open_all(listeners, &activation);
    if (r) {
        listeners_free(listeners);
        return r;
    }
    left = socket_activation_left(&activation);
    if (left)
        log_warning("found a socket named \"%s\" of the service manager that no listener takes, "
                    "expected one for each listener of the configuration: it is closed",
                    left);
    *out = listeners;
    return 0;
}

int listeners_tcp(const struct listeners *listeners, enum tcp_listener listener, size_t thread)
{
    assert(thread < listeners->n_tcp[listener]);
    return listeners->tcp[listener][thread];
}

int listeners_unix(const struct listeners *listeners)
{
    assert(listeners->unix_socket >= 0);
    return listeners->unix_socket;
}

void listeners_free(struct listeners *listeners)
{
    if (!listeners)
        return;
    for (enum tcp_listener listener = 0; listener < TCP_COUNT; listener++)
        for (size_t i = 0; i < listeners->n_tcp[listener]; i++)
            close(listeners->tcp[listener][i]);
    if (listeners->unix_is_managers)
        close(listeners->unix_socket);
    else if (listeners->unix_socket >= 0)
        listener_close_unix(&listeners->settings->unix_socket.address, listeners->unix_socket);
    free(listeners);
}
