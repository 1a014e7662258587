#include "admin/counters.h"

struct counters *counters_new(void)
{
    size_t size = (sizeof(struct counters) + COUNTERS_ALIGNMENT - 1) / COUNTERS_ALIGNMENT *
                  COUNTERS_ALIGNMENT;
    struct counters *counters = aligned_alloc(COUNTERS_ALIGNMENT, size);

    if (counters)
        memset(counters, 0, size);
    return counters;
}
