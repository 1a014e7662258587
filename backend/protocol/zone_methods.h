/* The methods of PowerDNS's remote backend about zones of the service's own, for the table of
 * method.h. They return an enum outcome or -ENOMEM. */
#pragma once

#include "protocol/method_call.h"

/* getAllDomains: an array of all own zones, which fills PowerDNS's zone cache. */
int zone_methods_all(struct method_call *call);

/* getDomainInfo: one own zone, or false. */
int zone_methods_info(struct method_call *call);

/* The length of its reply at most, in octets, once PowerDNS has notified all zones. */
size_t zone_methods_all_length(const struct snapshot *snapshot);

/* list: all records of an own zone, for a transfer, or false. */
int zone_methods_list(struct method_call *call);

/* The length of its reply at most, in octets, for a part of the catalog. */
size_t zone_methods_catalog_length(const struct snapshot *snapshot, uint32_t part);

/* getUpdatedMasters: an array of the own zones with a serial that was not notified; of many the
 * first ones, as PowerDNS asks for the others when it has notified these. */
int zone_methods_updated(struct method_call *call);

/* setNotified: true. PowerDNS has told the secondaries of a zone about a serial. */
int zone_methods_set_notified(struct method_call *call);
