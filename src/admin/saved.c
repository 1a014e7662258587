#include "admin/saved.h"

#include "os/state_directory.h"

int saved_judge(struct saved *saved, int r)
{
    if (r == STATE_FAILED)
        saved->fault = saved->state.fault;
    return r < 0 ? r : 0;
}

int saved_open(struct saved *saved, const struct settings *settings)
{
    const char *directory = state_directory(settings->state);
    int r;

    *saved = (struct saved){.state = STATE_INIT};
    if (!directory)
        return 0;
    saved->is_kept = true;
    r = state_open(&saved->state, directory, STATE_GLANCE);
    saved->is_open = r == 0;
    return saved_judge(saved, r);
}

void saved_close(struct saved *saved)
{
    state_close(&saved->state);
}
