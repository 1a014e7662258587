#include "verify/look.h"

#include "base/array.h"
#include "base/buffer.h"
#include "base/quote.h"
#include "verify/mail_servers.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* How each question is asked. */
static const struct {
    enum owner owner; /* OWNER_COUNT: the domain itself */
    ns_type type;
} questions[] = {
    [QUESTION_MTA_STS] = {OWNER_MTA_STS, ns_t_txt},
    [QUESTION_TLS_PARENT] = {OWNER_TLS_PARENT, ns_t_txt},
    [QUESTION_TLSRPT] = {OWNER_TLSRPT, ns_t_txt},
    [QUESTION_HOST_A] = {OWNER_POLICY_HOST, ns_t_a},
    [QUESTION_HOST_AAAA] = {OWNER_POLICY_HOST, ns_t_aaaa},
    [QUESTION_MX] = {OWNER_COUNT, ns_t_mx},
    [QUESTION_ZONE] = {OWNER_COUNT, ns_t_soa},
};

/* One question of a look. */
struct asking {
    struct look *look;
    enum question question;
};

struct name look_owner_name(const struct look *look, enum owner owner)
{
    struct text prefix = owner == OWNER_COUNT ? TEXT("") : owner_prefix(owner);
    struct name name;

    name.length =
        (uint8_t)snprintf(name.text, sizeof(name.text), "%.*s%.*s", (int)prefix.length, prefix.data,
                          (int)look->domain.name.length, look->domain.name.data);
    return name;
}

bool look_wants(const struct look *look, enum check_name check)
{
    return (look->tools->checks & UINT32_C(1) << check) && checks[check].applies(look);
}

void look_begin(struct look *look)
{
    look->pending++;
}

static void run_checks(struct look *look)
{
    for (enum check_name check = 0; check < CHECK_COUNT; check++)
        if (checks[check].run && look_wants(look, check))
            checks[check].run(look);
}

void look_end(struct look *look)
{
    if (--look->pending == 0)
        look->done(look, look->context);
}

/* Keeps an answer in the look's arena. */
static int keep_answer(struct look *look, const struct dns_answer *answer, struct dns_answer *out)
{
    const char *const from[] = {answer->reason, answer->alias, answer->zone};
    const char **const to[] = {&out->reason, &out->alias, &out->zone};

    *out = *answer;
    for (size_t i = 0; i < ARRAY_LENGTH(from); i++) {
        struct text copy = {0};

        if (from[i] && arena_copy_text(&look->arena, text_from(from[i]), &copy))
            return -ENOMEM;
        *to[i] = copy.data;
    }
    out->values = arena_alloc(&look->arena, answer->n_values * sizeof(*out->values));
    if (!out->values)
        return -ENOMEM;
    for (size_t i = 0; i < answer->n_values; i++)
        if (arena_copy_text(&look->arena, answer->values[i], &out->values[i]))
            return -ENOMEM;
    return 0;
}

static void take_answer(void *context, const struct dns_answer *answer)
{
    struct asking *asking = context;
    struct look *look = asking->look;

    if (keep_answer(look, answer, &look->answers[asking->question])) {
        look->answers[asking->question] = (struct dns_answer){.outcome = DNS_NO_ANSWER};
        look->failed = true;
    }
    if (look->pending == 1 && !look->failed) /* the last of the questions */
        run_checks(look);
    look_end(look);
}

static int ask(struct look *look, enum question question)
{
    struct name name = look_owner_name(look, questions[question].owner);
    struct asking *asking = arena_alloc(&look->arena, sizeof(*asking));
    int r;

    if (!asking)
        return -ENOMEM;
    *asking = (struct asking){look, question};
    look->asked |= NEEDS(question);
    look_begin(look);
    r = resolver_ask(look->tools->resolver, name.text, questions[question].type, take_answer,
                     asking);
    if (r)
        look->pending--;
    return r;
}

static uint32_t needed_questions(const struct look *look)
{
    uint32_t needed = 0;

    for (enum check_name check = 0; check < CHECK_COUNT; check++)
        if (look_wants(look, check))
            needed |= checks[check].questions;
    return needed;
}

int look_start(const struct look_tools *tools, const struct domain *domain, uint32_t number,
               void (*done)(struct look *look, void *context), void *context)
{
    struct look *look = calloc(1, sizeof(*look));
    uint32_t needed;

    if (!look)
        return -ENOMEM;
    *look = (struct look){.tools = tools,
                          .domain = *domain,
                          .number = number,
                          .mail_servers = MAIL_SERVERS_NONE,
                          .done = done,
                          .context = context};
    LIST_INSERT_HEAD(tools->looks, look, entry);
    needed = needed_questions(look);
    look_begin(look); /* this function */
    for (enum question question = 0; question < QUESTION_COUNT; question++)
        if (needed & NEEDS(question) && ask(look, question))
            look->failed = true;
    if (look->pending == 1 && !look->failed) /* all are answered already */
        run_checks(look);
    look_end(look);
    return 0;
}

void look_free(struct look *look)
{
    LIST_REMOVE(look, entry);
    arena_deinit(&look->arena);
    free(look->findings);
    free(look);
}

void look_report(struct look *look, enum check_name check, enum finding_severity severity,
                 const char *expected, const char *found, ...)
{
    CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT;
    va_list arguments;
    uint32_t number;

    if (!look_wants(look, check))
        return;
    va_start(arguments, found);
    buffer_vprintf(&text, found, arguments);
    va_end(arguments);
    if (!buffer_string(&text) ||
        findings_intern(look->tools->findings, check, severity, text.data, expected, &number) ||
        ARRAY_RESERVE(look->findings, look->n_findings, look->findings_capacity)) {
        look->failed = true;
        return;
    }
    for (size_t i = 0; i < look->n_findings; i++)
        if (look->findings[i] == number)
            return;
    look->findings[look->n_findings++] = number;
}

void look_is_transient(struct look *look)
{
    look->transient = true;
}

enum finding_severity look_severity(const struct look *look)
{
    return look->domain.policy->mode == POLICY_MODE_TESTING ? FINDING_WARNING : FINDING_ERROR;
}

struct mx_use *look_mx_use(const struct look *look)
{
    return &look->tools->mx_use[snapshot_policy_number(look->tools->snapshot, look->domain.policy)];
}

static void add_values(struct buffer *out, const struct dns_answer *answer)
{
    enum { SHOWN_MAX = 4 };

    if (answer->n_values > 1)
        buffer_printf(out, "%zu records: ", answer->n_values);
    for (size_t i = 0; i < answer->n_values && i < SHOWN_MAX; i++)
        buffer_printf(out, "%s%s", i ? ", " : "", quote_text(answer->values[i]).text);
    if (answer->n_values > SHOWN_MAX)
        buffer_add_string(out, ", …");
}

bool look_leaves_to_dnssec(const struct look *look, const struct dns_answer *answer)
{
    return answer->bogus && look_wants(look, CHECK_DNSSEC);
}

const char *look_describe(struct look *look, const struct dns_answer *answer)
{
    CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT;
    struct text copy;
    char rcode[16];

    if (answer->bogus)
        return "a bogus answer";
    switch (answer->outcome) {
    case DNS_FOUND:
        add_values(&text, answer);
        break;
    case DNS_NO_DATA:
        return answer->alias ? "an alias to a name without a record" : "no record";
    case DNS_NO_NAME:
        return answer->alias ? "an alias to a name that does not exist" : "no such name";
    case DNS_FAILED:
        buffer_add_string(&text, dns_rcode_text(answer->rcode, rcode));
        break;
    case DNS_NO_ANSWER:
        return "no answer";
    case DNS_MALFORMED:
        return "a malformed answer";
    }
    if (text.failed || arena_copy_text(&look->arena, buffer_text(&text), &copy))
        return "out of memory";
    return copy.data;
}

bool look_announces_old_id(const struct look *look, const struct dns_answer *answer)
{
    const char *id = waiting_id(look->tools->waiting, look->domain.policy);
    char record[POLICY_ID_MAX + 32];

    if (!id || answer->n_values != 1)
        return false;
    snprintf(record, sizeof(record), "v=STSv1; id=%s", id);
    return text_equals(answer->values[0], text_from(record));
}
