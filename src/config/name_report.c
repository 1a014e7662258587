#include "config/name_report.h"

#include "base/utf8.h"

bool name_report_space(struct diagnostics *diagnostics, struct place place, uint32_t opening,
                       struct text text, const char *expected)
{
    uint32_t space = 0;
    size_t before = utf8_find_space(text, &space);

    if (before == text.length)
        return false;
    if (place.column)
        place.column += opening + (uint32_t)utf8_count(text_of(text.data, before));
    diagnostics_error(diagnostics, place, "found white space (U+%04X) in %s, expected %s", space,
                      quote_text(text).text, expected);
    return true;
}

void name_report(struct diagnostics *diagnostics, struct place place, uint32_t opening,
                 struct text name, enum name_fault fault)
{
    /* A plain space stands between names that were to be a list. */
    bool list = fault == NAME_SPACE && memchr(name.data, ' ', name.length);

    if (fault != NAME_SPACE ||
        !name_report_space(diagnostics, place, opening, name,
                           name_faults[list ? NAME_COMMA : NAME_SPACE].expected))
        diagnostics_error(diagnostics, place, "found %s in %s, expected %s",
                          name_faults[fault].found, quote_text(name).text,
                          name_faults[fault].expected);
}

void name_warn_single(struct diagnostics *diagnostics, struct place place,
                      const struct name *domain)
{
    if (!memchr(domain->text, '.', domain->length))
        diagnostics_warning(diagnostics, place,
                            "%s is a single label; mail domains have two or more",
                            quote_text(name_text(domain)).text);
}
