#include "protocol/json_row.h"

#include "base/json_write.h"

void json_row_write(struct buffer *out, const struct answer *answer, const struct row *row,
                    uint32_t zone_id)
{
    buffer_add_string(out, "{\"qtype\":");
    json_write_string(out, record_type_text(row->type));
    buffer_add_string(out, ",\"qname\":");
    json_write_string(out, name_text(&answer->name));
    buffer_add_string(out, ",\"content\":");
    json_write_string(out, answer_content(answer, row));
    buffer_printf(out, ",\"ttl\":%u", answer->ttl);
    if (zone_id)
        buffer_printf(out, ",\"domain_id\":%u", zone_id);
    buffer_add_string(out, "}");
}

uint32_t json_row_zone_id(const struct snapshot *snapshot, const struct answer *answer,
                          const struct row *row)
{
    struct zone zone;

    return row->type == RECORD_SOA && answer_zone(snapshot, answer, &zone) ? zone.id : 0;
}
