#include "base/arena.h"
#include "base/buffer.h"
#include "cmocka_all.h"

static void what_is_added_is_there_in_order(void **state)
{
    CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_INIT;
    CLEANUP(free_pointer) char *string = NULL;

    (void)state;
    buffer_add(&buffer, "a", 1);
    buffer_add_string(&buffer, "bc");
    buffer_add_text(&buffer, TEXT("de"));
    buffer_printf(&buffer, "%d", 42);
    for (size_t i = 0; i < 1000; i++)
        buffer_add(&buffer, "x", 1);
    assert_int_equal(buffer.length, 1007);
    string = buffer_take_string(&buffer);
    assert_non_null(string);
    assert_int_equal(strlen(string), 1007);
    assert_memory_equal(string, "abcde42xxx", 10);
    assert_int_equal(buffer.length, 0);
}

static void a_failure_sticks_until_the_buffer_is_cleared(void **state)
{
    CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_INIT;

    (void)state;
    buffer_add_string(&buffer, "kept");
    assert_null(buffer_reserve(&buffer, SIZE_MAX / 2));
    assert_true(buffer.failed);
    buffer_add_string(&buffer, "lost");
    assert_int_equal(buffer.length, 4);
    assert_null(buffer_take_string(&buffer));
    buffer_clear(&buffer);
    buffer_add_string(&buffer, "new");
    assert_false(buffer.failed);
    assert_memory_equal(buffer.data, "new", 3);
}

static void an_arena_gives_zeroed_aligned_memory_of_any_size(void **state)
{
    CLEANUP(arena_deinit) struct arena arena = ARENA_INIT;
    struct text text;

    (void)state;
    for (size_t size = 1; size < 3 << 20; size = size * 3 + 1) {
        unsigned char *bytes = arena_alloc(&arena, size);

        assert_non_null(bytes);
        assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(bytes[i], 0);
        memset(bytes, 0xff, size);
        assert_int_equal(arena_copy_text(&arena, TEXT("odd"), &text), 0);
        assert_string_equal(text.data, "odd");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_is_there_in_order),
        cmocka_unit_test(a_failure_sticks_until_the_buffer_is_cleared),
        cmocka_unit_test(an_arena_gives_zeroed_aligned_memory_of_any_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
