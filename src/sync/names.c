#include "sync/names.h"

#include "base/array.h"

#include <errno.h>

void names_deinit(struct names *names)
{
    buffer_deinit(&names->bytes);
    free(names->items);
}

static int add_entry(struct names *names, uint32_t at, bool member)
{
    if (ARRAY_RESERVE(names->items, names->n, names->capacity))
        return -ENOMEM;
    names->items[names->n++] =
        (struct name_entry){.at = at, .member = member, .policy = NAMES_UNKNOWN};
    return 0;
}

int names_add(struct names *names, struct text name)
{
    uint8_t length = (uint8_t)name.length;
    size_t at = names->bytes.length;

    if (at > UINT32_MAX)
        return NAMES_FULL;
    buffer_add(&names->bytes, &length, 1);
    buffer_add_text(&names->bytes, name);
    return names->bytes.failed ? -ENOMEM : add_entry(names, (uint32_t)at, false);
}

int names_add_member(struct names *names, const struct domain *domain)
{
    return add_entry(names, domain->position, true);
}

static int compare_texts(struct text a, struct text b)
{
    int order = memcmp(a.data, b.data, a.length < b.length ? a.length : b.length);

    return order ? order : (a.length > b.length) - (a.length < b.length);
}

static int compare(const void *a, const void *b, void *names)
{
    return compare_texts(names_text(names, a), names_text(names, b));
}

void names_sort(struct names *names)
{
    size_t kept = 0;

    if (names->n == 0)
        return;
    qsort_r(names->items, names->n, sizeof(*names->items), compare, names);
    for (size_t i = 1; i < names->n; i++)
        if (compare(&names->items[kept], &names->items[i], names) != 0)
            names->items[++kept] = names->items[i];
    names->n = kept + 1;
}

struct text names_text(const struct names *names, const struct name_entry *entry)
{
    struct domain domain;
    const char *at;

    if (entry->member) {
        snapshot_at(names->snapshot, entry->at, &domain);
        return domain.name;
    }
    at = names->bytes.data + entry->at;
    return text_of(at + 1, (uint8_t)*at);
}

struct name_entry *names_find(const struct names *names, struct text name)
{
    size_t low = 0, high = names->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_texts(name, names_text(names, &names->items[middle]));

        if (order == 0)
            return &names->items[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
