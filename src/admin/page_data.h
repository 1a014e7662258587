/* What the pages and JSON of the admin listener have in common: values that jansson keeps.
 *
 * Nobody checks jansson's results one by one: page_data_begin comes before the first value, and
 * after the last one it is known whether memory ran out on the way (jansson_alloc.h). An object
 * lacks members that are NULL. */
#pragma once

#include "admin/page_template.h"
#include "admin/status.h"

/* Begins a use of jansson in this thread. */
void page_data_begin(void);

/* Whether memory ran out for any value since then. */
bool page_data_failed(void);

/* A text; what is not UTF-8 in it is escaped as for a log. */
json_t *page_data_text(struct text text);

/* A time: {"iso": "2026-11-28T12:00:00Z", "text": "2026-11-28 12:00 UTC"}. */
json_t *page_data_time(time_t when);

/* A duration in seconds, in the largest unit that it is a multiple of: "7 days". */
json_t *page_data_duration(uint32_t seconds);

/* An id that waits: {"announced", "next", "due"}. */
json_t *page_data_waiting(const struct status_waiting_id *waiting);

/* Gives an object what each page says of the service: "version", "started" and "generation". */
void page_data_add_service(json_t *data, const struct status_view *view);

/* Gives a page its verdict: "health" with the one of "trouble", "attention" and "good" that is true
 * and the two that are not. Trouble outweighs attention. */
void page_data_add_health(json_t *data, bool trouble, bool attention);

/* Append an object whose members were made since page_data_begin, by a template or as a line of
 * JSON. Fail the buffer if memory ran out for any of them. */
void page_data_render(const struct page_template *template, const json_t *data, struct buffer *out);
void page_data_write(const json_t *data, struct buffer *out);

enum { PAGE_ETAG_SIZE = 17 };

/* Writes an entity-tag, terminated: a hash of a text. */
void page_data_etag(struct text text, char etag[PAGE_ETAG_SIZE]);

/* For CLEANUP. */
static inline void page_data_free(json_t **data)
{
    json_decref(*data);
}
