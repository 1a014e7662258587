#include "os/clock.h"

struct time_text clock_text(time_t when)
{
    struct time_text out;
    struct tm parts;

    gmtime_r(&when, &parts);
    strftime(out.text, sizeof(out.text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return out;
}
