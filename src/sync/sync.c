#include "sync/sync.h"

#include "base/number.h"
#include "base/quote.h"
#include "os/state_directory.h"
#include "policy/policy_records.h"
#include "state/sync_runs.h"
#include "sync/changes.h"
#include "sync/lists.h"
#include "sync/mx.h"
#include "sync/source.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

enum {
    REMOVED_ALWAYS = 100, /* names that may leave the lists whatever the limit is */
    SERVERS_SHOWN = 20,   /* mail servers that no policy covers, in a run that is not dry */
};

/* A run. */
struct run {
    const struct config *config;
    const char *state;
    bool dry;
    struct names names;
    struct uncovered uncovered;
    struct mx_result mx;
    struct changes changes;
    size_t n_listed, n_unfit; /* names that are listed elsewhere, or no mail domains */
    struct buffer fault;      /* why it is refused */
};

/* The positive result of the parts of a run: it is refused, and the run's FAULT says why. */
enum { REFUSED = 1 };

static void run_deinit(struct run *run)
{
    names_deinit(&run->names);
    uncovered_deinit(&run->uncovered);
    buffer_deinit(&run->fault);
}

/* Whether a name is another one, or below it. */
static bool is_at_or_below(struct text name, struct text zone)
{
    size_t more = name.length - zone.length;

    return name.length >= zone.length && text_equals(text_after(name, more), zone) &&
           (more == 0 || name.data[more - 1] == '.');
}

/* Whether a name belongs to the service itself: it is of a catalog zone or below it, or of the zone
 * of a policy host. The zones of other own names begin with an underscore, which no mail domain
 * has. */
static bool is_own(const struct snapshot *snapshot, struct text name)
{
    struct text catalog = name_text(&snapshot_zone_settings(snapshot)->catalog), domain;
    struct domain found;

    if (catalog.length &&
        (is_at_or_below(name, catalog) ||
         (owner_match(OWNER_POLICY_HOST, catalog, &domain) && text_equals(name, domain))))
        return true;
    return owner_match(OWNER_POLICY_HOST, name, &domain) && snapshot_find(snapshot, domain, &found);
}

/* Takes a name from the source: those that can be mail domains and are not listed. A customer may
 * have a zone of any name, so none may get into a list with which the configuration would be
 * refused from then on. */
static int take_name(void *context, struct text text)
{
    struct run *run = context;
    struct domain domain;
    struct name name;
    int r = name_from_domain(text, &name);

    if (r < 0)
        return r;
    if (r > 0 || !memchr(name.text, '.', name.length) ||
        is_at_or_below(name_text(&name), TEXT("arpa")) ||
        is_own(run->config->snapshot, name_text(&name))) {
        run->n_unfit++;
        return 0;
    }
    if (!snapshot_find(run->config->snapshot, name_text(&name), &domain))
        return names_add(&run->names, name_text(&name)) ? -ENOMEM : 0;
    if (domain.synced)
        return names_add_member(&run->names, &domain);
    run->n_listed++;
    return 0;
}

/* Reads the source to its end. */
static int read_names(struct run *run)
{
    int r = source_read(&run->config->sync, take_name, run, &run->fault);

    if (r)
        return r;
    if (run->names.n + run->n_listed == 0) {
        buffer_printf(&run->fault, "the source has no mail domain");
        return REFUSED;
    }
    names_sort(&run->names);
    return 0;
}

/* Whether a number of names is above the limit, a percentage of all. */
static bool exceeds(const struct run *run, size_t n, size_t all)
{
    return n > REMOVED_ALWAYS && (uint64_t)n * 100 > (uint64_t)all * run->config->sync.limit;
}

/* Looks all names up. */
static int look_up(struct run *run)
{
    int r = mx_ask(&run->names, run->config, &run->uncovered, &run->mx);

    if (r)
        return r;
    if (run->mx.failed == run->names.n && run->names.n) {
        buffer_printf(&run->fault, "%s answers no question, first %s",
                      run->config->sync.nameserver.text, run->mx.failure);
        return REFUSED;
    }
    if (exceeds(run, run->mx.failed, run->names.n)) {
        buffer_printf(&run->fault,
                      "%zu of %zu look-ups at %s failed, more than sync.limit allows (%u%%), first "
                      "%s",
                      run->mx.failed, run->names.n, run->config->sync.nameserver.text,
                      run->config->sync.limit, run->mx.failure);
        return REFUSED;
    }
    if (run->mx.failed)
        fprintf(stderr, "warning: %s failed, first %s; such names stay where they were\n",
                number_of(run->mx.failed, "look-up", "look-ups").text, run->mx.failure);
    changes_keep_unknown(run->config, &run->names);
    return 0;
}

/* Compares what was found with the lists. */
static int compare(struct run *run)
{
    const struct changes *changes = &run->changes;

    run->changes = changes_count(run->config, &run->names);
    if (!exceeds(run, changes->removed + changes->moved, changes->before))
        return 0;
    buffer_printf(&run->fault,
                  "%zu of %zu members would leave their lists, more than sync.limit allows (%u%%): "
                  "if sync --dry-run shows that this is right, raise the limit for one run",
                  changes->removed + changes->moved, changes->before, run->config->sync.limit);
    return REFUSED;
}

static const char *primary_of(const struct config *config, uint32_t policy)
{
    return snapshot_policy(config->snapshot, policy)->primary.data;
}

static void print_change(void *context, struct text name, uint32_t from, uint32_t to)
{
    const struct run *run = context;
    const struct config *config = run->config;
    int length = (int)name.length;

    if (from == NAMES_NONE)
        printf("added %.*s to %s\n", length, name.data, primary_of(config, to));
    else if (to == NAMES_NONE)
        printf("removed %.*s from %s\n", length, name.data, primary_of(config, from));
    else
        printf("moved %.*s from %s to %s\n", length, name.data, primary_of(config, from),
               primary_of(config, to));
}

static size_t count_members(const struct names *names, uint32_t policy)
{
    size_t n = 0;

    for (size_t i = 0; i < names->n; i++)
        n += names->items[i].policy == policy;
    return n;
}

static size_t count_all_members(const struct names *names)
{
    return names->n - count_members(names, NAMES_NONE);
}

static void print_server(struct text server, size_t names)
{
    char text[512];

    quote_escape(server, "", text, sizeof(text));
    printf("  %s: %s\n", text, number_of(names, "name", "names").text);
}

/* Prints the mail servers that no policy covers. They may be very many, which a person who looks
 * may want to see, but not the journal every time. */
static int print_servers(const struct run *run)
{
    const struct uncovered *servers = &run->uncovered;
    size_t shown = run->dry || servers->n < SERVERS_SHOWN ? servers->n : SERVERS_SHOWN;
    int r;

    printf("mail servers that no policy covers:\n");
    r = uncovered_each(servers, shown, print_server);
    if (servers->cut)
        printf("  more than %d: the others are not counted\n", UNCOVERED_MAX);
    if (shown < servers->n)
        printf("  %zu more: sync --dry-run names all\n", servers->n - shown);
    return r;
}

/* Prints what was found. A change that cannot be shown is none: the exit code would say that
 * nothing has changed. */
static int print(struct run *run)
{
    const struct config *config = run->config;
    int r = 0;

    changes_each(config, &run->names, print_change, run);
    for (size_t i = 0; i < config->n_lists; i++) {
        uint32_t policy = (uint32_t)config->lists[i].policy;

        printf("members of %s: %zu\n", primary_of(config, policy),
               count_members(&run->names, policy));
    }
    printf("added: %zu, removed: %zu, moved: %zu\n"
           "other mail servers: %zu, no mail server: %zu, look-up failed: %zu\n"
           "listed in the configuration: %zu, no mail domain: %zu\n",
           run->changes.added, run->changes.removed, run->changes.moved, run->mx.uncovered,
           run->mx.without, run->mx.failed, run->n_listed, run->n_unfit);
    if (run->uncovered.n)
        r = print_servers(run);
    if (r == 0 && (fflush(stdout) != 0 || ferror(stdout))) {
        buffer_printf(&run->fault, "cannot print what was found");
        r = REFUSED;
    }
    return r;
}

static void add_line(void *context, struct text name, uint32_t from, uint32_t to)
{
    (void)from;
    (void)to;
    buffer_add_text(context, name);
    buffer_add_string(context, "\n");
}

/* Writes the lists. Which names have changed is noted before, so that it is known whatever comes.
 */
static int write_lists(struct run *run)
{
    CLEANUP(buffer_deinit) struct buffer changed = BUFFER_INIT;
    CLEANUP(lists_deinit) struct lists lists = {.state = run->state};
    const struct config *config = run->config;
    int r = 0;

    changes_each(config, &run->names, add_line, &changed);
    if (changed.failed)
        return -ENOMEM;
    if (changed.length)
        r = lists_note_changed(&lists, buffer_text(&changed), &run->fault);
    for (size_t i = 0; i < config->n_lists && r == 0; i++) {
        uint32_t policy = (uint32_t)config->lists[i].policy;

        r = lists_write(&lists, primary_of(config, policy), &run->names, policy, &run->fault);
    }
    return r ? r : lists_replace(&lists, &run->fault);
}

/* The run from its source to its lists. Returns 0, REFUSED (as the results of all its parts are) or
 * -ENOMEM. */
static int go(struct run *run)
{
    int r = read_names(run), refused;

    if (r)
        return r;
    r = look_up(run);
    if (r)
        return r;
    refused = compare(run);
    r = refused && !run->dry ? 0 : print(run);
    if (r || refused)
        return r ? r : refused;
    return run->dry ? 0 : write_lists(run);
}

/* Keeps the result for the service to show. */
static void save(const struct run *run, int64_t started, bool refused)
{
    const struct sync_run record = {
        .started = started,
        .ended = time(NULL),
        .refused = refused,
        .names = (int64_t)run->names.n,
        .members = refused ? 0 : (int64_t)count_all_members(&run->names),
        .uncovered = (int64_t)run->mx.uncovered,
        .failed = (int64_t)run->mx.failed,
    };
    struct state state;
    int r = state_open(&state, run->state, STATE_WRITE);

    if (r == 0)
        r = sync_runs_add(&state, &record);
    if (r)
        fprintf(stderr, "warning: cannot keep the result in %s: %s\n",
                quote_text(text_from(run->state)).text, r < 0 ? strerror(-r) : state.fault);
    state_close(&state);
}

bool sync_can_run(const struct config *config)
{
    if (!config->sync.present)
        fprintf(stderr, "sync: the configuration has no section sync, which says where the domains "
                        "come from\n");
    else if (config->n_lists == 0)
        fprintf(stderr, "sync: no policy has members: synced\n");
    return config_has_sync(config);
}

bool sync_drop_root(const struct config *config)
{
    int r = state_directory_become_owner(state_directory(config->settings.state));

    if (r)
        fprintf(stderr, "sync: cannot go on as the owner of the state: %s\n", strerror(-r));
    return r == 0;
}

bool sync_lock(const struct config *config, int *lock)
{
    CLEANUP(buffer_deinit) struct buffer fault = BUFFER_INIT;
    int r = lists_lock(state_directory(config->settings.state), lock, &fault);

    if (r == LISTS_LOCKED)
        fprintf(stderr, "sync: another run is under way\n");
    else if (r)
        fprintf(stderr, "sync: %s\n", fault.length ? buffer_string(&fault) : strerror(ENOMEM));
    return r == 0;
}

bool sync_run(const struct config *config, bool dry_run)
{
    CLEANUP(run_deinit)
    struct run run = {
        .config = config,
        .state = state_directory(config->settings.state),
        .dry = dry_run,
        .names.snapshot = config->snapshot,
    };
    int64_t started = time(NULL);
    int r;

    signal(SIGPIPE, SIG_IGN); /* writing to a peer that has gone fails with EPIPE instead */
    r = go(&run);
    if (r < 0)
        buffer_printf(&run.fault, "%s", strerror(-r));
    if (r)
        fprintf(stderr, "sync: refused, nothing has changed: %s\n",
                run.fault.length ? buffer_string(&run.fault) : strerror(ENOMEM));
    if (!dry_run)
        save(&run, started, r != 0);
    return r == 0;
}
