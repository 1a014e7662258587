/* What becomes of a domain now, in a word. */
#pragma once

#include "admin/status.h"

enum domain_state {
    DOMAIN_STATE_PUBLISHED,
    DOMAIN_STATE_HELD_BACK, /* it waits for its certificate */
    DOMAIN_STATE_WAITING,   /* the new id of its policy waits for the announce_delay */
    DOMAIN_STATE_RETIRING,
    DOMAIN_STATE_COUNT,
};

/* The name, for example "held_back". */
const char *domain_state_name(enum domain_state state);

/* Finds a state by its name. Returns whether there is one. */
bool domain_state_find(struct text name, enum domain_state *out);

/* The state of a domain of the view's snapshot. */
enum domain_state domain_state_of(const struct status_view *view, const struct domain *domain);
