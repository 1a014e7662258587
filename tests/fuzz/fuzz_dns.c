/* A DNS message, as a name server that means harm sends it. */
#include "fuzz.h"
#include "resolver/dns_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ns_type types[] = {ns_t_txt, ns_t_a, ns_t_aaaa, ns_t_mx, ns_t_ns, ns_t_soa};
    CLEANUP(arena_deinit) struct arena arena = ARENA_INIT;
    struct dns_answer answer;
    ns_type type;

    if (size == 0)
        return 0;
    type = types[data[0] % ARRAY_LENGTH(types)];
    MUST(dns_answer_read(data + 1, size - 1, "a.example", type, &arena, &answer) == 0);
    MUST((answer.outcome == DNS_FOUND) == (answer.n_values > 0));
    for (size_t i = 0; i < answer.n_values; i++)
        if (type == ns_t_mx || type == ns_t_ns)
            for (size_t j = 0; j < answer.values[i].length; j++)
                MUST(answer.values[i].data[j] > ' ' && answer.values[i].data[j] <= '~');
    return 0;
}
