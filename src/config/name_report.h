/* Messages about names, and other texts without white space, that cannot be used. */
#pragma once

#include "config/diagnostics.h"
#include "dns/name.h"

/* Reports what one of the readers of dns/name.h found wrong with a name that is written at PLACE.
 * White space, which may be invisible, is told by its code and placed where it is: so many
 * characters after PLACE as stand before it in the name, and OPENING ones, a quote, before the
 * name.
 */
void name_report(struct diagnostics *diagnostics, struct place place, uint32_t opening,
                 struct text name, enum name_fault fault);

/* Reports the white space that a text contains. Returns whether it contains any. */
bool name_report_space(struct diagnostics *diagnostics, struct place place, uint32_t opening,
                       struct text text, const char *expected);

/* Warns of a mail domain of one label: it is hardly ever meant, but may have mail (RFC 7085). */
void name_warn_single(struct diagnostics *diagnostics, struct place place,
                      const struct name *domain);
