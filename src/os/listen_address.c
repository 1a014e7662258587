#include "os/listen_address.h"

#include "base/number.h"
#include "dns/address.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { PORT_DIGITS_MAX = 5 };

/* Splits the address, which is in brackets if it is of IPv6, from the rest. */
static bool split_host(struct text text, struct text *host, struct text *rest)
{
    const char *end;

    if (text.length && text.data[0] == '[') {
        end = memchr(text.data, ']', text.length);
        if (!end)
            return false;
        *host = text_of(text.data + 1, (size_t)(end - text.data) - 1);
        *rest = text_after(text, host->length + 2);
        return memchr(host->data, ':', host->length) != NULL;
    }
    end = memchr(text.data, ':', text.length);
    *host = text_of(text.data, end ? (size_t)(end - text.data) : text.length);
    *rest = text_after(text, host->length);
    return true;
}

/* Reads ":8053"; an empty text leaves the port as it is. */
static bool read_port(struct text text, in_port_t *port)
{
    uint64_t value;

    if (text.length == 0)
        return true;
    if (text.data[0] != ':' || text.length > 1 + PORT_DIGITS_MAX ||
        !number_read(text_after(text, 1), UINT16_MAX, &value) || value == 0)
        return false;
    *port = (in_port_t)value;
    return true;
}

bool listen_address_parse(struct text text, in_port_t port, struct listen_address *out)
{
    struct listen_address result = {0};
    struct address address;
    struct text host, rest;

    if (!split_host(text, &host, &rest) || !read_port(rest, &port) ||
        !address_from_text(host, &address))
        return false;
    if (address.family == AF_INET) {
        struct sockaddr_in *v4 = &result.socket.v4;

        *v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
        memcpy(&v4->sin_addr, address.octets, sizeof(v4->sin_addr));
        result.length = sizeof(*v4);
    } else {
        struct sockaddr_in6 *v6 = &result.socket.v6;

        *v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
        memcpy(&v6->sin6_addr, address.octets, sizeof(v6->sin6_addr));
        result.length = sizeof(*v6);
    }
    snprintf(result.text, sizeof(result.text), address.family == AF_INET ? "%.*s:%u" : "[%.*s]:%u",
             (int)host.length, host.data, port);
    *out = result;
    return true;
}

bool listen_address_is_loopback(const struct listen_address *address)
{
    const struct in6_addr *v6 = &address->socket.v6.sin6_addr;

    if (address->socket.any.sa_family == AF_INET)
        return ntohl(address->socket.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    if (IN6_IS_ADDR_V4MAPPED(v6))
        return v6->s6_addr[12] == IN_LOOPBACKNET;
    return IN6_IS_ADDR_LOOPBACK(v6);
}

/* The address in the form of IPv6, where those of IPv4 have a place (RFC 4291 2.5.5.2). */
static struct in6_addr mapped(const struct listen_address *address)
{
    struct in6_addr out = {.s6_addr = {[10] = 0xff, [11] = 0xff}};

    if (address->socket.any.sa_family == AF_INET6)
        return address->socket.v6.sin6_addr;
    memcpy(&out.s6_addr[12], &address->socket.v4.sin_addr, sizeof(address->socket.v4.sin_addr));
    return out;
}

/* Whether an address stands for all, the other one included. */
static bool covers(const struct in6_addr *address, const struct in6_addr *other)
{
    static const struct in6_addr any_v4 = {.s6_addr = {[10] = 0xff, [11] = 0xff}};

    return IN6_IS_ADDR_UNSPECIFIED(address) ||
           (IN6_ARE_ADDR_EQUAL(address, &any_v4) && IN6_IS_ADDR_V4MAPPED(other));
}

bool listen_address_overlaps(const struct listen_address *a, const struct listen_address *b)
{
    struct in6_addr left = mapped(a), right = mapped(b);

    /* Ports are at the same place in both families. */
    return a->socket.v4.sin_port == b->socket.v4.sin_port &&
           (IN6_ARE_ADDR_EQUAL(&left, &right) || covers(&left, &right) || covers(&right, &left));
}
