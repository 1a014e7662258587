/* What the pages and JSON of the admin listener have in common: values that jansson keeps.
 *
 * Nobody checks jansson's results one by one: page_data_begin comes before the first value, and
 * page_data_failed after the last one says whether memory ran out on the way (jansson_alloc.h). */
#pragma once

#include "base/buffer.h"

#include <jansson.h>
#include <time.h>

/* Begins a use of jansson in this thread. */
void page_data_begin(void);

/* Whether memory ran out for any value since then. */
bool page_data_failed(void);

/* A text; what is not UTF-8 in it is escaped as for a log. */
json_t *page_data_text(struct text text);

/* A time: {"iso": "2026-11-28T12:00:00Z", "text": "2026-11-28 12:00 UTC"}. */
json_t *page_data_time(time_t when);

/* For CLEANUP. */
static inline void page_data_free(json_t **data)
{
    json_decref(*data);
}
