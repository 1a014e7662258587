#include "protocol/backend_command.h"

#include "answer/lookup.h"
#include "answer/master_file.h"

enum { WORDS_MAX = 4 }; /* one more than any command has */

/* A command in its words, and what it is answered from. */
struct order {
    struct text words[WORDS_MAX];
    size_t n;
    const struct snapshot *snapshot;
    const struct notify *notify; /* or NULL */
};

struct direct_command {
    struct text name;
    size_t n_operands;
    const char *usage;
    const char *does;
    void (*answer)(const struct order *order, struct buffer *out);
};

static void answer_help(const struct order *order, struct buffer *out);

/* What is told of own zones. */
static void add_zones(const struct order *order, struct buffer *out)
{
    struct zone catalog;

    buffer_printf(out, "own zones: %zu\n", snapshot_n_zones(order->snapshot));
    if (order->notify)
        buffer_printf(out, "own zones to notify: %zu\n", notify_pending(order->notify));
    if (snapshot_catalog(order->snapshot, &catalog))
        buffer_printf(out, "catalog: %s, serial %u\n", catalog.name.text, catalog.serial);
}

static void answer_status(const struct order *order, struct buffer *out)
{
    buffer_printf(out, "policies: %zu\ndomains: %zu\nheld back: %zu\n",
                  snapshot_n_policies(order->snapshot), snapshot_n_domains(order->snapshot),
                  snapshot_n_held(order->snapshot));
    if (snapshot_n_zones(order->snapshot))
        add_zones(order, out);
    buffer_printf(out, "memory: %zu bytes\n", snapshot_size(order->snapshot));
}

static void answer_reload(const struct order *order, struct buffer *out)
{
    (void)order;
    buffer_add_string(out, "a reload is on its way; the log tells what came of it\n");
}

/* Nothing that was typed is repeated here, as it may not be UTF-8. */
static void answer_lookup(const struct order *order, struct buffer *out)
{
    struct answer answer;

    if (!lookup_find(order->snapshot, order->words[1], &answer))
        buffer_add_string(out, "not a name of this service\n");
    else if (master_file_write_answer(out, order->snapshot, &answer, order->words[2]) == 0)
        buffer_printf(out, "%s exists and has no record of this type\n", answer.name.text);
}

static const struct direct_command commands[] = {
    {{"status", 6}, 0, "status", "what is answered from, in numbers", answer_status},
    {{"reload", 6}, 0, "reload", "read the configuration again, as SIGHUP does", answer_reload},
    {{"lookup", 6}, 2, "lookup NAME TYPE", "the records of a name; ANY for all", answer_lookup},
    {{"help", 4}, 0, "help", "this list", answer_help},
};

static void answer_help(const struct order *order, struct buffer *out)
{
    (void)order;
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        buffer_printf(out, "%-17s %s\n", commands[i].usage, commands[i].does);
}

/* Parts a text at its spaces into the words of an empty order. What is too much for any command is
 * left out, but for one word. */
static void split(struct text text, struct order *out)
{
    while (out->n < WORDS_MAX) {
        size_t length = 0;

        while (text.length && *text.data == ' ')
            text = text_after(text, 1);
        if (text.length == 0)
            break;
        while (length < text.length && text.data[length] != ' ')
            length++;
        out->words[out->n++] = (struct text){.data = text.data, .length = length};
        text = text_after(text, length);
    }
}

/* The command that words make up, or NULL. */
static const struct direct_command *find(const struct order *order)
{
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        if (order->n == commands[i].n_operands + 1 &&
            text_equals(order->words[0], commands[i].name))
            return &commands[i];
    return NULL;
}

void backend_command_answer(struct text command, const struct snapshot *snapshot,
                            const struct notify *notify, struct buffer *out)
{
    struct order order = {.snapshot = snapshot, .notify = notify};
    const struct direct_command *found;

    split(command, &order);
    found = find(&order);
    if (found) {
        found->answer(&order, out);
        return;
    }
    buffer_add_string(out, "found no such command, expected one of these:\n");
    answer_help(&order, out);
}

bool backend_command_is_reload(struct text command)
{
    const struct direct_command *found;
    struct order order = {0};

    split(command, &order);
    found = find(&order);
    return found && found->answer == answer_reload;
}
