#!/usr/bin/env bash
# Every static and dynamic check there is: clang-format, clang-tidy, cppcheck, gcc's analyzer; all suites
# with the address, undefined-behaviour and thread sanitizers, and the unit tests under valgrind; and the
# lines that the tests run. The last line is "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/steps.sh
. tests/steps.sh

prepare_to_check
if CC=gcc build build --werror; then
    check_statically
    check_valgrind
fi
# shellcheck disable=SC2119  # without names: all suites
check_asan
# shellcheck disable=SC2119  # without names: all suites
check_tsan
check_coverage
finish
