#include "commands/commands.h"

#include "os/clock.h"
#include "os/state_directory.h"
#include "protocol/zone_methods.h"
#include "service/listeners.h"
#include "service/retirement.h"
#include "snapshot/zones.h"
#include "state/memory.h"
#include "state/state_clock.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

/* Lengths of replies, in octets. */
enum {
    REPLY_MAX = 2 << 20,             /* that PowerDNS takes */
    REPLY_LONG = REPLY_MAX / 10 * 9, /* from here on there is a warning, as domains are added */
    REPLY_AIM = REPLY_MAX / 10 * 8,
};

static void print_diagnostic(enum severity severity, const char *place, const char *text,
                             void *context)
{
    const enum severity *least = context;

    if (severity <= *least)
        fprintf(stderr, "%s%s%s\n", place, diagnostics_mark(severity, place), text);
}

/* What keeps this system from serving a configuration goes to its errors. */
struct judgement {
    const char *path;
    struct diagnostics *diagnostics;
};

static void add_judgement(const char *text, void *context)
{
    const struct judgement *judgement = context;

    diagnostics_error(judgement->diagnostics, (struct place){.file = judgement->path}, "%s", text);
}

/* What PowerDNS from 4.9.14, 5.0.4 and 5.1.0 on does not take over HTTP (docs/zones.md). */
static void warn_of_list(const struct snapshot *snapshot, struct place place,
                         struct diagnostics *diagnostics)
{
    size_t length = zone_methods_all_length(snapshot);

    if (length > REPLY_LONG)
        diagnostics_warning(diagnostics, place,
                            "the list of all %zu own zones has %zu KiB, and current versions of "
                            "PowerDNS take %d KiB over HTTP: set zone-cache-refresh-interval=0 in "
                            "pdns.conf",
                            snapshot_n_zones(snapshot), length >> 10, REPLY_MAX >> 10);
}

/* The same of the longest catalog zone. */
static void warn_of_catalog(const struct snapshot *snapshot, struct place place,
                            struct diagnostics *diagnostics)
{
    size_t longest = 0, all = 0;
    struct zone catalog = {0};
    char advice[80];

    for (uint32_t part = 0; part < snapshot_zones(snapshot)->n_parts; part++) {
        size_t length = zone_methods_catalog_length(snapshot, part);

        all += length;
        if (length <= longest)
            continue;
        longest = length;
        snapshot_catalog(snapshot, part, &catalog);
    }
    if (longest <= REPLY_LONG)
        return;
    snprintf(advice, sizeof(advice), "set zones.catalog_parts to %zu", all / REPLY_AIM + 1);
    if (all / REPLY_AIM >= ZONE_CATALOG_PARTS_MAX)
        snprintf(advice, sizeof(advice),
                 "%d parts are not enough: divide the domains among services",
                 ZONE_CATALOG_PARTS_MAX);
    diagnostics_warning(diagnostics, place,
                        "the catalog zone %s has %zu KiB, and current versions of PowerDNS "
                        "take %d KiB over HTTP: %s",
                        catalog.name.text, longest >> 10, REPLY_MAX >> 10, advice);
}

/* What the service has written into its state, if there is one and it can be read: serials of own
 * zones go on from there, and domains retire. Without it they are those of a service that starts
 * for the first time. */
struct remembered {
    const char *directory; /* NULL: there is no state */
    struct state state;
    struct memory memory;
    struct state_clock clock;
    bool known;
};

static void remembered_deinit(struct remembered *remembered)
{
    state_close(&remembered->state);
}

static bool is_missing(const char *directory)
{
    CLEANUP(buffer_deinit) struct buffer path = BUFFER_INIT;

    buffer_printf(&path, "%s/state.db", directory);
    return !path.failed && access(buffer_string(&path), F_OK) < 0 && errno == ENOENT;
}

static void warn_of_state(const struct remembered *remembered, int r)
{
    fprintf(stderr,
            "pdns-mta-sts: cannot read the state in %s: %s; domains that are retiring are left "
            "out\n",
            quote_text(text_from(remembered->directory)).text,
            r < 0 ? strerror(-r) : remembered->state.fault);
}

static uint64_t remember(const struct settings *settings, void *context)
{
    struct remembered *remembered = context;
    struct memory *memory = &remembered->memory;
    int r;

    remembered->directory = state_directory(settings->state);
    if (!remembered->directory || is_missing(remembered->directory))
        return 0;
    r = state_open(&remembered->state, remembered->directory, STATE_READ);
    if (r == 0)
        r = memory_read(&remembered->state, memory);
    if (r && r != STATE_END)
        warn_of_state(remembered, r);
    remembered->known = r == 0 && memory->written;
    if (!remembered->known)
        return 0;
    /* The service may be running, and then has not ended; what it has written is true all the same.
     */
    memory->ended = true;
    state_clock_begin(&remembered->clock, memory->written, memory->ahead, clock_system_ms(), 0);
    return memory->seed;
}

/* Reads the past, and has those domains retire that do, or would after a reload. Returns 0,
 * STATE_FAILED or -ENOMEM. */
static int read_past(struct remembered *remembered, struct past *past, struct config *config,
                     struct domain_changes *changes)
{
    struct state *state = &remembered->state;
    CLEANUP(retirement_deinit)
    struct retirement retirement = {.past = past,
                                    .state = state,
                                    .directory = remembered->directory,
                                    .now = state_clock_time(&remembered->clock, 0)};
    const struct memory_clock clock = {.time = retirement.now, .ahead = remembered->clock.ahead};
    int r = memory_read_past(state, &remembered->memory, &clock, past);

    if (r)
        return r;
    r = memory_read_retiring(state, &retirement.arena, &retirement.set);
    if (r)
        return r;
    return retirement_apply(&retirement, &config->snapshot, changes);
}

/* Has a configuration follow upon what the state says, and gives own zones their serials. Returns 0
 * or -ENOMEM. */
static int follow_state(struct config *config, struct remembered *remembered)
{
    CLEANUP(past_deinit) struct past past = PAST_INIT;
    CLEANUP(domain_changes_deinit) struct domain_changes changes = DOMAIN_CHANGES_INIT;
    const struct snapshot_before before = {&past, &changes, time(NULL)};
    struct snapshot *with;
    int r = remembered->known ? read_past(remembered, &past, config, &changes) : 0;

    if (r < 0)
        return r;
    if (r > 0)
        warn_of_state(remembered, r);
    if (snapshot_n_zones(config->snapshot) == 0)
        return 0;
    r = snapshot_follow(config->snapshot, &before, NULL, 0, &with);
    if (r)
        return r;
    snapshot_unref(config->snapshot);
    config->snapshot = with;
    return 0;
}

/* What a configuration is read for: itself alone, to print something of what is published, or to
 * check it. */
enum purpose { PURPOSE_ALONE, PURPOSE_PUBLISHED, PURPOSE_CHECK };

/* Reads the configuration. AHEAD is how far the clock of the state is ahead. */
static struct config *load(const char *path, enum purpose purpose, struct diagnostics *diagnostics,
                           int64_t *ahead)
{
    const struct place_text name = place_text((struct place){.file = path});
    struct judgement judgement = {.path = path, .diagnostics = diagnostics};
    enum severity least = purpose == PURPOSE_CHECK ? SEVERITY_WARNING : SEVERITY_ERROR;
    CLEANUP(config_free_pointer) struct config *config = NULL;
    CLEANUP(remembered_deinit) struct remembered remembered = {.state = STATE_INIT};
    const struct config_request request = {.path = path, .seed = remember, .context = &remembered};
    struct config *loaded;
    int r = config_load(&request, diagnostics, &config);

    if (r == 0 && purpose != PURPOSE_ALONE)
        r = follow_state(config, &remembered);
    if (r == 0 && purpose == PURPOSE_CHECK) {
        warn_of_list(config->snapshot, (struct place){.file = path}, diagnostics);
        warn_of_catalog(config->snapshot, (struct place){.file = path}, diagnostics);
        if (snapshot_n_zones(config->snapshot) && !state_directory(config->settings.state))
            diagnostics_warning(diagnostics, (struct place){.file = path}, "%s", state_needed);
        if (listeners_judge(&config->settings, add_judgement, &judgement))
            r = REPORTED;
    }
    diagnostics_each(diagnostics, print_diagnostic, &least);
    if (r < 0)
        fprintf(stderr, "%s: %s\n", name.text, strerror(-r));
    else if (r > 0)
        fprintf(stderr, "%s: refused, errors: %zu, warnings: %zu\n", name.text,
                diagnostics->total[SEVERITY_ERROR], diagnostics->total[SEVERITY_WARNING]);
    if (r)
        return NULL;
    *ahead = remembered.clock.ahead;
    loaded = config;
    config = NULL;
    return loaded;
}

struct config *command_load(const char *path)
{
    CLEANUP(diagnostics_deinit) struct diagnostics diagnostics = DIAGNOSTICS_INIT;
    int64_t ahead;

    return load(path, PURPOSE_PUBLISHED, &diagnostics, &ahead);
}

struct config *command_load_alone(const char *path)
{
    CLEANUP(diagnostics_deinit) struct diagnostics diagnostics = DIAGNOSTICS_INIT;
    int64_t ahead;

    return load(path, PURPOSE_ALONE, &diagnostics, &ahead);
}

struct config *command_check(const char *path, struct diagnostics *diagnostics, int64_t *ahead)
{
    return load(path, PURPOSE_CHECK, diagnostics, ahead);
}

int command_out_of_memory(void)
{
    fprintf(stderr, "pdns-mta-sts: %s\n", strerror(ENOMEM));
    return EXIT_REFUSED;
}

static bool find_domain(const struct snapshot *snapshot, const char *operand, struct domain *out)
{
    struct quoted quoted = quote_text(text_from(operand));
    struct name name;
    int fault = name_from_domain(text_from(operand), &name);

    if (fault == 0 && snapshot_find(snapshot, name_text(&name), out))
        return true;
    if (fault < 0)
        command_out_of_memory();
    else if (fault > 0)
        fprintf(stderr, "pdns-mta-sts: found %s in %s, expected %s\n", name_faults[fault].found,
                quoted.text, name_faults[fault].expected);
    else
        fprintf(stderr, "pdns-mta-sts: %s is not a domain of the configuration\n", quoted.text);
    return false;
}

struct domain *command_find_domains(const struct snapshot *snapshot,
                                    const struct command_arguments *arguments)
{
    struct domain *domains = calloc(arguments->n_operands + 1, sizeof(*domains));
    bool all = domains;

    if (!domains)
        command_out_of_memory();
    for (size_t i = 0; domains && i < arguments->n_operands; i++)
        all = find_domain(snapshot, arguments->operands[i], &domains[i]) && all;
    if (all)
        return domains;
    free(domains);
    return NULL;
}
