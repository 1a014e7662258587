#include "dns/address.h"

#include <arpa/inet.h>

bool address_from_text(struct text text, struct address *out)
{
    struct address address = {0};
    char terminated[INET6_ADDRSTRLEN];

    if (text.length >= sizeof(terminated) || memchr(text.data, '\0', text.length))
        return false;
    memcpy(terminated, text.data, text.length);
    terminated[text.length] = '\0';
    address.family = memchr(terminated, ':', text.length) ? AF_INET6 : AF_INET;
    if (inet_pton(address.family, terminated, address.octets) != 1)
        return false;
    *out = address;
    return true;
}

/* The first octets of a block, and how many of their bits count. */
struct block {
    uint8_t octets[6];
    unsigned int bits;
};

static bool is_in(const struct address *address, const struct block *block)
{
    for (unsigned int bit = 0; bit < block->bits; bit++) {
        unsigned int mask = 0x80U >> bit % 8;

        if ((address->octets[bit / 8] & mask) != (block->octets[bit / 8] & mask))
            return false;
    }
    return true;
}

bool address_is_global(const struct address *address)
{
    static const struct block not_global_v4[] = {
        {{0}, 8},        {{10}, 8},         {{100, 64}, 10},  {{127}, 8},      {{169, 254}, 16},
        {{172, 16}, 12}, {{192, 0, 0}, 24}, {{192, 168}, 16}, {{198, 18}, 15}, {{224}, 3},
    };
    static const struct block global_v6 = {{0x20}, 3};
    static const struct block benchmarks_v6 = {{0x20, 0x01, 0, 2, 0, 0}, 48};

    if (address->family == AF_INET6)
        return is_in(address, &global_v6) && !is_in(address, &benchmarks_v6);
    for (size_t i = 0; i < ARRAY_LENGTH(not_global_v4); i++)
        if (is_in(address, &not_global_v4[i]))
            return false;
    return true;
}
