#include "admin/status.h"

#include "base/json_write.h"

#include <errno.h>
#include <pthread.h>

struct status {
    const struct notify *notify;
    pthread_mutex_t lock;
    struct status_view now;
    struct shared_text *empty;
};

/* Takes over what a buffer holds. Returns NULL if memory runs out or has run out for the text. */
static struct shared_text *shared_text_new(struct buffer *buffer)
{
    struct shared_text *text = buffer->failed ? NULL : malloc(sizeof(*text));

    if (!text)
        return NULL;
    atomic_init(&text->references, 1);
    text->buffer = *buffer;
    *buffer = BUFFER_INIT;
    return text;
}

static struct shared_text *shared_text_ref(struct shared_text *text)
{
    if (text)
        atomic_fetch_add(&text->references, 1);
    return text;
}

static void shared_text_unref(struct shared_text *text)
{
    if (!text || atomic_fetch_sub(&text->references, 1) > 1)
        return;
    buffer_deinit(&text->buffer);
    free(text);
}

struct status_waiting *status_waiting_new(size_t n)
{
    struct status_waiting *waiting = malloc(sizeof(*waiting) + n * sizeof(waiting->ids[0]));

    if (!waiting)
        return NULL;
    atomic_init(&waiting->references, 1);
    waiting->n = n;
    return waiting;
}

static void waiting_unref(struct status_waiting *waiting)
{
    if (waiting && atomic_fetch_sub(&waiting->references, 1) == 1)
        free(waiting);
}

int status_new(const struct notify *notify, struct status **out)
{
    struct status *status = calloc(1, sizeof(*status));
    struct buffer nothing = BUFFER_INIT;

    if (!status)
        return -ENOMEM;
    status->empty = shared_text_new(&nothing);
    if (!status->empty) {
        free(status);
        return -ENOMEM;
    }
    status->now.errors = shared_text_ref(status->empty);
    pthread_mutex_init(&status->lock, NULL);
    status->notify = notify;
    status->now.started = time(NULL);
    *out = status;
    return 0;
}

void status_free(struct status *status)
{
    if (!status)
        return;
    status_view_deinit(&status->now);
    shared_text_unref(status->empty);
    pthread_mutex_destroy(&status->lock);
    free(status);
}

void status_set_state(struct status *status, const struct status_state *state)
{
    pthread_mutex_lock(&status->lock);
    status->now.state = *state;
    pthread_mutex_unlock(&status->lock);
}

void status_set_snapshot(struct status *status, struct snapshot *snapshot,
                         struct status_waiting *waiting)
{
    struct status_waiting *waited;
    struct snapshot *before;

    snapshot_ref(snapshot);
    pthread_mutex_lock(&status->lock);
    before = status->now.snapshot;
    waited = status->now.waiting;
    status->now.snapshot = snapshot;
    status->now.waiting = waiting;
    status->now.generation++;
    pthread_mutex_unlock(&status->lock);
    snapshot_unref(before);
    waiting_unref(waited);
}

void status_set_applied(struct status *status, const struct diagnostics *diagnostics,
                        double seconds)
{
    struct status_view *now = &status->now;

    pthread_mutex_lock(&status->lock);
    now->applied += now->loaded != 0;
    now->loaded = time(NULL);
    now->reload = (struct status_reload){
        .time = now->loaded,
        .seconds = seconds,
        .warnings = diagnostics->total[SEVERITY_WARNING],
    };
    shared_text_unref(now->errors);
    now->errors = shared_text_ref(status->empty);
    pthread_mutex_unlock(&status->lock);
}

static void add_error(enum severity severity, const char *place, const char *text, void *context)
{
    CLEANUP(buffer_deinit) struct buffer line = BUFFER_INIT;
    struct buffer *errors = context;

    if (severity != SEVERITY_ERROR)
        return;
    buffer_printf(&line, "%s%s", place, text);
    buffer_add_string(errors, errors->length ? "," : "");
    json_write_string(errors, buffer_text(&line));
}

void status_set_refused(struct status *status, const struct diagnostics *diagnostics,
                        const char *error, double seconds)
{
    struct status_view *now = &status->now;
    struct buffer errors = BUFFER_INIT;

    diagnostics_each(diagnostics, add_error, &errors);
    if (error)
        add_error(SEVERITY_ERROR, "", error, &errors);
    pthread_mutex_lock(&status->lock);
    now->refused++;
    now->reload = (struct status_reload){
        .refused = true,
        .time = time(NULL),
        .seconds = seconds,
        .warnings = diagnostics->total[SEVERITY_WARNING],
        .errors = diagnostics->total[SEVERITY_ERROR] + (error != NULL),
    };
    shared_text_unref(now->errors);
    now->errors = shared_text_new(&errors);
    pthread_mutex_unlock(&status->lock);
    buffer_deinit(&errors);
}

void status_set_ahead(struct status *status, int64_t ahead)
{
    pthread_mutex_lock(&status->lock);
    status->now.ahead = ahead;
    pthread_mutex_unlock(&status->lock);
}

void status_set_syncs(struct status *status, bool syncs)
{
    pthread_mutex_lock(&status->lock);
    status->now.syncs = syncs;
    pthread_mutex_unlock(&status->lock);
}

void status_set_serving(struct status *status, bool serving)
{
    pthread_mutex_lock(&status->lock);
    status->now.serving = serving;
    pthread_mutex_unlock(&status->lock);
}

void status_read(struct status *status, struct status_view *out)
{
    pthread_mutex_lock(&status->lock);
    *out = status->now;
    if (out->snapshot)
        snapshot_ref(out->snapshot);
    if (out->waiting)
        atomic_fetch_add(&out->waiting->references, 1);
    shared_text_ref(out->errors);
    pthread_mutex_unlock(&status->lock);
    out->zones_to_notify = notify_pending(status->notify);
}

void status_view_deinit(struct status_view *view)
{
    view->snapshot = snapshot_unref(view->snapshot);
    waiting_unref(view->waiting);
    shared_text_unref(view->errors);
}

static int compare_policies(const void *a, const void *b)
{
    const struct status_waiting_id *x = a, *y = b;

    return (x->policy > y->policy) - (x->policy < y->policy);
}

const struct status_waiting_id *status_view_waiting(const struct status_view *view,
                                                    const struct policy *policy)
{
    const struct status_waiting_id key = {
        .policy = (uint32_t)snapshot_policy_number(view->snapshot, policy)};

    if (!view->waiting)
        return NULL;
    return bsearch(&key, view->waiting->ids, view->waiting->n, sizeof(key), compare_policies);
}
