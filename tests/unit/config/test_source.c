#include "cmocka_all.h"
#include "config/source.h"

#include <stdio.h>

static const struct source_origin none;

static void assert_place(const struct sources *sources, uint64_t packed, const char *file,
                         uint32_t line, uint32_t column)
{
    struct place place = source_unpack(sources, packed);

    assert_string_equal(place.file, file);
    assert_int_equal(place.line, line);
    assert_int_equal(place.column, column);
}

static void a_place_survives_packing(void **state)
{
    CLEANUP(sources_deinit) struct sources sources = SOURCES_INIT;
    uint16_t a, b;

    (void)state;
    assert_int_equal(sources_add(&sources, "a", &none, &a), 0);
    assert_int_equal(sources_add(&sources, "b", &none, &b), 0);
    assert_place(&sources, source_pack(a, 1, 2), "a", 1, 2);
    assert_place(&sources, source_pack(b, (1 << 30) - 1, (1 << 18) - 1), "b", (1 << 30) - 1,
                 (1 << 18) - 1);
}

static void what_does_not_fit_is_not_known_rather_than_wrong(void **state)
{
    CLEANUP(sources_deinit) struct sources sources = SOURCES_INIT;
    uint16_t a;

    (void)state;
    assert_int_equal(sources_add(&sources, "a", &none, &a), 0);
    assert_place(&sources, source_pack(a, 4, (1 << 18) + 7), "a", 4, 0);
    assert_place(&sources, source_pack(a, 1U << 30, 7), "a", 0, 7);
}

static void a_file_is_found_again_for_the_same_reader(void **state)
{
    CLEANUP(sources_deinit) struct sources sources = SOURCES_INIT;
    const struct source_origin a = {.device = 1, .inode = 2, .reader = 3, .named_at = 4};
    struct source_origin again = a;
    const struct source_origin *found;
    uint16_t number;

    (void)state;
    assert_int_equal(sources_add(&sources, "a", &a, &number), 0);
    again.named_at = 5;
    found = sources_find(&sources, &again);
    assert_non_null(found);
    assert_int_equal(found->named_at, 4);
    assert_null(sources_find(&sources, &(struct source_origin){2, 2, 3, 4}));
    assert_null(sources_find(&sources, &(struct source_origin){1, 3, 3, 4}));
    assert_null(sources_find(&sources, &(struct source_origin){1, 2, 4, 4}));
}

static void there_is_a_limit_of_files(void **state)
{
    CLEANUP(sources_deinit) struct sources sources = SOURCES_INIT;
    uint16_t number = 0;
    char name[16];

    (void)state;
    for (uint32_t i = 0; i < SOURCES_MAX; i++) {
        snprintf(name, sizeof(name), "%u", i);
        assert_int_equal(sources_add(&sources, name, &none, &number), 0);
        assert_int_equal(number, i);
    }
    assert_int_equal(sources_add(&sources, "more", &none, &number), SOURCES_FULL);
    assert_place(&sources, source_pack(number, 1, 1), "65534", 1, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_survives_packing),
        cmocka_unit_test(what_does_not_fit_is_not_known_rather_than_wrong),
        cmocka_unit_test(a_file_is_found_again_for_the_same_reader),
        cmocka_unit_test(there_is_a_limit_of_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
