/* The manual page of the configuration: every key of the option table is there, with its type,
 * range and default, in the same order, and no other key. */
#include "cmocka_all.h"
#include "config/schema.h"

#include <stdio.h>

#define PAGE TEST_DATA "/../../docs/pdns-mta-sts.yaml.5.scd"

/* What the page should say of a key: the key, and the line below it. */
static void describe(const struct option_description *row, void *context)
{
    struct buffer *out = context;

    buffer_printf(out, "*%s*\n\t%s.", row->key, row->type);
    if (row->option->required)
        buffer_add_string(out, " Required.");
    if (row->option->fallback)
        buffer_printf(out, " Default: %s.", row->option->fallback);
    buffer_add_string(out, "\n");
}

/* Copies a line without the escapes of scdoc, and without its mark for the end of a line. */
static void add_plain(struct buffer *out, const char *line)
{
    for (; *line && strcmp(line, "++\n") != 0; line++)
        if (*line != '\\' && *line != '\n')
            buffer_add(out, line, 1);
    buffer_add_string(out, "\n");
}

/* Reads the keys of the section KEYS, and the first line below each. */
static void read_page(struct buffer *out)
{
    FILE *file = fopen(PAGE, "r");
    char line[4096];
    bool in_keys = false, below_key = false;

    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        if (*line == '#')
            in_keys = strcmp(line, "# KEYS\n") == 0;
        if (in_keys && (*line == '*' || below_key))
            add_plain(out, line);
        below_key = *line == '*';
    }
    fclose(file);
}

static void the_page_has_every_key_with_its_range_and_default(void **state)
{
    struct buffer expected = BUFFER_INIT, found = BUFFER_INIT;

    (void)state;
    assert_int_equal(options_describe(&main_table, describe, &expected), 0);
    read_page(&found);
    buffer_add(&expected, "", 1);
    buffer_add(&found, "", 1);
    assert_string_equal(found.data, expected.data);
    buffer_deinit(&expected);
    buffer_deinit(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_has_every_key_with_its_range_and_default),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
