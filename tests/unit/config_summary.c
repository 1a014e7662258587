#include "config_summary.h"

static void write_settings(const struct settings *settings, struct buffer *out)
{
    const struct listener_settings *listeners = settings->listeners;
    const struct unix_address *unix_address = &listeners[LISTENER_UNIX].unix_address;

    if (listeners[LISTENER_REMOTE].enabled)
        buffer_printf(out, "http %s path \"%s\" keepalive %s\n",
                      listeners[LISTENER_REMOTE].address.text, settings->http.path,
                      settings->http.keepalive ? "yes" : "no");
    if (listeners[LISTENER_POLICY].enabled)
        buffer_printf(out, "policy %s\n", listeners[LISTENER_POLICY].address.text);
    if (listeners[LISTENER_ADMIN].enabled)
        buffer_printf(out, "admin %s\n", listeners[LISTENER_ADMIN].address.text);
    if (listeners[LISTENER_UNIX].enabled)
        buffer_printf(out, "unix %s mode %o group %d\n", unix_address->path, unix_address->mode,
                      (int)unix_address->group);
    buffer_printf(out, "threads %u\n", settings->threads);
}

static void write_sync(const struct sync_settings *sync, struct buffer *out)
{
    if (!sync->present)
        return;
    if (sync->command) {
        buffer_add_string(out, "sync command");
        for (char *const *word = sync->command; *word; word++)
            buffer_printf(out, " \"%s\"", *word);
    } else {
        buffer_printf(out, "sync powerdns %s server %s key %s", sync->powerdns.url,
                      sync->powerdns.server, sync->powerdns.api_key_file);
    }
    buffer_printf(out, " nameserver %s limit %u\n", sync->nameserver.text, sync->limit);
}

/* Writes the policy body, each line indented and with its CR visible. */
static void write_body(struct text body, struct buffer *out)
{
    while (body.length) {
        const char *end = memchr(body.data, '\r', body.length);

        buffer_printf(out, "    %.*s\n", (int)(end - body.data), body.data);
        body = text_after(body, (size_t)(end - body.data) + 2);
    }
}

static void write_rows(const struct policy *policy, enum owner owner, struct buffer *out)
{
    for (size_t i = 0; i < policy->rows[owner].n; i++) {
        const struct row *row = &policy->rows[owner].first[i];

        buffer_printf(out, "    %s %s %.*s\n", owner_prefix(owner).data,
                      record_type_text(row->type).data, (int)row->content.length,
                      row->content.data);
    }
}

static void write_policy(const struct policy *policy, struct buffer *out)
{
    buffer_printf(out, "policy %s ttl %u", policy->primary.data, policy->ttl);
    if (policy->mode != POLICY_MODE_ABSENT)
        buffer_printf(out, " id %s", policy->fixed_id ? policy->id.data : "auto");
    if (policy->announce_delay)
        buffer_printf(out, " delay %u", policy->announce_delay);
    buffer_add_string(out, "\n");
    write_body(policy->body, out);
    write_rows(policy, OWNER_POLICY_HOST, out);
    write_rows(policy, OWNER_TLSRPT, out);
    write_rows(policy, OWNER_ACME_CHALLENGE, out);
}

void config_summary(const struct config *config, struct buffer *out)
{
    static const char *const kinds[] = {
        [DOMAIN_PRIMARY] = "primary", [DOMAIN_DIRECT] = "direct", [DOMAIN_CNAME] = "cname"};
    struct domain domain;
    size_t cursor = 0;

    write_settings(&config->settings, out);
    if (config->removal_limit != 20)
        buffer_printf(out, "removal limit %u%%\n", config->removal_limit);
    write_sync(&config->sync, out);
    for (size_t i = 0; i < snapshot_n_policies(config->snapshot); i++)
        write_policy(snapshot_policy(config->snapshot, i), out);
    while (snapshot_next_domain(config->snapshot, &cursor, &domain))
        buffer_printf(out, "domain %.*s %s of %s%s%s\n", (int)domain.name.length, domain.name.data,
                      kinds[domain.kind], domain.policy->primary.data, domain.held ? " held" : "",
                      domain.synced ? " synced" : "");
    for (size_t i = 0; i < config->n_lists; i++)
        buffer_printf(out, "list of %s: %u members%s\n",
                      snapshot_policy(config->snapshot, config->lists[i].policy)->primary.data,
                      snapshot_policy(config->snapshot, config->lists[i].policy)->n_synced,
                      config->lists[i].changed ? "" : ", missing");
}

static void add_line(enum severity severity, const char *place, const char *text, void *context)
{
    buffer_printf(context, "%s%s%s\n", place, diagnostics_mark(severity, place), text);
}

void config_messages(const struct diagnostics *diagnostics, struct buffer *out)
{
    diagnostics_each(diagnostics, add_line, out);
}
