/* The manual page of the configuration: every key of the option table is there, with its type,
 * range and default, in the same order, and no other key. */
#include "cmocka_all.h"
#include "config/schema.h"

#include <stdio.h>

#define PAGE TEST_DATA "/../../docs/pdns-mta-sts.yaml.5.scd"

/* Writes what the page should say of each key of a table and of those below: the key, and the line
 * after it. */
static void describe_table(const struct option_table *table, const char *prefix, struct buffer *out)
{
    for (const struct option *row = table->rows; row < table->rows + table->n; row++) {
        buffer_printf(out, "*%s%s*\n\t", prefix, row->key);
        option_describe(row, out);
        buffer_add_string(out, row->required ? ". Required." : ".");
        if (row->fallback)
            buffer_printf(out, " Default: %s.", row->fallback);
        buffer_add_string(out, "\n");
        if (row->section) {
            CLEANUP(buffer_deinit) struct buffer below = BUFFER_INIT;

            buffer_printf(&below, "%s%s.", prefix, row->key);
            describe_table(row->section, buffer_string(&below), out);
        }
    }
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
    describe_table(&main_table, "", &expected);
    read_page(&found);
    assert_string_equal(buffer_string(&found), buffer_string(&expected));
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
