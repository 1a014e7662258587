#include "sync/uncovered.h"

#include <errno.h>
#include <search.h>

struct server {
    struct text name;
    size_t names;
};

static void leave(void *node)
{
    (void)node; /* it is in the arena */
}

void uncovered_deinit(struct uncovered *uncovered)
{
    tdestroy(uncovered->servers, leave);
    arena_deinit(&uncovered->arena);
    *uncovered = UNCOVERED_INIT;
}

static int compare_names(const void *a, const void *b)
{
    const struct server *left = a, *right = b;

    if (left->name.length != right->name.length)
        return left->name.length < right->name.length ? -1 : 1;
    return memcmp(left->name.data, right->name.data, left->name.length);
}

bool uncovered_count(struct uncovered *uncovered, struct text name)
{
    struct server key = {.name = name};
    struct server **found = tfind(&key, &uncovered->servers, compare_names);

    if (found)
        (*found)->names++;
    return found || uncovered->cut;
}

int uncovered_add(struct uncovered *uncovered, struct text name)
{
    struct server *server;

    if (uncovered->n == UNCOVERED_MAX) {
        uncovered->cut = true;
        return 0;
    }
    server = arena_alloc(&uncovered->arena, sizeof(*server));
    if (!server || arena_copy_text(&uncovered->arena, name, &server->name))
        return -ENOMEM;
    server->names = 1;
    if (!tsearch(server, &uncovered->servers, compare_names))
        return -ENOMEM;
    uncovered->n++;
    return 0;
}

/* The servers in one array. */
struct all {
    const struct server **items;
    size_t n;
};

static void collect(const void *node, VISIT visit, void *context)
{
    struct all *all = context;

    if (visit == postorder || visit == leaf)
        all->items[all->n++] = *(const struct server *const *)node;
}

static int compare_widths(const void *a, const void *b)
{
    const struct server *left = *(const struct server *const *)a;
    const struct server *right = *(const struct server *const *)b;

    if (left->names != right->names)
        return left->names > right->names ? -1 : 1;
    return compare_names(left, right);
}

int uncovered_each(const struct uncovered *uncovered, size_t max,
                   void (*use)(struct text server, size_t names))
{
    CLEANUP(free_pointer) const struct server **items = calloc(uncovered->n + 1, sizeof(*items));
    struct all all = {.items = items};

    if (!items)
        return -ENOMEM;
    twalk_r(uncovered->servers, collect, &all);
    qsort(items, all.n, sizeof(*items), compare_widths);
    for (size_t i = 0; i < all.n && i < max; i++)
        use(items[i]->name, items[i]->names);
    return 0;
}
