/* The Host field of an HTTP request: which of our names a client asks. */
#pragma once

#include "dns/name.h"

/* The positive results of reading. */
enum http_host_fault {
    HTTP_HOST_MALFORMED = 1, /* not of the field's grammar: a bad request */
    HTTP_HOST_NO_NAME,       /* an address, or a name that no host has */
};

/* Reads the value of a Host field, uri-host [ ":" port ] (RFC 9110 7.2, RFC 3986 3.2.2), without
 * white space around it, into a canonical host name: any case, with or without a port and a final
 * dot. Returns 0, an enum http_host_fault, or -ENOMEM. */
int http_host_read(struct text field, struct name *out);

/* Whether the host in such a value is an IP address, with or without a port. */
bool http_host_is_address(struct text field);
