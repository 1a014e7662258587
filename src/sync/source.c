#include "sync/source.h"

#include "sync/list_command.h"
#include "sync/powerdns.h"

int source_read(const struct sync_settings *settings, source_found found, void *context,
                struct buffer *fault)
{
    if (settings->command)
        return list_command_read(settings->command, found, context, fault);
    return powerdns_read(&settings->powerdns, found, context, fault);
}
