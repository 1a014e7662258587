#include "cmocka_all.h"
#include "os/state_directory.h"

#include <stdlib.h>
#include <string.h>

static void the_configuration_goes_before_the_environment(void **state)
{
    (void)state;
    setenv("STATE_DIRECTORY", "/run/given", 1);
    assert_string_equal(state_directory("/srv/state"), "/srv/state");
    assert_null(state_directory("none"));
    assert_string_equal(state_directory(NULL), "/run/given");
    setenv("STATE_DIRECTORY", "/run/a:/run/b", 1);
    assert_true(state_directory(NULL) == NULL ||
                strcmp(state_directory(NULL), STATE_DIRECTORY) == 0);
    unsetenv("STATE_DIRECTORY");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_configuration_goes_before_the_environment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
