/* YAML as nodes that know where they were written.
 *
 * libyaml reads the file in pieces and gives events; from these a tree of small nodes is made, in
 * an arena, text and all: 32 bytes each and, for a scalar, its text. A node knows its file, line
 * and column, so that a value that turns out to be wrong, however late, is reported where it is
 * written.
 *
 * A configuration needs only the plain part of YAML. Aliases, anchors, tags, %TAG directives, keys
 * that are not scalars, keys that are there twice, NUL in scalars and second documents are errors,
 * reported here, each at its place; reading goes on after them, and a node of the kind NODE_INVALID
 * stands for a value that was reported, so that nobody reports it again. Reading ends where the
 * file is not YAML, at the first collection that is nested too deep, and where the nodes take too
 * much memory.
 */
#pragma once

#include "base/arena.h"
#include "config/cancel.h"
#include "config/source.h"
#include "os/file.h"

enum {
    NODE_DEPTH_MAX = 16,   /* collections in one another */
    NODE_KEYS_MAX = 256,   /* keys of one mapping */
    NODE_MEMORY_MAX = 512, /* MiB of all nodes in an arena */
};

enum node_kind {
    NODE_SCALAR,
    NODE_SEQUENCE,
    NODE_MAPPING,
    NODE_INVALID, /* stands for what was reported and has no value */
};

struct node {
    union {
        const char *text;   /* of a scalar: terminated UTF-8 without NUL */
        struct node *first; /* of a sequence its items, of a mapping key, value, key, value … */
    };
    struct node *next; /* what follows in the same collection */
    uint32_t length;   /* bytes of a scalar; items or pairs of a collection */
    uint32_t line;     /* both from 1 */
    uint32_t column;
    uint16_t source; /* the file */
    uint8_t kind;
    bool plain; /* a scalar without quotes */
};

/* What every part of a load needs: where results live, the names of the files, where errors go, and
 * whether to go on. */
struct load_context {
    struct arena *arena;
    const struct sources *sources;
    struct diagnostics *diagnostics;
    struct cancel cancel;
};

/* Reads a YAML file that was opened and has a number. The nodes live as long as the context's
 * arena. Errors are reported; some leave nodes that can be looked at further. Returns 0, REPORTED
 * if there are no nodes, -ECANCELED or -ENOMEM. */
int node_read(const struct load_context *context, struct file *file, uint16_t source,
              struct node **root);

/* The first item or key of a collection; NULL if it has none, or if the node is a scalar. */
const struct node *node_first(const struct node *node);

/* The value of a key in a mapping, or NULL. */
const struct node *node_find(const struct node *mapping, const char *key);

/* The text of a scalar. */
struct text node_text(const struct node *node);

/* Whether a node is what YAML calls null: nothing, ~ or null, without quotes. */
bool node_is_null(const struct node *node);

/* What a node is, for a message: "a list", "a mapping", "nothing", or a scalar in quotes. */
struct quoted node_describe(const struct node *node);

/* Where a node is written; the same packed, for source_unpack. */
struct place node_place(const struct node *node, const struct sources *sources);
uint64_t node_pack_place(const struct node *node);

/* Reports an error or a warning at a node. */
#define NODE_ERROR(CONTEXT, NODE, ...)                                                             \
    diagnostics_error((CONTEXT)->diagnostics, node_place(NODE, (CONTEXT)->sources), __VA_ARGS__)
#define NODE_WARNING(CONTEXT, NODE, ...)                                                           \
    diagnostics_warning((CONTEXT)->diagnostics, node_place(NODE, (CONTEXT)->sources), __VA_ARGS__)
