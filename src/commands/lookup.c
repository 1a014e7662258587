#include "answer/lookup.h"
#include "answer/master_file.h"
#include "commands/commands.h"

enum { OPERAND_NAME, OPERAND_TYPE };

static int print_answer(const struct snapshot *snapshot, const struct answer *answer,
                        const char *type)
{
    CLEANUP(buffer_deinit) struct buffer out = BUFFER_INIT;
    size_t n = master_file_write_answer(&out, snapshot, answer, text_from(type));

    if (out.failed)
        return command_out_of_memory();
    if (answer_is_empty(answer))
        fprintf(stderr, "pdns-mta-sts: %s exists without records\n", answer->name.text);
    else if (n == 0)
        fprintf(stderr, "pdns-mta-sts: %s exists and has no record of type %s\n", answer->name.text,
                type);
    fwrite(out.data, 1, out.length, stdout);
    return EXIT_DONE;
}

int lookup_run(const struct command_arguments *arguments)
{
    CLEANUP(config_free_pointer) struct config *config = NULL;
    const char *name = arguments->operands[OPERAND_NAME];
    const char *type = arguments->operands[OPERAND_TYPE];
    struct answer answer;

    if (!record_type_is_known(text_from(type))) {
        fprintf(stderr, "pdns-mta-sts: unknown record type %s; use one such as TXT, or ANY\n",
                quote_text(text_from(type)).text);
        return EXIT_USAGE;
    }
    config = command_load(arguments->config_path);
    if (!config)
        return EXIT_REFUSED;
    if (lookup_find(config->snapshot, text_from(name), &answer))
        return print_answer(config->snapshot, &answer, type);
    fprintf(stderr, "pdns-mta-sts: %s is not a name of this service\n",
            quote_text(text_from(name)).text);
    return EXIT_REFUSED;
}
