#include "failing_malloc.h"

#include "cmocka_all.h"

#include <errno.h>
#include <stdatomic.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *pointer, size_t size);
void *__real_reallocarray(void *pointer, size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size);
void *__wrap_reallocarray(void *pointer, size_t n, size_t size);

static _Atomic size_t left = SIZE_MAX;
static atomic_bool once, failed;

static bool allowed(void)
{
    size_t now = atomic_load(&left);

    while (now > 0 && now < SIZE_MAX)
        if (atomic_compare_exchange_weak(&left, &now, now - 1))
            return true;
    if (now > 0)
        return true;
    atomic_store(&failed, true);
    if (atomic_load(&once))
        atomic_store(&left, SIZE_MAX);
    errno = ENOMEM;
    return false;
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

static void order(size_t n, bool only_one)
{
    atomic_store(&failed, false);
    atomic_store(&once, only_one);
    atomic_store(&left, n);
}

void failing_malloc_after(size_t n)
{
    order(n, false);
}

void failing_malloc_once(size_t n)
{
    order(n, true);
}

bool failing_malloc_end(void)
{
    atomic_store(&left, SIZE_MAX);
    return atomic_load(&failed);
}

size_t failing_malloc_each(int (*run)(void))
{
    for (size_t n = 0;; n++) {
        int r;

        failing_malloc_after(n);
        r = run();
        if (!failing_malloc_end()) {
            assert_int_equal(r, 0);
            return n;
        }
        assert_int_not_equal(r, 0);
    }
}
