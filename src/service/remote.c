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
    const struct method_context context = {*remote->snapshot, remote->notify};

    remote_count(remote, request->method, method_answer(request, &context, reply, rest));
    if (remote->order_reload && method_orders_reload(request))
        remote->order_reload();
}
