#!/usr/bin/env bash
# Prints what the service costs and needs on this machine, everything measured in one run.
# Options go to bench.py: --rounds N, --seconds N, --only LETTERS.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=contrib/packages.sh
. contrib/packages.sh
install_packages "${BUILD_PACKAGES[@]}" "${POWERDNS_PACKAGES[@]}" "${TEST_PACKAGES[@]}" dnsperf
[ -f build/build.ninja ] || meson setup build >/dev/null
ninja -C build >/dev/null
PDNS_MTA_STS=$PWD/build/src/pdns-mta-sts exec /usr/bin/python3 -B tests/bench/bench.py \
    --tools build/tests/bench "$@"
