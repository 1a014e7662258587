#include "verify/save.h"

#include "base/quote.h"
#include "os/state_directory.h"
#include "state/verify_correction.h"

#include <errno.h>
#include <stdio.h>

_Static_assert((int)VERIFY_WARNING == (int)FINDING_WARNING + 1 &&
                   (int)VERIFY_ERROR == (int)FINDING_ERROR + 1,
               "the worst of a domain is 0 or a severity, from 1");

/* A run on its way into the state. */
struct save {
    const struct run *run;
    const struct run_setup *setup;
    const struct snapshot *snapshot; /* of it */
    uint32_t *order;                 /* numbers of domains, by name */
    uint32_t *ranks;                 /* places in it, by number */
    size_t n;
    struct verify_saving *saving;
};

static void save_deinit(struct save *save)
{
    verify_saving_free(save->saving);
    free(save->order);
    free(save->ranks);
}

static int compare_names(const void *a, const void *b, void *context)
{
    const struct save *save = context;

    return text_compare(run_domain(save->run, *(const uint32_t *)a),
                        run_domain(save->run, *(const uint32_t *)b));
}

static int compare_ranks(const void *a, const void *b, void *context)
{
    const struct save *save = context;
    uint32_t left = save->ranks[*(const uint32_t *)a], right = save->ranks[*(const uint32_t *)b];

    return left < right ? -1 : left > right;
}

/* Puts the domains that were looked at into the order of their names. */
static int sort_domains(struct save *save)
{
    size_t n = run_n_domains(save->run);

    save->order = calloc(n + 1, sizeof(*save->order));
    save->ranks = calloc(n + 1, sizeof(*save->ranks));
    if (!save->order || !save->ranks)
        return -ENOMEM;
    for (uint32_t number = 0; number < n; number++)
        if (run_worst(save->run, number) >= 0)
            save->order[save->n++] = number;
    qsort_r(save->order, save->n, sizeof(*save->order), compare_names, save);
    for (uint32_t rank = 0; rank < save->n; rank++)
        save->ranks[save->order[rank]] = rank;
    return 0;
}

static struct verify_finding finding_to_save(const struct finding *finding)
{
    return (struct verify_finding){
        .check = text_from(checks[finding->check].name),
        .error = finding->severity == FINDING_ERROR,
        .found = text_from(finding->found),
        .expected = text_from(finding->expected),
        .n_domains = (int64_t)finding->n_domains,
        .of_all = finding->of_all,
    };
}

static int add_policies(struct save *save)
{
    size_t n = snapshot_n_all_policies(save->snapshot);
    CLEANUP(free_pointer) struct verify_counts *counts = calloc(n + 1, sizeof(*counts));

    if (!counts)
        return -ENOMEM;
    for (size_t i = 0; i < save->n; i++) {
        struct verify_counts *of =
            &counts[snapshot_policy_number(save->snapshot, run_policy(save->run, save->order[i]))];
        int worst = run_worst(save->run, save->order[i]);

        of->ok += worst == VERIFY_OK;
        of->warning += worst == VERIFY_WARNING;
        of->error += worst == VERIFY_ERROR;
    }
    for (size_t i = 0; i < n; i++) {
        int r = verify_saving_add_policy(save->saving, i,
                                         snapshot_policy(save->snapshot, i)->primary, &counts[i]);

        if (r)
            return r;
    }
    return 0;
}

static int add_domains(struct save *save)
{
    int r = 0;

    for (size_t i = 0; i < save->n && r == 0; i++) {
        uint32_t number = save->order[i];

        r = verify_saving_add_domain(
            save->saving, run_domain(save->run, number),
            snapshot_policy_number(save->snapshot, run_policy(save->run, number)),
            (enum verify_worst)run_worst(save->run, number));
    }
    return r;
}

/* Adds the domains of a finding in the order of their names. */
static int add_to_finding(struct save *save, const struct finding *finding)
{
    CLEANUP(free_pointer) uint32_t *domains = calloc(finding->n_domains + 1, sizeof(*domains));
    int r = 0;

    if (!domains)
        return -ENOMEM;
    memcpy(domains, finding->domains, finding->n_domains * sizeof(*domains));
    qsort_r(domains, finding->n_domains, sizeof(*domains), compare_ranks, save);
    for (size_t i = 0; i < finding->n_domains && r == 0; i++)
        r = verify_saving_add_to_finding(save->saving, run_domain(save->run, domains[i]));
    return r;
}

static int add_findings(struct save *save)
{
    const struct findings *findings = run_result(save->run)->findings;

    for (uint32_t i = 0; i < findings_count(findings); i++) {
        const struct finding *finding = findings_get(findings, i);
        const struct verify_finding row = finding_to_save(finding);
        int r;

        if (finding->n_domains == 0)
            continue;
        r = verify_saving_add_finding(save->saving, &row);
        if (r)
            return r;
        r = add_to_finding(save, finding);
        if (r)
            return r;
    }
    return 0;
}

static size_t list_checks(uint32_t wanted, struct verify_check out[static CHECK_COUNT])
{
    size_t n = 0;

    for (enum check_name check = 0; check < CHECK_COUNT; check++)
        if (wanted >> check & 1)
            out[n++] = (struct verify_check){checks[check].name, checks[check].remedy,
                                             checks[check].command};
    return n;
}

/* Saves the run as the last one. */
static int save_whole(struct save *save, struct state *state)
{
    const struct run_result *result = run_result(save->run);
    const struct verify_run run = {
        .started = result->started,
        .ended = result->ended,
        .domains = (int64_t)result->n_domains,
        .ok = (int64_t)result->ok,
        .warning = (int64_t)result->warning,
        .error = (int64_t)result->error,
    };
    struct verify_check meanings[CHECK_COUNT];
    int r = verify_saving_new(state, &save->saving);

    if (r)
        return r;
    r = add_policies(save);
    if (r)
        return r;
    r = add_domains(save);
    if (r)
        return r;
    r = add_findings(save);
    if (r)
        return r;
    return verify_saving_end(save->saving, &run, meanings, list_checks(UINT32_MAX, meanings));
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

/* Lists the findings of a domain. */
static size_t list_findings(const struct findings *findings, uint32_t number,
                            struct verify_finding *out)
{
    size_t n = 0;

    for (uint32_t i = 0; i < findings_count(findings); i++) {
        const struct finding *finding = findings_get(findings, i);

        if (finding->n_domains &&
            bsearch(&number, finding->domains, finding->n_domains, sizeof(number), compare_numbers))
            out[n++] = finding_to_save(finding);
    }
    return n;
}

static int correct_domains(struct save *save, struct verify_correction *correction)
{
    const struct findings *findings = run_result(save->run)->findings;
    CLEANUP(free_pointer)
    struct verify_finding *of_domain = calloc(findings_count(findings) + 1, sizeof(*of_domain));
    int r = 0;

    if (!of_domain)
        return -ENOMEM;
    for (size_t i = 0; i < save->n && r == 0; i++) {
        uint32_t number = save->order[i];

        r = verify_correction_add(correction, run_domain(save->run, number),
                                  run_policy(save->run, number)->primary, of_domain,
                                  list_findings(findings, number, of_domain));
    }
    return r;
}

/* Corrects the last run by this one. Returns STATE_END if there is none. */
static int save_correction(struct save *save, struct state *state)
{
    CLEANUP(verify_correction_free_pointer) struct verify_correction *correction = NULL;
    struct verify_check made[CHECK_COUNT];
    uint32_t wanted = save->setup->checks;
    int r;

    if (!save->setup->smtp)
        wanted &= ~(UINT32_C(1) << CHECK_STARTTLS);
    r = verify_correction_new(state, run_result(save->run)->ended, made, list_checks(wanted, made),
                              &correction);

    if (r)
        return r;
    r = correct_domains(save, correction);
    return r ? r : verify_correction_end(correction);
}

static int save_into(struct state *state, const struct run *run, const struct run_setup *setup)
{
    CLEANUP(save_deinit)
    struct save save = {.run = run, .setup = setup, .snapshot = setup->snapshot};
    int r = sort_domains(&save);

    if (r)
        return r;
    if (save.n < snapshot_n_all_domains(setup->snapshot)) {
        r = save_correction(&save, state);
        if (r != STATE_END)
            return r;
    }
    return save_whole(&save, state);
}

int save_run(const struct run *run, const struct run_setup *setup, const struct settings *settings)
{
    const char *directory = state_directory(settings->state);
    CLEANUP(state_close) struct state state = STATE_INIT;
    int r;

    if (!directory) {
        fprintf(stderr, "pdns-mta-sts: there is no state to save to; set the key state to a "
                        "directory\n");
        return SAVE_FAILED;
    }
    r = state_open(&state, directory, STATE_WRITE);
    if (state.set_aside[0])
        fprintf(stderr, "pdns-mta-sts: state.db was damaged and is now %s; a new one was made\n",
                state.set_aside);
    if (r == 0)
        r = save_into(&state, run, setup);
    if (r == 0)
        return 0;
    fprintf(stderr, "pdns-mta-sts: cannot save to %s: %s\n", quote_text(text_from(directory)).text,
            r < 0 ? strerror(-r) : state.fault);
    return SAVE_FAILED;
}
