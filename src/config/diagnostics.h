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

enum {
    DIAGNOSTICS_KEPT = 50,
    PLACE_FILE_MAX = 4096, /* bytes of a file's name, escaped; the rest is cut */
};

/* The positive result of functions that read a part of the configuration: it cannot be used, and
 * that was reported. */
enum { REPORTED = 1 };

enum severity { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_COUNT };

/* A place in a file. Lines and columns, in characters, count from 1; 0 where there is none. FILE is
 * NULL for what has no place, such as a file that cannot be opened. */
struct place {
    const char *file;
    uint32_t line;
    uint32_t column;
};

/* A place in text. */
struct place_text {
    char text[PLACE_FILE_MAX + 32];
};

/* Writes a place as messages have it: "file:line:column", without what is 0, and with the file's
 * name escaped (quote.h). For direct use in an argument: place_text(place).text. */
struct place_text place_text(struct place place);

/* An error or a warning. */
struct diagnostic {
    char *place; /* "file:line:column: " */
    char *text;
};

struct diagnostics {
    struct diagnostic *kept[SEVERITY_COUNT];
    size_t n_kept[SEVERITY_COUNT];
    size_t total[SEVERITY_COUNT]; /* kept or not */
    bool out_of_memory;           /* a text was lost; the totals are right */
};

#define DIAGNOSTICS_INIT ((struct diagnostics){0})

/* Frees the texts. The diagnostics are empty and usable afterwards. */
void diagnostics_deinit(struct diagnostics *diagnostics);

/* Adds an error at a place. The text says what is wrong, as "found X, expected Y" if
 * both help, and what to do if that is not plain; input in it is quoted, and no dot ends it. The
 * arguments are evaluated only if the text is kept: a hostile file can have millions of errors. */
#define diagnostics_error(DIAGNOSTICS, ...)                                                        \
    do {                                                                                           \
        if (diagnostics_count(DIAGNOSTICS, SEVERITY_ERROR))                                        \
            diagnostics_keep(DIAGNOSTICS, SEVERITY_ERROR, __VA_ARGS__);                            \
    } while (0)

/* Adds a warning in the same way. */
#define diagnostics_warning(DIAGNOSTICS, ...)                                                      \
    do {                                                                                           \
        if (diagnostics_count(DIAGNOSTICS, SEVERITY_WARNING))                                      \
            diagnostics_keep(DIAGNOSTICS, SEVERITY_WARNING, __VA_ARGS__);                          \
    } while (0)

/* Their parts: counts an error or a warning and says whether its text is to be kept; keeps it. */
bool diagnostics_count(struct diagnostics *diagnostics, enum severity severity);
void diagnostics_keep(struct diagnostics *diagnostics, enum severity severity, struct place place,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Whether there is any error (running out of memory while noting one counts). */
bool diagnostics_has_errors(const struct diagnostics *diagnostics);

/* Hands every kept error, and then every kept warning, to a function, in two parts that are printed
 * one after the other: PLACE, "file:line:column: ", and TEXT. After each severity "… and N more
 * errors" or "… and N more warnings" follows if there are more, without a place. */
void diagnostics_each(const struct diagnostics *diagnostics,
                      void (*use)(enum severity severity, const char *place, const char *text,
                                  void *context),
                      void *context);

/* What to print between the two parts if nothing else tells warnings from errors: "warning: " or
 * nothing. */
const char *diagnostics_mark(enum severity severity, const char *place);
