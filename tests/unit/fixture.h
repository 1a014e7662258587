/* A small snapshot of every kind of policy and member, for the tests of what reads snapshots.
 *
 * Policies: full.example (everything), only-mode.example, only-rua.example, host.example (policy
 * host by name), none.example (mode none). Each has the members cname.<primary> and
 * direct.<primary>. */
#pragma once

#include "snapshot/builder.h"
#include "snapshot/notify.h"

/* Builds the snapshot; fails the test if it cannot. */
struct snapshot *fixture_snapshot(void);

/* Builds it without asserting anything, for tests in which memory runs out. Returns 0 or -ENOMEM.
 */
int fixture_build(struct snapshot **out);

/* Builds a snapshot with zones of its own: of full.example and its member member.example, of
 * only-rua.example, and the catalog zone cat.example; serials are 1000. overlay.example has none.
 * Fails the test if it cannot. */
struct snapshot *fixture_zones(void);

/* The same with so many members more, and without asserting anything, for tests in which memory
 * runs out. Returns 0 or -ENOMEM. */
int fixture_build_zones(size_t n_more, struct snapshot **out);

/* Makes the notes about the zones of a snapshot, none of which was notified yet. Fails the test if
 * it cannot. */
struct notify *fixture_notify(struct snapshot *snapshot);

/* The specification of full.example, for tests that change it. */
struct policy_spec fixture_full_spec(void);

/* A name from canonical text. */
struct name fixture_name(const char *text);
