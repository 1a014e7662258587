#include "answer/catalog.h"
#include "answer/lookup.h"
#include "answer/master_file.h"
#include "commands/commands.h"
#include "protocol/json_row.h"

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

enum { FORMAT_ZONE, FORMAT_JSON };

const struct command_choice records_formats[] = {
    [FORMAT_ZONE] = {"zone", "a master file, with absolute names"},
    [FORMAT_JSON] = {"json", "an array of the rows that PowerDNS gets"},
    {NULL, NULL},
};

static const struct format formats[] = {
    [FORMAT_ZONE] = {"", "", add_zone_row},
    [FORMAT_JSON] = {"[", "\n]\n", add_json_row},
};

static void writer_deinit(struct writer *writer)
{
    buffer_deinit(&writer->out);
}

/* After memory ran out nothing more is written, and the buffer stays failed. */
static void flush(struct writer *writer)
{
    if (writer->out.failed || writer->out.length == 0)
        return;
    fwrite(writer->out.data, 1, writer->out.length, stdout);
    buffer_clear(&writer->out);
}

static void write_answer(struct writer *writer, const struct answer *answer)
{
    for (size_t i = 0; i < answer->rows.n; i++)
        writer->format->add(writer, answer, &answer->rows.first[i]);
    if (writer->out.length >= WRITTEN_AT_ONCE)
        flush(writer);
}

static void write_domain(struct writer *writer, const struct domain *domain)
{
    struct answer answer;

    for (enum owner owner = 0; owner < OWNER_COUNT; owner++)
        if (answer_at(writer->snapshot, domain, owner, &answer))
            write_answer(writer, &answer);
}

static bool can_go_on(const struct writer *writer)
{
    return !writer->out.failed && !ferror(stdout);
}

static void write_catalog(struct writer *writer, uint32_t part)
{
    const struct snapshot *snapshot = writer->snapshot;
    struct answer answer;
    struct zone zone;

    snapshot_catalog(snapshot, part, &zone);
    if (lookup_find(snapshot, text_from(zone.name.text), &answer))
        write_answer(writer, &answer);
    catalog_version(snapshot, part, &answer);
    write_answer(writer, &answer);
    for (size_t i = 0; i < snapshot_n_zones(snapshot) && can_go_on(writer); i++) {
        snapshot_zone(snapshot, i, &zone);
        if (zone.catalog || zone.part != part)
            continue;
        catalog_member(snapshot, &zone, &answer);
        write_answer(writer, &answer);
    }
}

static void write_all(struct writer *writer)
{
    struct domain domain;
    size_t cursor = 0;

    while (can_go_on(writer) && snapshot_next_domain(writer->snapshot, &cursor, &domain))
        write_domain(writer, &domain);
    for (uint32_t part = 0; part < snapshot_n_catalogs(writer->snapshot); part++)
        write_catalog(writer, part);
}

int records_run(const struct command_arguments *arguments)
{
    CLEANUP(config_free_pointer) struct config *config = command_load(arguments->config_path);
    CLEANUP(free_pointer) struct domain *domains = NULL;
    CLEANUP(writer_deinit) struct writer writer = {0};
    const char *format = arguments->options[OPTION_FORMAT];

    if (!config)
        return EXIT_REFUSED;
    domains = command_find_domains(config->snapshot, arguments);
    if (!domains)
        return EXIT_REFUSED;
    writer.snapshot = config->snapshot;
    writer.format = &formats[format ? command_choose(records_formats, format) : FORMAT_ZONE];
    fputs(writer.format->begin, stdout);
    for (size_t i = 0; i < arguments->n_operands; i++)
        write_domain(&writer, &domains[i]);
    if (arguments->n_operands == 0)
        write_all(&writer);
    flush(&writer);
    if (writer.out.failed)
        return command_out_of_memory();
    fputs(writer.format->end, stdout);
    return EXIT_DONE;
}
