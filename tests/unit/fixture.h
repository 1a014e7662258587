/* A small snapshot of every kind of policy and member, for the tests of what reads snapshots.
 *
 * Policies: full.example (everything), only-mode.example, only-rua.example, host.example (policy
 * host by name), none.example (mode none). Each has the members cname.<primary> and
 * direct.<primary>. */
#pragma once

#include "snapshot/builder.h"
#include "snapshot/changes.h"
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

/* The same with so many members more, and with so many catalog zones. Fails the test if it cannot.
 */
struct snapshot *fixture_parts(size_t n_more, uint32_t parts);

/* Builds a snapshot with domains in every state, without asserting anything: full.example with the
 * members www.example.net, xn--bcher-kva.example and held.example, which is held back;
 * waits.example, whose id is meant to wait, with the member held.waits.example, which is held back;
 * only-rua.example; and left.example, which is retiring until 1790000000. Returns 0 or -ENOMEM. */
int fixture_build_states(struct snapshot **out);

/* Makes the notes about the zones of a snapshot, none of which was notified yet. Fails the test if
 * it cannot. */
struct notify *fixture_notify(struct snapshot *snapshot);

/* The specification of full.example, for tests that change it. */
struct policy_spec fixture_full_spec(void);

/* A name from canonical text. */
struct name fixture_name(const char *text);

/* Begins a snapshot with own zones, which have one name server; CATALOG may be empty. The functions
 * from here on fail the test if they cannot do what they are for. */
struct builder *fixture_begin_zones(const char *nameserver, const char *hostmaster,
                                    struct name catalog);

/* Adds a policy that has reports alone, and so one zone a domain. Returns its number. */
uint32_t fixture_add_reports(struct builder *builder, const char *primary, const char *uri,
                             uint32_t ttl);

/* Adds a direct member. */
void fixture_add_member(struct builder *builder, uint32_t policy, const char *domain);

/* Ends a builder and frees it: the snapshot is as fixture_follow makes it. */
struct snapshot *fixture_end_zones(struct builder *builder, int64_t time,
                                   const struct snapshot *before,
                                   const struct announcement *waiting);

/* The snapshot of a load at a time after BEFORE, while an id waits; these two may be NULL. */
struct snapshot *fixture_follow(const struct snapshot *loaded, const struct snapshot *before,
                                int64_t time, const struct announcement *waiting);

/* The snapshot that is published while an id, which may be NULL, waits. */
int fixture_announce(const struct snapshot *loaded, const struct snapshot *before,
                     const struct announcement *waiting, struct snapshot **out);

/* The own zone of a name. */
struct zone fixture_zone(const struct snapshot *snapshot, const char *name);
