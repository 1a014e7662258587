/* The reader of Host fields. A name that it finds is a canonical host name; in capitals, with a
 * port or with a final dot it is found again. No address is a name. */
#include "fuzz.h"
#include "net/http_host.h"

#include <ctype.h>

static bool is_plain(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!isascii((unsigned char)text.data[i]))
            return false;
    return true;
}

static void check_again(const struct name *name, bool capitals, const char *more)
{
    char field[NAME_TEXT_MAX + 8];
    struct name again;

    snprintf(field, sizeof(field), "%s%s", name->text, more);
    for (size_t i = 0; capitals && field[i]; i++)
        field[i] = (char)toupper((unsigned char)field[i]);
    MUST(http_host_read(text_from(field), &again) == 0);
    MUST(again.length == name->length && strcmp(again.text, name->text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text field = {(const char *)data, size};
    struct name name, host;
    int r = http_host_read(field, &name);

    MUST(!http_host_is_address(field) || r == HTTP_HOST_NO_NAME);
    if (r == 0) {
        MUST(size >= name.length);
        MUST(name_from_host(name_text(&name), &host) == 0);
        MUST(strcmp(host.text, name.text) == 0);
        check_again(&name, false, "");
        check_again(&name, true, ".");
        check_again(&name, true, ".:443");
        check_again(&name, false, ":");
    } else {
        MUST(r == HTTP_HOST_MALFORMED || r == HTTP_HOST_NO_NAME);
        /* Nothing plain is refused: what is a name of ASCII by itself is one in the field. */
        MUST(name_from_host(field, &host) != 0 || !is_plain(field));
    }
    return 0;
}
