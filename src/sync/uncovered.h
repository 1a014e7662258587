/* The mail servers that no policy covers, and how many names have each: what an operator may have
 * forgotten. */
#pragma once

#include "base/arena.h"

/* Of more servers than that, the further ones are not kept: customers' own servers may be as many
 * as their domains. */
enum { UNCOVERED_MAX = 1 << 16 };

struct uncovered {
    struct arena arena;
    void *servers; /* a tree of tsearch(3) */
    size_t n;
    bool cut; /* there are further ones */
};

#define UNCOVERED_INIT ((struct uncovered){0})

void uncovered_deinit(struct uncovered *uncovered);

/* Counts a domain that has the server of a name. Returns whether there is no more to do: false if
 * the server is to be added, unless a policy covers it. */
bool uncovered_count(struct uncovered *uncovered, struct text name);

/* Adds a server, which one domain has. Returns 0 or -ENOMEM. */
int uncovered_add(struct uncovered *uncovered, struct text name);

/* Hands the servers that most names have to a function, MAX of them at most, the widest first.
 * Returns 0 or -ENOMEM. */
int uncovered_each(const struct uncovered *uncovered, size_t max,
                   void (*use)(struct text server, size_t names));
