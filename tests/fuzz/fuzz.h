/* What all fuzz targets share. A target is a file with LLVMFuzzerTestOneInput, linked with
 * libFuzzer to search for findings, or with replay.c to run what was found before. */
#pragma once

#include "base/base.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for every input; a finding is a crash. */
#define MUST(CONDITION)                                                                            \
    do {                                                                                           \
        if (!(CONDITION)) {                                                                        \
            fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__, __LINE__, #CONDITION);             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The input up to the first newline, which then begins behind it. */
static inline struct text take_line(struct text *input)
{
    const char *end = input->length ? memchr(input->data, '\n', input->length) : NULL;
    struct text line = *input;

    if (!end)
        *input = (struct text){.data = input->data, .length = 0};
    else {
        line.length = (size_t)(end - input->data);
        *input = text_after(*input, line.length + 1);
    }
    return line;
}

/* Takes the next piece off a stream, as a peer may send it. LENGTHS says how long the pieces are,
 * each octet by its lower 6 bits, so that A is 1 byte, B 2 and @ the whole rest. The last length
 * stands for all further pieces; without any the stream is one piece. */
static inline struct text take_piece(struct text *stream, struct text *lengths)
{
    size_t length = lengths->length ? (size_t)(lengths->data[0] & 63) : 0;
    struct text piece = *stream;

    if (length && length < piece.length)
        piece.length = length;
    *stream = text_after(*stream, piece.length);
    if (lengths->length > 1)
        *lengths = text_after(*lengths, 1);
    return piece;
}

/* What an input that wants many own zones may have, in bytes: each request takes long to answer,
 * and a run must stay far below a second. */
enum { MANY_INPUT_MAX = 640 };

/* Whether an input wants many own zones, whose lists are long: its first line begins with '+',
 * which is taken off. What takes long to answer must not make every input slow. */
static inline bool take_many(struct text *lengths)
{
    bool many = lengths->length && lengths->data[0] == '+';

    if (many)
        *lengths = text_after(*lengths, 1);
    return many;
}
