#include "direct_command.h"

#include "record_text.h"
#include "synthesis.h"

enum { WORDS_MAX = 4 }; /* one more than any command has */

/* A command in its words. */
struct words {
    struct text items[WORDS_MAX];
    size_t n;
};

struct direct_command {
    struct text name;
    size_t n_operands;
    const char *usage;
    const char *does;
    void (*answer)(const struct words *words, const struct snapshot *snapshot, struct buffer *out);
};

static void answer_help(const struct words *words, const struct snapshot *snapshot,
                        struct buffer *out);

static void answer_status(const struct words *words, const struct snapshot *snapshot,
                          struct buffer *out)
{
    (void)words;
    buffer_printf(out, "policies: %zu\ndomains: %zu\nheld back: %zu\nmemory: %zu bytes\n",
                  snapshot_n_policies(snapshot), snapshot_n_domains(snapshot),
                  snapshot_n_held(snapshot), snapshot_size(snapshot));
}

static void answer_reload(const struct words *words, const struct snapshot *snapshot,
                          struct buffer *out)
{
    (void)words;
    (void)snapshot;
    buffer_add_string(out, "reloading; the log tells what came of it\n");
}

/* Nothing that was typed is repeated here, as it may not be UTF-8. */
static void answer_lookup(const struct words *words, const struct snapshot *snapshot,
                          struct buffer *out)
{
    struct answer answer;
    size_t n = 0;

    if (!synthesis_find(snapshot, words->items[1], &answer)) {
        buffer_add_string(out, "not a name of this service\n");
        return;
    }
    for (size_t i = 0; i < answer.rows.n; i++) {
        const struct row *row = &answer.rows.first[i];

        if (row->type == RECORD_ENT || !synthesis_matches(row, words->items[2]))
            continue;
        record_text_write(out, &answer, row);
        n++;
    }
    if (n == 0)
        buffer_printf(out, "%s exists and has no record of this type\n", answer.name.text);
}

static const struct direct_command commands[] = {
    {{"status", 6}, 0, "status", "what is answered from, in numbers", answer_status},
    {{"reload", 6}, 0, "reload", "read the configuration again, as SIGHUP does", answer_reload},
    {{"lookup", 6}, 2, "lookup NAME TYPE", "the records of a name; ANY for all", answer_lookup},
    {{"help", 4}, 0, "help", "this list", answer_help},
};

static void answer_help(const struct words *words, const struct snapshot *snapshot,
                        struct buffer *out)
{
    (void)words;
    (void)snapshot;
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        buffer_printf(out, "%-17s %s\n", commands[i].usage, commands[i].does);
}

/* Parts a text at its spaces. What is too much for any command is left out, but for one word. */
static struct words split(struct text text)
{
    struct words words = {.n = 0};

    while (words.n < WORDS_MAX) {
        size_t length = 0;

        while (text.length && *text.data == ' ')
            text = text_after(text, 1);
        if (text.length == 0)
            break;
        while (length < text.length && text.data[length] != ' ')
            length++;
        words.items[words.n++] = (struct text){.data = text.data, .length = length};
        text = text_after(text, length);
    }
    return words;
}

/* The command that words make up, or NULL. */
static const struct direct_command *find(const struct words *words)
{
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        if (words->n == commands[i].n_operands + 1 &&
            text_equals(words->items[0], commands[i].name))
            return &commands[i];
    return NULL;
}

void direct_command_answer(struct text command, const struct snapshot *snapshot, struct buffer *out)
{
    struct words words = split(command);
    const struct direct_command *found = find(&words);

    if (found) {
        found->answer(&words, snapshot, out);
        return;
    }
    buffer_add_string(out, "found no such command, expected one of these:\n");
    answer_help(&words, snapshot, out);
}

bool direct_command_is_reload(struct text command)
{
    struct words words = split(command);
    const struct direct_command *found = find(&words);

    return found && found->answer == answer_reload;
}
