/* Addresses of hosts. */
#pragma once

#include "base/base.h"

#include <sys/socket.h>

/* An IPv4 or IPv6 address. */
struct address {
    int family; /* AF_INET or AF_INET6 */
    uint8_t octets[16];
};

/* Reads an address in its textual form (RFC 4291 2.2). Returns whether it is one. */
bool address_from_text(struct text text, struct address *out);
