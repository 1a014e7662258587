#include "service/listeners.h"

#include "net/listener.h"
#include "net/socket_activation.h"
#include "os/log.h"

#include <assert.h>
#include <errno.h>
#include <grp.h>
#include <unistd.h>

struct listeners {
    const struct settings *settings;
    struct {
        int fds[CONFIG_THREADS_MAX];
        size_t n; /* 0: not open */
    } sockets[LISTENER_COUNT];
    struct listener_unix unix_socket; /* unless it is the service manager's, who keeps its file */
    bool unix_is_managers;
};

DEFINE_CLEANUP(struct listeners *, listeners_free)

/* What a TCP listener answers at, for the log. */
static const char *path_of(enum listener listener, const struct settings *settings)
{
    static const char *const paths[LISTENER_COUNT] = {
        [LISTENER_POLICY] = POLICY_PATH,
        [LISTENER_ADMIN] = "/metrics",
    };

    return listener == LISTENER_REMOTE ? settings->http.path : paths[listener];
}

/* TCP listeners have a socket for each thread that serves them. */
static size_t count_sockets(enum listener listener, const struct settings *settings)
{
    return listener == LISTENER_UNIX || listener == LISTENER_ADMIN ? 1 : settings->threads;
}

static int open_tcp(struct listeners *listeners, enum listener listener)
{
    const struct settings *settings = listeners->settings;
    const struct listen_address *address = &settings->listeners[listener].address;
    size_t n = count_sockets(listener, settings);
    int r = listener_open_tcp(address, n, listeners->sockets[listener].fds);

    if (r < 0) {
        log_error("cannot listen on %s: %s", address->text, strerror(-r));
        return REPORTED;
    }
    listeners->sockets[listener].n = n;
    log_info("listening on http://%s%s", address->text, path_of(listener, settings));
    return 0;
}

static int open_unix(struct listeners *listeners)
{
    const struct unix_address *address =
        &listeners->settings->listeners[LISTENER_UNIX].unix_address;
    int r = listener_open_unix(address, &listeners->unix_socket);

    if (r == LISTENER_NOT_IN_GROUP) {
        const struct group *group = getgrgid(address->group);

        log_error("cannot give %s to the group %s, of which the service must be a member",
                  address->path, group ? group->gr_name : "that is configured");
        return REPORTED;
    }
    if (r < 0) {
        log_error("cannot listen on %s: %s", address->path,
                  r == -EADDRINUSE ? "another process listens there"
                  : r == -EEXIST   ? "the file is not a socket"
                                   : strerror(-r));
        return REPORTED;
    }
    listeners->sockets[LISTENER_UNIX].fds[0] = listeners->unix_socket.fd;
    listeners->sockets[LISTENER_UNIX].n = 1;
    log_info("listening on %s", address->path);
    return 0;
}

/* Takes a socket of the service manager's over, whatever its address. */
static int adopt_socket(struct listeners *listeners, enum listener listener, int fd)
{
    const char *name = config_listener_name(listener);
    bool tcp = listener != LISTENER_UNIX;
    size_t n = count_sockets(listener, listeners->settings);
    int *fds = listeners->sockets[listener].fds;
    char address[LISTENER_TEXT_MAX];
    int r = tcp ? listener_adopt_tcp(fd, n, fds) : listener_adopt_unix(fd);

    if (r < 0) {
        log_error("cannot use the socket named %s of the service manager: %s", name,
                  r != -EINVAL ? strerror(-r)
                  : tcp        ? "it is not a listening TCP socket"
                               : "it is not a listening unix socket");
        close(fd);
        return REPORTED;
    }
    listeners->sockets[listener].n = n;
    if (tcp) {
        listener_describe_tcp(fd, address);
        log_info("listening on http://%s%s, the socket named %s of the service manager", address,
                 path_of(listener, listeners->settings), name);
    } else {
        *fds = fd;
        listeners->unix_is_managers = true;
        log_info("listening on the socket named %s of the service manager", name);
    }
    return 0;
}

static int open_listener(struct listeners *listeners, enum listener listener,
                         struct socket_activation *activation)
{
    int fd;

    if (!listeners->settings->listeners[listener].enabled)
        return 0;
    fd = socket_activation_take(activation, config_listener_name(listener));
    if (fd >= 0)
        return adopt_socket(listeners, listener, fd);
    return listener == LISTENER_UNIX ? open_unix(listeners) : open_tcp(listeners, listener);
}

int listeners_new(const struct settings *settings, struct listeners **out)
{
    CLEANUP(socket_activation_deinit) struct socket_activation activation;
    CLEANUP(listeners_free_pointer) struct listeners *listeners = NULL;
    const char *left;
    int r = 0;

    socket_activation_init(&activation);
    listeners = calloc(1, sizeof(*listeners));
    if (!listeners)
        return -ENOMEM;
    listeners->settings = settings;
    for (enum listener listener = 0; listener < LISTENER_COUNT && r == 0; listener++)
        r = open_listener(listeners, listener, &activation);
    if (r)
        return r;
    left = socket_activation_left(&activation);
    if (left)
        log_warning(
            "closed the socket named \"%s\" of the service manager: the configuration has no "
            "listener of that name",
            left);
    *out = listeners;
    listeners = NULL;
    return 0;
}

int listeners_socket(const struct listeners *listeners, enum listener listener, size_t thread)
{
    assert(thread < listeners->sockets[listener].n);
    return listeners->sockets[listener].fds[thread];
}

void listeners_free(struct listeners *listeners)
{
    if (!listeners)
        return;
    if (listeners->sockets[LISTENER_UNIX].n && !listeners->unix_is_managers) {
        listener_close_unix(&listeners->settings->listeners[LISTENER_UNIX].unix_address,
                            &listeners->unix_socket);
        listeners->sockets[LISTENER_UNIX].n = 0;
    }
    for (enum listener listener = 0; listener < LISTENER_COUNT; listener++)
        for (size_t i = 0; i < listeners->sockets[listener].n; i++)
            close(listeners->sockets[listener].fds[i]);
    free(listeners);
}
