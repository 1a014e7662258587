/* The readers of names. What they accept is canonical, and canonical text reads as itself. */
#include "dns/name.h"
#include "fuzz.h"

static void check_host(const struct name *name)
{
    struct text text = {name->text, name->length};
    struct name again;
    size_t label = 0;

    MUST(name->length > 0 && name->length <= NAME_TEXT_MAX);
    for (size_t i = 0; i < name->length; i++) {
        label = name->text[i] == '.' ? 0 : label + 1;
        MUST(label <= NAME_LABEL_MAX);
        MUST(strchr("abcdefghijklmnopqrstuvwxyz0123456789-.", name->text[i]));
    }
    MUST(label > 0);
    MUST(name_from_host(text, &again) == 0 && strcmp(again.text, name->text) == 0);
    MUST(name_from_question(text, &again) == 0 && strcmp(again.text, name->text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text text = {(const char *)data, size};
    struct name name;

    if (name_from_domain(text, &name) == 0) {
        check_host(&name);
        MUST(name.length + NAME_PREFIX_MAX <= NAME_TEXT_MAX);
    }
    if (name_from_host(text, &name) == 0)
        check_host(&name);
    if (name_from_mx_pattern(text, &name) == 0 && name.text[0] != '*')
        check_host(&name);
    if (name_from_question(text, &name) == 0)
        MUST(name.length <= NAME_TEXT_MAX && name.text[name.length] == '\0');
    return 0;
}
