/* The types of values that the section sync has: where names come from, and who is asked. */
#pragma once

#include "config/options.h"

/* const char *: an http or https URL without credentials, query, or a final slash; http to another
 * machine gives a warning */
extern const struct option_type type_url;
/* const char *: the absolute path of a file with a secret */
extern const struct option_type type_key_file;
/* const char *: what PowerDNS's API calls a server */
extern const struct option_type type_server_id;
/* char *const *: the absolute path of a program, and its arguments; NULL ends them */
extern const struct option_type type_command;
/* struct listen_address: a name server that is asked */
extern const struct option_type type_server;
