#!/usr/bin/env bash
# Makes docs/page.png anew: the page of a real service over sample domains. Takes root, as the domains are in an
# Internet of their own.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=contrib/packages.sh
. contrib/packages.sh

install_packages "${BUILD_PACKAGES[@]}" "${POWERDNS_PACKAGES[@]}" "${TEST_PACKAGES[@]}" fonts-inter python3-pil
[ -f build/build.ninja ] || CC=gcc meson setup build
ninja -C build src/pdns-mta-sts src/pdns-mta-sts-verify
as_root env PDNS_MTA_STS="$PWD/build/src/pdns-mta-sts" BUILD_ROOT="$PWD/build" \
    /usr/bin/python3 -B tests/e2e/picture.py docs/page.png
