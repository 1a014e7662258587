#!/usr/bin/env bash
# Everything that is tested, from nothing: installs what is missing (Debian 12), builds with gcc and,
# with the sanitizers, with clang, runs all suites, the unit tests under valgrind too, with the
# sanitizers the tests in which the program itself has most to do, and those that need several threads
# under ThreadSanitizer, and checks format and style. The last line is "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=contrib/packages.sh
. contrib/packages.sh
# shellcheck source=tests/steps.sh
. tests/steps.sh

install_packages "${BUILD_PACKAGES[@]}" "${POWERDNS_PACKAGES[@]}" "${TEST_PACKAGES[@]}" || exit 1

if CC=gcc build build --werror; then
    suites build testlog
    check_valgrind
    check_statically
    check demo contrib/demo.sh --once
fi
check_asan e2e_admin e2e_commands e2e_differential e2e_direct_commands e2e_hostile e2e_http e2e_log \
    e2e_long_lists e2e_policy e2e_reload e2e_reload_faults e2e_threads e2e_unix
check_tsan e2e_admin e2e_http e2e_reload e2e_reload_faults e2e_systemd e2e_threads e2e_unix
finish
