/* The methods of PowerDNS's remote backend (versions 4.7 to 5.1), as rows of one table, and their
 * answers. */
#pragma once

#include "answer/answer.h"
#include "base/producer.h"
#include "protocol/request.h"
#include "snapshot/notify.h"

/* How a request ended, for the metrics. */
enum outcome {
    OUTCOME_ANSWERED,  /* rows, or true */
    OUTCOME_EMPTY,     /* ours, and nothing to tell: an empty array */
    OUTCOME_NOT_OURS,  /* {"result":false} */
    OUTCOME_MALFORMED, /* no answer: the request could not be understood */
    OUTCOME_COUNT,
};

/* What methods answer from. */
struct method_context {
    struct snapshot *snapshot;
    struct notify *notify; /* NULL: nothing is remembered, as if there were no own zones */
};

/* A row of the method table. */
struct method {
    const char *name;
    /* The components of a GET path, in PowerDNS's order, all of them required; ends with
     * PARAMETER_COUNT. */
    enum parameter components[PARAMETER_COUNT + 1];
    /* What comes in the body of such a request; alike. */
    enum parameter fields[PARAMETER_COUNT + 1];
    /* Writes the value of "result", or its beginning, and then sets REST, which writes the rest. */
    enum outcome (*add_result)(const struct request *request, const struct method_context *context,
                               struct buffer *reply, struct producer **rest);
};

/* Whether a request is the operator's order to read the configuration again, which the caller has
 * to see to. */
bool method_orders_reload(const struct request *request);

enum {
    METHOD_NONE,           /* the number of what is no method of the table */
    METHOD_COUNT_MAX = 64, /* numbers are below this */
};

/* The number of a method, for counting; METHOD_NONE for NULL. */
size_t method_number(const struct method *method);

/* The name of a method by number, NULL behind the last one; "none" for METHOD_NONE. */
const char *method_name(size_t number);

/* The row of a method, or NULL if it is unknown. Names compare with case, as PowerDNS sends them.
 */
const struct method *method_find(struct text name);

/* Writes the reply to a decoded request, one JSON object without a newline: {"result":…}, and says
 * how it ended. Where the reply may be very long only its beginning is written, and REST is set to
 * what makes the rest of it, from the same snapshot; the caller frees that. Else REST stays as it
 * is. What this service does not know or does not own is {"result":false}, which PowerDNS
 * takes as "no such thing" for every method but getAllDomains; that one gets an array. A lookup of
 * an existing name that has no row of the type is an empty array. If memory runs out the buffer
 * fails, and the caller must report an error instead of the reply. */
enum outcome method_answer(const struct request *request, const struct method_context *context,
                           struct buffer *reply, struct producer **rest);
