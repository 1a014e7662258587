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

/* Whether an address, as far as its block tells, can be reached from all over the Internet: none of
 * those for private networks, one host or link, multicast, tests and the like (RFC 6890 and IANA's
 * registries). Addresses for documentation (RFC 5737, 3849, 9637) count as if they could: examples
 * have them in the place of real ones. */
bool address_is_global(const struct address *address);
