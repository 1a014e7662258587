#include "policy/challenge.h"

#include "base/template.h"
#include "dns/name.h"
#include "policy/policy_records.h"

#include <ctype.h>

const struct fault_text challenge_faults[] = {
    [CHALLENGE_PERCENT] = {"a percent sign of its own", "%d for the domain, %% for the sign"},
    [CHALLENGE_LABEL] = {"a label that is empty, too long, or has more than %d",
                         "labels of 1 to 63 octets, %d being one or more of them"},
    [CHALLENGE_CHARACTER] = {"a character that is none of a name",
                             "letters, digits, hyphens and underscores"},
    [CHALLENGE_AT_OWNER] = {"a name at or below mta-sts.%d, _mta-sts.%d or _tls.%d",
                            "one elsewhere: a record there hides those of the service"},
    [CHALLENGE_TOO_LONG] = {"a name of more than 253 octets", "a shorter one"},
};

/* Checks one label of a template. */
static int check_label(struct text label)
{
    size_t length = template_fill(label, TEXT(""), NULL);

    if (text_equals(label, TEXT("%d")))
        return 0;
    if (template_has_domain(label) || length == 0 || length > NAME_LABEL_MAX)
        return CHALLENGE_LABEL;
    return text_span(label, "-_%") == label.length ? 0 : CHALLENGE_CHARACTER;
}

/* Whether a template makes a name at or below one of the domain's owner names. */
static bool is_at_owner(struct text template)
{
    while (template.length) {
        for (enum owner owner = 0; owner < OWNER_COUNT; owner++) {
            struct text rest = template;

            if (text_take_prefix(&rest, owner_prefix(owner)) && text_equals(rest, TEXT("%d")))
                return true;
        }
        text_take(&template, '.');
    }
    return false;
}

static struct text without_trailing_dot(struct text template)
{
    if (template.length > 1 && template.data[template.length - 1] == '.')
        template.length--;
    return template;
}

int challenge_check(struct text template)
{
    size_t n_dots = 0, n_labels = 0;
    struct text rest;

    template = without_trailing_dot(template);
    rest = template;
    if (!template_is_valid(template))
        return CHALLENGE_PERCENT;
    for (size_t i = 0; i < template.length; i++)
        n_dots += template.data[i] == '.';
    for (; n_labels <= n_dots; n_labels++) {
        int fault = check_label(text_take(&rest, '.'));

        if (fault)
            return fault;
    }
    return is_at_owner(template) ? CHALLENGE_AT_OWNER : 0;
}

void challenge_write_template(struct buffer *out, struct text template)
{
    template = without_trailing_dot(template);
    for (size_t i = 0; i < template.length; i++) {
        char c = (char)tolower((unsigned char)template.data[i]);

        buffer_add(out, &c, 1);
    }
}

int challenge_check_domain(struct text template, struct text domain)
{
    size_t owner = owner_prefix(OWNER_ACME_CHALLENGE).length + domain.length;
    size_t target = template_fill(without_trailing_dot(template), domain, NULL);

    return owner > NAME_TEXT_MAX || target > NAME_TEXT_MAX ? CHALLENGE_TOO_LONG : 0;
}

size_t challenge_write(struct text template, struct text domain, char *to)
{
    return template_fill(template, domain, to);
}
