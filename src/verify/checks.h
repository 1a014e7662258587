/* What the rows of the table in check.c call, each in a file of its own. */
#pragma once

#include "verify/look.h"

void verify_txt(struct look *look);
void verify_tls_ent(struct look *look);
void verify_tlsrpt(struct look *look);
void verify_servers(struct look *look);
void verify_dnssec(struct look *look);
void verify_policy_host(struct look *look);
void verify_https(struct look *look);
void verify_policy(struct look *look);
void verify_mx(struct look *look);
void verify_starttls(struct look *look);

/* Compares a policy body, as an address of the policy host served it, with the configured one, for
 * the check of policies. */
void compare_policy(struct look *look, const char *address, struct text body);
