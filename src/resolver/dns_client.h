/* Questions straight to one name server, without recursion: over UDP, and over TCP where an answer
 * does not fit (RFC 1035 4.2, RFC 6891, RFC 7766); without EDNS where the server refuses that.
 *
 * Many questions are under way at a time, DNS_CLIENT_WINDOW to one server, of which at most eight
 * over TCP; the others wait for their turn. A question is asked up to three times. A server that
 * has not answered DNS_CLIENT_PATIENCE questions in a row is given up: what waits for it, and what
 * would be asked later, ends at once with DNS_NO_ANSWER. */
#pragma once

#include "dns/address.h"
#include "resolver/dns_answer.h"

#include <netinet/in.h>

struct event_base;
struct dns_client;

enum { DNS_CLIENT_WINDOW = 64, DNS_CLIENT_PATIENCE = 8 };

typedef void (*dns_client_done)(void *context, const struct dns_answer *answer);

/* Makes a client on an event base. Returns 0 or -ENOMEM. */
int dns_client_new(struct event_base *base, struct dns_client **out);

/* Ends all questions, without calling what they would call, and frees the client; NULL is allowed.
 */
void dns_client_free(struct dns_client *client);

/* Asks the server at an address and port for a name and type. With RECURSION the question asks for
 * recursion (RD). DONE is called later, never before this returns; its answer lives until it
 * returns. Returns 0 or -ENOMEM. */
int dns_client_ask(struct dns_client *client, const struct address *server, in_port_t port,
                   bool recursion, const char *name, ns_type type, dns_client_done done,
                   void *context);

/* Forgets which servers were given up. */
void dns_client_forgive(struct dns_client *client);
