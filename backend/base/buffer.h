/* A growing run of bytes to write to, with a sticky failure: writers append without checking, and
 * the reader of the bytes checks once that all of them were written. */
#pragma once

#include "base/base.h"

#include <stdarg.h>

struct buffer {
    char *data;
    size_t length;
    size_t capacity;
    bool failed; /* an allocation failed; what was written since is lost */
};

/* An empty buffer; it allocates with the first byte. */
#define BUFFER_INIT ((struct buffer){0})

/* Frees the memory. The buffer is empty and usable afterwards. */
void buffer_deinit(struct buffer *buffer);

/* Empties the buffer and clears the failure; keeps the memory for what comes next. */
void buffer_clear(struct buffer *buffer);

/* Append bytes, or a formatted text. */
void buffer_add(struct buffer *buffer, const void *bytes, size_t n);
void buffer_add_text(struct buffer *buffer, struct text text);
void buffer_add_string(struct buffer *buffer, const char *string);
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buffer_vprintf(struct buffer *buffer, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* A view of the bytes, until the next writing; empty if the buffer has failed, and never NULL. */
static inline struct text buffer_text(const struct buffer *buffer)
{
    if (buffer->failed || !buffer->data)
        return TEXT("");
    return text_of(buffer->data, buffer->length);
}

/* The bytes as a terminated string, until the next writing; the terminator does not count. Returns
 * NULL if the buffer has failed. */
const char *buffer_string(struct buffer *buffer);

/* Makes room for N further bytes and returns a pointer to it, or NULL (and fails the buffer). The
 * caller writes them and adds their number to length. */
char *buffer_reserve(struct buffer *buffer, size_t n);

/* Hands over the bytes as a terminated string, which the caller frees; the buffer is empty
 * afterwards. Returns NULL if the buffer has failed. */
char *buffer_take_string(struct buffer *buffer);
