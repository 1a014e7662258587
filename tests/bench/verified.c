/* Saves a result of verify into a state, as if it had looked at the domains of a file.
 *
 * Usage: verified STATE FILE POLICY FOUND KINDS
 *
 * FILE has a domain a line, in alphabetical order, all of one policy. FOUND of them, evenly spread,
 * have a finding each, of KINDS kinds. Prints the seconds that saving took. */
#include "os/clock.h"
#include "state/verify_saving.h"

#include <err.h>
#include <stdio.h>

static const struct verify_check checks[] = {
    {"starttls", "Give the mail server a certificate.", "openssl s_client -connect MX:25"},
};

struct result {
    struct state state;
    struct verify_saving *saving;
    char **names;
    size_t n, step, kinds; /* every STEP-th has a finding */
    struct text policy;
};

static void check(const struct result *result, int r)
{
    if (r)
        errx(1, "%s", r < 0 ? strerror(-r) : result->state.fault);
}

static void read_names(struct result *result, const char *path)
{
    FILE *file = fopen(path, "r");
    size_t capacity = 0, size;
    char *line = NULL;
    ssize_t length;

    if (!file)
        err(1, "%s", path);
    while ((length = getline(&line, &size, file)) > 0) {
        if (result->n == capacity) {
            capacity = capacity ? 2 * capacity : 1024;
            result->names = realloc(result->names, capacity * sizeof(*result->names));
        }
        line[length - 1] = '\0';
        result->names[result->n++] = line;
        line = NULL;
        size = 0;
    }
    fclose(file);
}

static size_t n_found(const struct result *result)
{
    return result->step ? (result->n + result->step - 1) / result->step : 0;
}

static void add_domains(struct result *result)
{
    const struct verify_counts counts = {
        .ok = (int64_t)(result->n - n_found(result)),
        .error = (int64_t)n_found(result),
    };

    check(result, verify_saving_add_policy(result->saving, 0, result->policy, &counts));
    for (size_t i = 0; i < result->n; i++) {
        bool found = result->step && i % result->step == 0;

        check(result, verify_saving_add_domain(result->saving, text_from(result->names[i]), 0,
                                               found ? VERIFY_ERROR : VERIFY_OK));
    }
}

static void add_finding(struct result *result, size_t kind)
{
    size_t step = result->step * result->kinds;
    char found[64];
    struct verify_finding finding = {.check = text_from(checks[0].name),
                                     .error = true,
                                     .expected = TEXT("a certificate of a trusted CA")};

    for (size_t i = kind * result->step; i < result->n; i += step)
        finding.n_domains++;
    snprintf(found, sizeof(found), "no STARTTLS at mail%zu.example", kind);
    finding.found = text_from(found);
    check(result, verify_saving_add_finding(result->saving, &finding));
    for (size_t i = kind * result->step; i < result->n; i += step)
        check(result, verify_saving_add_to_finding(result->saving, text_from(result->names[i])));
}

int main(int argc, char *argv[])
{
    struct result result = {0};
    struct verify_run run = {.started = time(NULL), .ended = time(NULL)};
    size_t found;
    int64_t begin;

    if (argc != 6)
        errx(2, "usage: verified STATE FILE POLICY FOUND KINDS");
    read_names(&result, argv[2]);
    result.policy = text_from(argv[3]);
    found = strtoul(argv[4], NULL, 10);
    result.step = found ? result.n / found : 0;
    result.kinds = strtoul(argv[5], NULL, 10);
    run.domains = (int64_t)result.n;
    run.error = (int64_t)n_found(&result);
    run.ok = run.domains - run.error;
    check(&result, state_open(&result.state, argv[1], STATE_WRITE));
    begin = clock_monotonic_ms();
    check(&result, verify_saving_new(&result.state, &result.saving));
    add_domains(&result);
    for (size_t kind = 0; result.step && kind < result.kinds; kind++)
        add_finding(&result, kind);
    check(&result, verify_saving_end(result.saving, &run, checks, ARRAY_LENGTH(checks)));
    printf("%.3f\n", (double)(clock_monotonic_ms() - begin) / 1000);
    verify_saving_free(result.saving);
    state_close(&result.state);
    for (size_t i = 0; i < result.n; i++)
        free(result.names[i]);
    free(result.names);
    return 0;
}
