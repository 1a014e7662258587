/* The command line. The commands are rows of a table: the operands and options of each, and the
 * texts of its help. Reading the arguments, the help and the messages about wrong usage all follow
 * from the rows. */
#pragma once

#include "base/base.h"

enum {
    COMMAND_OPTIONS_MAX = 8,  /* of one command, beside those that every command has */
    COMMAND_OPERANDS_MAX = 2, /* of one command; the last may be repeated */
};

/* The exit codes. */
enum {
    EXIT_DONE = 0,
    EXIT_REFUSED = 1, /* or failed */
    EXIT_USAGE = 2,
};

/* One of the words that an option or an operand may be. A name that is NULL ends a list of them. */
struct command_choice {
    const char *name;
    const char *does; /* a line for the help */
};

/* The number of the choice that a word is; it must be one of them, as arguments are. */
size_t command_choose(const struct command_choice *choices, const char *word);

/* An option: "--NAME VALUE", or "--NAME" alone. */
struct command_option {
    const char *name;
    char letter;       /* "-l VALUE" is the same; 0: none */
    const char *value; /* what stands for it in the help; NULL: the option has no value */
    const char *does;
    const struct command_choice *choices; /* NULL: any value */
};

struct command_operand {
    const char *name; /* what stands for it in the help */
    const char *does;
    bool optional;
    bool repeated;                        /* any number of them; only the last one of a command */
    const struct command_choice *choices; /* NULL: any word */
};

struct command_arguments {
    const char *config_path;
    const char *options[COMMAND_OPTIONS_MAX]; /* in the order of the rows; NULL: not given. Of one
                                               without a value: its name */
    char *const *operands;
    size_t n_operands;
};

struct command {
    const char *name;
    const char *does;  /* one line for the list of commands */
    const char *about; /* paragraphs for the help of the command, with newlines */
    struct command_operand operands[COMMAND_OPERANDS_MAX + 1]; /* without a name past the last */
    struct command_option options[COMMAND_OPTIONS_MAX + 1];    /* the same */
    int (*run)(const struct command_arguments *arguments);     /* returns the exit code */
    /* The program that reads the arguments and runs in the place of this one, or NULL. */
    const char *program;
};

/* Reads the arguments of main and does what they say: runs a command of the table, shows help or
 * the version, or says on stderr what is wrong with them. The options that every command has may
 * come before its name, too. Checks that everything printed to stdout could be written. Returns the
 * exit code. */
int command_line_run(const struct command *commands, size_t n_commands, int argc, char *argv[]);
