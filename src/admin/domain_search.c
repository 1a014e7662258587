#include "admin/domain_search.h"

#include <ctype.h>
#include <errno.h>

static bool is_ascii(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.data[i] >= 0x80)
            return false;
    return true;
}

/* Writes what is sought as names are written. What is no name then is found nowhere. */
static int set_wanted(struct domain_search *search)
{
    struct text q = text_from(search->query.q);
    bool has_dot = q.length && q.data[q.length - 1] == '.';
    struct name name;

    if (!is_ascii(q)) {
        int r = name_from_host(q, &name);

        if (r < 0)
            return r;
        if (r > 0)
            has_dot = false;
        else
            q = name_text(&name);
    } else {
        q.length -= has_dot;
    }
    for (; search->length < q.length; search->length++)
        search->wanted[search->length] = (char)tolower((unsigned char)q.data[search->length]);
    if (has_dot)
        search->wanted[search->length++] = '.';
    return 0;
}

int domain_search_begin(struct domain_search *search, struct status *status,
                        const struct page_query *query)
{
    *search = (struct domain_search){.query = *query};
    status_read(status, &search->view);
    if (!search->view.waiting)
        return -ENOMEM;
    return set_wanted(search);
}

/* Whether what is sought is in a name, which has no final dot. */
static bool is_in_name(const struct domain_search *search, struct text name)
{
    struct text wanted = text_of(search->wanted, search->length);

    if (memmem(name.data, name.length, wanted.data, wanted.length))
        return true;
    if (wanted.length == 0 || wanted.data[wanted.length - 1] != '.')
        return false;
    wanted.length--;
    return name.length >= wanted.length &&
           text_equals(text_after(name, name.length - wanted.length), wanted);
}

static bool is_hit(const struct domain_search *search, const struct domain *domain)
{
    const struct page_query *query = &search->query;

    return (search->length == 0 || is_in_name(search, domain->name)) &&
           (!query->has_state || domain_state_of(&search->view, domain) == query->state);
}

/* Notes a hit, or that there are more than fit. Returns whether there is room for others. */
static bool note_hit(struct domain_search *search, const struct domain *domain)
{
    if (search->n < DOMAIN_SEARCH_HITS) {
        search->hits[search->n++] = *domain;
        return true;
    }
    search->has_next = true;
    search->next = search->number;
    return false;
}

bool domain_search_step(struct domain_search *search)
{
    struct domain domain;

    for (size_t i = 0; i < DOMAIN_SEARCH_STEP; i++) {
        if (!snapshot_next_domain(search->view.snapshot, &search->cursor, &domain))
            return false;
        if (search->number >= search->query.from && is_hit(search, &domain) &&
            !note_hit(search, &domain))
            return false;
        search->number++;
    }
    return true;
}

void domain_search_end(struct domain_search *search)
{
    status_view_deinit(&search->view);
}
