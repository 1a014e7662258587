/* For every part of the backend and the program: views of text, cleanup at the end of a scope.
 *
 * Return values, in this library and in the program: 0 is success; a negative value is an errno
 * code of a fault that only the outermost caller can judge (-ENOMEM); a positive value is a
 * condition that the function documents and its caller must handle. Out-parameters stay as they
 * were unless the function documents otherwise.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Runs FUNCTION(&variable) when the variable goes out of scope. */
#define CLEANUP(FUNCTION) __attribute__((cleanup(FUNCTION)))

/* Defines FREE_pointer(&pointer) for CLEANUP, where FREE takes a pointer and allows NULL. To pass
 * ownership on, clear the pointer. */
#define DEFINE_CLEANUP(TYPE, FREE)                                                                 \
    static inline void FREE##_pointer(TYPE *pointer) /* NOLINT(bugprone-macro-parentheses) */      \
    {                                                                                              \
        FREE(*pointer);                                                                            \
    }

#define ARRAY_LENGTH(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* A view of bytes that somebody else owns; not terminated, and with any bytes, NUL too. */
struct text {
    const char *data;
    size_t length;
};

/* A view of a string literal. */
#define TEXT(LITERAL) ((struct text){.data = (LITERAL), .length = sizeof(LITERAL) - 1})

/* A view of the N bytes at DATA. */
static inline struct text text_of(const char *data, size_t n)
{
    return (struct text){.data = data, .length = n};
}

/* A view of a terminated string. */
static inline struct text text_from(const char *string)
{
    return text_of(string, strlen(string));
}

static inline bool text_equals(struct text a, struct text b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* Orders texts by their octets, as memcmp does; a shorter one comes before what it begins. */
static inline int text_compare(struct text a, struct text b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int r = shorter ? memcmp(a.data, b.data, shorter) : 0;

    return r ? r : (a.length > b.length) - (a.length < b.length);
}

static inline bool text_starts_with(struct text text, struct text prefix)
{
    return text.length >= prefix.length &&
           (prefix.length == 0 || memcmp(text.data, prefix.data, prefix.length) == 0);
}

/* As text_equals, in any case of ASCII letters. */
static inline bool text_equals_any_case(struct text a, struct text b)
{
    return a.length == b.length && strncasecmp(a.data, b.data, a.length) == 0;
}

/* How many bytes at the front of a text are ASCII letters, digits or one of some signs. */
static inline size_t text_span(struct text text, const char *signs)
{
    size_t n = 0;

    for (; n < text.length; n++) {
        char c = text.data[n];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) &&
            (c == '\0' || !strchr(signs, c)))
            break;
    }
    return n;
}

/* The rest of a view after its first N bytes; N must not exceed its length. */
static inline struct text text_after(struct text text, size_t n)
{
    return text_of(text.data + n, text.length - n);
}

/* A view without the blanks at both ends. */
static inline struct text text_trim(struct text text, struct text blanks)
{
    while (text.length && memchr(blanks.data, text.data[text.length - 1], blanks.length))
        text.length--;
    while (text.length && memchr(blanks.data, *text.data, blanks.length))
        text = text_after(text, 1);
    return text;
}

/* Takes a prefix, in any case of ASCII letters, off the front of a text. Returns whether it was
 * there. */
static inline bool text_take_prefix(struct text *from, struct text prefix)
{
    if (from->length < prefix.length || strncasecmp(from->data, prefix.data, prefix.length) != 0)
        return false;
    *from = text_after(*from, prefix.length);
    return true;
}

/* Takes what precedes a separator off the front of a text, and the separator; without one, takes
 * all. */
static inline struct text text_take(struct text *from, char separator)
{
    const char *end = from->length ? memchr(from->data, separator, from->length) : NULL;
    struct text taken = *from;

    if (end)
        taken.length = (size_t)(end - from->data);
    *from = text_after(*from, taken.length + (end ? 1 : 0));
    return taken;
}

/* For CLEANUP: frees what a pointer variable of any type points at. */
static inline void free_pointer(void *variable)
{
    void *pointer;

    memcpy(&pointer, variable, sizeof(pointer));
    free(pointer);
}
