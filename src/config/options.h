/* The option table: a key of the configuration is a row.
 *
 * A table has a row for each key that a mapping may have. The row says of what type the key's value
 * is, within which range or among which choices, what it is if the key is absent, and where it goes
 * in the struct of settings that the table is for. options_read takes a mapping apart by its table:
 * the type of the row turns each value into a C value, or reports what was found and what the row
 * expects. The same rows set the defaults, compare two structs of settings, and are what a test
 * compares the manual page with; so a new key is a row, a member of its struct and a paragraph of
 * the page.
 *
 * A section, such as "listen", is a row with a table of its own, whose values lie in the same
 * struct; the value of the section itself is whether it is there. A list is a row too, written as a
 * list or as one value: its values go to the arena, and their number beside the pointer to them.
 */
#pragma once

#include "base/buffer.h"
#include "config/node.h"
#include "os/listen_address.h"

struct option;
struct option_table;

/* A value that is being read: what it stands for, and where it is written. */
struct option_input {
    const struct load_context *context;
    const struct option *option;
    const struct node *node;
};

/* A type of values. */
struct option_type {
    size_t size;         /* bytes of one value */
    int kinds;           /* the node kinds it is read from: OPTION_FROM_…; 0: scalars */
    const char *expects; /* for "expected …" */

    /* The same if it depends on the row; NULL otherwise. */
    void (*describe)(const struct option *option, struct buffer *out);

    /* Reads one value; reports what is wrong with it. The node is of a fitting kind, and not empty
     * unless that is a mapping.
     * Returns 0, REPORTED or -ENOMEM. */
    int (*read)(const struct option_input *input, void *value);

    /* Compares two values as strcmp does. NULL if they are the same whose bytes are, and there is
     * no list of them. */
    int (*compare)(const void *a, const void *b);
};

enum {
    OPTION_FROM_SCALAR = 1 << NODE_SCALAR,
    OPTION_FROM_SEQUENCE = 1 << NODE_SEQUENCE,
    OPTION_FROM_MAPPING = 1 << NODE_MAPPING,
};

struct option_choice {
    const char *text; /* NULL ends the choices */
    int value;
};

struct option {
    const char *key;
    const struct option_type *type;
    size_t offset;        /* of the value in the settings; of a list, of a pointer to its values */
    size_t n_offset;      /* of a list: of the size_t that says how many there are */
    bool list;            /* as a list or as one value; each value may be there once */
    bool required;        /* an error if the key is missing */
    bool restart;         /* changes only by a restart */
    in_port_t port;       /* of addresses written without one */
    uint32_t min, max;    /* of integers and durations */
    uint32_t max_items;   /* of a list, 0 for any number */
    const char *fallback; /* the default, as it would be written; NULL: none */
    const struct option_choice *choices;
    const struct option_table *section; /* the rows below this one */

    /* Checks the values of a list together, after each was read; as option_type.read. NULL: nothing
     * to check. */
    int (*check)(const struct option_input *input, const void *items, size_t n);
};

struct option_table {
    const struct option *rows;
    size_t n; /* at most 32 */
};

/* The keys that a mapping has, and those of them with an error or missing; bits by row number. */
struct option_keys {
    uint32_t present;
    uint32_t invalid;
};

/* bool: yes, no, true, false; or one of two choices */
extern const struct option_type option_boolean;
/* uint32_t within min and max */
extern const struct option_type option_integer;
/* uint32_t seconds within min and max */
extern const struct option_type option_duration;
/* int: the value of one of the choices */
extern const struct option_type option_choice;
/* const char *: the path of a URL without a final slash, "" for the root */
extern const struct option_type option_url_path;
/* struct listen_address; one that others can reach gives a warning */
extern const struct option_type option_address;
/* const char *: an absolute path that fits into the address of a unix socket */
extern const struct option_type option_socket_path;
/* const char *: an absolute path, or "none" */
extern const struct option_type option_directory;
/* uint32_t: percent, from min to max */
extern const struct option_type option_percent;
/* uint32_t: permission bits, written in octal */
extern const struct option_type option_permissions;
/* uint32_t: the gid of a group that exists */
extern const struct option_type option_group;
/* bool: whether there is such a section; its own values are those of the row's table */
extern const struct option_type option_section;
/* const struct node *, a list or a mapping: left to the reader of the settings */
extern const struct option_type option_sequence;
extern const struct option_type option_mapping;

/* Their way to read: takes the node as it is. */
int option_keep_node(const struct option_input *input, void *value);

/* For types that are strings: keeps a text as one that lives as long as the settings. Returns 0 or
 * -ENOMEM. */
int option_keep_string(const struct option_input *input, struct text text, const char **out);

/* Sets every value of a struct that has a default, sections included. Returns 0, REPORTED (a
 * default of the table is wrong) or -ENOMEM. */
int options_set_defaults(const struct load_context *context, const struct option_table *table,
                         void *settings);

/* Reads a mapping, or what is written without a value in its place, into a struct. Values of absent
 * keys, and of keys with an error, stay as they were. Errors are reported, all of them; KEYS (NULL
 * if not wanted) says which rows have one. Returns 0 or -ENOMEM. */
int options_read(const struct load_context *context, const struct option_table *table,
                 const struct node *node, void *settings, struct option_keys *keys);

/* Names the rows of a table and its sections that change only by a restart and differ in two
 * structs: "listen.http.path, threads", or nothing. A section that only one of the two has is named
 * by its own key. */
void options_name_restart(const struct option_table *table, const void *before, const void *after,
                          struct buffer *out);

/* Writes what a row expects, as messages and the manual page say it: "yes or no". */
void option_describe(const struct option *option, struct buffer *out);

/* Reports "found WHAT, expected <what the row expects>". Returns REPORTED. */
int option_report(const struct option_input *input, const char *what);

/* The same of the node itself: "found \"maybe\", expected yes or no". */
int option_refuse(const struct option_input *input);
