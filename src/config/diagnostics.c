#include "config/diagnostics.h"

#include "base/buffer.h"

#include <stdarg.h>

void diagnostics_deinit(struct diagnostics *diagnostics)
{
    for (size_t severity = 0; severity < SEVERITY_COUNT; severity++) {
        for (size_t i = 0; i < diagnostics->n_kept[severity]; i++) {
            free(diagnostics->kept[severity][i].place);
            free(diagnostics->kept[severity][i].text);
        }
        free(diagnostics->kept[severity]);
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
    return diagnostics->n_kept[severity] < DIAGNOSTICS_KEPT;
}

void diagnostics_keep(struct diagnostics *diagnostics, enum severity severity, struct place place,
                      const char *format, ...)
{
    CLEANUP(buffer_deinit) struct buffer where = BUFFER_INIT;
    struct diagnostic **kept = &diagnostics->kept[severity];
    struct diagnostic added = {0};
    va_list arguments;

    if (!*kept)
        *kept = calloc(DIAGNOSTICS_KEPT, sizeof(**kept));
    if (place.file)
        buffer_printf(&where, "%s: ", place_text(place).text);
    added.place = buffer_take_string(&where);
    va_start(arguments, format);
    if (vasprintf(&added.text, format, arguments) < 0)
        added.text = NULL;
    va_end(arguments);
    if (*kept && added.place && added.text) {
        (*kept)[diagnostics->n_kept[severity]++] = added;
        return;
    }
    diagnostics->out_of_memory = true;
    free(added.place);
    free(added.text);
}

bool diagnostics_has_errors(const struct diagnostics *diagnostics)
{
    return diagnostics->total[SEVERITY_ERROR] > 0;
}

void diagnostics_each(const struct diagnostics *diagnostics,
                      void (*use)(enum severity severity, const char *place, const char *text,
                                  void *context),
                      void *context)
{
    static const char *const names[] = {[SEVERITY_ERROR] = "error", [SEVERITY_WARNING] = "warning"};

    for (enum severity severity = 0; severity < SEVERITY_COUNT; severity++) {
        const struct diagnostic *kept = diagnostics->kept[severity];
        size_t n = diagnostics->n_kept[severity], more = diagnostics->total[severity] - n;
        char count[64];

        for (size_t i = 0; i < n; i++)
            use(severity, kept[i].place, kept[i].text, context);
        if (more == 0)
            continue;
        snprintf(count, sizeof(count), "… and %zu more %s%s", more, names[severity],
                 more == 1 ? "" : "s");
        use(severity, "", count, context);
    }
}

const char *diagnostics_mark(enum severity severity, const char *place)
{
    return severity == SEVERITY_WARNING && *place ? "warning: " : "";
}
