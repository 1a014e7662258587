#include "verify/certificate.h"

bool certificate_ends_soon(time_t ends, char text[static CERTIFICATE_DAYS_SIZE])
{
    struct tm parts;

    if (ends <= 0 || ends - time(NULL) > (time_t)CERTIFICATE_WARNING_DAYS * 24 * 3600)
        return false;
    gmtime_r(&ends, &parts);
    strftime(text, CERTIFICATE_DAYS_SIZE, "on %Y-%m-%d", &parts);
    return true;
}
