#include "verify/report.h"

#include "base/json_write.h"
#include "base/number.h"
#include "os/clock.h"

#include <inttypes.h>

enum {
    NAMED = 3,      /* domains of a finding that the text names */
    TEXT_WIDTH = 80 /* columns at which remedies wrap */
};

static const char *const severities[] = {
    [FINDING_WARNING] = "warning",
    [FINDING_ERROR] = "error",
};

static void write_totals(const struct run_result *result, struct buffer *out)
{
    buffer_printf(out, "%s: %zu ok, %zu with warnings, %zu with errors%s\n",
                  number_of(result->n_domains, "domain", "domains").text, result->ok,
                  result->warning, result->error,
                  result->interrupted ? " (interrupted: not all were looked at)" : "");
}

static void write_domains(const struct run *run, const struct finding *finding, struct buffer *out)
{
    buffer_printf(out, "%s: ", number_of(finding->n_domains, "domain", "domains").text);
    for (size_t i = 0; i < finding->n_domains && i < NAMED; i++) {
        buffer_add_string(out, i ? ", " : "");
        buffer_add_text(out, run_domain(run, finding->domains[i]));
    }
    if (finding->n_domains > NAMED)
        buffer_printf(out, " and %zu more", finding->n_domains - NAMED);
    buffer_add_string(out, "\n");
}

/* Writes sentences in lines of some width, each after the same indentation. */
static void write_wrapped(const char *text, struct buffer *out)
{
    static const char indentation[] = "\n              ";
    size_t column = sizeof(indentation);

    while (*text) {
        size_t length = strcspn(text, " ");

        if (column + length > TEXT_WIDTH) {
            buffer_add_string(out, indentation);
            column = sizeof(indentation);
        }
        buffer_add(out, text, length);
        column += length + 1;
        text += length;
        if (*text == ' ') {
            text++;
            if (column + strcspn(text, " ") <= TEXT_WIDTH)
                buffer_add_string(out, " ");
        }
    }
    buffer_add_string(out, "\n");
}

/* Writes a command with a domain in the place of %d. */
static void write_command(const char *command, struct text domain, struct buffer *out)
{
    const char *place = strstr(command, "%d");

    if (!place) {
        buffer_add_string(out, command);
    } else {
        buffer_add(out, command, (size_t)(place - command));
        buffer_add_text(out, domain);
        buffer_add_string(out, place + 2);
    }
    buffer_add_string(out, "\n");
}

static void write_finding(const struct run *run, const struct finding *finding, struct buffer *out)
{
    const struct check *check = &checks[finding->check];

    buffer_printf(out, "\n%-7s %s, ", severities[finding->severity], check->name);
    write_domains(run, finding, out);
    buffer_printf(out, "    found     %s\n    expected  %s\n    do        ", finding->found,
                  finding->expected);
    write_wrapped(check->remedy, out);
    buffer_add_string(out, "    see       ");
    write_command(check->command, run_domain(run, finding->domains[0]), out);
}

static void write_readiness(const struct run *run, const struct snapshot *snapshot,
                            struct buffer *out)
{
    for (size_t policy = 0; policy < snapshot_n_policies(snapshot); policy++) {
        const struct run_readiness *readiness = run_readiness(run, policy);
        const char *separator = "; what keeps the others: ";

        if (!readiness)
            continue;
        buffer_add_string(out, "\npolicy ");
        buffer_add_text(out, snapshot_policy(snapshot, policy)->primary);
        buffer_printf(out, ", in testing: %zu of %s ready for enforce", readiness->n_ready,
                      number_of(readiness->n_domains, "domain is", "domains are").text);
        for (enum check_name check = 0; check < CHECK_COUNT; check++)
            if (readiness->by_check[check]) {
                buffer_printf(out, "%s%s (%zu)", separator, checks[check].name,
                              readiness->by_check[check]);
                separator = ", ";
            }
        buffer_add_string(out, "\n");
    }
}

void report_write_text(const struct run *run, const struct snapshot *snapshot, struct buffer *out)
{
    const struct run_result *result = run_result(run);

    write_totals(result, out);
    for (uint32_t i = 0; i < findings_count(result->findings); i++)
        if (findings_get(result->findings, i)->n_domains)
            write_finding(run, findings_get(result->findings, i), out);
    write_readiness(run, snapshot, out);
}

static void add_json_finding(const struct run *run, const struct finding *finding,
                             struct buffer *out)
{
    buffer_printf(out, "{\"check\":\"%s\",\"severity\":\"%s\",\"domains\":[",
                  checks[finding->check].name, severities[finding->severity]);
    for (size_t i = 0; i < finding->n_domains; i++) {
        buffer_add_string(out, i ? "," : "");
        json_write_string(out, run_domain(run, finding->domains[i]));
    }
    buffer_add_string(out, "],\"found\":");
    json_write_string(out, text_from(finding->found));
    buffer_add_string(out, ",\"expected\":");
    json_write_string(out, text_from(finding->expected));
    buffer_add_string(out, "}");
}

void report_write_json(const struct run *run, struct buffer *out)
{
    const struct run_result *result = run_result(run);
    const char *separator = "";

    buffer_printf(out,
                  "{\"started\":\"%s\",\"ended\":\"%s\",\"domains\":%zu,\"ok\":%zu,"
                  "\"warning\":%zu,\"error\":%zu,\"findings\":[",
                  clock_text(result->started).text, clock_text(result->ended).text,
                  result->n_domains, result->ok, result->warning, result->error);
    for (uint32_t i = 0; i < findings_count(result->findings); i++) {
        if (!findings_get(result->findings, i)->n_domains)
            continue;
        buffer_add_string(out, separator);
        add_json_finding(run, findings_get(result->findings, i), out);
        separator = ",";
    }
    buffer_add_string(out, "]}");
}
