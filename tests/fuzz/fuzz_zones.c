/* The list of zones of PowerDNS's API, compared with what jansson makes of it. The first line of
 * the input says in which pieces it comes. */
#include "base/buffer.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "sync/zone_reader.h"

#include <jansson.h>

static int add_name(void *context, struct text name)
{
    struct buffer *names = context;

    buffer_add_text(names, name);
    buffer_add_string(names, "\n");
    return 0;
}

/* Reads it in pieces. Returns whether it is a list of zones. */
static bool read_zones(struct text json, struct text lengths, struct buffer *names)
{
    struct zone_reader reader;

    zone_reader_init(&reader, add_name, names);
    while (json.length) {
        struct text piece = take_piece(&json, &lengths);
        int r = zone_reader_feed(&reader, piece.data, piece.length);

        MUST(r == 0 || (r == ZONE_READER_REFUSED && reader.fault));
        if (r)
            return false;
    }
    return zone_reader_end(&reader) == 0;
}

static bool is_utf8(struct text text)
{
    while (text.length) {
        uint32_t character;
        size_t n = utf8_read(text, &character);

        if (n == 0)
            return false;
        text = text_after(text, n);
    }
    return true;
}

/* Adds the names of a list as jansson has read it. Returns whether it is a list of zones. */
static bool add_names(const json_t *root, struct buffer *names)
{
    if (!json_is_array(root))
        return false;
    for (size_t i = 0; i < json_array_size(root); i++) {
        const json_t *name = json_object_get(json_array_get(root, i), "name");
        size_t length = json_string_length(name);

        if (!json_is_string(name))
            return false;
        buffer_add(names, json_string_value(name),
                   length < ZONE_READER_STRING_MAX ? length : ZONE_READER_STRING_MAX);
        buffer_add_string(names, "\n");
    }
    return true;
}

/* What only one of the two refuses: numbers beyond a double, keys that are there twice, if they are
 * not names of zones; and deep nesting. */
static bool is_matter_of_taste(const json_error_t *error, const char *fault_of_ours)
{
    enum json_error_code code = json_error_code(error);

    return code == json_error_numeric_overflow || code == json_error_duplicate_key ||
           (fault_of_ours && strstr(fault_of_ours, "deep"));
}

static const char *fault_of(struct text json)
{
    static struct zone_reader reader;
    CLEANUP(buffer_deinit) struct buffer names = BUFFER_INIT;

    zone_reader_init(&reader, add_name, &names);
    if (zone_reader_feed(&reader, json.data, json.length) == 0)
        zone_reader_end(&reader);
    return reader.fault;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buffer_deinit) struct buffer names = BUFFER_INIT, whole = BUFFER_INIT;
    CLEANUP(buffer_deinit) struct buffer expected = BUFFER_INIT;
    struct text json = text_of((const char *)data, size), lengths = take_line(&json);
    json_error_t error = {0};
    json_t *root;
    bool read = read_zones(json, lengths, &names), accepted;

    MUST(read == read_zones(json, TEXT(""), &whole));
    MUST(!read || text_equals(buffer_text(&names), buffer_text(&whole)));
    /* No JSON has a NUL; jansson overlooks one after a number. */
    if (json.length && memchr(json.data, '\0', json.length)) {
        MUST(!read);
        return 0;
    }
    if (!is_utf8(json))
        return 0;
    root = json_loadb(json.data, json.length,
                      JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL | JSON_REJECT_DUPLICATES, &error);
    accepted = root && add_names(root, &expected);
    json_decref(root);
    if (accepted != read)
        MUST(is_matter_of_taste(&error, fault_of(json)));
    else
        MUST(!read || text_equals(buffer_text(&names), buffer_text(&expected)));
    return 0;
}
