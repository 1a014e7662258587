/* Stands in for calls that allocate inside the C library and libyaml, where no wrapper reaches:
 * here they fail as a whole, when an allocation at their place would. Linked into tests together
 * with failing_malloc.c. */
#include "cmocka_all.h"

#include <glob.h>
#include <idn2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

char *__wrap_strdup(const char *string);
int __wrap_vasprintf(char **out, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
int __real_yaml_parser_initialize(yaml_parser_t *parser);
int __wrap_yaml_parser_initialize(yaml_parser_t *parser);
int __real_yaml_parser_parse(yaml_parser_t *parser, yaml_event_t *event);
int __wrap_yaml_parser_parse(yaml_parser_t *parser, yaml_event_t *event);
int __real_glob(const char *pattern, int flags, int (*error)(const char *, int), glob_t *out);
int __wrap_glob(const char *pattern, int flags, int (*error)(const char *, int), glob_t *out);
int __real_idn2_lookup_u8(const uint8_t *input, uint8_t **out, int flags);
int __wrap_idn2_lookup_u8(const uint8_t *input, uint8_t **out, int flags);

/* Whether an allocation would succeed now. */
static bool may_allocate(void)
{
    void *volatile probe = malloc(1); /* or the compiler would leave both calls out */

    free(probe);
    return probe != NULL;
}

char *__wrap_strdup(const char *string)
{
    char *copy = malloc(strlen(string) + 1);

    return copy ? strcpy(copy, string) : NULL;
}

int __wrap_vasprintf(char **out, const char *format, va_list arguments)
{
    char text[4096], *copy;
    int n = vsnprintf(text, sizeof(text), format, arguments);

    assert_in_range(n, 0, sizeof(text) - 1);
    copy = __wrap_strdup(text);
    if (!copy)
        return -1;
    *out = copy;
    return n;
}

int __wrap_yaml_parser_initialize(yaml_parser_t *parser)
{
    return may_allocate() && __real_yaml_parser_initialize(parser);
}

int __wrap_yaml_parser_parse(yaml_parser_t *parser, yaml_event_t *event)
{
    if (may_allocate())
        return __real_yaml_parser_parse(parser, event);
    memset(event, 0, sizeof(*event));
    parser->error = YAML_MEMORY_ERROR;
    return 0;
}

int __wrap_glob(const char *pattern, int flags, int (*error)(const char *, int), glob_t *out)
{
    return may_allocate() ? __real_glob(pattern, flags, error, out) : GLOB_NOSPACE;
}

int __wrap_idn2_lookup_u8(const uint8_t *input, uint8_t **out, int flags)
{
    return may_allocate() ? __real_idn2_lookup_u8(input, out, flags) : IDN2_MALLOC;
}
