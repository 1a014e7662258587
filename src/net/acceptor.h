/* Takes new connections whenever there are some, and rests for a moment where there is nothing to
 * take them with: no descriptor, no memory, or no place. Trying again without a rest would keep the
 * thread from all else, as the descriptor stays ready. */
#pragma once

#include <event2/event.h>

/* What came of trying to take a connection. */
enum acceptance {
    ACCEPTANCE_NEXT, /* another may wait */
    ACCEPTANCE_NONE, /* no other waits */
    ACCEPTANCE_REST, /* there is nothing to take it with */
};

struct acceptor {
    struct event *ready, *resume;
    enum acceptance (*accept)(int descriptor, void *context);
    void *context;
};

/* Starts on an event base: ACCEPT is called when the descriptor can be read, again and again, but
 * not so often that other events had to wait long. Returns 0 or -ENOMEM; then there is nothing to
 * release. */
int acceptor_init(struct acceptor *acceptor, struct event_base *base, int descriptor,
                  enum acceptance (*accept)(int descriptor, void *context), void *context);

/* What an errno code of accept(2) comes to. */
enum acceptance acceptor_classify(int error);

/* Takes no more connections; a zeroed acceptor and one that has ended are allowed. */
void acceptor_deinit(struct acceptor *acceptor);
