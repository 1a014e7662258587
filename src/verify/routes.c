#include "verify/routes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connecting a UDP socket looks the route up and sends nothing. */
static bool has_route(const struct address *address)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
    int fd, r;

    if (address->family != AF_INET6)
        return true;
    fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno != EAFNOSUPPORT;
    memcpy(&in6.sin6_addr, address->octets, sizeof(in6.sin6_addr));
    r = connect(fd, (const struct sockaddr *)&in6, sizeof(in6)) < 0 ? errno : 0;
    close(fd);
    return r != ENETUNREACH && r != EADDRNOTAVAIL;
}

bool routes_find(struct routes *routes, struct text text, struct address *out)
{
    struct address address;

    if (!address_from_text(text, &address))
        return false;
    if (!has_route(&address)) {
        routes->n_skipped++;
        return false;
    }
    *out = address;
    return true;
}
