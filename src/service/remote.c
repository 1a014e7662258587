#include "service/remote.h"

void remote_count(const struct remote *remote, const struct method *method, enum outcome outcome)
{
    if (remote->counters)
        counter_add(&remote->counters->requests[remote->listener][method_number(method)][outcome],
                    1);
}

void remote_answer(const struct remote *remote, const struct request *request, struct buffer *reply,
                   struct producer **rest)
{
    struct method_call call = {
        .arguments = request->arguments,
        .snapshot = *remote->snapshot,
        .notify = remote->notify,
        .reply = reply,
    };
    int outcome = method_answer(request->method, &call);

    if (outcome >= 0)
        remote_count(remote, request->method, (enum outcome)outcome);
    if (call.orders_reload && remote->order_reload)
        remote->order_reload();
    *rest = call.rest;
}
