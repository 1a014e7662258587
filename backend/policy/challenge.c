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
    [CHALLENGE_AT_HOST] = {"a name at or below mta-sts.%d",
                           "one elsewhere: a record there hides the policy host"},
    [CHALLENGE_TOO_LONG] = {"a name of more than 253 octets", "a shorter one"},
    [CHALLENGE_LOOP] = {"a name that leads to itself", "another one"},
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

/* Whether a name ends in some labels. */
static bool ends_in(struct text name, struct text labels)
{
    size_t before;

    if (name.length < labels.length)
        return false;
    before = name.length - labels.length;
    return text_equals_any_case(text_after(name, before), labels) &&
           (before == 0 || name.data[before - 1] == '.');
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
    return ends_in(template, TEXT("mta-sts.%d")) ? CHALLENGE_AT_HOST : 0;
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
    struct text prefix = owner_prefix(OWNER_ACME_CHALLENGE), name;
    char to[NAME_TEXT_MAX];

    template = without_trailing_dot(template);
    if (prefix.length + domain.length > NAME_TEXT_MAX ||
        template_fill(template, domain, NULL) > NAME_TEXT_MAX)
        return CHALLENGE_TOO_LONG;
    name = text_of(to, template_fill(template, domain, to));
    if (text_take_prefix(&name, prefix) && text_equals_any_case(name, domain))
        return CHALLENGE_LOOP;
    return 0;
}

size_t challenge_write(struct text template, struct text domain, char *to)
{
    return template_fill(template, domain, to);
}
