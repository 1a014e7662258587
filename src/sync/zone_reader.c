#include "sync/zone_reader.h"

#include "base/number.h"

/* What may come next. */
enum state {
    LIST,            /* the bracket of the list */
    VALUE,           /* a value */
    VALUE_OR_END,    /* a value, or the end of an array that has none yet */
    KEY,             /* a key */
    KEY_OR_END,      /* a key, or the end of an object that has none yet */
    COLON,           /* what stands between key and value */
    AFTER_VALUE,     /* a comma, or the end of what the value is in */
    STRING,          /* the rest of a string */
    ESCAPE,          /* what follows a backslash */
    UNICODE,         /* the digits of a \u */
    LOW_BACKSLASH,   /* the second half of a pair: its backslash, */
    LOW_U,           /* and its u */
    WORD,            /* the rest of true, false or null */
    NUMBER_MINUS,    /* the parts of a number (RFC 8259 6): after the minus, */
    NUMBER_ZERO,     /* after a zero that begins it, */
    NUMBER_DIGITS,   /* after another digit, */
    NUMBER_POINT,    /* after the point, */
    NUMBER_FRACTION, /* after a digit of the fraction, */
    NUMBER_E,        /* after the e, */
    NUMBER_SIGN,     /* after the sign of the exponent, */
    NUMBER_EXPONENT, /* and after a digit of it */
    END,             /* nothing but white space */
    STATES,
};

enum { LIST_DEPTH = 1, ZONE_DEPTH };

void zone_reader_init(struct zone_reader *reader, zone_found found, void *context)
{
    *reader = (struct zone_reader){.found = found, .context = context, .state = LIST};
}

static int refuse(struct zone_reader *reader, const char *fault)
{
    reader->fault = fault;
    return ZONE_READER_REFUSED;
}

static int refuse_character(struct zone_reader *reader)
{
    return refuse(reader, "not JSON");
}

static bool in_object(const struct zone_reader *reader)
{
    return reader->objects >> (reader->depth - 1) & 1;
}

static int begin_collection(struct zone_reader *reader, bool object)
{
    if (reader->depth == ZONE_READER_DEPTH_MAX)
        return refuse(reader, "arrays and objects that are nested too deep");
    reader->objects &= ~(UINT32_C(1) << reader->depth);
    reader->objects |= (uint32_t)object << reader->depth;
    if (++reader->depth == ZONE_DEPTH)
        reader->has_name = false;
    reader->state = object ? KEY_OR_END : VALUE_OR_END;
    return 0;
}

static int end_collection(struct zone_reader *reader)
{
    if (reader->depth == ZONE_DEPTH && !reader->has_name)
        return refuse(reader, "a zone without a name");
    reader->state = --reader->depth ? AFTER_VALUE : END;
    return 0;
}

static int begin_string(struct zone_reader *reader, bool key)
{
    reader->state = STRING;
    reader->is_key = key;
    reader->length = 0;
    return 0;
}

static int read_list(struct zone_reader *reader, char c)
{
    if (c != '[')
        return refuse(reader, "no list of zones");
    return begin_collection(reader, false);
}

static int begin_word(struct zone_reader *reader, const char *rest)
{
    reader->state = WORD;
    reader->word = rest;
    return 0;
}

static int read_value(struct zone_reader *reader, char c)
{
    if (reader->depth == LIST_DEPTH && c != '{')
        return refuse(reader, "an element of the list that is no zone");
    if (reader->is_name && c != '"')
        return refuse(reader, "a zone whose name is no string");
    switch (c) {
    case '{':
    case '[':
        return begin_collection(reader, c == '{');
    case '"':
        return begin_string(reader, false);
    case 't':
        return begin_word(reader, "rue");
    case 'f':
        return begin_word(reader, "alse");
    case 'n':
        return begin_word(reader, "ull");
    case '-':
        reader->state = NUMBER_MINUS;
        return 0;
    default:
        reader->state = c == '0' ? NUMBER_ZERO : NUMBER_DIGITS;
        return is_digit(c) ? 0 : refuse_character(reader);
    }
}

static int read_value_or_end(struct zone_reader *reader, char c)
{
    return c == ']' ? end_collection(reader) : read_value(reader, c);
}

static int read_key(struct zone_reader *reader, char c)
{
    return c == '"' ? begin_string(reader, true) : refuse_character(reader);
}

static int read_key_or_end(struct zone_reader *reader, char c)
{
    return c == '}' ? end_collection(reader) : read_key(reader, c);
}

static int read_colon(struct zone_reader *reader, char c)
{
    reader->state = VALUE;
    return c == ':' ? 0 : refuse_character(reader);
}

static int read_after_value(struct zone_reader *reader, char c)
{
    bool object = in_object(reader);

    if (c == (object ? '}' : ']'))
        return end_collection(reader);
    reader->state = object ? KEY : VALUE;
    return c == ',' ? 0 : refuse_character(reader);
}

/* Keeps an octet of a string, if there is room: what is longer is no name of anything here. */
static void keep(struct zone_reader *reader, char c)
{
    if (reader->length < sizeof(reader->string))
        reader->string[reader->length++] = c;
}

static int end_string(struct zone_reader *reader)
{
    struct text string = text_of(reader->string, reader->length);

    reader->state = reader->is_key ? COLON : AFTER_VALUE;
    if (reader->is_key) {
        reader->is_name = reader->depth == ZONE_DEPTH && text_equals(string, TEXT("name"));
        if (reader->is_name && reader->has_name)
            return refuse(reader, "a zone with two names");
        return 0;
    }
    if (!reader->is_name)
        return 0;
    reader->is_name = false;
    reader->has_name = true;
    return reader->found(reader->context, string);
}

static int read_string(struct zone_reader *reader, char c)
{
    if (c == '"')
        return end_string(reader);
    if (c == '\\')
        reader->state = ESCAPE;
    else if ((unsigned char)c < ' ')
        return refuse(reader, "a control character in a string");
    else
        keep(reader, c);
    return 0;
}

static int read_escape(struct zone_reader *reader, char c)
{
    static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";

    if (c == 'u') {
        reader->state = UNICODE;
        reader->digits = 0;
        reader->unit = 0;
        return 0;
    }
    for (const char *escape = escapes; *escape; escape += 2)
        if (c == *escape) {
            reader->state = STRING;
            keep(reader, escape[1]);
            return 0;
        }
    return refuse_character(reader);
}

/* Keeps a character beyond ASCII, or one that was escaped, in UTF-8 (RFC 3629 3). */
static void keep_character(struct zone_reader *reader, uint32_t c)
{
    if (c < 0x80) {
        keep(reader, (char)c);
        return;
    }
    if (c < 0x800) {
        keep(reader, (char)(0xc0 | c >> 6));
    } else {
        if (c < 0x10000) {
            keep(reader, (char)(0xe0 | c >> 12));
        } else {
            keep(reader, (char)(0xf0 | c >> 18));
            keep(reader, (char)(0x80 | (c >> 12 & 0x3f)));
        }
        keep(reader, (char)(0x80 | (c >> 6 & 0x3f)));
    }
    keep(reader, (char)(0x80 | (c & 0x3f)));
}

/* Takes what a \u says: a character, or a half of one (RFC 8259 7). */
static int end_unicode(struct zone_reader *reader)
{
    bool high = (reader->unit & 0xfc00) == 0xd800, low = (reader->unit & 0xfc00) == 0xdc00;
    uint32_t character = reader->unit;

    if (low != (reader->high != 0))
        return refuse(reader, "half a character in a string");
    if (low)
        character = 0x10000 + ((uint32_t)(reader->high & 0x3ff) << 10 | (character & 0x3ff));
    reader->high = high ? reader->unit : 0;
    reader->state = high ? LOW_BACKSLASH : STRING;
    if (!high)
        keep_character(reader, character);
    return 0;
}

static int read_unicode(struct zone_reader *reader, char c)
{
    int digit = hex_digit_value(c);

    if (digit < 0)
        return refuse_character(reader);
    reader->unit = (uint16_t)(reader->unit << 4 | digit);
    return ++reader->digits == 4 ? end_unicode(reader) : 0;
}

static int read_low_backslash(struct zone_reader *reader, char c)
{
    reader->state = LOW_U;
    return c == '\\' ? 0 : refuse(reader, "half a character in a string");
}

static int read_low_u(struct zone_reader *reader, char c)
{
    return c == 'u' ? read_escape(reader, c) : refuse(reader, "half a character in a string");
}

static int read_word(struct zone_reader *reader, char c)
{
    if (c != *reader->word++)
        return refuse_character(reader);
    if (!*reader->word)
        reader->state = AFTER_VALUE;
    return 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Goes on with what follows a number. */
static int end_number(struct zone_reader *reader, char c)
{
    reader->state = AFTER_VALUE;
    return is_space(c) ? 0 : read_after_value(reader, c);
}

/* What a character makes of a number that is at a state; STATES: it ends there, if it may. */
static enum state next_in_number(enum state state, char c)
{
    bool digit = is_digit(c), e = c == 'e' || c == 'E';

    if (digit) {
        static const uint8_t next[STATES] = {
            [NUMBER_MINUS] = NUMBER_DIGITS,      [NUMBER_ZERO] = STATES,
            [NUMBER_DIGITS] = NUMBER_DIGITS,     [NUMBER_POINT] = NUMBER_FRACTION,
            [NUMBER_FRACTION] = NUMBER_FRACTION, [NUMBER_E] = NUMBER_EXPONENT,
            [NUMBER_SIGN] = NUMBER_EXPONENT,     [NUMBER_EXPONENT] = NUMBER_EXPONENT,
        };

        return state == NUMBER_MINUS && c == '0' ? NUMBER_ZERO : next[state];
    }
    if (c == '.' && (state == NUMBER_ZERO || state == NUMBER_DIGITS))
        return NUMBER_POINT;
    if (e && (state == NUMBER_ZERO || state == NUMBER_DIGITS || state == NUMBER_FRACTION))
        return NUMBER_E;
    return (c == '+' || c == '-') && state == NUMBER_E ? NUMBER_SIGN : STATES;
}

static int read_number(struct zone_reader *reader, char c)
{
    static const uint32_t may_end = UINT32_C(1) << NUMBER_ZERO | UINT32_C(1) << NUMBER_DIGITS |
                                    UINT32_C(1) << NUMBER_FRACTION | UINT32_C(1) << NUMBER_EXPONENT;
    enum state next = next_in_number(reader->state, c);

    if (next == STATES)
        return may_end >> reader->state & 1 ? end_number(reader, c) : refuse_character(reader);
    reader->state = (uint8_t)next;
    return 0;
}

static int read_end(struct zone_reader *reader, char c)
{
    (void)c;
    return refuse(reader, "something after the end of the list");
}

static int (*const reads[STATES])(struct zone_reader *reader, char c) = {
    [LIST] = read_list,
    [VALUE] = read_value,
    [VALUE_OR_END] = read_value_or_end,
    [KEY] = read_key,
    [KEY_OR_END] = read_key_or_end,
    [COLON] = read_colon,
    [AFTER_VALUE] = read_after_value,
    [STRING] = read_string,
    [ESCAPE] = read_escape,
    [UNICODE] = read_unicode,
    [LOW_BACKSLASH] = read_low_backslash,
    [LOW_U] = read_low_u,
    [WORD] = read_word,
    [NUMBER_MINUS] = read_number,
    [NUMBER_ZERO] = read_number,
    [NUMBER_DIGITS] = read_number,
    [NUMBER_POINT] = read_number,
    [NUMBER_FRACTION] = read_number,
    [NUMBER_E] = read_number,
    [NUMBER_SIGN] = read_number,
    [NUMBER_EXPONENT] = read_number,
    [END] = read_end,
};

/* Whether white space means nothing here (RFC 8259 2). */
static bool skips_space(enum state state)
{
    return state <= AFTER_VALUE || state == END;
}

int zone_reader_feed(struct zone_reader *reader, const char *bytes, size_t n)
{
    for (const char *c = bytes; c < bytes + n; c++) {
        int r;

        if (is_space(*c) && skips_space(reader->state))
            continue;
        r = reads[reader->state](reader, *c);
        if (r)
            return r;
    }
    return 0;
}

int zone_reader_end(struct zone_reader *reader)
{
    return reader->state == END ? 0 : refuse(reader, "it is cut short");
}
