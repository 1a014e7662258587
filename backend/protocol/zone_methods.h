/* The methods of PowerDNS's remote backend that are about zones of the service's own. */
#pragma once

#include "protocol/method.h"

/* getAllDomains: an array of all own zones, which fills PowerDNS's zone cache. */
enum outcome zone_methods_all(const struct request *request, const struct method_context *context,
                              struct buffer *reply, struct producer **rest);

/* getDomainInfo: one own zone, or false. */
enum outcome zone_methods_info(const struct request *request, const struct method_context *context,
                               struct buffer *reply, struct producer **rest);

/* list: all records of an own zone, for a transfer, or false. */
enum outcome zone_methods_list(const struct request *request, const struct method_context *context,
                               struct buffer *reply, struct producer **rest);

/* getUpdatedMasters: an array of the own zones whose serials were not notified; of many the first
 * ones, as PowerDNS asks for the others when it has notified these. */
enum outcome zone_methods_updated(const struct request *request,
                                  const struct method_context *context, struct buffer *reply,
                                  struct producer **rest);

/* setNotified: true; PowerDNS has told the secondaries of a zone. */
enum outcome zone_methods_set_notified(const struct request *request,
                                       const struct method_context *context, struct buffer *reply,
                                       struct producer **rest);
