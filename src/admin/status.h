/* The state of the service for people and monitoring: the published snapshot, since when it is in
 * force, and the result of the last reload. The main thread writes it and the admin thread reads
 * it, under a lock that no answering thread takes. */
#pragma once

#include "base/producer.h"
#include "config/diagnostics.h"
#include "config/settings.h"
#include "snapshot/notify.h"

#include <stdatomic.h>
#include <time.h>

struct status;

/* An id that waits to be announced. */
struct status_waiting_id {
    uint32_t policy;                                            /* by its number in the snapshot */
    char announced[POLICY_ID_MAX + 1], next[POLICY_ID_MAX + 1]; /* until then, and from then on */
    time_t due;
};

/* The ids that wait, in the order of their policies, counted by references. NULL stands for those
 * that memory ran out for. */
struct status_waiting {
    atomic_size_t references;
    size_t n;
    struct status_waiting_id ids[];
};

/* A text that views share, counted by references. NULL stands for one that memory ran out for. */
struct shared_text {
    atomic_size_t references;
    struct buffer buffer;
};

/* The result of reading the configuration. */
struct status_reload {
    bool refused;
    time_t time;
    double seconds; /* the time that it took */
    size_t warnings;
    size_t errors;
};

/* How writing into the state goes (keeper.h). */
struct status_state {
    bool kept;   /* there is one */
    bool failed; /* it cannot be written, */
    time_t failed_since;
    char fault[256]; /* because of this */
    time_t written;  /* last; 0: not yet */
};

/* The state at one moment. */
struct status_view {
    struct snapshot *snapshot;      /* a reference, */
    struct status_waiting *waiting; /* and the ids that wait in it */
    size_t zones_to_notify;         /* own zones with a serial that PowerDNS has not notified */
    bool serving;
    bool syncs;                  /* the configuration has sync, so what came of it counts */
    time_t started, loaded;      /* the service; the configuration that is in force */
    int64_t ahead;               /* the clock of the state of that of the system, in seconds */
    uint64_t generation;         /* how many snapshots have been published, this one included */
    uint64_t applied, refused;   /* reloads */
    struct status_reload reload; /* the last one, or the start */
    struct shared_text *errors;  /* of the last reload: the strings of a JSON array */
    struct status_state state;
};

/* Makes a status of a service that does not serve yet. NOTIFY tells which own zones are to be
 * notified and outlives the status. Returns 0 or -ENOMEM. */
int status_new(const struct notify *notify, struct status **out);

/* Frees a status; NULL is allowed. */
void status_free(struct status *status);

/* Makes ids that wait, to be filled in, with one reference. Returns NULL if memory runs out. */
struct status_waiting *status_waiting_new(size_t n);

/* Says from which snapshot all threads answer from now on; a reference is taken. WAITING are the
 * ids that wait in it, NULL if memory ran out for them; they are taken over. */
void status_set_snapshot(struct status *status, struct snapshot *snapshot,
                         struct status_waiting *waiting);

/* Says that the configuration was read, at the start (the first time) or by a reload, and is in
 * force. */
void status_set_applied(struct status *status, const struct diagnostics *diagnostics,
                        double seconds);

/* Says that a reload was refused. ERROR is a fault that is not among the diagnostics, or NULL. */
void status_set_refused(struct status *status, const struct diagnostics *diagnostics,
                        const char *error, double seconds);

/* Says how writing into the state goes. Any thread may do so. */
void status_set_state(struct status *status, const struct status_state *state);

/* Says how far the clock of the state is ahead. */
void status_set_ahead(struct status *status, int64_t ahead);

/* Says whether the configuration that is in force has sync. */
void status_set_syncs(struct status *status, bool syncs);

/* Says whether all threads answer. */
void status_set_serving(struct status *status, bool serving);

/* Copies the state, with references to what it shares; status_view_deinit drops them. */
void status_read(struct status *status, struct status_view *out);
void status_view_deinit(struct status_view *view);

/* The id that waits of a policy of the snapshot, or NULL. */
const struct status_waiting_id *status_view_waiting(const struct status_view *view,
                                                    const struct policy *policy);

/* Makes the state of now as one JSON object, piece by piece: there may be many thousand policies.
 * What verify found last is in it, if SETTINGS, which may be NULL, name a state that has it.
 * Returns NULL if out of memory. */
struct producer *status_json_new(struct status *status, const struct settings *settings);
