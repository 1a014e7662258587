#!/usr/bin/env bash
# The page with ten domains and with a million: page.sh [--rounds N] [--seconds N]
set -euo pipefail
cd "$(dirname "$0")/../.."
PDNS_MTA_STS=$PWD/build/src/pdns-mta-sts exec /usr/bin/python3 -B tests/bench/page.py --tools build/tests/bench "$@"
