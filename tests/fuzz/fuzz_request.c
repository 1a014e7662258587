/* The three decoders and the answers to what they accept. The first line of the input chooses:
 * "path", "form" or "json"; the second is the path, the rest the body. */
#include "fixture.h"
#include "fuzz.h"
#include "method.h"

static struct snapshot *snapshot;

static void check_reply(const struct request *request)
{
    CLEANUP(buffer_deinit) struct buffer reply = BUFFER_INIT;
    json_t *parsed;

    fixture_answer(request, snapshot, &reply);
    MUST(!reply.failed);
    parsed = json_loadb(reply.data, reply.length, JSON_REJECT_DUPLICATES, NULL);
    MUST(json_is_object(parsed) && json_object_get(parsed, "result"));
    json_decref(parsed);
}

static int decode(struct request *request, struct text encoding, struct text path, struct text body)
{
    if (text_equals(encoding, TEXT("path")))
        return request_decode_path(request, path, body);
    if (text_equals(encoding, TEXT("form")))
        return request_decode_form(request, path, body);
    return request_decode_json(request, body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(request_deinit) struct request request = REQUEST_INIT;
    struct text body = {(const char *)data, size};
    struct text encoding = take_line(&body);
    struct text path = take_line(&body);
    int r;

    if (!snapshot)
        MUST(fixture_build(&snapshot) == 0);
    r = decode(&request, encoding, path, body);
    MUST(r == 0 || r == REQUEST_MALFORMED);
    MUST((r == REQUEST_MALFORMED) == (request.fault != NULL));
    if (r == 0)
        check_reply(&request);
    return 0;
}
