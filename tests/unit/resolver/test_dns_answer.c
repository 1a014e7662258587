#include "cmocka_all.h"
#include "failing_malloc.h"
#include "resolver/dns_answer.h"

/* A message that is put together record by record. */
struct message {
    uint8_t octets[4096];
    size_t size;
};

static void put(struct message *message, const void *octets, size_t n)
{
    assert_true(message->size + n <= sizeof(message->octets));
    memcpy(message->octets + message->size, octets, n);
    message->size += n;
}

static void put16(struct message *message, unsigned int value)
{
    put(message, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static void put_name(struct message *message, const char *name)
{
    while (*name) {
        size_t n = strcspn(name, ".");

        put(message, (uint8_t[]){(uint8_t)n}, 1);
        put(message, name, n);
        name += n + (name[n] == '.');
    }
    put(message, "", 1);
}

/* Begins an answer to a question for a name and type. */
static struct message begin(const char *name, ns_type type, unsigned int flags)
{
    struct message message = {.octets = {0}, .size = NS_HFIXEDSZ};

    message.octets[2] = 0x80 | (uint8_t)(flags >> 8);
    message.octets[3] = (uint8_t)flags;
    message.octets[5] = 1;
    put_name(&message, name);
    put16(&message, (unsigned int)type);
    put16(&message, ns_c_in);
    return message;
}

/* Adds a record to the answer (section 6) or authority (section 8). */
static void add(struct message *message, size_t section, const char *owner, ns_type type,
                const void *rdata, size_t n)
{
    message->octets[section + 1]++;
    put_name(message, owner);
    put16(message, (unsigned int)type);
    put16(message, ns_c_in);
    put16(message, 0);
    put16(message, 60);
    put16(message, (unsigned int)n);
    put(message, rdata, n);
}

static void add_name(struct message *message, size_t section, const char *owner, ns_type type,
                     const char *target)
{
    struct message rdata = {.size = 0};

    if (type == ns_t_mx)
        put16(&rdata, 10);
    put_name(&rdata, target);
    if (type == ns_t_soa)
        for (int i = 0; i < 11; i++)
            put16(&rdata, 0);
    add(message, section, owner, type, rdata.octets, rdata.size);
}

enum { ANSWER = 6, AUTHORITY = 8, RCODE_3 = 3, RCODE_2 = 2, AA = 0x400, TC = 0x200 };

static struct dns_answer read_message(const struct message *message, const char *name, ns_type type,
                                      struct arena *arena)
{
    struct dns_answer answer;

    assert_int_equal(dns_answer_read(message->octets, message->size, name, type, arena, &answer),
                     0);
    return answer;
}

static void strings_of_a_txt_record_are_joined(void **state)
{
    CLEANUP(arena_deinit) struct arena arena = ARENA_INIT;
    struct message message = begin("_mta-sts.example.net", ns_t_txt, AA);
    struct dns_answer answer;

    (void)state;
    add(&message, ANSWER, "_MTA-STS.example.NET", ns_t_txt, "\x0bv=STSv1; id\0\x02=a", 16);
    answer = read_message(&message, "_mta-sts.example.net", ns_t_txt, &arena);
    assert_int_equal(answer.outcome, DNS_FOUND);
    assert_true(answer.authoritative);
    assert_false(answer.truncated);
    assert_int_equal(answer.n_values, 1);
    assert_true(text_equals(answer.values[0], TEXT("v=STSv1; id=a")));
    assert_null(answer.alias);
}

static void aliases_are_followed_whatever_the_order_of_the_records(void **state)
{
    CLEANUP(arena_deinit) struct arena arena = ARENA_INIT;
    struct message message = begin("mta-sts.a.example", ns_t_a, 0);
    struct dns_answer answer;

    (void)state;
    add(&message, ANSWER, "c.example", ns_t_a, "\xc0\x00\x02\x01", 4);
    add_name(&message, ANSWER, "b.example", ns_t_cname, "c.example");
    add_name(&message, ANSWER, "mta-sts.a.example", ns_t_cname, "B.example");
    add(&message, ANSWER, "other.example", ns_t_a, "\xc0\x00\x02\x09", 4);
    answer = read_message(&message, "mta-sts.a.example", ns_t_a, &arena);
    assert_string_equal(answer.alias, "b.example");
    assert_int_equal(answer.n_values, 1);
    assert_true(text_equals(answer.values[0], TEXT("192.0.2.1")));
}

static void a_loop_of_aliases_ends(void **state)
{
    CLEANUP(arena_deinit) struct arena arena = ARENA_INIT;
    struct message message = begin("a.example", ns_t_mx, 0);
    struct dns_answer answer;

    (void)state;
    add_name(&message, ANSWER, "a.example", ns_t_cname, "b.example");
    add_name(&message, ANSWER, "b.example", ns_t_cname, "a.example");
    answer = read_message(&message, "a.example", ns_t_mx, &arena);
    assert_int_equal(answer.outcome, DNS_NO_DATA);
    assert_string_equal(answer.alias, "b.example");
}

static void hosts_are_lower_case_without_the_final_dot_and_a_null_mx_is_the_root(void **state)
{
    CLEANUP(arena_deinit) struct arena arena = ARENA_INIT;
    struct message message = begin("a.example", ns_t_mx, 0), null = message;
    struct dns_answer answer;

    (void)state;
    add_name(&message, ANSWER, "a.example", ns_t_mx, "Mail.Example.NET");
    answer = read_message(&message, "a.example", ns_t_mx, &arena);
    assert_true(text_equals(answer.values[0], TEXT("mail.example.net")));
    add_name(&null, ANSWER, "a.example", ns_t_mx, "");
    answer = read_message(&null, "a.example", ns_t_mx, &arena);
    assert_true(text_equals(answer.values[0], TEXT(".")));
}

static void a_denial_says_whether_the_name_exists_and_which_zone_says_so(void **state)
{
    CLEANUP(arena_deinit) struct arena arena = ARENA_INIT;
    struct message no_data = begin("a.example", ns_t_txt, 0);
    struct message no_name = begin("a.example", ns_t_txt, RCODE_3);
    struct message failed = begin("a.example", ns_t_txt, RCODE_2 | TC);
    struct dns_answer answer;

    (void)state;
    add_name(&no_data, AUTHORITY, "EXAMPLE", ns_t_soa, "");
    answer = read_message(&no_data, "a.example", ns_t_txt, &arena);
    assert_int_equal(answer.outcome, DNS_NO_DATA);
    answer = read_message(&no_name, "a.example", ns_t_txt, &arena);
    assert_int_equal(answer.outcome, DNS_NO_NAME);
    assert_false(dns_answer_is_transient(&answer));
    answer = read_message(&failed, "a.example", ns_t_txt, &arena);
    assert_int_equal(answer.outcome, DNS_FAILED);
    assert_int_equal(answer.rcode, ns_r_servfail);
    assert_true(answer.truncated);
    assert_true(dns_answer_is_transient(&answer));
}

static void what_is_cut_short_or_lies_about_lengths_is_malformed(void **state)
{
    CLEANUP(arena_deinit) struct arena arena = ARENA_INIT;
    struct message whole = begin("a.example", ns_t_txt, 0), lying = whole, address = whole;

    (void)state;
    add(&whole, ANSWER, "a.example", ns_t_txt,
        "\x03"
        "abc",
        4);
    for (size_t n = 0; n < whole.size; n++) {
        struct message cut = {.size = n};

        memcpy(cut.octets, whole.octets, n);
        assert_int_equal(read_message(&cut, "a.example", ns_t_txt, &arena).outcome, DNS_MALFORMED);
    }
    add(&lying, ANSWER, "a.example", ns_t_txt,
        "\x09"
        "abc",
        4);
    assert_int_equal(read_message(&lying, "a.example", ns_t_txt, &arena).outcome, DNS_MALFORMED);
    add(&address, ANSWER, "a.example", ns_t_a, "abc", 3);
    assert_int_equal(read_message(&address, "a.example", ns_t_a, &arena).outcome, DNS_MALFORMED);
}

static void rcodes_have_names(void **state)
{
    char buffer[16];

    (void)state;
    assert_string_equal(dns_rcode_text(ns_r_refused, buffer), "REFUSED");
    assert_string_equal(dns_rcode_text(23, buffer), "RCODE 23");
}

static void a_message_that_is_cut_within_a_record_is_truncated(void **state)
{
    CLEANUP(arena_deinit) struct arena arena = ARENA_INIT;
    struct message message = begin("a.example", ns_t_a, TC);
    struct dns_answer answer;

    (void)state;
    add(&message, ANSWER, "a.example", ns_t_a, "\xc0\x00\x02\x01", 4);
    message.size -= 2;
    answer = read_message(&message, "a.example", ns_t_a, &arena);
    assert_int_equal(answer.outcome, DNS_MALFORMED);
    assert_true(answer.truncated);
}

/* An answer with what has an allocation each: an alias, values, a zone. */
static int read_all(void)
{
    CLEANUP(arena_deinit) struct arena arena = ARENA_INIT;
    struct message message = begin("a.example", ns_t_txt, 0);
    struct dns_answer answer;

    add_name(&message, ANSWER, "a.example", ns_t_cname, "b.example");
    for (int i = 0; i < 60; i++)
        add(&message, ANSWER, "b.example", ns_t_txt, "\x0bv=STSv1; id\0", 13);
    add_name(&message, AUTHORITY, "EXAMPLE", ns_t_soa, "");
    return dns_answer_read(message.octets, message.size, "a.example", ns_t_txt, &arena, &answer);
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    assert_true(failing_malloc_each(read_all) > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_that_is_cut_within_a_record_is_truncated),
        cmocka_unit_test(every_failed_allocation_is_reported),
        cmocka_unit_test(strings_of_a_txt_record_are_joined),
        cmocka_unit_test(aliases_are_followed_whatever_the_order_of_the_records),
        cmocka_unit_test(a_loop_of_aliases_ends),
        cmocka_unit_test(hosts_are_lower_case_without_the_final_dot_and_a_null_mx_is_the_root),
        cmocka_unit_test(a_denial_says_whether_the_name_exists_and_which_zone_says_so),
        cmocka_unit_test(what_is_cut_short_or_lies_about_lengths_is_malformed),
        cmocka_unit_test(rcodes_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
