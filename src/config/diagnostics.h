/* The errors and warnings of one load of the configuration, in the order they were found.
 *
 * Each names its place, what was found there and what is expected. All are collected, so that an
 * operator can mend a file in one go; the first DIAGNOSTICS_KEPT of each severity are kept as text,
 * the others are counted.
 *
 * So an error does not end a load. The function that finds one knows best what to say of it: it
 * adds it here and returns REPORTED. Its callers have nothing to add: they leave the value, the
 * key, the file out and go on with the next, or return REPORTED in their turn if there is none.
 * When everything is read, one error is enough to refuse the whole.
 */
#pragma once

#include "base/quote.h"

#include <stdio.h>

enum { DIAGNOSTICS_KEPT = 50 };

/* The positive result of functions that read a part of the configuration: it cannot be used, and
 * that was reported. */
enum { REPORTED = 1 };

enum severity { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_COUNT };

/* A place in a file. Lines and columns count from 1 (columns in characters as libyaml counts them,
 * in bytes for list files); 0 where there is none, for example in a file that cannot be opened. */
struct place {
    const char *file;
    uint32_t line;
    uint32_t column;
};

struct diagnostics {
    char **lines[SEVERITY_COUNT]; /* "file:line:column: text", without a newline */
    size_t n_lines[SEVERITY_COUNT];
    size_t total[SEVERITY_COUNT]; /* kept or not */
    bool out_of_memory;           /* a text was lost; the totals are right */
};

#define DIAGNOSTICS_INIT ((struct diagnostics){0})

/* Frees the texts. The diagnostics are empty and usable afterwards. */
void diagnostics_deinit(struct diagnostics *diagnostics);

/* Adds an error: "file:line:column: TEXT". By convention the text is "found X, expected Y", input
 * in it is quoted by quote_text, and no dot ends it. */
void diagnostics_error(struct diagnostics *diagnostics, struct place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds a warning: "file:line:column: warning: TEXT". */
void diagnostics_warning(struct diagnostics *diagnostics, struct place place, const char *format,
                         ...) __attribute__((format(printf, 3, 4)));

/* Whether there is any error (running out of memory while noting one counts). */
bool diagnostics_has_errors(const struct diagnostics *diagnostics);

/* Hands every kept line to a function, errors first; after each severity "… and N more errors" or
 * "… and N more warnings" where there are more. */
void diagnostics_each(const struct diagnostics *diagnostics,
                      void (*line)(enum severity severity, const char *text, void *context),
                      void *context);
