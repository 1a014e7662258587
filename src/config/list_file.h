/* Domain list files: one domain a line; blank lines, and comments from a '#' at the start of the
 * line or after white space. Lines end in LF or CRLF. The last one may end with the file, but then
 * the file may be cut short. Read in pieces, so that a list of any size costs one buffer. */
#pragma once

#include "config/cancel.h"
#include "os/file.h"

enum { LIST_LINE_MAX = 1024 }; /* bytes of a line without its end */

struct list_file;

struct list_entry {
    struct text word; /* valid until the next call */
    uint32_t line;    /* from 1 */
    uint32_t column;  /* from 1 */
};

/* The positive results of list_file_next. */
enum {
    LIST_END = 1,       /* there is no further line */
    LIST_UNREADABLE,    /* the file cannot be read further: file_report says why */
    LIST_LINE_TOO_LONG, /* faults of a line; the next call goes on with the next line */
    LIST_NUL_BYTE,
    LIST_SEVERAL_WORDS,
};

/* Reads lines from an opened file, which must outlive the reader. Returns 0 or -ENOMEM. */
int list_file_new(struct file *file, const struct cancel *cancel, struct list_file **out);

/* Frees the reader, not the file; NULL is allowed. */
void list_file_free(struct list_file *list);
DEFINE_CLEANUP(struct list_file *, list_file_free)

/* Gives the next word. Returns 0, -ECANCELED, or one of the results above; for the faults of a line
 * ENTRY says where (of several words, the second one). */
int list_file_next(struct list_file *list, struct list_entry *entry);

/* Whether the last line, after LIST_END, has no end. */
bool list_file_is_cut(const struct list_file *list);
