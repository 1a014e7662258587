/* Which names the pages about domains may be asked for by.
 *
 * A site that a browser on this machine visits cannot read what the service shows: browsers keep
 * sites apart by their names. But the owner of a name can have it lead to 127.0.0.1 once the site
 * is loaded (DNS rebinding), and then the service, which no other machine reaches, has become a
 * part of that site. What gives this away is the Host field: the browser asks for the site's name.
 * So over a loopback address only names are good that lead to this machine whatever a DNS server
 * says: none, an IP address, localhost and what is below it (RFC 6761 6.3), and the machine's own.
 * At other addresses, which are reached without a browser's help, any name may be right. */
#pragma once

#include "dns/name.h"

struct host_guard {
    struct name own; /* the machine's, as at the start; without a length if it is none of a host */
};

enum {
    HOST_GUARD_FOREIGN = 1, /* the positive result of host_guard_check */
    HOST_GUARD_FAULT_MAX = 512,
};

/* Notes the machine's name. Returns 0 or -ENOMEM. */
int host_guard_init(struct host_guard *guard);

/* Judges a Host field by the connection, a descriptor, that it came over. Returns 0 if it is good,
 * HOST_GUARD_FOREIGN, and then FAULT says what to do, or -ENOMEM. */
int host_guard_check(const struct host_guard *guard, int connection, struct text host,
                     char fault[HOST_GUARD_FAULT_MAX]);
