/* The library that finds where an HTTP request ends, http_parser; this file alone knows which. It
 * calls back behind the head, for each piece of the body, and at the end of the request. */
#pragma once

#include "base/base.h"

#include <http_parser.h>

typedef http_parser http_library;
typedef http_parser_settings http_library_callbacks;

static inline void http_library_init(http_library *library, const http_library_callbacks *callbacks,
                                     void *data)
{
    (void)callbacks;
    http_parser_init(library, HTTP_REQUEST);
    library->data = data;
}

static inline int http_library_pause(http_library *library)
{
    http_parser_pause(library, 1);
    return 0;
}

/* This library pauses before the last byte of the head, having looked at it, and reads it again
 * when it goes on. */
static inline size_t http_library_read(http_library *library,
                                       const http_library_callbacks *callbacks, struct text bytes)
{
    size_t n = 0;

    if (HTTP_PARSER_ERRNO(library) == HPE_PAUSED) {
        http_parser_pause(library, 0);
        http_parser_execute(library, callbacks, "\n", 1);
    }
    if (HTTP_PARSER_ERRNO(library) == HPE_OK && bytes.length)
        n = http_parser_execute(library, callbacks, bytes.data, bytes.length);
    return HTTP_PARSER_ERRNO(library) == HPE_PAUSED ? n + 1 : n;
}

static inline bool http_library_has_refused(const http_library *library)
{
    return HTTP_PARSER_ERRNO(library) != HPE_OK && HTTP_PARSER_ERRNO(library) != HPE_PAUSED;
}
