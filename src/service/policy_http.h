/* Policy bodies over plain HTTP, for a web server that terminates TLS in front (RFC 8461 3.3).
 *
 * GET and HEAD of POLICY_PATH with a Host field of mta-sts.<d> get the policy body of <d>. The
 * entity-tag is the id that is derived from the body, whatever id is announced, so that operators
 * can compare the two. Errors are plain text: 404 for other paths and hosts, 405 for other verbs,
 * 400 for a Host field that is not a host. There is no Date field: the web server in front adds
 * one.
 *
 * GET and HEAD of /ask?domain=mta-sts.<d> are 200 if a certificate for that name is wanted, because
 * the policy of <d> has a mode and a policy host, and 404 for all other names and whatever is no
 * name. This is what Caddy asks before it gets one on demand. The Host field does not matter.
 */
#pragma once

#include "net/pages.h"
#include "snapshot/snapshot.h"

struct policy_http {
    struct snapshot *const *snapshot;
    struct pages pages;
};

/* Initializes HTTP, and gives the handler for an HTTP server of the same thread, which keeps its
 * current snapshot at SNAPSHOT. HTTP must outlive it. */
struct http_handler policy_http_handler(struct policy_http *http, struct snapshot *const *snapshot);
