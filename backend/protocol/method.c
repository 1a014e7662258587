#include "protocol/method.h"

#include "answer/lookup.h"
#include "base/json_write.h"
#include "protocol/backend_command.h"
#include "protocol/json_row.h"
#include "protocol/zone_methods.h"
#include "protocol/zone_search.h"

static enum outcome add_lookup(const struct request *request, const struct method_context *context,
                               struct buffer *reply, struct producer **rest)
{
    struct answer answer;
    size_t n = 0;

    (void)rest;
    if (!lookup_find(context->snapshot, request->parameters[PARAMETER_QNAME], &answer)) {
        buffer_add_string(reply, "false");
        return OUTCOME_NOT_OURS;
    }
    buffer_add_string(reply, "[");
    for (size_t i = 0; i < answer.rows.n; i++) {
        const struct row *row = &answer.rows.first[i];

        if (!answer_matches(row, request->parameters[PARAMETER_QTYPE]))
            continue;
        if (n++)
            buffer_add_string(reply, ",");
        json_row_write(reply, &answer, row, json_row_zone_id(context->snapshot, &answer, row));
    }
    buffer_add_string(reply, "]");
    return n ? OUTCOME_ANSWERED : OUTCOME_EMPTY;
}

static enum outcome add_command(const struct request *request, const struct method_context *context,
                                struct buffer *reply, struct producer **rest)
{
    CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT;

    (void)rest;
    backend_command_answer(request->parameters[PARAMETER_QUERY], context->snapshot, context->notify,
                           &text);
    if (text.failed)
        reply->failed = true;
    else
        json_write_string(reply, buffer_text(&text));
    return OUTCOME_ANSWERED;
}

/* The results that depend on nothing. */
static enum outcome add_false(const struct request *request, const struct method_context *context,
                              struct buffer *reply, struct producer **rest)
{
    (void)request;
    (void)context;
    (void)rest;
    buffer_add_string(reply, "false");
    return OUTCOME_NOT_OURS;
}

static enum outcome add_true(const struct request *request, const struct method_context *context,
                             struct buffer *reply, struct producer **rest)
{
    (void)request;
    (void)context;
    (void)rest;
    buffer_add_string(reply, "true");
    return OUTCOME_ANSWERED;
}

#define COMPONENTS(...)                                                                            \
    {                                                                                              \
        __VA_ARGS__, PARAMETER_COUNT                                                               \
    }
#define NONE                                                                                       \
    {                                                                                              \
        PARAMETER_COUNT                                                                            \
    }

static const struct method methods[] = {
    {"lookup", COMPONENTS(PARAMETER_QNAME, PARAMETER_QTYPE), NONE, add_lookup},
    {"APILookup", COMPONENTS(PARAMETER_QNAME, PARAMETER_QTYPE), NONE, add_lookup},
    {"directBackendCmd", NONE, COMPONENTS(PARAMETER_QUERY), add_command},
    {"initialize", NONE, NONE, add_true},
    {"getAllDomains", NONE, NONE, zone_methods_all},
    {"getDomainInfo", COMPONENTS(PARAMETER_NAME), NONE, zone_methods_info},
    {"list", COMPONENTS(PARAMETER_DOMAIN_ID, PARAMETER_ZONENAME), NONE, zone_methods_list},
    {"getUpdatedMasters", NONE, NONE, zone_methods_updated},
    {"setNotified", COMPONENTS(PARAMETER_ID), COMPONENTS(PARAMETER_SERIAL),
     zone_methods_set_notified},
    {"searchRecords", NONE, COMPONENTS(PARAMETER_PATTERN, PARAMETER_MAX_RESULTS),
     zone_search_answer},
    /* Own zones have neither metadata nor keys; those of other zones are with their backends. */
    {"getAllDomainMetadata", NONE, NONE, add_false},
    {"getDomainMetadata", NONE, NONE, add_false},
    {"getDomainKeys", NONE, NONE, add_false},
    {"getBeforeAndAfterNamesAbsolute", NONE, NONE, add_false},
    {"getTSIGKey", NONE, NONE, add_false},
    {"getTSIGKeys", NONE, NONE, add_false},
    {"getUnfreshSlaveInfos", NONE, NONE, add_false},
    /* Nothing can be written. */
    {"setFresh", NONE, NONE, add_false},
    {"setStale", NONE, NONE, add_false},
    {"setDomainMetadata", NONE, NONE, add_false},
    {"addDomainKey", NONE, NONE, add_false},
    {"removeDomainKey", NONE, NONE, add_false},
    {"activateDomainKey", NONE, NONE, add_false},
    {"deactivateDomainKey", NONE, NONE, add_false},
    {"publishDomainKey", NONE, NONE, add_false},
    {"unpublishDomainKey", NONE, NONE, add_false},
    {"setTSIGKey", NONE, NONE, add_false},
    {"deleteTSIGKey", NONE, NONE, add_false},
    {"superMasterBackend", NONE, NONE, add_false},
    {"createSlaveDomain", NONE, NONE, add_false},
    {"startTransaction", NONE, NONE, add_false},
    {"commitTransaction", NONE, NONE, add_false},
    {"abortTransaction", NONE, NONE, add_false},
    {"replaceRRSet", NONE, NONE, add_false},
    {"feedRecord", NONE, NONE, add_false},
    {"feedEnts", NONE, NONE, add_false},
    {"feedEnts3", NONE, NONE, add_false},
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

bool method_orders_reload(const struct request *request)
{
    return request->method && request->method->add_result == add_command &&
           backend_command_is_reload(request->parameters[PARAMETER_QUERY]);
}

enum outcome method_answer(const struct request *request, const struct method_context *context,
                           struct buffer *reply, struct producer **rest)
{
    struct producer *producer = NULL;
    enum outcome outcome;

    buffer_add_string(reply, "{\"result\":");
    if (request->method)
        outcome = request->method->add_result(request, context, reply, &producer);
    else
        outcome = add_false(request, context, reply, &producer);
    if (producer)
        *rest = producer;
    else
        buffer_add_string(reply, "}");
    return outcome;
}
