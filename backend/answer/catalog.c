#include "answer/catalog.h"

#include "base/number.h"
#include "snapshot/zones.h"

enum { CATALOG_TTL = 0 }; /* seconds: it has no meaning, RFC 9432 4.1 */

/* Begins an answer at a name that is to be set. */
static void begin_catalog_answer(uint32_t part, struct answer *out)
{
    out->owner = OWNER_CATALOG;
    out->part = part;
    out->ttl = CATALOG_TTL;
    out->rows = (struct rows){.first = out->own_rows, .n = 0};
}

/* Begins an answer at labels before the name of a catalog zone, which zone_settings keeps short
 * enough for that. */
static void begin_below_catalog(const struct snapshot *snapshot, uint32_t part, struct text labels,
                                struct answer *out)
{
    struct name catalog;

    zones_catalog_name(snapshot_zone_settings(snapshot), part, &catalog);
    begin_catalog_answer(part, out);
    memcpy(out->name.text, labels.data, labels.length);
    memcpy(out->name.text + labels.length, catalog.text, (size_t)catalog.length + 1);
    out->name.length = (uint8_t)(labels.length + catalog.length);
}

/* Appends a row; the content must outlive the answer. */
static void add_row(struct answer *answer, enum record_type type, struct text content)
{
    answer->own_rows[answer->rows.n++] = (struct row){.type = type, .content = content};
}

/* Nobody asks a catalog zone's servers by its NS records, RFC 9432 4.2. */
static void add_apex_rows(const struct snapshot *snapshot, struct answer *out)
{
    struct zone zone = {0};

    snapshot_catalog(snapshot, out->part, &zone);
    out->content_length = soa_write(out->content, sizeof(out->content),
                                    snapshot_zone_settings(snapshot), zone.serial);
    add_row(out, RECORD_SOA, TEXT(""));
    add_row(out, RECORD_NS, TEXT("invalid"));
}

static void add_version_row(struct answer *out)
{
    add_row(out, RECORD_TXT, TEXT("\"2\""));
}

static void add_member_row(const struct zone *zone, struct answer *out)
{
    memcpy(out->content, zone->name.text, zone->name.length);
    add_row(out, RECORD_PTR, text_of(out->content, zone->name.length));
}

/* Takes a suffix off a name, and the dot before it. Returns whether it is there. */
static bool take_suffix(struct text *name, struct text suffix)
{
    size_t dot;

    if (name->length <= suffix.length)
        return false;
    dot = name->length - suffix.length - 1;
    if (name->data[dot] != '.' || !text_equals(text_after(*name, dot + 1), suffix))
        return false;
    name->length = dot;
    return true;
}

/* Finds the zone of a label in a part of the catalog. */
static bool find_member(const struct snapshot *snapshot, uint32_t part, struct text label,
                        struct zone *out)
{
    const struct zones *zones = snapshot_zones(snapshot);
    char found[ZONE_LABEL_LENGTH + 1];

    for (size_t i = zones_find_label(zones, label); i < zones->n; i++) {
        snapshot_zone(snapshot, i, out);
        zones_label(name_text(&out->name), found);
        if (!out->catalog && out->part == part && text_equals(label, text_from(found)))
            return true;
        /* The id comes from the first 8 digits: past the zones that share them no label is equal.
         */
        if (memcmp(found, label.data, 8) > 0)
            return false;
    }
    return false;
}

/* Adds the rows at labels before the name of a catalog zone. Returns whether there are any. */
static bool add_rows_below(const struct snapshot *snapshot, struct text labels, struct answer *out)
{
    struct zone zone;

    if (text_equals(labels, TEXT("version"))) {
        add_version_row(out);
        return true;
    }
    if (text_equals(labels, TEXT("zones"))) {
        add_row(out, RECORD_ENT, TEXT(""));
        return snapshot_zones(snapshot)->parts[out->part].n > 0;
    }
    if (!take_suffix(&labels, TEXT("zones")) || !find_member(snapshot, out->part, labels, &zone))
        return false;
    add_member_row(&zone, out);
    return true;
}

/* The last label of a name, which may be the only one. */
static struct text last_label(struct text name)
{
    size_t begin = name.length;

    while (begin && name.data[begin - 1] != '.')
        begin--;
    return text_after(name, begin);
}

/* Takes the name of a catalog zone off a name in it, which leaves nothing at the apex. Returns
 * whether the name is in one. */
static bool take_catalog(const struct snapshot *snapshot, struct text *name, uint32_t *part)
{
    const struct zone_settings *settings = snapshot_zone_settings(snapshot);
    struct text labels = *name;
    uint64_t number = 0;
    struct name zone;

    if (settings->catalog_parts == 0)
        return false;
    if (settings->catalog_parts > 1 &&
        (!take_suffix(&labels, name_text(&settings->catalog)) ||
         !number_read(last_label(labels), settings->catalog_parts - 1, &number)))
        return false;
    *part = (uint32_t)number;
    zones_catalog_name(settings, *part, &zone);
    if (!text_equals(*name, name_text(&zone)))
        return take_suffix(name, name_text(&zone));
    name->length = 0;
    return true;
}

bool catalog_find(const struct snapshot *snapshot, const struct name *name, struct answer *out)
{
    struct text labels = name_text(name);
    uint32_t part;

    if (!take_catalog(snapshot, &labels, &part))
        return false;
    begin_catalog_answer(part, out);
    out->name = *name;
    if (labels.length)
        return add_rows_below(snapshot, labels, out);
    add_apex_rows(snapshot, out);
    return true;
}

void catalog_version(const struct snapshot *snapshot, uint32_t part, struct answer *out)
{
    begin_below_catalog(snapshot, part, TEXT("version."), out);
    add_version_row(out);
}

void catalog_member(const struct snapshot *snapshot, const struct zone *zone, struct answer *out)
{
    static const char below[] = ".zones.";
    char labels[ZONE_LABEL_LENGTH + sizeof(below)];

    zones_label(name_text(&zone->name), labels);
    memcpy(labels + ZONE_LABEL_LENGTH, below, sizeof(below));
    begin_below_catalog(snapshot, zone->part, text_from(labels), out);
    add_member_row(zone, out);
}
