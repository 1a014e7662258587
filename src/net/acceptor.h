/* Accepts connections: calls back whenever a descriptor has some, and pauses when there is nothing
 * to accept them with, which is no descriptor, no memory, or no room for another connection. The
 * descriptor stays ready all the while, so without the pause the event loop would spin. */
#pragma once

#include <event2/event.h>

/* What came of trying to accept a connection. */
enum acceptance {
    ACCEPTANCE_NEXT,      /* another may wait */
    ACCEPTANCE_NONE,      /* no other waits */
    ACCEPTANCE_PAUSE,     /* there is no room for it, or accepting fails and may go on failing */
    ACCEPTANCE_EXHAUSTED, /* the same: there is no descriptor or memory left to accept it with */
};

struct acceptor {
    struct event *ready, *resume;
    enum acceptance (*accept)(int descriptor, void *context);
    void *context;
};

/* Starts on an event base: ACCEPT is called as long as the descriptor has connections, with a break
 * for other events now and then. Returns 0 or -ENOMEM; then there is nothing to release. */
int acceptor_init(struct acceptor *acceptor, struct event_base *base, int descriptor,
                  enum acceptance (*accept)(int descriptor, void *context), void *context);

/* What an errno code of accept(2) means for the next call; logs one that nobody expects. */
enum acceptance acceptor_classify(int error);

/* Ends it; a zeroed acceptor and one that has ended are allowed. */
void acceptor_deinit(struct acceptor *acceptor);
