#!/usr/bin/env bash
# soak.sh [SECONDS]: full load through PowerDNS over HTTP and the unix socket at once, with a reload
# each second that changes the domains, for 600 seconds unless told otherwise. Ends with code 1 if any
# answer was wrong or missing, or if memory or descriptors grew. The normal suite runs the same for a
# few seconds.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -f build/build.ninja ] || meson setup build >&2
ninja -C build >&2
export PDNS_MTA_STS="$PWD/build/src/pdns-mta-sts"
cd tests/e2e
exec /usr/bin/python3 -B -m pytest -q test_soak.py --soak "${1:-600}"
