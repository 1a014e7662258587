/* The methods of PowerDNS's remote backend (versions 4.7 to 5.1), as rows of one table.
 *
 * A row names the parameters that the method needs. The decoders (request.h) fill these and no
 * others; a request that lacks one is malformed. The function of the row then writes the value of
 * "result" from one snapshot. If that may be long, it writes the beginning alone and leaves a
 * producer, which holds a reference of the snapshot and writes the rest in pieces (zone_stream.h).
 *
 * PowerDNS takes {"result":false} as "no such thing" for every method but getAllDomains, which gets
 * an array. A wrong false becomes an NXDOMAIN, so a method writes it only if it is true: if memory
 * runs out, the reply fails and the caller reports an error. Methods that the table does not have,
 * and those whose row has no function, get false.
 *
 * From the bottom up: method_call.h, the methods, this table, the decoders.
 */
#pragma once

#include "protocol/method_call.h"

enum {
    METHOD_NONE,               /* the number of a method that is not in the table */
    METHOD_COUNT_MAX = 64,     /* numbers are below this */
    METHOD_PARAMETERS_MAX = 2, /* of one method */
};

/* A row of the table. */
struct method {
    const char *name;
    /* Writes the result. Returns an enum outcome or -ENOMEM. NULL: the result is always false. */
    int (*answer)(struct method_call *call);
    /* All of them required; PARAMETER_NONE follows the last. */
    enum parameter parameters[METHOD_PARAMETERS_MAX + 1];
    size_t n_in_path; /* how many are components of a GET path; the others are fields of a form */
};

/* The row of a method, or NULL if the table has none. Names compare with case, as PowerDNS sends
 * them. */
const struct method *method_find(struct text name);

/* The number of a method, for counting; METHOD_NONE for NULL. */
size_t method_number(const struct method *method);

/* The name of a method by its number: "none" for METHOD_NONE, NULL past the last. */
const char *method_name(size_t number);

/* Answers a call of a method; NULL is one that the table does not have. Writes one JSON object
 * without a newline, {"result":…}, or its beginning, and then sets CALL's rest. Returns the enum
 * outcome; or -ENOMEM, and then the reply has failed, there is no rest, and the caller must report
 * an error in place of the reply. */
int method_answer(const struct method *method, struct method_call *call);
