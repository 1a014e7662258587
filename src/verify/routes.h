/* Whether this machine can send anything to an address: many have no IPv6, and what only they
 * cannot reach is no fault of a domain. */
#pragma once

#include "dns/address.h"

struct routes {
    size_t n_skipped; /* addresses that were not looked at for want of a route */
};

/* Reads an address in text, and asks the system for a route to it if it is one of IPv6; nothing is
 * sent. Returns false if it is no address, or if there is no route, which is counted. */
bool routes_find(struct routes *routes, struct text text, struct address *out);
