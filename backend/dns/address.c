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
