/* What the service remembers over a restart: the past (snapshot/past.h), the domains, and which own
 * zones were notified.
 *
 * It is read once, at the start, and written after each snapshot that is published. Writing
 * compares what the database has with the snapshot, and writes what differs; so it makes no
 * difference what was written before, or not, and a write that failed is made up for by the next
 * one. Domains are compared bucket by bucket (snapshot/changes.h): the sum of a bucket is written
 * together with its domains, so one number tells whether they are to be looked at.
 *
 * A process that did not end well may have published what it could not write any more. The database
 * says that a process ended well, or not yet; if not, the start takes no serial from it but the
 * highest, so that all zones get a new one.
 */
#pragma once

#include "snapshot/changes.h"
#include "snapshot/past.h"
#include "snapshot/retiring.h"
#include "state/state.h"

/* What there is once. */
struct memory {
    uint64_t seed;     /* of the hashes of names, for builder_new */
    bool ended;        /* the process that wrote it ended well */
    int64_t written;   /* when, on the clock of the state; 0: never */
    int64_t ahead;     /* of the clock of the system then (state_clock.h) */
    uint32_t highest;  /* serial */
    uint32_t notified; /* all zones with a serial up to this one were notified */
    int64_t writer;    /* the number of the process that wrote it last, never 0 */
};

/* Begins to use a database that is open for writing: reads what is there, and notes that this
 * process has not ended. SEED is what a database gets that has none yet, and NOW the time of the
 * clock of the system. Returns 0, STATE_FAILED or -ENOMEM. */
int memory_begin(struct state *state, uint64_t seed, int64_t now, struct memory *out);

/* Notes the number of the process that writes it from now on. Returns as memory_begin does. */
int memory_set_writer(struct state *state, int64_t writer);

/* Reads what is there once. Returns 0; STATE_END if there is nothing; STATE_FAILED or -ENOMEM. */
int memory_read(struct state *state, struct memory *out);

/* The same moment on two clocks. */
struct memory_clock {
    int64_t time;  /* of the state (state_clock.h), seconds since 1970 */
    int64_t ahead; /* of the clock of the system; seconds */
    int64_t now;   /* milliseconds of the clock of struct past_policy */
};

/* Reads the past. Returns 0, STATE_FAILED or -ENOMEM. */
int memory_read_past(struct state *state, const struct memory *memory,
                     const struct memory_clock *clock, struct past *out);

/* Finds how the domains of a newly loaded snapshot differ from those in the database. The snapshot
 * has the seed of the memory. Returns 0, STATE_FAILED or -ENOMEM. */
int memory_read_changes(struct state *state, const struct snapshot *loaded,
                        struct domain_changes *out);

/* Reads which domains were retiring, and until when. What the set points at lives in the arena.
 * Returns 0, STATE_FAILED or -ENOMEM. */
int memory_read_retiring(struct state *state, struct arena *arena, struct retiring_set *out);

/* Tells until when senders may hold a policy with mode enforce of the domains that have changed and
 * have no mode in LOADED, if the database knows of a later time: struct past_domain has it. Returns
 * 0, STATE_FAILED or -ENOMEM. */
int memory_read_obligations(struct state *state, const struct snapshot *loaded, int64_t now,
                            struct domain_changes *changes);

/* What is to be written. */
struct memory_write {
    const struct snapshot *published;
    struct past *past; /* of it, with the ids that wait; the rows are noted in it */
    struct memory_clock clock;
    int64_t since;         /* when the first of what was not written yet was published; seconds */
    int64_t unknown_until; /* until when senders may hold something that will never be written; 0:
                              nothing */
    bool all; /* look at what the sums do not show, too: something may not have been written */
};

/* Writes it. Where there is much to write, it takes several transactions. Returns 0, STATE_FAILED
 * or -ENOMEM. */
int memory_write(struct state *state, const struct memory_write *what);

/* Notes in a database that has what this process has not read what a start that reads it must know
 * of this process, and changes nothing else: serials go on above those of WHAT, and until no sender
 * can hold a policy of it any more, or one that it was never told of, all domains that leave
 * retire. Returns as memory_write does. */
int memory_leave_note(struct state *state, const struct memory_write *what);

/* Notes what time it is, so that a start knows how long the service was stopped. Returns as
 * memory_write does. */
int memory_write_time(struct state *state, const struct memory_clock *clock);

/* Notes that the process ends, and that all is written. Returns as memory_write does. */
int memory_end(struct state *state);
