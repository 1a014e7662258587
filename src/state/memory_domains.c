#include "base/array.h"
#include "base/hash.h"
#include "snapshot/retiring.h"
#include "snapshot/serials.h"
#include "state/memory_parts.h"

#include <errno.h>
#include <sqlite3.h>

enum { ROWS_AT_ONCE = 20000 }; /* in one transaction, so that others can write, too */

int memory_overrides_read(struct state *state, struct past *out)
{
    CLEANUP(state_finish) struct sqlite3_stmt *row = NULL;
    size_t capacity = 0;
    int r =
        state_prepare(state,
                      "SELECT d.name, d.serial FROM domains d JOIN policies p ON p.id = d.policy"
                      " WHERE d.serial > 0 AND d.serial > p.serial",
                      &row);

    if (r)
        return r;
    while ((r = state_step(state, row)) == 0) {
        struct past_override override = {.serial = (uint32_t)state_number(row, 1)};

        if (ARRAY_RESERVE(out->overrides, out->n_overrides, capacity) ||
            arena_copy_text(&out->arena, state_text(row, 0), &override.name))
            return -ENOMEM;
        out->overrides[out->n_overrides++] = override;
    }
    return r == STATE_END ? 0 : r;
}

/* The domains of one bucket, as the database has them. */
struct bucket {
    struct past_domain *domains;
    size_t n, capacity;
    struct arena arena;
};

static void bucket_deinit(struct bucket *bucket)
{
    free(bucket->domains);
    arena_deinit(&bucket->arena);
}

static int read_bucket(struct state *state, struct sqlite3_stmt *rows, uint32_t number,
                       struct bucket *bucket)
{
    int r;

    bucket->n = 0;
    arena_deinit(&bucket->arena);
    state_bind_number(rows, 1, number);
    while ((r = state_step(state, rows)) == 0) {
        struct past_domain domain = {.kind = (enum domain_kind)state_number(rows, 2),
                                     .held = state_number(rows, 3),
                                     .has_mode = state_number(rows, 4) != POLICY_MODE_ABSENT};

        if (ARRAY_RESERVE(bucket->domains, bucket->n, bucket->capacity) ||
            arena_copy_text(&bucket->arena, state_text(rows, 0), &domain.name) ||
            arena_copy_text(&bucket->arena, state_text(rows, 1), &domain.primary))
            return -ENOMEM;
        bucket->domains[bucket->n++] = domain;
    }
    sqlite3_reset(rows);
    return r == STATE_END ? 0 : r;
}

/* A domain whose policy is not there any more has none: it differs from all. */
static int prepare_bucket(struct state *state, struct sqlite3_stmt **out)
{
    return state_prepare(state,
                         "SELECT d.name, coalesce(p.domain, ''), d.kind, d.held,"
                         " coalesce(p.mode, 0) FROM domains d LEFT JOIN policies p ON p.id = "
                         "d.policy WHERE d.bucket = ?"
                         " ORDER BY d.name",
                         out);
}

/* Reads the sums of all buckets; those of none are 0. */
static int read_sums(struct state *state, uint64_t sums[SNAPSHOT_BUCKETS])
{
    CLEANUP(state_finish) struct sqlite3_stmt *row = NULL;
    int r = state_prepare(state, "SELECT bucket, sum FROM sums", &row);

    if (r)
        return r;
    memset(sums, 0, SNAPSHOT_BUCKETS * sizeof(*sums));
    while ((r = state_step(state, row)) == 0) {
        int64_t bucket = state_number(row, 0);

        if (bucket >= 0 && bucket < SNAPSHOT_BUCKETS)
            sums[bucket] = (uint64_t)state_number(row, 1);
    }
    return r == STATE_END ? 0 : r;
}

static int find_changes(struct state *state, const struct snapshot *loaded,
                        struct domain_changes *changes)
{
    CLEANUP(state_finish) struct sqlite3_stmt *rows = NULL;
    CLEANUP(bucket_deinit) struct bucket bucket = {0};
    const uint64_t *now = snapshot_sums(loaded);
    uint64_t sums[SNAPSHOT_BUCKETS];
    int r = read_sums(state, sums);

    if (r)
        return r;
    r = prepare_bucket(state, &rows);
    for (uint32_t i = 0; i < SNAPSHOT_BUCKETS && r == 0; i++) {
        if (sums[i] == now[i])
            continue;
        r = read_bucket(state, rows, i, &bucket);
        if (r)
            return r;
        r = domain_changes_add_bucket(changes, loaded, i, bucket.domains, bucket.n);
    }
    domain_changes_sort(changes);
    return r;
}

int memory_read_changes(struct state *state, const struct snapshot *loaded,
                        struct domain_changes *out)
{
    CLEANUP(domain_changes_deinit) struct domain_changes changes = DOMAIN_CHANGES_INIT;
    int r = find_changes(state, loaded, &changes);

    if (r)
        return r;
    *out = changes;
    changes = DOMAIN_CHANGES_INIT;
    return 0;
}

int memory_read_retiring(struct state *state, struct arena *arena, struct retiring_set *out)
{
    CLEANUP(retiring_set_deinit) struct retiring_set set = RETIRING_SET_INIT;
    CLEANUP(state_finish) struct sqlite3_stmt *row = NULL;
    int64_t policy = 0; /* of the row before */
    int r = state_prepare(state,
                          "SELECT d.name, d.until, d.policy, p.former FROM domains d"
                          " JOIN policies p ON p.id = d.policy WHERE d.until > 0"
                          " ORDER BY d.policy",
                          &row);

    if (r)
        return r;
    while ((r = state_step(state, row)) == 0) {
        struct retiring retiring = {.until = state_number(row, 1), .former = set.n_formers - 1};
        struct text former;

        if (arena_copy_text(arena, state_text(row, 0), &retiring.name))
            return -ENOMEM;
        if (state_number(row, 2) != policy) {
            policy = state_number(row, 2);
            if (arena_copy_text(arena, state_text(row, 3), &former) ||
                retiring_set_add_former(&set, former, &retiring.former))
                return -ENOMEM;
        }
        if (retiring_set_add(&set, &retiring))
            return -ENOMEM;
    }
    if (r != STATE_END)
        return r;
    *out = set;
    set = RETIRING_SET_INIT;
    return 0;
}

/* Prepares to look up until when senders may hold a policy with mode enforce of a domain: one that
 * it had before, as far as the row says, or a body of its policy from the first that it had to
 * LAST_BODY. It was served until some part of a second. Or one that the state was never told of. */
static int prepare_obligation(struct state *state, int64_t last_body, struct sqlite3_stmt **out)
{
    int r = state_prepare(state,
                          "SELECT max(d.enforced_until, d.until, (SELECT unknown_until FROM "
                          "service), CASE WHEN d.held THEN 0 ELSE ifnull("
                          "(SELECT max(ifnull(b.last, ?3) + 1 + b.max_age + b.ttl) FROM bodies b"
                          " WHERE b.policy = p.domain AND b.mode = 'enforce'"
                          " AND b.id BETWEEN d.first_body AND ?4), 0) END)"
                          " FROM domains d LEFT JOIN policies p ON p.id = d.policy"
                          " WHERE d.bucket = ?1 AND d.name = ?2",
                          out);

    if (r)
        return r;
    state_bind_number(*out, 4, last_body);
    return 0;
}

/* Looks it up; 0 if there is none, or no such domain. */
static int read_obligation(struct state *state, struct sqlite3_stmt *statement, uint32_t bucket,
                           struct text name, int64_t now, int64_t *out)
{
    int r;

    state_bind_number(statement, 1, bucket);
    state_bind_text(statement, 2, name);
    state_bind_number(statement, 3, now);
    r = state_step(state, statement);
    *out = r == 0 ? state_number(statement, 0) : 0;
    sqlite3_reset(statement);
    return r == STATE_END ? 0 : r;
}

/* Whether a domain that has changed has a mode now. */
static bool has_mode(const struct snapshot *loaded, const struct domain_change *change)
{
    struct domain domain;

    if (change->position == 0)
        return false;
    snapshot_at(loaded, change->position, &domain);
    return domain.policy->mode != POLICY_MODE_ABSENT;
}

int memory_read_obligations(struct state *state, const struct snapshot *loaded, int64_t now,
                            struct domain_changes *changes)
{
    CLEANUP(state_finish) struct sqlite3_stmt *statement = NULL;
    int r = prepare_obligation(state, INT64_MAX, &statement);

    for (size_t i = 0; i < changes->n && r == 0; i++) {
        struct domain_change *change = &changes->items[i];
        int64_t until;

        /* Those that retire do so until a time that is known, and for that alone. */
        if (!change->was_there || policy_is_retiring(change->before.primary) ||
            has_mode(loaded, change))
            continue;
        r = read_obligation(state, statement, snapshot_bucket(loaded, change->name), change->name,
                            now, &until);
        if (r == 0 && until > change->before.enforced_until)
            change->before.enforced_until = until;
    }
    return r;
}

struct writing {
    struct state *state;
    const struct memory_write *what;
    int64_t last_body; /* that was served before */
    struct sqlite3_stmt *rows, *put, *delete, *sum, *serial, *obligation, *body;
    struct bucket bucket;
    int64_t *bodies; /* what each policy of the past serves, or 0: not looked up yet */
    size_t n;        /* rows of this transaction */
};

static void writing_deinit(struct writing *writing)
{
    state_finish(&writing->rows);
    state_finish(&writing->put);
    state_finish(&writing->delete);
    state_finish(&writing->sum);
    state_finish(&writing->serial);
    state_finish(&writing->obligation);
    state_finish(&writing->body);
    free(writing->bodies);
    bucket_deinit(&writing->bucket);
}

static int writing_prepare(struct writing *writing)
{
    const struct {
        const char *sql;
        struct sqlite3_stmt **out;
    } statements[] = {
        {"INSERT OR REPLACE INTO domains (bucket, name, policy, kind, held, first_body,"
         " enforced_until, until, serial) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
         &writing->put},
        {"SELECT ifnull((SELECT id FROM bodies WHERE policy = ? AND last IS NULL),"
         " (SELECT ifnull(max(id), 0) + 1 FROM bodies))",
         &writing->body},
        {"DELETE FROM domains WHERE bucket = ? AND name = ?", &writing->delete},
        {"INSERT OR REPLACE INTO sums VALUES (?, ?)", &writing->sum},
        {"UPDATE domains SET serial = ? WHERE bucket = ? AND name = ? AND serial <> ?",
         &writing->serial},
    };
    int r = prepare_bucket(writing->state, &writing->rows);

    for (size_t i = 0; i < ARRAY_LENGTH(statements) && r == 0; i++)
        r = state_prepare(writing->state, statements[i].sql, statements[i].out);
    if (r)
        return r;
    writing->bodies = calloc(writing->what->past->n_policies + 1, sizeof(*writing->bodies));
    if (!writing->bodies)
        return -ENOMEM;
    return prepare_obligation(writing->state, writing->last_body, &writing->obligation);
}

/* The number of the first body of its policy that a domain has which gets that policy now: the one
 * that is served, or the next one that there will be. */
static int find_body(struct writing *writing, const struct past_policy *policy, int64_t *out)
{
    int64_t *known = &writing->bodies[policy - writing->what->past->policies];
    int r = 0;

    if (*known == 0) {
        state_bind_text(writing->body, 1, policy->primary);
        r = state_step(writing->state, writing->body);
        if (r == 0)
            *known = state_number(writing->body, 0);
        sqlite3_reset(writing->body);
    }
    *out = *known;
    return r;
}

/* The serial of a domain's zones, if it is above that of their policy; else 0. */
static uint32_t own_serial(const struct snapshot *snapshot, const struct domain *domain)
{
    uint32_t serial = snapshot_domain_serial(snapshot, domain);

    return serial > snapshot_policy_serial(snapshot,
                                           snapshot_policy_number(snapshot, domain->policy))
               ? serial
               : 0;
}

/* What it owes from before stays with a domain. Bodies that its former policy begins to serve now
 * are not among that: the domain leaves as they come. Of one that retires that is known, and the
 * row may be from before it began to. */
static int put_domain(struct writing *writing, uint32_t bucket, uint32_t position)
{
    const struct memory_write *what = writing->what;
    struct sqlite3_stmt *put = writing->put;
    const struct past_policy *policy;
    struct domain domain;
    int64_t owed, until, body;
    int r;

    snapshot_at(what->published, position, &domain);
    r = read_obligation(writing->state, writing->obligation, bucket, domain.name, what->clock.time,
                        &owed);
    if (r)
        return r;
    until = snapshot_until(what->published, &domain);
    policy = past_find(what->past, domain.policy->primary);
    r = find_body(writing, policy, &body);
    if (r)
        return r;
    state_bind_number(put, 1, bucket);
    state_bind_text(put, 2, domain.name);
    state_bind_number(put, 3, policy->row);
    state_bind_number(put, 4, domain.kind);
    state_bind_number(put, 5, domain.held);
    state_bind_number(put, 6, body);
    state_bind_number(put, 7, until ? until : owed);
    state_bind_number(put, 8, until);
    state_bind_number(put, 9, own_serial(what->published, &domain));
    return state_run(writing->state, put);
}

static int put_change(struct writing *writing, uint32_t bucket, const struct domain_change *change)
{
    if (change->position)
        return put_domain(writing, bucket, change->position);
    state_bind_number(writing->delete, 1, bucket);
    state_bind_text(writing->delete, 2, change->name);
    return state_run(writing->state, writing->delete);
}

static int compare_names(const void *a, const void *b)
{
    const struct domain_change *left = a, *right = b;

    return text_compare(left->name, right->name);
}

/* Writes what differs in a bucket; in the order of names, so that most rows are appended. */
static int write_bucket(struct writing *writing, uint32_t number)
{
    CLEANUP(domain_changes_deinit) struct domain_changes changes = DOMAIN_CHANGES_INIT;
    const struct snapshot *published = writing->what->published;
    int r = read_bucket(writing->state, writing->rows, number, &writing->bucket);

    if (r)
        return r;
    r = domain_changes_add_bucket(&changes, published, number, writing->bucket.domains,
                                  writing->bucket.n);
    if (r)
        return r;
    if (changes.n)
        qsort(changes.items, changes.n, sizeof(*changes.items), compare_names);
    for (size_t i = 0; i < changes.n && r == 0; i++)
        r = put_change(writing, number, &changes.items[i]);
    if (r)
        return r;
    writing->n += changes.n;
    state_bind_number(writing->sum, 1, number);
    state_bind_number(writing->sum, 2, (int64_t)snapshot_sums(published)[number]);
    return state_run(writing->state, writing->sum);
}

/* Gives others their turn when a transaction has become long. */
static int pause_if_long(struct writing *writing)
{
    int r;

    if (writing->n < ROWS_AT_ONCE)
        return 0;
    writing->n = 0;
    r = state_execute(writing->state, "COMMIT");
    return r ? r : state_begin(writing->state);
}

/* Writes the serials that domains have for themselves. The sums do not have them; they change with
 * the rows of their domains, which may have come and gone between two writes. */
static int write_serials(struct writing *writing)
{
    const struct snapshot *published = writing->what->published;
    const struct serials *serials = snapshot_serials(published);
    int r = 0;

    for (size_t i = 0; i < serials->n_overrides && r == 0; i++) {
        const struct serial_override *override = &serials->overrides[i];
        struct domain domain;

        snapshot_at(published, override->position, &domain);
        state_bind_number(writing->serial, 1, override->serial);
        state_bind_number(writing->serial, 2, snapshot_bucket(published, domain.name));
        state_bind_text(writing->serial, 3, domain.name);
        state_bind_number(writing->serial, 4, override->serial);
        r = state_run(writing->state, writing->serial);
        writing->n += r == 0;
        if (r == 0)
            r = pause_if_long(writing);
    }
    return r;
}

/* Writes until when domains retire. The sums do not have that either: one may have been listed
 * again meanwhile, and have begun anew. */
static int write_untils(struct writing *writing)
{
    const struct snapshot *published = writing->what->published;
    CLEANUP(state_finish) struct sqlite3_stmt *set = NULL;
    int r = state_prepare(writing->state,
                          "UPDATE domains SET until = ?1, enforced_until = ?1"
                          " WHERE bucket = ?2 AND name = ?3 AND until <> ?1",
                          &set);

    for (size_t i = 0; i < snapshot_n_retiring(published) && r == 0; i++) {
        struct domain domain;

        snapshot_retiring(published, i, &domain);
        state_bind_number(set, 1, snapshot_until(published, &domain));
        state_bind_number(set, 2, snapshot_bucket(published, domain.name));
        state_bind_text(set, 3, domain.name);
        r = state_run(writing->state, set);
        writing->n += r == 0;
        if (r == 0)
            r = pause_if_long(writing);
    }
    return r;
}

static int write_all(struct writing *writing)
{
    const uint64_t *now = snapshot_sums(writing->what->published);
    uint64_t sums[SNAPSHOT_BUCKETS];
    int r = read_sums(writing->state, sums);

    if (r)
        return r;
    r = writing_prepare(writing);
    for (uint32_t i = 0; i < SNAPSHOT_BUCKETS && r == 0; i++) {
        if (sums[i] == now[i])
            continue;
        r = write_bucket(writing, i);
        if (r == 0)
            r = pause_if_long(writing);
    }
    if (r || !writing->what->all)
        return r;
    r = write_serials(writing);
    return r ? r : write_untils(writing);
}

int memory_domains_write(struct state *state, const struct memory_write *what, int64_t last_body)
{
    CLEANUP(writing_deinit)
    struct writing writing = {.state = state, .what = what, .last_body = last_body};

    return write_all(&writing);
}

/* bucket(name), for SQL. */
static void bucket_function(struct sqlite3_context *context, int n, struct sqlite3_value **values)
{
    const uint64_t *seed = sqlite3_user_data(context);
    const char *name = (const char *)sqlite3_value_text(values[0]);
    struct text text = text_of(name ? name : "", (size_t)sqlite3_value_bytes(values[0]));

    (void)n;
    sqlite3_result_int64(context, (int64_t)(hash_text(*seed, text) >> (64 - SNAPSHOT_BUCKET_BITS)));
}

int memory_domains_reseed(struct state *state, uint64_t seed)
{
    CLEANUP(state_finish) struct sqlite3_stmt *set = NULL;
    int r;

    if (sqlite3_create_function_v2(state->database, "bucket_of", 1, SQLITE_UTF8, &seed,
                                   bucket_function, NULL, NULL, NULL) != SQLITE_OK)
        return -ENOMEM;
    r = state_execute(state, "UPDATE domains SET bucket = bucket_of(name); DELETE FROM sums");
    sqlite3_create_function_v2(state->database, "bucket_of", 1, SQLITE_UTF8, NULL, NULL, NULL, NULL,
                               NULL);
    if (r)
        return r;
    r = state_prepare(state, "UPDATE service SET seed = ?", &set);
    if (r)
        return r;
    state_bind_number(set, 1, (int64_t)seed);
    return state_run(state, set);
}
