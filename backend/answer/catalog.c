#include "answer/catalog.h"

#include "snapshot/zones.h"

enum { CATALOG_TTL = 0 }; /* seconds: it has no meaning, RFC 9432 4.1 */

/* Appends a row to those of an answer; the text must outlive it. */
static void add_row(struct answer *answer, enum record_type type, struct text content)
{
    answer->own_rows[answer->rows.n++] = (struct row){.type = type, .content = content};
}

static void begin(struct answer *out)
{
    out->owner = OWNER_COUNT;
    out->ttl = CATALOG_TTL;
    out->rows = (struct rows){.first = out->own_rows, .n = 0};
}

/* Nobody asks a catalog zone's servers by its NS records, RFC 9432 4.2. */
static void add_apex(const struct snapshot *snapshot, const struct zone *catalog,
                     struct answer *out)
{
    out->content_length = soa_write(out->content, sizeof(out->content),
                                    snapshot_zone_settings(snapshot), catalog->serial);
    add_row(out, RECORD_SOA, TEXT(""));
    add_row(out, RECORD_NS, TEXT("invalid."));
}

static void add_pointer(const struct zone *zone, struct answer *out)
{
    memcpy(out->content, zone->name.text, zone->name.length);
    out->content[zone->name.length] = '.';
    add_row(out, RECORD_PTR, (struct text){out->content, (size_t)zone->name.length + 1});
}

/* Finds the zone of a label. */
static bool find_member(const struct snapshot *snapshot, struct text label, struct zone *out)
{
    const struct zones *zones = snapshot_zones(snapshot);
    char found[ZONE_LABEL_LENGTH + 1];

    for (size_t i = zones_find_label(zones, label); i < zones->n; i++) {
        snapshot_zone(snapshot, i, out);
        zones_label(name_text(&out->name), found);
        if (!out->catalog && text_equals(label, text_from(found)))
            return true;
        /* Behind the zones of the same id there is no such label. */
        if (memcmp(found, label.data, 8) > 0)
            return false;
    }
    return false;
}

/* Takes a suffix off a name, and the dot before it. */
static bool take_suffix(struct text *name, struct text suffix)
{
    if (name->length <= suffix.length ||
        memcmp(name->data + name->length - suffix.length, suffix.data, suffix.length) != 0 ||
        name->data[name->length - suffix.length - 1] != '.')
        return false;
    name->length -= suffix.length + 1;
    return true;
}

/* What stands at the labels before the name of the catalog zone. */
static bool find_inside(const struct snapshot *snapshot, struct text labels, struct answer *out)
{
    struct zone zone;

    if (text_equals(labels, TEXT("version"))) {
        add_row(out, RECORD_TXT, TEXT("\"2\""));
    } else if (text_equals(labels, TEXT("zones"))) {
        if (snapshot_n_zones(snapshot) == 1)
            return false;
        add_row(out, RECORD_ENT, TEXT(""));
    } else {
        if (!take_suffix(&labels, TEXT("zones")) || !find_member(snapshot, labels, &zone))
            return false;
        add_pointer(&zone, out);
    }
    return true;
}

bool catalog_find(const struct snapshot *snapshot, struct text name, struct answer *out)
{
    const struct name *own = &snapshot_zone_settings(snapshot)->catalog;
    struct text catalog = {own->text, own->length};
    struct zone zone;

    if (catalog.length == 0)
        return false;
    if (text_equals(name, catalog)) {
        begin(out);
        if (snapshot_catalog(snapshot, &zone))
            add_apex(snapshot, &zone, out);
        return out->rows.n > 0;
    }
    if (!take_suffix(&name, catalog))
        return false;
    begin(out);
    return find_inside(snapshot, name, out);
}

/* Names an answer by labels before the name of the catalog zone, which zone_settings keeps short
 * enough for that. */
static void set_name(const struct snapshot *snapshot, struct text labels, struct answer *out)
{
    const struct name *catalog = &snapshot_zone_settings(snapshot)->catalog;

    memcpy(out->name.text, labels.data, labels.length);
    memcpy(out->name.text + labels.length, catalog->text, (size_t)catalog->length + 1);
    out->name.length = (uint8_t)(labels.length + catalog->length);
}

void catalog_version(const struct snapshot *snapshot, struct answer *out)
{
    begin(out);
    set_name(snapshot, TEXT("version."), out);
    add_row(out, RECORD_TXT, TEXT("\"2\""));
}

void catalog_member(const struct snapshot *snapshot, const struct zone *zone, struct answer *out)
{
    static const char below[] = ".zones.";
    char labels[ZONE_LABEL_LENGTH + sizeof(below)];

    zones_label(name_text(&zone->name), labels);
    memcpy(labels + ZONE_LABEL_LENGTH, below, sizeof(below));
    begin(out);
    set_name(snapshot, text_from(labels), out);
    add_pointer(zone, out);
}
