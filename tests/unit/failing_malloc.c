#include "failing_malloc.h"

#include "cmocka_all.h"

#include <errno.h>
#include <jansson.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *pointer, size_t size);
void *__real_reallocarray(void *pointer, size_t n, size_t size);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *pointer, size_t size);
void *__wrap_reallocarray(void *pointer, size_t n, size_t size);

static size_t left = SIZE_MAX;
static bool failed;

static bool allowed(void)
{
    if (left == SIZE_MAX)
        return true;
    if (left == 0) {
        failed = true;
        errno = ENOMEM;
        return false;
    }
    left--;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return allowed() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
    return allowed() ? __real_calloc(n, size) : NULL;
}

void *__wrap_realloc(void *pointer, size_t size)
{
    return allowed() ? __real_realloc(pointer, size) : NULL;
}

void *__wrap_reallocarray(void *pointer, size_t n, size_t size)
{
    return allowed() ? __real_reallocarray(pointer, n, size) : NULL;
}

void failing_malloc_init(void)
{
    json_object_seed(1);
    json_set_alloc_funcs(__wrap_malloc, free);
}

void failing_malloc_after(size_t n)
{
    left = n;
    failed = false;
}

bool failing_malloc_failed(void)
{
    return failed;
}

size_t failing_malloc_each(int (*run)(void))
{
    for (size_t n = 0;; n++) {
        int r;

        failing_malloc_after(n);
        r = run();
        left = SIZE_MAX;
        if (!failed) {
            assert_int_equal(r, 0);
            return n;
        }
        assert_int_not_equal(r, 0);
    }
}
