#include "config/diagnostics.h"

#include "base/buffer.h"

#include <limits.h>
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

/* Makes one line; NULL if memory runs out. */
static char *format_line(enum severity severity, struct place place, const char *text)
{
    CLEANUP(buffer_deinit) struct buffer line = BUFFER_INIT;
    char file[PATH_MAX];

    quote_escape(text_from(place.file), "", file, sizeof(file));
    buffer_add_string(&line, file);
    if (place.line)
        buffer_printf(&line, ":%u", place.line);
    if (place.column)
        buffer_printf(&line, ":%u", place.column);
    buffer_printf(&line, ": %s%s", severities[severity].prefix, text);
    return buffer_take_string(&line);
}

__attribute__((format(printf, 4, 0))) static void add(struct diagnostics *diagnostics,
                                                      enum severity severity, struct place place,
                                                      const char *format, va_list arguments)
{
    CLEANUP(free_pointer) char *text = NULL;
    char ***lines = &diagnostics->lines[severity];
    size_t *n = &diagnostics->n_lines[severity];
    char *line;

    diagnostics->total[severity]++;
    if (*n == DIAGNOSTICS_KEPT)
        return;
    if (!*lines)
        *lines = calloc(DIAGNOSTICS_KEPT, sizeof(**lines));
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    line = text && *lines ? format_line(severity, place, text) : NULL;
    if (line)
        (*lines)[(*n)++] = line;
    else
        diagnostics->out_of_memory = true;
}

void diagnostics_error(struct diagnostics *diagnostics, struct place place, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(diagnostics, SEVERITY_ERROR, place, format, arguments);
    va_end(arguments);
}

void diagnostics_warning(struct diagnostics *diagnostics, struct place place, const char *format,
                         ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(diagnostics, SEVERITY_WARNING, place, format, arguments);
    va_end(arguments);
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
