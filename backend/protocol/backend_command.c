#include "protocol/backend_command.h"

#include "answer/lookup.h"
#include "answer/master_file.h"

enum { WORDS_MAX = 4 }; /* one more than any command has */

/* A command that was typed, in its words, and what it runs on. */
struct invocation {
    struct text words[WORDS_MAX];
    size_t n;
    const struct snapshot *snapshot;
    const struct notify *notify; /* or NULL */
    struct buffer *out;
};

struct backend_command {
    const char *name;
    size_t n_operands;
    const char *usage, *does;
    void (*run)(const struct invocation *invocation);
    bool orders_reload;
};

static void run_status(const struct invocation *invocation)
{
    const struct snapshot *snapshot = invocation->snapshot;
    struct buffer *out = invocation->out;
    struct zone catalog;

    buffer_printf(out, "policies: %zu\ndomains: %zu\nheld back: %zu\n",
                  snapshot_n_policies(snapshot), snapshot_n_domains(snapshot),
                  snapshot_n_held(snapshot));
    if (snapshot_n_zones(snapshot))
        buffer_printf(out, "own zones: %zu\n", snapshot_n_zones(snapshot));
    if (snapshot_n_zones(snapshot) && invocation->notify)
        buffer_printf(out, "own zones to notify: %zu\n", notify_pending(invocation->notify));
    for (uint32_t part = 0; part < snapshot_n_catalogs(snapshot); part++) {
        snapshot_catalog(snapshot, part, &catalog);
        buffer_printf(out, "catalog: %s, serial %u\n", catalog.name.text, catalog.serial);
    }
    buffer_printf(out, "memory: %zu bytes\n", snapshot_size(snapshot));
}

static void run_reload(const struct invocation *invocation)
{
    buffer_add_string(invocation->out, "reload ordered; the log has its result\n");
}

/* Nothing that was typed is repeated here, as it may not be UTF-8. */
static void run_lookup(const struct invocation *invocation)
{
    struct answer answer;

    if (!record_type_is_known(invocation->words[2]))
        buffer_add_string(invocation->out, "unknown record type\n");
    else if (!lookup_find(invocation->snapshot, invocation->words[1], &answer))
        buffer_add_string(invocation->out, "not a name of this service\n");
    else if (answer_is_empty(&answer))
        buffer_printf(invocation->out, "%s exists without records\n", answer.name.text);
    else if (master_file_write_answer(invocation->out, invocation->snapshot, &answer,
                                      invocation->words[2]) == 0)
        buffer_printf(invocation->out, "%s exists and has no record of this type\n",
                      answer.name.text);
}

static void run_help(const struct invocation *invocation);

static const struct backend_command commands[] = {
    {"status", 0, "status", "the numbers of policies, domains and own zones", run_status, false},
    {"reload", 0, "reload", "read the configuration again, as SIGHUP does", run_reload, true},
    {"lookup", 2, "lookup NAME TYPE", "the records of a name; ANY for all", run_lookup, false},
    {"help", 0, "help", "this list", run_help, false},
};

static void run_help(const struct invocation *invocation)
{
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        buffer_printf(invocation->out, "%-17s %s\n", commands[i].usage, commands[i].does);
}

/* Splits a text at its spaces. Words past WORDS_MAX are left out: with so many it is no command. */
static void split_words(struct text text, struct invocation *out)
{
    while (out->n < WORDS_MAX && text.length) {
        struct text word = text_take(&text, ' ');

        if (word.length)
            out->words[out->n++] = word;
    }
}

bool backend_command_run(struct text typed, const struct snapshot *snapshot,
                         const struct notify *notify, struct buffer *out)
{
    struct invocation invocation = {.snapshot = snapshot, .notify = notify, .out = out};

    split_words(typed, &invocation);
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        if (invocation.n == commands[i].n_operands + 1 &&
            text_equals(invocation.words[0], text_from(commands[i].name))) {
            commands[i].run(&invocation);
            return commands[i].orders_reload;
        }
    buffer_add_string(out, "no such command; the commands are:\n");
    run_help(&invocation);
    return false;
}
