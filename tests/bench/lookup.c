/* Times look-ups inside one process: lookup DOMAINS prints, for that many domains, the nanoseconds
 * of
 * - a whole lookup request for a name of ours: JSON decoded, name found, reply written,
 * - the same for a name that does not exist,
 * - finding a name of ours alone, and turning a name away that does not exist. */
#include "answer/lookup.h"
#include "protocol/request.h"
#include "snapshot/builder.h"

#include <stdio.h>
#include <time.h>

enum { QUESTIONS = 100000, ROUNDS = 5 };

struct question {
    char name[64];
    char json[160];
};

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void make_name(struct name *out, unsigned int number)
{
    out->length = (uint8_t)snprintf(out->text, sizeof(out->text), "customer-%u.example", number);
}

static struct snapshot *make_snapshot(unsigned int domains)
{
    static const struct address address = {.family = AF_INET, .octets = {192, 0, 2, 40}};
    struct policy_spec spec = {
        .mode = POLICY_MODE_NONE, .max_age = 86400, .addresses = &address, .n_addresses = 1};
    struct builder *builder;
    struct snapshot *snapshot;
    struct name name;
    uint32_t policy;

    make_name(&spec.primary, 0);
    if (builder_new(42, &builder) || builder_add_policy(builder, &spec, 0, &policy))
        abort();
    for (unsigned int i = 1; i < domains; i++) {
        make_name(&name, i);
        if (builder_add_member(builder, policy, DOMAIN_CNAME, false, &name, 0))
            abort();
    }
    if (builder_freeze(builder, NULL, NULL, &snapshot))
        abort();
    builder_free(builder);
    return snapshot;
}

/* Questions in no order, so that no look-up profits from the one before. */
static struct question *make_questions(unsigned int domains, bool ours)
{
    struct question *questions = calloc(QUESTIONS, sizeof(*questions));
    uint64_t random = 1;

    if (!questions)
        abort();
    for (size_t i = 0; i < QUESTIONS; i++) {
        struct question *question = &questions[i];

        random = random * 6364136223846793005U + 1442695040888963407U;
        snprintf(question->name, sizeof(question->name), "%s.customer-%u.example.",
                 ours ? "_mta-sts" : "www", (unsigned int)(random >> 33) % domains);
        snprintf(question->json, sizeof(question->json),
                 "{\"method\":\"lookup\",\"parameters\":{\"qname\":\"%s\",\"qtype\":\"ANY\","
                 "\"zone-id\":1}}",
                 question->name);
    }
    return questions;
}

static void find(struct snapshot *snapshot, const struct question *question, struct buffer *reply)
{
    struct answer answer;

    reply->length += lookup_find(snapshot, text_from(question->name), &answer);
}

static void request(struct snapshot *snapshot, const struct question *question,
                    struct buffer *reply)
{
    CLEANUP(request_deinit) struct request request = REQUEST_INIT;
    struct method_call call = {
        .arguments = request.arguments, .snapshot = snapshot, .reply = reply};

    buffer_clear(reply);
    if (request_decode_json(&request, text_from(question->json)) == 0)
        method_answer(request.method, &call);
}

/* The fastest of some rounds: the others were disturbed. */
static double measure(struct snapshot *snapshot, const struct question *questions,
                      void (*one)(struct snapshot *, const struct question *, struct buffer *))
{
    CLEANUP(buffer_deinit) struct buffer reply = BUFFER_INIT;
    double best = 0;

    for (int round = 0; round < ROUNDS; round++) {
        double start = now_ns(), each;

        for (size_t i = 0; i < QUESTIONS; i++)
            one(snapshot, &questions[i], &reply);
        each = (now_ns() - start) / QUESTIONS;
        if (round == 0 || each < best)
            best = each;
    }
    return best;
}

int main(int argc, char *argv[])
{
    unsigned int domains = argc == 2 ? (unsigned int)atoi(argv[1]) : 0;
    struct question *ours, *missing;
    struct snapshot *snapshot;

    if (domains < 1) {
        fprintf(stderr, "usage: lookup DOMAINS\n");
        return 2;
    }
    snapshot = make_snapshot(domains);
    ours = make_questions(domains, true);
    missing = make_questions(domains, false);
    printf("%.0f %.0f %.0f %.0f\n", measure(snapshot, ours, request),
           measure(snapshot, missing, request), measure(snapshot, ours, find),
           measure(snapshot, missing, find));
    free(ours);
    free(missing);
    snapshot_unref(snapshot);
    return 0;
}
