/* The zones of a PowerDNS server, by its API:
 * https://doc.powerdns.com/authoritative/http-api/zone.html */
#pragma once

#include "config/settings.h"
#include "sync/source.h"

/* Hands the name of every zone to a function. Returns as source_read does. */
int powerdns_read(const struct sync_powerdns *settings, source_found found, void *context,
                  struct buffer *fault);
