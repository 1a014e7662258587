/* A directory of its own for a test that needs files which cannot be test data. */
#pragma once

#include "base/base.h"

/* Makes a new directory and goes into it; for cmocka's setup. */
int temporary_enter(void **state);

/* Leaves and removes it with all that is in it; for cmocka's teardown. */
int temporary_leave(void **state);

/* Writes a file in it, whole or at its end. */
void temporary_write(const char *path, const char *text);
void temporary_append(const char *path, const char *text);

/* Makes a file of many bytes that take no room. */
void temporary_write_hole(const char *path, size_t size);
