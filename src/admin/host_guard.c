#include "admin/host_guard.h"

#include "base/quote.h"
#include "net/http_host.h"
#include "os/listen_address.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

int host_guard_init(struct host_guard *guard)
{
    char own[HOST_NAME_MAX + 1] = "";
    int r;

    *guard = (struct host_guard){0};
    if (gethostname(own, sizeof(own)) < 0)
        return 0;
    r = name_from_host(text_from(own), &guard->own);
    return r < 0 ? r : 0;
}

/* Whether a connection is to a loopback address; one that cannot be told is taken for such. */
static bool is_local(int connection)
{
    struct listen_address address = {.length = sizeof(address.socket)};

    return getsockname(connection, &address.socket.any, &address.length) < 0 ||
           listen_address_is_loopback(&address);
}

/* Whether a canonical name leads to this machine. */
static bool is_own(const struct host_guard *guard, struct text name)
{
    if (guard->own.length && text_equals(name, name_text(&guard->own)))
        return true;
    while (name.length && !text_equals(name, TEXT("localhost")))
        text_take(&name, '.');
    return name.length > 0;
}

int host_guard_check(const struct host_guard *guard, int connection, struct text host,
                     char fault[HOST_GUARD_FAULT_MAX])
{
    struct name name;
    int r;

    if (host.length == 0 || http_host_is_address(host) || !is_local(connection))
        return 0;
    r = http_host_read(host, &name);
    if (r < 0)
        return r;
    if (r == 0 && is_own(guard, name_text(&name)))
        return 0;
    snprintf(
        fault, HOST_GUARD_FAULT_MAX,
        "found the Host field %s, expected an IP address%s localhost%s%s: a proxy in front has "
        "to set it to the address that it connects to",
        quote_text(host).text, guard->own.length ? "," : " or", guard->own.length ? " or " : "",
        guard->own.text);
    return HOST_GUARD_FOREIGN;
}
