/* The case tables of tests/data, whose grammar tests/README.md describes. */
#pragma once

#include "base/base.h"

enum { CASE_FIELDS_MAX = 7 };

struct test_case {
    const char *file;
    size_t line;
    struct text fields[CASE_FIELDS_MAX]; /* empty where the line has fewer; terminated */
    size_t n_fields;
};

/* Calls RUN for every case of a table in the test data, and fails the test if there is none. */
void cases_run(const char *table, void (*run)(const struct test_case *test_case));
