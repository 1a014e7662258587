#include "answer/catalog.h"
#include "answer/lookup.h"
#include "answer/master_file.h"
#include "commands/commands.h"
#include "protocol/json_row.h"

#include <errno.h>

enum {
    OPTION_FORMAT,
    WRITTEN_AT_ONCE = 64 << 10, /* bytes */
};

struct writer {
    const struct format *format;
    const struct snapshot *snapshot;
    struct buffer out;
    size_t n_rows;
};

struct format {
    struct command_choice choice;
    const char *begin, *end;
    void (*add)(struct writer *writer, const struct answer *answer, const struct row *row);
};

/* Empty non-terminals are no records. */
static void add_zone_row(struct writer *writer, const struct answer *answer, const struct row *row)
{
    if (row->type != RECORD_ENT)
        master_file_write(&writer->out, answer, row);
}

static void add_json_row(struct writer *writer, const struct answer *answer, const struct row *row)
{
    buffer_add_string(&writer->out, writer->n_rows++ ? ",\n" : "\n");
    json_row_write(&writer->out, answer, row, json_row_zone_id(writer->snapshot, answer, row));
}

static const struct format formats[] = {
    {{"zone", "a master file, with absolute names"}, "", "", add_zone_row},
    {{"json", "an array of the rows that PowerDNS gets"}, "[", "\n]\n", add_json_row},
};

const struct command_choice *records_format(size_t number)
{
    return number < ARRAY_LENGTH(formats) ? &formats[number].choice : NULL;
}

static const struct format *find_format(const char *name)
{
    for (size_t i = 0; name && i < ARRAY_LENGTH(formats); i++)
        if (strcmp(formats[i].choice.name, name) == 0)
            return &formats[i];
    return &formats[0];
}

static void flush(struct writer *writer)
{
    if (writer->out.length)
        fwrite(writer->out.data, 1, writer->out.length, stdout);
    buffer_clear(&writer->out);
}

/* Returns whether memory lasted. */
static bool write_domain(struct writer *writer, const struct domain *domain)
{
    struct answer answer;

    for (enum owner owner = 0; owner < OWNER_COUNT; owner++) {
        if (!answer_at(writer->snapshot, domain, owner, &answer))
            continue;
        for (size_t i = 0; i < answer.rows.n; i++)
            writer->format->add(writer, &answer, &answer.rows.first[i]);
    }
    if (writer->out.failed)
        return false;
    if (writer->out.length >= WRITTEN_AT_ONCE)
        flush(writer);
    return true;
}

static void write_rows(struct writer *writer, const struct answer *answer)
{
    for (size_t i = 0; i < answer->rows.n; i++)
        writer->format->add(writer, answer, &answer->rows.first[i]);
}

/* Returns whether memory lasted. */
static bool write_catalog(struct writer *writer, const struct snapshot *snapshot)
{
    struct answer answer;
    struct zone zone;

    if (!snapshot_catalog(snapshot, &zone))
        return true;
    if (lookup_find(snapshot, text_from(zone.name.text), &answer))
        write_rows(writer, &answer);
    catalog_version(snapshot, &answer);
    write_rows(writer, &answer);
    for (size_t i = 0; i < snapshot_n_zones(snapshot) && !writer->out.failed; i++) {
        snapshot_zone(snapshot, i, &zone);
        if (zone.catalog)
            continue;
        catalog_member(snapshot, &zone, &answer);
        write_rows(writer, &answer);
        if (writer->out.length >= WRITTEN_AT_ONCE)
            flush(writer);
    }
    return !writer->out.failed;
}

static bool write_all(struct writer *writer, const struct snapshot *snapshot)
{
    struct domain domain;
    size_t cursor = 0;

    while (!ferror(stdout) && snapshot_next_domain(snapshot, &cursor, &domain))
        if (!write_domain(writer, &domain))
            return false;
    return write_catalog(writer, snapshot);
}

/* Returns whether every operand is a domain of the configuration; if not, stderr says which is not.
 * Nothing is printed where one is missing. */
static bool check_domains(const struct command_arguments *arguments,
                          const struct snapshot *snapshot)
{
    struct domain domain;
    bool all = true;

    for (size_t i = 0; i < arguments->n_operands; i++)
        all = command_find_domain(snapshot, arguments->operands[i], &domain) && all;
    return all;
}

static bool write_some(struct writer *writer, const struct command_arguments *arguments,
                       const struct snapshot *snapshot)
{
    struct domain domain;

    for (size_t i = 0; i < arguments->n_operands; i++)
        if (command_find_domain(snapshot, arguments->operands[i], &domain) &&
            !write_domain(writer, &domain))
            return false;
    return true;
}

static int print(const struct command_arguments *arguments, const struct snapshot *snapshot)
{
    struct writer writer = {.format = find_format(arguments->options[OPTION_FORMAT]),
                            .snapshot = snapshot};
    bool complete;

    fputs(writer.format->begin, stdout);
    complete = arguments->n_operands ? write_some(&writer, arguments, snapshot)
                                     : write_all(&writer, snapshot);
    flush(&writer);
    buffer_deinit(&writer.out);
    fputs(writer.format->end, stdout);
    if (!complete)
        fprintf(stderr, "pdns-mta-sts: %s\n", strerror(ENOMEM));
    return complete ? EXIT_DONE : EXIT_REFUSED;
}

int records_run(const struct command_arguments *arguments)
{
    CLEANUP(config_free_pointer) struct config *config = command_load(arguments->config_path);

    if (!config || !check_domains(arguments, config->snapshot))
        return EXIT_REFUSED;
    return print(arguments, config->snapshot);
}
