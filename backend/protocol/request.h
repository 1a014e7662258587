/* One request of PowerDNS's remote backend, whatever encoding it came in.
 *
 * Three decoders read the three encodings of the HTTP connector (the JSON one also serves the unix
 * connector) into the same typed request; the method table in method.h says which parameters a
 * method has. A decoder fills only what that method uses: what else PowerDNS sends is ignored, as
 * its later versions add parameters.
 */
#pragma once

#include "base/base.h"

#include <jansson.h>

struct method;

/* The parameters that an answer here can depend on. */
enum parameter {
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

enum {
    REQUEST_NUMBERS_MAX = 2,  /* of one method */
    REQUEST_NUMBER_SIZE = 24, /* bytes of text: any number of 32 bits fits */
};

struct request {
    const struct method *method; /* NULL: one that this service does not know */
    /* Empty where absent; they may point into the text that was decoded. */
    struct text parameters[PARAMETER_COUNT];
    uint32_t numbers[PARAMETER_COUNT]; /* the values of those that are numbers */
    char number_texts[REQUEST_NUMBERS_MAX][REQUEST_NUMBER_SIZE]; /* of numbers in JSON */
    size_t n_number_texts;
    const char *fault; /* what was expected, if the request is malformed */
    json_t *json;      /* what JSON parameters point into */
    char *decoded;     /* what percent-decoded parameters point into */
};

#define REQUEST_INIT ((struct request){0})

/* Releases what a decoder allocated; a request that was never decoded is allowed. */
void request_deinit(struct request *request);

/* The positive result of the decoders: PowerDNS would not send this. request->fault says what was
 * expected. */
enum { REQUEST_MALFORMED = 1 };

/* Decodes the path of a GET request (or of the writing verbs): "<method>/<component>/…",
 * percent-encoded, what follows the URL that PowerDNS is configured with. A url-suffix behind the
 * last component is dropped: PowerDNS encodes every octet of a component but letters and digits, so
 * the suffix begins at the first octet that it would have encoded. A last component without any
 * escape may be typed by hand; a name in it is taken whole. The method's fields come from the body,
 * a form (PowerDNS so sends the serial of setNotified, as "8%2e000000"), or without one from the
 * query string (so the pattern of searchRecords). Returns 0,
 * REQUEST_MALFORMED or -ENOMEM. */
int request_decode_path(struct request *request, struct text path, struct text body);

/* Decodes a form request: the method from the path (a url-suffix is dropped as above) and the
 * body's field "parameters", which is percent-encoded JSON. PowerDNS's GET mode sends some methods
 * as forms too, with the method's fields as those of the form. Returns 0, REQUEST_MALFORMED or
 * -ENOMEM. */
int request_decode_form(struct request *request, struct text path, struct text body);

/* Decodes a JSON request: {"method":"…","parameters":{…}}. Returns 0, REQUEST_MALFORMED or -ENOMEM.
 */
int request_decode_json(struct request *request, struct text body);

/* The same, for JSON of any form: what request_decode_json does where plain_json.h declines. */
int request_decode_any_json(struct request *request, struct text body);
