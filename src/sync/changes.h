/* What a run changes: the members of before, which the service has read from the lists, against
 * what became of the names. */
#pragma once

#include "config/config.h"
#include "sync/names.h"

struct changes {
    size_t added, removed, moved; /* members */
    size_t before;                /* members before the run */
};

/* A name that changes: FROM and TO are numbers of policies, or NAMES_NONE. */
typedef void (*changes_use)(void *context, struct text name, uint32_t from, uint32_t to);

/* Has the names whose look-up has failed stay where they were. */
void changes_keep_unknown(const struct config *config, struct names *names);

/* Hands every change to a function. */
void changes_each(const struct config *config, const struct names *names, changes_use use,
                  void *context);

/* Counts them. */
struct changes changes_count(const struct config *config, const struct names *names);
