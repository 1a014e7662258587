#!/usr/bin/env bash
# The first look: installs what is missing (Debian 12 and 13), builds with gcc, and runs every suite and the demo
# once. The last line is "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/steps.sh
. tests/steps.sh

prepare_to_test
test_all
finish
