/* The option table engine: rows of key, type, range and default say how a mapping of nodes becomes
 * a struct of typed values. What a key may hold is known to its row alone, so messages and
 * documentation follow from the same table as the reading. */
#pragma once

#include "base/buffer.h"
#include "config/node.h"
#include "os/listen_address.h"

struct option;
struct option_table;

/* What reading needs beside the row and the node. */
struct option_context {
    struct arena *arena; /* where values live that do not fit into their struct */
    const struct sources *sources;
    struct diagnostics *diagnostics;
};

/* A type of values. */
struct option_type {
    size_t size; /* bytes of one value */
    int kinds;   /* the node kinds it is read from: OPTION_FROM_… */
    void (*describe)(const struct option *option, struct buffer *out); /* for "expected …" */

    /* Reads one value; reports what is wrong with it. The node is of a fitting kind and not empty.
     * Returns 0, REPORTED or -ENOMEM. */
    int (*read)(const struct option_context *context, const struct option *option,
                const struct node *node, void *value);

    /* Whether two values in a list are the same, which is an error; NULL where that is allowed. */
    bool (*equals)(const void *a, const void *b);
};

enum {
    OPTION_FROM_SCALAR = 1 << NODE_SCALAR,
    OPTION_FROM_SEQUENCE = 1 << NODE_SEQUENCE,
    OPTION_FROM_MAPPING = 1 << NODE_MAPPING,
};

/* A value of a list row: the values one after another. */
struct option_list {
    void *items;
    size_t n;
};

struct option_choice {
    const char *text; /* NULL ends the choices */
    int value;
};

struct option {
    const char *key;
    const struct option_type *type;
    size_t offset;        /* of the value in its struct; a section's own struct begins there */
    bool list;            /* a struct option_list, written as a list or as one value */
    bool required;        /* an error if the key is missing */
    in_port_t port;       /* of addresses written without one */
    uint32_t min, max;    /* of integers and durations */
    uint32_t max_items;   /* of a list, 0 for any number */
    const char *fallback; /* the default, as it would be written; NULL: none */
    const struct option_choice *choices;
    const struct option_table *section; /* the rows below this one */
    const char *help;                   /* one line for the documentation */

    /* Checks the whole value after its items were read; as option_type.read. NULL: nothing to
     * check. */
    int (*check)(const struct option_context *context, const struct option *option,
                 const struct node *node, const void *value);
};

struct option_table {
    const struct option *rows;
    size_t n; /* at most 32 */
};

/* Which rows of a table a mapping has, and which of these are wrong; bits by row number. */
struct option_marks {
    uint32_t present;
    uint32_t invalid;
};

/* bool: yes, no, true, false */
extern const struct option_type option_boolean;
/* uint32_t within min and max */
extern const struct option_type option_integer;
/* uint32_t seconds within min and max */
extern const struct option_type option_duration;
/* int: the value of one of the choices */
extern const struct option_type option_choice;
/* const char *: the path of a URL without a final slash, "" for the root */
extern const struct option_type option_url_path;
/* struct listen_address */
extern const struct option_type option_address;
/* const char *: an absolute path that fits into the address of a unix socket */
extern const struct option_type option_socket_path;
/* uint32_t: permission bits, written in octal */
extern const struct option_type option_permissions;
/* uint32_t: the gid of a group that exists */
extern const struct option_type option_group;
/* The rows of another table */
extern const struct option_type option_section;
/* const struct node *, a list or a mapping: left to the reader of the settings */
extern const struct option_type option_sequence;
extern const struct option_type option_mapping;

/* Sets every value of a struct that has a default, sections included. Returns 0, REPORTED (a
 * default of the table is wrong, and has been reported) or -ENOMEM. */
int options_set_defaults(const struct option_context *context, const struct option_table *table,
                         void *settings);

/* Reads a mapping into a struct. Values of absent keys, and of keys with an error, stay as they
 * were. Errors are reported, all of them; MARKS (NULL if not wanted) says which rows have one.
 * Returns 0 or -ENOMEM. */
int options_read(const struct option_context *context, const struct option_table *table,
                 const struct node *node, void *settings, struct option_marks *marks);

/* Reports an error of a node's value: "found WHAT, expected <what the row expects>". */
void option_report(const struct option_context *context, const struct option *option,
                   const struct node *node, const char *what);

/* A row as documentation shows it. */
struct option_description {
    const char *key;  /* with the keys above it: "listen.http.address" */
    const char *type; /* what is expected, with the range */
    const struct option *option;
};

/* Visits every row of a table and of the tables below it, depth first. Returns 0 or -ENOMEM. */
int options_describe(const struct option_table *table,
                     void (*row)(const struct option_description *description, void *context),
                     void *context);
