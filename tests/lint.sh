#!/usr/bin/env bash
# lint.sh format|format-check|tidy: what the ninja targets of these names run over every C file.
set -euo pipefail
cd "${MESON_SOURCE_ROOT:-$(dirname "$0")/..}"
mapfile -t all < <(find backend src tests -name '*.[ch]' | sort)
mapfile -t units < <(find backend src -name '*.c' | sort)

case ${1:-} in
format) clang-format -i "${all[@]}" ;;
format-check) clang-format --dry-run -Werror "${all[@]}" ;;
tidy) printf '%s\0' "${units[@]}" | xargs -0 -n 1 -P "$(nproc)" clang-tidy -p "${MESON_BUILD_ROOT:-build}" --quiet ;;
*)
    echo "usage: lint.sh format|format-check|tidy" >&2
    exit 2
    ;;
esac
