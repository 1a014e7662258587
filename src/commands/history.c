#include "commands/commands.h"
#include "os/clock.h"
#include "os/state_directory.h"
#include "policy/former.h"
#include "state/bodies.h"
#include "state/memory.h"
#include "state/state_clock.h"

/* How it goes on. */
struct history {
    struct buffer out;
    int64_t now, ahead; /* of the clock of the state */
    size_t n;
};

static struct time_text time_text_of(const struct history *history, int64_t time)
{
    return clock_text((time_t)(time - history->ahead));
}

/* Adds the lines of a policy body. */
static void add_lines(struct buffer *out, struct text body)
{
    char line[1024];
    size_t begin = 0;

    for (size_t i = 0; i < body.length; i++) {
        if (body.data[i] != '\n')
            continue;
        quote_escape(
            text_of(body.data + begin, i - begin - (i > begin && body.data[i - 1] == '\r')), "",
            line, sizeof(line));
        buffer_printf(out, "  %s\n", line);
        begin = i + 1;
    }
}

static void add_body(const struct served_body *body, void *context)
{
    struct history *history = context;
    struct buffer *out = &history->out;
    int64_t until = served_body_until(body, history->now);

    buffer_printf(out, "%s%s to ", history->n++ ? "\n" : "",
                  time_text_of(history, body->first).text);
    buffer_add_string(out, body->served ? "now" : time_text_of(history, body->last).text);
    if (body->served)
        buffer_add_string(out, ": served\n");
    else
        buffer_printf(out, ": senders %s it until %s\n", until > history->now ? "may hold" : "held",
                      time_text_of(history, until).text);
    add_lines(out, body->body);
}

static int print(struct state *state, struct text primary)
{
    struct history history = {.out = BUFFER_INIT};
    struct state_clock clock = {0};
    struct memory memory;
    int r = memory_read(state, &memory);

    if (r == 0) {
        state_clock_begin(&clock, memory.written, memory.ahead, clock_system_ms(), 0);
        history.now = state_clock_time(&clock, 0);
        history.ahead = clock.ahead;
        r = bodies_each(state, primary, add_body, &history);
    } else if (r == STATE_END) {
        r = 0;
    }
    if (r == 0 && !history.out.failed)
        fwrite(history.out.data, 1, history.out.length, stdout);
    if (history.out.failed)
        r = command_out_of_memory();
    if (r == 0 && history.n == 0) {
        fprintf(stderr, "pdns-mta-sts: the service has served no policy of %s yet\n",
                quote_text(primary).text);
        r = EXIT_REFUSED;
    }
    buffer_deinit(&history.out);
    return r;
}

int history_run(const struct command_arguments *arguments)
{
    CLEANUP(config_free_pointer) struct config *config = command_load(arguments->config_path);
    CLEANUP(free_pointer) struct domain *domain = NULL;
    const char *directory;
    struct state state;
    int r;

    domain = config ? command_find_domains(config->snapshot, arguments) : NULL;
    if (!domain)
        return EXIT_REFUSED;
    directory = state_directory(config->settings.state);
    if (!directory) {
        fprintf(stderr, "pdns-mta-sts: there is no state: set the key state to a directory, or "
                        "create " STATE_DIRECTORY "\n");
        return EXIT_REFUSED;
    }
    r = state_open(&state, directory, STATE_READ);
    if (r == 0)
        r = print(&state, policy_original_primary(domain->policy));
    if (r == STATE_FAILED && state.fault[0])
        fprintf(stderr, "pdns-mta-sts: cannot read the state in %s: %s\n",
                quote_text(text_from(directory)).text, state.fault);
    state_close(&state);
    return r ? EXIT_REFUSED : EXIT_DONE;
}
