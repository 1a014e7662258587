/* One request of PowerDNS's remote backend, whatever encoding it came in.
 *
 * Three decoders read the three encodings of the HTTP connector, one of which the unix connector
 * has too, into the same typed request. They fill the parameters that the row of the method names,
 * and ignore what else comes, as later versions of PowerDNS send more. What PowerDNS would not send
 * is malformed: the caller must report an error, never an answer.
 */
#pragma once

#include "protocol/method.h"

enum { REQUEST_NUMBER_SIZE = 24 }; /* octets of text: any number of 32 bits fits */

struct request {
    const struct method *method; /* NULL: one that this service does not know */
    /* By parameter, for method_answer; they may point into the text that was decoded. */
    struct argument arguments[PARAMETER_COUNT];
    const char *fault; /* what was expected, if the request is malformed; a constant */

    /* What the arguments point into: */
    char number_texts[METHOD_PARAMETERS_MAX][REQUEST_NUMBER_SIZE]; /* numbers of JSON */
    struct json_t *json;                                           /* what jansson read */
    char *decoded;                                                 /* what was percent-encoded */
    size_t n_decoded;
};

#define REQUEST_INIT ((struct request){0})

/* Releases what a decoder allocated; a request that was never decoded is allowed. */
void request_deinit(struct request *request);

/* The positive result of the decoders: PowerDNS would not send this. The request's fault says what
 * was expected. */
enum { REQUEST_MALFORMED = 1 };

/* Decodes the path of a GET request, or of the writing verbs: "<method>/<component>/…",
 * percent-encoded, what follows the URL that PowerDNS is configured with. A url-suffix after the
 * last component is dropped: PowerDNS encodes every octet of a component but letters and digits, so
 * the suffix begins at the first octet that it would have encoded. A last component without any
 * escape may be typed by hand; a name in it is taken whole. The other parameters of the method come
 * from the body, a form (PowerDNS so sends the serial of setNotified, as "8%2e000000"), or without
 * a body from the query string (the pattern of searchRecords). Returns 0, REQUEST_MALFORMED or
 * -ENOMEM. */
int request_decode_path(struct request *request, struct text path, struct text body);

/* Decodes a form request: the method from the path (a url-suffix is dropped as above), the
 * parameters from the body's field "parameters", which is percent-encoded JSON. PowerDNS's GET mode
 * sends some methods as forms too, with the parameters as fields. Returns 0, REQUEST_MALFORMED or
 * -ENOMEM. */
int request_decode_form(struct request *request, struct text path, struct text body);

/* Decodes a JSON request: {"method":"…","parameters":{…}}. Returns 0, REQUEST_MALFORMED or -ENOMEM.
 */
int request_decode_json(struct request *request, struct text body);

/* The same by jansson alone: what request_decode_json does if request_json.h declines. */
int request_decode_any_json(struct request *request, struct text body);
