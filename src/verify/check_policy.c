/* policy: the body is the configured one byte for byte (RFC 8461 3.2). */
#include "verify/checks.h"

#include "base/quote.h"

/* Takes the next line, with its end, off a text. */
static struct text take_line(struct text *text)
{
    const char *end = memchr(text->data, '\n', text->length);
    struct text line = {text->data, end ? (size_t)(end - text->data) + 1 : text->length};

    *text = text_after(*text, line.length);
    return line;
}

static const char *describe_line(struct text line, struct quoted *quoted)
{
    if (line.length == 0)
        return "the end";
    *quoted = quote_text(line);
    return quoted->text;
}

/* Whether a body is that of an id which is announced until the configured one is due: a server that
 * was not reloaded yet may still have it. */
static bool is_old_body(const struct look *look, struct text body)
{
    const char *announced = waiting_id(look->tools->waiting, look->domain.policy);
    char id[POLICY_ID_MAX + 1];

    if (!announced)
        return false;
    policy_derive_id(body, id);
    return strcmp(id, announced) == 0;
}

void compare_policy(struct look *look, const char *address, struct text body)
{
    struct text expected = look->domain.policy->body;
    struct quoted found_text, expected_text;
    unsigned int line = 0;

    if (text_equals(body, expected) || is_old_body(look, body))
        return;
    for (;;) {
        struct text found_line = take_line(&body), expected_line = take_line(&expected);

        line++;
        if (text_equals(found_line, expected_line))
            continue;
        look_report(look, CHECK_POLICY, FINDING_ERROR, describe_line(expected_line, &expected_text),
                    "line %u is %s at %s", line, describe_line(found_line, &found_text), address);
        return;
    }
}
