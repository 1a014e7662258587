#include "policy/former.h"

#include "base/number.h"
#include "base/template.h"
#include "policy/challenge.h"

#include <errno.h>

/* What comes before the templates. That of a path may have blanks, so it is the last. */
#define CHALLENGE_WORD    TEXT("acme=")
#define CERTIFICATES_WORD TEXT("certificates=")

enum { TTL_UNKNOWN = 3600 /* seconds */ };

void former_write(struct buffer *out, const struct policy *policy)
{
    struct rows host = policy->rows[OWNER_POLICY_HOST];
    struct rows challenge = policy->rows[OWNER_ACME_CHALLENGE];

    buffer_printf(out, "%s %u %s", policy->primary.data, policy->ttl,
                  policy->zones ? "zones" : "overlay");
    for (size_t i = 0; i < host.n; i++) {
        const struct row *row = &host.first[i];

        if (row->type != RECORD_A && row->type != RECORD_AAAA && row->type != RECORD_CNAME)
            continue;
        buffer_add_string(out, " ");
        buffer_add_text(out, row->content);
    }
    if (challenge.n) {
        buffer_add_string(out, " ");
        buffer_add_text(out, CHALLENGE_WORD);
        buffer_add_text(out, challenge.first[0].content);
    }
    if (policy->certificates.length) {
        buffer_add_string(out, " ");
        buffer_add_text(out, CERTIFICATES_WORD);
        buffer_add_text(out, policy->certificates);
    }
}

/* Takes the first word off a text. Returns whether there is one. */
static bool take_word(struct text *text, struct text *word)
{
    const char *end = text->length ? memchr(text->data, ' ', text->length) : NULL;

    if (text->length == 0)
        return false;
    word->data = text->data;
    word->length = end ? (size_t)(end - text->data) : text->length;
    *text = text_after(*text, end ? word->length + 1 : word->length);
    return true;
}

static size_t count_words(struct text text)
{
    struct text word;
    size_t n = 0;

    while (take_word(&text, &word))
        n++;
    return n;
}

struct text former_primary(struct text text)
{
    struct text primary = TEXT("");

    take_word(&text, &primary);
    return primary;
}

struct text policy_original_primary(const struct policy *policy)
{
    return policy->former.length ? former_primary(policy->former) : policy->primary;
}

/* Whether a text is a template of a path. */
static bool is_path(struct text text)
{
    return text_starts_with(text, TEXT("/")) && template_is_valid(text);
}

static int keep_template(struct arena *arena, struct text template, const char **out)
{
    struct text copy;
    int r = arena_copy_text(arena, template, &copy);

    if (r == 0)
        *out = copy.data;
    return r;
}

int former_read(struct arena *arena, struct text text, struct former *out)
{
    struct address *addresses = arena_alloc(arena, count_words(text) * sizeof(*addresses));
    struct former former = {.ttl = TTL_UNKNOWN, .addresses = addresses};
    struct text word;
    struct name host;
    uint64_t ttl;
    int r;

    if (!addresses)
        return -ENOMEM;
    take_word(&text, &word);
    if (take_word(&text, &word) && number_read(word, POLICY_TTL_MAX, &ttl))
        former.ttl = (uint32_t)ttl;
    if (take_word(&text, &word))
        former.zones = text_equals(word, TEXT("zones"));
    while (!text_take_prefix(&text, CERTIFICATES_WORD) && take_word(&text, &word)) {
        if (text_take_prefix(&word, CHALLENGE_WORD)) {
            r = challenge_check(word) ? 0 : keep_template(arena, word, &former.acme_challenge);
            if (r)
                return r;
            continue;
        }
        if (address_from_text(word, &addresses[former.n_addresses])) {
            former.n_addresses++;
            continue;
        }
        r = name_from_host(word, &host);
        if (r == 0)
            former.policy_host = host;
        else if (r < 0)
            return r;
    }
    r = is_path(text) ? keep_template(arena, text, &former.certificates) : 0;
    if (r)
        return r;
    *out = former;
    return 0;
}
