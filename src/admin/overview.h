/* What the overview of the page shows. Nothing in it grows with the number of domains, policies or
 * findings. */
#pragma once

#include "admin/saved.h"
#include "admin/status.h"

#include <jansson.h>

enum { OVERVIEW_NAMED = 5 /* domains of a kind */ };

/* The first domains that are held back. Finding them may take a look at every domain, so they are
 * kept until another snapshot is published. */
struct held_domains {
    uint64_t generation; /* 0: nothing is known */
    uint32_t positions[OVERVIEW_NAMED];
    size_t n;
};

/* Makes the data of the overview, with the policies from a number on. page_data_begin was called.
 * Returns 0 or -ENOMEM. */
int overview_new(const struct status_view *view, struct saved *saved, struct held_domains *held,
                 size_t from, json_t **out);
