/* The plain kind of JSON that PowerDNS writes its requests in, read in place.
 *
 * A request is one object of "method" and "parameters", the latter a flat object of strings and
 * whole numbers. jansson takes a dozen allocations and two microseconds for it, five times what all
 * the rest of a query takes, which costs PowerDNS over a unix socket from 5 to 25% of its queries.
 * So what is plain is read here, and all else, escapes, nesting, anything unexpected or wrong, is
 * left to jansson, whose word is final: this reader never refuses, it only declines.
 */
#pragma once

#include "base/base.h"

enum { PLAIN_JSON_MEMBERS_MAX = 16 };

struct plain_member {
    struct text key;
    struct text value; /* of a string, or the digits of a number */
    bool number;
};

struct plain_request {
    struct text method;
    struct plain_member members[PLAIN_JSON_MEMBERS_MAX]; /* of "parameters" */
    size_t n_members;
};

/* Reads a request. Returns whether it is plain; if not, OUT is of no use. The views point into the
 * text. */
bool request_json_read(struct text text, struct plain_request *out);

/* The member with a key, or NULL. */
const struct plain_member *request_json_find(const struct plain_request *request, struct text key);
