/* How a load is told to end before its time. */
#pragma once

#include "base/base.h"

/* ASKED says whether it shall end; NULL: never. It is called many times a second, from the thread
 * that loads, so it must be quick. */
struct cancel {
    bool (*asked)(void *context);
    void *context;
};

static inline bool cancel_asked(const struct cancel *cancel)
{
    return cancel->asked && cancel->asked(cancel->context);
}
