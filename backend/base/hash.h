/* Hashes of text: fast and well spread, and not meant to withstand who knows the seed. */
#pragma once

#include "base/base.h"

#include <endian.h>

/* Multiplies to 128 bits and folds the halves: every bit of both factors reaches every bit of the
 * result. */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The hash of a text, the same on every machine. */
static inline uint64_t hash_text(uint64_t seed, struct text text)
{
    const uint64_t k1 = 0x9e3779b97f4a7c15, k2 = 0xd6e8feb86659fd93;
    uint64_t h = seed ^ hash_mix(text.length ^ k1, k2);
    uint64_t word = 0;

    for (size_t i = 0; i + sizeof(word) < text.length; i += sizeof(word)) {
        memcpy(&word, text.data + i, sizeof(word));
        h = hash_mix(h ^ le64toh(word), k1);
    }
    /* The last word overlaps the one before: copying a varying number of octets is slow. */
    if (text.length >= sizeof(word))
        memcpy(&word, text.data + text.length - sizeof(word), sizeof(word));
    else if (text.length)
        memcpy(&word, text.data, text.length);
    return hash_mix(hash_mix(h ^ le64toh(word), k1), k2 ^ seed);
}
