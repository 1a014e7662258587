#include "config/diagnostics.h"

#include "base/buffer.h"

#include <stdarg.h>

static const struct {
    const char *prefix, *plural, *singular;
} severities[] = {
    [SEVERITY_ERROR] = {"", "errors", "error"},
    [SEVERITY_WARNING] = {"warning: ", "warnings", "warning"},
};

void diagnostics_deinit(struct diagnostics *diagnostics)
{
    for (size_t severity = 0; severity < SEVERITY_COUNT; severity++) {
        for (size_t i = 0; i < diagnostics->n_lines[severity]; i++)
            free(diagnostics->lines[severity][i]);
        free(diagnostics->lines[severity]);
    }
    *diagnostics = DIAGNOSTICS_INIT;
}

struct place_text place_text(struct place place)
{
    struct place_text out;
    size_t n;

    quote_escape(text_from(place.file), "", out.text, PLACE_FILE_MAX);
    n = strlen(out.text);
    if (place.line)
        n += (size_t)sprintf(out.text + n, ":%u", place.line);
    if (place.column)
        sprintf(out.text + n, ":%u", place.column);
    return out;
}

bool diagnostics_count(struct diagnostics *diagnostics, enum severity severity)
{
    diagnostics->total[severity]++;
    return diagnostics->n_lines[severity] < DIAGNOSTICS_KEPT;
}

/* Makes one line; NULL if memory runs out. */
static char *format_line(enum severity severity, struct place place, const char *text)
{
    CLEANUP(buffer_deinit) struct buffer line = BUFFER_INIT;

    buffer_printf(&line, "%s: %s%s", place_text(place).text, severities[severity].prefix, text);
    return buffer_take_string(&line);
}

void diagnostics_keep(struct diagnostics *diagnostics, enum severity severity, struct place place,
                      const char *format, ...)
{
    CLEANUP(free_pointer) char *text = NULL;
    char ***lines = &diagnostics->lines[severity];
    va_list arguments;
    char *line;

    if (!*lines)
        *lines = calloc(DIAGNOSTICS_KEPT, sizeof(**lines));
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    line = text && *lines ? format_line(severity, place, text) : NULL;
    if (line)
        (*lines)[diagnostics->n_lines[severity]++] = line;
    else
        diagnostics->out_of_memory = true;
}

bool diagnostics_has_errors(const struct diagnostics *diagnostics)
{
    return diagnostics->total[SEVERITY_ERROR] > 0;
}

void diagnostics_each(const struct diagnostics *diagnostics,
                      void (*line)(enum severity severity, const char *text, void *context),
                      void *context)
{
    for (enum severity severity = 0; severity < SEVERITY_COUNT; severity++) {
        size_t n = diagnostics->n_lines[severity];
        size_t more = diagnostics->total[severity] - n;
        char rest[64];

        for (size_t i = 0; i < n; i++)
            line(severity, diagnostics->lines[severity][i], context);
        if (more == 0)
            continue;
        snprintf(rest, sizeof(rest), "… and %zu more %s", more,
                 more == 1 ? severities[severity].singular : severities[severity].plural);
        line(severity, rest, context);
    }
}
