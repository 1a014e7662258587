#include "service/listeners.h"

#include "base/quote.h"
#include "net/listener.h"
#include "net/socket_activation.h"
#include "os/fd.h"
#include "os/fd_limit.h"
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
    struct handover handover;
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

/* Why the unix socket cannot be opened. */
static const char *describe_unix_failure(int r)
{
    return r == -EADDRINUSE ? "another process listens there"
           : r == -EEXIST   ? "the file is not a socket"
                            : strerror(-r);
}

size_t listeners_count(const struct settings *settings)
{
    size_t n = 0;

    for (enum listener listener = 0; listener < LISTENER_COUNT; listener++)
        n += settings->listeners[listener].enabled;
    return n;
}

/* As listeners_judge, but for listeners whose sockets the service manager holds. */
static bool judge(const struct settings *settings, struct socket_activation *activation,
                  void (*report)(const char *text, void *context), void *context)
{
    size_t needed = fd_limit_needed(listeners_count(settings), settings->threads);
    bool found = needed > fd_limit_hard();
    char text[256];

    if (found) {
        snprintf(text, sizeof(text),
                 "%u threads with these listeners need %zu open files, and the hard limit is %zu",
                 settings->threads, needed, fd_limit_hard());
        report(text, context);
    }
    for (enum listener listener = 0; listener < LISTENER_COUNT; listener++) {
        const struct listener_settings *at = &settings->listeners[listener];
        bool tcp = listener != LISTENER_UNIX;
        int r;

        if (!at->enabled || socket_activation_find(activation, config_listener_name(listener)))
            continue;
        r = tcp ? listener_try_tcp(&at->address) : listener_try_unix(&at->unix_address);
        if (r == 0)
            continue;
        snprintf(text, sizeof(text), "cannot listen on %s: %s",
                 tcp ? at->address.text : at->unix_address.path,
                 tcp ? strerror(-r) : describe_unix_failure(r));
        report(text, context);
        found = true;
    }
    return found;
}

bool listeners_judge(const struct settings *settings,
                     void (*report)(const char *text, void *context), void *context)
{
    struct socket_activation none = {0};

    return judge(settings, &none, report, context);
}

static void log_judgement(const char *text, void *context)
{
    (void)context;
    log_error("%s", text);
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
        /* cppcheck-suppress getgrgidCalled; no other thread looks up groups */
        const struct group *group = getgrgid(address->group);

        log_error("cannot give %s to the group %s, of which the service must be a member",
                  address->path, group ? group->gr_name : "that is configured");
        return REPORTED;
    }
    if (r < 0) {
        log_error("cannot listen on %s: %s", address->path, describe_unix_failure(r));
        return REPORTED;
    }
    listeners->sockets[LISTENER_UNIX].fds[0] = listeners->unix_socket.fd;
    listeners->sockets[LISTENER_UNIX].n = 1;
    log_info("listening on %s", address->path);
    return 0;
}

/* What is wrong with one of the service manager's sockets, or NULL. Stores whether a listener that
 * is configured is then without a socket. */
static const char *find_fault(const struct settings *settings,
                              const struct socket_activation *activation, size_t number,
                              bool *fatal)
{
    const struct activated_socket *socket = &activation->sockets[number];
    enum listener listener = 0;

    while (listener < LISTENER_COUNT && (!settings->listeners[listener].enabled ||
                                         strcmp(config_listener_name(listener), socket->name) != 0))
        listener++;
    if (listener == LISTENER_COUNT)
        return "no listener of that name is configured";
    for (size_t i = 0; i < number; i++)
        if (strcmp(activation->sockets[i].name, socket->name) == 0)
            return "there is another one of that name";
    if (listener_fits(socket->fd, listener == LISTENER_UNIX))
        return NULL;
    *fatal = true;
    return listener == LISTENER_UNIX ? "it is not a listening unix socket"
                                     : "it is not a listening TCP socket";
}

/* Closes the sockets of the service manager's that no listener can use, and names all of them in
 * one line. Returns 0, or REPORTED if a listener cannot use its own. */
static int close_unusable(const struct settings *settings, struct socket_activation *activation)
{
    CLEANUP(buffer_deinit) struct buffer names = BUFFER_INIT;
    bool fatal = false;

    for (size_t i = 0; i < activation->n; i++) {
        struct activated_socket *socket = &activation->sockets[i];
        const char *fault = find_fault(settings, activation, i, &fatal);

        if (!fault)
            continue;
        buffer_printf(&names, "%s%s (%s)", names.length ? ", " : "",
                      quote_text(text_from(socket->name)).text, fault);
        close(fd_take(&socket->fd));
    }
    if (activation->n_beyond)
        buffer_printf(&names, "%s%zu more (%d is the most)", names.length ? ", " : "",
                      activation->n_beyond, SOCKET_ACTIVATION_SOCKETS_MAX);
    if (names.length)
        log_at(fatal ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
               "closed sockets of the service manager that cannot be used: %.*s", (int)names.length,
               names.data);
    return fatal ? REPORTED : 0;
}

/* Takes a socket of the service manager's over, whatever its address. */
static int adopt_socket(struct listeners *listeners, enum listener listener,
                        struct activated_socket *socket)
{
    size_t n = count_sockets(listener, listeners->settings);
    int *fds = listeners->sockets[listener].fds;
    char address[LISTENER_TEXT_MAX];
    int r = listener == LISTENER_UNIX ? listener_adopt_unix(socket->fd)
                                      : listener_adopt_tcp(socket->fd, n, fds);

    if (r < 0) {
        log_error("cannot use the socket named %s of the service manager: %s", socket->name,
                  strerror(-r));
        return REPORTED;
    }
    listeners->sockets[listener].n = n;
    fds[0] = fd_take(&socket->fd);
    if (listener == LISTENER_UNIX) {
        listeners->unix_is_managers = true;
        listener_describe_unix(fds[0], address);
        log_info("listening on %s, the socket named %s of the service manager", address,
                 socket->name);
    } else {
        listener_describe_tcp(fds[0], address);
        log_info("listening on http://%s%s, the socket named %s of the service manager", address,
                 path_of(listener, listeners->settings), socket->name);
    }
    return 0;
}

static int open_listener(struct listeners *listeners, enum listener listener,
                         struct socket_activation *activation)
{
    struct activated_socket *socket;

    if (!listeners->settings->listeners[listener].enabled)
        return 0;
    socket = socket_activation_find(activation, config_listener_name(listener));
    if (socket)
        return adopt_socket(listeners, listener, socket);
    return listener == LISTENER_UNIX ? open_unix(listeners) : open_tcp(listeners, listener);
}

int listeners_new(const struct settings *settings, struct listeners **out)
{
    CLEANUP(socket_activation_deinit) struct socket_activation activation;
    CLEANUP(listeners_free_pointer) struct listeners *listeners = NULL;
    int r;

    socket_activation_init(&activation);
    listeners = calloc(1, sizeof(*listeners));
    if (!listeners)
        return -ENOMEM;
    listeners->settings = settings;
    r = close_unusable(settings, &activation);
    if (r == 0 && judge(settings, &activation, log_judgement, NULL))
        r = REPORTED;
    for (enum listener listener = 0; listener < LISTENER_COUNT && r == 0; listener++)
        r = open_listener(listeners, listener, &activation);
    if (r)
        return r;
    handover_take(&activation, settings->listeners[LISTENER_UNIX].enabled, &listeners->handover);
    *out = listeners;
    listeners = NULL;
    return 0;
}

int listeners_socket(const struct listeners *listeners, enum listener listener, size_t thread)
{
    assert(thread < listeners->sockets[listener].n);
    return listeners->sockets[listener].fds[thread];
}

struct handover *listeners_handover(struct listeners *listeners)
{
    return &listeners->handover;
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
    while (listeners->handover.n)
        close(listeners->handover.fds[--listeners->handover.n]);
    free(listeners);
}
