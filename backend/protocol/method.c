#include "protocol/method.h"

#include "answer/lookup.h"
#include "base/json_write.h"
#include "protocol/backend_command.h"
#include "protocol/json_row.h"
#include "protocol/zone_methods.h"
#include "protocol/zone_search.h"

#include <errno.h>

static int answer_lookup(struct method_call *call)
{
    struct answer answer;
    bool any = false;

    if (!lookup_find(call->snapshot, call->arguments[PARAMETER_QNAME].text, &answer))
        return method_call_result(call, "false", OUTCOME_NOT_OURS);
    buffer_add_string(call->reply, "[");
    for (size_t i = 0; i < answer.rows.n; i++) {
        const struct row *row = &answer.rows.first[i];

        if (!answer_matches(row, call->arguments[PARAMETER_QTYPE].text))
            continue;
        json_write_separator(call->reply, &any);
        json_row_write(call->reply, &answer, row, json_row_zone_id(call->snapshot, &answer, row));
    }
    buffer_add_string(call->reply, "]");
    return any ? OUTCOME_ANSWERED : OUTCOME_EMPTY;
}

static int answer_backend_command(struct method_call *call)
{
    CLEANUP(buffer_deinit) struct buffer text = BUFFER_INIT;

    call->orders_reload = backend_command_run(call->arguments[PARAMETER_QUERY].text, call->snapshot,
                                              call->notify, &text);
    if (text.failed)
        return -ENOMEM;
    json_write_string(call->reply, buffer_text(&text));
    return OUTCOME_ANSWERED;
}

static int answer_true(struct method_call *call)
{
    return method_call_result(call, "true", OUTCOME_ANSWERED);
}

static const struct method methods[] = {
    {"lookup", answer_lookup, {PARAMETER_QNAME, PARAMETER_QTYPE}, 2},
    {"APILookup", answer_lookup, {PARAMETER_QNAME, PARAMETER_QTYPE}, 2},
    {"directBackendCmd", answer_backend_command, {PARAMETER_QUERY}, 0},
    {"initialize", answer_true, {PARAMETER_NONE}, 0},
    {"getAllDomains", zone_methods_all, {PARAMETER_NONE}, 0},
    {"getDomainInfo", zone_methods_info, {PARAMETER_NAME}, 1},
    {"list", zone_methods_list, {PARAMETER_DOMAIN_ID, PARAMETER_ZONENAME}, 2},
    {"getUpdatedMasters", zone_methods_updated, {PARAMETER_NONE}, 0},
    {"setNotified", zone_methods_set_notified, {PARAMETER_ID, PARAMETER_SERIAL}, 1},
    {"searchRecords", zone_search, {PARAMETER_PATTERN, PARAMETER_MAX_RESULTS}, 0},
    /* Own zones have neither metadata nor keys; those of other zones are with their backends. */
    {.name = "getAllDomainMetadata"},
    {.name = "getDomainMetadata"},
    {.name = "getDomainKeys"},
    {.name = "getBeforeAndAfterNamesAbsolute"},
    {.name = "getTSIGKey"},
    {.name = "getTSIGKeys"},
    {.name = "getUnfreshSlaveInfos"},
    /* Nothing can be written. */
    {.name = "setFresh"},
    {.name = "setStale"},
    {.name = "setDomainMetadata"},
    {.name = "addDomainKey"},
    {.name = "removeDomainKey"},
    {.name = "activateDomainKey"},
    {.name = "deactivateDomainKey"},
    {.name = "publishDomainKey"},
    {.name = "unpublishDomainKey"},
    {.name = "setTSIGKey"},
    {.name = "deleteTSIGKey"},
    {.name = "superMasterBackend"},
    {.name = "createSlaveDomain"},
    {.name = "startTransaction"},
    {.name = "commitTransaction"},
    {.name = "abortTransaction"},
    {.name = "replaceRRSet"},
    {.name = "feedRecord"},
    {.name = "feedEnts"},
    {.name = "feedEnts3"},
};

_Static_assert(ARRAY_LENGTH(methods) < METHOD_COUNT_MAX, "each method needs a number");

const struct method *method_find(struct text name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++)
        if (text_equals(text_from(methods[i].name), name))
            return &methods[i];
    return NULL;
}

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

int method_answer(const struct method *method, struct method_call *call)
{
    int outcome;

    buffer_add_string(call->reply, "{\"result\":");
    outcome = method && method->answer ? method->answer(call)
                                       : method_call_result(call, "false", OUTCOME_NOT_OURS);
    if (!call->rest)
        buffer_add_string(call->reply, "}");
    if (outcome >= 0 && !call->reply->failed)
        return outcome;
    call->reply->failed = true;
    producer_free(call->rest);
    call->rest = NULL;
    return -ENOMEM;
}
