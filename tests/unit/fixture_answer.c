#include "fixture_answer.h"

int fixture_answer(const struct request *request, struct snapshot *snapshot, struct notify *notify,
                   struct buffer *reply)
{
    struct method_call call = {
        .arguments = request->arguments, .snapshot = snapshot, .notify = notify, .reply = reply};
    int outcome = method_answer(request->method, &call);

    while (call.rest && !reply->failed && call.rest->more(call.rest, reply))
        ;
    producer_free(call.rest);
    return outcome;
}
