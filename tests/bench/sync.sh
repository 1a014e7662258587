#!/usr/bin/env bash
# sync beside dnsperf, which asks the same name server the same questions: sync.sh [--names N] [--rounds N]
set -euo pipefail
cd "$(dirname "$0")/../.."
PDNS_MTA_STS=$PWD/build/src/pdns-mta-sts exec /usr/bin/python3 -B tests/bench/sync.py "$@"
