#include "base/buffer.h"

#include <stdio.h>

enum { CAPACITY_SMALLEST = 256 };

void buffer_deinit(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = BUFFER_INIT;
}

void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
    buffer->failed = false;
}

char *buffer_reserve(struct buffer *buffer, size_t n)
{
    size_t needed, capacity = buffer->capacity ? buffer->capacity : CAPACITY_SMALLEST;
    char *data;

    if (buffer->failed)
        return NULL;
    if (buffer->data && n <= buffer->capacity - buffer->length)
        return buffer->data + buffer->length;
    if (__builtin_add_overflow(buffer->length, n, &needed) || needed > SIZE_MAX / 2) {
        buffer->failed = true;
        return NULL;
    }
    while (capacity < needed)
        capacity *= 2;
    data = realloc(buffer->data, capacity);
    if (!data) {
        buffer->failed = true;
        return NULL;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return data + buffer->length;
}

void buffer_add(struct buffer *buffer, const void *bytes, size_t n)
{
    char *end = n ? buffer_reserve(buffer, n) : NULL;

    if (!end)
        return;
    memcpy(end, bytes, n);
    buffer->length += n;
}

void buffer_add_text(struct buffer *buffer, struct text text)
{
    buffer_add(buffer, text.data, text.length);
}

void buffer_add_string(struct buffer *buffer, const char *string)
{
    buffer_add(buffer, string, strlen(string));
}

void buffer_vprintf(struct buffer *buffer, const char *format, va_list arguments)
{
    va_list again;
    int n;
    char *end;

    va_copy(again, arguments);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_copy has initialized it */
    n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    buffer->failed |= n < 0;
    end = buffer_reserve(buffer, (size_t)n + 1);
    if (!end)
        return;
    vsnprintf(end, (size_t)n + 1, format, arguments);
    buffer->length += (size_t)n;
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    buffer_vprintf(buffer, format, arguments);
    va_end(arguments);
}

const char *buffer_string(struct buffer *buffer)
{
    char *end = buffer_reserve(buffer, 1);

    if (!end)
        return NULL;
    *end = '\0';
    return buffer->data;
}

char *buffer_take_string(struct buffer *buffer)
{
    char *string;

    if (!buffer_string(buffer))
        return NULL;
    string = buffer->data;
    *buffer = BUFFER_INIT;
    return string;
}
