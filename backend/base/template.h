/* A text for many domains: "%d" in it stands for the domain, and "%%" for a percent sign. */
#pragma once

#include "base/buffer.h"

/* Whether every percent sign of a text is a part of "%d" or "%%". Only such texts are templates. */
bool template_is_valid(struct text text);

/* Whether a domain stands in a template at all. */
bool template_has_domain(struct text template);

/* Writes a template with a domain put in to TO, which has room for it; if TO is NULL, nothing is
 * written. Returns the length. */
size_t template_fill(struct text template, struct text domain, char *to);

/* The same, at the end of a buffer. */
void template_write(struct buffer *out, struct text template, struct text domain);
