#include "verify/verify.h"

#include "base/quote.h"
#include "os/fd_limit.h"
#include "verify/report.h"
#include "verify/run.h"
#include "verify/save.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* Where Debian's dns-root-data has them. */
#define ROOT_KEY   "/usr/share/dns/root.key"
#define ROOT_HINTS "/usr/share/dns/root.hints"

static const char *if_readable(const char *path)
{
    return access(path, R_OK) == 0 ? path : NULL;
}

static struct resolver_setup resolver_setup(const struct verify_options *options)
{
    struct resolver_setup setup = {.forward = options->resolver,
                                   .trust_anchor = options->trust_anchor,
                                   .root_hints = if_readable(ROOT_HINTS)};

    if (!setup.trust_anchor && !options->no_trust_anchor) {
        setup.trust_anchor = if_readable(ROOT_KEY);
        if (!setup.trust_anchor)
            fprintf(stderr, "pdns-mta-sts: cannot read " ROOT_KEY ", so DNSSEC is not validated; "
                            "install dns-root-data, or give --trust-anchor\n");
    }
    return setup;
}

/* Whether a domain is one of the first N, as it was named twice. */
static bool is_among(const struct domain *domain, const struct domain *domains, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (domains[i].position == domain->position)
            return true;
    return false;
}

static int add_domains(struct run *run, const struct snapshot *snapshot,
                       const struct domain *domains, size_t n_domains)
{
    struct domain domain;
    size_t cursor = 0;
    int r = 0;

    for (size_t i = 0; i < n_domains && r == 0; i++)
        if (!is_among(&domains[i], domains, i))
            r = run_add(run, &domains[i]);
    while (n_domains == 0 && r == 0 && snapshot_next_domain(snapshot, &cursor, &domain))
        r = run_add(run, &domain);
    return r;
}

static int fail(const char *fault)
{
    fprintf(stderr, "pdns-mta-sts: %s\n", fault);
    return VERIFY_FAILED;
}

int verify_run(const struct config *config, const struct domain *domains, size_t n_domains,
               const struct verify_options *options)
{
    CLEANUP(waiting_free_pointer) struct waiting *waiting = NULL;
    struct run_setup setup = {
        .snapshot = config->snapshot,
        .checks = options->checks ? options->checks : UINT32_MAX >> (32 - CHECK_COUNT),
        .smtp = !options->no_smtp,
        .ca_file = options->ca_file,
        .resolver = resolver_setup(options),
        .show_progress = isatty(STDERR_FILENO),
    };
    CLEANUP(run_free_pointer) struct run *run = NULL;
    CLEANUP(buffer_deinit) struct buffer json = BUFFER_INIT, text = BUFFER_INIT;
    const char *fault = NULL;
    int r;

    if (options->ca_file && access(options->ca_file, R_OK) < 0) {
        fprintf(stderr, "pdns-mta-sts: cannot read %s: %s\n",
                quote_text(text_from(options->ca_file)).text, strerror(errno));
        return VERIFY_FAILED;
    }
    fd_limit_raise();
    r = waiting_new(config, &waiting);
    if (r)
        return fail(strerror(-r));
    setup.waiting = waiting;
    r = run_new(&setup, &fault, &run);
    if (r)
        return fail(r < 0 ? strerror(-r) : fault);
    r = add_domains(run, config->snapshot, domains, n_domains);
    if (r)
        return fail(strerror(-r));
    r = run_go(run);
    if (r)
        return fail(strerror(-r));
    if (run_result(run)->routes.n_skipped)
        fprintf(
            stderr,
            "pdns-mta-sts: this machine has no route over IPv6, so %zu addresses were not looked "
            "at\n",
            run_result(run)->routes.n_skipped);
    report_write_json(run, &json);
    report_write_text(run, config->snapshot, &text);
    if (json.failed || text.failed)
        return fail(strerror(ENOMEM));
    if (options->json)
        printf("%s\n", buffer_string(&json));
    else
        fwrite(text.data, 1, text.length, stdout);
    if (options->save && run_result(run)->interrupted)
        return fail("interrupted, so nothing was saved");
    if (options->save && save_run(run, &setup, &config->settings))
        return VERIFY_FAILED;
    return run_result(run)->error || run_result(run)->interrupted ? VERIFY_ERRORS : VERIFY_CLEAN;
}
