/* The names that may be mail domains: once each, in the order of their bytes, with what became of
 * them. A name costs some thirty octets, as there may be a million of them. */
#pragma once

#include "base/buffer.h"

/* What became of a name that is not a member of a policy, in the place of the policy's number. */
#define NAMES_NONE    UINT32_MAX
#define NAMES_UNKNOWN (UINT32_MAX - 1) /* it was not looked up yet, or in vain */

struct name_entry {
    uint32_t at;     /* in the bytes */
    uint32_t policy; /* its number, or one of the above */
};

struct names {
    struct buffer bytes; /* each name after an octet with its length */
    struct name_entry *items;
    size_t n, capacity;
};

#define NAMES_INIT ((struct names){0})

void names_deinit(struct names *names);

/* The positive result of adding: there are as many bytes as can be counted. */
enum { NAMES_FULL = 1 };

/* Adds a canonical name. Returns 0, NAMES_FULL or -ENOMEM. */
int names_add(struct names *names, struct text name);

/* Puts the names in order, each once. */
void names_sort(struct names *names);

/* The name of an entry; it lives until another one is added. */
struct text names_text(const struct names *names, const struct name_entry *entry);

/* Finds a name, once they are in order; NULL if it is not there. */
struct name_entry *names_find(const struct names *names, struct text name);
