#include "admin/page_query.h"

#include "base/number.h"
#include "base/quote.h"
#include "base/utf8.h"
#include "protocol/url.h"

#include <stdio.h>

enum { NUMBER_MAX = INT32_MAX };

enum field {
    FIELD_Q,
    FIELD_STATE,
    FIELD_FROM,
    FIELD_FINDING,
    FIELD_DOMAIN,
    FIELD_POLICIES,
    FIELD_COUNT
};

static const struct text field_names[FIELD_COUNT] = {
    [FIELD_Q] = {"q", 1},           [FIELD_STATE] = {"state", 5},
    [FIELD_FROM] = {"from", 4},     [FIELD_FINDING] = {"finding", 7},
    [FIELD_DOMAIN] = {"domain", 6}, [FIELD_POLICIES] = {"policies", 8},
};

static enum field find_field(struct text name)
{
    enum field field = 0;

    while (field < FIELD_COUNT && !text_equals(name, field_names[field]))
        field++;
    return field;
}

/* Whether it is UTF-8 without a NUL, as a terminated text can hold. */
static bool is_text(struct text text)
{
    return utf8_is_valid(text) && !(text.length && memchr(text.data, '\0', text.length));
}

static bool refuse_length(const char *name, char fault[PAGE_QUERY_FAULT_MAX])
{
    snprintf(fault, PAGE_QUERY_FAULT_MAX, "%s: longer than any name", name);
    return false;
}

/* Decodes a value into a terminated text. Returns whether it is one; NAME is for the fault. */
static bool decode(struct text value, bool is_form, const char *name,
                   char out[PAGE_QUERY_TEXT_MAX + 1], char fault[PAGE_QUERY_FAULT_MAX])
{
    char decoded[3 * PAGE_QUERY_TEXT_MAX];
    struct text text;

    if (value.length > sizeof(decoded))
        return refuse_length(name, fault);
    if (!url_decode(value, is_form, decoded, &text)) {
        snprintf(fault, PAGE_QUERY_FAULT_MAX,
                 "%s: found %s, expected two hexadecimal digits after each %%", name,
                 quote_text(value).text);
        return false;
    }
    if (!is_text(text)) {
        snprintf(fault, PAGE_QUERY_FAULT_MAX, "%s: found %s, expected UTF-8", name,
                 quote_text(text).text);
        return false;
    }
    if (text.length > PAGE_QUERY_TEXT_MAX)
        return refuse_length(name, fault);
    text = text_trim(text, TEXT(" \t\r\n"));
    memcpy(out, text.data, text.length);
    out[text.length] = '\0';
    return true;
}

static bool read_state(const char *value, struct page_query *out, char *fault)
{
    out->has_state = value[0];
    if (!out->has_state || domain_state_find(text_from(value), &out->state))
        return true;
    snprintf(fault, PAGE_QUERY_FAULT_MAX,
             "state: found %s, expected published, held_back, waiting or retiring",
             quote_text(text_from(value)).text);
    return false;
}

static bool read_number(const char *name, const char *value, size_t *out, char *fault)
{
    uint64_t number = 0;

    if (value[0] && !number_read(text_from(value), NUMBER_MAX, &number)) {
        snprintf(fault, PAGE_QUERY_FAULT_MAX, "%s: found %s, expected a number up to %d", name,
                 quote_text(text_from(value)).text, NUMBER_MAX);
        return false;
    }
    *out = number;
    return true;
}

/* Reads the numbers of a run and of a finding, as "12-3". */
static bool read_finding(const char *value, struct page_query *out, char *fault)
{
    struct text rest = text_from(value), run = text_take(&rest, '-');
    uint64_t numbers[2];

    out->has_finding = value[0];
    if (!out->has_finding)
        return true;
    if (!number_read(run, INT64_MAX, &numbers[0]) || !number_read(rest, INT64_MAX, &numbers[1])) {
        snprintf(fault, PAGE_QUERY_FAULT_MAX,
                 "finding: found %s, expected the numbers of a run and of a finding, such as 12-3",
                 quote_text(text_from(value)).text);
        return false;
    }
    out->run = (int64_t)numbers[0];
    out->finding = (int64_t)numbers[1];
    return true;
}

static bool read_value(enum field field, struct text encoded, struct page_query *out, char *fault)
{
    const char *name = field_names[field].data;
    char value[PAGE_QUERY_TEXT_MAX + 1];

    if (field == FIELD_Q)
        return decode(encoded, true, name, out->q, fault);
    if (field == FIELD_DOMAIN)
        return decode(encoded, true, name, out->domain, fault);
    if (field == FIELD_FROM)
        return decode(encoded, true, name, out->first, fault);
    if (!decode(encoded, true, name, value, fault))
        return false;
    if (field == FIELD_STATE)
        return read_state(value, out, fault);
    if (field == FIELD_FINDING)
        return read_finding(value, out, fault);
    return read_number(name, value, &out->policies, fault);
}

/* Finds out what the fields mean together. */
static bool settle(const bool seen[FIELD_COUNT], struct page_query *out, char *fault)
{
    out->has_domain = seen[FIELD_DOMAIN];
    out->is_search = seen[FIELD_Q] || seen[FIELD_STATE] || seen[FIELD_FROM];
    if (!out->has_finding)
        return read_number(field_names[FIELD_FROM].data, out->first, &out->from, fault);
    if (!out->q[0] && !out->has_state)
        return true;
    snprintf(fault, PAGE_QUERY_FAULT_MAX, "finding: found with %s, expected without",
             out->q[0] ? "q" : "state");
    return false;
}

bool page_query_read(struct text target, struct page_query *out, char fault[PAGE_QUERY_FAULT_MAX])
{
    bool seen[FIELD_COUNT] = {0};

    *out = (struct page_query){0};
    text_take(&target, '?');
    while (target.length) {
        struct text value = text_take(&target, '&');
        enum field field = find_field(text_take(&value, '='));

        if (field == FIELD_COUNT)
            continue;
        if (seen[field]) {
            snprintf(fault, PAGE_QUERY_FAULT_MAX, "%s: found twice, expected once",
                     field_names[field].data);
            return false;
        }
        seen[field] = true;
        if (!read_value(field, value, out, fault))
            return false;
    }
    return settle(seen, out, fault);
}

bool page_query_read_name(struct text name, char out[PAGE_QUERY_TEXT_MAX + 1],
                          char fault[PAGE_QUERY_FAULT_MAX])
{
    return decode(name, false, "the name", out, fault);
}
