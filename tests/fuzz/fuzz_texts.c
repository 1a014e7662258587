/* The readers of single values: reporting URIs, addresses, addresses to listen on. */
#include "fuzz.h"
#include "os/listen_address.h"
#include "policy/policy.h"

#include <arpa/inet.h>
#include <strings.h>

/* What is accepted can stand in a TLSRPT record as it is (RFC 8460 3). */
static void check_rua(struct text text)
{
    int r = rua_check(text);

    if (r) {
        MUST(rua_faults[r].found && rua_faults[r].expected);
        return;
    }
    MUST(text.length > 7);
    MUST(strncasecmp(text.data, "mailto:", 7) == 0 || strncasecmp(text.data, "https:", 6) == 0);
    for (size_t i = 0; i < text.length; i++)
        MUST(text.data[i] > ' ' && text.data[i] < '\x7f' && !strchr(",!;\"\\", text.data[i]));
}

static void check_address(struct text text)
{
    struct address address, again;
    char written[INET6_ADDRSTRLEN];

    if (!address_from_text(text, &address))
        return;
    MUST(address.family == AF_INET || address.family == AF_INET6);
    MUST(inet_ntop(address.family, address.octets, written, sizeof(written)));
    MUST(address_from_text(text_from(written), &again) && again.family == address.family);
    MUST(memcmp(again.octets, address.octets, address.family == AF_INET ? 4 : 16) == 0);
}

static in_port_t port_of(const struct listen_address *address)
{
    if (address->socket.any.sa_family == AF_INET)
        return address->socket.v4.sin_port;
    MUST(address->socket.any.sa_family == AF_INET6);
    return address->socket.v6.sin6_port;
}

static void check_listen_address(struct text text)
{
    struct listen_address address, again;

    if (!listen_address_parse(text, 8053, &address))
        return;
    MUST(port_of(&address) != 0);
    MUST(address.length && address.length <= sizeof(address.socket));
    MUST(listen_address_parse(text_from(address.text), 1, &again));
    MUST(strcmp(again.text, address.text) == 0 && again.length == address.length);
    MUST(memcmp(&again.socket, &address.socket, address.length) == 0);
    MUST(listen_address_is_loopback(&again) == listen_address_is_loopback(&address));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text text = {(const char *)data, size};

    check_rua(text);
    check_address(text);
    check_listen_address(text);
    return 0;
}
