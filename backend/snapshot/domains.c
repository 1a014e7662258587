#include "snapshot/domains.h"

struct domains *domains_new(void)
{
    struct domains *domains = calloc(1, sizeof(*domains));

    if (domains)
        domains->references = 1;
    return domains;
}

struct domains *domains_ref(struct domains *domains)
{
    atomic_fetch_add_explicit(&domains->references, 1, memory_order_relaxed);
    return domains;
}

void domains_unref(struct domains *domains)
{
    if (!domains || atomic_fetch_sub_explicit(&domains->references, 1, memory_order_acq_rel) != 1)
        return;
    domain_table_deinit(&domains->table);
    zones_deinit(&domains->zones);
    arena_deinit(&domains->arena);
    free(domains->policies);
    free(domains);
}
