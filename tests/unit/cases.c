#include "cases.h"

#include "base/buffer.h"
#include "cmocka_all.h"

#include <stdio.h>

/* Expands the escapes of one field. */
static void expand(struct text field, struct buffer *out)
{
    for (size_t i = 0; i < field.length; i++) {
        unsigned int number;
        char character;
        int n = 0;

        if (field.data[i] != '\\') {
            buffer_add(out, field.data + i, 1);
        } else if (sscanf(field.data + i, "\\x%2x%n", &number, &n) == 1 && n == 4) {
            buffer_add(out, &(char){(char)number}, 1);
            i += 3;
        } else if (sscanf(field.data + i, "\\%u{%c}%n", &number, &character, &n) == 2 && n) {
            while (number--)
                buffer_add(out, &character, 1);
            i += (size_t)n - 1;
        } else {
            buffer_add(out, field.data + i, 1);
        }
    }
    buffer_add(out, "", 1);
}

static void run_line(char *line, struct test_case *test_case,
                     void (*run)(const struct test_case *test_case))
{
    struct buffer buffers[CASE_FIELDS_MAX] = {0};
    char *next = line;

    test_case->n_fields = 0;
    for (size_t i = 0; i < CASE_FIELDS_MAX; i++) {
        char *field = next;

        if (field) {
            next = strstr(field, " | ");
            if (next) {
                *next = '\0';
                next += strlen(" | ");
            }
            test_case->n_fields++;
        }
        expand(text_from(field ? field : ""), &buffers[i]);
        test_case->fields[i] = (struct text){buffers[i].data, buffers[i].length - 1};
    }
    assert_null(next);
    run(test_case);
    for (size_t i = 0; i < CASE_FIELDS_MAX; i++)
        buffer_deinit(&buffers[i]);
}

void cases_run(const char *table, void (*run)(const struct test_case *test_case))
{
    struct test_case test_case = {.file = table};
    char path[4096], *line = NULL;
    size_t capacity = 0, n = 0;
    ssize_t length;
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", TEST_DATA, table);
    file = fopen(path, "r");
    assert_non_null(file);
    while ((length = getline(&line, &capacity, file)) > 0) {
        test_case.line++;
        if (line[length - 1] == '\n')
            line[--length] = '\0';
        if (length == 0 || line[0] == '#')
            continue;
        n++;
        run_line(line, &test_case, run);
    }
    free(line);
    fclose(file);
    assert_true(n > 0);
}
