#include "fixture_answer.h"

enum outcome fixture_answer(const struct request *request, struct snapshot *snapshot,
                            struct buffer *reply)
{
    return fixture_answer_in(request, &(struct method_context){snapshot, NULL}, reply);
}

enum outcome fixture_answer_in(const struct request *request, const struct method_context *context,
                               struct buffer *reply)
{
    struct producer *rest = NULL;
    enum outcome outcome = method_answer(request, context, reply, &rest);

    while (rest && !reply->failed && rest->more(rest, reply))
        ;
    producer_free(rest);
    return outcome;
}
