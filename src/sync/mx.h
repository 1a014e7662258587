/* Which policy each name is a member of, by its MX records: the first one in the order of the
 * configuration, among those with members that sync finds, whose mx cover all of them (RFC 8461
 * 4.1). A name without MX records, or with a null MX (RFC 7505), is none. */
#pragma once

#include "config/config.h"
#include "sync/names.h"
#include "sync/uncovered.h"

struct mx_result {
    size_t uncovered;  /* names with MX records that no policy covers */
    size_t without;    /* names without MX records, or with a null MX */
    size_t failed;     /* names whose look-up has failed */
    char failure[400]; /* of the first of them, for a message */
};

/* Asks the name server for the MX records of every name, many at a time, and sets the policy of the
 * entries. Those whose look-up fails are asked again at the end; if that fails, too, they stay
 * NAMES_UNKNOWN. Returns 0 or -ENOMEM. */
int mx_ask(struct names *names, const struct config *config, struct uncovered *uncovered,
           struct mx_result *out);
