#include "method.h"

#include "json_string.h"

void method_add_row(struct buffer *out, const struct answer *answer, const struct row *row)
{
    buffer_add_string(out, "{\"qtype\":");
    json_string_add(out, record_type_text(row->type));
    buffer_add_string(out, ",\"qname\":");
    json_string_add(out, (struct text){answer->name.text, answer->name.length});
    buffer_add_string(out, ",\"content\":");
    json_string_add(out, row->content);
    buffer_printf(out, ",\"ttl\":%u}", answer->domain.policy->ttl);
}

static enum outcome add_lookup(const struct request *request, const struct snapshot *snapshot,
                               struct buffer *reply)
{
    struct answer answer;
    size_t n = 0;

    if (!synthesis_find(snapshot, request->parameters[PARAMETER_QNAME], &answer)) {
        buffer_add_string(reply, "false");
        return OUTCOME_NOT_OURS;
    }
    buffer_add_string(reply, "[");
    for (size_t i = 0; i < answer.rows.n; i++) {
        if (!synthesis_matches(&answer.rows.first[i], request->parameters[PARAMETER_QTYPE]))
            continue;
        if (n++)
            buffer_add_string(reply, ",");
        method_add_row(reply, &answer, &answer.rows.first[i]);
    }
    buffer_add_string(reply, "]");
    return n ? OUTCOME_ANSWERED : OUTCOME_EMPTY;
}

/* The results that depend on nothing. */
static enum outcome add_false(const struct request *request, const struct snapshot *snapshot,
                              struct buffer *reply)
{
    (void)request;
    (void)snapshot;
    buffer_add_string(reply, "false");
    return OUTCOME_NOT_OURS;
}

static enum outcome add_true(const struct request *request, const struct snapshot *snapshot,
                             struct buffer *reply)
{
    (void)request;
    (void)snapshot;
    buffer_add_string(reply, "true");
    return OUTCOME_ANSWERED;
}

static enum outcome add_empty_array(const struct request *request, const struct snapshot *snapshot,
                                    struct buffer *reply)
{
    (void)request;
    (void)snapshot;
    buffer_add_string(reply, "[]");
    return OUTCOME_EMPTY;
}

#define LOOKUP_COMPONENTS                                                                          \
    {                                                                                              \
        PARAMETER_QNAME, PARAMETER_QTYPE, PARAMETER_COUNT                                          \
    }
#define NO_COMPONENTS                                                                              \
    {                                                                                              \
        PARAMETER_COUNT                                                                            \
    }

static const struct method methods[] = {
    {"lookup", LOOKUP_COMPONENTS, add_lookup},
    {"APILookup", LOOKUP_COMPONENTS, add_lookup},
    {"initialize", NO_COMPONENTS, add_true},
    {"getAllDomains", NO_COMPONENTS, add_empty_array},
    {"getUpdatedMasters", NO_COMPONENTS, add_empty_array},
    {"setNotified", NO_COMPONENTS, add_true},
    {"searchRecords", NO_COMPONENTS, add_empty_array},
    /* The zones of an overlay belong to other backends, and with them their contents, metadata and
       keys. */
    {"list", NO_COMPONENTS, add_false},
    {"getDomainInfo", NO_COMPONENTS, add_false},
    {"getAllDomainMetadata", NO_COMPONENTS, add_false},
    {"getDomainMetadata", NO_COMPONENTS, add_false},
    {"getDomainKeys", NO_COMPONENTS, add_false},
    {"getBeforeAndAfterNamesAbsolute", NO_COMPONENTS, add_false},
    {"getTSIGKey", NO_COMPONENTS, add_false},
    {"getTSIGKeys", NO_COMPONENTS, add_false},
    {"getUnfreshSlaveInfos", NO_COMPONENTS, add_false},
    {"directBackendCmd", NO_COMPONENTS, add_false},
    /* Nothing can be written. */
    {"setFresh", NO_COMPONENTS, add_false},
    {"setStale", NO_COMPONENTS, add_false},
    {"setDomainMetadata", NO_COMPONENTS, add_false},
    {"addDomainKey", NO_COMPONENTS, add_false},
    {"removeDomainKey", NO_COMPONENTS, add_false},
    {"activateDomainKey", NO_COMPONENTS, add_false},
    {"deactivateDomainKey", NO_COMPONENTS, add_false},
    {"publishDomainKey", NO_COMPONENTS, add_false},
    {"unpublishDomainKey", NO_COMPONENTS, add_false},
    {"setTSIGKey", NO_COMPONENTS, add_false},
    {"deleteTSIGKey", NO_COMPONENTS, add_false},
    {"superMasterBackend", NO_COMPONENTS, add_false},
    {"createSlaveDomain", NO_COMPONENTS, add_false},
    {"startTransaction", NO_COMPONENTS, add_false},
    {"commitTransaction", NO_COMPONENTS, add_false},
    {"abortTransaction", NO_COMPONENTS, add_false},
    {"replaceRRSet", NO_COMPONENTS, add_false},
    {"feedRecord", NO_COMPONENTS, add_false},
    {"feedEnts", NO_COMPONENTS, add_false},
    {"feedEnts3", NO_COMPONENTS, add_false},
};

const struct method *method_find(struct text name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++)
        if (text_equals(text_from(methods[i].name), name))
            return &methods[i];
    return NULL;
}

_Static_assert(ARRAY_LENGTH(methods) < METHOD_COUNT_MAX, "each method needs a number");

size_t method_number(const struct method *method)
{
    return method ? (size_t)(method - methods) + 1 : METHOD_NONE;
}

const char *method_name(size_t number)
{
    if (number == METHOD_NONE)
        return "none";
    return number <= ARRAY_LENGTH(methods) ? methods[number - 1].name : NULL;
}

enum outcome method_answer(const struct request *request, const struct snapshot *snapshot,
                           struct buffer *reply)
{
    enum outcome outcome;

    buffer_add_string(reply, "{\"result\":");
    if (request->method)
        outcome = request->method->add_result(request, snapshot, reply);
    else
        outcome = add_false(request, snapshot, reply);
    buffer_add_string(reply, "}");
    return outcome;
}
