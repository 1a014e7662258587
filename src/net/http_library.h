/* The library that finds where an HTTP request ends: llhttp where the build has found it, elsewhere
 * its predecessor, http_parser. This file alone knows which; once Debian 12 is gone its second half
 * goes too.
 *
 * Both call back with the same arguments: behind the head, for each piece of the body, and at the
 * end of the request. They differ in how they pause, and in what they let pass.
 */
#pragma once

#include "base/base.h"

#ifdef HTTP_LIBRARY_LLHTTP

#include <llhttp.h>

typedef llhttp_t http_library;
typedef llhttp_settings_t http_library_callbacks;

/* Prepares to read one request. */
static inline void http_library_init(http_library *library, const http_library_callbacks *callbacks,
                                     void *data)
{
    llhttp_init(library, HTTP_REQUEST, callbacks);
    library->data = data;
}

/* What the callback behind the head returns to pause there. */
static inline int http_library_pause(http_library *library)
{
    (void)library;
    return HPE_PAUSED;
}

/* Reads bytes up to the pause, or up to what a callback or the library refuses. After the pause it
 * is called again, even if there are no bytes left. Returns how many it has read. */
static inline size_t http_library_read(http_library *library,
                                       const http_library_callbacks *callbacks, struct text bytes)
{
    (void)callbacks;
    if (llhttp_get_errno(library) == HPE_PAUSED)
        llhttp_resume(library);
    if (llhttp_execute(library, bytes.data, bytes.length) == HPE_OK)
        return bytes.length;
    return (size_t)(llhttp_get_error_pos(library) - bytes.data);
}

static inline bool http_library_has_refused(const http_library *library)
{
    return llhttp_get_errno(library) != HPE_OK && llhttp_get_errno(library) != HPE_PAUSED;
}

#else

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

#endif
