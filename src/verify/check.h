/* The checks, as rows of a table: what each needs to know, and what its findings mean.
 *
 * A look at a domain asks the questions that its checks need, each once, and then runs the checks.
 * A check reports findings at once, or starts further work (a connection, a question to a name
 * server) and reports when that is done. To add a check: a name here, a row in check.c, a file. */
#pragma once

#include "base/base.h"

enum check_name {
    CHECK_TXT,
    CHECK_TLS_ENT,
    CHECK_TLSRPT,
    CHECK_SERVERS,
    CHECK_DNSSEC,
    CHECK_POLICY_HOST,
    CHECK_HTTPS,
    CHECK_POLICY,
    CHECK_MX,
    CHECK_STARTTLS,
    CHECK_RUA,
    CHECK_COUNT,
};

/* What is asked of a resolver about a domain. */
enum question {
    QUESTION_MTA_STS,    /* _mta-sts.<d> TXT */
    QUESTION_TLS_PARENT, /* _tls.<d> TXT, to see whether the name exists */
    QUESTION_TLSRPT,     /* _smtp._tls.<d> TXT */
    QUESTION_HOST_A,     /* mta-sts.<d> A */
    QUESTION_HOST_AAAA,  /* mta-sts.<d> AAAA */
    QUESTION_MX,         /* <d> MX */
    QUESTION_ZONE,       /* <d> SOA: the zone that it is in */
    QUESTION_COUNT,
};

#define NEEDS(QUESTION) (UINT32_C(1) << (QUESTION))

struct look;

struct check {
    const char *name;
    uint32_t questions; /* NEEDS(…) of those that must be answered before */
    bool (*applies)(const struct look *look);
    void (*run)(struct look *look); /* NULL: its findings come from work that looks share */
    const char *remedy;             /* what to do about its findings: sentences */
    const char *command;            /* what shows them; %d is the domain */
};

extern const struct check checks[CHECK_COUNT];

/* Finds a check by its name. Returns whether there is one. */
bool check_find(struct text name, enum check_name *out);
