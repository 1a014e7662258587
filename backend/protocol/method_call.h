/* A call of a method of PowerDNS's remote backend: what a method gets, and what it gives back. The
 * methods include this, not their table, which is above them (method.h).
 */
#pragma once

#include "base/producer.h"
#include "snapshot/notify.h"

/* The parameters that an answer can depend on. What else PowerDNS sends is ignored. */
enum parameter {
    PARAMETER_NONE, /* ends a list of parameters */
    PARAMETER_QNAME,
    PARAMETER_QTYPE,
    PARAMETER_ID,
    PARAMETER_DOMAIN_ID,
    PARAMETER_ZONENAME,
    PARAMETER_NAME,
    PARAMETER_SERIAL,
    PARAMETER_QUERY,
    PARAMETER_PATTERN,
    PARAMETER_MAX_RESULTS,
    PARAMETER_COUNT,
};

/* What a request gives for a parameter. */
struct argument {
    struct text text; /* empty if absent */
    uint32_t number;  /* the value, if the parameter is a number */
};

/* How a call ended, for the metrics. A call that fails, as memory has run out, has no outcome. */
enum outcome {
    OUTCOME_ANSWERED,  /* rows, or true */
    OUTCOME_EMPTY,     /* ours, and nothing to tell: an empty array */
    OUTCOME_NOT_OURS,  /* {"result":false} */
    OUTCOME_MALFORMED, /* no answer: the request could not be understood */
    OUTCOME_COUNT,
};

struct method_call {
    const struct argument *arguments; /* by parameter; all that the method has are there */
    struct snapshot *snapshot;        /* what the answer is made from */
    struct notify *notify; /* NULL: nothing is remembered, as if there were no own zones */
    struct buffer *reply;

    /* What a method may set: */
    struct producer *rest; /* writes the rest of a long reply; the caller frees it */
    bool orders_reload;    /* the caller must read the configuration again */
};

/* Writes a result that is a constant. Returns the outcome that it has. */
static inline int method_call_result(struct method_call *call, const char *json,
                                     enum outcome outcome)
{
    buffer_add_string(call->reply, json);
    return outcome;
}
