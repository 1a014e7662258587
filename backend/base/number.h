/* Numbers in text, decimal and hexadecimal. */
#pragma once

#include "base/base.h"

/* Reads a decimal number of at most MAX: digits alone, at least one. Returns whether TEXT is one;
 * OUT is untouched otherwise. */
bool number_read(struct text text, uint64_t max, uint64_t *out);

/* A number of things in words. */
struct number_of {
    char text[64];
};

/* Writes "1 policy" or "2 policies", for direct use in an argument. */
struct number_of number_of(size_t n, const char *one, const char *several);

/* Whether a character is an ASCII digit, whatever the locale. */
static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The value of a hexadecimal digit of either case, or -1. */
int hex_digit_value(char c);

/* Writes N octets as 2 * N hexadecimal digits in lower case, and a terminator. */
void hex_write(const uint8_t *octets, size_t n, char *out);
