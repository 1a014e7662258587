#include "service/handover.h"

#include "base/number.h"
#include "net/listener.h"
#include "os/log.h"
#include "os/sd_notify.h"

#include <unistd.h>

void handover_take(struct socket_activation *activation, bool wanted, struct handover *out)
{
    size_t n_closed = activation->n_connections_beyond;
    int fd;

    out->n = 0;
    while ((fd = socket_activation_take_connection(activation)) >= 0) {
        if (wanted && listener_fits_connection(fd) && listener_adopt_unix(fd) == 0) {
            out->fds[out->n++] = fd;
            continue;
        }
        close(fd);
        n_closed++;
    }
    if (out->n + n_closed)
        sd_notify_send("FDSTOREREMOVE=1\nFDNAME=" SOCKET_ACTIVATION_CONNECTION);
    if (n_closed && wanted)
        log_warning("closed %s of the service manager that cannot be used: expected unix sockets "
                    "with a connection, at most %d",
                    number_of(n_closed, "descriptor", "descriptors").text, HANDOVER_MAX);
    else if (n_closed)
        log_warning("closed %s to the unix socket that the service manager kept: listen.unix is "
                    "not configured",
                    number_of(n_closed, "connection", "connections").text);
}

void handover_leave(struct handover *handover)
{
    int r;

    if (handover->n == 0)
        return;
    r = sd_notify_store(SOCKET_ACTIVATION_CONNECTION, handover->fds, handover->n);
    if (r < 0)
        log_warning("cannot leave connections to the unix socket to the service manager: %s",
                    strerror(-r));
    else
        log_info("left %s to the unix socket to the service manager",
                 number_of(handover->n, "connection", "connections").text);
    while (handover->n)
        close(handover->fds[--handover->n]);
}
