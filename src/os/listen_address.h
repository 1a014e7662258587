/* Addresses that a service listens at, as the configuration writes them. */
#pragma once

#include "base/base.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* A TCP address, and its text with the port. */
struct listen_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } socket;
    socklen_t length;
    char text[64]; /* "127.0.0.1:8053", "[::1]:8053" */
};

/* The path of a unix socket, and who may connect to it. */
struct unix_address {
    const char *path; /* absolute, and short enough for a socket address */
    uint32_t mode;    /* permission bits */
    uint32_t group;   /* gid, or UNIX_GROUP_UNCHANGED */
};

#define UNIX_GROUP_UNCHANGED UINT32_MAX

/* Reads "192.0.2.1:8053" or "[2001:db8::1]:8053", the port (1 to 65535) being PORT if there is
 * none. Returns whether TEXT is such an address; OUT is untouched otherwise. */
bool listen_address_parse(struct text text, in_port_t port, struct listen_address *out);

/* Whether no two sockets can listen at two addresses: the same ones, or an address and all
 * addresses of the same port. Linux takes "::" for all addresses of IPv4, too. */
bool listen_address_overlaps(const struct listen_address *a, const struct listen_address *b);

/* Whether only this machine can reach the address. */
bool listen_address_is_loopback(const struct listen_address *address);
