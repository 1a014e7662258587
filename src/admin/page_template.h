/* Templates of the page: a strict subset of Mustache over JSON.
 *
 *     {{name}}               the value, escaped for HTML, in text as in attributes
 *     {{#name}} … {{/name}}  for each item of an array; or once, if there is such a value
 *     {{^name}} … {{/name}}  if there is none
 *     {{>part}}              the template part.html, at this place
 *     {{! … }}               a comment
 *
 * A name is looked for in the value of the innermost section, then in that of the one around it,
 * and so on; "a.b" is the member b of what "a" is; "." is the innermost value. No such value are: a
 * member that is missing, null, false, 0, an empty string and an empty array. A tag that prints
 * nothing and is alone on a line takes the line away, and a file of one line has no line end.
 * Integers print as 1,000,000, other numbers as short as they can, for SVG. There is no way to
 * print anything unescaped.
 *
 * The build makes operations of the files (page_compile.py), and refuses what is not such a
 * template; so rendering cannot fail, but for memory. */
#pragma once

#include "base/buffer.h"

#include <jansson.h>

enum page_operation_kind { PAGE_TEXT, PAGE_VALUE, PAGE_SECTION, PAGE_INVERTED, PAGE_PART };

struct page_template;

struct page_operation {
    enum page_operation_kind kind;
    const char *text; /* as it is, or a name */
    size_t n;         /* bytes of the text, or the operation past the section */
    const struct page_template *part;
};

struct page_template {
    const struct page_operation *operations;
    size_t n;
};

/* Appends what a template makes of an object, which may be NULL. */
void page_template_render(const struct page_template *template, const json_t *data,
                          struct buffer *out);
