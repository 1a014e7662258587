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

/* Reads the UTF-8 sequence at the start of a text (RFC 3629). Returns its length, or 0 if it is not
 * valid. */
static size_t read_character(struct text text, uint32_t *character)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t smallest;
    } forms[] = {{0x80, 0, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    unsigned char first = (unsigned char)text.data[0];

    for (size_t n = 1; n <= ARRAY_LENGTH(forms); n++) {
        uint32_t value = (uint32_t)(first & ~forms[n - 1].mask);

        if ((first & forms[n - 1].mask) != forms[n - 1].lead)
            continue;
        if (text.length < n)
            return 0;
        for (size_t i = 1; i < n; i++) {
            if ((text.data[i] & 0xc0) != 0x80)
                return 0;
            value = value << 6 | (text.data[i] & 0x3f);
        }
        if (value < forms[n - 1].smallest || value > 0x10ffff || (value >> 11) == 0xd800 >> 11)
            return 0;
        *character = value;
        return n;
    }
    return 0;
}

/* Whether a character may be printed as it is: no control, no line or paragraph separator, and
 * nothing invisible that turns the direction of writing. */
static bool is_printable(uint32_t c)
{
    return c >= 0x20 && !(c >= 0x7f && c < 0xa0) && c != 0xfeff && !(c >= 0x200b && c <= 0x200f) &&
           !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2060 && c <= 0x206f) && c != 0xfffe &&
           c != 0xffff;
}

/* Writes text so that it prints on one line, cut to SIZE bytes with the terminator. */
static void escape(struct text text, const char *special, char *out, size_t size)
{
    static const char cut[] = "…";
    char *end = out + size - sizeof(cut);

    while (text.length) {
        uint32_t c = 0;
        size_t n = read_character(text, &c);
        bool plain = n && is_printable(c);
        bool slash = plain && c < 0x80 && strchr(special, (int)c);
        size_t needed = plain ? n + slash : 4;

        if (needed > (size_t)(end - out)) {
            memcpy(out, cut, sizeof(cut));
            return;
        }
        if (slash)
            *out++ = '\\';
        if (plain)
            out = mempcpy(out, text.data, n);
        else
            out += sprintf(out, "\\x%02x", (unsigned int)(unsigned char)text.data[0]);
        text = text_after(text, plain ? n : 1);
    }
    *out = '\0';
}

struct quoted diagnostics_quote(struct text input)
{
    struct quoted quoted = {.text = "\""};
    size_t length;

    escape(input, "\"\\", quoted.text + 1, sizeof(quoted.text) - 2);
    length = strlen(quoted.text);
    memcpy(quoted.text + length, "\"", 2);
    return quoted;
}

struct time_text diagnostics_time(time_t when)
{
    struct time_text out;
    struct tm parts;

    gmtime_r(&when, &parts);
    strftime(out.text, sizeof(out.text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return out;
}

/* Makes one line; NULL if memory runs out. */
static char *format_line(enum severity severity, struct place place, const char *text)
{
    CLEANUP(buffer_deinit) struct buffer line = BUFFER_INIT;
    char file[PATH_MAX];

    escape(text_from(place.file), "", file, sizeof(file));
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

bool diagnostics_refuse(const struct diagnostics *diagnostics)
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
