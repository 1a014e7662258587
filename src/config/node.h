/* YAML as nodes that know where they were written.
 *
 * libyaml gives events; from them this makes a tree of small nodes in an arena, text and all. Only
 * the plain part of YAML is wanted in a configuration: aliases, anchors, tags, keys that are no
 * scalars, duplicate keys, second documents, NUL in scalars and deep nesting are reported as errors
 * here, each at its place, and reading goes on behind them where it can. It ends at the first
 * collection that is nested too deep.
 *
 * The file is read in pieces.
 */
#pragma once

#include "base/arena.h"
#include "config/source.h"
#include "os/file.h"

enum {
    NODE_DEPTH_MAX = 16, /* collections in one another */
    NODE_KEYS_MAX = 256, /* keys of one mapping */
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

/* Reads a YAML file that was opened and is called SOURCE in SOURCES. The nodes live as long as the
 * arena. Errors are reported; some leave nodes behind that can be looked at further. Returns 0,
 * REPORTED or -ENOMEM. */
int node_load(struct file *file, uint16_t source, const struct sources *sources,
              struct arena *arena, struct diagnostics *diagnostics, struct node **root);

/* The same from memory. */
int node_parse(struct text bytes, uint16_t source, const struct sources *sources,
               struct arena *arena, struct diagnostics *diagnostics, struct node **root);

/* The value of a key in a mapping, or NULL. */
const struct node *node_find(const struct node *mapping, const char *key);

/* The text of a scalar. */
struct text node_text(const struct node *node);

/* Whether a node is what YAML calls null: nothing, ~ or null, without quotes. */
bool node_is_null(const struct node *node);

/* What a node is, for a message: "a list", "a mapping", "nothing", or a scalar in quotes. */
struct quoted node_describe(const struct node *node);

struct place node_place(const struct node *node, const struct sources *sources);
