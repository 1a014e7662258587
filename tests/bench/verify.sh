#!/usr/bin/env bash
# verify beside dnsperf and curl over the same servers, in a network namespace, and its memory: verify.sh [--domains N]
# [--rounds N] [--count DOMAINS] [--memory FEW] [--check LIST]
set -euo pipefail
cd "$(dirname "$0")/../.."
PDNS_MTA_STS=$PWD/build/src/pdns-mta-sts exec /usr/bin/python3 -B tests/bench/verify.py "$@"
