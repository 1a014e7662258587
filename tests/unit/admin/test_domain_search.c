/* Searching the domains of a snapshot. */
#include "admin/domain_search.h"
#include "cmocka_all.h"
#include "fixture.h"

#include <stdio.h>

struct fixture {
    struct notify *notify;
    struct status *status;
};

/* Ids of the policies that wait. */
static struct status_waiting *waiting_of(uint32_t policy)
{
    struct status_waiting *waiting = status_waiting_new(1);

    waiting->ids[0] =
        (struct status_waiting_id){.policy = policy, .announced = "old", .next = "new"};
    return waiting;
}

static int set_up(void **state)
{
    static struct fixture fixture;
    struct snapshot *snapshot = NULL;

    assert_int_equal(fixture_build_states(&snapshot), 0);
    assert_int_equal(notify_new(&fixture.notify), 0);
    assert_int_equal(status_new(fixture.notify, &fixture.status), 0);
    status_set_snapshot(fixture.status, snapshot, waiting_of(1));
    snapshot_unref(snapshot);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    status_free(fixture->status);
    notify_free(fixture->notify);
    return 0;
}

/* Searches for a text, and any state if STATE is DOMAIN_STATE_COUNT. The hits are as EXPECTED,
 * names with spaces between them. */
static void check(struct status *status, const char *q, enum domain_state state,
                  const char *expected)
{
    struct page_query query = {.has_state = state < DOMAIN_STATE_COUNT, .state = state};
    CLEANUP(buffer_deinit) struct buffer found = BUFFER_INIT;
    struct domain_search search;

    snprintf(query.q, sizeof(query.q), "%s", q);
    assert_int_equal(domain_search_begin(&search, status, &query), 0);
    while (domain_search_step(&search))
        ;
    for (size_t i = 0; i < search.n; i++)
        buffer_printf(&found, "%s%.*s", i ? " " : "", (int)search.hits[i].name.length,
                      search.hits[i].name.data);
    assert_string_equal(buffer_string(&found), expected);
    assert_false(search.has_next);
    domain_search_end(&search);
}

#define ANY DOMAIN_STATE_COUNT

static void a_part_of_a_name_finds_it_in_any_case(void **state)
{
    struct fixture *fixture = *state;

    check(fixture->status, "", ANY,
          "full.example www.example.net xn--bcher-kva.example held.example waits.example "
          "held.waits.example only-rua.example left.example");
    check(fixture->status, "WW", ANY, "www.example.net");
    check(fixture->status, "held", ANY, "held.example held.waits.example");
    check(fixture->status, "e.n", ANY, "www.example.net");
    check(fixture->status, "waits.example", ANY, "waits.example held.waits.example");
    check(fixture->status, "<script>", ANY, "");
    check(fixture->status, "www.example.net.other.example", ANY, "");
}

static void a_final_dot_is_one_in_the_name_or_its_end(void **state)
{
    struct fixture *fixture = *state;

    check(fixture->status, "example.", ANY,
          "full.example www.example.net xn--bcher-kva.example held.example waits.example "
          "held.waits.example only-rua.example left.example");
    check(fixture->status, "net.", ANY, "www.example.net");
    check(fixture->status, "held.", ANY, "held.example held.waits.example");
    check(fixture->status, "www.example.net.", ANY, "www.example.net");
    check(fixture->status, "exampl.", ANY, "");
}

static void names_of_other_scripts_are_found_by_their_a_labels(void **state)
{
    struct fixture *fixture = *state;

    check(fixture->status,
          "B\xc3\x9c"
          "cher",
          ANY, "xn--bcher-kva.example");
    check(fixture->status,
          "b\xc3\xbc"
          "cher.example.",
          ANY, "xn--bcher-kva.example");
    check(fixture->status, "b\xc3\xbc.c", ANY, "");
    check(fixture->status, "\xe2\x80\xae", ANY, "");
}

static void each_domain_has_one_state(void **state)
{
    struct fixture *fixture = *state;

    check(fixture->status, "", DOMAIN_STATE_PUBLISHED,
          "full.example www.example.net xn--bcher-kva.example only-rua.example");
    check(fixture->status, "", DOMAIN_STATE_HELD_BACK, "held.example held.waits.example");
    check(fixture->status, "", DOMAIN_STATE_WAITING, "waits.example");
    check(fixture->status, "", DOMAIN_STATE_RETIRING, "left.example");
    check(fixture->status, "waits", DOMAIN_STATE_HELD_BACK, "held.waits.example");
}

/* A service with so many members more. */
static void serve_many(struct fixture *fixture, size_t n)
{
    struct snapshot *snapshot = NULL;

    assert_int_equal(fixture_build_zones(n, &snapshot), 0);
    status_set_snapshot(fixture->status, snapshot, status_waiting_new(0));
    snapshot_unref(snapshot);
}

static size_t find_all(struct status *status, const char *q, size_t *pages)
{
    struct page_query query = {0};
    size_t n = 0;

    snprintf(query.q, sizeof(query.q), "%s", q);
    for (*pages = 1;; ++*pages) {
        struct domain_search search;

        assert_int_equal(domain_search_begin(&search, status, &query), 0);
        while (domain_search_step(&search))
            ;
        n += search.n;
        query.from = search.next;
        domain_search_end(&search);
        if (!search.has_next)
            return n;
        assert_int_equal(search.n, DOMAIN_SEARCH_HITS);
    }
}

static void all_hits_are_found_page_by_page(void **state)
{
    struct fixture *fixture = *state;
    size_t pages;

    serve_many(fixture, 1000);
    assert_int_equal(find_all(fixture->status, "more-", &pages), 1000);
    assert_int_equal(pages, 20);
    assert_int_equal(find_all(fixture->status, "5.example", &pages), 100);
    assert_int_equal(pages, 2);
    assert_int_equal(find_all(fixture->status, "", &pages), 1004);
    assert_int_equal(pages, 21);
}

static void a_search_beyond_the_last_domain_finds_nothing(void **state)
{
    struct page_query query = {.from = INT32_MAX};
    struct fixture *fixture = *state;
    struct domain_search search;

    assert_int_equal(domain_search_begin(&search, fixture->status, &query), 0);
    assert_false(domain_search_step(&search));
    assert_int_equal(search.n, 0);
    assert_false(search.has_next);
    domain_search_end(&search);
}

static void a_search_goes_on_in_steps_over_the_snapshot_of_its_begin(void **state)
{
    struct page_query query = {.q = "more-119999.example"};
    struct fixture *fixture = *state;
    struct domain_search search;
    size_t steps = 1;

    serve_many(fixture, 120000);
    assert_int_equal(domain_search_begin(&search, fixture->status, &query), 0);
    serve_many(fixture, 0);
    for (; domain_search_step(&search); steps++)
        assert_int_equal(search.number, steps * DOMAIN_SEARCH_STEP);
    assert_int_equal(steps, 3);
    assert_int_equal(search.n, 1);
    domain_search_end(&search);
}

static void ids_that_memory_ran_out_for_end_a_search(void **state)
{
    const struct page_query query = {0};
    struct fixture *fixture = *state;
    struct domain_search search;
    struct status_view view;

    status_read(fixture->status, &view);
    status_set_snapshot(fixture->status, view.snapshot, NULL);
    status_view_deinit(&view);
    assert_true(domain_search_begin(&search, fixture->status, &query) < 0);
    domain_search_end(&search);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
        TEST(a_part_of_a_name_finds_it_in_any_case),
        TEST(a_final_dot_is_one_in_the_name_or_its_end),
        TEST(names_of_other_scripts_are_found_by_their_a_labels),
        TEST(each_domain_has_one_state),
        TEST(all_hits_are_found_page_by_page),
        TEST(a_search_beyond_the_last_domain_finds_nothing),
        TEST(a_search_goes_on_in_steps_over_the_snapshot_of_its_begin),
        TEST(ids_that_memory_ran_out_for_end_a_search),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
